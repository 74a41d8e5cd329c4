"""What each word means where it stands: hidden states of the encoder with an adapter of their own.

Below: `embeddings.e5`, `embeddings.e5_build`. Above: `pipeline.nlp.marks` pools them over clauses and numbers;
`embeddings.span_training` trains the adapter. Vectors of clauses by the encoder as it is
brought nothing for their levels (docs/quality.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from embeddings.e5 import MAX_TOKENS, E5Layers
from embeddings.e5_build import build_name, data_file, ensure_built, load_adapter
from embeddings.e5_file import E5File, Floats
from embeddings.e5_tokens import PieceTokenizer, shared_tokenizer

SPAN_ADAPTER = Path(__file__).parent / "weights" / "span-adapter.safetensors"
MOST_TOKENS = 2_500
"""Of one text; what follows is not read (some 1,600 words: hardly a description of a project is as long)."""
_LEAD = 96
"""Tokens that a window repeats from the one before, so that its first words stand in their context."""

_LONGEST_WORD = 400
"""Characters of a word that are read."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Head:
    """A question with one of `classes` answers, 0 is none: to every span, every number in its span, or the text.

    `weight` is its share of the loss that `embeddings.span_training` makes small.
    """

    name: str
    classes: int
    weight: float
    of: Literal["span", "number", "text"] = "span"


class WordStates:
    """Texts given as words to the states of their tokens."""

    def __init__(self, adapter: Path) -> None:
        folder = ensure_built(str(adapter))
        source = E5File(data_file())
        self._tokenizer = shared_tokenizer(data_file())
        self._layers = E5Layers(source, folder / "model.onnx")
        self._nothing = np.empty((0, source.shape.hidden), np.float32)

    def read(self, words: Sequence[str]) -> tuple[Floats, list[Span]]:
        """States float32[n, hidden] of a text's tokens, and the half-open span of tokens of each word.

        Args:
            words: as they stand between spaces, marks included. Words behind MOST_TOKENS have an empty span.
        """
        pieces, spans = pieces_of(self._tokenizer, words)
        found = [
            self._layers.run(self._tokenizer.around(pieces[first:end]))[1 + start - first : -1]
            for first, start, end in windows(len(pieces))
        ]
        return np.concatenate([self._nothing, *found]), spans


def pieces_of(tokenizer: PieceTokenizer, words: Sequence[str]) -> tuple[list[int], list[Span]]:
    """The ids of a text's tokens, at most MOST_TOKENS, and each word's span of them."""
    pieces: list[int] = []
    spans = []
    for start in range(0, len(words), MOST_TOKENS):
        for ids in tokenizer.ids_by_word([word[:_LONGEST_WORD] for word in words[start : start + MOST_TOKENS]]):
            spans.append((min(len(pieces), MOST_TOKENS), min(len(pieces) + len(ids), MOST_TOKENS)))
            pieces.extend(ids)
        if len(pieces) >= MOST_TOKENS:
            break
    spans.extend([(MOST_TOKENS, MOST_TOKENS)] * (len(words) - len(spans)))
    return pieces[:MOST_TOKENS], spans


def windows(tokens: int) -> Iterator[tuple[int, int, int]]:
    """Windows over a text's tokens: where each begins, from where on its states count, and where it ends."""
    start = 0
    while start < tokens:
        first = max(0, start - _LEAD)
        end = min(tokens, first + MAX_TOKENS - 2)
        yield first, start, end
        start = end


def states_name(adapter: Path = SPAN_ADAPTER) -> str:
    """Names everything that the states depend on beside the words."""
    return f"{build_name(load_adapter(str(adapter)))}-{MOST_TOKENS}-{_LEAD}-{_LONGEST_WORD}"


@cache
def shipped_states() -> WordStates:
    """The reader with the shipped adapter, made once a process."""
    return WordStates(SPAN_ADAPTER)
