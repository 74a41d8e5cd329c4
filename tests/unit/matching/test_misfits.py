import pytest

from matching.context_facts import read_context
from matching.explain import misfits
from matching.query import Filters
from pipeline.nlp.passages import sentences

CITY = [{"name": "Hamburg", "kind": "gemeinde", "size": "grossstadt"}]


def told(text="Uns fehlen Kurse.", *, end_year=None, state=None, **values):
    facts = read_context(text, sentences(text))
    return misfits({"values": values, "end_year": end_year, "state": state}, Filters(), facts, 2026)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, []),
        ({"end_year": 2019}, ["Lief nach den Angaben bis 2019."]),
        ({"end_year": 2026}, []),
        ({"end_year": 2019, "continuation": {"status": "permanent"}}, []),
        ({"end_year": 2019, "continuation": {"status": "ended"}}, ["Das Projekt ist beendet."]),
        ({"lessons": ["obstacle", "failure"]}, ["Die Beschreibung nennt auch, was nicht gelang."]),
        ({"lessons": None}, []),
    ],
)
def test_what_is_over_or_failed_is_told(values, found):
    assert told(**values) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Insgesamt stehen 15.000 Euro zur Verfügung.",
            ["Kostete laut Quelle 535.000 €, mehr als die genannten 15.000 €."],
        ),
        ("Insgesamt stehen 600.000 Euro zur Verfügung.", []),
        ("Geld haben wir keins.", []),
        ("Der Zaun kostete 15.000 Euro.", []),
    ],
)
def test_a_project_that_cost_more_than_there_is_says_so(text, found):
    assert told(text, cost_eur=535_000) == found


def test_villages_are_told_of_projects_of_cities():
    assert told("Unser Dorf hat 870 Einwohner.", places=CITY) == ["Aus einer Großstadt."]
    assert told("Unsere Stadt hat 31.000 Einwohner.", places=CITY) == []
    assert told("Unser Dorf hat 870 Einwohner.", places=[*CITY, {"kind": "gemeinde", "size": "kleinstadt"}]) == []


def test_another_state_is_told():
    assert told("Wir sind ein Dorf in Sachsen.", state="Bayern") == ["Anderes Land: Bayern."]
