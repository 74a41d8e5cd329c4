from pathlib import Path

import pytest

from crawlers.source import Expectation, SourceConfig
from data.store_staging import Staged
from pipeline.changes import MOST_CHARACTERS, MOST_PASSAGES, changed_passages
from pipeline.gates import drift, gates


def source(**values) -> SourceConfig:
    common = {"name": "q", "publisher": "p", "homepage": "h", "licence": "l", "kind": "site", "path": Path("q.yaml")}
    return SourceConfig(**{**common, **values})


def staged(records: int = 10, known: int = 0, changed: int = 0, **filled: int) -> Staged:
    return Staged(records=records, known=known, changed=changed, filled=filled)


def closed(found: Staged, last_good: int | None = None, **values) -> list[str]:
    return [finding.gate for finding in gates(source(**values), found, last_good) if finding.holds]


@pytest.mark.parametrize(("records", "wanted"), [(7, []), (6, ["drop"]), (0, ["drop"]), (99, [])])
def test_a_drop_of_more_than_thirty_percent_holds(records, wanted):
    assert closed(staged(records), 10) == wanted


def test_a_first_crawl_has_nothing_to_drop_from():
    assert closed(staged(0), None) == []


@pytest.mark.parametrize(
    ("known", "changed", "wanted"), [(19, 19, []), (20, 12, []), (20, 13, ["changed"]), (100, 61, ["changed"])]
)
def test_many_changed_texts_of_enough_known_ones_are_suspicious(known, changed, wanted):
    assert closed(staged(200, known, changed)) == wanted


def test_what_the_source_expects():
    expect = Expectation(min_records=5, max_records=20, fill={"title": 0.9, "state": 0.5})
    assert closed(staged(10, title=9, state=5), expect=expect) == []
    assert closed(staged(10, title=8), expect=expect) == ["fill", "fill"]
    assert closed(staged(4, title=4, state=4), expect=expect) == ["min_records"]
    assert closed(staged(21, title=21, state=21), expect=expect) == ["max_records"]


def test_the_share_of_somebody_elses_collection_is_a_remark():
    (finding,) = gates(source(database=True, share_cap_percent=10.0), staged(55), None)
    assert not finding.holds
    assert "höchstens 5 (10 %)" in finding.reason


def test_drift_needs_fifty_texts_and_ten_points():
    stored = {"fields/arbeit": 0.30, "fields/wohnen": 0.20}
    fresh = {"fields/arbeit": 0.41, "fields/sprache": 0.5, "fields/wohnen": 0.12}
    assert [name for name, *_ in drift(50, fresh, 50, stored)] == ["fields/sprache", "fields/arbeit"]
    assert drift(49, fresh, 500, stored) == drift(500, fresh, 49, stored) == []
    assert drift(500, {"fields/wohnen": 0.0}, 500, {"fields/wohnen": 0.2}) == [("fields/wohnen", 0.2, 0.0)]


def test_changed_passages_stand_side_by_side():
    old = "Der Chor probt montags. Alle sind willkommen. Der Eintritt ist frei."
    new = "Der Chor  probt dienstags.\nAlle sind willkommen. Der Eintritt ist frei. Es gibt Tee."
    assert changed_passages(old, new) == [
        {"old": "Der Chor probt montags.", "new": "Der Chor probt dienstags."},
        {"old": "", "new": "Es gibt Tee."},
    ]
    assert changed_passages(old, old.replace(" ", "\u00a0\n")) == changed_passages("", "") == []


def test_changed_passages_stay_short_quotations():
    many = changed_passages(
        "\n".join(f"Satz {n}\nbleibt {n}" for n in range(50)), "\n".join(f"Wort {n}\nbleibt {n}" for n in range(50))
    )
    assert len(many) == MOST_PASSAGES
    (one,) = changed_passages("kurz", "lang " * 2000)
    assert len(one["new"]) <= MOST_CHARACTERS + 2
