import pytest

from matching.context_facts import read_context
from matching.place_lookup import looked_up, told
from pipeline.nlp.passages import sentences


def look(text):
    return looked_up(text, read_context(text, sentences(text)))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Die Stadt Jena sucht Lehrkräfte.", "Jena"),
        ("Wir in Jena suchen Lehrkräfte.", "Jena"),
        ("Die Gemeinde Neustadt in Hessen sucht Lehrkräfte.", "Neustadt (Hessen)"),
        ("Im Landkreis Barnim fehlen Kurse.", "Landkreis Barnim"),
        ("Die Stadt Frankfurt mit 55.000 Einwohnern sucht Lehrkräfte.", "Frankfurt (Oder)"),
    ],
)
def test_the_texts_own_town_is_looked_up(text, name):
    assert look(text)["name"] == name


@pytest.mark.parametrize(
    "text",
    [
        "Es fehlen Lehrkräfte.",
        "Die Stadt Entenhausen sucht Lehrkräfte.",
        "Die Gemeinde Neustadt sucht Lehrkräfte.",
        "Die Stadt Frankfurt sucht Lehrkräfte.",
        "Die Stadt Jena in Bayern sucht Lehrkräfte.",
        "Die Stadt Jena mit 12.000 Einwohnern sucht Lehrkräfte.",
        "In Jena und in Erfurt fehlen Lehrkräfte.",
        "Viele Familien kommen aus Erfurt.",
        "In der Nachbarstadt Jena gibt es Kurse.",
    ],
)
def test_what_is_open_or_contradicts_the_table_is_not_looked_up(text):
    assert look(text) is None


def test_a_looked_up_place_has_the_shape_of_the_contract():
    place = look("Die Stadt Walldorf in Baden-Württemberg sucht Lehrkräfte.")
    population, year = place.pop("population"), place.pop("year")
    assert place == {
        "name": "Walldorf", "kind": "gemeinde", "state": "Baden-Württemberg", "district": "Rhein-Neckar-Kreis",
        "size": "kleinstadt", "source": "GeoNames",
    }  # fmt: skip
    assert 5_000 <= population < 20_000
    assert year >= 2026


def test_the_terminal_says_that_it_is_looked_up_and_leaves_a_stated_number_alone():
    place = look("Die Stadt Jena sucht Lehrkräfte.")
    assert told(place, stated=None) == (
        "laut Tabelle (Statistisches Bundesamt): Jena, Thüringen, 111.407 Einwohner (2018)"
    )
    assert "Einwohner" not in told(place, stated=108_000)
