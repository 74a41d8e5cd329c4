"""Small linear readers over a text's vector and its hashed words and character n-grams: which class, how likely.

Below: NumPy. Above: `pipeline.approach_reader` (which approach a passage describes), `pipeline.answers` (hashed
tokens), `matching.situation` (which need a sentence states, and its role). Trained by `embeddings.linear_training`;
weights are arrays in one .npz, read without pickle, and belong to one encoder's fingerprint.

The class probabilities are the softmax of `w_v * (V x + b_v) + w_h * (H h + b_h)`: a logistic regression over the
vector x and one over the hashed features h (with many classes a ridge regression), mixed by weights and a temperature
found on held-out texts. x is the text's vector less the mean of the training texts, at unit length: cosines of one
encoder lie close together, and it is their differences that tell. h is weighted by inverse document frequency.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from data.errors import CheckupError

Floats = npt.NDArray[np.float32]
Hashed = tuple[npt.NDArray[np.int64], Floats]
BITS = 14
NGRAMS = (3, 4, 5)


def hashed_features(text: str, tokens: Sequence[str], bits: int = BITS) -> Hashed:
    """Sparse features of a text: places int64[k] in 2^bits and values float32[k] of Euclidean length 1.

    Args:
        text: its lower-cased character n-grams of 3 to 5 within words are features.
        tokens: its lemmas and parts of compounds; single ones and neighbouring pairs are features.
        bits: width of the table (feature hashing, Weinberger et al. 2009, unsigned).
    """
    table = _HashTable(bits)
    table.add_tokens(tokens)
    for word in text.lower().split():
        table.add_ngrams(word, NGRAMS)
    return table.features()


def hashed_tokens(tokens: Sequence[str], bits: int = BITS) -> Hashed:
    """As `hashed_features`, with 5-grams of the different tokens as its only n-grams: faster for long texts."""
    table = _HashTable(bits)
    table.add_tokens(tokens)
    for token in dict.fromkeys(tokens):
        table.add_ngrams(token, NGRAMS[-1:])
    return table.features()


class _HashTable:
    """Counts of hashed features."""

    def __init__(self, bits: int) -> None:
        self._mask = (1 << bits) - 1
        self._counts: dict[int, float] = {}

    def _add(self, feature: str, weight: float) -> None:
        place = zlib.crc32(feature.encode("utf-8", "replace")) & self._mask
        self._counts[place] = self._counts.get(place, 0.0) + weight

    def add_tokens(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            self._add("w " + token, 2.0)
        for first, second in pairwise(tokens):
            self._add(f"b {first} {second}", 1.0)

    def add_ngrams(self, word: str, lengths: Sequence[int]) -> None:
        padded = f" {word} "
        for n in lengths:
            for start in range(len(padded) - n + 1):
                self._add(padded[start : start + n], 0.5)

    def features(self) -> Hashed:
        places = np.fromiter(self._counts, np.int64, len(self._counts))
        values = np.log1p(np.fromiter(self._counts.values(), np.float32, len(self._counts)))
        length = np.linalg.norm(values)
        return places, (values / length if length else values).astype(np.float32)


def centred(vectors: Floats, center: Floats) -> Floats:
    """float32[n, d]: the vectors less `center`, each at unit length."""
    moved = vectors - center
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9), np.float32)


@dataclass(frozen=True, slots=True)
class Context:
    """How much of what surrounds it is mixed into each text of a sequence, as shares of its own part."""

    neighbours: float
    """Of the vectors (less the mean, at unit length) of the texts before and after it."""
    words: float
    """Of the scores of the neighbours' words."""

    def of_vectors(self, moved: Floats) -> Floats:
        """float32[n, d]: unit vectors with those of their neighbours mixed in, again at unit length."""
        mixed = moved + np.float32(self.neighbours) * _around(moved)
        return np.asarray(mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9), np.float32)

    def of_words(self, scores: Floats) -> Floats:
        """float32[n, classes]: the words' scores with those of the neighbours added."""
        return np.asarray(scores + np.float32(self.words) * _around(scores), np.float32)


