"""Duplicates on the labelled pairs: figures on the part "test", which nothing was fitted on."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from data.store_curation import CurationRecord
from pipeline.candidates import candidates
from pipeline.duplicates import Prepared, compare, load_rules

FOLDER = Path(__file__).parent
KEYS = ("id", "title", "organisation", "municipality", "url", "text")


def lines(name):
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def prepared():
    rules = load_rules()
    told = sorted(lines("records.jsonl"), key=lambda line: line["id"])
    return [Prepared(CurationRecord(**{key: line[key] for key in KEYS}), rules) for line in told]


@pytest.fixture(scope="module")
def outcomes(prepared):
    """Outcomes per label over the test part; a pair that is no candidate counts as different."""
    chosen = {(prepared[a].record.id, prepared[b].record.id) for a, b in candidates(prepared)}
    by_id = {item.record.id: item for item in prepared}
    found = defaultdict(Counter)
    for line in lines("pairs.jsonl"):
        if line["split"] == "test":
            pair = tuple(sorted((line["a"], line["b"])))
            outcome = compare(by_id[pair[0]], by_id[pair[1]]).outcome if pair in chosen else "different"
            found[line["label"]][outcome] += 1
    return found


def test_the_set_is_as_described():
    records = {line["id"]: line for line in lines("records.jsonl")}
    pairs = lines("pairs.jsonl")
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
    project = {line["id"]: line["project"] for line in lines("records.jsonl")}
    for a, b in candidates(prepared):
        if project[prepared[a].record.id] != project[prepared[b].record.id]:
            assert compare(prepared[a], prepared[b]).outcome in ("different", "doubtful", "family")
