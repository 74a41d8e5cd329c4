"""What holds for all tests: no network but loopback, and tests on development data only where there is some."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts
from support.children import children_environment

DEV_DATA = "CHECKUP_DEV_DATA"
"""Names the folder that holds `data/` and `eval/`."""


def dev_data_folder() -> Path | None:
    """The folder with development data, where the environment names one."""
    named = os.environ.get(DEV_DATA, "").strip()
    return Path(named) if named else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `dev_data` are deselected, not skipped, where there is no development data."""
    if dev_data_folder() is not None:
        return
    wanting = [item for item in items if item.get_closest_marker("dev_data")]
    if wanting:
        config.hook.pytest_deselected(items=wanting)
        items[:] = [item for item in items if item not in wanting]


def pytest_runtest_setup() -> None:
    """Only this machine may be connected to; unix sockets stay open (worker processes use them)."""
    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)


@pytest.fixture(scope="session", autouse=True)
def _children_stay_here() -> Iterator[None]:
    """The same for every Python that a test starts (`support/offline`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", children_environment()["PYTHONPATH"])
        yield


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """The folder with `data/` and `eval/` (tests that use it are marked `dev_data`)."""
    folder = dev_data_folder()
    assert folder is not None
    return folder


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required (CI), a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    if os.environ.get("CHECKUP_REQUIRE_ALL") == "1" and skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CHECKUP_REQUIRE_ALL: {skipped} skipped tests count as failures", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
