"""A real guide served on loopback as a site with listing pages, sitemap and robots.txt, crawled in full."""

import html as escaping
import json
from pathlib import Path

import pytest
from support.crawling import run
from support.site import Reply, Site, html, plain

from crawlers.archive import Recorder, replay_fetcher
from crawlers.crawl import crawl
from crawlers.memory import FileMemory
from crawlers.outcome import Refused
from crawlers.source import SourceConfig, parse_source
from data.records import Fetched

pytestmark = pytest.mark.dev_data

PER_PAGE = 5
FORBIDDEN = "/lkaugsburg/de/gesundheit"
YAML = """\
name: wegweiser
publisher: Landkreis
homepage: {base}/
licence: CC BY 4.0
kind: site
delay_s: 0
allow_private_hosts: true
expect: {{min_records: 150, max_records: 238, fill: {{title: 1.0, updated: 0.99, section: 0.99}}}}
site:
  start: ['{base}/']
  sitemap: auto
  host_aliases: {{integreat.app: '{host}', admin.integreat-app.de: '{host}'}}
  follow: ['\\?seite=\\d+$']
  records: ['/lkaugsburg/de/.+/$']
fields:
  title: {{css: h1, required: true}}
  text: {{css: article}}
  updated: {{meta: last-modified}}
  section: {{css: nav a.section}}
"""


def path_of(page: dict) -> str:
    from crawlers.addresses import wire_url

    return wire_url("http://x" + page["path"])[8:]


def page_of(page: dict, siblings: str) -> Reply:
    title = escaping.escape(page["title"])
    section = escaping.escape(page["path"].split("/")[3])
    nav = f'<nav><a class="section" href="/">{section}</a>{siblings}</nav>'
    head = f'<title>{title} | Wegweiser</title><meta name="last-modified" content="{page["last_updated"]}">'
    return html(f"{nav}<h1>{title}</h1><article>{page['content']}</article><footer>Impressum</footer>", head=head)


def build(site: Site, pages: list[dict]) -> None:
    """Half of the pages stand in the sitemap, all in listing pages, some are forbidden by robots.txt."""
    base = site.url().rstrip("/")
    paths = [path_of(page) for page in pages]
    for page, path in zip(pages, paths, strict=True):
        children = [path_of(other) for other in pages if other["parent"]["id"] == page["id"]]
        site.pages[path] = page_of(page, "".join(f'<a href="https://integreat.app{child}">x</a>' for child in children))
    last = (len(paths) - 1) // PER_PAGE
    for number in range(last + 1):
        items = "".join(f'<a href="{path}">x</a>' for path in paths[number * PER_PAGE : (number + 1) * PER_PAGE])
        following = f'<a rel="next" href="/?seite={number + 1}">weiter</a>' if number < last else ""
        site.pages["/" if number == 0 else f"/?seite={number}"] = html(items + following)
    locs = "".join(f"<url><loc>{base}{path}</loc><lastmod>1970-01-01</lastmod></url>" for path in paths[::2])
    site.pages["/sitemap.xml"] = plain(f"<urlset>{locs}</urlset>", "application/xml")
    site.pages["/robots.txt"] = plain(f"User-agent: *\nDisallow: {FORBIDDEN}\nSitemap: {base}/sitemap.xml\n")


@pytest.fixture(scope="module")
def pages(dev_data: Path) -> list[dict]:
    return json.loads((dev_data / "data" / "integreat_lkaugsburg_pages.json").read_text(encoding="utf-8"))


def source_at(tmp_path: Path, site: Site) -> SourceConfig:
    path = tmp_path / "wegweiser.yaml"
    path.write_text(YAML.format(base=site.url().rstrip("/"), host=site.host), encoding="utf-8")
    return parse_source(path)


def test_the_whole_guide(tmp_path, make_fetcher, pages):
    with Site() as site:
        build(site, pages)
        source = source_at(tmp_path, site)
        running, outcomes = run(source, make_fetcher())
        asked = site.paths(without=())
    forbidden = {path_of(page) for page in pages if path_of(page).startswith(FORBIDDEN)}
    assert forbidden
    assert not [path for path in asked if path.startswith(FORBIDDEN)]
    assert len(asked) == len(set(asked))
    records = {outcome.url: outcome for outcome in outcomes if isinstance(outcome, Fetched)}
    refused = {outcome.url: outcome for outcome in outcomes if isinstance(outcome, Refused)}
    everything = {site.url(path_of(page)) for page in pages}
    dead = {url for url, outcome in refused.items() if outcome.code == "status"}
    assert set(records) | set(refused) == everything | dead
    assert dead
    assert not dead & everything
    assert {url for url, outcome in refused.items() if outcome.code == "robots"} == {
        site.url(path) for path in forbidden
    }
    empty = {site.url(path_of(page)) for page in pages if not page["content"]} - {site.url(path) for path in forbidden}
    assert empty <= {url for url, outcome in refused.items() if outcome.code in ("no_record", "duplicate")}
    assert running.failures() == []
    for page in pages:
        record = records.get(site.url(path_of(page)))
        assert record is None or record.title == " ".join(page["title"].split())
        assert record is None or "Impressum" not in record.text.splitlines()[-1]


def test_kept_replayed_and_resumed(tmp_path, make_fetcher, pages):
    with Site() as site:
        build(site, pages)
        source = source_at(tmp_path, site)
        fetcher = make_fetcher()
        with Recorder(fetcher.transport, tmp_path / "w.warc.gz") as fetcher.transport:
            whole = list(crawl(source, fetcher=fetcher))
        site.log.clear()
        memory = tmp_path / "m.jsonl"
        stored = []
        for _ in range(2):
            started = crawl(
                source, fetcher=make_fetcher(), memory=FileMemory(memory, "1"), fresh_after="2026-01-31T07:00:00.000Z"
            )
            stored += [outcome for outcome, _ in zip(started, range(len(stored) + 80), strict=False)]
        stored += list(
            crawl(
                source, fetcher=make_fetcher(), memory=FileMemory(memory, "1"), fresh_after="2026-01-31T07:00:00.000Z"
            )
        )
        asked = site.paths()
    kept = {outcome.url: outcome for outcome in stored if isinstance(outcome, Fetched)}
    assert kept == {outcome.url: outcome for outcome in whole if isinstance(outcome, Fetched)}
    assert len(asked) - len(set(asked)) <= 2
    assert list(crawl(source, fetcher=replay_fetcher(source, tmp_path / "w.warc.gz"))) == whole
