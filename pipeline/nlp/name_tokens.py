"""A text as words with the marks that the search for names needs: what a word can be and how it hangs on to the next.

Below: `pipeline.nlp.name_tables`. Above: `pipeline.nlp.memorial_names`, `pipeline.nlp.person_names`.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.nlp.dictionary import is_known
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.name_tables import tables

_WORD = re.compile(r"[^\W\d_]+(?:['’´`][^\W\d_]+)*(?:\.?[-‑][^\W\d_]+(?:['’´`][^\W\d_]+)*)*")
_JOINED = re.compile(r"[ \u00a0\u202f]{0,3}(?:\r?\n)?[ \u00a0]{0,3}")
_ON_ONE_LINE, _OVER_LINES, _APART = 1, 2, 3
_BEYOND = 8
"""So many words before and after a text may be asked for: they have no marks."""
_ABBREVIATED = {"ph", "ch", "th", "chr", "jos", "joh", "wilh", "heinr", "friedr"}
_VOWEL = r"(?:yeo|woo|you|ae|ya|eo|ye|wa|oe|yo|oo|we|wi|yu|eu|ui|ee|ou|yi|[aeoui])"
_SYLLABLE = rf"(?:[gkndtrlmbpsjhwy]|ch|sh)?{_VOWEL}(?:ng|[knlmpth])?"
_INITIALS = re.compile(r"[A-ZÄÖÜ]\.?-[A-ZÄÖÜ]")
_CAMEL = re.compile(r"[A-ZÄÖÜ][a-zäöü]{1,2}[A-ZÄÖÜ][a-zäöü]{0,2}")
"""MiA, MiMi: no name is as short with a capital inside (McK… and O'… are longer)."""
_KOREAN = re.compile(rf"(?=[A-Z])(?i:{_SYLLABLE})-{_SYLLABLE}")
"""A given name of two syllables, the second one small: `Ha-eun`."""


class Mark:
    """What a word can be, as bits of an integer (an `IntFlag` is ten times slower); several at once."""

    CAPITAL = 1
    GIVEN = 2
    AMBIGUOUS = 4
    """A given name that is also a word."""
    SURNAME = 8
    COMMON = 16
    COMPOUND = 32
    """Looks like a noun of the language, seen or not."""
    ROLE = 64
    TITLE = 128
    PARTICLE = 256
    INITIAL = 512
    HEAD = 1024
    LEAD = 2048
    LEGAL = 4096
    ACRONYM = 8192


@dataclass(slots=True)
class Tokens:
    """The words of a text as parallel lists."""

    text: str
    words: list[str]
    starts: list[int]
    marks: list[int]
    _padded: list[int] = field(init=False)
    _lowers: list[str] = field(init=False)
    _joints: bytearray = field(init=False)

    def __post_init__(self) -> None:
        # Padding at the end answers for numbers below zero as well.
        self._padded = [*self.marks, *[0] * _BEYOND]
        self._lowers = [*map(str.lower, self.words), *[""] * _BEYOND]
        self._joints = bytearray(max(0, len(self.words) - 1)) + bytes([_APART]) * (_BEYOND + 1)

    def __len__(self) -> int:
        return len(self.words)

    def end(self, token: int) -> int:
        """One past the last code point of a word."""
        return self.starts[token] + len(self.words[token])

    def lower(self, token: int) -> str:
        """The word in lower case; empty outside the text."""
        return self._lowers[token]

    def gap(self, token: int) -> str:
        """What stands between a word and the next (at most 40 code points of it)."""
        end = self.end(token)
        until = self.starts[token + 1] if token + 1 < len(self.words) else len(self.text)
        return self.text[end : min(until, end + 40)]

    def joined(self, token: int, *, line: bool = False) -> bool:
        """Whether only space stands between a word and the next; after an initial or a title a full stop may.

        Args:
            token: The first of the two.
            line: Whether they must stand on one line.
        """
        joint = self._joints[token]
        if not joint:
            joint = self._joints[token] = self._joint(token)
        return joint == _ON_ONE_LINE or (joint == _OVER_LINES and not line)

    def _joint(self, token: int) -> int:
        gap = self.gap(token)
        if gap.startswith(".") and self.marks[token] & (Mark.INITIAL | Mark.TITLE | Mark.HEAD):
            gap = gap[1:]
            if gap in {"", "-"} and self.marks[token] & Mark.INITIAL:
                return _ON_ONE_LINE
        if not gap or len(gap) >= 8 or not _JOINED.fullmatch(gap):
            return _APART
        return _OVER_LINES if "\n" in gap else _ON_ONE_LINE

    def is_(self, token: int, marks: int) -> bool:
        """Whether a word, if there is one, has one of the marks."""
        return self._padded[token] & marks != 0

    def namely(self, token: int, *, strict: bool) -> bool:
        """Whether a word can be part of a name.

        Args:
            token: Its number.
            strict: Nothing that looks like a noun, but listed names; else anything but listed words.
        """
        marks = self._padded[token]
        if marks & (Mark.CAPITAL | Mark.ACRONYM) != Mark.CAPITAL:
            return False
        if marks & (Mark.GIVEN | Mark.AMBIGUOUS | Mark.SURNAME):
            return True
        return not marks & (
            (Mark.COMMON | Mark.COMPOUND | Mark.TITLE | Mark.INITIAL)
            if strict
            else Mark.COMMON | Mark.TITLE | Mark.INITIAL
        )


def read_tokens(text: str) -> Tokens:
    """Cuts a text into words; parts of addresses in the net are none."""
    words, starts, marks = [], [], []
    for match in _WORD.finditer(text):
        start, end = match.span()
        before, after = text[start - 1 : start], text[end : end + 1]
        if after == "@" or (before and before in "@/_&=.0123456789" and _in_an_address(text, start)):
            continue
        words.append(match[0])
        starts.append(start)
        marks.append(marks_of(match[0]))
    return Tokens(text, words, starts, marks)


def _in_an_address(text: str, start: int) -> bool:
    """Whether a word goes on from `@`, `/`, `.` or a digit; after a slash or a full stop a capital begins anew."""
    before = text[start - 1]
    if before == ".":
        return text[start - 2 : start - 1].isalnum() and not text[start].isupper()
    return before != "/" or not text[start].isupper()


@lru_cache(maxsize=KEPT_WORDS)
def marks_of(word: str) -> int:
    """The marks of one word, by itself."""
    known = tables()
    lower = word.lower().replace("’", "'")
    marks = 0
    if known.has("particles", lower) and (word[0].islower() or lower in {"al", "el", "van", "von", "de", "abu", "ben"}):
        marks |= Mark.PARTICLE
    if known.has("titles", re.split("[.-]", lower)[0]) and known.has("titles", lower) | ("." in lower):
        marks |= Mark.TITLE
    if not word[0].isupper():
        return (
            marks
            | (Mark.PARTICLE if lower.startswith(("al-", "el-")) else 0)
            | (Mark.ROLE if known.is_role(lower) else 0)
        )
    marks |= Mark.CAPITAL
    if len(word) == 1 or lower in _ABBREVIATED:
        return marks | Mark.INITIAL
    if _KOREAN.fullmatch(word):
        return marks | Mark.GIVEN
    if _INITIALS.fullmatch(word):
        return marks | Mark.INITIAL
    if _CAMEL.fullmatch(word) or (word.isupper() and len(word) == 2 and known.is_given(lower)):
        return marks | Mark.ACRONYM | _noun_marks(lower)
    shouted = (word.isupper() and len(word) <= 5) or (len(word) <= 4 and word[-1].isupper())
    if shouted and not known.is_given(lower) and not known.is_surname(lower):
        marks |= Mark.ACRONYM
    return marks | _name_marks(lower) | _noun_marks(lower)


@lru_cache(maxsize=KEPT_WORDS)
def is_word(word: str) -> bool:
    """Whether the German dictionary knows a word as it is written."""
    return len(word) < 60 and is_known(word)


@lru_cache(maxsize=KEPT_WORDS)
def is_noun(word: str) -> bool:
    """Whether the dictionary knows a word, its form without `s`, or a noun of five letters or more at its end."""
    if is_word(word) or is_word(word.removesuffix("s")):
        return True
    last = word.rsplit("-", maxsplit=1)[-1]
    ends = (last[cut:] for cut in range(3, len(last) - 3) if not tables().is_given(last[cut:]))
    return len(last) < 60 and any(is_word(end.capitalize()) for end in ends)


def _name_marks(lower: str) -> int:
    known = tables()
    marks = 0
    for form in _bases(lower):
        if known.is_given(form):
            marks |= Mark.GIVEN
        elif known.is_ambiguous(form) and form == lower:
            marks |= Mark.AMBIGUOUS
        if known.is_surname(form) and (form == lower or not known.is_common(lower)):
            marks |= Mark.SURNAME
    return marks


def _noun_marks(lower: str) -> int:
    known = tables()
    marks = 0
    for mark, holds in (
        (Mark.COMMON, known.is_common),
        (Mark.COMPOUND, known.is_compound),
        (Mark.ROLE, known.is_role),
        (Mark.HEAD, known.is_head),
        (Mark.LEAD, known.is_lead),
    ):
        if holds(lower):
            marks |= mark
    return marks | (Mark.LEGAL if known.has("legal_forms", lower) else 0)


def _bases(lower: str) -> list[str]:
    """The word itself, and without the `s` of the genitive."""
    for ending in ("'s", "'", "s"):
        if lower.endswith(ending) and len(lower) - len(ending) >= 3:
            return [lower, lower[: -len(ending)]]
    return [lower]
