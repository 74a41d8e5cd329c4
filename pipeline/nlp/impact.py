"""Impact: claims with level, status and quantity; from them the result level; and the evidence grade.

Levels after the PHINEO impact staircase, evidence grades the house's own scale (docs/architecture.md, "Impact").

Below: `pipeline.nlp.judge`, `pipeline.nlp.claim_rules`. Above: `pipeline.nlp.readings`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.corpus_files import Status
from pipeline.nlp.claim_rules import OUTCOME, USES, cues_by_clause, quantities_by_clause, tells_of_an_award
from pipeline.nlp.clauses import Clause
from pipeline.nlp.judge import Floats, judge_clauses
from pipeline.nlp.lemmas import Words
from pipeline.nlp.marks import GRADES, LEVELS, Marks
from pipeline.nlp.numerals import is_year
from pipeline.nlp.quantities import Quantity

if TYPE_CHECKING:
    from spacy.tokens import Doc

_DOUBT = 0.3
"""A clause is a statement unless it is three times as likely that it is none: a missed one is worse than a weak one."""
_TEXT_SHARE = {"de": 0.5, "en": 0.3}
_GRADE_SHARE = 0.8
"""The share of what the reader of spans says of the whole text; it learned German ones."""
_FIRST_LEVEL = {"de": 1.6, "en": 1.0}
"""So many times the likelihood of level 1 counts: that something took place is said in passing, and both miss it."""
_AND = frozenset({"und", "oder", "and", "or"})
_OF_CONTACT = frozenset({"tel", "tel.", "telefon", "fax", "mobil", "e-mail", "email", "mail"})
_POST_CODE = 5
_SHORT = 5
"""A clause with a verb and more tokens than this says something."""
_UNITS = ("persons", "percent", "households", "helpers", "jobs", "dwellings", "uses", "places", "things")
_CARRIED = 0.1
_SURE = 0.4
"""A text has a level where one clause of a result has at least this probability of that level or a higher one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one clause states: level 1-7, status, the count it gives, and its token span."""

    level: int
    status: Status
    start: int
    end: int
    quantity: Quantity | None


@dataclass(frozen=True, slots=True)
class Grade:
    """An evidence grade and the token span that carries it."""

    value: str
    span: tuple[int, int] | None


def find_impact(doc: "Doc") -> "Doc":
    """Component `checkup_impact`: sets `doc._.claims` (text order) and `doc._.grade`."""
    cues = defaultdict(set, cues_by_clause(doc, "impact"))
    for index, labels in cues_by_clause(doc, "practice").items():
        if tells_of_an_award(labels):
            cues[index].add("award")
    counts = quantities_by_clause(doc)
    places = defaultdict(list)
    for at, one in enumerate(doc._.quantities):
        places[doc._.clause_of[one.start]].append(at)
    claims = []
    for index, (clause, level) in enumerate(zip(doc._.clauses, _levels(doc), strict=True)):
        if level:
            start, end = clause.spans[0][0], clause.spans[-1][1]
            claims.append(Claim(level, clause.status, start, end, _best_count(doc, places[index], level)))
    doc._.claims = claims
    grade = _grade(doc, cues, counts)
    doc._.grade = grade if doc._.marks is None else _settled(grade, doc._.marks, claims)
    return doc


def _settled(ruled: Grade, marks: Marks, claims: list[Claim]) -> Grade:
    """The grade by the rules and the reader of spans; where that one decides, the strongest claim carries it.

    A rigorous study that found nothing stands where the rules see one: the reader knows few.
    """
    if ruled.value == "X":
        return ruled
    likely = _GRADE_SHARE * marks.of("text_grade")[0]
    likely[GRADES.index(ruled.value)] += 1 - _GRADE_SHARE
    value = GRADES[int(likely.argmax())]
    if value == ruled.value or value == GRADES[0]:
        return ruled if value == ruled.value else Grade(value, None)
    strongest = best_claim(claims)
    return Grade(value, (strongest.start, strongest.end) if strongest else ruled.span)


def _levels(doc: "Doc") -> list[int]:
    """The level of every clause, 0 where it states nothing; no result stands above the level of the whole text."""
    clauses: list[Clause] = doc._.clauses
    if not clauses:
        return []
    likely = judge_clauses(doc)
    title_end: int = doc._.title_tokens
    no_statement = [clause.spans[0][0] < title_end or _says_nothing(doc, clause) for clause in clauses]
    likely[no_statement] = np.eye(LEVELS, dtype=np.float32)[0]
    doubtful = likely.copy()
    doubtful[:, 0] *= _DOUBT
    levels = doubtful.argmax(axis=1)
    results = np.asarray([clause.status == "result" for clause in clauses])
    at_least = likely[:, ::-1].cumsum(axis=1)[:, ::-1] * results[:, None]
    if doc._.marks is None:
        surest = at_least.max(axis=0)
        best = max((level for level in range(1, LEVELS) if surest[level] >= _SURE), default=0)
    else:
        best = _text_level(doc._.marks, at_least, doc.lang_)
    levels[results] = np.minimum(levels[results], best)
    if best:
        levels[int(at_least[:, best].argmax())] = best
    return [int(level) for level in levels]


def _says_nothing(doc: "Doc", clause: Clause) -> bool:
    """Whether a clause is a single word, a verb after `und` alone, or a line of an address."""
    if clause.verbs and clause.spans[0][1] - clause.spans[0][0] > _SHORT:
        return False
    words: Words = doc._.words
    said = [at for start, end in clause.spans for at in range(start, end) if words.texts[at][0].isalnum()]
    if len(said) <= 1:
        return True
    if len(said) == 2:
        return words.forms[said[0]] in _AND
    return not clause.verbs and any(words.forms[at] in _OF_CONTACT or _is_post_code(words, at) for at in said)


def _is_post_code(words: Words, at: int) -> bool:
    """`20099 Hamburg`: five digits, then a name."""
    digits = len(words.texts[at]) == _POST_CODE and words.texts[at].isdecimal()
    return digits and at + 1 < len(words.texts) and words.texts[at + 1][:1].isupper()


def _text_level(marks: Marks, at_least: Floats, language: str) -> int:
    """The level of the whole text: what its clauses carry, and what the reader of spans says of it as a whole.

    One that no clause carries is not told, however likely it is. A text has none where that is likelier than all others
    together.
    """
    carried = np.append(at_least.max(axis=0), 0.0)
    carried[0] = 1.0
    share = _TEXT_SHARE[language]
    likely = share * marks.of("text_level")[0] - (1 - share) * np.diff(carried)
    likely[1] *= _FIRST_LEVEL[language]
    likely[carried[:-1] < _CARRIED] = 0.0
    some = likely[1:].clip(0.0)
    return 0 if likely[0] >= some.sum() else 1 + int(some.argmax())


def best_claim(claims: list[Claim]) -> Claim | None:
    """The claim that carries the result level: the highest that is a result, with a count before without."""
    results = [claim for claim in claims if claim.status == "result"]
    return max(results, key=lambda claim: (claim.level, claim.quantity is not None, -claim.start), default=None)


def _best_count(doc: "Doc", counts: list[int], level: int) -> Quantity | None:
    """The count a claim gives, of those with these places among the numbers.

    Of an outcome a part of a whole, then persons before shares before others; of equals the one that the reader of
    spans holds most likely for people reached or for a rate, else the first.
    """
    numbers: list[Quantity] = doc._.quantities

    def rank(at: int) -> tuple[bool, bool, int, float]:
        one = numbers[at]
        likely = 0.0 if doc._.marks is None else max(float(doc._.marks.of(name)[at, 1]) for name in ("reached", "rate"))
        return one.each, level >= OUTCOME and one.of is None, _UNITS.index(one.unit), -likely

    best = min((at for at in counts if numbers[at].unit in _UNITS), key=rank, default=None)
    return None if best is None else numbers[best]


def _grade(doc: "Doc", cues: Mapping[int, set[str]], counts: Mapping[int, list[Quantity]]) -> Grade:
    """The highest grade for which a clause that is no plan and no denial speaks."""
    best, span = 0, None
    clauses: list[Clause] = doc._.clauses
    told: dict[int, set[str]] = defaultdict(set)
    for index, labels in cues.items():
        told[clauses[index].sentence] |= labels
    levels = {claim.start: claim.level for claim in doc._.claims if claim.status == "result"}
    texts: list[str] = doc._.words.texts
    for index, clause in enumerate(clauses):
        start, end = clause.spans[0][0], clause.spans[-1][1]
        seen = _Seen(
            cues.get(index, set()), told[clause.sentence], counts.get(index, []), levels.get(start, 0),
            years=sum(map(is_year, texts[start:end])),
        )  # fmt: skip
        value = _clause_grade(clause, seen)
        if value > best:
            best, span = value, (start, end)
    strongest = best_claim(doc._.claims)
    if best >= 3 and (strongest is None or strongest.level < 4):
        for index, labels in sorted(cues.items()):
            if "no_benefit" in labels and clauses[index].status in {"negated", "result"}:
                return Grade("X", (clauses[index].spans[0][0], clauses[index].spans[-1][1]))
    return Grade(str(best), span)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What speaks for a grade in a clause: its labels, those of its sentence, its counts, level and years."""

    labels: set[str]
    sentence: set[str]
    counts: list[Quantity]
    level: int
    years: int


