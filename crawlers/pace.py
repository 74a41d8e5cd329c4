"""The pause between two requests to a host, for any number of threads and sources.

Below: `web`. Above: `polite`.
"""

import threading
from dataclasses import dataclass, field

from crawlers.web import Clock, Sleep


@dataclass(slots=True)
class HostPace:
    """What is known of one host by all who ask it: the longest pause and the fewest requests of any of them count."""

    delay_s: float = 0.0
    concurrency: int | None = None
    under_way: int = 0
    last: float | None = None
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

    def wait(self, host: str, *, at_least_s: float = 0.0) -> None:
        """Sleep until the host may be asked; `done` must follow."""
        state = self._host(host)
        state.begin()
        with state.turn:
            due = self.clock() + at_least_s
            if state.last is not None:
                due = max(due, state.last + state.delay_s)
            while (rest := due - self.clock()) > 0:
                self.sleep(rest)
            state.last = self.clock()

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
