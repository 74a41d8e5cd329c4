"""Whose turn it is: when a source was read well for the last time, and from when on it is read again.

Below: `pipeline.staging` (where a source stands). Above: `checkup.commands.schedule`. Pure: the present is passed in.
A computer that was off for months has each source due once, not once a month: what counts is the last good crawl.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from data.clock import as_utc

if TYPE_CHECKING:
    from pipeline.staging import Attempt

INTERVALS = {"weekly": timedelta(days=7), "monthly": timedelta(days=30), "quarterly": timedelta(days=91)}
"""By the `schedule` of a source; none is read later than this after its last good crawl (while the computer runs)."""
SPREAD = 0.1
"""Sources become due up to this share of their interval earlier, each by its own: not all of them on one day."""
RETRY = 0.1
"""Share of the interval after which a source that failed is tried again; an interrupted one is at once."""
CLOCK_SLACK = timedelta(days=1)
"""A crawl that lies further in the future than this was noted by a wrong clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One source and when it is due; times are ISO 8601 in UTC."""

    source: str
    schedule: str
    last_good: str | None
    """Begin of the last crawl that brought anything and passed its gates."""
    last_try: str | None
    due_at: str | None
    """None: at once."""
    due: bool
    why: Literal["never", "interrupted", "clock", "retry", "interval"]
    """What `due_at` follows from."""


def turn(source: str, schedule: str, attempt: "Attempt | None", *, now: str, salt: str) -> Turn:
    """Whether a source is due.

    Args:
        source: Its name.
        schedule: `weekly`, `monthly` or `quarterly`.
        attempt: Where it stands; None before its first crawl.
        now: The present.
        salt: Names the installation, so that two of them do not read a source on the same day.
    """
    last_good = attempt.good_at if attempt is not None and attempt.good else None
    last_try = attempt.began if attempt is not None else None

    def told(why: Literal["never", "interrupted", "clock", "retry", "interval"], at: datetime | None) -> Turn:
        moment = None if at is None else as_utc(at.isoformat())
        due = moment is None or moment <= now
        return Turn(
            source=source, schedule=schedule, last_good=last_good, last_try=last_try, due_at=moment, due=due, why=why
        )

    if attempt is None:
        return told("never", None)
    if attempt.state in ("crawling", "kept"):
        return told("interrupted", None)
    began = datetime.fromisoformat(attempt.began)
    if began > datetime.fromisoformat(now) + CLOCK_SLACK:
        return told("clock", None)
    interval = INTERVALS[schedule]
    again = began + interval * RETRY
    if last_good is None:
        return told("retry", again)
    regular = datetime.fromisoformat(last_good) + interval * (1 - SPREAD * _share(salt, source))
    return told("interval", regular) if regular >= again else told("retry", again)


def _share(salt: str, source: str) -> float:
    """A number 0..1 that is always the same for a source of an installation."""
    digest = hashlib.sha256(f"{salt}\n{source}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