def _around(rows: Floats) -> Floats:
    """The sum of the row before and the row after each row."""
    total = np.zeros_like(rows)
    total[1:] += rows[:-1]
    total[:-1] += rows[1:]
    return total


@dataclass(frozen=True, slots=True)
class LinearReader:
    """Class probabilities of texts."""

    classes: tuple[str, ...]
    vector_weights: Floats
    """float32[d + 1, classes]; the last row is the bias."""
    hashed_weights: Floats
    """float32[2^bits + 1, classes]; the last row is the bias. Inverse document frequencies are multiplied in."""
    center: Floats
    """float32[d], the mean vector of the training texts."""
    mix: tuple[float, float]
    """Weights of the two parts' scores, temperature included."""
    fingerprint: str
    card: Mapping[str, Any]

    def probabilities(
        self, vectors: Floats, texts: Sequence[str], tokens: Sequence[Sequence[str]], *, context: Context | None = None
    ) -> Floats:
        """float32[n, classes] summing to 1 per row.

        Args:
            vectors: float32[n, d] of the texts, from the encoder the reader was trained for.
            texts: the n texts.
            tokens: their search tokens.
            context: None: each text stands alone; else they are a sequence.
        """
        if not len(texts):
            return np.empty((0, len(self.classes)), np.float32)
        surrounded = context if context and len(texts) > 1 else None
        moved = centred(vectors, self.center)
        if surrounded:
            moved = surrounded.of_vectors(moved)
        # Row by row: a product of many rows at once differs in its last bits with their number.
        inner = np.stack([row @ self.vector_weights[:-1] for row in moved])
        inner += self.vector_weights[-1]
        scores = np.float32(self.mix[0]) * inner
        if self.mix[1]:
            hashed = np.stack([self._of_words(text, words) for text, words in zip(texts, tokens, strict=True)])
            scores += np.float32(self.mix[1]) * (surrounded.of_words(hashed) if surrounded else hashed)
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)

    def _of_words(self, text: str, tokens: Sequence[str]) -> Floats:
        places, values = hashed_features(text, tokens, (len(self.hashed_weights) - 1).bit_length() - 1)
        return np.asarray(values @ self.hashed_weights[places] + self.hashed_weights[-1], np.float32)

    def write(self, path: Path) -> None:
        """Write as .npz; the hashed weights in 8 bit per class, the others in float16."""
        scale = np.maximum(np.abs(self.hashed_weights[:-1]).max(axis=0), 1e-9) / 127
        head = {"classes": self.classes, "mix": self.mix, "fingerprint": self.fingerprint, "card": dict(self.card)}
        np.savez_compressed(
            path,
            head=np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), np.uint8),
            vector=self.vector_weights.astype(np.float16),
            hashed=np.round(self.hashed_weights[:-1] / scale).astype(np.int8),
            scale=scale.astype(np.float32),
            bias=self.hashed_weights[-1].astype(np.float32),
            center=self.center.astype(np.float32),
        )

    @classmethod
    def read(cls, path: Path, fingerprint: str) -> Self:
        """The reader in a file that `write` wrote.

        Args:
            path: the .npz.
            fingerprint: of the encoder in use.

        Raises:
            CheckupError: if the file is missing or damaged, or was trained for another encoder.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                head = json.loads(file["head"].tobytes())
                hashed = file["hashed"].astype(np.float32) * file["scale"]
                vector = file["vector"].astype(np.float32)
                bias = file["bias"].astype(np.float32)
                center = file["center"].astype(np.float32)
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise CheckupError(
                f"Die Gewichte {path.name} sind nicht lesbar ({error}). Bitte neu installieren."
            ) from error
        if head["fingerprint"] != fingerprint:
            raise CheckupError(
                f"{path.name} wurde für ein anderes Sprachmodell trainiert. "
                "Bitte `checkup train readers` aufrufen oder die Einstellung encoder auf »e5« setzen."
            )
        return cls(
            tuple(head["classes"]),
            vector,
            np.vstack([hashed, bias]),
            center,
            tuple(head["mix"]),
            fingerprint,
            head["card"],
        )
