"""Training of the reader of spans: marked texts as clauses and numbers with the answers that people gave.

Below: `pipeline.nlp.marks`, `embeddings.span_network`. Above: `checkup train marks`.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.corpus_files import BUDGETS, CONTINUATIONS, LESSONS, STATUSES
from embeddings.span_network import ASIDE, UNKNOWN, SpanText
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.marked_numbers import UNCOUNTED
from pipeline.nlp.marks import GRADES, HEADS, spans_of
from pipeline.nlp.quantities import Quantity
from pipeline.nlp.readings import Quoter, analyse, span_quote
from pipeline.nlp.sentences import sentence_spans

Place = Mapping[str, Any]
"""A span: `start` and `end` in code points of the text, and what is told of it."""
_UNTOLD = "?"
_ROUNDED = 1.0
"""A rate is told in whole percents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedText:
    """A text of a project (no off-topic one) with everything that people marked in it.

    Numbers are `(value, place)` (budget: `(value, kind, place)`), place None where nobody said where; awards and
    transfers are places, or only whether there is one.
    """

    title: str | None
    text: str
    level: int
    grade: str
    claims: Sequence[Place]
    lessons: Sequence[Place]
    continuation: Place | None
    reached: tuple[float, Place | None] | None
    rate: tuple[float, Place | None] | None
    budget: tuple[float, str, Place | None] | None
    awards: Sequence[Place] | bool
    transferred: Sequence[Place] | bool


def excerpts(texts: Sequence[MarkedText], seed: int = 1) -> Iterator[MarkedText]:
    """One to three sentences, without a title, of every second text whose numbers and experiences all have a place.

    So that the reader has seen short texts too. What only the whole text tells, its grade, is unknown of them (`?`).
    """
    chance = random.Random(seed)
    for text in texts:
        placed = [text.reached or (0, {}), text.rate or (0, {}), text.budget or (0, "", {})]
        spans = sentence_spans(text.text)
        if chance.random() < 0.5 or len(spans) < 4 or any(told[-1] is None for told in placed):
            continue
        if isinstance(text.awards, bool) or isinstance(text.transferred, bool):
            continue
        first = chance.randrange(len(spans))
        last = min(len(spans), first + chance.randint(1, 3)) - 1
        start, end = spans[first][0], spans[last][1]

        def inside(place: Place, start: int = start, end: int = end) -> bool:
            return bool(start <= place["start"] and place["end"] <= end)

        def moved(places: Iterable[Place], start: int = start) -> list[Place]:
            return [
                {**place, "start": place["start"] - start, "end": place["end"] - start}
                for place in places
                if inside(place)
            ]

        claims = moved(text.claims)
        numbers = {}
        for name in ("reached", "rate", "budget"):
            told = getattr(text, name)
            numbers[name] = (*told[:-1], *moved([told[-1]])) if told and inside(told[-1]) else None
        yield MarkedText(
            title=None, text=text.text[start:end], grade=_UNTOLD, claims=claims, lessons=moved(text.lessons),
            level=max((claim["level"] for claim in claims if claim["status"] == "result"), default=0),
            continuation=next(iter(moved([text.continuation] if text.continuation else [])), None),
            awards=moved(text.awards), transferred=moved(text.transferred), **numbers,
        )  # fmt: skip


def span_texts(texts: Sequence[MarkedText]) -> Iterator[SpanText]:
    """The texts as clauses and numbers, with the class that each head should give them."""
    with pipeline_zone() as nlp:
        for text in texts:
            quoter = Quoter(text.title, text.text)
            doc = analyse(nlp, quoter)
            spans = spans_of(doc)
            clauses = [[span_quote(doc, quoter, start, end) for start, end in clause.spans] for clause in doc._.clauses]
            numbers = [
                (quantity, span_quote(doc, quoter, quantity.start, quantity.end)) for quantity in doc._.quantities
            ]
            targets, somewhere = _of_clauses(text, clauses)
            targets |= _of_numbers(text, numbers)
            targets |= {"text_level": [text.level], "text_grade": [_grade(text)]}
            if clauses:
                yield SpanText(
                    words=spans.words, spans=spans.clauses, numbers=spans.numbers, targets=targets,
                    somewhere={name: place for name, place in somewhere.items() if place},
                )  # fmt: skip


def unmarked_texts(texts: Iterable[tuple[str | None, str]]) -> Iterator[SpanText]:
    """Texts (title or None, text) that nobody marked as clauses and numbers; those without a clause are left out."""
    with pipeline_zone() as nlp:
        for title, text in texts:
            spans = spans_of(analyse(nlp, Quoter(title, text)))
            if spans.clauses:
                yield SpanText(
                    words=spans.words, spans=spans.clauses, numbers=spans.numbers, targets={}, somewhere={}
                )  # fmt: skip


def _grade(text: MarkedText) -> int:
    return UNKNOWN if text.grade == _UNTOLD else GRADES.index(text.grade)


