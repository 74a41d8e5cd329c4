"""Tokens for lexical search: lemmas without stop words, and the parts of compounds, for documents and situations alike.

Below: `pipeline.nlp.language`, `pipeline.nlp.compounds`. Above: `embeddings.lexical` (given ready tokens), `matching`.
"""

from collections.abc import Iterable
from functools import cache, lru_cache

from data.normalise import normalise
from pipeline.nlp.analysis import tokens
from pipeline.nlp.compounds import compound_parts
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.lemmas import lemma
from pipeline.nlp.rules import load_rules


def search_tokens(text: str) -> list[str]:
    """The tokens of a text for BM25, in text order.

    Args:
        text: German or English; any string.

    Returns:
        Lemmas in lower case without stop words, marks and single characters; a compound is followed by its parts, so
        that `Sprachkurs` and `Kurs` meet. The same text gives the same list on every machine.
    """
    return [token for chunk in normalise(text).text.split() for token in _of_chunk(chunk)]


@lru_cache(maxsize=KEPT_WORDS)
def _of_chunk(chunk: str) -> tuple[str, ...]:
    """The search tokens of what stands between two blanks; the tokenizer never looks beyond them."""
    return tuple(index_tokens(map(lemma, tokens(chunk))))


def index_tokens(lemmas: Iterable[str]) -> list[str]:
    """What `search_tokens` makes of lemmas that are known already."""
    return [token for word in lemmas for token in _of_lemma(word)]


@lru_cache(maxsize=KEPT_WORDS)
def _of_lemma(word: str) -> tuple[str, ...]:
    if word in _stop_words() or sum(map(str.isalnum, word)) < 2:
        return ()
    return (word, *compound_parts(word))


@cache
def _stop_words() -> frozenset[str]:
    rules = load_rules("stopwords")
    return frozenset(rules["de"]) | frozenset(rules["en"])
