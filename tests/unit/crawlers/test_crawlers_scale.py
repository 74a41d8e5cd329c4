"""A generated site with every trap met on a real one of 1,335 pages, small and (long) in full size."""

import time
from collections import Counter
from dataclasses import dataclass

import pytest
from support.crawling import YAML, links, project, run
from support.site import Reply, Site, html, plain, redirect

from crawlers.fields import parse_html
from crawlers.memory import FileMemory
from crawlers.outcome import Refused
from crawlers.page import read_page
from crawlers.source import parse_source
from crawlers.web import MIB, Page
from data.records import Fetched


@dataclass(frozen=True)
class Size:
    pages: int
    aliases: int
    identical: int
    dead: int
    listing: int
    calendar: int


FULL = Size(pages=1335, aliases=338, identical=325, dead=186, listing=49, calendar=9)
SMALL = Size(pages=60, aliases=15, identical=15, dead=8, listing=49, calendar=1)


def build(site: Site, size: Size) -> set[str]:
    """Fill the site; returns the addresses of the records that are to be found."""
    base = site.url().rstrip("/")
    other = "http://alt.example"
    real = size.pages - size.identical
    names = [f"/projekt/{n}" for n in range(size.pages)]
    copy = project("Vorlage")
    for n, name in enumerate(names):
        site.pages[name] = project(f"Nummer {n}") if n < real else copy
    aliases = [f"/projekt/alias{n}" for n in range(size.aliases)]
    for n, name in enumerate(aliases):
        head = f'<meta http-equiv="refresh" content="0; url={other}{names[n % real]}">'
        site.pages[name] = html("", head=head)
    dead = [f"/projekt/tot{n}" for n in range(size.dead)]
    forbidden = [f"/projekt/gesperrt{n}" for n in range(10)]
    everything = [*names, *aliases, *dead, *forbidden]
    step = -(-len(everything) // size.listing)
    assert step * size.listing >= len(everything)
    for number in range(size.listing):
        part = everything[number * step : (number + 1) * step]
        calendar = [f"/liste/kalender/{number}/{day}" for day in range(size.calendar)]
        following = [f"{other}/liste?seite={number + 1}"] if number + 1 < size.listing else []
        targets = [f"{other}{target}" for target in part]
        site.pages["/liste" if number == 0 else f"/liste?seite={number}"] = links(*targets, *following, *calendar)
        for day in calendar:
            site.pages[day] = links(f"/archiv/{number}", f"/suche?q={day}", f"/liste?PHPSESSID={number}{day[-1]}")
    site.pages["/"] = links("/liste")
    inner = "".join(f"<url><loc>{base}{name}</loc><lastmod>1970-01-01</lastmod></url>" for name in names[:40])
    site.pages["/sitemap.xml"] = plain(
        f"<sitemapindex><sitemap><loc>{base}/s1.xml</loc></sitemap></sitemapindex>", "text/xml"
    )
    site.pages["/s1.xml"] = plain(f"<urlset>{inner}</urlset>", "text/xml")
    site.pages["/robots.txt"] = plain("User-agent: *\nDisallow: /projekt/gesperrt")
    site.pages["/projekt/0"] = redirect("/projekt/1")
    return {base + name for name in names[1:real]} | {base + names[real]}


@pytest.mark.parametrize("size", [SMALL, pytest.param(FULL, marks=pytest.mark.long)], ids=["small", "full"])
def test_a_site_with_every_trap(tmp_path, make_fetcher, size):
    with Site() as site:
        wanted = build(site, size)
        path = tmp_path / "probe.yaml"
        text = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="auto")
        path.write_text(text.replace("max_pages: 100", "max_pages: 10000"), encoding="utf-8")
        running, outcomes = run(parse_source(path), make_fetcher())
        asked = Counter(site.paths(without=()))
    records = {outcome.url for outcome in outcomes if isinstance(outcome, Fetched)}
    reasons = Counter(outcome.code for outcome in outcomes if isinstance(outcome, Refused))
    assert records == wanted
    assert reasons["duplicate"] == size.identical - 1
    assert reasons["status"] == size.dead
    assert reasons["robots"] == 10
    assert not [path for path in asked if "gesperrt" in path or "suche" in path or "PHPSESSID" in path]
    assert max(asked.values()) == 1
    assert running.counts.aliases >= size.aliases