def _of_clauses(text: MarkedText, clauses: Sequence[Sequence[Place]]) -> tuple[dict[str, list[int]], dict[str, int]]:
    """The class of every clause by head, ASIDE in the title; and the heads whose answer stands somewhere."""
    found: dict[str, list[int]] = {head.name: [] for head in HEADS if head.of == "span"}
    for clause in clauses:
        if clause[0].get("where") == "title":
            for told in found.values():
                told.append(ASIDE)
            continue
        met = [claim for claim in text.claims if _covers(clause, claim)]
        best = max(met, key=lambda claim: (claim["status"] == "result", claim["level"]), default=None)
        found["level"].append(int(best["level"]) if best else 0)
        found["status"].append(STATUSES.index(best["status"]) if best else UNKNOWN)
        kinds = [1 + LESSONS.index(lesson["kind"]) for lesson in text.lessons if _covers(clause, lesson)]
        found["lesson"].append(min(kinds, default=0))
        went_on = text.continuation
        goes_on = went_on is not None and went_on.get("start") is not None and _covers(clause, went_on)
        found["continuation"].append(1 + CONTINUATIONS.index(went_on["status"]) if went_on and goes_on else 0)
        for name, told_of in (("award", text.awards), ("transfer", text.transferred)):
            if isinstance(told_of, bool):
                found[name].append(UNKNOWN if told_of else 0)
            else:
                found[name].append(int(any(_covers(clause, place) for place in told_of)))
    return found, {"award": int(text.awards is True), "transfer": int(text.transferred is True)}


def _covers(clause: Sequence[Place], place: Place) -> bool:
    """Whether the parts of a clause and a place share at least half of the shorter one."""
    shared = sum(max(0, min(part["end"], place["end"]) - max(part["start"], place["start"])) for part in clause)
    whole = sum(part["end"] - part["start"] for part in clause)
    return bool(2 * shared >= min(whole, place["end"] - place["start"]) > 0)


def _of_numbers(text: MarkedText, numbers: Sequence[tuple[Quantity, Place]]) -> dict[str, list[int]]:
    """The class of every number by head; UNKNOWN where the marked one is not among them."""
    body = [at for at, (_, place) in enumerate(numbers) if place.get("where") != "title"]
    reached = _reached(text, numbers, body)
    rate, base = _rate(text, numbers, body)
    budget = [
        at
        for at in body
        if text.budget and numbers[at][0].unit == "money" and _within(numbers[at][1], text.budget[2])
        and text.budget[0] in (numbers[at][0].value, numbers[at][0].upper)
    ]  # fmt: skip
    kind = 1 + BUDGETS.index(text.budget[1]) if text.budget else 0

    def told(chosen: Sequence[int], *, known: bool, answer: int = 1) -> list[int]:
        return [UNKNOWN if not known or at not in body else answer if at in chosen else 0 for at in range(len(numbers))]

    return {
        "reached": told(reached, known=not text.reached or bool(reached)),
        "rate": told(rate, known=not text.rate or bool(rate)),
        "base": told(base, known=not text.rate or bool(rate)),
        "budget": told(budget, known=not text.budget or bool(budget), answer=kind),
    }


def _reached(text: MarkedText, numbers: Sequence[tuple[Quantity, Place]], body: Sequence[int]) -> list[int]:
    if not text.reached:
        return []
    value, place = text.reached
    found = [
        at
        for at in body
        if numbers[at][0].unit not in UNCOUNTED and _within(numbers[at][1], place)
        and value in (numbers[at][0].value, numbers[at][0].upper, numbers[at][0].of)
    ]  # fmt: skip
    return found if place else found[:1]


def _rate(
    text: MarkedText, numbers: Sequence[tuple[Quantity, Place]], body: Sequence[int]
) -> tuple[list[int], list[int]]:
    """The numbers that tell the rate, or its numerator, and its denominator where that is a number of its own."""
    if not text.rate:
        return [], []
    value, place = text.rate
    inside = [at for at in body if _within(numbers[at][1], place)]
    found = [at for at in inside if _near(_own_share(numbers[at][0]), value)]
    if found:
        return found, []
    counts = {at: numbers[at][0].value for at in body if numbers[at][0].unit not in UNCOUNTED and numbers[at][0].value}
    pairs = [
        (counts[of] != (text.reached or (None,))[0], abs(numbers[at][1]["start"] - numbers[of][1]["start"]), at, of)
        for at in inside
        for of in counts
        if at in counts and of != at and counts[of] >= counts[at] and _near(100 * counts[at] / counts[of], value)
    ]
    if not pairs:
        return [], []
    other, _, at, of = min(pairs)
    if place is None and other and numbers[at][1].get("end", 0) < numbers[of][1]["start"]:
        return [], []
    return [at], [of]


def _own_share(quantity: Quantity) -> float | None:
    if quantity.unit == "percent":
        return quantity.value
    if quantity.unit not in UNCOUNTED and quantity.of:
        return 100 * quantity.value / quantity.of
    return None


def _near(share: float | None, value: float) -> bool:
    return share is not None and abs(share - value) <= _ROUNDED


def _within(number: Place, place: Place | None) -> bool:
    """Whether a number stands in a place (anywhere, where that is None)."""
    return place is None or (place["start"] <= number["start"] + 1 and number["end"] - 1 <= place["end"])
