"""When a project began and ended, and how long it lasts, from years with their prepositions and verbs.

Below: `pipeline.nlp.claim_rules`, `pipeline.nlp.numerals`. Above: `pipeline.nlp.facts`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from pipeline.nlp.clauses import Clause
from pipeline.nlp.lemmas import Words
from pipeline.nlp.numerals import is_year, parse_number
from pipeline.nlp.rules import word_ends, word_set
from pipeline.nlp.scalars import Fact
from pipeline.nlp.sentences import sentence_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

_words = partial(word_set, "facts_words")
_PERIOD = re.compile(r"((?:19|20)\d\d)[-–—]((?:19|20)\d\d)")
_DASHES = frozenset("-–—")
_LEAD = 6
"""So many words of a date may stand between a year and its preposition: `ab dem 1. Oktober des Jahres 2019`."""
_SURE = 2
_LENGTH = re.compile(r"(.+?)-?(jährig|monatig)(?:e[nmrs]?)?")
_MOST_MONTHS = 240
_MUST = word_set("verbs", "modals") | {"müsse", "solle", "könne", "dürfe", "wolle", "müssten"}
"""In a clause with one of these `ab 2016` is no beginning: `ab 2016 müsse man sparen`."""


@dataclass(frozen=True, slots=True)
class _Year:
    """A year, or the two of a period, with the word before its date; half-open token indices, preposition included."""

    first: int
    last: int | None
    start: int
    end: int
    before: str
    opens: bool = False
    """Whether `an` follows: `von 2018 an`."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A candidate: the earliest year counts, and of one told twice the place with the better score."""

    score: int
    fact: Fact


def years(doc: "Doc", labels: Mapping[int, set[str]]) -> Iterator[Fact]:
    """`start_year` and `end_year`, each at most once.

    Args:
        doc: With words, sentences and clauses.
        labels: The labels of `rules/facts.yaml` by clause.
    """
    starts: list[_Told] = []
    ends: list[_Told] = []
    clauses, clause_of = doc._.clauses, doc._.clause_of
    for year in _years(doc._.words):
        index = clause_of[year.end - 1]
        told = told_of(clauses, labels, index)
        status = clauses[index].ruled
        doubtful = status in {"planned", "other"} or (status == "negated" and "begin_of_own" not in told)
        doubtful = doubtful or (year.before == "ab" and _is_a_must(doc, clauses[index]))
        if doubtful and year.before != "seit":
            continue
        started, ended = _start_score(year, told), _end_score(year, told)
        if started >= _SURE:
            starts.append(_Told(started, Fact("start_year", year.first, year.start, year.end)))
        if ended >= _SURE:
            ends.append(_Told(ended, Fact("end_year", year.last or year.first, year.start, year.end)))
    start = _best(starts)
    end = _best([told for told in ends if start is None or told.fact.value >= start.value])
    yield from (fact for fact in (start, end) if fact is not None)


def _is_a_must(doc: "Doc", clause: Clause) -> bool:
    forms = doc._.words.forms
    return any(not _MUST.isdisjoint(forms[start:end]) for start, end in clause.spans)


def told_of(clauses: Sequence[Clause], labels: Mapping[int, set[str]], index: int) -> set[str]:
    """The labels of a clause, with those of the one that goes on with `und`: `Das Land verlängerte und gibt …`."""
    told = labels.get(index, set())
    if (
        index + 1 < len(clauses)
        and clauses[index + 1].first == "und"
        and clauses[index + 1].sentence == clauses[index].sentence
    ):
        return told | labels.get(index + 1, set())
    return told


def _best(told: Sequence[_Told]) -> Fact | None:
    return max(told, key=lambda item: (-item.fact.value, item.score, -item.fact.start)).fact if told else None


def _start_score(year: _Year, told: set[str]) -> int:
    if year.before == "seit" and year.last is None:
        return 0 if "not_since" in told else 3
    score = 0
    if year.last is not None:
        score = 3 if told & {"ran", "begin"} else 2 if year.before in {"(", "von", "vom", "für"} else 1
    elif year.before == "ab" or (year.before == "von" and year.opens):
        score = 3
    elif year.before not in {"bis", "zwischen", "nach", "vor", "von", "(", "um", "gegen"}:
        score = 3 if "begin_of_own" in told else 2 if "begin" in told and year.before != "(" else 0
    if "after_begin" in told:
        return 0
    return score - ((1 if "begin_of_own" in told else 2) if "not_own_year" in told else 0)


