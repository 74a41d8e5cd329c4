"""Training of the topic weights: one logistic regression over words and cues, projects against other texts.

Below: `pipeline.nlp.topic`, `pipeline.nlp.topic_weights`, `pipeline.nlp.label_training`. Above: `checkup train`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.label_training import descend
from pipeline.nlp.label_weights import Floats, cue_features
from pipeline.nlp.readings import Quoter, analyse
from pipeline.nlp.search_tokens import index_tokens
from pipeline.nlp.topic import topic_names, topic_sums
from pipeline.nlp.topic_weights import TopicWeights

_LEAST_TEXTS = 3
PENALTY = 0.1
"""L2 penalty in units of one text; with .3, 1 or 4 more projects are lost for the same share of others found."""
LEAST = -0.35
"""Threshold in log odds: each left out once, 1 % of the projects and 3 of 4 texts on something else lie below."""


@dataclass(frozen=True, slots=True)
class TopicExample:
    """A text and whether it is on topic; `weight` beside the others of its side."""

    title: str | None
    text: str
    on_topic: bool
    weight: float = 1.0


def train_topic(examples: Sequence[TopicExample]) -> TopicWeights:
    """Trains the weights; both sides weigh the same in sum. Deterministic."""
    names = topic_names()
    seen = [_look(example, names) for example in examples]
    truth = np.asarray([example.on_topic for example in examples])
    weight = np.asarray([example.weight for example in examples], dtype=np.float32)
    weight[~truth] *= weight[truth].sum() / weight[~truth].sum()
    counts = Counter(token for tokens, _ in seen for token in tokens)
    known = sorted(token for token, count in counts.items() if count >= _LEAST_TEXTS)
    index = {token: number for number, token in enumerate(known)}
    frequencies = np.asarray([counts[token] for token in known])
    idf = np.asarray(np.log((1 + len(seen)) / (1 + frequencies)) + 1, dtype=np.float32)
    words = np.zeros((len(seen), len(known)), dtype=np.float32)
    for row, (tokens, _) in enumerate(seen):
        columns = [index[token] for token in tokens if token in index]
        words[row, columns] = idf[columns]
    words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-9)
    inputs = np.hstack([words, np.vstack([cues for _, cues in seen]), np.ones((len(seen), 1), dtype=np.float32)])
    found = descend(inputs, truth[:, None].astype(np.float32), weight, PENALTY)[:, 0]
    split = len(known)
    return TopicWeights(names, index, idf, found[:split], found[split:-1], float(found[-1]), LEAST)


def _look(example: TopicExample, names: Sequence[str]) -> tuple[frozenset[str], Floats]:
    with pipeline_zone() as nlp:
        doc = analyse(nlp, Quoter(example.title, example.text))
        return frozenset(index_tokens(doc._.words.lemmas)), cue_features(topic_sums(doc), names)
