"""Compounds in parts: `sprachkursangebot` -> sprache, kurs, angebot, by a reviewed list of heads and modifiers.

Below: `pipeline.nlp.rules`, `pipeline.nlp.dictionary`. Above: `pipeline.nlp.search_tokens`.
"""

from functools import cache, lru_cache

from pipeline.nlp.dictionary import is_known
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.rules import load_rules

_LINKS = ("", "s", "es", "n", "en", "er", "e", "-")
_LEAST_LETTERS = 8
_MOST_LETTERS = 60
_STEMS = {
    "sprach": "sprache", "schul": "schule", "miet": "miete", "wohn": "wohnen", "lehr": "lehre", "lern": "lernen",
    "hochschul": "hochschule", "grundschul": "grundschule", "volkshochschul": "volkshochschule", "fahr": "fahren",
    "förder": "förderung", "berat": "beratung", "begleit": "begleitung", "koch": "kochen", "näh": "nähen",
    "schwimm": "schwimmen", "sprech": "sprechen", "lese": "lesen", "impf": "impfung", "dolmetsch": "dolmetscher",
    "kinder": "kind", "mütter": "mutter", "väter": "vater", "männer": "mann", "frauen": "frau", "landes": "land",
    "tages": "tag", "menschen": "mensch", "paten": "pate", "städte": "stadt", "berufsschul": "berufsschule",
    "studien": "studium", "ärzte": "arzt", "gruppen": "gruppe", "gesamtschul": "gesamtschule",
    "hauptschul": "hauptschule", "realschul": "realschule", "vereins": "verein", "lebens": "leben",
}  # fmt: skip
"""Modifiers that are no words by themselves, and the word they stand for."""


@lru_cache(maxsize=KEPT_WORDS)
def compound_parts(word: str) -> tuple[str, ...]:
    """The parts of a compound in order, as lemmas.

    Args:
        word: A German lemma in lower case.

    Returns:
        At least two parts; empty if the word is none that can be split.
    """
    if word in _table():
        parts = _table()[word]
        return parts if len(parts) > 1 else ()
    if not _LEAST_LETTERS <= len(word) <= _MOST_LETTERS or word in _words("whole"):
        return ()
    if "-" in word:
        return _hyphenated(word)
    parts = _split(word)
    return parts if len(parts) > 1 else ()


def _hyphenated(word: str) -> tuple[str, ...]:
    pieces = [piece for piece in word.split("-") if len(piece) > 2 and piece.isalpha()]
    return tuple(part for piece in pieces for part in (compound_parts(piece) or (piece,))) if len(pieces) > 1 else ()


def _split(word: str) -> tuple[str, ...]:
    """Splits off the longest head, then what stands before it; the whole word counts as its own head."""
    for at in range(3, len(word) - 2):
        head = word[at:]
        if head not in _words("heads") and head not in _words("whole"):
            continue
        before = _modifiers(word[:at])
        if before:
            return (*before, head)
    return ()


def _modifiers(front: str) -> tuple[str, ...]:
    """The modifiers that make up the front of a compound; empty if it cannot be read as such."""
    for link in _LINKS:
        stem = front.removesuffix(link) if link else front
        if (link and stem == front) or len(stem) < 3:
            continue
        if stem in _words("modifiers") or stem in _words("heads") or stem in _words("whole"):
            return (_STEMS.get(stem, stem),)
    for link in ("", "s", "n", "en"):
        stem = front.removesuffix(link) if link else front
        if (link and stem == front) or len(stem) < 6:
            continue
        inner = compound_parts(stem)
        if inner:
            return inner
    return _known(front)


def _known(front: str) -> tuple[str, ...]:
    """A front that is one known German noun, linking letters aside."""
    for link in ("", "s", "n", "en"):
        stem = front.removesuffix(link) if link else front
        if (link and stem == front) or len(stem) < 4:
            continue
        if is_known(stem.capitalize()):
            return (stem,)
    return ()


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(load_rules("compounds")[name])


@cache
def _table() -> dict[str, tuple[str, ...]]:
    return {word: tuple(parts) for word, parts in load_rules("compounds")["table"].items()}
