"""A small source on a loopback site, and short ways to look at what a crawl of it brought."""

from pathlib import Path

from crawlers.crawl import crawl
from crawlers.outcome import Refused
from crawlers.source import SourceConfig, parse_source
from data.records import Fetched
from support.site import Reply, Site, html

YAML = """\
name: probe
publisher: Stadt
homepage: {base}/
licence: CC BY 4.0
kind: site
delay_s: 0
allow_private_hosts: true
expect: {{min_records: 2, max_records: 5, fill: {{title: 0.99, state: 0.5}}}}
site:
  start: ['{base}/']
  sitemap: {sitemap}
  host_aliases: {{'alt.example': '{host}'}}
  follow: ['/liste']
  records: ['/projekt/']
  never: ['/projekt/privat']
  max_pages: 100
fields:
  title: {{css: h1, required: true}}
  text: {{css: main}}
  state: {{css: .land}}
"""


def source_for(tmp_path: Path, site: Site, *, sitemap: str = "none", extra: str = "") -> SourceConfig:
    path = tmp_path / "probe.yaml"
    path.write_text(YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap=sitemap) + extra, encoding="utf-8")
    return parse_source(path)


def project(name: str, body: str = "", **headers: str) -> Reply:
    text = f"Das Projekt {name} begleitet Familien beim Ankommen."
    return html(f"<h1>{name}</h1><main><p>{text}</p>{body}</main>", **headers)


def links(*targets: str) -> Reply:
    return html("".join(f'<a href="{target}">x</a>' for target in targets))


def run(source, fetcher, **options):
    running = crawl(source, fetcher=fetcher, now=lambda: "2026-01-31T09:00:00.000Z", **options)
    outcomes = list(running)
    return running, outcomes


def titles(outcomes) -> list[str | None]:
    return [outcome.title for outcome in outcomes if isinstance(outcome, Fetched)]


def reasons(outcomes) -> dict[str, str]:
    return {outcome.url.split("/", 3)[3]: outcome.code for outcome in outcomes if isinstance(outcome, Refused)}
