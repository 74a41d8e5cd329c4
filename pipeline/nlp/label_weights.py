"""The linear model that turns words, cues and a vector into scores of fields, groups and the topic.

A text is its set of index tokens, each weighted by its inverse document frequency and the whole scaled to length one
(Salton & Buckley 1988, doi 10.1016/0306-4573(88)90021-0), beside the logarithm of
the cue weights of every label, and where the weights know more, the vectors of its parts, each less the usual one and
scaled to one length, and the approaches that were read from them.
It lies in `weights/labels.npz` (fields and groups by words and cues), `weights/vector-labels.npz` (with vectors and
approaches too) and, by language, in `weights/topic.npz` and `weights/topic-en.npz`.

Below: nothing. Above: `pipeline.nlp.labels` and `pipeline.nlp.topic` read it, `pipeline.nlp.label_training` and
`pipeline.nlp.topic_training` make it.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHTS_FILE = Path(__file__).parent / "weights" / "labels.npz"
VECTOR_FILE = WEIGHTS_FILE.with_name("vector-labels.npz")
TOPIC_FILES = {"de": WEIGHTS_FILE.with_name("topic.npz"), "en": WEIGHTS_FILE.with_name("topic-en.npz")}
CUE_SCALE = 3.0
_OF_VECTORS = ("by_vector", "usual", "by_approach")
_VECTOR_SCALE = 0.75
"""Length of the vector of each part less the usual one, beside the words' length of one; .5 and 1 are as good."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """What the encoder and the reader of approaches say of a text."""

    vectors: Floats
    """float32[parts, d]: one of length one for each part of the text that is looked at, zeros where it has none."""
    approaches: Mapping[str, float]
    """How likely the text describes each approach, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelWeights:
    """Weights for every label, all float32: `idf` [tokens], `by_token` [tokens, labels], `by_cue` [cues, labels]."""

    labels: tuple[str, ...]
    cues: tuple[str, ...]
    """The sums of cue weights that are looked at, in order."""
    tokens: Mapping[str, int]
    idf: Floats
    by_token: Floats
    by_cue: Floats
    bias: Floats
    thresholds: Floats
    by_vector: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """float32[parts * d, labels], where the weights know vectors."""
    usual: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """float32[parts, d]: the mean of the vectors that were learned from."""
    approaches: tuple[str, ...] = ()
    """Those that the weights know."""
    by_approach: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """float32[approaches, labels]."""

    def decide(self, tokens: Iterable[str], cues: Mapping[str, float], embedded: Embedded | None = None) -> Floats:
        """Distance of every label from its threshold, in log odds; above zero the label holds.

        Args:
            tokens: Index tokens of the text (`pipeline.nlp.search_tokens`).
            cues: Sum of cue weights by name.
            embedded: Where the weights know vectors and approaches.
        """
        rows, weights = self._weighted(tokens)
        length = float(np.sqrt((weights**2).sum())) or 1.0
        words = (weights / length) @ self.by_token[rows]
        found = words + cue_features(cues, self.cues) @ self.by_cue + self.bias - self.thresholds
        if embedded is not None:
            found = found + vector_features(embedded.vectors[None], self.usual)[0] @ self.by_vector
            found = found + approach_features(embedded.approaches, self.approaches) @ self.by_approach
        return np.asarray(found, np.float32)

    def by_words(self, tokens: Iterable[str]) -> Floats:
        """How much some of a text's tokens speak for every label, float32[labels]: to compare parts of one text."""
        rows, weights = self._weighted(tokens)
        return np.asarray(weights @ self.by_token[rows], np.float32)

    def _weighted(self, tokens: Iterable[str]) -> tuple[list[int], Floats]:
        rows = sorted({self.tokens[token] for token in tokens if token in self.tokens})
        return rows, self.idf[rows]

    def save(self, path: Path, card: Mapping[str, Any]) -> None:
        """Writes the weights and their card into one file; the same weights give the same bytes."""
        names: dict[str, Any] = {"labels": self.labels, "cues": self.cues, "tokens": list(self.tokens)}
        more: dict[str, Any] = {}
        if len(self.usual):
            names["approaches"] = self.approaches
            more = {"by_vector": self.by_vector.astype(np.float16), "usual": self.usual}
            more["by_approach"] = self.by_approach.astype(np.float16)
        np.savez_compressed(
            path,
            **more,
            idf=self.idf.astype(np.float16),
            by_token=self.by_token.astype(np.float16),
            by_cue=self.by_cue,
            bias=self.bias,
            thresholds=self.thresholds,
            names=np.frombuffer(json.dumps(names, ensure_ascii=False).encode(), np.uint8),
            card=np.frombuffer(json.dumps(card, ensure_ascii=False, sort_keys=True).encode(), np.uint8),
        )


def cue_features(cues: Mapping[str, float], names: Sequence[str]) -> Floats:
    """The logarithm of each sum of cue weights: float32[names]."""
    sums = np.asarray([max(cues.get(name, 0.0), 0.0) for name in names], dtype=np.float64)
    return np.asarray(np.log1p(sums) / CUE_SCALE, dtype=np.float32)


def vector_features(vectors: Floats, usual: Floats) -> Floats:
    """What is looked at of the vectors of texts: what each has beyond the usual one, at one length.

    Args:
        vectors: float32[texts, parts, d]; zeros stay zeros.
        usual: float32[parts, d].

    Returns:
        float32[texts, parts * d].
    """
    found = np.where(vectors.any(axis=2, keepdims=True), vectors - usual, 0.0)
    lengths = np.maximum(np.linalg.norm(found, axis=2, keepdims=True), 1e-9)
    return np.asarray(_VECTOR_SCALE * found / lengths, np.float32).reshape(len(vectors), -1)


def approach_features(approaches: Mapping[str, float], names: Sequence[str]) -> Floats:
    """How likely each approach is: float32[names]."""
    return np.asarray([approaches.get(name, 0.0) for name in names], np.float32)


def read_weights(path: Path) -> LabelWeights:
    """Reads a file that `LabelWeights.save` wrote; nothing in it is executed."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        names = json.loads(file["names"].tobytes())
        return LabelWeights(
            labels=tuple(names["labels"]),
            cues=tuple(names["cues"]),
            tokens={token: index for index, token in enumerate(names["tokens"])},
            idf=file["idf"].astype(np.float32),
            by_token=file["by_token"].astype(np.float32),
            by_cue=file["by_cue"],
            bias=file["bias"],
            thresholds=file["thresholds"],
            approaches=tuple(names.get("approaches", ())),
            **{name: file[name].astype(np.float32) for name in _OF_VECTORS if name in file},
        )


@cache
def shipped_weights(path: Path = WEIGHTS_FILE) -> LabelWeights:
    """The weights that are shipped beside the code."""
    return read_weights(path)
