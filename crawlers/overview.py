"""Tells by its content that a page is an overview of many pages and no project, whatever its address says.

Below: `fields`, `page`, `values`. Above: `walk`. Pure. Careful on purpose: a project that lists its neighbours stays
one as long as it says anything of its own, for an overview among the records is seen, a missing project is not.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

from crawlers.fields import block_text
from crawlers.page import Reading
from crawlers.source import SourceConfig
from crawlers.values import tidy

MIN_LISTED = 5
"""So many other pages must be listed in the record's text."""
MIN_ALIKE = 3
"""So many entries must stand side by side to be a list."""
HEADING_LINES = 2
"""In one of so many first lines an entry names the page that it leads to."""
ENTRY_CHARS = 400
"""A longer part is no entry of a list: it says something of its own."""
LISTED_SHARE = 0.75
"""Share of the text's characters that must stand in the list."""
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


def overview_of(soup: Any, reading: Reading, source: SourceConfig, url: str, leads: Leads) -> int:
    """How many pages a page that is an overview lists; 0 where it may be a project.

    An overview lists at least five pages side by side, at least three quarters of the text that was read stand in that
    list, what is left is short, does not introduce neighbours, and none of the record's values stands outside of it.

    Args:
        soup: The page (`parse_html`).
        reading: The record that was read from it.
        source: Its rules tell which values are the page's own.
        url: The page's address, for relative links.
        leads: See `Leads`.
    """
    entries = list(_entries(soup, url, leads))
    if len({target for target, _ in entries}) < MIN_LISTED:
        return 0
    said = _plain(reading.text)
    shown = {target for target, lines in entries if any(line in said for line in lines if len(line) > 7)}
    listed = " ".join(line for _, lines in entries for line in lines)
    lines = _lines(reading.text)
    own = [line for line in lines if line not in listed]
    own_chars, chars = sum(map(len, own)), sum(map(len, lines))
    if len(shown) < MIN_LISTED or own_chars > OWN_CHARS or own_chars > (1 - LISTED_SHARE) * chars:
        return 0
    around = [line for line in _lines(block_text(soup)) if line not in listed]
    if any(NEIGHBOURS.match(line) for line in around) or _own_value(reading, source, " ".join(around)):
        return 0
    return len(shown)


def _entries(soup: Any, url: str, leads: Leads) -> Iterator[tuple[str, list[str]]]:
    """The entries of the page's lists: where each leads, and its lines.

    An entry is the largest element whose links lead to one such page only and that is headed by one of them; some of
    them side by side make a list.
    """
    links = [(tag, target) for tag in soup.find_all("a", href=True) if (target := leads(_joined(url, tag["href"])))]
    if len({target for _, target in links}) < MIN_LISTED:
        return
    alike: dict[int, list[tuple[Any, str]]] = {}
    for entry, target in _widened(links):
        alike.setdefault(id(entry.parent), []).append((entry, target))
    for entries in alike.values():
        if len({target for _, target in entries}) < MIN_ALIKE:
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
        return urljoin(url, href.strip())
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
