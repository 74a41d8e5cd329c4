from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data.places import load_places
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.extract import extract, to_statements
from pipeline.nlp.place_names import find_places
from pipeline.nlp.place_rules import patterns
from pipeline.nlp.rules import load_rules

EXAMPLES = yaml.safe_load((Path(__file__).parent / "pattern_examples.yaml").read_text(encoding="utf-8"))["places"]


def told(text, *, title=False):
    """Names as in the table, with a question mark where several places bear it, and how surely they are told."""
    found = find_places(text, len(text) if title else 0)
    return {mention.place.name if mention.place else f"{mention.name}?": mention.strength for mention in found}


def one(text, title=None):
    return next(extract([("x", title, text)], reading="rules"))


@pytest.mark.parametrize("name", [name for name, rule in load_rules("places").items() if isinstance(rule, str)])
def test_each_list_of_words_has_an_example_and_a_near_one(name):
    example = EXAMPLES[name]
    least, title = example.get("strength", 1), example.get("title", False)
    hit, miss = (told(example[key], title=title) for key in ("hit", "miss"))
    meant = {example["name"], f"{example['name']}?"}
    assert any(strength >= least for place, strength in hit.items() if place in meant), hit
    assert not any(strength >= least for place, strength in miss.items() if place in meant), miss


@pytest.mark.parametrize("name", [name for name, rule in load_rules("places").items() if isinstance(rule, dict)])
def test_each_list_of_patterns_has_an_example_and_a_near_one(name):
    check = patterns(name).begins if name == "nationwide_not" else patterns(name).holds
    assert check(EXAMPLES[name]["hit"])
    assert not check(EXAMPLES[name]["miss"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Der Verein in Essen gibt warmes Essen aus.", ["Essen"]),
        ("Singen macht Freude, sagt der Lehrer.", []),
        ("In Singen und Hof wird gesungen.", ["Singen", "Hof"]),
        ("Anna Münster und Herr Nordhausen leiten den Kurs.", []),
        ("Das Büro liegt in der Berliner Straße 4.", []),
        ("Freie Universität Berlin", ["Berlin"]),
        ("Erfurter, Dresdner und Münchner Vereine", ["Erfurt", "Dresden", "München"]),
        ("Eine Erfurter Schule, eine Dresdner Kita, ein Hannoveraner Chor", ["Erfurt", "Dresden", "Hannover"]),
        ("Bremens Schulen", ["Bremen"]),
        ("in Hilden, Haan und Erkrath", ["Hilden", "Haan", "Erkrath"]),
        ("des Landkreises Barnim", ["Landkreis Barnim"]),
        ("im Kreis Unna", ["Kreis Unna"]),
        ("in Unna", ["Unna"]),
        ("im Oberbergischen Kreis und im Ilm-Kreis", ["Oberbergischer Kreis", "Ilm-Kreis"]),
        ("des Rems-Murr-Kreises und des Hohenlohekreises", ["Rems-Murr-Kreis", "Hohenlohekreis"]),
        ("in der StädteRegion Aachen und der Region Hannover", ["StädteRegion Aachen", "Region Hannover"]),
        ("in Berlin-Neukölln", ["Berlin"]),
        ("Am Land Berlin liegt es.", ["Berlin"]),
        ("Baden-Württemberg und Rheinland-Pfalz", ["Baden-Württemberg", "Rheinland-Pfalz"]),
        ("Sachsen-Anhalt hilft, Sachsen auch.", ["Sachsen-Anhalt", "Sachsen"]),
        ("Kita St. Martin", []),
        ("https://example.org/Jena/kurs", []),
        ("kurs@Jena.de", []),
    ],
)
def test_names_are_found_where_the_words_around_them_say_so(text, expected):
    assert list(told(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Der Verein in Neustadt kocht.", "Neustadt?"),
        ("Der Verein in Neustadt (Hessen) kocht.", "Neustadt (Hessen)"),
        ("Der Verein in Neustadt in Hessen kocht.", "Neustadt (Hessen)"),
        ("Der Verein in Halle kocht.", "Halle?"),
        ("Sachsen-Anhalt zahlt. Der Verein in Halle kocht.", "Halle (Saale)"),
        ("Der Verein in Halle im Kreis Gütersloh kocht.", "Halle (Westf.)"),
        ("Der Verein in Frankfurt kocht.", "Frankfurt?"),
        ("In Frankfurt am Main läuft es. Die Stadt Frankfurt zahlt.", "Frankfurt am Main"),
        ("Das hessische Ministerium zahlt, Frankfurt kocht.", "Frankfurt am Main"),
        ("Der Verein in Essen kocht.", "Essen"),
        ("Die Stadt Offenbach zahlt.", "Offenbach am Main"),
    ],
)
def test_names_of_several_places_stay_open_unless_the_text_decides(text, expected):
    assert expected in told(text)


def test_an_open_name_has_no_state_and_no_size():
    (place,) = one("Der Verein in Frankfurt bietet Deutschkurse für Geflüchtete an.")["places"]
    assert (place["name"], place["state"], place["kind"]) == ("Frankfurt", None, "gemeinde")
    assert not {"size", "key"} & set(place)


