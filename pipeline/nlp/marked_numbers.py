"""Persons reached, success rate and budget by the reader of spans, which has read every number in its text.

Below: `pipeline.nlp.marks`, `pipeline.nlp.quantities`. Above: `pipeline.nlp.scalars`, whose rules have a share in it.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.corpus_files import BUDGETS, STATUSES
from pipeline.nlp.claim_rules import OUTCOME, USES
from pipeline.nlp.marks import Marks, log_odds, weighed
from pipeline.nlp.quantities import Quantity

if TYPE_CHECKING:
    from spacy.tokens import Doc

UNCOUNTED = frozenset({"money", "percent", "time"})
"""Units of numbers that count nothing; of the others the rules' unit may be wrong, so that the reader decides."""
_TRUST = {"rate": 0.5, "budget": 0.5}
"""Shares of the rules' choice."""
_SURE = {"reached": 0.25, "rate": 0.25, "budget": 0.4, "base": 0.1}
"""From which chance a number is told."""
_THINKABLE = 0.02
"""What the reader holds for less likely is not told, though the rules choose it."""
_REACHED_WEIGHTS = {
    "reader": 0.46, "ruled": 0.92, "larger": -1.45, "rank": 0.97, "other": -1.48, "uses": -1.6, "bias": -1.22,
}  # fmt: skip
"""What speaks for a number of people: the log odds that the reader gives it; that the rules choose it; the best chance
of a larger number; the share of the others that are not larger; the chance that the clause tells of somebody else; that
it counts households, uses and the like. A logistic regression over the numbers of texts that the reader has not learned
from (docs/quality.md)."""
_NOT_PEOPLE = USES - {"persons", "helpers"}
_CANDIDATES = frozenset({"gewinner", "preisträger", "bewerbung", "juror", "nominierte"})
"""Nouns of those who compete for a prize: nobody whom a project reached."""
_LEAST_PEOPLE = 2
_LIKELY_OUTCOME = 0.4
"""Of a part and a whole the whole was reached where so likely an outcome of this level or a higher one is told."""
_ALL = 100
"""Percent."""
_LEAST_SUM = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A number that was chosen, the value told of it, and for a budget its kind."""

    quantity: Quantity
    value: float
    kind: str | None = None


def marked_reached(doc: "Doc", marks: Marks, ruled: Found | None) -> Found | None:
    """The number that most likely tells how many people were reached; of what was not read the rules' choice."""
    if ruled is not None and not _was_read(doc, marks, ruled.quantity):
        return ruled
    counts = [
        (at, Found(one, int(_people(doc, marks, at, one))))
        for at, one in _told(doc)
        if one.unit not in UNCOUNTED
        and doc._.words.lemmas[one.end - 1] not in _CANDIDATES
        and one.value >= _LEAST_PEOPLE
        and one.value == int(one.value)
        and _was_read(doc, marks, one)
    ]
    chances = [
        _chance_of_people(doc, marks, place, counts, chosen=ruled is not None and one.quantity is ruled.quantity)
        for place, (_, one) in enumerate(counts)
    ]
    best = max(range(len(counts)), key=lambda place: chances[place], default=None)
    return counts[best][1] if best is not None and chances[best] >= _SURE["reached"] else None


def _people(doc: "Doc", marks: Marks, at: int, quantity: Quantity) -> float:
    """How many people a number tells of: of `31 der 46 fanden Arbeit` all 46, of `31 der 46 kamen` 31."""
    if not quantity.of or quantity.of < quantity.most:
        return quantity.most
    outcome = marks.of("level")[doc._.clause_of[quantity.start], OUTCOME:].sum()
    return quantity.of if max(outcome, marks.of("rate")[at, 1]) > _LIKELY_OUTCOME else quantity.most


