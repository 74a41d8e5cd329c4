"""Several sources crawled side by side: the outcome of one after the other, whatever happens on the way."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.children import children_environment
from support.cli import call, finish, start
from support.crawling import YAML, links
from support.site import Site, html
from support.varied import varied
from support.whole import database, whole

from data.settings import load_settings
from data.store import Store

pytestmark = pytest.mark.usefixtures("read_by_rules")
NAMES = ("anfang", "mitte", "schluss")
COUNT = 8
CHILD = """
import sys
from pathlib import Path
from crawlers.crawl import crawl, fetcher_for
from crawlers.source import load_source
from data.settings import load_settings
from data.store import Store
from functools import partial
from pipeline.side_by_side import SideBySide, Turn
from pipeline.staging import gather, settle

hosts = {}

def opened(source, memory, fresh_after, waiting):
    fetcher = fetcher_for(source, hosts=hosts)
    return crawl(source, fetcher=fetcher, memory=memory, fresh_after=fresh_after, waiting=waiting)

settings = load_settings(Path(sys.argv[1]), sources_at_once=3)
with Store.open(settings, create=True) as store, store.writing("refresh") as run:
    turn = Turn()
    jobs = [
        partial(gather, store, load_source(name), run_id=run.id, opened=opened, waiting=turn.handed_over)
        for name in sys.argv[2:]
    ]
    with SideBySide(jobs, 3, turn) as crawled:
        for gathered in crawled:
            with turn.taken():
                settle(store, gathered)
