"""A crawl into the database killed at random moments: the next asks for no page twice and ends with the same records.

Pages found by links, by a feed, by nested sitemaps; with a rule for the text and without one, where the first records
wait until what the site repeats is known. What follows a crawl (reading, publishing) is killed in `test_kills.py`.
"""

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.children import children_environment
from support.cli import PATIENCE_S
from support.crawling import YAML, links, project
from support.site import Site, html, plain, redirect

from crawlers.boilerplate import LEARN_PAGES
from crawlers.crawl import crawl, fetcher_for
from crawlers.source import parse_source
from data.records import Project
from data.settings import load_settings
from data.store import Store
from data.store_staging import WAITING
from pipeline import staging
from pipeline.known_pages import KnownPages

pytestmark = pytest.mark.usefixtures("read_by_rules")
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

def opened(source, memory, fresh_after, waiting):
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


def by_links(site: Site, yaml: str) -> str:
    """The source of a site, as the fixture made it."""
    return yaml


def addresses(site: Site) -> list[str]:
    """Every page that is meant as a record, the dead ones included."""
    dead = [f"/projekt/tot{number}" for number in range(0, PAGES, STEP)]
    moved = [f"/projekt/um{number}" for number in range(0, PAGES, STEP)]
    return [site.url(path) for path in [*(f"/projekt/{n}" for n in range(PAGES)), "/projekt/kopie", *moved, *dead]]


def by_feed(site: Site, yaml: str) -> str:
    """A feed whose entries are the pages."""
    entries = "".join(f"<item><link>{url}</link></item>" for url in addresses(site))
    site.pages["/feed.xml"] = plain(f"<rss><channel>{entries}</channel></rss>", "application/rss+xml", ETag='"f"')
    head, _, rest = yaml.replace("kind: site", "kind: feed").partition("site:\n")
    return f"{head}feed: {{url: '{site.url('/feed.xml')}'}}\nfields:{rest.partition('fields:')[2]}"


def by_sitemaps(site: Site, yaml: str) -> str:
    """An index of indexes of sitemaps of a few pages each; the start page links to nothing."""
    found = addresses(site)
    for number in range(4):
        parts = [f"/sitemap-{number}-{part}.xml" for part in range(3)]
        for part, path in enumerate(parts):
            inner = "".join(f"<url><loc>{url}</loc></url>" for url in found[3 * number + part :: 12])
            site.pages[path] = plain(f"<urlset>{inner}</urlset>", "application/xml", ETag=f'"{path}"')
        site.pages[f"/sitemap-{number}.xml"] = sitemap_index(site, parts)
    site.pages["/sitemap.xml"] = sitemap_index(site, [f"/sitemap-{number}.xml" for number in range(4)])
    site.pages["/"] = html("<p>Willkommen</p>")
    return yaml.replace("sitemap: none", "sitemap: auto")


def sitemap_index(site: Site, paths: list[str]) -> Any:
    inner = "".join(f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in paths)
    return plain(f"<sitemapindex>{inner}</sitemapindex>", "application/xml")


def begin(source: Path, workspace: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CHILD, str(source), str(workspace)]
    return subprocess.Popen(command, env=children_environment(), stderr=subprocess.PIPE, text=True)


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


WAYS = {
    "links": (by_links, 1, 1),
    "links-3": (by_links, 3, 4),
    "feed": (by_feed, 1, 1),
    "sitemaps": (by_sitemaps, 1, 1),
}
"""How the pages are found, how many requests may be under way at once, and how many may be lost by a kill."""