def _clause_grade(clause: Clause, seen: _Seen) -> int:
    compared = "control_group" in seen.labels and "no_control_group" not in seen.sentence
    if compared and clause.status in {"result", "negated"}:
        return 4
    if clause.status != "result":
        return 0
    if ("scientist" in seen.sentence and seen.labels & {"study", "survey"}) or (
        "evaluator" in seen.labels and "examine" in seen.sentence
    ):
        return 2 if "in_house" in seen.sentence else 3
    counted = [quantity for quantity in seen.counts if quantity.unit in USES or quantity.unit == "percent"]
    if _is_systematic(seen, counted):
        return 2
    spoken = "testimony" in seen.labels and seen.level >= 3
    told = counted or any(quantity.unit == "things" for quantity in seen.counts)
    return 1 if (seen.level >= 2 and told) or spoken or "award" in seen.labels else 0


def _is_systematic(seen: _Seen, counted: list[Quantity]) -> bool:
    """Whether a clause speaks of a survey with a finding, monitoring, shares of an outcome, or figures over years."""
    if "survey" in seen.labels and (counted or seen.level >= 3):
        return True
    share = any(quantity.unit == "percent" for quantity in counted) and seen.level >= 4
    series = seen.years >= 2 and len(counted) >= 2
    return bool(counted) and ("monitoring" in seen.sentence or share or series)
