"""Needs that are surely open have a project among the first ones, over the shipped projects."""

from pathlib import Path

import numpy as np
import pytest

from data.corpus_files import held_situations
from data.settings import load_settings
from matching import retrieve
from matching.query import Query
from matching.retrieve import Matcher


@pytest.fixture(scope="module")
def matcher(seeded: Path) -> Matcher:
    return Matcher(load_settings(seeded))


@pytest.fixture(scope="module")
def situation() -> str:
    """Of a town that asks about its staff, its concept and its letters."""
    return next(one.text for one in held_situations(name="consultants") if one.id == "k4-013")


def test_a_need_behind_the_first_projects_is_covered(matcher: Matcher, situation: str, monkeypatch) -> None:
    def covered() -> list[bool]:
        answer = matcher.match(Query(text=situation))
        first = [matcher._ids.index(match["project_id"]) for match in answer["matches"][:5]]
        scores = [match["score"] for match in answer["matches"]]
        assert scores == sorted(scores, reverse=True)
        return [bool(row[first].any()) for row in matcher._serves(answer["needs"], 0.85, 0.9)]

    assert all(covered())
    monkeypatch.setattr(retrieve, "_COVERED", ())
    assert not all(covered())


def test_fewer_projects_are_the_first_of_more(matcher: Matcher, situation: str) -> None:
    few, many = (matcher.match(Query(text=situation), top=top)["matches"] for top in (3, 10))
    assert few == many[:3]


def test_projects_for_women_fall_where_only_men_are_named(matcher: Matcher) -> None:
    features = matcher.features("Die Männer in der Unterkunft können nicht lesen und schreiben.")
    joined = matcher.combine(features, matcher.sentence_parts(features), matcher.weights)[0]["needs"]
    chances = matcher.combine(features, matcher.sentence_parts(features), matcher.weights)[1]
    plain = 1 - np.prod(1 - chances.astype(np.float64), axis=0)
    assert matcher._of_women.sum() > 20
    assert joined[matcher._of_women] == pytest.approx(plain[matcher._of_women] / 2, abs=1e-6)
    assert joined[~matcher._of_women] == pytest.approx(plain[~matcher._of_women], abs=1e-6)