def test_places_are_told_once_in_text_order_with_exact_quotes():
    title = "Sprachcafé Jena"
    text = "In Weimar begann es.\nDer Verein in Jena gibt Deutschkurse, ab 2020 auch in Weimar und im Ilm-Kreis."
    places = one(text, title)["places"]
    assert [place["name"] for place in places] == ["Jena", "Weimar", "Ilm-Kreis"]
    for place in places:
        given = title if place.get("where") == "title" else text
        assert place["quote"] == given[place["start"] : place["end"]]
    assert places[0] == {
        "name": "Jena", "state": "Thüringen", "kind": "gemeinde", "key": "16053", "size": "grossstadt", "start": 11,
        "end": 15, "quote": "Jena", "where": "title",
    }  # fmt: skip


def test_places_of_other_programmes_and_of_transfers_are_not_the_projects():
    text = "Der Verein in Jena gibt Deutschkurse. Das Konzept wurde von einem Träger in Osnabrück übernommen."
    assert [place["name"] for place in one(text)["places"]] == ["Jena"]


def test_places_of_who_gives_a_prize_are_not_the_projects():
    text = "Der Verein in Jena gibt Deutschkurse. Der Bürgerpreis wird jährlich in Bonn verliehen."
    assert [place["name"] for place in one(text)["places"]] == ["Jena"]
    let = "Der Verein gibt Deutschkurse. In Bonn werden Wohnungen an Geflüchtete vergeben."
    assert [place["name"] for place in one(let)["places"]] == ["Bonn"]
    won = "Der Verein gibt Deutschkurse. 2019 wurde er in Bonn mit dem Bürgerpreis ausgezeichnet."
    assert [place["name"] for place in one(won)["places"]] == ["Bonn"]


def test_a_place_abroad_counts_only_where_there_is_none_inside():
    assert [place["kind"] for place in one("Der Deutschkurs in Wien hilft Geflüchteten.")["places"]] == ["ausland"]
    assert [place["name"] for place in one("Der Deutschkurs in Jena folgt einem in Wien.")["places"]] == ["Jena"]
    assert one("Der Deutschkurs für Frauen aus Schweden und Aleppo hilft.")["places"] == []


@pytest.mark.parametrize(
    ("title", "text", "scope"),
    [
        ("Sprachcafé Jena", "Geflüchtete lernen Deutsch.", "gemeinde"),
        ("Sprachcafé", "An drei Schulen in Jena lernen Geflüchtete Deutsch.", "gemeinde"),
        ("Sprachcafé", "Im Landkreis Barnim lernen Geflüchtete Deutsch, auch in Bernau.", "kreis"),
        ("Sprachcafé", "In Bayern lernen Geflüchtete Deutsch.", "land"),
        ("Sprachcafé", "In zwölf Kommunen in Bayern lernen Geflüchtete Deutsch.", "land"),
        ("Sprachcafé", "Das Landesprogramm in Sachsen gibt es auch in Jena.", "bund"),
        ("Sprachcafé", "Bundesweit lernen Geflüchtete Deutsch, auch in Jena.", "bund"),
        ("Sprachcafé Jena", "Der bundesweite Integrationspreis ging an den Kurs.", "gemeinde"),
        ("Sprachcafé", "Der Deutschkurs in Wien hilft Geflüchteten.", "ausland"),
        ("Sprachcafé", "Geflüchtete lernen Deutsch.", None),
    ],
)
def test_the_scope_is_the_narrowest_place_or_wider_where_the_text_says_so(title, text, scope):
    assert one(text, title)["scope"] == scope


def test_places_and_scope_become_statements_with_the_size_class():
    text = "Der Verein in Jena gibt Geflüchteten Deutschkurse."
    found = {s.property: s for s in to_statements("p", "d", one(text), version="1")}
    assert found["places"].value == {
        "name": "Jena", "state": "Thüringen", "kind": "gemeinde", "key": "16053", "size": "grossstadt",
    }  # fmt: skip
    assert text[found["places"].start : found["places"].end] == found["places"].quote == "Jena"
    assert found["scope"].value == "gemeinde"


def test_the_component_leaves_spans():
    with pipeline_zone() as nlp:
        doc = nlp("Der Verein in Jena und im Ilm-Kreis hilft.")
        assert [(span.text, span.label_) for span in doc.spans["places"]] == [
            ("Jena", "gemeinde"),
            ("Ilm-Kreis", "kreis"),
        ]


def test_every_town_is_found_by_its_full_name_after_its_kind():
    places = load_places()
    missed = []
    for name in places.names()[0]:
        found = find_places(f"Die Gemeinde {name} hilft.")
        if not found or not {town.key for town in found[0].places} & {town.key for town in places.towns(name)}:
            missed.append(name)
    assert len(missed) <= 12, missed


@given(st.text(alphabet=st.sampled_from("Jena in HalleBerlin-(/). \nKreisüÜ@0s"), max_size=80))
def test_no_text_breaks_it_and_mentions_do_not_overlap(text):
    found = find_places(text)
    assert all(0 <= mention.start < mention.end <= len(text) for mention in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
