"""Single figures of a project: persons reached, success rate, budget with kind and price year.

Below: `pipeline.nlp.impact`, `pipeline.nlp.quantities`, `pipeline.nlp.marked_numbers`. Above: `pipeline.nlp.readings`.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from data.corpus_files import BUDGETS
from pipeline.nlp.claim_rules import LEAST_COUNT, cues_by_clause, quantities_by_clause
from pipeline.nlp.clauses import Clause
from pipeline.nlp.lemmas import Words
from pipeline.nlp.marked_numbers import Found, marked_budget, marked_rate, marked_reached
from pipeline.nlp.marks import Marks
from pipeline.nlp.numerals import is_year
from pipeline.nlp.quantities import Quantity
from pipeline.nlp.rules import load_rules
from pipeline.nlp.sentences import sentence_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

_OUTCOME = frozenset({"l6_what", "l6_alone", "l6_count"})
_PASSED = frozenset({"l4_alone"})
_MAKE_UP = frozenset({"frau", "mann", "weiblich", "männlich", "abitur", "zu", "eritrea", "syrien", "mehr", "höher"})
_ALSO = frozenset({"und", "sowie", "plus", "and"})
_MOST_JOINED = 2
"""Words between two counts that are one: `und`, `und rund`."""
_UNTIL = frozenset({"bis", "until", "till"})
_TO_YEAR = 4
"""Words that may stand between these and the year: `bis zum 31. Dezember 2026`."""
_OWN_LIFE = 6
"""From this level on a share tells who succeeded among those reached, below it who came."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value with the token span it was read from."""

    property: str
    value: Any
    start: int
    end: int


def find_scalars(doc: "Doc") -> "Doc":
    """Component `checkup_scalars`: sets `doc._.facts`: people reached, success rate, budget and what belongs to it."""
    impact = cues_by_clause(doc, "impact")
    prices = _prices(doc)
    reached, rate, budget = _reached(doc, impact), _rate(doc, impact), _budget(doc, prices)
    marks: Marks | None = doc._.marks
    if marks is not None:
        reached = marked_reached(doc, marks, reached)
        rate = marked_rate(doc, marks, rate)
        budget = marked_budget(doc, marks, budget, prices)
    doc._.facts = [
        *_facts("reached_persons", reached and _with_complement(doc, reached)),
        *_rate_facts(doc, rate),
        *(_budget_facts(doc, budget) if budget else ()),
    ]
    return doc


def _facts(name: str, found: Found | None) -> Iterator[Fact]:
    if found:
        yield Fact(name, _whole(found.value), found.quantity.start, found.quantity.end)


def _rate_facts(doc: "Doc", found: Found | None) -> Iterator[Fact]:
    """A rate; one that was computed is shown by its whole clause, since a part alone does not carry it."""
    for fact in _facts("success_rate_percent", found):
        clause: Clause = doc._.clauses[doc._.clause_of[fact.start]]
        computed = found is not None and found.quantity.unit != "percent"
        yield replace(fact, start=clause.spans[0][0], end=clause.spans[-1][1]) if computed else fact


def _whole(number: float) -> float:
    """A number without a fraction as an int."""
    return int(number) if number == int(number) else number


def _reached(doc: "Doc", cues: Mapping[int, set[str]]) -> Found | None:
    """The largest stated number of people of the target group whom a clause says were reached."""
    found: list[tuple[bool, float, Quantity]] = []
    levels = {claim.start: claim.level for claim in doc._.claims}
    for index, quantities in quantities_by_clause(doc).items():
        clause = doc._.clauses[index]
        labels = cues.get(index, set())
        if (
            clause.ruled in {"planned", "other"}
            or "background" in labels
            or labels & {"context", "reach"} == {"context"}
            or not (level := levels.get(clause.spans[0][0], 0))
        ):
            continue
        found.extend(
            ("reach" in labels and not quantity.bare, _people(quantity, level), quantity)
            for quantity in quantities
            if quantity.unit == "persons" and quantity.most >= LEAST_COUNT and not quantity.each
        )
    if not found:
        return None
    _, most, quantity = max(found, key=lambda item: (item[0], item[1], -item[2].start))
    return Found(quantity, int(most))


def _people(quantity: Quantity, level: int) -> float:
    """How many were reached: of `80 von 90 fanden Arbeit` all 90, for those who found none took part as well."""
    return max(quantity.of, quantity.most) if quantity.of is not None and level >= _OWN_LIFE else quantity.most


def _with_complement(doc: "Doc", found: Found) -> Found:
    """A count of people and, where `und` joins it to one of other people, both: `27 Frauen und 41 Kinder` are 68."""
    one = found.quantity
    if one.unit != "persons" or found.value != one.most or one.each:
        return found
    counts: list[Quantity] = doc._.quantities
    at = counts.index(one)
    for first, second in pairwise(counts[max(at - 1, 0) : at + 2]):
        if _are_complements(doc, first, second):
            return Found(replace(first, end=second.end), first.most + second.most)
    return found


