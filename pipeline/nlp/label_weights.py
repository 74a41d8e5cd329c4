"""The linear model that turns words and cues into scores of fields, groups and the topic.

A text is its set of index tokens, each weighted by its inverse document frequency and the whole scaled to length one
(Salton & Buckley 1988, doi 10.1016/0306-4573(88)90021-0), beside the logarithm of
the cue weights of every label. It lies in `weights/labels.npz` (fields and groups) and, by language, in
`weights/topic.npz` and `weights/topic-en.npz`.

Below: nothing. Above: `pipeline.nlp.labels` and `pipeline.nlp.topic` read it, `pipeline.nlp.label_training` and
`pipeline.nlp.topic_training` make it.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHTS_FILE = Path(__file__).parent / "weights" / "labels.npz"
TOPIC_FILES = {"de": WEIGHTS_FILE.with_name("topic.npz"), "en": WEIGHTS_FILE.with_name("topic-en.npz")}
CUE_SCALE = 3.0

Floats = NDArray[np.float32]


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

    def decide(self, tokens: Iterable[str], cues: Mapping[str, float]) -> Floats:
        """Distance of every label from its threshold, in log odds; above zero the label holds.

        Args:
            tokens: Index tokens of the text (`pipeline.nlp.search_tokens`).
            cues: Sum of cue weights by name.
        """
        rows = sorted({self.tokens[token] for token in tokens if token in self.tokens})
        weights = self.idf[rows]
        length = float(np.sqrt((weights**2).sum())) or 1.0
        by_words = (weights / length) @ self.by_token[rows]
        return np.asarray(by_words + cue_features(cues, self.cues) @ self.by_cue + self.bias - self.thresholds)

    def save(self, path: Path, card: Mapping[str, Any]) -> None:
        """Writes the weights and their card into one file; the same weights give the same bytes."""
        names = {"labels": self.labels, "cues": self.cues, "tokens": list(self.tokens)}
        np.savez_compressed(
            path,
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
        )


@cache
def shipped_weights(path: Path = WEIGHTS_FILE) -> LabelWeights:
    """The weights that are shipped beside the code."""
    return read_weights(path)