@pytest.mark.parametrize(
    ("way", "kills"),
    [("feed", 2), ("sitemaps", 2), *(pytest.param(way, 20, marks=pytest.mark.long) for way in WAYS)],
)
def test_killed_crawls(tmp_path: Path, site: Site, way: str, kills: int) -> None:
    found, concurrency, in_flight = WAYS[way]
    source = tmp_path / "probe.yaml"
    yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
    yaml = yaml.replace("delay_s: 0", f"delay_s: 0.02\nconcurrency: {concurrency}").replace("max_pages: 100", "")
    yaml = yaml.replace("max_records: 5", "max_records: 90").replace(", state: 0.5", "")
    source.write_text(found(site, yaml), "utf-8")
    expected = crawl_whole(source, tmp_path / "whole")
    assert len(expected) == PAGES
    once = Counter(site.paths())
    assert max(once.values()) == 1
    assert sum(path.endswith(".xml") for path in once) == {"feed": 1, "sitemaps": 17}.get(way, 0)
    moments = random.Random(concurrency)
    interrupted = 0
    for number in range(kills):
        workspace = tmp_path / f"killed-{number}"
        site.log.clear()
        # A quarter of the kills early, while feed and sitemaps are read; none at the very end, when a busy machine may
        # kill a crawl that is over.
        latest = (once.total() * 3 if number % 4 else once.total()) // 4
        kill_at(source, workspace, site, moments.randrange(1, latest), moments.uniform(0, 0.1))
        before = site.paths()
        interrupted += len(before) < once.total()
        assert crawl_whole(source, workspace) == expected, number
        after = site.paths()[len(before) :]
        assert {*before, *after} == set(once), number
        assert max(Counter(after).values(), default=1) == 1
        assert not set(before[:-in_flight]) & set(after), number  # none but those under way
    assert interrupted >= 0.75 * kills


# --- without a rule for the text -------------------------------------------------------------------------------------

CONTACT = "Ansprechpartnerin für alle Fragen ist Petra Sonnenschein, Telefon 0431 1234567, Raum 12 im Rathaus."
COPY = {2: "/projekt/kopie-2", 5: "/projekt/kopie-5"}
"""Records that come under a second address: beside their own while both wait, and after everybody was handed over."""


def learnt_page(number: int, remark: str = "") -> Any:
    own = (
        f"<p>Das Projekt {number} begleitet Familien in Musterstadt beim Ankommen.</p>"
        f"<p>Geleitet wird das Vorhaben mit der Nummer {number} von Frau Jana Müller.</p>"
        f"<p>Im Jahr 20{number:02} waren es {number + 30} Familien, die an {number + 2} Abenden zusammenkamen.</p>"
    )
    return html(f"<h1>Projekt {number}</h1><article>{own}<p>{CONTACT}</p></article><!-- {remark} -->")


def learnt_site(count: int) -> Site:
    names = [f"/projekt/{number}" for number in range(count)]
    pages = {name: learnt_page(number) for number, name in enumerate(names)}
    pages |= {path: learnt_page(number, "Kopie") for number, path in COPY.items()}
    return Site({"/": links(*names[:4], COPY[2], *names[4:], COPY[5]), **pages})


def learnt_source(folder: Path, site: Site, delay_s: float = 0) -> Path:
    yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
    yaml = yaml.replace("  text: {css: main}\n", "").replace("delay_s: 0", f"delay_s: {delay_s}")
    path = folder / "probe.yaml"
    path.write_text(yaml.replace("max_records: 5", "max_records: 90").replace(", state: 0.5", ""), "utf-8")
    return path


def take_whole(source: Path, workspace: Path) -> list[Project]:
    """The records that a crawl in this process leads to."""

    def opened(config: Any, memory: Any, fresh_after: str | None, waiting: Any) -> Any:
        return crawl(config, fetcher=fetcher_for(config), memory=memory, fresh_after=fresh_after)

    with Store.open(load_settings(workspace), create=True) as store:
        with store.writing("refresh") as run:
            staging.take_in(store, parse_source(source), run_id=run.id, opened=opened)
        return sorted(store.iter_projects(), key=lambda one: one.id)


def waiting(workspace: Path) -> list[str]:
    """The records that wait, as they lie in the database."""
    with closing(sqlite3.connect(workspace / "checkup.sqlite")) as database:
        query = "SELECT record FROM staged WHERE run_id = ? ORDER BY project_id"
        return [text for (text,) in database.execute(query, (WAITING,))]


