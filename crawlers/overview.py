"""Tells by its content that a page is an overview of many pages and no project, whatever its address says.

Below: `addresses`, `discover`, `fields`, `page`, `values`. Above: `walk`. Pure. Careful on purpose: a project that
lists its neighbours stays one as long as it says anything of its own, for an overview among the records is seen, a
missing project is not.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from crawlers.addresses import joined
from crawlers.discover import Frontier, host_and_path
from crawlers.fields import block_text
from crawlers.page import Reading
from crawlers.source import SourceConfig
from crawlers.values import tidy

MIN_LISTED = 5
"""So many other pages must be listed in the record's text."""
MIN_LISTED_ALIKE = 1
"""So many on a page that resembles an overview (the last page of a pagination)."""
MIN_ALIKE = 3
"""So many entries must stand side by side to be a list."""
HEADING_LINES = 2
"""In one of so many first lines an entry names the page that it leads to."""
ENTRY_CHARS = 400
"""A longer part is no entry of a list: it says something of its own."""
LISTED_SHARE = 0.75
"""Share of the text's characters that must stand in the list."""
MAX_SEARCHES = 5000
"""So many lines are searched for in a text; a page of more that are not found at once counts as one of its own."""
OWN_CHARS = 250
"""A text that says more than this outside of the list describes something itself."""
NEIGHBOURS = re.compile(
    r"(?:(?:weitere|ähnliche|verwandte|andere|aktuelle|neueste|benachbarte)s? "
    r"(?:\w+ ){0,2}(?:projekte?|beispiele?|angebote?|beiträge|meldungen|themen|initiativen|seiten|artikel)\b"
    r"|das könnte|auch interessant|mehr zum thema|lesen sie|siehe auch|passend dazu|zurück zur)",
    re.I,
)
"""How a page that is no overview introduces others."""
Leads = Callable[[str], str | None]
"""The canonical address, where a link leads to another record, or to a page beside or below this one; else None."""
FILE_ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp)$", re.I)
PAGE_STEP = re.compile(r"[/_,.-](?:seite|page|p)[/_,.-]?\d+$", re.I)
"""The page number at the end of a path; a number by itself may as well name a record."""
PAGE_KEY = re.compile(r"page(?!_?id)|seite|^(?:p|pg|start|limitstart|offset|chash)$", re.I)
"""Names of parameters that only tell which page of a list is meant."""


def leads_from(frontier: Frontier, url: str) -> Leads:
    """What tells of a page's links which of them lead to another record, or beside or below the page (see `Leads`)."""
    own, here = frontier.canonical(url), urlsplit(url).path.rstrip("/")
    folder, below = here.rpartition("/")[0], f"{here}/"

    def leads(link: str) -> str | None:
        target = frontier.canonical(link)
        if target is None or target == own:
            return None
        host, path = host_and_path(target)
        if host not in frontier.hosts:
            return None
        there = path.rstrip("/")
        near = there.startswith(below) or (here != there and folder and there.rpartition("/")[0] == folder)
        return target if near or frontier.role(target) == "record" else None

    return leads


class Overviews:
    """The overviews that a crawl has come across, and which pages resemble them.

    A page resembles an overview among the records if it has its title, or its address but for query and page number;
    and a page that is only followed, if it has its address but for the page number: its query may name a record.
    """

    def __init__(self) -> None:
        self._followed: set[str] = set()
        self._found: set[str] = set()
        self._titles: set[str] = set()

    def follow(self, url: str) -> None:
        """Note the address of a page that is followed."""
        self._followed.add(_without_page(url))

    def add(self, url: str, title: str) -> None:
        """Note an overview among the records by its address and the hash of its title (`content_key`)."""
        self._found.add(_without_query(url))
        self._titles.add(title)

    def least(self, url: str, title: str | None) -> int:
        """How many pages a page must list to be an overview.

        Args:
            url: Its canonical address.
            title: The hash of its title, None where it has none.
        """
        alike = title in self._titles or _without_query(url) in self._found or _without_page(url) in self._followed
        return MIN_LISTED_ALIKE if alike else MIN_LISTED


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc + PAGE_STEP.sub("", FILE_ENDING.sub("", parts.path.rstrip("/")))


def _without_page(url: str) -> str:
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return f"{_without_query(url)}?{urlencode([pair for pair in pairs if not PAGE_KEY.search(pair[0])])}"


