"""Counted things in German: numbers with ranges, shares and units (`40 bis 50 Frauen`, `acht von zehn`).

Below: `pipeline.nlp.numerals`, `pipeline.nlp.rules`. Above: `pipeline.nlp.counting`, the components for impact and
scalars.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from pipeline.nlp.cues import CueIndex
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.numerals import ARTICLES, EVERY, FRACTIONS, MULTIPLIERS, is_year, parse_number
from pipeline.nlp.rules import load_rules
from pipeline.nlp.words import is_verb

_RANGE = re.compile(r"(\d[\d.]*)[-–](\d[\d.]*)")
_EVEN = (",-", ",--", ",–", ",—")
"""At the end of a price without cents."""
_NOUN_REACH = 6
_EACH_ONE = frozenset({"jede", "jeder", "jedes", "jeden"})
_PERCENT = frozenset({"%", "prozent", "percent"})
_RANGE_WORDS = frozenset({"bis", "–", "-", "—", "to"})
_STOPS = frozenset(",;:()!?\"'–—/") | {
    "und",
    "oder",
    "als",
    "zu",
    "dass",
    "wie",
    "pro",
    "je",
    "mit",
    "ohne",
    "in",
    "im",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it counts; half-open token indices.

    `unit` is one of `rules/quantities.yaml` (persons, helpers, households, uses, …), `percent`, or `things`.
    `bare`: no noun follows, a verb does (`57 hatten …`): persons are meant. `each`: per group, meeting or week.
    """

    value: float
    upper: float | None
    unit: str
    of: float | None
    start: int
    end: int
    bare: bool = False
    each: bool = False

    @property
    def most(self) -> float:
        """The value, or the upper bound of a range."""
        return self.value if self.upper is None else self.upper


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of one sentence: in lower case, their lemmas, as written."""

    forms: Sequence[str]
    lemmas: Sequence[str]
    texts: Sequence[str]
    language: str

    def number(self, at: int) -> float | None:
        """The number at a position; one that ends the sentence may carry its dot."""
        if not 0 <= at < len(self.forms):
            return None
        form = self.forms[at]
        if form.endswith(".") and at == len(self.forms) - 1:
            form = form[:-1]
        if form.endswith(_EVEN):
            form = form[: form.rindex(",")]
        return parse_number(form, self.language)


def german_quantities(sentence: Sentence) -> list[Quantity]:
    """The quantities of a German sentence, in order; token indices count from its start."""

    def read(at: int) -> Quantity | None:
        return _share(sentence, at) or _count(sentence, at) if _may_begin(sentence, at) else None

    return scan(len(sentence.forms), read)


def scan(tokens: int, read: Callable[[int], Quantity | None]) -> list[Quantity]:
    """What `read` finds from each position on; what one quantity covers is passed over."""
    found = []
    at = 0
    while at < tokens:
        quantity = read(at)
        if quantity is None:
            at += 1
            continue
        found.append(quantity)
        at = max(quantity.end, at + 1)
    return found


def _may_begin(sentence: Sentence, at: int) -> bool:
    """Whether a number or a share can begin at a position: a cheap look that spares most words the thorough one."""
    form = sentence.forms[at]
    return _opens(form, sentence.language) or (at == len(sentence.forms) - 1 and sentence.number(at) is not None)


@lru_cache(maxsize=KEPT_WORDS)
def _opens(form: str, language: str) -> bool:
    numeric = form.endswith(_EVEN) or parse_number(form, language) is not None
    return form[0].isdigit() or form in _EACH_ONE or form in FRACTIONS or numeric


def _share(sentence: Sentence, at: int) -> Quantity | None:
    """`die Hälfte`, `zwei Drittel`, `jeder Fünfte`, as percent."""
    form = sentence.forms[at]
    if form in _EACH_ONE and at + 1 < len(sentence.forms):
        every = EVERY.get(sentence.forms[at + 1].removesuffix("r").removesuffix("n").removesuffix("s"))
        return percent(100 / every, at, at + 2) if every else None
    number = sentence.number(at)
    following = sentence.forms[at + 1] if at + 1 < len(sentence.forms) else ""
    if number is not None and following in FRACTIONS and number <= FRACTIONS[following]:
        return percent(100 * number / FRACTIONS[following], at, at + 2)
    if form in FRACTIONS and form != "halb" and sentence.texts[at][0].isupper():
        return percent(100 / FRACTIONS[form], at, at + 1)
    return None


def percent(value: float, start: int, end: int) -> Quantity:
    """A share of a whole."""
    return Quantity(round(value, 2), None, "percent", None, start, end)


def _count(sentence: Sentence, at: int) -> Quantity | None:
    value, upper, end = _number(sentence, at)
    if value is None or _is_no_count(sentence, at, end, value):
        return None
    if end < len(sentence.forms) and sentence.forms[end] in _PERCENT:
        return Quantity(value, upper, "percent", None, at, end + 1)
    whole, end_of = _whole(sentence, end)
    noun, unit = _noun(sentence, end_of)
    if upper is None and whole is None:
        value, end, noun, unit = _sum(sentence, end, value, noun, unit)
    bare = noun is None and whole is None and (_is_finite(sentence, end) or _is_finite(sentence, at - 1))
    if noun is None and (bare or whole is not None):
        unit = "persons"
    last = max(end_of if whole is not None else end, (noun + 1) if noun is not None else 0)
    return Quantity(value, upper, unit, whole, at, last, bare, _is_each(sentence, at, last))


def _number(sentence: Sentence, at: int) -> tuple[float | None, float | None, int]:
    """Value, upper bound and end of a number at a position: with multiplier, as a range."""
    pair = _RANGE.fullmatch(sentence.forms[at])
    if pair:
        low, high = parse_number(pair[1], sentence.language), parse_number(pair[2], sentence.language)
        ordered = low is not None and high is not None and low < high
        return (low, high, at + 1) if ordered else (None, None, at)
    value, end = _multiplied(sentence, at)
    if value is None:
        return None, None, at
    if sentence.forms[at - 1 : at] == ["zwischen"] and sentence.forms[end : end + 1] == ["und"]:
        upper, last = _multiplied(sentence, end + 1)
    elif end < len(sentence.forms) and sentence.forms[end] in _RANGE_WORDS:
        step = end + 1 + (sentence.forms[end + 1 : end + 2] == ["zu"])
        upper, last = _multiplied(sentence, step)
    else:
        return value, None, end
    return (value, upper, last) if upper is not None and upper > value else (value, None, end)


def _multiplied(sentence: Sentence, at: int) -> tuple[float | None, int]:
    value, end = _spaced(sentence, at)
    if value is None:
        return None, at
    factor = MULTIPLIERS.get(sentence.forms[end].rstrip(".") if end < len(sentence.forms) else "")
    if factor is not None:
        return value * factor, end + 1
    return (None, at) if sentence.forms[at] in ARTICLES else (value, end)


def _spaced(sentence: Sentence, at: int) -> tuple[float | None, int]:
    """A number whose thousands are set apart by a blank (`200 000`, DIN 5008)."""
    value, end = sentence.number(at), at + 1
    if value is None or not (sentence.forms[at].isdigit() and len(sentence.forms[at]) <= 3):
        return value, end
    while end < len(sentence.forms) and sentence.forms[end].isdigit() and len(sentence.forms[end]) == 3:
        value = value * 1000 + int(sentence.forms[end])
        end += 1
    return value, end


def _is_no_count(sentence: Sentence, at: int, end: int, value: float) -> bool:
    """Years, ages, paragraphs, levels of language, numbers after a noun that they only name."""
    before = sentence.forms[at - 1] if at else ""
    text = sentence.texts[at].removesuffix(".")
    noun, unit = _noun(sentence, end)
    if text.isdigit() and len(text) == 4 and 1800 <= value < 1900:
        return before.isalpha() and sentence.texts[at - 1][0].isupper() and unit == "things"
    if text.isdigit() and len(text) == 4 and 1900 <= value <= 2099:
        is_sum = unit == "money" and noun == end
        return not is_sum and not (unit == "persons" and _is_approximate(sentence, at))
    if before == "/" and at > 1 and is_year(sentence.forms[at - 2]):
        return True
    if before in {
        "§",
        "nr.",
        "nr",
        "klasse",
        "sgb",
        "artikel",
        "art.",
        "absatz",
        "abs.",
        "unter",
        "statt",
        "seite",
        "kapitel",
        "modul",
        "platz",
        "stufe",
        "covid",
        "alter",
        "mehrere",
        "einige",
        "viele",
    }:
        return True
    following = sentence.forms[end] if end < len(sentence.forms) else ""
    return following in {"uhr", "."} and end < len(sentence.forms) - 1


def _is_approximate(sentence: Sentence, at: int) -> bool:
    """Whether `rund`, `ca.` or `mehr als` stands right before a position."""
    before = [form.removesuffix(".") for form in sentence.forms[max(0, at - 2) : at]]
    return bool(before) and not _approximate().isdisjoint({before[-1], " ".join(before)})


def _whole(sentence: Sentence, end: int) -> tuple[float | None, int]:
    """`… von 10`, `… der 80`: what the number is part of."""
    if sentence.forms[end : end + 1] and sentence.forms[end] in {"von", "der", "of", "aus"}:
        step = end + 1
        while step < len(sentence.forms) and step < end + 3 and sentence.forms[step] in _skip():
            step += 1
        whole, last = _multiplied(sentence, step)
        if whole is not None and not 1900 <= whole <= 2099:
            return whole, last
    return None, end


def _sum(sentence: Sentence, end: int, value: float, noun: int | None, unit: str) -> tuple[float, int, int | None, str]:
    """`23 und 22 Frauen`: two numbers before one noun are added."""
    if noun is None and sentence.forms[end : end + 1] == ["und"]:
        other, last = _multiplied(sentence, end + 1)
        if other is not None:
            second, second_unit = _noun(sentence, last)
            if second is not None and second_unit == "persons" and not 1900 <= other <= 2099:
                return value + other, last, second, second_unit
    return value, end, noun, unit


def _noun(sentence: Sentence, at: int) -> tuple[int | None, str]:
    """The counted noun after a number: over adjectives, not over verbs, marks and prepositions."""
    for position in range(at, min(at + _NOUN_REACH, len(sentence.forms))):
        form, lemma = sentence.forms[position], sentence.lemmas[position]
        unit = unit_of(form, lemma)
        capital = sentence.texts[position][:1].isupper()
        if unit is not None and (capital or unit in {"money", "time"}):
            return position, unit
        joins = form in {"und", "oder"} and position > at
        if (form in _STOPS and not joins) or sentence.number(position) is not None:
            break
        if capital:
            return position, "things"
        if (
            form not in _skip()
            and lemma not in _skip()
            and is_verb(form, lemma)
            and not _is_attribute(sentence, position)
        ):
            break
    return None, "things"


def _is_each(sentence: Sentence, at: int, end: int) -> bool:
    """Whether a count is one per group, meeting or week: `jeweils acht Kinder`, `30 Frauen pro Kurs`."""
    before = sentence.forms[max(0, at - 3) : at]
    after = sentence.forms[end : end + 3]
    return any(form in _each() for form in before) or any(form in {"pro", "je", "täglich"} for form in after)


def _is_attribute(sentence: Sentence, at: int) -> bool:
    """`1.500 anerkannte Flüchtlinge`: a form that could be a verb directly before people is their attribute."""
    following = at + 1
    if not sentence.forms[at].endswith(("te", "ten", "ene", "enen")) or following >= len(sentence.forms):
        return False
    capital = sentence.texts[following][:1].isupper()
    return capital and unit_of(sentence.forms[following], sentence.lemmas[following]) in {"persons", "helpers"}


def _is_finite(sentence: Sentence, at: int) -> bool:
    inside = 0 <= at < len(sentence.forms) and not sentence.texts[at][:1].isupper()
    return inside and is_verb(sentence.forms[at], sentence.lemmas[at])


@lru_cache(maxsize=KEPT_WORDS)
def unit_of(form: str, lemma: str) -> str | None:
    """The unit that a noun stands for; the whole word before an ending, persons before others."""
    found = {cue.label for cue in _units().find([form], [lemma])}
    exact = {label for label, words in load_rules("quantities")["units"].items() if form in words or lemma in words}
    for unit in load_rules("quantities")["units"]:
        if unit in exact or (not exact and unit in found):
            return str(unit)
    return None


@cache
def _units() -> CueIndex:
    return CueIndex({"units": {label: {"strong": words} for label, words in load_rules("quantities")["units"].items()}})


@cache
def _approximate() -> frozenset[str]:
    return frozenset(load_rules("quantities")["approximate"])


@cache
def _each() -> frozenset[str]:
    return frozenset(load_rules("quantities")["each"])


@cache
def _skip() -> frozenset[str]:
    return frozenset(load_rules("quantities")["skip"])
