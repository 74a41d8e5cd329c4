"""Asks for pages of several hosts side by side and hands them over in an order that no server's speed changes.

Below: `discover`, `web`. Above: `walk`. How often a host is asked is up to `polite`; here is only how far ahead.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from crawlers.discover import Frontier, Target
from crawlers.web import Page

AT_ONCE = 8
"""Pages that are asked for and not yet read, over all hosts."""

Ask = Callable[[], Page]


@dataclass(slots=True)
class Job:
    """A target and what becomes of asking for it."""

    target: Target
    ask: Ask | None = None
    future: "Future[Page] | None" = None

    def page(self) -> Page:
        """The page.

        Raises:
            Refusal: It could not be had.
        """
        assert self.ask is not None
        return self.ask() if self.future is None else self.future.result()

    @property
    def in_flight(self) -> bool:
        """Whether its host is being asked."""
        return self.future is not None and not self.future.done()


class Ahead:
    """The frontier's targets, host by host in turn and each host's in order, some of them already asked for.

    Args:
        frontier: Where they come from.
        prepare: Says in the caller's thread how a target is asked for; None where that is not needed.
        per_host: Pages of one host that are asked for at once.
    """

    def __init__(self, frontier: Frontier, prepare: Callable[[Target], Ask | None], per_host: int) -> None:
        self.frontier = frontier
        self.prepare = prepare
        self.per_host = per_host
        self.asked: set[str] = set()
        """Addresses that were asked for before their turn and whose turn is still to come."""
        self._queues: dict[str, deque[Job]] = {}
        """By host, whose turn it is first."""

    def __len__(self) -> int:
        return sum(map(len, self._queues.values())) + len(self.frontier)

    def next(self, most: int) -> Job | None:
        """The next target, None where none is left.

        Args:
            most: How many targets may still be asked for, this one included.
        """
        while (target := self.frontier.pop()) is not None:
            self._queues.setdefault(urlsplit(target.url).netloc, deque()).append(Job(target))
        if not self._queues:
            return None
        host, queue = next(iter(self._queues.items()))
        head = queue[0]
        if head.future is None:
            head.ask = self.prepare(head.target)
        self._start(min(most, AT_ONCE))
        queue.popleft()
        del self._queues[host]
        if queue:
            self._queues[host] = queue
        self.asked.discard(head.target.url)
        return head

    def _start(self, most: int) -> None:
        """Ask for those whose turn is next, where their host is not busy; the very next is left to the caller."""
        heads = [list(islice(queue, self.per_host + 1)) for queue in self._queues.values()]
        busy = [sum(job.in_flight for job in jobs) for jobs in heads]
        busy[0] += heads[0][0].future is None and heads[0][0].ask is not None
        upcoming = [
            (n, jobs[turn]) for turn in range(self.per_host + 1) for n, jobs in enumerate(heads) if turn < len(jobs)
        ]
        for n, job in upcoming[1 : max(1, most)]:
            if job.future is None and busy[n] < self.per_host and (ask := self.prepare(job.target)) is not None:
                job.ask, job.future = ask, Future()
                self.asked.add(job.target.url)
                busy[n] += 1
                # Daemons, unlike an executor's threads: an interrupted program does not wait for a host's pause.
                threading.Thread(target=_run, args=(ask, job.future), daemon=True).start()


def _run(ask: Ask, future: "Future[Page]") -> None:
    try:
        future.set_result(ask())
    except BaseException as error:  # noqa: BLE001 - raised again where the page is waited for
        future.set_exception(error)
