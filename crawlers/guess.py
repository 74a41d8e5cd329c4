"""Drafts a source's YAML from a start address, for a person to edit: guesses records, overview pages, selectors.

Below: `guess_links`, `polite`, `discover`, `fields`, `tables`. Above: `checkup sources new`. A guess is marked as one.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawlers.charset import decode
from crawlers.discover import SITEMAP_BYTES, SitemapPart, canonical_url, parse_feed, parse_sitemap
from crawlers.fields import block_text, parse_html
from crawlers.guess_links import Group, aliases, never_patterns, page_pattern, ranked_groups, read_links
from crawlers.polite import PAGE_TYPES, Fetcher
from crawlers.source import ListConfig
from crawlers.tables import read_table, sniff_delimiter
from crawlers.values import tidy
from crawlers.web import LIST_TYPES, SITEMAP_TYPES, XML_TYPES, Page, Refusal
from data.errors import CheckupError

SAMPLES = 3
PROBED_ROWS = 50
"""Of a JSON list, whose rows need not all have the same names."""
FEED = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:(?:<\?[^>]*>|<!--(?:(?!-->).)*-->|<!DOCTYPE[^>]*>)\s*)*<(?:\w+:)?(?:rss|feed|RDF)\b", re.S
)
"""Whatever type the server gives: the first element decides."""
FEED_HEAD_BYTES = 5000
MAIN_SELECTORS = ("article", "main", "#content", ".content", "[role=main]", "#main")
PAGING = re.compile(r"[?&](page|seite|p|start|offset|tx_[a-z_]*page[^=]*)=\d+|/(?:page|seite)/\d+", re.I)
LABELS = {
    "organisation": r"(?:projekt)?träger(?:in)?|organisation|verein|veranstalter(?:in)?|begünstigte[rn]?",
    "municipality": r"ort|stadt|gemeinde|kommune|standort",
    "state": r"bundesland|land",
    "target_group": r"zielgruppen?",
    "start_date": r"beginn|start|projektbeginn",
    "end_date": r"ende|projektende",
    "duration": r"laufzeit|zeitraum|dauer",
    "cost": r"kosten|gesamtkosten|budget|fördersumme|betrag",
    "contact": r"kontakt",
}
COLUMNS = LABELS | {
    "title": r".*(?:bezeichnung|titel|title|projektname|vorhaben).*",
    "text": r".*(?:zusammenfassung|beschreibung|description|zweck|inhalt).*",
    "organisation": r"name(?: des begünstigten.*)?|.*(?:empfänger|träger|begünstigt).*",
    "start_date": r".*(?:beginn|start).*",
    "end_date": r".*(?:ende|end date).*",
    "cost": r".*(?:gesamtbetrag|gesamtkosten|betrag|summe|kosten).*",
    "municipality": r".*(?:ort|gemeinde|stadt)",
}


@dataclass(frozen=True, slots=True)
class _Site:
    """What was seen of a site."""

    start: str
    groups: list[Group]
    never: list[str]
    paging: bool
    aliases: list[str]
    sitemap: bool


def draft_source(url: str, *, fetcher: Fetcher, name: str, private: bool = False) -> str:
    """Look at an address and at most five more pages, and write a first YAML.

    Args:
        url: A start page, an RSS or Atom feed, or a CSV, XLSX or JSON list.
        fetcher: Asks the server (robots.txt is obeyed here too).
        name: The source's name.
        private: Whether the source lies in the local network.

    Returns:
        YAML text; `parse_source` accepts it, but a person has to check every line marked „bitte prüfen“.

    Raises:
        CheckupError: Where the address cannot be read; the message says why.
    """
    try:
        page = fetcher.fetch(url, accepts=PAGE_TYPES | LIST_TYPES | XML_TYPES, max_bytes=fetcher.limits.list_bytes)
    except Refusal as refusal:
        raise CheckupError(f"{url}: {refusal.reason}") from refusal
    head = _head(name, page.url) + ("allow_private_hosts: true\n" if private else "")
    kind = _list_format(page.url, page.content_type)
    if kind is not None:
        return head + _list_part(page.url, page.body, kind, page.headers.get("content-type", ""))
    if FEED.match(page.body[:FEED_HEAD_BYTES]):
        return head + _feed_part(page) + _fields_part(_samples(_entries(page), fetcher))
    if page.content_type in XML_TYPES:
        raise CheckupError(f"{url} ist XML, aber kein Feed. Bitte eine Seite, einen Feed oder eine Liste angeben.")
    html, _ = decode(page.body, page.headers.get("content-type", ""))
    site = _look(url, page.url, html, fetcher)
    samples = _samples(site.groups[0].links if site.groups else (), fetcher)
    return head + _site_part(site) + _fields_part(samples)


def _head(name: str, url: str) -> str:
    parts = urlsplit(url)
    return (
        f"# Entwurf von „checkup sources new“ für {url}\n"
        "#\n"
        "# Geprüft: nichts. Nicht geprüft: alles; bitte jede Zeile mit „bitte prüfen“ ansehen, dann ausprobieren:\n"
        f"#   checkup sources check {name}.yaml\n"
        "# Recht: bitte Lizenz, Nutzungsbedingungen und robots.txt ansehen und hier festhalten.\n"
        f"name: {name}\n"
        f"publisher: {parts.hostname}  # bitte prüfen\n"
        f"homepage: {parts.scheme}://{parts.netloc}/\n"
        "licence: keine Angabe  # bitte prüfen\n"
    )


def _list_format(url: str, content_type: str) -> str | None:
    path = urlsplit(url).path.lower()
    if path.endswith(".xlsx") or "spreadsheetml" in content_type:
        return "xlsx"
    if path.endswith(".json") or content_type.endswith("json"):
        return "json"
    if path.endswith((".csv", ".tsv")) or content_type in ("text/csv", "text/tab-separated-values"):
        return "csv"
    return None


def _list_part(url: str, body: bytes, kind: str, content_type: str) -> str:
    delimiter = sniff_delimiter(decode(body, content_type)[0]) if kind == "csv" else None
    header: Sequence[str]
    path = ""
    if kind == "json":
        path, header = _json_rows(url, decode(body, content_type)[0])
    else:
        probe = ListConfig(format=kind, columns={"title": (1,)}, url=url, delimiter=delimiter)  # type: ignore[arg-type]
        try:
            header = read_table(body, probe, content_type).header
        except Refusal as refusal:
            raise CheckupError(f"{url}: {refusal.reason}") from refusal
    found = {field: column for field, form in COLUMNS.items() if (column := _first(header, form))}
    found.setdefault("title", header[0] if header else "titel")
    lines = [f"    {field}: {_quoted(column)}  # bitte prüfen\n" for field, column in found.items()]
    rest = [name for name in header if name and name not in found.values()]
    note = f"    # weitere Spalten: {' | '.join(rest)}\n" if rest else ""
    mark = f"  delimiter: {_quoted(delimiter)}\n" if delimiter else ""
    mark += f"  path: {_quoted(path)}  # bitte prüfen\n" if path else ""
    return f"kind: list\nlist:\n  url: {_quoted(url)}\n  format: {kind}\n{mark}  columns:\n{''.join(lines)}{note}"


def _json_rows(url: str, text: str) -> tuple[str, list[str]]:
    """The path of the longest list of objects in a JSON text (the first of equals), and its columns as paths."""
    try:
        found = list(_object_lists(json.loads(text), ()))
    except (json.JSONDecodeError, RecursionError) as error:
        raise CheckupError(f"{url} ist kein gültiges JSON ({error}).") from error
    if not found:
        raise CheckupError(f"{url} enthält keine Liste von Objekten, die Zeilen sein könnten.")
    path, rows = max(found, key=lambda item: len(item[1]))
    columns = dict.fromkeys(column for row in rows[:PROBED_ROWS] for column in _columns(row))
    return ".".join(path), list(columns)


def _object_lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    """Lists of objects that a path of names leads to."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        yield path, value
    if isinstance(value, dict):
        for name, part in value.items():
            if name and "." not in name:
                yield from _object_lists(part, (*path, name))


