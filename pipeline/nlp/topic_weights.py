"""The linear model that tells projects of integration from other texts, as it lies in `weights/topic.npz`.

A text is its set of index tokens, weighted and scaled as in `pipeline.nlp.label_weights`, beside the logarithm of the
cue weights of every field, group and word of the topic.

Below: `pipeline.nlp.label_weights`. Above: `pipeline.nlp.topic` reads it, `pipeline.nlp.topic_training` makes it.
"""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.nlp.label_weights import Floats, cue_features

TOPIC_FILE = Path(__file__).parent / "weights" / "topic.npz"


@dataclass(frozen=True, slots=True, eq=False)
class TopicWeights:
    """Weights, all float32: `idf` and `by_token` [tokens], `by_cue` [names]; above `least` a text is on topic."""

    names: tuple[str, ...]
    """The sums of cue weights that are looked at, in order."""
    tokens: Mapping[str, int]
    idf: Floats
    by_token: Floats
    by_cue: Floats
    bias: float
    least: float

    def decide(self, tokens: Iterable[str], cues: Mapping[str, float]) -> float:
        """Distance from the threshold in log odds; above zero a text is on topic.

        Args:
            tokens: Index tokens of the text (`pipeline.nlp.search_tokens`).
            cues: Sum of cue weights by name.
        """
        rows = sorted({self.tokens[token] for token in tokens if token in self.tokens})
        weights = self.idf[rows]
        length = float(np.sqrt((weights**2).sum())) or 1.0
        by_words = float((weights / length) @ self.by_token[rows])
        return by_words + float(cue_features(cues, self.names) @ self.by_cue) + self.bias - self.least

    def save(self, path: Path, card: Mapping[str, Any]) -> None:
        """Writes the weights and their card into one file; the same weights give the same bytes."""
        names = json.dumps({"names": self.names, "tokens": list(self.tokens)}, ensure_ascii=False)
        np.savez_compressed(
            path,
            idf=self.idf.astype(np.float16),
            by_token=self.by_token.astype(np.float16),
            by_cue=self.by_cue,
            ends=np.asarray([self.bias, self.least], dtype=np.float32),
            names=np.frombuffer(names.encode(), np.uint8),
            card=np.frombuffer(json.dumps(card, ensure_ascii=False, sort_keys=True).encode(), np.uint8),
        )


def read_topic_weights(path: Path) -> TopicWeights:
    """Reads a file that `TopicWeights.save` wrote; nothing in it is executed."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        names = json.loads(file["names"].tobytes())
        bias, least = map(float, file["ends"])
        return TopicWeights(
            names=tuple(names["names"]),
            tokens={token: index for index, token in enumerate(names["tokens"])},
            idf=file["idf"].astype(np.float32),
            by_token=file["by_token"].astype(np.float32),
            by_cue=file["by_cue"],
            bias=bias,
            least=least,
        )


@cache
def shipped_topic_weights() -> TopicWeights:
    """The weights that are shipped beside the code."""
    return read_topic_weights(TOPIC_FILE)