PARAGRAPH = (
    "<p>Das Projekt begleitet Familien, die neu in der Stadt sind, <b>bei Wegen</b> zu Kita, Schule und Amt. Lotsinnen "
    "erklären Formulare, übersetzen Gespräche und stellen den <a href='/kontakt'>Kontakt</a> zu Vereinen her.</p>"
)


def big_page(number: int, links: int = 60, paragraphs: int = 100) -> str:
    """A page of a usual content management system: two menus, styles and scripts in the page, about 45 bytes a tag."""
    names = [f"Bereich {n}" for n in range(links)]
    menu = "".join(
        f'<li class="m"><a href="/bereich/{n}" title="{name}">{name}</a></li>' for n, name in enumerate(names)
    )
    body = "".join(PARAGRAPH.replace("Familien", f"{number + n} Familien") for n in range(paragraphs))
    style = (
        "<style>" + ".k{margin:0;padding:0;border:0}" * 150 + "</style><script>var a=[" + "1," * 2000 + "];</script>"
    )
    return (
        f"<html><head><title>T</title>{style}</head><body><nav><ul>{menu}</ul></nav><h1>Projekt {number}</h1>"
        f"<dl><dt>Land</dt><dd>Hessen</dd></dl><main>{body}</main><footer><ul>{menu}</ul></footer></body></html>"
    )


@pytest.mark.long
@pytest.mark.parametrize(("links", "paragraphs"), [(60, 100), (250, 20)], ids=["usual", "500 links"])
def test_reading_is_not_much_slower_than_trafilatura_alone(tmp_path, record_property, links, paragraphs):
    import trafilatura

    from crawlers.discover import page_links

    path = tmp_path / "probe.yaml"
    text = YAML.format(base="https://b.example", host="b.example", sitemap="none")
    path.write_text(text.replace("  text: {css: main}\n", ""), encoding="utf-8")
    source = parse_source(path)
    pages = [big_page(n, links, paragraphs) for n in range(30)]
    assert sorted(len(page) for page in pages)[15] >= 40_000

    def ours(page: str) -> None:
        page_links(page, "https://b.example/projekt/1")
        assert read_page(page, parse_html(page), source, "https://b.example/projekt/1").reason is None

    def theirs(page: str) -> None:
        assert trafilatura.extract(page, include_comments=False, include_tables=True)

    best: dict[str, float] = {}
    for _ in range(5):
        for name, read in (("ours", ours), ("theirs", theirs)):
            started = time.process_time()
            for page in pages:
                read(page)
            best[name] = min(best.get(name, 1e9), time.process_time() - started)
    record_property("speed against trafilatura alone", round(best["theirs"] / best["ours"], 2))
    assert best["theirs"] / best["ours"] >= 0.4, best


class Endless:
    """A fetcher over a site of any size that exists only while it is read."""

    def __init__(self, size: int) -> None:
        from crawlers.web import Limits

        self.size = size
        self.limits = Limits()
        self.menu = "".join(f'<a href="/projekt/{n}">x</a>' for n in range(1, 21))

    def sitemaps(self, url: str) -> tuple[str, ...]:
        return ()

    def fetch(self, url: str, **_: object) -> Page:
        number = int(url.rsplit("/", 1)[1] or 0)
        reply: Reply = project(f"Nummer {number}", "x" * 5000)
        following = "".join(
            f'<a href="/projekt/{number * 10 + n}">x</a>' for n in range(1, 11) if number * 10 + n < self.size
        )
        following += self.menu
        return Page(
            requested_url=url, url=url, status=200, headers={"content-type": "text/html"},
            body=reply.body + following.encode(), fetched_at="2026-01-31T08:00:00.000Z",
        )  # fmt: skip


@pytest.mark.long
def test_memory_stays_flat_over_twenty_thousand_pages(tmp_path, record_property):
    import gc

    import psutil

    path = tmp_path / "probe.yaml"
    text = YAML.format(base="https://b.example", host="b.example", sitemap="none")
    path.write_text(text.replace("max_pages: 100", "max_pages: 30000"), encoding="utf-8")
    from crawlers.crawl import crawl

    memory = FileMemory(tmp_path / "m.jsonl", "1")
    running = crawl(parse_source(path), fetcher=Endless(20_000), memory=memory)  # type: ignore[arg-type]
    used = []
    for count, _ in enumerate(running):
        if count in (5_000, 19_500):
            gc.collect()
            used.append(psutil.Process().memory_info().rss)
    record_property("MiB after 5,000 and 19,500 pages", [round(size / MIB) for size in used])
    assert running.counts.records >= 19_900
    assert used[1] - used[0] < 40_000_000, used
