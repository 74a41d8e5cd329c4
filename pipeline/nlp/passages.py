"""Texts cut for embedding: sentences, passages of 1-4 whole sentences. True offsets throughout.

Below: `pipeline.nlp.sentences`. Above: `pipeline.ingest`, `embeddings` (given ready spans), `matching`.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from pipeline.nlp.sentences import sentence_spans

Span = tuple[int, int]

WHOLE_WORDS = 60
"""A text of up to this many words is one passage."""
BEST_WORDS = 50
"""Length in words that a passage aims at; 30 to 70 are common."""
MAX_SENTENCES = 4
SHORT_WORDS = 30
"""Up to `MAX_SHORT_SENTENCES` sentences may share a passage while they have fewer words than this (lists)."""
MAX_SHORT_SENTENCES = 12
CUT_WORDS = 120
"""A sentence of more words is cut."""

# A run without blanks counts as several words, so that no passage grows without bound.
_WORD = re.compile(r"\S{1,200}")
_BLANK_LINE = re.compile(r"\n[ \t\r\f\v]*\n")
_BLANK_LINE_COST = 6.0


def sentences(text: str) -> list[Span]:
    """The sentences of a text, in order (see `pipeline.nlp.sentences.sentence_spans`)."""
    return sentence_spans(text)


def passages(text: str) -> list[Span]:
    """Cuts a text into passages of 1-4 whole sentences, about 30-70 words each.

    The cut with the least sum of squared distances from 50 words is taken; a passage that would reach over a blank
    line costs extra. Short lines of a list may share a passage in greater number.

    Args:
        text: Any text.

    Returns:
        Half-open offsets in text order. Every character that is no whitespace lies in exactly one passage.
        Empty only for a text of whitespace.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    if not words:
        return []
    if len(words) <= WHOLE_WORDS:
        return [(words[0][0], words[-1][1])]
    pieces = [piece for span in sentence_spans(text) for piece in _cut(text, span)]
    counts = [_count(text, piece) for piece in pieces]
    breaks = [False] + [_BLANK_LINE.search(text, before[1], after[0]) is not None for before, after in pairwise(pieces)]
    return [(pieces[first][0], pieces[last - 1][1]) for first, last in _best_groups(counts, breaks)]


def _count(text: str, span: Span) -> int:
    return sum(1 for _ in _WORD.finditer(text, *span))


def _cut(text: str, span: Span) -> list[Span]:
    """A sentence of more than 120 words in about equal pieces, cut after a comma or semicolon where one is near."""
    words = [match.span() for match in _WORD.finditer(text, *span)]
    if len(words) <= CUT_WORDS:
        return [span]
    count = -(-len(words) // 100)
    size = -(-len(words) // count)
    pieces = []
    first = 0
    while first < len(words):
        last = min(first + size, len(words))
        if last < len(words):
            last = next((at for at in range(last, last - 20, -1) if text[words[at - 1][1] - 1] in ",;:"), last)
        pieces.append((words[first][0], words[last - 1][1]))
        first = last
    return pieces


def _best_groups(counts: Sequence[int], breaks: Sequence[bool]) -> list[tuple[int, int]]:
    """Groups of neighbouring pieces with the least total cost, by dynamic programming over the last group."""
    best = [0.0]
    back = [0]
    for last in range(1, len(counts) + 1):
        total, crossed = 0, 0
        options = []
        for first in range(last - 1, max(-1, last - 1 - MAX_SHORT_SENTENCES), -1):
            total += counts[first]
            size = last - first
            if size > 1 and (total > CUT_WORDS or (size > MAX_SENTENCES and total >= SHORT_WORDS)):
                break
            cost = ((total - BEST_WORDS) / 20) ** 2 + _BLANK_LINE_COST * crossed
            options.append((best[first] + cost, -first))
            crossed += breaks[first]
        cost, first = min(options)
        best.append(cost)
        back.append(-first)
    groups = []
    last = len(counts)
    while last:
        groups.append((back[last], last))
        last = back[last]
    return groups[::-1]
