"""Jobs side by side: bounded, one computing at a time, results in order, nothing after the end."""

import threading
import time
from functools import partial

import pytest

from pipeline.side_by_side import SideBySide, Turn


class Jobs:
    """Jobs that compute, wait and compute again, and note what they did."""

    def __init__(self, turn: Turn, waits_s: list[float], *, together: int = 0) -> None:
        self.turn, self.waits_s = turn, waits_s
        self.together = threading.Barrier(max(together, 1))
        """At which so many first jobs wait for each other, however slow the machine is."""
        self.waiting = together
        self.computing = self.most_computing = self.under_way = self.most_under_way = 0
        self.steps: list[int] = []
        self.lock = threading.Lock()

    def __call__(self, at_once: int) -> SideBySide[int]:
        return SideBySide([partial(self.run, number) for number in range(len(self.waits_s))], at_once, self.turn)

    def run(self, number: int) -> int:
        with self.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        if number < self.waiting:
            with self.turn.handed_over():
                self.together.wait(timeout=60)
        for _ in range(3):
            self.compute(number)
            with self.turn.handed_over():
                time.sleep(self.waits_s[number])
        self.compute(number)
        with self.lock:
            self.under_way -= 1
        return number

    def compute(self, number: int) -> None:
        with self.lock:
            self.computing += 1
            self.most_computing = max(self.most_computing, self.computing)
        self.steps.append(number)
        time.sleep(0.001)
        with self.lock:
            self.computing -= 1


@pytest.mark.parametrize("at_once", [1, 2, 4, 9])
def test_results_come_in_order_whoever_is_done_first(at_once):
    turn = Turn()
    jobs = Jobs(turn, [0.05, 0.0, 0.02, 0.0, 0.01], together=min(at_once, 5))
    with jobs(at_once) as results:
        assert list(results) == [0, 1, 2, 3, 4]
    assert jobs.most_computing == 1
    assert jobs.most_under_way == min(at_once, 5)
    assert sorted(jobs.steps) == [number for number in range(5) for _ in range(4)]


def test_the_first_error_is_raised_at_once_and_ends_the_others():
    turn = Turn()
    jobs = Jobs(turn, [5.0, 0.0, 0.0])

    def broken() -> int:
        with turn.handed_over():
            time.sleep(0.05)
        raise OSError("voll")

    started = time.monotonic()
    several = SideBySide([partial(jobs.run, 0), broken, partial(jobs.run, 2)], 2, turn)
    with pytest.raises(OSError, match="voll"), several as results:
        list(results)
    assert time.monotonic() - started < 4
    assert jobs.steps == [0]


def test_an_interrupted_consumer_leaves_no_job_with_the_turn():
    turn = Turn()
    jobs = Jobs(turn, [0.0, 0.1, 0.1])
    with jobs(3) as results:
        assert next(iter(results)) == 0
    before = list(jobs.steps)
    time.sleep(0.4)
    assert jobs.steps == before
    assert len(before) < 12
