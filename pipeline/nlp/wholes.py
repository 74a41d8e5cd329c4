"""What a count is part of, where the whole stands before it: `von 60 Teilnehmenden fanden 35`, `97 davon blieben`.

What a whole stands behind (`35 von 60`) `pipeline.nlp.quantities` reads itself.

Below: `pipeline.nlp.quantities`. Above: `pipeline.nlp.counting`.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from pipeline.nlp.lemmas import Words
from pipeline.nlp.quantities import Quantity
from pipeline.nlp.rules import word_set

_OUT_OF = frozenset({"von", "aus", "unter"})
_OF_THEM = frozenset({"davon", "hiervon", "darunter"})
_CHANGED = frozenset({"bis", "auf", "zu", ";", "–", "-"})
"""Between two numbers: `von 20 auf 35`, `von neun bis zwölf`, another main clause."""
_UNCOUNTED = frozenset({"percent", "money", "time"})
_NEAR = 40
"""Words: `davon` points at most so far back, across the end of a sentence too."""


def with_wholes(words: Words, found: Sequence[Quantity]) -> list[Quantity]:
    """The quantities of a text, in its order, each part with the whole that stands before it."""
    parts = list(found[:1])
    for whole, part in pairwise(found):
        countable = not _UNCOUNTED & {whole.unit, part.unit} and not whole.each
        smaller = part.of is None and part.upper is None and part.value <= whole.value
        told = _told(words, whole, part) if countable and smaller else None
        parts.append(replace(part, of=whole.value, unit=told) if told else part)
    return parts


def _told(words: Words, whole: Quantity, part: Quantity) -> str | None:
    """The unit of a part, if the text says that it is one of a whole."""
    between = set(words.forms[whole.end : part.start])
    alone = part.end == part.start + 1
    if _before(words, part) in _OF_THEM or words.forms[part.end : part.end + 1] == ["davon"]:
        if part.start - whole.end > _NEAR:
            return None
        return whole.unit if alone else part.unit
    if (
        whole.of is not None
        or _before(words, whole) not in _OUT_OF
        or between & _CHANGED
        or any(mark in between for mark in ".!?")
    ):
        return None
    return whole.unit if part.bare or alone else part.unit if part.unit == whole.unit else None


def _before(words: Words, quantity: Quantity) -> str:
    """The word before a quantity, over `rund`, `den`, `insgesamt` and the like."""
    passed = word_set("quantities", "skip") | word_set("quantities", "approximate")
    at = quantity.start - 1
    while at > 0 and (words.forms[at] in passed or words.lemmas[at] in passed):
        at -= 1
    return words.forms[at] if at >= 0 else ""
