"""What builds BeautifulSoup's tree in less than half of the time, on what BeautifulSoup keeps to itself.

Below: BeautifulSoup with lxml. Above: `soup`, which takes its own way where another version lets this fail, the import
of this module included.
"""

from collections.abc import Mapping
from typing import Any

from bs4 import BeautifulSoup
from bs4.builder._lxml import LXMLTreeBuilder
from bs4.element import NavigableString, Tag

OWN = frozenset({"attrs", "contents", "parent", "next_element", "previous_element", "next_sibling", "previous_sibling"})
"""What an element has for itself."""
KINDS = 200
"""So many names of elements are remembered; HTML has 130."""


class Builder(LXMLTreeBuilder):
    """Hands elements of a known name and without a namespace on as they come."""

    def start(self, tag: Any, attrib: Mapping[Any, Any], nsmap: Any = {}) -> None:  # noqa: B006 - as inherited
        """An element begins, as lxml tells it."""
        kind, soup = KNOWN.get(tag), self.soup
        assert isinstance(soup, Soup)
        if kind is None or nsmap or len(self.nsmaps) > 1 or (attrib and "{" in "".join(attrib)):
            super().start(tag, dict(attrib), nsmap)
            if kind is None and len(self.nsmaps) == 1 and isinstance(soup.currentTag, Tag):
                _learn(soup.currentTag)
        else:
            soup.open(kind, self.attribute_dict_class(attrib))

    def end(self, tag: Any) -> None:
        """An element ends, as lxml tells it."""
        if len(self.nsmaps) > 1 or tag[0] == "{":
            super().end(tag)
            return
        assert self.soup is not None
        self.soup.handle_endtag(tag)


KNOWN: dict[str, type[Tag]] = {}
"""The classes of elements by name."""


class Soup(BeautifulSoup):
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
        """An element ends, and with it those in it that were left open."""
        if self.current_data:
            self.endData()
        last = self.tagStack[-1]
        if last.name == name and last.prefix == nsprefix and len(self.tagStack) > 1:
            self.popTag()
        else:
            self._popToTag(name, nsprefix)

    def endData(self, containerClass: type[NavigableString] | None = None) -> None:  # noqa: N802, N803 - as inherited
        """A text is over."""
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
    if len(KNOWN) < KINDS and type(tag) is Tag and tag.namespace is None and tag.name != "meta":
        common = {name: value for name, value in vars(tag).items() if name not in OWN}
        KNOWN[tag.name] = type("Tag", (Tag,), {**common, "common": frozenset(common)})