def _are_complements(doc: "Doc", first: Quantity, second: Quantity) -> bool:
    if any(one.unit != "persons" or one.each or one.of is not None for one in (first, second)):
        return False
    words: Words = doc._.words
    joined = words.forms[first.end : second.start]
    who = frozenset({words.lemmas[first.end - 1], words.lemmas[second.end - 1]})
    return 1 <= len(joined) <= _MOST_JOINED and joined[0] in _ALSO and who in _complements()


@cache
def _complements() -> frozenset[frozenset[str]]:
    return frozenset(map(frozenset, load_rules("quantities")["complements"]))


def _rate(doc: "Doc", cues: Mapping[int, set[str]]) -> Found | None:
    """The share that reached the main outcome: stated as percent or as `N von M`, in a clause of an outcome."""
    found: list[tuple[int, Quantity, float]] = []
    levels = {claim.start: claim.level for claim in doc._.claims}
    for index, quantities in quantities_by_clause(doc).items():
        clause: Clause = doc._.clauses[index]
        rank = _outcome_rank(cues.get(index, set()), levels.get(clause.spans[0][0], 0))
        if clause.ruled == "result" and rank:
            shares = [(quantity, _share(quantity)) for quantity in quantities if not _is_make_up(doc, quantity)]
            found.extend((rank, quantity, share) for quantity, share in shares if 0 < share <= 100)
    if not found:
        return None
    _, quantity, share = max(found, key=lambda item: (item[0], -item[1].start))
    return Found(quantity, share)


def _outcome_rank(labels: set[str], level: int) -> int:
    """How much a clause speaks of the main outcome: work, home or degree before learning; 0 not at all."""
    if labels & _OUTCOME and level == 6:
        return 3
    return 2 if level >= 4 else 1 if labels & _PASSED else 0


def _share(quantity: Quantity) -> float:
    """A quantity as percent, whole where it was computed (`zwei Drittel`, `57 von 80`); 0 if it is no share."""
    if quantity.unit == "percent":
        stated = round(quantity.value, 1) == quantity.value
        return quantity.value if stated else float(round(quantity.value))
    if quantity.of and quantity.unit == "persons" and quantity.value <= quantity.of:
        return float(round(100 * quantity.value / quantity.of))
    return 0.0


def _is_make_up(doc: "Doc", quantity: Quantity) -> bool:
    """Whether a share says who takes part (`52 Prozent Frauen`), not how many succeeded."""
    lemmas = doc._.words.lemmas
    near = lemmas[max(0, quantity.start - 3) : quantity.start] + lemmas[quantity.end : quantity.end + 3]
    return any(lemma in _MAKE_UP for lemma in near)


def _prices(doc: "Doc") -> frozenset[int]:
    """The first tokens of sums that a cue touches: a price for each, a pot for many, what would have been paid.

    `50.000 Euro pro Jahr` is no price.
    """
    cues = [cue for cue in doc._.cues if cue.table == "money"]
    yearly = {cue.start for cue in cues if cue.label == "yearly"}
    prices = [range(cue.start, cue.end) for cue in cues if cue.label == "price"]
    told = {at for tokens in prices if yearly.isdisjoint(tokens) for at in tokens}
    return frozenset(one.start for one in doc._.quantities if not told.isdisjoint(range(one.start, one.end)))


def _budget(doc: "Doc", prices: Container[int]) -> Found | None:
    """What the project costs or is granted: a total before funding before a yearly sum; prizes and rents are none."""
    found: list[tuple[int, bool, float, Quantity, str]] = []
    labels: dict[int, set[str]] = {}
    for cue in doc._.cues:
        if cue.table == "money":
            labels.setdefault(sentence_of(doc, cue.start)[0], set()).add(cue.label)
    for quantity in doc._.quantities:
        told = labels.get(sentence_of(doc, quantity.start)[0], set())
        if quantity.unit != "money" or "no_budget" in told or quantity.most < 500 or quantity.start in prices:
            continue
        kind = (
            "yearly" if "yearly" in told else "total" if "total" in told else "funding" if "funding" in told else None
        )
        if kind:
            wanted = doc._.clauses[doc._.clause_of[quantity.start]].status == "planned"
            found.append((BUDGETS.index(kind), wanted, -quantity.most, quantity, kind))
    if not found:
        return None
    _, _, most, quantity, kind = min(found, key=lambda item: (*item[:3], item[3].start))
    return Found(quantity, -most, kind)


def _budget_facts(doc: "Doc", found: Found) -> Iterator[Fact]:
    yield from _facts("budget_eur", found)
    yield Fact("budget_kind", found.kind, found.quantity.start, found.quantity.end)
    yield from _price_year(doc, *sentence_of(doc, found.quantity.start))


def _price_year(doc: "Doc", start: int, end: int) -> Iterator[Fact]:
    """The first year named in the sentence of the budget; `davon 2000 Euro` is none, nor is an end: `bis Ende 2026`."""
    counted = {at for quantity in doc._.quantities for at in range(quantity.start, quantity.end)}
    forms = doc._.words.forms
    for at, text in enumerate(doc._.words.texts[start:end], start):
        ends = not _UNTIL.isdisjoint(forms[max(start, at - _TO_YEAR) : at])
        if is_year(year := text.removesuffix(".")) and at not in counted and not ends:
            yield Fact("price_year", int(year), at, at + 1)
            return
