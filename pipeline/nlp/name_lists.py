"""Attendance lists: `Surname, Given; Surname, Given`, where any two words around a comma are a name.

Below: `pipeline.nlp.name_tokens`. Above: `pipeline.nlp.person_names`.
"""

import re
from bisect import bisect_left

from pipeline.nlp.name_tokens import Mark, Tokens

_PARTICLES = r"(?:(?:von|van|der|den|de|da|al|el|zu|bin|ben|dos|di) ){0,2}"
_PART = r"[A-ZÄÖÜÇŞĆČŠŽĐŁÖÁÉÍÓÚ][^\W\d_]{1,24}(?:[-’'‑][^\W\d_]{1,24}){0,2}"
_ENTRY = re.compile(
    rf"(?P<last>{_PARTICLES}{_PART}(?: {_PART})?),[ ]?(?:(?:Dr|Prof|Dipl|Ing)\.[ -]?){{0,2}}"
    rf"(?P<given>{_PART}(?: {_PART}){{0,2}}|[A-ZÄÖÜ]\.)\s{{0,2}}(?:\([^()\n]{{1,40}}\)\s{{0,2}})?(?=$|[.,])"
)
_ITEM = re.compile(r"[^;\n]+")
_HEADING = re.compile(r"[^:;\n]{2,40}:\s*")
_LONGEST = 110
_PLAIN = Mark.COMMON | Mark.COMPOUND | Mark.TITLE | Mark.ACRONYM
_NAME = Mark.GIVEN | Mark.AMBIGUOUS | Mark.SURNAME


def attendance(tokens: Tokens, kept: set[int]) -> list[tuple[int, int]]:
    """The names in lists whose entries are parted by semicolons or lines, as ranges of words.

    A list counts with two entries if one of its given names is known or a heading opens it, else with three.
    """
    text = tokens.text
    if text.count(";") + text.count("\n") == 0 or ", " not in text:
        return []
    names: list[tuple[int, int]] = []
    group: list[tuple[int, int]] = []
    headed = False
    for item in _ITEM.finditer(text):
        start = item.start() + len(item[0]) - len(item[0].lstrip(" \t-–•*"))
        heading = _HEADING.match(text, start, min(item.end(), start + 50))
        entry = _ENTRY.match(text, heading.end() if heading else start, min(item.end(), start + _LONGEST))
        found = _words(tokens, entry) if entry else None
        if found is None or heading:
            names += _counted(tokens, group, headed=headed)
            group, headed = [], bool(heading)
        if found is not None and not kept.intersection(range(found[0], found[1] + 1)):
            group.append(found)
    return names + _counted(tokens, group, headed=headed)


def _words(tokens: Tokens, entry: re.Match[str]) -> tuple[int, int] | None:
    """The words of an entry, unless they are words of the language only."""
    first = bisect_left(tokens.starts, entry.start("last"))
    last = bisect_left(tokens.starts, entry.end("given")) - 1
    words = range(first, last + 1)
    if last <= first or all(tokens.is_(word, _PLAIN) and not tokens.is_(word, _NAME) for word in words):
        return None
    return None if tokens.is_(last, _PLAIN) and not tokens.is_(last, _NAME) else (first, last)


def _counted(tokens: Tokens, group: list[tuple[int, int]], *, headed: bool) -> list[tuple[int, int]]:
    known = headed or any(tokens.is_(last, Mark.GIVEN | Mark.AMBIGUOUS) for _, last in group)
    return group if len(group) >= (2 if known else 3) else []