def _columns(row: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, dict) and value:
            yield from _columns(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _first(names: Sequence[str], form: str) -> str | None:
    return next((name for name in names if re.fullmatch(form, tidy(name), re.I)), None)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", " ")
    return f'"{escaped}"'


def _entries(page: Page) -> tuple[str, ...]:
    try:
        return parse_feed(page.body, page.url)
    except Refusal as refusal:
        raise CheckupError(f"{page.url}: {refusal.reason}") from refusal


def _feed_part(page: Page) -> str:
    return f"kind: feed\nfeed: {{url: {_quoted(page.url)}}}\n"


def _look(asked: str, start: str, html: str, fetcher: Fetcher) -> _Site:
    """What a start page and its sitemap tell; `asked` may have led to `start`."""
    links = read_links(html, start)
    home = canonical_url(start) or start
    own = dict.fromkeys([home, canonical_url(asked) or asked])
    listed = _sitemap(start, fetcher)
    groups = ranked_groups(links, listed or (), home, own)
    return _Site(
        start=start,
        groups=groups,
        never=never_patterns(groups[0] if groups else None, links, own),
        paging=any(PAGING.search(link) for link in links.every),
        aliases=aliases(links, urlsplit(home).netloc),
        sitemap=listed is not None,
    )


def _sitemap(start: str, fetcher: Fetcher) -> tuple[str, ...] | None:
    """The addresses of a site's first sitemap, of an index its first part; None where there is no sitemap."""
    try:
        announced = fetcher.sitemaps(start)
    except Refusal:
        announced = ()
    try:
        found = _sitemap_part(announced[0] if announced else urljoin(start, "/sitemap.xml"), fetcher)
    except Refusal:
        return () if announced else None
    try:
        return found.pages or (_sitemap_part(found.sitemaps[0], fetcher).pages if found.sitemaps else None)
    except Refusal:
        return ()


def _sitemap_part(url: str, fetcher: Fetcher) -> SitemapPart:
    return parse_sitemap(fetcher.fetch(url, accepts=SITEMAP_TYPES, max_bytes=SITEMAP_BYTES).body)


def _samples(urls: Sequence[str], fetcher: Fetcher) -> list[Any]:
    trees = []
    for url in urls[:SAMPLES]:
        try:
            page = fetcher.fetch(url)
            trees.append(parse_html(decode(page.body, page.headers.get("content-type", ""))[0]))
        except Refusal:
            continue
    return trees


def _site_part(site: _Site) -> str:
    patterns = [group.pattern for group in site.groups] or [r"/projekte?/[^/?]+/?$"]
    lines = [
        "kind: site\n",
        "site:\n",
        f"  start: [{_quoted(site.start)}]\n",
        f"  sitemap: {'auto' if site.sitemap else 'none'}\n",
    ]
    if site.aliases:
        host = urlsplit(site.start).netloc.lower()
        lines.append(f"  host_aliases: {{{', '.join(f'{alias}: {host}' for alias in site.aliases)}}}\n")
    paging = f", {_single(PAGING.pattern)}" if site.paging else ""
    note = "Blättern, bitte prüfen" if paging else "bitte prüfen"
    lines.append(f"  follow: [{_single(page_pattern(canonical_url(site.start) or site.start))}{paging}]  # {note}\n")
    lines.append(f"  records: [{_single(patterns[0])}]  # bitte prüfen\n")
    lines += [f"  # oder: {_single(pattern)}\n" for pattern in patterns[1:4]]
    if site.never:
        lines += ["  never:  # bitte prüfen\n", *(f"    - {_single(pattern)}\n" for pattern in site.never)]
    return "".join(lines) + "  max_pages: 500\n"


def _single(pattern: str) -> str:
    """A pattern in YAML's single quotes."""
    return "'" + pattern.replace("'", "''") + "'"


def _fields_part(samples: list[Any]) -> str:
    lines = ["fields:\n", "  title: {css: h1, required: true}\n"]
    main = next((css for css in MAIN_SELECTORS if samples and all(tree.select_one(css) for tree in samples)), None)
    lines.append(
        f"  text: {{css: {_quoted(main)}}}  # bitte prüfen\n" if main else "  # text: der Haupttext der Seite\n"
    )
    labels = Counter(label for tree in samples for label in _labels(tree))
    for field, form in LABELS.items():
        label = next((label for label, _ in labels.most_common() if re.fullmatch(form, label, re.I)), None)
        if label is not None:
            lines.append(f"  {field}: {{label: {_quoted(label)}}}  # bitte prüfen\n")
    return "".join(lines)


def _labels(tree: Any) -> set[str]:
    """Short texts that stand like labels: in dt and th, or before a colon."""
    found = {tidy(block_text(tag)).rstrip(" :") for tag in tree.find_all(["dt", "th"])}
    for tag in tree.find_all(["strong", "b", "span", "div", "p", "li", "h3", "h4"]):
        text = tidy(block_text(tag))[:80]
        if ":" in text:
            found.add(text.split(":", 1)[0].strip())
    return {label for label in found if 2 <= len(label) <= 40}
