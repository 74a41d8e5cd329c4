"""Home addresses: street and number that stand beside a person's name or after a word such as `wohnt`.

Below: `pipeline.nlp.name_tables`. Above: `pipeline.nlp.privacy`.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from pipeline.nlp.name_tables import tables

_STREET_END = (
    r"(?:stra(?:ß|ss)e|str\.?|weg|platz|allee|gasse|ring|ufer|damm|steig|steg|pfad|hof|berg|markt|graben|kamp|winkel"
    r"|park|chaussee|wall|tor|bogen|blick|grund|feld|siedlung|twiete|stieg|zeile|promenade|garten|anger|leite|rain"
    r"|wiese|wiesen|acker|brink|redder|koppel)"
)
_PLACED = (
    r"(?:Am|An der|An den|Im|In der|In den|Auf dem|Auf der|Zum|Zur|Unter den|Hinter der|Hinter dem|Beim|Bei der"
    r"|Vor dem) [A-ZÄÖÜ][^\W\d_]{2,40}(?:[ -][A-ZÄÖÜ][^\W\d_]{2,40})?"
)
_ADDRESS = re.compile(
    rf"(?<!\w)(?P<street>(?-i:(?=[A-ZÄÖÜ]))(?:[^\W\d_]{{1,40}}[.-]{{1,2}}){{0,6}}[^\W\d_]{{0,40}}?{_STREET_END}"
    rf"|(?-i:{_PLACED}))"
    r"[ \u00a0]{1,2}(?!(?:19|20)\d\d(?!\d))\d{1,4}[ \u00a0]?(?:[a-zA-Z](?!\w))?"
    r"(?:\s?[-–/+]\s?\d{1,4}[a-z]?)?(?![\w]|[.,]\d)",
    re.IGNORECASE,
)
_ENDS_AS_STREET = re.compile(rf"{_STREET_END}$", re.IGNORECASE)
_ENDS_AS_PLACE = re.compile(rf"{_PLACED}$")
_HEAD_ONLY = re.compile(r"(?:stra(?:ß|ss)e|str\.?|platz|weg|allee|ring|ufer|gasse|damm)(?=[ \u00a0])", re.IGNORECASE)
_FRONT = re.compile(r"((?:[A-ZÄÖÜ][^\W\d_]{1,30}[ -]){1,3})$")
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE_END = re.compile(r"(?<=[a-zäöüß]{3}[.!?])\s")
_NUMBER = re.compile(r"(?<=[^\W\d_])\.?[ \u00a0]{1,2}(?=\d{1,4}(?!\d))")
_AT_A_PERSON = re.compile(r",? \(?bei (?:Familie|Fam\.|Frau|Herrn|Ehepaar)\b")
_LONGEST = 90
_LONGEST_END = 10
_MOST_OF_NUMBER = 18
_NEAR = 60
_SENTENCE = 240
_LONGEST_HOME = 20


def home_addresses(text: str, persons: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans of street and number that belong to a person; postcode and town stay.

    Args:
        text: The text.
        persons: Spans of names, in order.
    """
    ends = [end for _, end in persons]
    homes: list[int] | None = None
    for number in _NUMBER.finditer(text):
        match = _before_number(text, number.start())
        if match is None:
            continue
        if homes is None:
            homes = [home.start() for home in _home_words().finditer(text)]
        start, end = match.start(), len(match[0].rstrip()) + match.start()
        if _HEAD_ONLY.match(match[0]) and (front := _FRONT.search(text, max(0, start - 100), start)):
            start = front.start(1)
        if (
            _beside_a_person(text, start, ends)
            or _lived_at(text, start, homes)
            or _AT_A_PERSON.match(text, end, end + 24)
        ):
            yield start, end


def _before_number(text: str, at: int) -> re.Match[str] | None:
    """The address whose number begins at an offset, or after the full stop there."""
    name_end = at + (text[at] == ".")
    if not (
        _ENDS_AS_STREET.search(text, max(0, at - _LONGEST_END), name_end)
        or _ENDS_AS_PLACE.search(text, max(0, at - _LONGEST), at)
    ):
        return None
    for match in _ADDRESS.finditer(text, max(0, at - _LONGEST), at + _MOST_OF_NUMBER):
        if match.start() < at < match.end():
            return match
    return None


def _beside_a_person(text: str, start: int, ends: Sequence[int]) -> bool:
    """Whether a name ends shortly before, with no institution and no end of a sentence between."""
    at = bisect_right(ends, start) - 1
    if at < 0 or start - ends[at] > _NEAR:
        return False
    between = text[ends[at] : start]
    return not _SENTENCE_END.search(between) and "\n\n" not in between and not _has_institution(between)


def _lived_at(text: str, start: int, homes: Sequence[int]) -> bool:
    """Whether the sentence before says that somebody lives there; `homes` is where such words can begin, in order."""
    if bisect_left(homes, start) == bisect_left(homes, start - _SENTENCE - _LONGEST_HOME):
        return False
    before = text[max(0, start - _SENTENCE) : start]
    ends = [match.end() for match in _SENTENCE_END.finditer(before)]
    words = _WORD.findall(before, ends[-1] if ends else 0)
    return any(map(_is_home, words)) and not any(map(_is_institution, words))


def _has_institution(text: str) -> bool:
    return any(map(_is_institution, _WORD.findall(text)))


@cache
def _home_words() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, tables().words("private_homes"))), re.IGNORECASE)


@lru_cache(maxsize=10_000)
def _is_home(word: str) -> bool:
    return tables().has("private_homes", word.lower())


@lru_cache(maxsize=10_000)
def _is_institution(word: str) -> bool:
    return tables().has("institution_words", word.lower()) or tables().is_lead(word.lower())
