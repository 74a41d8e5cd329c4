"""Reads one page into one record, or several, by the rules of its source: `bytes → record` or why there is none.

Below: `fields`, `source`, trafilatura. Above: `walk`, `documents`. Pure: no network, no clock.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from crawlers.fields import HEADINGS, View, block_text, collector_paused, field_value, parse_html, rank_or_above
from crawlers.source import ItemRule, SourceConfig
from crawlers.values import tidy, tidy_block

MIN_TEXT_CHARS = 20
MAX_TEXT_CHARS = 1_000_000
"""Three thick books: no description of a project, and hours of work for everything that reads it."""
LONG_TEXT_CHARS = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a page gave. `reason` is None for a record, else the German sentence why the page is none."""

    title: str | None
    text: str
    facts: Mapping[str, Any]
    reason: str | None = None
    code: str = "no_record"
    """Stable short name of the reason."""
    notes: tuple[str, ...] = ()
    """What could not be read of a record, one German sentence each; the record stands without it."""


def read_page(html: str, soup: Any, source: SourceConfig, url: str) -> Reading:
    """Read a page into a record.

    Args:
        html: The page's text.
        soup: The same page parsed (`parse_html`).
        source: Its `fields` say where each value stands; without a rule for text the main text is found by trafilatura.
        url: The page's address, for relative links.

    Returns:
        A record, or the reason why the page gives none.
    """
    view = View(soup, url)
    with collector_paused():
        return _reading(source, view, view, lambda: page_title(soup), lambda: main_text(html))


def read_items(soup: Any, source: SourceConfig, rule: ItemRule, url: str) -> list[Reading]:
    """Read a page that holds several records (a prize's winners of a year), in the order of the page.

    Without rules for them, an item's title is its first heading and its text everything below that.

    Returns:
        A record or the reason why it is none for each item; empty where the page has no such items.
    """
    whole = View(soup, url)
    return [
        _reading(source, View(part, url), whole, partial(_item_title, part), partial(_item_text, part))
        for part in split_items(soup, rule)
    ]


def split_items(soup: Any, rule: ItemRule) -> list[Any]:
    """The parts of a page that are one record each, as trees of their own."""
    if rule.css is not None:
        return [parse_html(str(element)) for element in soup.select(rule.css)]
    headings = soup.find_all(rule.heading)
    if rule.below is not None:
        wanted = tidy(rule.below).casefold()
        marks = (tag for tag in soup.find_all(HEADINGS) if tidy(tag.get_text(" ")).casefold().startswith(wanted))
        mark = next(marks, None)
        headings = [] if mark is None else [tag for tag in _section(mark) if tag.name == rule.heading]
    return [parse_html(f"<section>{heading}{_until_next(heading)}</section>") for heading in headings]


def _section(heading: Any) -> list[Any]:
    """The headings below a heading, up to the next one of its rank or above."""
    found = []
    for tag in heading.find_all_next(HEADINGS):
        if tag.name in rank_or_above(heading):
            break
        found.append(tag)
    return found


def _until_next(heading: Any) -> str:
    higher = rank_or_above(heading)
    parts = []
    for sibling in heading.next_siblings:
        if getattr(sibling, "name", None) in higher:
            break
        parts.append(str(sibling))
    return "".join(parts)


def _item_title(part: Any) -> str | None:
    heading = part.find(HEADINGS)
    return tidy(heading.get_text(" ")) or None if heading else None


def _item_text(part: Any) -> str:
    heading = part.find(HEADINGS)
    return block_text(part).removeprefix(block_text(heading)).strip() if heading else block_text(part)


def _reading(
    source: SourceConfig, view: View, whole: View, title_of: Callable[[], str | None], text_of: Callable[[], str]
) -> Reading:
    values: dict[str, Any] = {}
    notes: list[str] = []
    for name, rules in source.fields.items():
        value, problem = field_value(view, whole, name, rules)
        if problem is not None:
            notes.append(problem)
        if value is not None:
            values[name] = value
        elif any(rule.required for rule in rules):
            return _no_record(f"Das Pflichtfeld „{name}“ steht nicht auf der Seite.", notes)
    title = values.pop("title", None) if "title" in source.fields else title_of()
    text = values.pop("text", None) if "text" in source.fields else text_of()
    if title and text and "text" not in source.fields:
        text = text.removeprefix(f"{title}\n")
    if not text or len(text) < MIN_TEXT_CHARS:
        return _no_record("Die Seite enthält keinen Text, der sich lesen lässt.", notes)
    if len(text) > MAX_TEXT_CHARS:
        return _no_record(f"Der Text ist länger als {MAX_TEXT_CHARS} Zeichen; das beschreibt kein Projekt.", notes)
    return Reading(title=title, text=text, facts=values, notes=tuple(notes))


def _no_record(reason: str, notes: Iterable[str]) -> Reading:
    return Reading(title=None, text="", facts={}, reason=reason, notes=tuple(notes))


def page_title(soup: Any) -> str | None:
    """A page's title: its only first heading, else og:title, else the title element."""
    headings = [text for tag in soup.find_all("h1")[:3] if (text := tidy(tag.get_text(" ")))]
    if len(headings) == 1:
        return headings[0]
    for tag in soup.find_all("meta", attrs={"property": "og:title"}, limit=1):
        if text := tidy(str(tag.get("content", ""))):
            return text
    if soup.title and (text := tidy(soup.title.get_text(" "))):
        return text
    return headings[0] if headings else None


def main_text(html: str) -> str:
    """The main text of a page without navigation and boilerplate (trafilatura), paragraphs kept; may be empty.

    With trafilatura's leaning towards recall: on 210 pages of an integration guide in a frame of navigation, sidebar
    and cookie notice it brought word F .92 against .89 for its default (what a site repeats, `boilerplate` takes out).
    Its fast road is as good on long texts, so that only short ones go through the slower comparison of extractors.
    """
    import trafilatura

    found = None
    for fast in (True, False):
        found = trafilatura.extract(html, include_comments=False, include_tables=True, favor_recall=True, fast=fast)
        if found and len(found) >= LONG_TEXT_CHARS:
            break
    return tidy_block(found) if found else ""