def remembered(workspace: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (workspace / "crawl" / "probe.jsonl").read_bytes().splitlines() if line]


class Steps:
    """Interrupts a crawl before or after one of its steps: what it stages and what it remembers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken, self.stop = 0, (-1, "before")
        for owner, name in ((staging, "stage"), (KnownPages, "hold"), (KnownPages, "put")):
            monkeypatch.setattr(owner, name, self._stopping(getattr(owner, name)))

    def _stopping(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*arguments: Any) -> Any:
            self.taken += 1
            here = self.taken == self.stop[0]
            if here and self.stop[1] == "before":
                raise KeyboardInterrupt
            result = step(*arguments)
            if here:
                raise KeyboardInterrupt
            return result

        return stopping


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
def test_a_crawl_that_learns_stopped_at_any_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    with learnt_site(10) as site:
        source = learnt_source(tmp_path, site)
        steps = Steps(monkeypatch)
        expected = take_whole(source, tmp_path / "whole")
        assert len(expected) == 10
        assert not any("Raum 12" in one.text or "Sonnenschein" in one.text for one in expected)
        assert all("Frau ████" in one.text for one in expected)
        once, last = Counter(site.paths()), steps.taken
        assert waiting(tmp_path / "whole") == []
        assert not any(entry.get("lines") for entry in remembered(tmp_path / "whole"))
        for number in range(1, last + 1, every):
            site.log.clear()
            workspace = tmp_path / f"stopped-{number}"
            steps.taken, steps.stop = 0, (number, "before" if number % 2 else "after")
            with pytest.raises(KeyboardInterrupt):
                take_whole(source, workspace)
            assert not any("Sonnenschein" in text or "Jana" in text for text in waiting(workspace)), number
            steps.stop = -1, ""
            assert take_whole(source, workspace) == expected, number
            asked = Counter(site.paths())
            assert set(asked) == set(once), number
            assert asked.total() - len(asked) <= 1, (number, asked.most_common(3))  # the one under way


def test_pages_that_wait_are_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with learnt_site(10) as site:
        source = learnt_source(tmp_path, site)
        hold, held = KnownPages.hold, []

        def until(known: KnownPages, *arguments: Any) -> Any:
            if len(held) == LEARN_PAGES - 1:
                raise KeyboardInterrupt
            held.append(hold(known, *arguments))
            return held[-1]

        monkeypatch.setattr(KnownPages, "hold", until)
        with pytest.raises(KeyboardInterrupt):
            take_whole(source, tmp_path / "stopped")
        assert len(waiting(tmp_path / "stopped")) == LEARN_PAGES - 1
        file = (tmp_path / "stopped" / "crawl" / "probe.jsonl").read_text("utf-8")
        assert "Sonnenschein" not in file
        assert "Familien" not in file
        monkeypatch.setattr(KnownPages, "hold", hold)
        before = site.paths()[:-1]  # without the page under way
        site.log.clear()
        found = take_whole(source, tmp_path / "stopped")
        assert not set(before) & set(site.paths())
        assert found == take_whole(source, tmp_path / "whole")


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
def test_killed_crawls_that_learn(tmp_path: Path, kills: int) -> None:
    with learnt_site(16) as site:
        source = learnt_source(tmp_path, site, delay_s=0.02)
        expected = crawl_whole(source, tmp_path / "whole")
        assert len(expected) == 16
        once = Counter(site.paths())
        moments = random.Random(kills)
        for number in range(kills):
            workspace = tmp_path / f"killed-{number}"
            site.log.clear()
            kill_at(source, workspace, site, moments.randrange(4, LEARN_PAGES + 6), moments.uniform(0, 0.05))
            assert crawl_whole(source, workspace) == expected, number
            asked = Counter(site.paths())
            assert set(asked) == set(once), number
            assert asked.total() - len(asked) <= 1, (number, asked.most_common(3))
