from datetime import date

import pytest

from data.errors import UsageError
from data.store_review import Told, identity
from pipeline.history import _date
from pipeline.review import parse_value, questions


def told(name, value, origin="extractor", score=None, quote=None, project_id="p") -> Told:
    return Told(project_id=project_id, property=name, value=value, origin=origin, score=score, quote=quote)


def asked(*items, years=None) -> list[tuple[str, str | None]]:
    return [(item.kind, item.property) for item in questions(items, years or {})]


def test_a_claimed_x_is_asked_about_until_somebody_verified_it():
    x = told("evidence_grade", "X", quote="kein Effekt")
    assert asked(x) == [("claimed_x", "evidence_grade")]
    assert asked(x, told("verified", True, "reviewer")) == []
    assert asked(told("evidence_grade", "2")) == []


def test_labels_just_above_the_threshold_are_asked_about():
    low, high = told("action_fields", "wohnen", score=0.55), told("action_fields", "arbeit", score=0.9)
    (question,) = questions([low, high], {})
    assert question.detail["sides"][0]["value"] == "wohnen"
    assert asked(low, told("action_fields", "arbeit", "reviewer")) == []
    assert asked(low, told("action_fields", "wohnen", "editor")) == []


def test_origins_that_disagree_stand_side_by_side_the_one_that_counts_first():
    items = [told("level", 5, quote="fanden Arbeit"), told("level", 3, "editor")]
    (question,) = questions(items, {})
    assert [(side["value"], side["origin"]) for side in question.detail["sides"]] == [(3, "editor"), (5, "extractor")]
    assert asked(told("level", 5), told("level", 5, "editor")) == []
    assert asked(*items, told("level", 4, "reviewer")) == []
    assert asked(told("start_year", 2015), years={"p": (2018, None)}) == [("conflict", "start_year")]
    assert asked(told("start_year", 2018), years={"p": (2018, None)}) == []


def test_another_quote_of_the_same_value_is_the_same_question():
    one, two = (next(questions([told("evidence_grade", "X", quote=quote)], {})) for quote in ("a", "b"))
    assert identity(one) == identity(two)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("action_fields", "wohnen, sprache", ["wohnen", "sprache"]),
        ("action_fields", "-", [None]),
        ("level", "5", [5]),
        ("budget_eur", "12.500,50", [12500.5]),
        ("budget_eur", "12500", [12500]),
        ("budget_eur", "12.500", [12500]),
        ("budget_eur", "1.250.000", [1250000]),
        ("success_rate_percent", "0.125", [0.125]),
        ("success_rate_percent", "62.5", [62.5]),
        ("evidence_grade", "X", ["X"]),
    ],
)
def test_values_as_a_person_writes_them(name, text, wanted):
    assert parse_value(name, text) == wanted


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("level", "8"),
        ("level", "viel"),
        ("evidence_grade", "7"),
        ("target_groups", "alle"),
        ("budget_eur", "nan"),
        ("budget_eur", "-inf"),
        ("budget_eur", "1e400"),
        ("budget_eur", "1.2.3"),
    ],
)
def test_a_value_that_cannot_be_is_refused(name, text):
    with pytest.raises(UsageError):
        parse_value(name, text)


def test_dates_as_sources_write_them():
    assert _date("01.10.2026") == date(2026, 10, 1)
    assert _date("2026-10-01T00:00") == date(2026, 10, 1)
    assert _date("31.02.2026") is None
    assert _date("unbefristet") is _date(None) is None