def _end_score(year: _Year, told: set[str]) -> int:
    score = 0
    if year.last is not None:
        score = 3 if "ran" in told else 2 if year.before == "(" else 1
        return score - (2 if told & {"not_own_year"} else 0)
    if year.before == "bis":
        score = 2 if "lasted_till" in told else 0
    elif year.before not in {"seit", "ab", "zwischen", "von"} and "end" in told:
        score = 3
    return score - (2 if told & {"not_own_year", "not_end"} else 0)


def _years(words: Words) -> Iterator[_Year]:
    last = 0
    for at, text in enumerate(words.texts):
        if text[0] in "12" and len(text) >= 4 and at >= last and (found := _year(words, at)) is not None:
            yield found
            last = found.end


def _year(words: Words, at: int) -> _Year | None:
    text = words.texts[at].removesuffix(".")
    period = _PERIOD.fullmatch(text)
    if period is None and not is_year(text):
        return None
    start, before = _before(words, at)
    if period:
        return _Year(int(period[1]), int(period[2]), start, at + 1, before)
    end = at + 1
    last = None
    if words.forms[end : end + 1] and (words.forms[end] == "bis" or words.texts[end] in _DASHES):
        step = end + 1
        while step < len(words.forms) and step - end < _LEAD and _is_of_date(words.forms[step]):
            step += 1
        second = words.texts[step].removesuffix(".") if step < len(words.texts) else ""
        if is_year(second) and int(second) >= int(text):
            last, end = int(second), step + 1
    return _Year(int(text), last, start, end, before, words.forms[end : end + 1] == ["an"])


def _before(words: Words, at: int) -> tuple[int, str]:
    """Where a date begins, its preposition with it, and the word that stands before the date."""
    step = at - 1
    while step >= 0 and at - step <= _LEAD and _is_of_date(words.forms[step]):
        step -= 1
    if step < 0:
        return at, ""
    before = words.forms[step]
    return (step if before in {"seit", "ab", "von", "vom", "bis"} else at), before


def _is_of_date(form: str) -> bool:
    return form in _date_words() or (form[0].isdigit() and len(form) < 4)


@cache
def _date_words() -> frozenset[str]:
    return _words("of_dates") | word_set("sentences", "months")


def duration(doc: "Doc", labels: Mapping[int, set[str]]) -> Iterator[Fact]:
    """`duration_months`: of the project itself, at most once; `labels` as in `years`."""
    words: Words = doc._.words
    for at, form in enumerate(words.forms):
        match = _LENGTH.fullmatch(form) if "jährig" in form or "monatig" in form else None
        number = parse_number(match[1]) if match else None
        if match and number and at + 1 < len(words.forms) and _is_own(words.lemmas[at + 1]):
            yield from _months(number, match[2] == "jährig", at, at + 2)
            return
    for quantity in doc._.quantities:
        noun = words.lemmas[quantity.end - 1]
        own = quantity.unit == "time" and noun in {"jahr", "monat"}
        if own and (_lasts(doc, quantity.start, quantity.end) or _ended_after(doc, labels, quantity.start)):
            yield from _months(quantity.most, noun == "jahr", quantity.start, quantity.end)
            return


def _ended_after(doc: "Doc", labels: Mapping[int, set[str]], start: int) -> bool:
    """`Nach drei Jahren endete das Projekt`."""
    first, last = sentence_of(doc, start)
    words: Words = doc._.words
    told = labels.get(doc._.clause_of[start], set())
    after = "nach" in words.forms[max(first, start - 2) : start] and "end" in told and "not_end" not in told
    return after and any(_is_own(lemma) for lemma in words.lemmas[start:last])


def _months(number: float, of_years: bool, start: int, end: int) -> Iterator[Fact]:
    months = round(number * 12 if of_years else number)
    if 0 < months <= _MOST_MONTHS:
        yield Fact("duration_months", months, start, end)


def _is_own(lemma: str) -> bool:
    return lemma.endswith(word_ends("facts_words", "own_nouns"))


def _lasts(doc: "Doc", start: int, end: int) -> bool:
    """Whether a length of time is the project's: a project, and it runs, is laid out for, or existed so long."""
    first, last = sentence_of(doc, start)
    words: Words = doc._.words
    near = words.forms[max(first, start - 4) : start] + words.forms[end : min(last, end + 3)]
    if not _words("laid_out").isdisjoint(near):
        return True
    ran = not _words("lasted").isdisjoint(near)
    return ran and any(_is_own(lemma) for lemma in words.lemmas[max(first, start - 9) : start])
