"""Counted things in English: sums (`€6.5 million`), shares (`one in five`, `70 per cent`), numbers with their units.

Below: `pipeline.nlp.quantities`, `pipeline.nlp.english_verbs`, `rules/english.yaml`. Above: `pipeline.nlp.counting`.
"""

from functools import lru_cache

from pipeline.nlp.english_verbs import english_verbs, english_words
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.numerals import ENGLISH_MULTIPLIERS, FRACTIONS, is_year, parse_number
from pipeline.nlp.quantities import Quantity, Sentence, percent, scan
from pipeline.nlp.rules import load_rules

_CURRENCIES = frozenset({"€", "eur", "euro", "euros"})
_OTHER_CURRENCIES = frozenset({"$", "£", "usd", "gbp", "chf"})
_NOUN_REACH = 7
_TENS = frozenset({"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"})
_WHOLES = frozenset({2, 3, 4, 5, 6, 8, 10, 20, 100})
"""`three in four`: what stands behind `in` where a share is told."""
_MONTHS = frozenset(
    {"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december"}
)  # fmt: skip
_AFTER_HOURS = frozenset({"a.m.", "p.m.", "am", "pm", "o'clock", "%", "-", ":"})


def english_quantities(sentence: Sentence) -> list[Quantity]:
    """The quantities of an English sentence, in order; token indices count from its start."""
    verbs = english_verbs(sentence.forms, sentence.lemmas)

    def read(at: int) -> Quantity | None:
        return _money(sentence, at) or _share(sentence, at) or _count(sentence, at, verbs)

    return scan(len(sentence.forms), read)


def _form(sentence: Sentence, at: int) -> str:
    return sentence.forms[at] if 0 <= at < len(sentence.forms) else ""


def _money(sentence: Sentence, at: int) -> Quantity | None:
    """`€6.5 million`, `EUR 35,000`; sums in other currencies are things."""
    known = _form(sentence, at) in _CURRENCIES
    if not known and _form(sentence, at) not in _OTHER_CURRENCIES:
        return None
    value, upper, end = _number(sentence, at + 1)
    if value is None:
        return None
    if _form(sentence, end) in _CURRENCIES:
        end += 1
    return Quantity(value, upper, "money" if known else "things", None, at, end, each=_is_each(sentence, at, end))


def _share(sentence: Sentence, at: int) -> Quantity | None:
    """`half of`, `two thirds`, `a quarter of`, `one in five`, `eight in ten`, as percent."""
    form = _form(sentence, at)
    if form == "half":
        whole = _form(sentence, at + 1) in {"of", "the", "were", "are", "found", "had", "have", "said"}
        return (
            percent(50, at, at + 1) if whole and _form(sentence, at - 1) not in {"second", "first", "other"} else None
        )
    number = 1.0 if form == "a" else _small(sentence, at)
    if number is None:
        return None
    step = at + 1 + (_form(sentence, at + 1) == "-")
    part = FRACTIONS.get(_form(sentence, step))
    if part and part > 2 and number < part and (number > 1 or _form(sentence, step + 1) in {"of", "were", "are"}):
        return percent(100 * number / part, at, step + 1)
    if _form(sentence, at + 1) == "in" or (sentence.forms[at + 1 : at + 3] == ["out", "of"] and form == "one"):
        last = at + 2 + (_form(sentence, at + 1) == "out")
        every = _small(sentence, last)
        if form != "a" and every in _WHOLES and number < every:
            return percent(100 * number / every, at, last + 1)
    return None


def _small(sentence: Sentence, at: int) -> float | None:
    number = sentence.number(at)
    return number if number is not None and number <= 100 else None


def _count(sentence: Sentence, at: int, verbs: list[bool]) -> Quantity | None:
    value, upper, end = _number(sentence, at)
    if value is None or (_form(sentence, at) in {"one", "a"} and end == at + 1):
        return None
    end_of_percent = _end_of_percent(sentence, end)
    if end_of_percent:
        return Quantity(value, upper, "percent", None, at, end_of_percent)
    if _is_no_count(sentence, at, end, value):
        return None
    whole, end_of = _whole(sentence, end)
    noun, unit = _noun(sentence, end_of, verbs)
    bare = noun is None and whole is None and _is_bare(sentence, end, verbs)
    if noun is None and (bare or (whole is not None and end_of < len(verbs) and verbs[end_of])):
        unit = "persons"
    last = max(end_of if whole is not None else end, noun + 1 if noun is not None else 0)
    return Quantity(value, upper, unit, whole, at, last, bare, _is_each(sentence, at, last))


def _end_of_percent(sentence: Sentence, end: int) -> int:
    """The end of `percent`, `per cent` or `%` at a position; 0 if it does not stand there."""
    if _form(sentence, end) in {"%", "percent", "pc"}:
        return end + 1
    return end + 2 if sentence.forms[end : end + 2] == ["per", "cent"] else 0


