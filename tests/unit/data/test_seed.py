"""The shipped projects: every record keeps the rules of data/seed/README.md."""

import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rapidfuzz import fuzz, process

from data.impact import EVIDENCE_GRADES, tier
from data.records import STATES
from data.shipped import FOLDER, iter_shipped
from data.vocabulary import load_vocabulary

ENTRIES = [
    json.loads(line)
    for path in sorted(Path(FOLDER).glob("*.jsonl"))
    for line in path.read_text("utf-8").split("\n")
    if line.strip()
]
PERSONAL = re.compile(r"[\w.]+@[\w.]+\w|(?<![\d.])0\d{2,5}[ /-]\d{4,}")


@pytest.fixture(scope="module")
def vocabulary():
    return load_vocabulary()


def test_there_are_four_hundred_and_more_from_every_state():
    assert len(ENTRIES) >= 400
    assert {entry.get("state") for entry in ENTRIES} >= set(STATES)


def test_ids_titles_and_texts_stand_once():
    assert max(Counter(entry["id"] for entry in ENTRIES).values()) == 1
    same = [(a["id"], b["id"]) for i, a in enumerate(ENTRIES) for b in ENTRIES[:i] if a["title"] == b["title"]
            and a.get("municipality") == b.get("municipality")]  # fmt: skip
    assert not same
    texts = [entry["text"] for entry in ENTRIES]
    scores = process.cdist(texts, texts, scorer=fuzz.ratio, score_cutoff=85)
    near = [(ENTRIES[i]["id"], ENTRIES[j]["id"]) for i, j in zip(*scores.nonzero(), strict=True) if i < j]
    assert not near


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_a_record_is_whole(entry, vocabulary):
    assert re.fullmatch(r"[a-z0-9-]+", entry["id"])
    assert 40 <= len(entry["text"].split()) <= 200
    assert not PERSONAL.search(entry["text"])
    for page in [{"url": entry["url"], "read_on": entry["pages"][0]["read_on"], "read": "excerpt"}, *entry["pages"]]:
        assert urlsplit(page["url"]).scheme in ("http", "https")
        host = urlsplit(page["url"]).netloc
        assert host
        assert not host.endswith(".")
        assert "@" not in page["url"]
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", page["read_on"])
        assert page["read"] in ("excerpt", "page")
    labels = entry["labels"]
    assert labels["action_fields"]
    assert set(labels["action_fields"]) <= set(vocabulary.fields)
    assert set(labels["target_groups"]) <= set(vocabulary.groups)
    assert set(labels["approaches"]) <= set(vocabulary.approaches)
    assert labels["level"] in range(8)
    assert str(labels["evidence"]) in EVIDENCE_GRADES
    assert entry["checked_by"]


def test_no_eight_words_are_shared_between_two_entries():
    owner = {}
    shared = []
    for entry in ENTRIES:
        words = re.findall(r"\w+", entry["text"].lower())
        for start in range(len(words) - 7):
            phrase = " ".join(words[start : start + 8])
            if owner.setdefault(phrase, entry["id"]) != entry["id"]:
                shared.append((phrase, entry["id"], owner[phrase]))
    assert not shared


def test_statements_quote_what_stands_in_the_text():
    for shipped in iter_shipped():
        for statement in shipped.statements:
            if statement.quote is not None:
                assert shipped.project.text[statement.start : statement.end] == statement.quote


def test_tiers_are_not_stretched():
    tiers = Counter(tier(entry["labels"]["level"], str(entry["labels"]["evidence"])) for entry in ENTRIES)
    assert tiers["high"] + tiers["proven"] < len(ENTRIES) / 4


def test_only_what_an_evaluation_shows_is_verified():
    verified = [entry["labels"] for entry in ENTRIES if entry["labels"].get("verified")]
    assert len(verified) >= 90
    for labels in verified:
        assert urlsplit(labels["evaluation_url"]).scheme in ("http", "https")
        assert labels["evidence"] not in ("0", "1")
        assert labels["evidence_quote"]


@pytest.mark.parametrize(
    ("value", "quote"),
    [("level", "level_quote"), ("reached", "reached_quote"), ("rate", "rate_quote"), ("budget_eur", "budget_quote"),
     ("transferred", "transferred_quote"), ("evidence", "evidence_quote")],
)  # fmt: skip
def test_every_value_has_the_words_that_carry_it(value, quote):
    for entry in ENTRIES:
        labels = entry["labels"]
        stated = labels[value] not in (None, False, 0, "0")
        if stated:
            assert labels.get(quote), entry["id"]
            assert labels[quote] in entry["text"]
        elif value not in ("level", "evidence"):
            assert not labels.get(quote), entry["id"]


def test_a_budget_has_its_kind():
    for entry in ENTRIES:
        assert (entry["labels"]["budget_eur"] is None) == (entry["labels"]["budget_kind"] is None), entry["id"]
