"""Where a field's value stands on a page: by CSS, JSON-LD, meta element or label; and what a rule makes of it.

Below: `soup`, `source`, `values`. Above: `page`, `lists`. Pure: no network, no clock.
"""

import gc
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from crawlers.source import FieldRule
from crawlers.values import is_empty, tidy, tidy_block, typed
from crawlers.web import Refusal

BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main",
        "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
        "ul",
    }
)  # fmt: skip
SILENT = frozenset({"script", "style", "noscript", "template", "iframe", "svg", "head", "title"})
HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
URL_ATTRIBUTES = frozenset({"href", "src", "data-href"})
MAX_LABEL_VALUE_CHARS = 2000
MAX_LABEL_HITS = 500
"""Places of a label on one page that are looked at."""
MAX_LABEL_NODES = 200_000
"""Nodes that are looked at beside and below all places of a label on one page: more than a page of the largest number
of elements has, and an end where the label is repeated so that each place is followed by all others."""
MAX_JSONLD_CHARS = 1_000_000
MAX_ELEMENTS = 80_000
SIMPLE_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?((?:[.#][A-Za-z_][\w-]*)*)")
SELECTOR_PART = re.compile(r"[.#][\w-]+")
FIRST_FEW = 5
"""Matches of a selector that are looked at where only the first that is not empty counts."""


def parse_html(html: str) -> Any:
    """The page as a BeautifulSoup tree (parser lxml).

    Raises:
        Refusal: Where it has more elements than any page made for people.
    """
    from bs4 import UnusualUsageWarning

    from crawlers.soup import build_tree

    if html.count("<") > MAX_ELEMENTS:
        raise Refusal("too_big", f"Die Seite hat mehr als {MAX_ELEMENTS} Elemente.")

    with collector_paused(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusualUsageWarning)  # XML served as a page, a cell that looks like a path
        return build_tree(html)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python's cycle collector off a growing tree, which it would walk again and again (half of the time)."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def block_text(element: Any) -> str:
    """The visible text of an element; block elements and `<br>` begin a new line, inline elements do not."""
    from bs4.element import NavigableString, PreformattedString

    parts: list[str] = []
    stack: list[Any] = [element]
    while stack:
        node = stack.pop()
        if isinstance(node, str) and not isinstance(node, NavigableString):
            parts.append(node)
        elif isinstance(node, NavigableString):
            if not isinstance(node, PreformattedString):
                parts.append(re.sub(r"\s+", " ", node))
        elif node.name not in SILENT:
            if node.name in BLOCKS:
                parts.append("\n")
                stack.append("\n")
            stack.extend(reversed(node.contents))
    return re.sub(r"\n{2,}", "\n", tidy_block("".join(parts)))


def rank_or_above(heading: Any) -> list[str]:
    """Names of the headings that end the section of this one."""
    return HEADINGS[: HEADINGS.index(heading.name) + 1]


class View:
    """A parsed page with what several fields need of it, computed once."""

    def __init__(self, soup: Any, url: str) -> None:
        self.soup = soup
        self.url = url
        self._tags: list[Any] | None = None
        self._jsonld: list[Any] | None = None
        self._strings: list[tuple[str, Any]] | None = None

    def select(self, selector: str, limit: int = 0) -> list[Any]:
        """Elements that match a CSS selector, in their order; one simple part (`h1`, `.class`, `p#id`) goes fast."""
        simple = SIMPLE_SELECTOR.fullmatch(selector)
        if simple is None:
            return list(self.soup.select(selector, limit=limit))
        if self._tags is None:
            self._tags = [node for node in self.soup.descendants if node.name is not None]
        name = simple.group(1)
        parts = SELECTOR_PART.findall(simple.group(2))
        classes = {part[1:] for part in parts if part[0] == "."}
        ids = {part[1:] for part in parts if part[0] == "#"}
        matching = (
            tag
            for tag in self._tags
            if (name is None or tag.name == name)
            and (not classes or classes <= set(str(tag.get("class", "")).split()))
            and (not ids or ids == {tag.get("id")})
        )
        return list(islice(matching, limit or None))

    @property
    def jsonld(self) -> list[Any]:
        """All JSON-LD objects of the page, those of @graph too."""
        if self._jsonld is None:
            self._jsonld = []
            for tag in self.soup.find_all("script", attrs={"type": re.compile(r"^application/ld\+json", re.I)}):
                self._jsonld.extend(_jsonld_objects(tag.string or tag.get_text()))
        return self._jsonld

    @property
    def strings(self) -> list[tuple[str, Any]]:
        """Every visible string of the page, tidy and in lower case, with its node."""
        if self._strings is None:
            nodes = self.soup.find_all(string=True)
            self._strings = [
                (text, node) for node in nodes if node.parent.name not in SILENT and (text := tidy(node).casefold())
            ]
        return self._strings


def _jsonld_objects(text: str) -> list[Any]:
    if len(text) > MAX_JSONLD_CHARS:
        return []
    try:
        found = json.loads(re.sub(r"^\s*<!\[CDATA\[|\]\]>\s*$", "", text), strict=False)
    except (json.JSONDecodeError, RecursionError):
        return []
    objects = found if isinstance(found, list) else [found]
    graphs = [entry for item in objects if isinstance(item, dict) for entry in _as_list(item.get("@graph"))]
    return [item for item in [*objects, *graphs] if isinstance(item, dict)]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def field_value(view: View, whole: View, name: str, rules: Sequence[FieldRule]) -> tuple[Any, str | None]:
    """The first rule that gives a value wins; the problem is that of the last rule that found an unreadable one."""
    problem: str | None = None
    for rule in rules:
        if rule.const is not None:
            return rule.const, None
        found = [text for text in _texts(whole if rule.scope == "page" else view, name, rule) if not is_empty(text)]
        if not found:
            continue
        glue = rule.join if rule.join is not None else ("\n\n" if name == "text" else None)
        raw = glue.join(dict.fromkeys(found)) if glue is not None else found[0]
        value, unreadable = apply_rule(name, raw, rule)
        if value is not None:
            return value, None
        problem = unreadable or problem
    return None, problem


def apply_rule(
    name: str, raw: str, rule: FieldRule, *, decimal: str | None = None, date_formats: Sequence[str] = ()
) -> tuple[Any, str | None]:
    """Apply a rule's regex and lookup to a raw value, then read it as what its name asks for.

    Returns:
        The value or None, and where something stood there that could not be read a German sentence about it.
    """
    text = raw
    if rule.regex is not None:
        match = rule.regex.search(tidy_block(raw))
        if match is None:
            return None, f"{name}: „{tidy(raw)[:80]}“ passt nicht zum Muster."
        text = next((group for group in match.groups() if group is not None), match.group(0))
    if rule.lookup is not None:
        key = next((key for key in rule.lookup if tidy(key).casefold() == tidy(text).casefold()), None)
        if key is None:
            return None, f"{name}: Für „{tidy(text)[:80]}“ steht nichts in der Nachschlagetabelle."
        return rule.lookup[key], None
    value = typed(name, text, decimal=decimal, date_formats=date_formats)
    if value is None or value == "":
        return None, f"{name}: „{tidy(text)[:80]}“ lässt sich nicht lesen."
    return value, None


def _texts(view: View, name: str, rule: FieldRule) -> list[str]:
    if rule.css is not None:
        return _by_css(view, rule, several=rule.join is not None or name == "text")
    if rule.meta is not None:
        wanted = rule.meta.casefold()
        tags = view.soup.find_all("meta", content=True)
        keys = ("name", "property", "itemprop")
        return [str(tag["content"]) for tag in tags if any(str(tag.get(key, "")).casefold() == wanted for key in keys)]
    if rule.jsonld is not None:
        return [text for item in view.jsonld for text in _by_path(item, rule.jsonld.split("."))]
    return _by_label(view, rule.label or "", one_line=name != "text")


def _by_css(view: View, rule: FieldRule, *, several: bool) -> list[str]:
    elements = view.select(rule.css or "", limit=0 if several else FIRST_FEW)
    if rule.attr is None:
        return [block_text(element) for element in elements]
    values = [element.get(rule.attr) for element in elements]
    texts = [str(value) for value in values if value is not None]
    return [urljoin(view.url, text) for text in texts] if rule.attr in URL_ATTRIBUTES else texts


def _by_path(value: Any, path: Sequence[str]) -> list[str]:
    """Values at a dotted path; a first part in capitals such as `Event` names the object's @type."""
    if isinstance(value, list):
        return [text for item in value for text in _by_path(item, path)]
    if not path:
        if isinstance(value, dict):
            return [str(value["name"])] if isinstance(value.get("name"), str) else []
        return [] if value is None or isinstance(value, bool) else [str(value)]
    if not isinstance(value, dict):
        return []
    if path[0][:1].isupper() and path[0] not in value:
        return _by_path(value, path[1:]) if path[0] in _as_list(value.get("@type")) else []
    return _by_path(value.get(path[0]), path[1:])


def _by_label(view: View, label: str, *, one_line: bool) -> list[str]:
    """Values that belong to a label: after its colon, in the next cell or element, or below it if it is a heading.

    A section that contains another one of the same label gives way to it.
    """
    wanted = tidy(label).casefold().rstrip(" :")
    hits = (
        node for text, node in view.strings if text.startswith(wanted) and text[len(wanted) :].lstrip()[:1] in ("", ":")
    )
    siblings = _Siblings(MAX_LABEL_NODES)
    found: dict[str, None] = {}
    for node in islice(hits, MAX_LABEL_HITS):
        rest = tidy(node)[len(wanted) :].lstrip(" :")
        value = rest or _below_heading(node, siblings) or _beside(node, siblings)
        if siblings.left < 0:
            break
        if value and (len(value) <= MAX_LABEL_VALUE_CHARS or not one_line):
            found[tidy(value) if one_line else value] = None
    return [value for value in found if not any(other != value and other in value for other in found)]


class _Siblings:
    """What follows elements of a page, as long as no more than so many nodes were looked at in all."""

    def __init__(self, nodes: int) -> None:
        self.left = nodes
        """Negative once there was more than could be looked at."""

    def behind(self, element: Any) -> Iterator[Any]:
        for sibling in element.next_siblings:
            self.left -= 1 + sum(1 for _ in getattr(sibling, "descendants", ()))
            if self.left < 0:
                return
            yield sibling


def _below_heading(node: Any, siblings: _Siblings) -> str:
    """Where the label is a heading: everything below it up to the next heading of its rank or above."""
    heading = node.find_parent(HEADINGS)
    if heading is None:
        return ""
    higher = rank_or_above(heading)
    parts = []
    for sibling in siblings.behind(heading):
        if getattr(sibling, "name", None) in higher:
            break
        parts.append(block_text(sibling) if getattr(sibling, "name", None) else tidy(sibling))
    return "\n".join(part for part in parts if part)


def _beside(node: Any, siblings: _Siblings) -> str:
    """Text after a label's node: what follows in its line, else the next sibling on the way up."""
    element = node
    for _ in range(4):
        following: list[str] = []
        for sibling in siblings.behind(element):
            name = getattr(sibling, "name", None)
            if name == "dt" or (name in BLOCKS and following):
                break
            text = block_text(sibling) if name else tidy(sibling)
            if text.strip(" :"):
                following.append(text)
            if name in BLOCKS and following:
                break
        if following:
            return " ".join(following).lstrip(" :")
        element = element.parent
        if element is None or element.name in ("body", "html", "table", "tr", "dl"):
            return ""
    return ""
