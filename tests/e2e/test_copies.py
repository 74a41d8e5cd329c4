"""Pages that differ in a date, a counter or one line of twenty end as one record, in every run the same one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.care import Crawled
from support.cli import call
from support.crawling import links
from support.site import Reply, Site, html

pytestmark = pytest.mark.usefixtures("read_by_rules")
WORDS = (
    "ersten", "zweiten", "dritten", "vierten", "fünften", "sechsten", "siebten", "achten", "neunten", "zehnten",
    "hellen", "großen", "kleinen", "neuen", "alten", "warmen", "ruhigen", "bunten", "offenen",
)  # fmt: skip
DAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag")
KINDS = ("Chor", "Garten", "Lotsen")
"""Pages with a counter, with a date of the print, and with one other line of twenty; COUNT of each."""
COUNT = 4


def page(kind: str, number: int, run: int) -> Reply:
    lines = [f"Im {word} Raum lernen bei {kind} Zugewanderte und Freiwillige gemeinsam." for word in WORDS]
    odd = {
        "Chor": f"{1000 * run + number} Aufrufe",
        "Garten": f"Gedruckt am {number + 1}.{run}.2026 um 8:0{number} Uhr",
        "Lotsen": f"Gedruckt an einem {DAYS[number]}.",
    }
    return html(f"<h1>{kind}</h1><main>" + "".join(f"<p>{line}</p>" for line in [*lines, odd[kind]]) + "</main>")


def fill(site: Site, run: int) -> None:
    pages = {f"/projekt/{kind}-{n}": page(kind, n, run) for kind in KINDS for n in range(COUNT)}
    site.pages = {"/": links(*pages), **pages}


@pytest.fixture
def crawled(workspace: Path, tmp_path: Path) -> Iterator[Crawled]:
    with Site() as site:
        fill(site, 1)
        yield Crawled(site, tmp_path, workspace)


def kept(crawled: Crawled) -> dict[str, str]:
    return {title: line["url"] for title, line in crawled.crawled().items()}


def test_a_site_of_near_copies_crawled_again_and_again(crawled: Crawled) -> None:
    first = {kind: crawled.site.url(f"/projekt/{kind}-0") for kind in KINDS}
    checked = call("sources", "check", crawled.file, "--json", workspace=crawled.workspace).json()
    assert len(checked["records"]) == len(KINDS)
    copies = {one["url"]: one["reason"] for one in checked["refused"]}
    assert set(copies) == {crawled.site.url(f"/projekt/{kind}-{n}") for kind in KINDS for n in range(1, COUNT)}
    assert all(reason.endswith(f"gleich {first[url.rpartition('/')[2][:-2]]}.") for url, reason in copies.items())

    answer = crawled.refresh().json()
    assert (answer["new"], kept(crawled)) == (len(KINDS), first)
    for run in range(2, 5):
        fill(crawled.site, run)
        answer = crawled.refresh().json()
        assert (answer["new"], answer["gone"], kept(crawled)) == (0, 0, first), run
        (remarks,) = answer["remarks"]
        assert remarks["reasons"] == {"duplicate": len(KINDS) * (COUNT - 1)}


def test_a_copy_takes_the_place_of_the_page_that_is_gone(crawled: Crawled) -> None:
    crawled.refresh()
    del crawled.site.pages["/projekt/Chor-0"]
    answer = crawled.refresh().json()
    assert (answer["new"], answer["gone"]) == (1, 1)
    lines = call("export", workspace=crawled.workspace).lines()
    assert crawled.site.url("/projekt/Chor-1") in [line.get("url") for line in lines if line.get("title") == "Chor"]


def test_no_line_of_a_page_can_be_read_or_found_in_what_is_remembered(crawled: Crawled) -> None:
    from crawlers.boilerplate import line_keys
    from crawlers.copies import blind_keys

    crawled.refresh()
    file = (crawled.workspace / "crawl" / "probe.jsonl").read_text("utf-8")
    entries = [json.loads(line) for line in file.splitlines() if line]
    assert any(entry.get("sketch") for entry in entries)
    text = "\n".join(f"Im {word} Raum lernen bei Lotsen Zugewanderte und Freiwillige gemeinsam." for word in WORDS)
    assert "Freiwillige" not in file
    assert not any(key in file for key in (*line_keys(text), *blind_keys("Lotsen", {}, text)))
