"""Whether a text can be read at all: German or English words that say something, not noise, figures, other languages.

Below: `data.vocabulary`, `pipeline.nlp.dictionary`, `pipeline.nlp.compounds`, `pipeline.nlp.rules`. Above:
`matching.situation`.

The readers of sentences give an answer to whatever they are given. What they are asked about is therefore looked at
first, by rules with wide margins: dialect, misspelt words, capitals, one word alone are read.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Literal

from data.vocabulary import SHIPPED
from pipeline.nlp.compounds import compound_parts
from pipeline.nlp.dictionary import is_known
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.lemmas import lemma
from pipeline.nlp.rules import RULES_DIR, load_rules, word_set

Unreadable = Literal["unknown_words", "other_language", "repeated", "fragments"]

SAMPLE_WORDS = 150
"""So many words from the beginning are looked at."""
LEAST_KNOWN = 0.4
"""Share of the words that must be known: of noise with words strewn in it is below .3, of dialect above .55."""
FOREIGN_WORDS, FOREIGN_SHARE = 2, 0.12
"""Another language has so many different function words, this share of all, and more of them than German or English."""
LEAST_OWN = 3
"""So many known words among letters that are not Latin are a part of the text that can be read."""
REPEATED_DIFFERENT, REPEATED_TIMES = 2, 3
"""At most so many different words, so often each, are a repetition."""
FIGURES_A_WORD = 3
"""So many figures for every word are a piece of a table."""
LEAST_LETTERS, MOST_LETTERS = 5, 30
"""Words of other lengths are not taken for misspelt ones: nearly every short string is next to a word, and looking for
what is next to a long one takes the square of its length."""
MOST_SLIPS = 30
"""So many unknown words at most are looked at for a slip."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_ACRONYM = re.compile(r"[A-ZÄÖÜ]{2,6}")
_LETTERS = "abcdefghijklmnopqrstuvwxyzäöüß"
_EMOJI = re.compile("[\u20e3\u231a\u231b\u23e9-\u23fa\u2600-\u26ff\u2702-\u2712\u2714-\u27a1\u2b05-\u2b55\ufe0f"
                    "\U0001f000-\U0001faff]")  # fmt: skip
"""Emoji (Unicode Technical Standard 51), marks before items of a list left out: they tell where a sentence begins."""


def without_pictures(text: str) -> str:
    """The text with a blank in the place of each emoji, as long as before: they mislead those who read words."""
    return _EMOJI.sub(" ", text)


