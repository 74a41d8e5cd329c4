import pytest

from data.errors import UsageError
from matching.filters import allowed
from matching.query import Filters, filters_from

FIELDS = ["wohnen", "sprache"]
GROUPS = ["frauen"]


def card(state=None, **values):
    return {"state": state, "values": values}


CARDS = [
    card("Hessen", action_fields=["wohnen"], tier="high", level=6, evidence_grade="2"),
    card(None, action_fields=["sprache", "wohnen"], places=[{"name": "X", "state": "Bayern", "size": "kleinstadt"}]),
    card(None, evidence_grade="X", level=6),
]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, [1, 1, 1]),
        ({"field": ["wohnen"]}, [1, 1, 1]),
        ({"field": ["wohnen"], "unknown": "drop"}, [1, 1, 0]),
        ({"field": ["sprache"], "unknown": "drop"}, [0, 1, 0]),
        ({"state": ["Bayern"], "unknown": "drop"}, [0, 1, 0]),
        ({"state": ["Bayern"]}, [0, 1, 1]),
        ({"size": ["kleinstadt"], "unknown": "drop"}, [0, 1, 0]),
        ({"impact": "high"}, [1, 0, 0]),
        ({"impact": "promising", "unknown": "keep"}, [1, 0, 0]),
        ({"min_level": 6}, [1, 0, 1]),
        ({"min_evidence": "0"}, [1, 1, 0]),
        ({"min_evidence": "2"}, [1, 0, 0]),
        ({"field": ["wohnen"], "state": ["Hessen"], "unknown": "drop"}, [1, 0, 0]),
    ],
)
def test_filters(given, kept):
    filters = filters_from(given, fields=FIELDS, groups=GROUPS)
    assert allowed(CARDS, filters).astype(int).tolist() == kept


def test_no_cards():
    assert allowed([], Filters(field=("wohnen",))).tolist() == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"field": ["wohnung"]}, "wohnung"),
        ({"state": ["NRW"]}, "Nordrhein-Westfalen"),
        ({"impact": "open"}, "promising"),
        ({"min_level": 9}, "9"),
        ({"min_evidence": "X"}, "X"),
        ({"colour": "red"}, "colour"),
        ({"unknown": "maybe"}, "keep"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(given, named):
    with pytest.raises(UsageError, match=named):
        filters_from(given, fields=FIELDS, groups=GROUPS)


def test_absent_conditions_ask_for_nothing():
    assert filters_from({"field": None, "group": [], "impact": None}, fields=FIELDS, groups=GROUPS) == Filters()


def test_a_stated_state_counts_before_the_states_of_the_places_that_the_text_names():
    named = {"places": [{"name": "Bremen", "state": "Bremen"}]}
    cards = [card("Bayern", **named), card(None, **named)]
    filters = filters_from({"state": ["Bremen"], "unknown": "drop"}, fields=FIELDS, groups=GROUPS)
    assert allowed(cards, filters).tolist() == [False, True]
