"""simplemma's dictionaries from tables in the user's cache: a few words do not wait for a million to be decoded.

Below: simplemma, `data.cache_files`. Above: every component that asks for a lemma or whether a word is known. What is
answered is what `simplemma.lemmatize(..., greedy=True)` and `simplemma.is_known` answer.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

from data.cache_files import KeptTable, cache_folder
from pipeline.nlp.kept_words import KEPT_WORDS

if TYPE_CHECKING:
    from simplemma import Lemmatizer
    from simplemma.strategies import DictionaryLookupStrategy


def lemmatize(word: str, language: str) -> str:
    """The lemma of a word that is not empty."""
    return str(_lemmatizer().lemmatize(word, language))


def is_known(word: str, language: str = "de") -> bool:
    """Whether a word that is not empty, or its form with another first letter, stands in the language's dictionary."""
    return _lookup().get_lemma(unicodedata.normalize("NFC", word), language) is not None


class _Dictionaries:
    """simplemma's `DictionaryFactory` over the tables."""

    def get_dictionary(self, lang: str) -> Mapping[str, str]:
        """The dictionary of a language."""
        return cast("Mapping[str, str]", _table(lang))  # simplemma only ever asks `get`


@cache
def _table(language: str) -> KeptTable:
    from simplemma import __version__

    path = cache_folder() / f"lemmas-{language}-{__version__}.table"
    return KeptTable(path, f"simplemma {__version__} {language}", lambda: _entries(language))


def _entries(language: str) -> Mapping[str, str]:
    from simplemma.strategies import DefaultDictionaryFactory

    entries: Mapping[str, str] = DefaultDictionaryFactory().get_dictionary(language)
    return entries


@cache
def _lemmatizer() -> "Lemmatizer":
    from simplemma import Lemmatizer
    from simplemma.strategies import DefaultStrategy

    strategy = DefaultStrategy(greedy=True, dictionary_factory=_Dictionaries())
    return Lemmatizer(cache_max_size=KEPT_WORDS, lemmatization_strategy=strategy)


@cache
def _lookup() -> "DictionaryLookupStrategy":
    from simplemma.strategies import DictionaryLookupStrategy

    return DictionaryLookupStrategy(_Dictionaries())
