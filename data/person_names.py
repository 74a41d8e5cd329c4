"""A person's name found again in texts by hashes alone: its written variants are hashed, a text's words compared.

Below: nothing. Above: `data.store_erase` keeps the hashes, `pipeline.traces` searches files for a name that is known.
Variants: the order (`Anna Weber`, `Weber, Anna`), the genitive (`Anna Webers`), initials together with the surname
(`A. Weber`), further given names left out, umlauts written out (`Mueller`), any case. The surname alone is none.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

MASK = "\u2588"
_WORD = re.compile(r"[^\W\d_]+")
_GAP = re.compile(r"[\s,.'’_\-\u00ad\u2010\u2011+]{1,4}")
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_MOST_WORDS = 8
_AROUND = 200
"""Code points beside a surname in which the rest of a name stands."""
_PARTICLES = frozenset(
    {"von", "van", "de", "der", "den", "zu", "zur", "zum", "al", "el", "bin", "ibn", "da", "di", "dos"}
)


@lru_cache(maxsize=200_000)
def plain(word: str) -> str:
    """A word as it is compared: folded case, umlauts written out, no accents."""
    return _folded(word)


def _folded(text: str) -> str:
    if text.isascii():
        return text.casefold()
    spelled = unicodedata.normalize("NFC", text).casefold().translate(_SPELLED)
    return "".join(sign for sign in unicodedata.normalize("NFD", spelled) if not unicodedata.combining(sign))


def words_of(name: str) -> list[str]:
    """The words of a name, in the order given name, surname; `Weber, Anna` is turned round."""
    before, comma, after = name.partition(",")
    ordered = f"{after} {before}" if comma else name
    return [plain(match[0]) for match in _WORD.finditer(unicodedata.normalize("NFC", ordered))]


def variants(name: str) -> list[tuple[str, ...]]:
    """The written variants of a name as compared words, without repetition; none where it is not two words at least."""
    words = words_of(name)
    if not 2 <= len(words) <= _MOST_WORDS:
        return []
    given, surname = _split(name, words)
    short = [given, given[:1]] if len(given) > 1 else [given]
    short += [tuple(word[0] for word in form) for form in short]
    found = [form for front in short for form in (front + surname, surname + front)]
    return list(dict.fromkeys(found))


def _split(name: str, words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Given names and surname: a double surname's parts and its particles belong together."""
    last = name.partition(",")[0] if "," in name else name.rsplit(maxsplit=1)[-1]
    count = max(1, min(len(words_of(last)), len(words) - 1))
    while count < len(words) - 1 and words[-count - 1] in _PARTICLES:
        count += 1
    return tuple(words[:-count]), tuple(words[-count:])


def digest(words: tuple[str, ...]) -> str:
    """The hash under which a variant is kept."""
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


class Names:
    """Masks names that are known by the hashes of their variants.

    Args:
        hashes: by number of words.
    """

    def __init__(self, hashes: Mapping[int, Collection[str]]) -> None:
        self._hashes = {count: frozenset(keys) for count, keys in hashes.items() if keys}
        self._known: dict[tuple[str, ...], bool] = {}

    @classmethod
    def of(cls, name: str) -> "Names":
        """A name that is known itself.

        Raises:
            ValueError: Not a name of two to eight words.
        """
        hashes: dict[int, set[str]] = {}
        for form in variants(name):
            hashes.setdefault(len(form), set()).add(digest(form))
        if not hashes:
            raise ValueError(name)
        return cls(hashes)

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def mask(self, text: str) -> str:
        """The text with every letter of the names (and the marks between) as U+2588; its length stays."""
        spans = list(self.find(text))
        if not spans:
            return text
        signs = list(text)
        for start, end in spans:
            signs[start:end] = MASK * (end - start)
        return "".join(signs)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """The spans of the names, longest variant first; they may overlap."""
        if not self._hashes:
            return
        spans = [match.span() for match in _words_in(text)]
        plains = [plain(text[start:end]) for start, end in spans]
        for count in sorted(self._hashes, reverse=True):
            for first in range(len(spans) - count + 1):
                last = first + count - 1
                if self._is_name(count, tuple(plains[first : last + 1])) and _joined(text, spans[first : last + 1]):
                    yield spans[first][0], spans[last][1]

    def mask_value(self, value: Any) -> Any:
        """`mask` for every string in a JSON value; keys stay."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {key: self.mask_value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_value(item) for item in value]
        return value

    def _is_name(self, count: int, words: tuple[str, ...]) -> bool:
        known = self._known.get(words)
        if known is None:
            if len(self._known) > 500_000:
                self._known.clear()
            forms = product(*(_nominatives(word) for word in words))
            known = any(digest(form) in self._hashes[count] for form in forms)
            self._known[words] = known
        return known


def _words_in(text: str) -> Iterator[re.Match[str]]:
    """Words; a combining accent belongs to the letter before it."""
    return re.finditer(r"(?:[^\W\d_][\u0300-\u036f]*)+", text)


def _nominatives(word: str) -> tuple[str, ...]:
    """A word, and what it is without the genitive's s."""
    return (word, word[:-1]) if len(word) > 2 and word.endswith("s") else (word,)


def _joined(text: str, spans: list[tuple[int, int]]) -> bool:
    return all(_GAP.fullmatch(text, left[1], right[0]) for left, right in pairwise(spans))


class KnownName:
    """Finds one known name in long texts: looked at closely only where its surname stands.

    Args:
        name: Of two to eight words.

    Raises:
        ValueError: Not such a name.
    """

    def __init__(self, name: str) -> None:
        self._names = Names.of(name)
        self._surname = re.compile(re.escape(_split(name, words_of(name))[1][-1]))

    def stands_in(self, text: str) -> bool:
        """Whether the name stands in the text, in any variant that `Names` masks."""
        folded = _folded(text)
        places = (match.span() for match in self._surname.finditer(folded))
        near = (folded[max(0, start - _AROUND) : end + _AROUND] for start, end in places)
        return any(next(self._names.find(part), None) is not None for part in near)
