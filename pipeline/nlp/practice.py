"""Practical experience: lessons by kind, awards won, transfer to or from another place, continuation.

Below: `pipeline.nlp.clauses`, `pipeline.nlp.cues`. Above: `pipeline.nlp.readings`.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.nlp.clauses import Clause
from pipeline.nlp.sentences import sentence_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

LESSONS = ("failure", "obstacle", "transfer", "success_factor", "precondition")
"""In a clause that speaks of several kinds, the first of these counts."""
_CONTINUATIONS = ("permanent", "ended", "open_end", "running")
_STATUS = {"permanent": "permanent", "ended": "ended", "open_end": "unknown", "running": "running"}
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST_LESSONS = 6


@dataclass(frozen=True, slots=True)
class Practice:
    """One finding: its kind, the token span that carries it, and for a continuation the year it was true."""

    kind: str
    start: int
    end: int
    as_of: str | None = None


def find_practice(doc: "Doc") -> "Doc":
    """Component `checkup_practice`: sets `doc._.lessons`, `doc._.awards`, `doc._.transfers`, `doc._.continuation`."""
    labels: dict[int, set[str]] = defaultdict(set)
    for cue in doc._.cues:
        if cue.table == "practice":
            labels[doc._.clause_of[cue.start]].add(cue.label)
    clauses: list[Clause] = doc._.clauses
    doc._.lessons = [
        Practice(kind, *_span(clauses[index]))
        for index in sorted(labels)
        for kind in [next((kind for kind in LESSONS if kind in labels[index]), None)]
        if kind is not None and clauses[index].status != "planned"
    ][:_MOST_LESSONS]
    doc._.awards = _awards(doc, labels)
    doc._.transfers = [lesson for lesson in doc._.lessons if lesson.kind == "transfer"]
    doc._.continuation = _continuation(doc, labels)
    return doc


def _span(clause: Clause) -> tuple[int, int]:
    return clause.spans[0][0], clause.spans[-1][1]


def _awards(doc: "Doc", labels: Mapping[int, set[str]]) -> list[Practice]:
    return [
        Practice("award", *_span(doc._.clauses[index]))
        for index in sorted(labels)
        if "award_won" in labels[index] and "award_not" not in labels[index] and doc._.clauses[index].status == "result"
    ]


def _continuation(doc: "Doc", labels: Mapping[int, set[str]]) -> Practice | None:
    """The last clause that says how the project went on; a lasting one before others."""
    for label in _CONTINUATIONS:
        found = [index for index in sorted(labels) if label in labels[index]]
        if found:
            start, end = _span(doc._.clauses[found[-1]])
            return Practice(_STATUS[label], start, end, _year(doc, start))
    return None


def _year(doc: "Doc", at: int) -> str | None:
    """The last year named in the sentence, or else in the text before it."""
    start, end = sentence_of(doc, at)
    texts = doc._.words.texts
    for span in (texts[start:end], texts[max(0, start - 200) : start]):
        years = [text for text in span if _YEAR.fullmatch(text)]
        if years:
            return str(years[-1])
    return None