def _chance_of_people(
    doc: "Doc", marks: Marks, place: int, counts: Sequence[tuple[int, Found]], *, chosen: bool
) -> float:
    """The chance that one of some counts (with their places among the numbers) is that of the people reached."""
    at, count = counts[place]
    reader = marks.of("reached")[:, 1]
    others = [(float(reader[other]), one.value) for other, one in counts if other != at]
    told = {
        "reader": log_odds(reader[at]),
        "ruled": float(chosen),
        "larger": max((chance for chance, value in others if value > count.value), default=0.0),
        "rank": sum(value <= count.value for _, value in others) / len(others) if others else 1.0,
        "other": marks.of("status")[doc._.clause_of[count.quantity.start], STATUSES.index("other")],
        "uses": float(count.quantity.unit in _NOT_PEOPLE),
    }
    return float(weighed(told, _REACHED_WEIGHTS, doc.lang_))


def marked_rate(doc: "Doc", marks: Marks, ruled: Found | None) -> Found | None:
    """The number that most likely tells the rate: percent, `N von M`, or a count with its denominator elsewhere."""
    told = _told(doc)
    wholes = _wholes(doc, marks, told)
    shares = [(at, one, _share(one, wholes)) for at, one in told]
    found = [(at, Found(one, share)) for at, one, share in shares if share is not None and 0 < share <= _ALL]
    return _likeliest(doc, marks, "rate", ruled, found)


def marked_budget(doc: "Doc", marks: Marks, ruled: Found | None, prices: Container[int]) -> Found | None:
    """The sum that the project most likely costs or is granted, with its kind; none that begins at one of `prices`."""
    kinds = marks.of("budget")[:, 1:]
    found = [
        (at, Found(one, one.most, BUDGETS[int(kinds[at].argmax())]))
        for at, one in _told(doc)
        if one.unit == "money" and one.most >= _LEAST_SUM and one.start not in prices
    ]
    return _likeliest(doc, marks, "budget", ruled, found)


def _told(doc: "Doc") -> list[tuple[int, Quantity]]:
    """The numbers of the text, with their places; those of the title tell nothing."""
    return [(at, one) for at, one in enumerate(doc._.quantities) if one.start >= doc._.title_tokens]


def _likeliest(
    doc: "Doc", marks: Marks, name: str, ruled: Found | None, found: Iterable[tuple[int, Found]]
) -> Found | None:
    """The likeliest of some numbers (with their places), by the reader as far as it read and by the rules' choice."""
    best, chance = None, _SURE[name]
    for at, one in found:
        chosen = ruled is not None and one.quantity is ruled.quantity
        likely = float(marks.of(name)[at, 1:].sum())
        own = float(chosen)
        if _was_read(doc, marks, one.quantity):
            own = _TRUST[name] * chosen + (1 - _TRUST[name]) * likely if likely >= _THINKABLE else 0.0
        if own > chance or (own == chance and best is None):
            best, chance = (ruled if chosen else one), float(own)
    return best


def _was_read(doc: "Doc", marks: Marks, quantity: Quantity) -> bool:
    return bool(marks.seen[doc._.clause_of[quantity.start]])


def _wholes(doc: "Doc", marks: Marks, told: Iterable[tuple[int, Quantity]]) -> list[tuple[float, Quantity]]:
    """The counts that a part may be a part of, each with its chance, the likeliest first."""
    chances = marks.of("base")[:, 1]
    counts = [
        (float(chances[at]), one)
        for at, one in told
        if chances[at] >= _SURE["base"] and one.unit not in UNCOUNTED and _was_read(doc, marks, one)
    ]
    return sorted(counts, key=lambda count: (count[0], count[1].value), reverse=True)


def _share(quantity: Quantity, wholes: Iterable[tuple[float, Quantity]]) -> float | None:
    """A number as percent, whole where it was computed; None where there is nothing that it is a share of."""
    if quantity.unit == "percent":
        stated = round(quantity.value, 1) == quantity.value
        return quantity.value if stated else round(quantity.value)
    whole = None if quantity.unit in UNCOUNTED else quantity.of or _denominator(quantity, wholes)
    return round(_ALL * quantity.value / whole) if whole else None


def _denominator(quantity: Quantity, wholes: Iterable[tuple[float, Quantity]]) -> float | None:
    """The count that is most likely the whole of which a quantity is a part."""
    larger = (one.value for _, one in wholes if one is not quantity and one.value >= quantity.value)
    return next(larger, None)