def _number(sentence: Sentence, at: int) -> tuple[float | None, float | None, int]:
    """Value, upper bound and end of a number at a position: `forty-nine`, `two hundred`, `ten to 15`, `20-25`."""
    pair = _form(sentence, at).replace("–", "-").split("-")
    if len(pair) == 2 and pair[0][:1].isdigit() and pair[1][:1].isdigit():
        low, high = parse_number(pair[0], "en"), parse_number(pair[1], "en")
        ordered = low is not None and high is not None and low < high
        return (low, high, at + 1) if ordered else (None, None, at)
    value, end = _multiplied(sentence, at)
    if value is None:
        return None, None, at
    joined = _form(sentence, end) in {"to", "or", "-", "–"} or (
        _form(sentence, end) == "and" and _form(sentence, at - 1) == "between"
    )
    if joined:
        step = end + 1 + (_form(sentence, end + 1) in _CURRENCIES)
        upper, last = _multiplied(sentence, step)
        if upper is not None and upper > value:
            return value, upper, last
    return value, None, end


def _multiplied(sentence: Sentence, at: int) -> tuple[float | None, int]:
    """A number with the words that multiply it: `6.5 million`, `a hundred`, `two hundred and fifty`."""
    form = _form(sentence, at)
    value: float | None
    value, end = (1.0, at + 1) if form == "a" else (sentence.number(at), at + 1)
    if value is None:
        return None, at
    if form in _TENS and _form(sentence, end) == "-" and (unit := sentence.number(end + 1)) and unit < 10:
        value, end = value + unit, end + 2
    factor = ENGLISH_MULTIPLIERS.get(_form(sentence, end).rstrip("."))
    if factor is None:
        return (None, at) if form == "a" else (value, end)
    value, end = value * factor, end + 1
    more = end + (_form(sentence, end) == "and")
    rest = sentence.number(more)
    if rest is not None and rest < factor and _form(sentence, more).isalpha() and _form(sentence, more) != "one":
        rest, end = _multiplied(sentence, more)
        value += rest or 0
    return value, end


def _is_no_count(sentence: Sentence, at: int, end: int, value: float) -> bool:
    """Years, ages, dates, hours, sections and levels."""
    before, following = _form(sentence, at - 1), _form(sentence, end)
    if is_year(sentence.texts[at].removesuffix(".")) and 1900 <= value <= 2099 and end == at + 1:
        return not (
            _is_approximate(sentence, at) and following and english_unit(following, sentence.lemmas[end]) == "persons"
        )
    if before in {"to", "-"} and sentence.number(at - 2) is not None:
        return True
    more = before == "than" and _form(sentence, at - 2) in {"more", "fewer", "less"}
    if before in english_words("no_counts_before") and not more:
        return True
    hyphenated = following == "-" and _form(sentence, end + 1) in {"year", "week", "day", "month", "hour"}
    return hyphenated or following in _AFTER_HOURS or following in _MONTHS or before in _MONTHS


def _is_approximate(sentence: Sentence, at: int) -> bool:
    before = sentence.forms[max(0, at - 2) : at]
    return bool(before) and not english_words("approximate").isdisjoint({before[-1], " ".join(before)})


def _whole(sentence: Sentence, end: int) -> tuple[float | None, int]:
    """`… of the 2,069`, `… out of 80`: what the number is part of."""
    step = end + (_form(sentence, end) == "out")
    if _form(sentence, step) != "of":
        return None, end
    step += 1
    while step < end + 5 and _form(sentence, step) in english_words("skip"):
        step += 1
    whole, last = _multiplied(sentence, step)
    if whole is not None and not is_year(_form(sentence, step)):
        return whole, last
    return None, end


def _noun(sentence: Sentence, at: int, verbs: list[bool]) -> tuple[int | None, str]:
    """The counted noun after a number: the last one known before a verb, a mark or a preposition."""
    found: tuple[int | None, str] = (None, "things")
    start = at
    if _form(sentence, at) == "of":
        start = at + 1
    for position in range(start, min(at + _NOUN_REACH, len(sentence.forms))):
        form = sentence.forms[position]
        if not form[0].isalpha() and form not in {"€", "-", "’", "'"}:
            break
        if form in english_words("stops") or (form == "and" and found[0] is not None):
            break
        if sentence.number(position) is not None and form != "one":
            break
        known = english_unit(form, sentence.lemmas[position])
        if known is not None:
            found = position, known
            if known == "money":
                break
        elif (verbs[position] and (found[0] is not None or not form.endswith("ed"))) or (
            found[0] is not None and found[1] not in {"persons", "helpers"} and form not in english_words("skip")
        ):
            break
    return found


def _is_bare(sentence: Sentence, end: int, verbs: list[bool]) -> bool:
    """`57 had found work`, `40 of them`: people are meant."""
    if _form(sentence, end) == "of":
        return _form(sentence, end + 1) in {"them", "those", "whom", "us"}
    return end < len(verbs) and verbs[end]


def _is_each(sentence: Sentence, at: int, end: int) -> bool:
    before, after = sentence.forms[max(0, at - 3) : at], sentence.forms[end : end + 2]
    return not (english_words("each").isdisjoint(before) and english_words("each_after").isdisjoint(after))


@lru_cache(maxsize=KEPT_WORDS)
def english_unit(form: str, lemma: str) -> str | None:
    """The unit that an English noun stands for; None if it is no counted one."""
    units = load_rules("english")["units"]
    return next((unit for unit, words in units.items() if form in words or lemma in words), None)
