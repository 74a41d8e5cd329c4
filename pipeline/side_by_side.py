"""Several jobs that mostly wait for others, side by side, with the outcome of one after the other.

Below: nothing. Above: `pipeline.refresh`. Only one of the jobs computes, and touches the database, at any moment: it
has the turn, and hands it over while it waits for a server. So whatever they use needs to know nothing of threads.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
PATIENCE_S = 30.0
"""How long the end of a run waits for a job that has the turn."""
LOOK_S = 0.2
"""How often the waiting main thread looks up, for Windows interrupts no thread that waits for another."""


class _Stopped(BaseException):
    """Ends a job whose run has ended before it."""


class Turn:
    """What only one thread has at a time; after `end` nobody gets it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the turn."""
        self._take()
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """Let others have the turn meanwhile; for one who has it."""
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
            if self._ended:
                raise _Stopped

    def end(self) -> None:
        """Give the turn to nobody again, and wait until nobody has it."""
        self._ended = True
        if self._lock.acquire(timeout=PATIENCE_S):
            self._lock.release()

    def _take(self) -> None:
        self._lock.acquire()
        if self._ended:
            self._lock.release()
            raise _Stopped


class SideBySide(Generic[T]):
    """Runs jobs in threads and gives their results in the order of the jobs, whichever is done first.

    As a context manager: at its end, whatever ended it, no job has or gets the turn. The first error of a job is
    raised at once, and ends the others.

    Args:
        jobs: Each is run with the turn.
        at_once: As many as may be under way; with one, or one job, no thread is begun.
        turn: Taken by each job.
    """

    def __init__(self, jobs: Sequence[Callable[[], T]], at_once: int, turn: Turn) -> None:
        self._jobs = jobs
        self._at_once = min(at_once, len(jobs))
        self._turn = turn
        self._done: queue.SimpleQueue[tuple[int, Future[T]]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turn.end()

    def __iter__(self) -> Iterator[T]:
        """The results; the turn is not had while one is given."""
        if self._at_once <= 1:
            for job in self._jobs:
                with self._turn.taken():
                    result = job()
                yield result
            return
        begun = 0
        early: dict[int, T] = {}
        for number in range(len(self._jobs)):
            while number not in early:
                while begun < len(self._jobs) and begun - number - len(early) < self._at_once:
                    # Daemons: an interrupted program does not wait for a host's pause.
                    threading.Thread(target=self._run, args=(begun,), daemon=True).start()
                    begun += 1
                done, result = self._next()
                early[done] = result
            yield early.pop(number)

    def _run(self, number: int) -> None:
        future: Future[T] = Future()
        try:
            with self._turn.taken():
                future.set_result(self._jobs[number]())
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            future.set_exception(error)
        self._done.put((number, future))

    def _next(self) -> tuple[int, T]:
        while True:
            try:
                number, future = self._done.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            return number, future.result()
