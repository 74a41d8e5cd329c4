"""Drafts a source's YAML from a start address, for a person to edit: guesses records, overview pages, selectors.

Below: `polite`, `discover`, `fields`, `tables`. Above: `checkup sources new`. A guess is marked as one in the file.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from crawlers.charset import decode
from crawlers.discover import canonical_url, page_links, parse_sitemap
from crawlers.fields import block_text, parse_html
from crawlers.polite import PAGE_TYPES, Fetcher
from crawlers.source import ListConfig
from crawlers.tables import read_table, sniff_delimiter
from crawlers.values import tidy
from crawlers.web import LIST_TYPES, SITEMAP_TYPES, Refusal
from data.errors import CheckupError

SAMPLES = 3
MIN_GROUP = 3
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
    "title": r".*(?:bezeichnung|titel|projektname|vorhaben).*",
    "text": r".*(?:zusammenfassung|beschreibung|zweck|inhalt).*",
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
    host: str
    groups: list[tuple[str, list[str]]]
    paging: bool
    aliases: list[str]
    sitemap: bool


def draft_source(url: str, *, fetcher: Fetcher, name: str, private: bool = False) -> str:
    """Look at an address and at most five more pages, and write a first YAML.

    Args:
        url: A start page, or a CSV, XLSX or JSON list.
        fetcher: Asks the server (robots.txt is obeyed here too).
        name: The source's name.
        private: Whether the source lies in the local network.

    Returns:
        YAML text; `parse_source` accepts it, but a person has to check every line marked „bitte prüfen“.

    Raises:
        CheckupError: Where the address cannot be read; the message says why.
    """
    try:
        page = fetcher.fetch(url, accepts=PAGE_TYPES | LIST_TYPES, max_bytes=fetcher.limits.list_bytes)
    except Refusal as refusal:
        raise CheckupError(f"{url}: {refusal.reason}") from refusal
    head = _head(name, page.url) + ("allow_private_hosts: true\n" if private else "")
    kind = _list_format(page.url, page.content_type)
    if kind is not None:
        return head + _list_part(page.url, page.body, kind, page.headers.get("content-type", ""))
    html, _ = decode(page.body, page.headers.get("content-type", ""))
    site = _look(page.url, html, fetcher)
    samples = _samples(site, fetcher)
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
    header: Sequence[str] = ()
    if kind != "json":
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
    return f"kind: list\nlist:\n  url: {_quoted(url)}\n  format: {kind}\n{mark}  columns:\n{''.join(lines)}{note}"


def _first(names: Sequence[str], form: str) -> str | None:
    return next((name for name in names if re.fullmatch(form, tidy(name), re.I)), None)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", " ")
    return f'"{escaped}"'


def shape(path: str) -> str:
    """A regular expression for all addresses built like this one: numbers and the last part may differ."""
    parts = path.rstrip("/").split("/")
    fixed = [re.sub(r"\d+", r"\\d+", re.escape(part)) for part in parts[:-1]]
    last = r"\d+" if parts[-1].isdigit() else r"[^/]+"
    return "/".join([*fixed, last]) + "/?$"


def _look(start: str, html: str, fetcher: Fetcher) -> _Site:
    host = urlsplit(start).netloc
    links = [form for link in page_links(html, start).links if (form := canonical_url(link))]
    groups: dict[str, list[str]] = {}
    elsewhere: Counter[str] = Counter()
    for link in links:
        parts = urlsplit(link)
        if parts.netloc != host:
            elsewhere[parts.netloc] += 1
        elif len(parts.path.strip("/")) > 1 and not parts.query:
            groups.setdefault(shape(parts.path), []).append(link)
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    bare = host.removeprefix("www.")
    aliases = [other for other, _ in elsewhere.most_common(5) if other.removeprefix("www.") == bare]
    paging = any(PAGING.search(link) for link in links)
    return _Site(start, host, ranked, paging, aliases, _has_sitemap(start, fetcher))


def _has_sitemap(start: str, fetcher: Fetcher) -> bool:
    parts = urlsplit(start)
    try:
        if fetcher.sitemaps(start):
            return True
        page = fetcher.fetch(f"{parts.scheme}://{parts.netloc}/sitemap.xml", accepts=SITEMAP_TYPES)
        found = parse_sitemap(page.body)
    except Refusal:
        return False
    return bool(found.pages or found.sitemaps)


def _samples(site: _Site, fetcher: Fetcher) -> list[Any]:
    trees = []
    for url in site.groups[0][1][:SAMPLES] if site.groups else ():
        try:
            page = fetcher.fetch(url)
            trees.append(parse_html(decode(page.body, page.headers.get("content-type", ""))[0]))
        except Refusal:
            continue
    return trees


def _site_part(site: _Site) -> str:
    patterns = [pattern for pattern, links in site.groups if len(links) >= MIN_GROUP] or [r"/projekte?/[^/]+/?$"]
    lines = [
        "kind: site\n",
        "site:\n",
        f"  start: [{_quoted(site.start)}]\n",
        f"  sitemap: {'auto' if site.sitemap else 'none'}\n",
    ]
    if site.aliases:
        lines.append(f"  host_aliases: {{{', '.join(f'{alias}: {site.host}' for alias in site.aliases)}}}\n")
    if site.paging:
        lines.append(f"  follow: ['{PAGING.pattern}']  # Blättern, bitte prüfen\n")
    lines.append(f"  records: ['{patterns[0]}']  # bitte prüfen\n")
    lines += [f"  # oder: '{pattern}'\n" for pattern in patterns[1:4]]
    return "".join(lines) + "  max_pages: 500\n"


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
