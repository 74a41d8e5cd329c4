"""Lemmas: simplemma, gender forms reduced to their base, old spellings brought up to date; all in lower case.

Below: `pipeline.nlp.rules`, `pipeline.nlp.dictionary`. Above: the component `checkup_lemmas` of the pipeline.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from pipeline.nlp.dictionary import is_known, lemmatize
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.rules import load_rules

if TYPE_CHECKING:
    from spacy.tokens import Doc

GENDER_FORM = re.compile(
    r"(?P<base>[^\W\d_][\w-]*?)(?:[:*_·]|/-?|\((?=inn?(?:en)?\)))(?P<end>innen|inn?en\)|in\)|in|r|n|e)(?P<rest>[\w-]*)"
)
"""`Mentor:innen`, `Bürger/innen`, `Schüler*innen`, `Lehrer_innen`, `Bürger/-innen`, `Mentor(in)`."""

_INNER_CAPITAL = re.compile(r"([A-ZÄÖÜ][a-zäöüß]+)In(?:nen)?$")
_LONGEST = 60
"""Longer strings are no words: they are their own lemma."""


@dataclass(frozen=True, slots=True)
class Words:
    """The tokens of a document as plain lists (`doc._.words`): spaCy makes an object at every look at a token."""

    texts: list[str]
    forms: list[str]
    """In lower case."""
    lemmas: list[str]
    offsets: list[int]

    def end_of(self, token: int) -> int:
        """One past the last code point of a token."""
        return self.offsets[token] + len(self.texts[token])


def set_lemmas(doc: "Doc") -> "Doc":
    """Component `checkup_lemmas`: sets `lemma_` of every token, in lower case, and `doc._.words`."""
    language = doc.lang_ if doc.lang_ in {"de", "en"} else "de"
    texts, offsets, lemmas = [], [], []
    for token in doc:
        text = token.text
        texts.append(text)
        offsets.append(token.idx)
        token.lemma_ = found = lemma(text, language)
        lemmas.append(found)
    doc._.words = Words(texts, [text.lower() for text in texts], lemmas, offsets)
    return doc


@lru_cache(maxsize=KEPT_WORDS)
def lemma(word: str, language: str = "de") -> str:
    """The lemma of one word in lower case; what is no word is returned in lower case as it is.

    Args:
        word: One token.
        language: `de` or `en`.
    """
    if len(word) > _LONGEST or not word[:1].isalpha():
        return word.lower()
    if language != "de":
        return _known_lemma(word, language)
    form = _modern(_without_gender(word))
    found = _modern(_known_lemma(form, "de"))
    fixes = load_rules("lemmas")["fixes"]
    found = fixes.get(form.lower()) or fixes.get(found) or found
    return _male(found)


def _known_lemma(word: str, language: str) -> str:
    if word.isupper() and len(word) > 4:
        word = word.capitalize()
    return lemmatize(word, language).lower()


def _without_gender(word: str) -> str:
    """The word without its gender mark: the base, with what a compound adds after it."""
    match = GENDER_FORM.fullmatch(word)
    if match is not None:
        return match["base"] + match["rest"].lstrip("-").lower()
    match = _INNER_CAPITAL.fullmatch(word)
    return match[1] if match is not None else word


def _modern(word: str) -> str:
    match = _old_spelling().search(word)
    if match is None:
        return word
    return _old_spelling().sub(_replacement, word)


def _replacement(match: re.Match[str]) -> str:
    new = str(load_rules("lemmas")["old_spellings"][match[0].lower()])
    return new.capitalize() if match[0][0].isupper() else new


@cache
def _old_spelling() -> re.Pattern[str]:
    # A word that ends in one of these, or goes on with an ending: "schlußfolgerung" is left to the longer part.
    parts = sorted(load_rules("lemmas")["old_spellings"], key=len, reverse=True)
    return re.compile("|".join(map(re.escape, parts)), re.IGNORECASE)


def _male(word: str) -> str:
    """`mentorin` -> `mentor`: female forms share the lemma of the base, if the base is a word."""
    base = word.removesuffix("nen").removesuffix("in") if word.endswith("innen") else word.removesuffix("in")
    if base == word or len(base) < 4 or word in _female_keep():
        return word
    for candidate in (base, base + "e"):
        if _is_noun(candidate):
            return candidate
    return word


def _is_noun(word: str) -> bool:
    return is_known(word.capitalize())


@cache
def _female_keep() -> frozenset[str]:
    return frozenset(load_rules("lemmas")["female_keep"])
