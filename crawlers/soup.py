"""Builds BeautifulSoup's tree of a page in less than half of the time, node by node the same.

Below: BeautifulSoup with lxml. Above: `fields`. Most of the time of a page with many links went into a constructor of
twenty parameters for each of its elements. Here BeautifulSoup makes the first element of a name, and what is the same
for all of that name becomes a class of its own; of each further element only attributes and neighbours are set.

This reaches into what BeautifulSoup keeps to itself. So both ways are compared once on a small page, and where they
differ (another version) its own way is taken.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from bs4 import BeautifulSoup
from bs4.builder._lxml import LXMLTreeBuilder
from bs4.element import NavigableString, PageElement, Tag

SAMPLE = (
    '<!DOCTYPE html><html xmlns:og="http://ogp.me/ns#"><head><meta charset="utf-8"><title>a</title><style>b</style>'
    '<script>c<d</script></head><body class="e f"><!-- g --><p id=h>i<b>j</b> <b>k<i>l</b></i>\n<p>m<br>n'
    '<ul><li>o<li> <a href="/p" rel="q r">s</a>  <a href="/t">u</a></ul><pre>\n v </pre><svg><path d="w"/><og:x y="z"/>'
    "</svg><table><tr><td>1<td>2</table></body></html>\n<p>3"
)
OWN = frozenset({"attrs", "contents", "parent", "next_element", "previous_element", "next_sibling", "previous_sibling"})
"""What an element has for itself."""
KINDS = 200
"""So many names of elements are remembered; HTML has 130."""


def build_tree(html: str) -> Any:
    """A page as BeautifulSoup reads it with lxml, no attribute split into several values."""
    if not _is_the_same():
        return BeautifulSoup(html, "lxml", multi_valued_attributes=None)
    return _Soup(html, builder=_Builder(multi_valued_attributes=None))


@cache
def _is_the_same() -> bool:
    """Whether both ways lead to the same tree."""
    try:
        ours = described(_Soup(SAMPLE, builder=_Builder(multi_valued_attributes=None)))
    except (AttributeError, KeyError, TypeError):
        return False
    return ours == described(BeautifulSoup(SAMPLE, "lxml", multi_valued_attributes=None))


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


class _Builder(LXMLTreeBuilder):
    """Hands elements of a known name and without a namespace on as they come."""

    def start(self, tag: Any, attrib: Mapping[Any, Any], nsmap: Any = {}) -> None:  # noqa: B006 - as inherited
        kind, soup = _KINDS.get(tag), self.soup
        assert isinstance(soup, _Soup)
        if kind is None or nsmap or len(self.nsmaps) > 1 or (attrib and "{" in "".join(attrib)):
            super().start(tag, dict(attrib), nsmap)
            if kind is None and len(self.nsmaps) == 1 and isinstance(soup.currentTag, Tag):
                _learn(soup.currentTag)
        else:
            soup.open(kind, self.attribute_dict_class(attrib))

    def end(self, tag: Any) -> None:
        if len(self.nsmaps) > 1 or tag[0] == "{":
            super().end(tag)
            return
        assert self.soup is not None
        self.soup.handle_endtag(tag)


_KINDS: dict[str, type[Tag]] = {}
"""The classes of elements by name."""


class _Soup(BeautifulSoup):
    """A tree whose nodes come in the order of the page, as lxml names them: each belongs behind the last one."""

    def open(self, kind: type[Tag], attributes: Any) -> None:
        """An element begins."""
        if self.current_data:
            self.endData()
        tag = kind.__new__(kind)
        tag.attrs, tag.contents = attributes, []
        self._link(tag)
        self.pushTag(tag)

    def handle_endtag(self, name: str, nsprefix: str | None = None) -> None:
        if self.current_data:
            self.endData()
        last = self.tagStack[-1]
        if last.name == name and last.prefix == nsprefix and len(self.tagStack) > 1:
            self.popTag()
        else:
            self._popToTag(name, nsprefix)

    def endData(self, containerClass: type[NavigableString] | None = None) -> None:  # noqa: N802, N803 - as inherited
        if not self.current_data or self._most_recent_element is None:
            super().endData(containerClass)
            return
        text = "".join(self.current_data)
        self.current_data = []
        if not self.preserve_whitespace_tag_stack and not text.strip(self.ASCII_SPACES):
            text = "\n" if "\n" in text else " "
        container = self.string_container(containerClass)
        string = str.__new__(container, text)
        string.hidden = False
        self._link(string)
        assert self.currentTag is not None
        self.currentTag.contents.append(string)

    def _link(self, node: Any) -> None:
        """Put a node behind the last one; its parent takes it up later."""
        parent, last = self.currentTag, self._most_recent_element
        assert parent is not None
        node.parent, node.previous_element = parent, last
        node.next_element = node.next_sibling = None
        if parent.contents:
            before = parent.contents[-1]
            node.previous_sibling = before
            before.next_sibling = node
        else:
            node.previous_sibling = None
        if last is not None:
            last.next_element = node
        self._most_recent_element = node


def _learn(tag: Tag) -> None:
    """Remember what all elements of a name have in common, but of `meta`, which may tell the page's charset."""
    if len(_KINDS) < KINDS and type(tag) is Tag and tag.namespace is None and tag.name != "meta":
        common = {name: value for name, value in vars(tag).items() if name not in OWN}
        _KINDS[tag.name] = type("Tag", (Tag,), {**common, "common": frozenset(common)})
