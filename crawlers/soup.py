"""Builds BeautifulSoup's tree of a page in less than half of the time, node by node the same.

Below: `fast_tree`. Above: `fields`. Most of the time of a page with many links went into a constructor of
twenty parameters for each of its elements. Here BeautifulSoup makes the first element of a name, and what is the same
for all of that name becomes a class of its own; of each further element only attributes and neighbours are set.

This reaches into what BeautifulSoup keeps to itself. So both ways are compared once on a small page, and where they
differ or ours fails (another version) its own way is taken.
"""

from contextlib import suppress
from functools import cache
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement

SAMPLE = (
    '<!DOCTYPE html><html xmlns:og="http://ogp.me/ns#"><head><meta charset="utf-8"><title>a</title><style>b</style>'
    '<script>c<d</script></head><body class="e f"><!-- g --><p id=h>i<b>j</b> <b>k<i>l</b></i>\n<p>m<br>n'
    '<ul><li>o<li> <a href="/p" rel="q r">s</a>  <a href="/t">u</a></ul><pre>\n v </pre><svg><path d="w"/><og:x y="z"/>'
    "</svg><table><tr><td>1<td>2</table></body></html>\n<p>3"
)


def build_tree(html: str) -> Any:
    """A page as BeautifulSoup reads it with lxml, no attribute split into several values."""
    if _is_the_same():
        with suppress(Exception):
            return _fast(html)
    return BeautifulSoup(html, "lxml", multi_valued_attributes=None)


def _fast(html: str) -> BeautifulSoup:
    from crawlers.fast_tree import Builder, Soup

    return Soup(html, builder=Builder(multi_valued_attributes=None))


@cache
def _is_the_same() -> bool:
    """Whether both ways lead to the same tree."""
    with suppress(Exception):
        return described(_fast(SAMPLE)) == described(BeautifulSoup(SAMPLE, "lxml", multi_valued_attributes=None))
    return False


def described(soup: BeautifulSoup) -> list[Any]:
    """Every node of a tree with all that it knows, neighbours by their number: equal for equal trees."""
    nodes: list[PageElement] = [soup, *soup.descendants]
    numbers: dict[Any, int | None] = {id(node): number for number, node in enumerate(nodes)} | {id(None): None}
    links = ("parent", "next_element", "previous_element", "next_sibling", "previous_sibling")
    found: list[Any] = []
    for node in nodes:
        own = {**_kind(node), **vars(node)}
        neighbours = [numbers.get(id(own.pop(name)), "elsewhere") for name in links]
        inner = [numbers.get(id(child), "elsewhere") for child in own.pop("contents", ())]
        known = sorted((name, _told(value)) for name, value in own.items()) if node is not soup else []
        text = str(node) if isinstance(node, NavigableString) else ""
        found.append((type(node).__name__ if node is not soup else "", text, known, neighbours, inner))
    return found


def _kind(node: PageElement) -> dict[str, Any]:
    """What an element has by its class here."""
    kind = vars(type(node))
    return {name: kind[name] for name in kind.get("common", ())}


def _told(value: Any) -> str:
    if isinstance(value, set | frozenset):
        return str(sorted(map(str, value)))
    return "the parser" if isinstance(value, type) and issubclass(value, BeautifulSoup) else repr(value)
