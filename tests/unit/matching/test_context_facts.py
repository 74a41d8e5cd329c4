import pytest

from matching.context_facts import read_context
from matching.place_lookup import looked_up
from pipeline.nlp.passages import sentences


def read(text):
    return read_context(text, sentences(text))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Geld haben wir keins, nur den Saal der Feuerwehr.", ["money"]),
        ("Der Bürgermeister ist auf unserer Seite, nur Geld hat er keins.", ["money"]),
        ("Geld für Berufsdolmetscher hat der Landkreis nicht.", ["money"]),
        ("Mittel für Personal stehen im Haushalt 2025 nicht zur Verfügung.", ["money"]),
        ("Geld haben weder die noch wir.", ["money"]),
        ("Geld spielt keine Rolle.", []),
        ("Das Geld ist nicht das Problem.", []),
        ("Die Mittel sind nicht abgerufen worden.", []),
        ("Personalmehrungen sind ausgeschlossen.", ["staff"]),
        ("Zusätzliche Stellen sind nicht vorgesehen.", ["staff"]),
        ("Dafür kann ich niemanden abstellen.", ["staff"]),
        ("Wir haben nur eine Stelle dafür.", ["staff"]),
        ("Für das ganze Amt bleibt eine 0,3 Stelle.", ["staff"]),
        ("Gibt es denn keine Stelle, die uns zusammenbringt?", []),
        ("Fünf Gespräche, eine Stelle (Spülküche).", []),
        ("Der Kreis hat eine Stelle zur Koordinierung der Dolmetscher besetzt.", []),
    ],
)
def test_limits_in_plain_talk(text, kinds):
    assert [kind for kind, _, _ in read(text).limits] == kinds


@pytest.mark.parametrize(
    ("text", "population"),
    [
        ("Seither ist die Einwohnerzahl von 28.400 auf 31.200 gestiegen.", 31_200),
        ("Die Einwohnerzahl von 12.000 liegt unter dem Schnitt.", 12_000),
        ("Unser Dorf hat 870 Einwohner.", 870),
    ],
)
def test_of_two_numbers_of_inhabitants_the_later_counts(text, population):
    assert read(text).population == population


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Nachts kommen Autos aus Bayern und Thüringen auf den Markt.", None),
        ("Wir sind ein Dorf in Sachsen, und die Autos kommen aus Bayern, Hessen und Thüringen.", "Sachsen"),
        ("Unser Ort liegt in Sachsen-Anhalt.", "Sachsen-Anhalt"),
        ("Viele Grüße aus Thüringen!", "Thüringen"),
        ("Wir sind eine kleine Gemeinde aus Hessen.", "Hessen"),
        ("Eine Kleinstadt in NRW.", "Nordrhein-Westfalen"),
        ("A small town in Lower Saxony.", "Niedersachsen"),
    ],
)
def test_the_state_is_not_where_somebody_comes_from(text, state):
    assert read(text).state == state


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Wir in Jena haben zu wenig Kurse.", "Jena"),
        ("Den Häusern fehlt der Strom, und die Eigentümer in Düsseldorf melden sich nicht.", None),
    ],
)
def test_where_owners_sit_is_not_the_town(text, place):
    found = looked_up(text, read(text))
    assert (found and found["name"]) == place
