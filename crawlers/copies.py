"""Tells that a page is a copy of one already taken: it says the same, or the same but for numbers and a few lines.

Below: `values`. Above: `handover`, `walk`. Pure. Careful on purpose: a copy among the records is seen, a missing
project is not.

What is kept of a record is one hash of all of its lines and an *odd sketch* of them (Mitzenmacher, Pagh, Pham:
"Efficient Estimation for High Similarities using Odd Sketches", WWW 2014): 256 bits, of which each line turns one over.
Where two sketches differ, lines differ. Which lines a page has cannot be read from it. Who does not know the other
lines cannot prove a guess at one of them (a name): many wrong guesses, at 20 lines one of 13, fall on a bit that is
set, and a right one may not. Who knows all the rest of the page can, by this sketch as by the hash of all lines; so
erasing a person drops both (`forget`).
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crawlers.values import tidy

ALIKE_PERCENT = 95
"""So many of the longer page's lines must stand on both; below MIN_LINES that is every line."""
MIN_LINES = 20
MAX_LINES = 400
"""A page of more lines is compared as a whole only: what differs then would no longer be counted well."""
BITS = 256
BLIND_CHARS = 16
"""Length of the hash of a line without its numbers."""
COUNT_CHARS = 3
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


class Copies:
    """The records that a crawl has taken, by what they say."""

    def __init__(self) -> None:
        self._contents: dict[str, str] = {}
        self._wholes: dict[str, str] = {}
        self._odd: dict[int, list[tuple[int, str]]] = {}
        """By number of lines, the odd sketch of each record and its address."""

    def told(self, content: str, sketch: str, url: str) -> str | None:
        """Of which other record a page is a copy, in a German sentence; None if of none.

        Args:
            content: Hash of its title and text (`Seen.content`); empty where there is none.
            sketch: See `sketch_of`.
            url: Its address.
        """
        first = self._contents.get(content, url)
        if first != url:
            return f"Titel und Text sind gleich {first}."
        alike = self._alike(sketch, url)
        return None if alike is None else f"Titel und Text sind bis auf Zahlen oder einzelne Zeilen gleich {alike}."

    def _alike(self, sketch: str, url: str) -> str | None:
        """The address of the first other record that is alike, one without any other line before one with some."""
        if not sketch:
            return None
        first = self._wholes.get(sketch[:BLIND_CHARS], url)
        if first != url:
            return first
        count, odd = _parts(sketch)
        for others in range(-(-count * ALIKE_PERCENT // 100), count * 100 // ALIKE_PERCENT + 1):
            most = count + others - 2 * -(-max(count, others) * ALIKE_PERCENT // 100)
            for other, address in self._odd.get(others, ()):
                if _differing(odd ^ other) <= most and address != url:
                    return address
        return None

    def add(self, content: str, sketch: str, url: str) -> None:
        """Note a record that was taken."""
        if content:
            self._contents.setdefault(content, url)
        if not sketch:
            return
        self._wholes.setdefault(sketch[:BLIND_CHARS], url)
        count, odd = _parts(sketch)
        if count:
            self._odd.setdefault(count, []).append((odd, url))


def blind_keys(title: str | None, facts: Mapping[str, Any], text: str) -> tuple[str, ...]:
    """The hash of each line with every number replaced by one sign; empty for an empty line, all empty without a title.

    The hashes are keyed by the title and the values, which no copy may change: pages of another title or other values
    have no line in common.
    """
    lines = text.split("\n")
    if not title:
        return ("",) * len(lines)
    told = json.dumps([tidy(title).casefold(), dict(facts)], sort_keys=True, default=str)
    head = hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=32).digest()
    plain = (" ".join(line.split()).casefold() for line in lines)
    return tuple(_hash(NUMBER.sub("0", line), head) if line else "" for line in plain)


def sketch_of(blind: Sequence[str]) -> str:
    """What is remembered of a record to know its copies (see above): hash of all lines, their number, odd sketch.

    Args:
        blind: The hashes of its lines that are not empty (`blind_keys`).

    Returns:
        Hexadecimal digits; an empty string where the lines have no hashes (without a title, or where a mask has joined
        lines), the first hash alone where their number rules out that any may differ.
    """
    if not blind or not all(blind):
        return ""
    whole = _hash("".join(blind), b"")
    if not MIN_LINES <= len(blind) <= MAX_LINES:
        return whole
    odd = 0
    for key, times in Counter(blind).items():
        for time in range(times):
            odd ^= 1 << (int(key, 16) + 37 * time) % BITS
    return f"{whole}{len(blind):0{COUNT_CHARS}x}{odd:0{BITS // 4}x}"


def _parts(sketch: str) -> tuple[int, int]:
    """Number of lines and odd sketch, 0 where there is none."""
    rest = sketch[BLIND_CHARS:]
    return (int(rest[:COUNT_CHARS], 16), int(rest[COUNT_CHARS:], 16)) if rest else (0, 0)


def _differing(bits: int) -> int:
    """How many lines most likely differ where so many bits do (equation 2 of the paper)."""
    share = min(2 * bits.bit_count(), BITS - 1) / BITS
    return round(math.log1p(-share) / math.log1p(-2 / BITS))


def _hash(text: str, key: bytes) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), key=key, digest_size=BLIND_CHARS // 2).hexdigest()
