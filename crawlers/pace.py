"""When a host may be asked again: the pause between two requests, the wishes of a busy one; for threads and sources.

Below: `web`. Above: `polite`.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from crawlers.web import Clock, Refusal, Sleep

BUSY_STATUS = frozenset({429, 503})
"""Too Many Requests (RFC 6585, 4), Service Unavailable (RFC 9110, 15.6.4): the server may be asked again later."""
MOST_BACKOFF_S = 120.0


def retry_after_s(value: str | None, now_epoch: Callable[[], float] = time.time) -> float | None:
    """Seconds that a Retry-After header asks for (number or date), None where it says nothing readable."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_epoch())
    except (TypeError, ValueError, OverflowError):
        return None


def backoff_s(attempt: int) -> float:
    """Seconds before a request is sent for the nth time again, n from 1: 0, 1, 2, 4, 8 and so on."""
    return 0.0 if attempt <= 1 else min(0.5 * 2.0 ** (attempt - 1), MOST_BACKOFF_S)


@dataclass(slots=True)
class HostPace:
    """What is known of one host by all who ask it: the longest pause and the fewest requests of any of them count."""

    delay_s: float = 0.0
    concurrency: int | None = None
    under_way: int = 0
    last: float | None = None
    not_before: float = -math.inf
    """No request before this moment of the clock."""
    closed: str | None = None
    """Why the host is asked nothing more in this run, a German sentence."""
    free: threading.Condition = field(default_factory=threading.Condition)
    """Told when a request has ended."""
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Held by the one that waits for its start."""

    def begin(self) -> None:
        """Wait until one more request may be under way."""
        with self.free:
            self.free.wait_for(lambda: self.under_way < (self.concurrency or 1))
            self.under_way += 1

    def end(self) -> None:
        """Note that a request is over."""
        with self.free:
            self.under_way -= 1
            self.free.notify()

    @property
    def due(self) -> float:
        """The moment of the clock from which the next request may start."""
        return max(self.not_before, -math.inf if self.last is None else self.last + self.delay_s)


Hosts = dict[str, HostPace]
"""By host and port. Sources that are crawled side by side share one, and with it each host's pause."""


@dataclass(slots=True)
class Pace:
    """Keeps the pause between two requests to the same host, for any number of threads.

    With one request at a time the pause is counted from the end of a request to the start of the next one: the server
    never sees two closer together, however slow our own start was. With several it lies between their starts.
    """

    delay_s: float
    clock: Clock
    sleep: Sleep
    concurrency: int = 1
    hosts: Hosts = field(default_factory=dict)

    def wait(self, host: str) -> None:
        """Sleep until the host may be asked; `done` must follow.

        Raises:
            Refusal: As `check`; the host was closed meanwhile, and `done` must not follow.
        """
        state = self._host(host)
        state.begin()
        with state.turn:
            while state.closed is None and (rest := state.due - self.clock()) > 0:
                self.sleep(rest)
            if state.closed is None:
                state.last = self.clock()
                return
        state.end()
        self.check(host)

    def hold(self, host: str, seconds: float) -> None:
        """Ask the host nothing for so many seconds from now; a longer pause that was asked for before stands."""
        state = self._host(host)
        with state.free:
            state.not_before = max(state.not_before, self.clock() + seconds)

    def close(self, host: str, reason: str) -> None:
        """Ask the host nothing more in this run; of several reasons, German sentences, the first stands."""
        state = self._host(host)
        with state.free:
            state.closed = state.closed or reason

    def check(self, host: str) -> None:
        """Whether the host may still be asked in this run.

        Raises:
            Refusal: It was closed (`retry_after`).
        """
        reason = self._host(host).closed
        if reason is not None:
            raise Refusal("retry_after", reason, host=host)

    def done(self, host: str) -> None:
        """Note that a request to the host has just ended."""
        state = self._host(host)
        if state.concurrency == 1:
            state.last = self.clock()
        state.end()

    def slow_down(self, host: str, delay_s: float) -> None:
        """Take over a longer pause that robots.txt asks for."""
        state = self._host(host)
        state.delay_s = max(state.delay_s, delay_s)

    def _host(self, host: str) -> HostPace:
        state = self.hosts.setdefault(host, HostPace())
        state.delay_s = max(state.delay_s, self.delay_s)
        state.concurrency = min(state.concurrency or self.concurrency, self.concurrency)
        return state
