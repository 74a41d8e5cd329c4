"""A clock that does not wait, a resolver without a name server, a fetcher for loopback sites."""

from collections.abc import Callable
from typing import Any

import pytest

from crawlers.polite import Fetcher, open_fetcher
from crawlers.web import Limits


class FakeClock:
    """Monotonic seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_fetcher(clock: FakeClock) -> Callable[..., Fetcher]:
    """A fetcher that may ask 127.0.0.1 and whose pauses cost no time."""

    def make(**changes: Any) -> Fetcher:
        options: dict[str, Any] = {
            "delay_s": 0.0,
            "contact": "test@example.org",
            "private_hosts": frozenset({"127.0.0.1", "localhost"}),
            "limits": Limits(total_s=5.0, connect_s=2.0, read_s=2.0, retries=0),
            "resolver": lambda host, port: ["127.0.0.1"],
            "clock": clock,
            "sleep": clock.sleep,
            "now": lambda: "2026-01-31T08:00:00.000Z",
        }
        return open_fetcher(**{**options, **changes})

    return make
