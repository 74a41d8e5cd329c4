"""Duplicates on the labelled pairs: figures on the part "test", which nothing was fitted on."""

from collections import Counter, defaultdict

import fit
import pytest

from pipeline.candidates import candidates
from pipeline.duplicates import compare


@pytest.fixture(scope="module")
def prepared():
    return fit.prepared()


@pytest.fixture(scope="module")
def outcomes(prepared):
    return fit.outcomes(prepared)


def test_the_set_is_as_described():
    records = {line["id"]: line for line in fit.lines("records.jsonl")}
    pairs = fit.lines("pairs.jsonl")
    assert len(pairs) >= 320
    assert all(count >= 60 for count in Counter(p["label"] for p in pairs if p["split"] == "test").values())
    assert all(30 <= len(record["text"].split()) <= 80 for record in records.values())
    splits = defaultdict(set)
    for pair in pairs:
        for key in (pair["a"], pair["b"]):
            splits[records[key]["project"]].add(pair["split"])
    assert all(len(parts) == 1 for parts in splits.values())


def test_what_is_merged_unasked_is_the_same(outcomes):
    right = outcomes["same"]["certain"]
    wrong = outcomes["family"]["certain"] + outcomes["different"]["certain"]
    assert right >= 30
    assert right / (right + wrong) >= 0.99


def test_what_is_the_same_is_found(outcomes):
    same = outcomes["same"]
    assert (same["certain"] + same["doubtful"]) / same.total() >= 0.95


def test_people_are_not_asked_about_what_differs(outcomes):
    different = outcomes["different"]
    assert different["doubtful"] / different.total() <= 1 / 3


def test_families_are_mostly_told_apart_without_a_question(outcomes):
    assert outcomes["family"]["doubtful"] / outcomes["family"].total() <= 0.1
    assert outcomes["family"]["family"] / outcomes["family"].total() >= 0.6


def test_no_pair_across_projects_is_merged(prepared):
    project = {line["id"]: line["project"] for line in fit.lines("records.jsonl")}
    for a, b in candidates(prepared):
        if project[prepared[a].record.id] != project[prepared[b].record.id]:
            assert compare(prepared[a], prepared[b]).outcome in ("different", "doubtful", "family")
