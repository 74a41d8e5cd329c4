"""Sentence boundaries by rule: blank lines, bullets and dots that are neither abbreviation nor ordinal.

Below: `pipeline.nlp.rules`. Above: `pipeline.nlp.passages`, and the component `checkup_sentences` of the pipeline.
"""

import re
from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.nlp.rules import load_rules

if TYPE_CHECKING:
    from spacy.tokens import Doc

_BULLET = r"(?:[-–—•*·▪‣◦●■➢✓]|\(?\d{1,2}[.)]|\(?[a-z]\))[ \t]+"
_HARD = re.compile(rf"\n[ \t\r\f\v]*\n\s*|\n[ \t]*(?={_BULLET})")
_CLOSERS = "\"'“”»«’‘)\\]"
_MARKS = ".!?…"
_SOFT = re.compile(rf"(?<=[{_MARKS}{_CLOSERS}])\s+|\n")
_LAST_WORD = re.compile(r"[^\s(\[\"„“»«]+$")
_FIRST_WORD = re.compile(r"[\"'„“»«‚(\[\s]{0,5}([^\W_]+(?:\.[^\W_]+)*)")
_MOST_CLOSERS = 4
_SHORT_LINE = 50
"""Lines shorter than this many characters without a final mark are headings, not wrapped text."""
_LOOK_BACK = 60
"""A last word that is longer than this is no abbreviation."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The sentences of a text in order; whitespace between them belongs to none, every other character to one.

    Args:
        text: Any text.

    Returns:
        Half-open offsets in code points; empty for a text of whitespace only.
    """
    spans = []
    cased = any(character.isupper() for character in text[:2000])
    start = 0
    for end in _hard_ends(text):
        for piece_end in [*_soft_ends(text, start, end, cased), end]:
            span = _trim(text, start, piece_end)
            if span is not None:
                spans.append(span)
            start = piece_end
    return spans


def mark_sentences(doc: "Doc") -> "Doc":
    """Component `checkup_sentences`: sets `is_sent_start`, `doc._.sentences` (token spans) and `doc._.text`."""
    import numpy as np
    from spacy.attrs import SENT_START

    # To put the text together from its tokens takes as long as to cut it into sentences.
    text = doc._.text = doc._.text or doc.text
    starts = {start for start, _ in sentence_spans(text)}
    begins = [at for at, offset in enumerate(doc._.words.offsets) if at == 0 or offset in starts]
    # Setting the tokens' attribute one by one looks through the whole text each time.
    marks: Any = np.full((len(doc), 1), -1, dtype=np.int64)
    marks[begins] = 1
    doc.from_array([SENT_START], marks.astype(np.uint64))
    doc._.sentences = list(zip(begins, [*begins[1:], len(doc)], strict=True)) if begins else []
    return doc


def sentence_of(doc: "Doc", token: int) -> tuple[int, int]:
    """The sentence (half-open token span) that holds a token; spaCy's `sent` looks through the whole text each time."""
    sentences: list[tuple[int, int]] = doc._.sentences
    return sentences[bisect_right(sentences, (token, len(doc) + 1)) - 1]


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _hard_ends(text: str) -> list[int]:
    return [*(match.end() for match in _HARD.finditer(text) if match.end() < len(text)), len(text)]


def _soft_ends(text: str, start: int, end: int, cased: bool) -> list[int]:
    ends = []
    last = start
    for match in _SOFT.finditer(text, start, end):
        if match.end() >= end:
            break
        if _mark_ends(text, last, match, cased) or ("\n" in match[0] and _line_ends(text, last, match)):
            ends.append(match.end())
            last = match.end()
    return ends


def _line_ends(text: str, last: int, gap: re.Match[str]) -> bool:
    """Whether a single line break ends a heading: a short line without a final mark before a capital."""
    line_start = max(last, text.rfind("\n", max(0, gap.start() - 200), gap.start()) + 1)
    line = text[line_start : gap.start()].strip()
    if not line or len(line) >= _SHORT_LINE or "," in line or line[-1] in ";-–:(/" or line[-1] in _MARKS:
        return False
    word = _FIRST_WORD.match(text, gap.end())
    last_word = line.rsplit(None, 1)[-1].lower()
    return word is not None and word[1][0].isupper() and last_word not in _sets()["openers"]


def _mark_ends(text: str, last: int, gap: re.Match[str], cased: bool) -> bool:
    """Whether the marks before a gap end a sentence there."""
    at = gap.start()
    while at > max(last, gap.start() - _MOST_CLOSERS) and text[at - 1] in _CLOSERS:
        at -= 1
    if at == last or text[at - 1] not in _MARKS:
        return False
    following = _FIRST_WORD.match(text, gap.end())
    if following is None:
        return True
    word = following[1]
    if cased and word[0].islower():
        return False
    if text[at - 1] != "." or text[at - 2 : at - 1] == ".":
        return True
    before = _LAST_WORD.search(text, max(last, at - _LOOK_BACK), at - 1)
    return before is None or _word_ends(before[0], word, cased)


def _word_ends(before: str, word: str, cased: bool) -> bool:
    """Whether a dot after `before` ends the sentence, given the first word of what follows."""
    sets = _sets()
    low, following = before.lower(), word.lower()
    opens = following in sets["openers"]
    if low.isdigit() and len(low) <= 2:
        return opens and following not in sets["months"] and cased
    if low in sets["never_end"]:
        return False
    if low in sets["may_end"] or (len(low) == 1 and low.isalpha()) or re.fullmatch("[IVX]+", before):
        return opens
    return True


@cache
def _sets() -> dict[str, frozenset[str]]:
    return {name: frozenset(words) for name, words in load_rules("sentences").items()}