"""


def pages_of(first: int) -> dict[str, Any]:
    pages = {}
    for number in range(first, first + COUNT):
        told = varied(number, brief=True)
        pages[f"/projekt/{number}"] = html(f"<h1>{told['title']}</h1><main><p>{told['text']}</p></main>")
    return {"/": links(*pages, "/projekt/tot"), **pages}


def write(folder: Path, name: str, site: Site, *, delay_s: float, start: str = "/") -> Path:
    yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none").replace(
        "name: probe", f"name: {name}"
    )
    yaml = yaml.replace("delay_s: 0", f"delay_s: {delay_s}").replace(", state: 0.5", "").replace("max_records: 5,", "")
    yaml = yaml.replace(f"start: ['{site.url()}']", f"start: ['{site.url(start)}']")
    path = folder / f"{name}.yaml"
    path.write_text(yaml, "utf-8")
    return path


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[tuple[list[Path], list[Site]]]:
    """Three sources, the first the slowest."""
    with ExitStack() as stack:
        sites = [stack.enter_context(Site(pages_of(100 * number))) for number in range(len(NAMES))]
        delays = (0.05, 0.0, 0.02)
        files = [write(tmp_path, *given, delay_s=d) for *given, d in zip(NAMES, sites, delays, strict=True)]
        yield files, sites


def refresh(files: list[Path], workspace: Path, at_once: int) -> Any:
    (workspace / "settings.toml").write_text(f"sources_at_once = {at_once}\n", "utf-8")
    return call("refresh", *(part for file in files for part in ("--source", file)), "--json", workspace=workspace)


def told(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name not in ("run_id", "report")}


def test_how_many_at_once_changes_nothing_but_the_time(
    home: Path, tmp_path: Path, sources: tuple[list[Path], list[Site]]
) -> None:
    import shutil

    files, sites = sources
    found = []
    for at_once in (1, 3):
        workspace = tmp_path / f"ws-{at_once}"
        shutil.copytree(home, workspace)
        answer = refresh(files, workspace, at_once)
        assert (answer.code, answer.json()["new"]) == (4, 3 * COUNT), answer.err
        found.append((whole(workspace), told(answer), answer.err.splitlines()[-3:]))
        asked = [[one.at for one in site.log] for site in sites]
        if at_once == 1:
            assert max(asked[0]) < min(asked[1]) < max(asked[1]) < min(asked[2])
        else:
            assert min(asked[2]) < max(asked[0])
        for site in sites:
            site.log.clear()
    assert found[0] == found[1]
    assert [row["source"] for row in found[0][1]["failed"]] == [site.url("/projekt/tot") for site in sites]


def test_two_sources_of_one_host_share_its_pause(tmp_path: Path) -> None:
    with Site() as site:
        site.pages = {**pages_of(0), **pages_of(50), "/zwei": links("/projekt/50", "/projekt/51")}
        site.pages["/"] = links("/projekt/0", "/projekt/1")
        files = [write(tmp_path, "eins", site, delay_s=0.05), write(tmp_path, "zwei", site, delay_s=0.2, start="/zwei")]
        child = begin(files, tmp_path / "ws")
        assert child.wait(100) == 0, child.stderr
        gaps = [second.at - first.at for first, second in pairwise(site.log)]
        seen = [one.path for one in site.log]
    assert {"/", "/zwei", "/projekt/0", "/projekt/51"} <= set(seen)
    assert min(gaps[4:]) >= 0.19  # once both are known, the longer pause is kept by both


def begin(files: list[Path], workspace: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CHILD, str(workspace), *map(str, files)]
    return subprocess.Popen(command, env=children_environment(), stderr=subprocess.PIPE, text=True)


def records(workspace: Path) -> list[Any]:
    with closing(Store.open(load_settings(workspace))) as store:
        return sorted(store.iter_projects(), key=lambda one: one.id)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
def test_killed_side_by_side(tmp_path: Path, sources: tuple[list[Path], list[Site]], kills: int) -> None:
    files, sites = sources
    assert begin(files, tmp_path / "whole").wait(100) == 0
    expected, stored = records(tmp_path / "whole"), database(tmp_path / "whole")
    assert len(expected) == 3 * COUNT
    moments = random.Random(kills)
    for number in range(kills):
        for site in sites:
            site.log.clear()
        workspace = tmp_path / f"killed-{number}"
        child = begin(files, workspace)
        wanted = moments.randrange(6, 3 * COUNT + 6)
        until = time.monotonic() + 100
        while sum(len(site.log) for site in sites) < wanted and child.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        child.kill()
        child.wait()
        assert begin(files, workspace).wait(100) == 0
        assert records(workspace) == expected, number
        assert database(workspace) == stored, number
        asked = [Counter(site.paths()) for site in sites]
        # in each source the page under way, and the dead one, whose refusal may be noted last
        assert all(one.total() - len(one) <= 1 for one in asked), (number, asked)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent to a group of processes there")
def test_interrupted_side_by_side(home: Path, tmp_path: Path, sources: tuple[list[Path], list[Site]]) -> None:
    import shutil

    files, sites = sources
    arguments = ["refresh", *(part for file in files for part in ("--source", str(file))), "--json"]
    shutil.copytree(home, tmp_path / "whole")
    assert call(*arguments, workspace=tmp_path / "whole").code == 4
    for site in sites:
        site.log.clear()
    shutil.copytree(home, tmp_path / "stopped")
    child = start(*arguments, workspace=tmp_path / "stopped")
    while len(sites[0].paths()) < 3 and child.poll() is None:
        time.sleep(0.002)
    child.send_signal(signal.SIGINT)
    answer = finish(child)
    assert (answer.code, "Abgebrochen" in answer.err) == (130, True), answer.err
    runs = call("status", "--json", workspace=tmp_path / "stopped").json()["runs"]
    assert "interrupted" in {run["status"] for run in runs}
    again = call(*arguments, workspace=tmp_path / "stopped")
    assert again.code == 4, again.err
    expected, found = whole(tmp_path / "whole"), whole(tmp_path / "stopped")
    assert {name for name in found if found[name] != expected[name]} <= {"report"}
    assert all(count <= 2 for site in sites for count in Counter(site.paths()).values())