def overview_of(
    soup: Any, reading: Reading, source: SourceConfig, url: str, leads: Leads, *, least: int = MIN_LISTED
) -> int:
    """How many pages a page that is an overview lists; 0 where it may be a project.

    An overview lists at least five pages (`least`) side by side, at least three quarters of the text that was read
    stand in that list, what is left is short, does not introduce neighbours, and none of the record's values stands
    outside of it. What bears the page's own title (a link to its print view) is no entry.

    Args:
        soup: The page (`parse_html`).
        reading: The record that was read from it.
        source: Its rules tell which values are the page's own.
        url: The page's address, for relative links.
        leads: See `Leads`.
        least: See `Overviews.least`.
    """
    title = _plain(reading.title or "")
    entries = [(target, lines) for target, lines in _entries(soup, url, leads, least) if title not in lines]
    if len({target for target, _ in entries}) < least:
        return 0
    lines = _lines(reading.text)
    said = _Said(lines, _plain(reading.text))
    shown = {target for target, lines in entries if any(line in said for line in lines if len(line) > 7)}
    listed_lines = [line for _, lines in entries for line in lines]
    listed = _Said(listed_lines, " ".join(listed_lines))
    if len(shown) < least or _says_more(lines, listed):
        return 0
    around = [line for line in _lines(block_text(soup)) if line not in listed]
    if any(NEIGHBOURS.match(line) for line in around) or _own_value(reading, source, " ".join(around)):
        return 0
    return len(shown)


def _says_more(lines: list[str], listed: "_Said") -> bool:
    """Whether a text says more of its own than an overview does."""
    most = min(OWN_CHARS, (1 - LISTED_SHARE) * sum(map(len, lines)))
    own_chars = 0
    for line in lines:
        own_chars += 0 if line in listed else len(line)
        if own_chars > most:
            return True
    return False


class _Said:
    """Which lines stand in a text: as a line of it, else within it, as long as that was searched for seldom enough."""

    def __init__(self, lines: list[str], text: str) -> None:
        self.lines = frozenset(lines)
        self.text = text
        self.searches = MAX_SEARCHES

    def __contains__(self, line: str) -> bool:
        if line in self.lines:
            return True
        self.searches -= 1
        return self.searches >= 0 and line in self.text


def _entries(soup: Any, url: str, leads: Leads, least: int) -> Iterator[tuple[str, list[str]]]:
    """The entries of the page's lists: where each leads, and its lines.

    An entry is the largest element whose links lead to one such page only and that is headed by one of them; some of
    them side by side make a list. Where all links lead to one page, that largest element is everything and no entry.
    """
    anchors = ((tag, tag.get("href")) for tag in soup.find_all("a"))
    links = [(tag, target) for tag, href in anchors if href is not None and (target := leads(_joined(url, href)))]
    if len({target for _, target in links}) < max(2, least):
        return
    alike: dict[int, list[tuple[Any, str]]] = {}
    for entry, target in _widened(links):
        alike.setdefault(id(entry.parent), []).append((entry, target))
    for entries in alike.values():
        if len({target for _, target in entries}) < min(MIN_ALIKE, least):
            continue
        for entry, target in entries:
            lines = _lines(block_text(entry))
            if sum(map(len, lines)) <= ENTRY_CHARS and _is_headed(entry, lines):
                yield target, lines


def _is_headed(entry: Any, lines: list[str]) -> bool:
    """Whether one of the first lines (before it may stand a date, a place) is a link."""
    links = [entry] if entry.name == "a" else entry.find_all("a", href=True)
    told = [_plain(link.get_text(" ")) for link in links]
    return any(line in text for line in lines[:HEADING_LINES] for text in told)


def _widened(links: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
    """For each link the largest element around it that leads nowhere else, each once."""
    led: dict[int, set[str]] = {}
    for tag, target in links:
        for element in (tag, *tag.parents):
            led.setdefault(id(element), set()).add(target)
    found: dict[int, tuple[Any, str]] = {}
    for tag, target in links:
        entry = tag
        while entry.parent is not None and len(led[id(entry.parent)]) == 1:
            entry = entry.parent
        found[id(entry)] = entry, target
    return list(found.values())


def _lines(text: str) -> list[str]:
    """The lines of a text, and the cells of its tables, as they are compared."""
    return [line for part in re.split(r"[\n|]", text) if (line := _plain(part))]


def _joined(url: str, href: str) -> str:
    try:
        return joined(url, href.strip())
    except ValueError:
        return ""


def _plain(text: str) -> str:
    """A text as it is compared: one line, lower case, without the marks of a list."""
    return tidy(text).casefold().strip("-–•*|· ")


def _own_value(reading: Reading, source: SourceConfig, around: str) -> bool:
    """Whether a value that a rule found on the page stands outside of its lists."""
    for name, value in reading.facts.items():
        if all(rule.const is not None for rule in source.fields.get(name, ())):
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            if (text := _plain(str(one))) and text in around:
                return True
    return False
