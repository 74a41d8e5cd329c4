from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clock import as_utc
from pipeline.cadence import INTERVALS, RETRY, SPREAD, turn
from pipeline.staging import Attempt

NOW = "2026-06-15T12:00:00.000Z"


def before(**delta: float) -> str:
    return as_utc((datetime.fromisoformat(NOW) - timedelta(**delta)).isoformat())


def attempt(*, state: str = "done", began: str, good: int | None = 5, good_at: str | None = None) -> Attempt:
    return Attempt(
        run_id="r", began=began, fingerprint="f", token="t",
        state=state, good=good, good_at=good_at or (began if state == "done" else None),  # type: ignore[arg-type]
    )  # fmt: skip


def told(stands: Attempt | None, schedule: str = "monthly", *, now: str = NOW, salt: str = "s"):
    return turn("quelle", schedule, stands, now=now, salt=salt)


def test_a_source_that_was_never_read_is_due():
    assert (told(None).due, told(None).why) == (True, "never")


@pytest.mark.parametrize(("schedule", "fresh", "old"), [("weekly", 6, 7), ("monthly", 26, 30), ("quarterly", 81, 91)])
def test_a_source_is_due_at_the_latest_an_interval_after_its_last_good_run(schedule: str, fresh: int, old: int):
    assert not told(attempt(began=before(days=fresh)), schedule).due
    due = told(attempt(began=before(days=old)), schedule)
    assert (due.due, due.why) == (True, "interval")


def test_months_off_count_once():
    stands = attempt(began=before(days=200))
    assert told(stands).due
    assert not told(attempt(began=NOW)).due


def test_an_interrupted_source_goes_on_at_once():
    for state in ("crawling", "kept"):
        assert told(attempt(state=state, began=before(hours=1), good_at=before(days=1))).why == "interrupted"
        assert told(attempt(state=state, began=before(hours=1), good_at=before(days=1))).due


def test_a_source_that_a_gate_holds_is_tried_again_after_a_pause_and_not_every_time():
    soon = told(attempt(state="held", began=before(days=1), good_at=before(days=60)))
    assert (soon.due, soon.why, soon.last_good) == (False, "retry", before(days=60))
    assert told(attempt(state="held", began=before(days=3.1), good_at=before(days=60))).due


def test_a_crawl_that_brought_nothing_was_not_good():
    empty = told(attempt(began=before(days=4), good=0))
    assert (empty.last_good, empty.due) == (None, True)


def test_a_crawl_in_the_future_does_not_keep_a_source_asleep():
    assert told(attempt(began="2031-01-01T00:00:00.000Z")).why == "clock"
    assert told(attempt(began="2031-01-01T00:00:00.000Z")).due


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20), st.sampled_from(sorted(INTERVALS)), st.integers(0, 200_000))
def test_due_exactly_from_due_at_on_and_spread_within_bounds(salt: str, schedule: str, minutes: int):
    stands = attempt(began=before(minutes=minutes))
    one = told(stands, schedule, salt=salt)
    assert one.due_at is not None
    assert one.due == (one.due_at <= NOW)
    waited = datetime.fromisoformat(one.due_at) - datetime.fromisoformat(stands.began)
    interval = INTERVALS[schedule]
    assert interval * (1 - SPREAD) - timedelta(seconds=1) <= waited <= interval
    assert waited > interval * RETRY


def test_installations_are_spread():
    days = {str(told(attempt(began=NOW), "quarterly", salt=f"/srv/{n}").due_at)[:10] for n in range(20)}
    assert len(days) > 5
