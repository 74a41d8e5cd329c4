"""Numbers in German and English: digits with separators, number words, shares such as `zwei Drittel`.

Below: nothing. Above: `pipeline.nlp.quantities`, and every component that looks for years.
"""

import re
from functools import lru_cache

from pipeline.nlp.kept_words import KEPT_WORDS

_UNITS = {
    "null": 0, "ein": 1, "eins": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "zwei": 2, "zwo": 2, "drei": 3,
    "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12,
    "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15, "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19,
}  # fmt: skip
_TENS = {
    "zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "siebzig": 70,
    "achtzig": 80, "neunzig": 90,
}  # fmt: skip
_ENGLISH = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_ONE_AND_A_HALF = frozenset({"anderthalb", "eineinhalb"})
_HALF = "einhalb"
_LONGEST = 80
"""Longer tokens are no number words: the longest below one million has 65 letters (777,777)."""
ARTICLES = frozenset({"ein", "eine", "einen", "einem", "einer", "eins", "one"})
"""Words that count only where what follows is counted (`ein Dutzend`)."""

MULTIPLIERS = {
    "dutzend": 12, "hundert": 100, "tausend": 1000, "tsd": 1000, "million": 1_000_000, "millionen": 1_000_000,
    "mio": 1_000_000, "milliarde": 1_000_000_000, "milliarden": 1_000_000_000, "mrd": 1_000_000_000, "hundred": 100,
    "thousand": 1000, "dozen": 12,
}  # fmt: skip
"""Words that multiply the number before them."""
ENGLISH_MULTIPLIERS = {
    "dozen": 12, "hundred": 100, "thousand": 1000, "k": 1000, "million": 1_000_000, "millions": 1_000_000,
    "m": 1_000_000, "mn": 1_000_000, "billion": 1_000_000_000, "bn": 1_000_000_000,
}  # fmt: skip

FRACTIONS = {
    "hälfte": 2, "halb": 2, "drittel": 3, "viertel": 4, "fünftel": 5, "sechstel": 6, "siebtel": 7, "achtel": 8,
    "neuntel": 9, "zehntel": 10, "half": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4,
}  # fmt: skip
EVERY = {
    "zweite": 2, "dritte": 3, "vierte": 4, "fünfte": 5, "sechste": 6, "siebte": 7, "achte": 8, "neunte": 9,
    "zehnte": 10, "zwanzigste": 20,
}  # fmt: skip
"""`jeder Fünfte`: one of so many."""

_DIGITS = re.compile(
    r"(?P<whole>\d{1,3}(?:[.\u00a0\u202f' ]\d{3})+|\d{1,3}(?:,\d{3}){2,}|\d{1,12})(?:(?P<mark>[.,])(?P<rest>\d{1,4}))?"
)
_ENGLISH_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,4})?")


def is_year(word: str) -> bool:
    """Whether a whole token can be a year."""
    return len(word) == 4 and word[:2] in {"19", "20"} and word[2:].isdecimal()


@lru_cache(maxsize=KEPT_WORDS)
def parse_number(word: str, language: str = "de") -> float | None:
    """The value of one token: `1.200`, `1 200`, `2,5`, `12`, `zwölf`, `dreihundertfünfzig`; None if it is no number.

    A point or comma before exactly three digits separates thousands, in German the point, in English the comma.

    Args:
        word: One token, any case.
        language: `de` or `en`.
    """
    word = word.lower()
    if not word or len(word) > _LONGEST:
        return None
    if word[0].isdigit():
        return _parse_digits(word, language)
    if language == "en" and word in _ENGLISH:
        return float(_ENGLISH[word])
    value = _parse_word(word)
    return None if value is None else float(value)


def _parse_digits(word: str, language: str) -> float | None:
    if language == "en" and _ENGLISH_THOUSANDS.fullmatch(word):
        return float(word.replace(",", ""))
    match = _DIGITS.fullmatch(word)
    if match is None or (not word.isascii() and not word.replace("\u00a0", "").replace("\u202f", "").isascii()):
        return None
    whole = int(re.sub(r"\D", "", match["whole"]))
    if match["rest"] is None:
        return float(whole)
    return float(f"{whole}.{match['rest']}")


def _parse_word(word: str) -> float | None:
    """German number words below one million, and halves: `zweitausenddreihundertfünfundvierzig`, `zweieinhalb`."""
    if word in _ONE_AND_A_HALF:
        return 1.5
    if word.endswith(_HALF) and (whole := _UNITS.get(word.removesuffix(_HALF))):
        return whole + 0.5
    front, mark, back = word.partition("tausend")
    if mark:
        high = 1 if not front else _below_thousand(front)
        low = 0 if not back else _below_thousand(back.removeprefix("und"))
        return None if high is None or low is None else high * 1000 + low
    return _below_thousand(word)


def _below_thousand(word: str) -> int | None:
    front, mark, back = word.partition("hundert")
    if mark:
        high = 1 if not front else _UNITS.get(front)
        low = 0 if not back else _below_hundred(back.removeprefix("und") if back != "und" else back)
        return None if high is None or low is None or high > 19 else high * 100 + low
    return _below_hundred(word)


def _below_hundred(word: str) -> int | None:
    if word in _UNITS:
        return _UNITS[word]
    if word in _TENS:
        return _TENS[word]
    unit, mark, ten = word.partition("und")
    if mark and unit in _UNITS and ten in _TENS and 0 < _UNITS[unit] < 10:
        return _UNITS[unit] + _TENS[ten]
    return None
