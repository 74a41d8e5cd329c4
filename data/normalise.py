"""The one way in which text is normalised, with a map back to the text as it was given.

Below: nothing. Above: `pipeline.nlp` analyses the normalised text and reports spans of the given one.
Offsets are half-open and count Unicode code points.
"""

import hashlib
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def sanitise(text: str) -> str:
    """Replaces NUL and lone surrogates by U+FFFD, one code point for one: length and offsets stay."""
    return _UNSTORABLE.sub("\ufffd", text)


def sanitise_value(value: Any) -> Any:
    """`sanitise` for every string in a JSON value, keys included; tuples become lists."""
    if isinstance(value, str):
        return sanitise(value)
    if isinstance(value, dict):
        return {sanitise(str(key)): sanitise_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sanitise_value(item) for item in value]
    return value


def sha256_text(text: str) -> str:
    """SHA-256 of a text's UTF-8 form as 64 hexadecimal digits (of its sanitised form, which is what is stored)."""
    return hashlib.sha256(sanitise(text).encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text and where each of its code points came from."""

    text: str
    source_length: int
    """Code points of the text as it was given."""
    _starts: Sequence[int] | None = None
    _ends: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the given text that a span of the normalised text came from.

        An empty span stays empty. Spans that do not overlap here do not overlap there, unless they cut what stands
        for one piece of the source (the letters of a ligature): its parts share that source.

        Raises:
            ValueError: Not within the normalised text.
        """
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"span {start}-{end} is outside of a text of {len(self.text)} code points")
        if self._starts is None or self._ends is None:
            return start, end
        if start == end:
            at = self._starts[start] if start < len(self.text) else self.source_length
            return at, at
        return self._starts[start], self._ends[end - 1]


def normalise(text: str) -> Normalised:
    r"""The form in which texts are analysed, with the way back.

    NUL and lone surrogates become U+FFFD. Soft hyphens and zero-width characters go. Decomposed letters are composed
    (NFC), Latin ligatures taken apart, quotation marks become `"` and `'`, U+2010 and U+2011 become `-`. A word
    hyphenated at a line's end is joined (`Inte-\ngration`; `Kinder-\nund Jugendhilfe` keeps its hyphen). White space
    becomes one space, one line break or, for an empty line, two; two sentences without space between them get one.
    Dashes, letter case and gender forms stay.
    """
    clean = sanitise(text)
    rewrite = _Rewrite(clean)
    rewrite.apply(_SINGLE, lambda match: _MARKS.get(match[0], ""))
    if not unicodedata.is_normalized("NFC", rewrite.text):
        rewrite.compose()
    rewrite.apply(_LAYOUT, _relayout)
    rewrite.apply(_GLUED, lambda _: " ")
    return Normalised(rewrite.text, len(text), rewrite.starts, rewrite.ends)


_BREAK = "\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
_GAP = "[^\\S" + _BREAK + "]*"
_LINE_END = f"{_GAP}(?:\r\n|[{_BREAK}]){_GAP}"
_LETTER = "[^\\W\\d_]"
_MARKS = (
    dict.fromkeys("„“”‟«»", '"')
    | dict.fromkeys("‚‘’‛‹›", "'")
    | dict.fromkeys("\u2010\u2011", "-")
    | dict(zip("\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06", ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True))
)
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
# A soft hyphen at a line's end goes together with the line break.
_SINGLE = re.compile(f"\u00ad{_LINE_END}(?={_LETTER})|[{_INVISIBLE}{''.join(_MARKS)}]")
_LAYOUT = re.compile(f"(?P<hyphen>(?<={_LETTER})-{_LINE_END}(?={_LETTER}))" r"|(?P<space>\s{2,}|[^\S \n])")
_GLUED = re.compile(r"(?:(?<=[a-zäöüß]{3}[.!?])|(?<=[a-zäöüß]{3}[.!?][\"']))(?=[A-ZÄÖÜ][a-zäöüß]*[\s,])")
"""Between two sentences that lost the space between them (`geführt.Die Stadt`); not within addresses and names."""
_AFTER_HYPHEN = re.compile(r"(?:und|oder|bzw|sowie|wie|als|noch|bis|statt|über)\b")
_LINE_BREAK = re.compile(f"\r\n|[{_BREAK}]")


def _relayout(match: re.Match[str]) -> str:
    """What a match of `_LAYOUT` becomes."""
    if match["space"]:
        breaks = len(_LINE_BREAK.findall(match[0]))
        return " " if not breaks else "\n" if breaks == 1 else "\n\n"
    following = match.string[match.end() : match.end() + 8]
    if _AFTER_HYPHEN.match(following):
        return "- "
    return "" if following[0].islower() else "-"


class _Rewrite:
    """A text under rewriting, and the source span of each of its code points (None while nothing changed)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts: array[int] | None = None
        self.ends: array[int] | None = None

    def apply(self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> None:
        """Replaces every match; each code point of a replacement comes from the whole match."""
        self._replace((match.start(), match.end(), replace(match)) for match in pattern.finditer(self.text))

    def compose(self) -> None:
        """NFC, one base character with its combining marks at a time."""
        self._replace(
            (start, end, composed)
            for start, end in _clusters(self.text)
            if (composed := unicodedata.normalize("NFC", self.text[start:end])) != self.text[start:end]
        )

    def _replace(self, changes: Iterator[tuple[int, int, str]]) -> None:
        pieces: list[str] = []
        starts, ends = array("L"), array("L")
        at = 0
        for start, end, new in changes:
            self._keep(at, start, pieces, starts, ends)
            first, last = self._source(start, end)
            pieces.append(new)
            starts.extend([first] * len(new))
            ends.extend([last] * len(new))
            at = end
        if at == 0 and not pieces:
            return
        self._keep(at, len(self.text), pieces, starts, ends)
        self.text, self.starts, self.ends = "".join(pieces), starts, ends

    def _keep(self, start: int, end: int, pieces: list[str], starts: "array[int]", ends: "array[int]") -> None:
        pieces.append(self.text[start:end])
        if self.starts is None or self.ends is None:
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
        else:
            starts.extend(self.starts[start:end])
            ends.extend(self.ends[start:end])

    def _source(self, start: int, end: int) -> tuple[int, int]:
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Spans of a character and the combining marks that follow it."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not unicodedata.combining(text[at]):
            yield start, at
            start = at
