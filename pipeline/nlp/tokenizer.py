"""The tokenizer, mended: gender forms stay whole, and no string makes it slow.

Below: spaCy, `pipeline.nlp.lemmas`. Above: `pipeline.nlp.language`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.util import registry

from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.lemmas import GENDER_FORM

CALLBACK = "checkup.tokenizer.v1"
"""The name of the `after_creation` callback that mends a pipeline's tokenizer."""
_LONG_RUN = re.compile(r"\S{250,}")
_RUN = re.compile(r"(\S+|\s+)( ?)")
"""Characters of words or of space, and the one blank after a word, which spaCy's tokens carry with them."""
_CHUNK_CHARACTERS = 100
_LONGEST_MATCH = 200


class BoundedTokenizer:
    """spaCy's tokenizer for what can be words; runs of 250 characters without a blank are cut every 100.

    The wrapped tokenizer strips marks one by one and copies the rest each time, so that a million dots take hours. It
    never looks beyond a run without blanks, and forgets at the end of a memory zone how it cut one: it is asked once.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._pieces = lru_cache(maxsize=KEPT_WORDS)(self._cut)

    def __call__(self, text: str) -> Doc:
        """The tokens of a text; with their spaces they make up the text again."""
        words: list[str] = []
        spaces: list[bool] = []
        at = 0
        for match in _LONG_RUN.finditer(text):
            self._add(text[at : match.start()], words, spaces)
            run = match[0]
            words.extend(run[start : start + _CHUNK_CHARACTERS] for start in range(0, len(run), _CHUNK_CHARACTERS))
            spaces.extend([False] * (len(words) - len(spaces)))
            at = match.end()
        self._add(text[at:], words, spaces)
        return Doc(self.tokenizer.vocab, words=words, spaces=spaces)

    def _add(self, text: str, words: list[str], spaces: list[bool]) -> None:
        for run, blank in _RUN.findall(text):
            pieces = self._pieces(run)
            words += pieces
            spaces += [False] * (len(pieces) - 1)
            spaces.append(blank != "")

    def _cut(self, run: str) -> tuple[str, ...]:
        # No mark can be stripped of letters alone, which are most runs, and a comma always is.
        word = run.removesuffix(",")
        if word.isalpha() and word not in self.tokenizer.rules and run not in self.tokenizer.rules:
            return (word,) if word == run else (word, ",")
        return tuple(token.text for token in self.tokenizer(run))


def mended(tokenizer: Tokenizer) -> BoundedTokenizer:
    """The tokenizer with gender forms kept whole and its pattern for addresses kept from long strings.

    Args:
        tokenizer: Of a blank pipeline; changed in place.
    """
    token_match: Callable[[str], Any] | None = tokenizer.token_match
    url_match: Callable[[str], Any] | None = tokenizer.url_match

    def match_token(text: str) -> bool:
        if len(text) <= _LONGEST_MATCH and GENDER_FORM.fullmatch(text):
            return True
        return bool(token_match and token_match(text))

    def match_url(text: str) -> bool:
        return bool(len(text) <= _LONGEST_MATCH and url_match and url_match(text))

    tokenizer.token_match = match_token
    tokenizer.url_match = match_url
    return BoundedTokenizer(tokenizer)


def _make_callback() -> Callable[[Language], Language]:
    def mend(nlp: Language) -> Language:
        nlp.tokenizer = mended(nlp.tokenizer)
        return nlp

    return mend


registry.callbacks.register(CALLBACK, func=_make_callback)