def unreadable(text: str) -> Unreadable | None:
    """Why a text cannot be read, or None.

    Args:
        text: Any text, normalised (`data.normalise`). Of a long one whose beginning cannot be read (a cover page in
            many languages, a table) the middle decides.

    Returns:
        `fragments`: no word at all, or several figures for every word. `other_language`: mostly letters that are not
        Latin, or more function words of a third language. `repeated`: one or two words again and again.
        `unknown_words`: too few words of German or English, misspelt ones counted as known, or function words only.
    """
    why, end = _why(text)
    if why is None or end == len(text):
        return why
    middle = re.compile(r"\s").search(text, max(end, len(text) // 2))
    readable = middle is not None and _why(text[middle.end() :])[0] is None
    return None if readable else why


def _why(text: str) -> tuple[Unreadable | None, int]:
    """Why the first words of a text cannot be read, and where they end: the text's own end where there are no more."""
    matches = list(islice(_WORD.finditer(text), SAMPLE_WORDS))
    words = [match[0] for match in matches]
    end = matches[-1].end() if len(matches) == SAMPLE_WORDS else len(text)
    if len(_figures(text[:end], FIGURES_A_WORD * len(words))) >= FIGURES_A_WORD * len(words):
        return "fragments", end
    latin = [word for word in words if _is_latin(word)]
    if 2 * len("".join(latin)) < len("".join(words)):
        if sum(_is_word(word.lower()) for word in latin) < LEAST_OWN:
            return "other_language", end
        words = latin
    return _why_not(words), end


def _why_not(words: Sequence[str]) -> Unreadable | None:
    """Why these words, at least one, cannot be read."""
    if _foreign(words):
        return "other_language"
    different = len({word.lower() for word in words})
    if different <= REPEATED_DIFFERENT and len(words) >= REPEATED_TIMES * different:
        return "repeated"
    if len(words) == 1 and _ACRONYM.fullmatch(words[0]) and len(set(words[0])) > 1:
        return None  # whoever reads topics may know it
    return None if _known_enough(words) else "unknown_words"


def _figures(text: str, most: int) -> list[str]:
    """The first figures of a text."""
    return [match[0] for match in islice(_FIGURE.finditer(text), most)]


def _is_latin(word: str) -> bool:
    return 2 * sum(letter < "ɐ" for letter in word) > len(word)


def _foreign(words: Sequence[str]) -> bool:
    """Whether a third language has more function words; names hold those with a capital, but for the first word."""
    own = sum(_is_function_word(word.lower()) for word in words)
    for listed in _other_languages().values():
        hits = [word for word in (words[0].lower(), *words[1:]) if word in listed]
        if len(set(hits)) >= FOREIGN_WORDS and len(hits) >= FOREIGN_SHARE * len(words) and len(hits) > own:
            return True
    return False


@cache
def _other_languages() -> dict[str, frozenset[str]]:
    return {name: frozenset(words) for name, words in load_rules("other_languages").items()}


def _known_enough(words: Sequence[str]) -> bool:
    """Whether enough words are known, one that is no function word (or an acronym) among them.

    Misspelt ones are looked for only where it depends on them.
    """
    told = [word for word in words if not _ACRONYM.fullmatch(word)] or list(words)
    needed = LEAST_KNOWN * len(told)
    unknown = [word.lower() for word in told if not _is_word(word.lower())]
    found = len(told) - len(unknown)
    function_words = sum(_is_function_word(word.lower()) for word in words)
    says_something = found + len(words) - len(told) > function_words
    for word in unknown[:MOST_SLIPS]:
        if says_something and found >= needed:
            break
        if _is_misspelt(word):
            found += 1
            says_something = True
    return says_something and found >= needed


def _is_function_word(word: str) -> bool:
    return word in word_set("stopwords", "de") or word in word_set("stopwords", "en")


@lru_cache(maxsize=KEPT_WORDS)
def _is_word(word: str) -> bool:
    """Whether a word in lower case is German or English: in a dictionary, a function word, a compound, one of ours."""
    if len(set(word)) == 1:  # the dictionaries know `zzz`
        return False
    if _is_function_word(word) or is_known(word) or is_known(word.capitalize()) or is_known(word, "en"):
        return True
    return bool(compound_parts(lemma(word.capitalize()))) or word in _own_words()


@cache
def _own_words() -> frozenset[str]:
    """The words of our needs, approaches and groups, and the common words of our corpus; lower case.

    The files are read as text: a hundredth of the time that it takes to read and check what they say.
    """
    files = [*SHIPPED.rglob("*.yaml"), RULES_DIR / "groups.yaml", RULES_DIR / "common_words.yaml"]
    return frozenset(word.lower() for file in files for word in _WORD.findall(file.read_text("utf-8")))


@lru_cache(maxsize=5_000)
def _is_misspelt(word: str) -> bool:
    """Whether one letter more, less, changed or swapped with the next makes a word of it, or `ae` written as `ä`."""
    if not LEAST_LETTERS <= len(word) <= MOST_LETTERS:
        return False
    umlauts = word.replace("ae", "ä").replace("oe", "ö").replace("ue", "ü")
    if umlauts != word and _is_word(umlauts):
        return True
    return any(is_known(near) or is_known(near, "en") for near in _one_off(word))


def _one_off(word: str) -> Iterator[str]:
    """Every string that one slip away from a word could be meant (Damerau 1964)."""
    for at in range(len(word) + 1):
        front, back = word[:at], word[at:]
        if len(back) > 1:
            yield front + back[1] + back[0] + back[2:]
        if back:
            yield front + back[1:]
            yield from (front + letter + back[1:] for letter in _LETTERS)
        yield from (front + letter + back for letter in _LETTERS)
