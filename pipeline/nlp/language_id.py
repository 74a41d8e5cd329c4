"""Which language a text is in: German, English or another, by function words and script.

Below: `pipeline.nlp.rules`. Above: `pipeline.nlp.extract`, `matching.situation`.
"""

import re
from functools import cache
from typing import Literal

from pipeline.nlp.rules import load_rules

LanguageId = Literal["de", "en", "other"]

_WORD = re.compile(r"[^\W\d_]+")
_SAMPLE_CHARACTERS = 20_000
_FEW_WORDS = 8
_LEAST_SHARE = 0.12
"""Running German and English have a share of function words above .3; lists of keywords go down to .1."""


def identify_language(text: str) -> LanguageId:
    """Guesses the language of a text from its first 20,000 characters.

    Args:
        text: Any text.

    Returns:
        `de` or `en`, whichever has more function words; `other` where neither reaches 12 % of the words or most
        letters are not Latin. Texts under eight words without any sign count as German, the tool's own language.
    """
    words = [word.lower() for word in _WORD.findall(text[:_SAMPLE_CHARACTERS])]
    if not words:
        return "de"
    letters = "".join(words)
    if max(letters) >= "ɐ" and sum(character < "ɐ" for character in letters) < len(letters) / 2:
        return "other"
    german = sum(map(_words("de").__contains__, words)) + 0.5 * sum(map(_looks_german, words))
    english = float(sum(map(_words("en").__contains__, words)))
    if max(german, english) < _LEAST_SHARE * len(words):
        return "de" if len(words) < _FEW_WORDS else "other"
    return "de" if german >= english else "en"


def _looks_german(word: str) -> bool:
    return (
        "ß" in word
        or "ä" in word
        or "ö" in word
        or "ü" in word
        or word.endswith(("ung", "ungen", "keit", "keiten", "schaft", "lich", "lichen", "isch"))
    )


@cache
def _words(language: str) -> frozenset[str]:
    # Words of both languages ("in", "an", "was") tell nothing.
    rules = load_rules("stopwords")
    other = "en" if language == "de" else "de"
    return frozenset(rules[language]) - frozenset(rules[other])
