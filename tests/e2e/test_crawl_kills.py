"""A crawl into the database killed at random moments: the next asks for no page twice and ends with the same records.

What follows a crawl (reading, publishing) is killed in `test_kills.py`.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import PATIENCE_S, ROOT
from support.crawling import YAML, links, project
from support.site import Site, redirect

from data.records import Project
from data.settings import load_settings
from data.store import Store

PAGES = 60
STEP = 5
CHILD = """
import sys
from pathlib import Path
from crawlers.crawl import crawl, fetcher_for
from crawlers.source import load_source
from data.settings import load_settings
from data.store import Store
from pipeline.staging import take_in

def opened(source, memory, fresh_after):
    return crawl(source, fetcher=fetcher_for(source), memory=memory, fresh_after=fresh_after)

with Store.open(load_settings(Path(sys.argv[2])), create=True) as store, store.writing("refresh") as run:
    take_in(store, load_source(Path(sys.argv[1])), run_id=run.id, opened=opened)
"""


@pytest.fixture
def site() -> Iterator[Site]:
    """Projects behind a list of several pages, with copies, redirects and dead links."""
    site = Site({"/": links("/liste?seite=0"), "/projekt/kopie": project("Nummer 1")})
    for number in range(PAGES):
        site.pages[f"/projekt/{number}"] = project(f"Nummer {number}")
        site.pages[f"/projekt/um{number}"] = redirect(f"/projekt/{number}")
    for start in range(0, PAGES, STEP):
        following = [f"/liste?seite={start + STEP}"] if start + STEP < PAGES else []
        numbers = range(start, start + STEP)
        odd = (f"/projekt/um{start}", f"/projekt/tot{start}", "/projekt/kopie")
        site.pages[f"/liste?seite={start}"] = links(*(f"/projekt/{n}" for n in numbers), *odd, *following)
    with site:
        yield site


def begin(source: Path, workspace: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CHILD, str(source), str(workspace)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def crawl_whole(source: Path, workspace: Path) -> list[Project]:
    """The records that a crawl leads to."""
    child = begin(source, workspace)
    _, said = child.communicate(timeout=5 * PATIENCE_S)
    assert child.returncode == 0, said
    with Store.open(load_settings(workspace)) as store:
        return sorted(store.iter_projects(), key=lambda one: one.id)


def kill_at(source: Path, workspace: Path, site: Site, requests: int, more_s: float) -> None:
    """Kill a crawl that long after the site was asked so often."""
    child = begin(source, workspace)
    until = time.monotonic() + 5 * PATIENCE_S
    while len(site.log) < requests and child.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(more_s)
    child.kill()
    child.communicate()


@pytest.mark.long
@pytest.mark.parametrize(("concurrency", "in_flight"), [(1, 1), (3, 4)])
def test_twenty_killed_crawls(tmp_path: Path, site: Site, concurrency: int, in_flight: int) -> None:
    source = tmp_path / "probe.yaml"
    yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
    yaml = yaml.replace("delay_s: 0", f"delay_s: 0.02\nconcurrency: {concurrency}").replace("max_pages: 100", "")
    source.write_text(yaml.replace("max_records: 5", "max_records: 90").replace(", state: 0.5", ""), "utf-8")
    expected = crawl_whole(source, tmp_path / "whole")
    assert len(expected) == PAGES
    once = Counter(site.paths())
    assert max(once.values()) == 1
    moments = random.Random(concurrency)
    interrupted = 0
    for number in range(20):
        workspace = tmp_path / f"killed-{number}"
        site.log.clear()
        kill_at(source, workspace, site, moments.randrange(1, once.total()), moments.uniform(0, 0.1))
        interrupted += len(site.paths()) < once.total()
        assert crawl_whole(source, workspace) == expected, number
        asked = Counter(site.paths())
        assert set(asked) == set(once), number
        assert asked.total() - len(asked) <= in_flight, (number, asked.most_common(3))
    assert interrupted >= 15
