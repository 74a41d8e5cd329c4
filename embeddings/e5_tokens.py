"""Token ids of E5's Unigram tokenizer (Kudo 2018) without loading its 250,002 pieces: only those that a word can hold.

Below: `embeddings.e5_build`, `embeddings.e5_file`, `data.cache_files`, tokenizers. Above: `embeddings.e5`.
How a word is cut depends on the pieces that stand in it and on the least score of all (which an unknown character is
scored by), so that a model of just these gives the ids that the whole one gives (`embeddings.e5_build.make_tokenizer`).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from data.cache_files import KeptTable, cache_folder
from embeddings.e5_build import make_tokenizer
from embeddings.e5_file import FILE_SHA256, E5File, Pieces

LONGEST_PIECE = 16
"""Characters of the longest piece."""
_CACHED_WORDS = 50_000
_CACHED_PARTS = 200_000
_OFTEN = 6
"""Parts of words up to this length come again in many words, so that what the table says of them is remembered."""
_SPECIAL = ""
"""The table's key for the ids of `<s>`, `</s>` and `<unk>`, and for the piece of the least score."""


class PieceTokenizer:
    """Texts to ids; the pieces are looked up in a table in the user's cache."""

    def __init__(self, source: E5File) -> None:
        path = cache_folder() / f"pieces-{FILE_SHA256[:12]}.table"
        self._pieces = KeptTable(path, f"pieces {FILE_SHA256}", lambda: _entries(source.pieces()))
        first, last, unknown, least = str(self._pieces.get(_SPECIAL)).split(" ")
        self._first, self._last = int(first), int(last)
        self._always = (unknown, least)
        shell = make_tokenizer(Pieces([(unknown, 0.0)], bos=self._first, eos=self._last, pad=0, unk=0))
        self._normalise, self._split = shell.normalizer.normalize_str, shell.pre_tokenizer.pre_tokenize_str
        self._words: dict[str, list[int]] = {}
        self._parts: dict[str, str | None] = {}

    def ids(self, text: str) -> list[int]:
        """The ids of a text's pieces between those of `<s>` and `</s>`."""
        words = [word for word, _ in self._split(self._normalise(text))]
        known = self._known(words)
        return self.around(piece for word in words for piece in known[word])

    def ids_by_word(self, words: Sequence[str]) -> list[list[int]]:
        """The ids of each word's pieces; a word of nothing that the tokenizer keeps has none."""
        split = [[part for part, _ in self._split(self._normalise(word))] for word in words]
        known = self._known([part for parts in split for part in parts])
        return [[piece for part in parts for piece in known[part]] for parts in split]

    def around(self, pieces: Iterable[int]) -> list[int]:
        """Ids of pieces between those of `<s>` and `</s>`."""
        return [self._first, *pieces, self._last]

    def _known(self, words: Sequence[str]) -> Mapping[str, list[int]]:
        """The ids of the pieces of all these words."""
        kept = self._words
        if len(kept) > _CACHED_WORDS:
            self._words = kept = {}  # a new one: other threads may still read the old one
        known = {word: kept[word] for word in words if word in kept}
        learned = self._cut(set(words) - known.keys())
        kept.update(learned)
        known.update(learned)
        return known

    def _cut(self, words: Iterable[str]) -> dict[str, list[int]]:
        """The ids of the pieces that make up each word."""
        from tokenizers import models

        parts = dict.fromkeys(self._always)
        for word in words:
            for start in range(len(word)):
                parts.update(dict.fromkeys(word[start:end] for end in range(start + 1, start + 1 + LONGEST_PIECE)))
        found = {part: value.split(" ") for part in parts if part and (value := self._entry(part))}
        ids = [int(number) for number, _ in found.values()]
        model = models.Unigram([(part, float(score)) for part, (_, score) in found.items()], unk_id=0)
        return {word: [ids[token.id] for token in model.tokenize(word)] for word in words}

    def _entry(self, part: str) -> str | None:
        """What the table says of a part of a word: its id and score; None if it is no piece."""
        if len(part) > _OFTEN:
            return self._pieces.get(part)
        kept = self._parts
        if part in kept:
            return kept[part]
        if len(kept) >= _CACHED_PARTS:
            self._parts = kept = {}  # as above
        kept[part] = entry = self._pieces.get(part)
        return entry


@cache
def shared_tokenizer(weights: Path) -> PieceTokenizer:
    """The tokenizer of a data file, one in a process: encoder and readers cut the same words, each once."""
    return PieceTokenizer(E5File(weights))


def _entries(pieces: Pieces) -> Mapping[str, str]:
    """Each piece with its id and score."""
    least, _ = min(pieces.vocabulary, key=lambda piece: piece[1])
    unknown, _ = pieces.vocabulary[pieces.unk]
    entries = {piece: f"{number} {score!r}" for number, (piece, score) in enumerate(pieces.vocabulary)}
    return {_SPECIAL: f"{pieces.bos} {pieces.eos} {unknown} {least}", **entries}
