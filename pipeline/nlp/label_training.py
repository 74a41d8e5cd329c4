"""Training of the label weights: one logistic regression per label over words and cues, all labels at once.

Below: `pipeline.nlp.label_weights`, `pipeline.nlp.labels`. Above: `pipeline.nlp.topic_training`, `checkup train`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.label_weights import Embedded, Floats, LabelWeights, approach_features, cue_features, vector_features
from pipeline.nlp.labels import label_names
from pipeline.nlp.readings import Quoter, analyse

_LEAST_TEXTS = 2
_STEPS = 400
_RATE = 4.0
_MOMENTUM = 0.9
_GRID = np.arange(-2.5, 2.0, 0.1)


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its true labels (`action_fields/sprache`); `weight` below one for short or doubtful texts."""

    title: str | None
    text: str
    labels: frozenset[str]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is looked at of a text: index tokens, logarithms of its sums of cue weights, perhaps vectors."""

    tokens: frozenset[str]
    cues: Floats
    embedded: Embedded | None = None


def train(
    examples: Sequence[Example],
    *,
    penalty: float = 1.0,
    folds: int = 5,
    embed: Callable[[str | None, str], Embedded] | None = None,
) -> LabelWeights:
    """Trains the weights; thresholds are set where the examples, each left out once, give the best micro-F1.

    Args:
        examples: Texts with labels; their order decides the folds.
        penalty: L2 penalty on the weights, in units of one example.
        folds: Parts in which examples of weight 1 are left out for the thresholds.
        embed: Says what encoder and reader of approaches say of a title and a text, where that is learned from too.

    Returns:
        Weights for every label; deterministic.
    """
    labels = label_names()
    seen = [_look(example, labels, embed) for example in examples]
    truth = np.asarray([[label in example.labels for label in labels] for example in examples], dtype=np.float32)
    weight = np.asarray([example.weight for example in examples], dtype=np.float32)
    whole = [index for index, example in enumerate(examples) if example.weight == 1.0]
    held = np.full((len(examples), len(labels)), -9.0, dtype=np.float32)
    for fold in range(folds):
        out = whole[fold::folds]
        kept = np.ones(len(examples), dtype=bool)
        kept[out] = False
        model = fit([seen[i] for i in np.flatnonzero(kept)], truth[kept], weight[kept], labels, labels, penalty)
        held[out] = [_scores(model, seen[i]) for i in out]
    final = fit(seen, truth, weight, labels, labels, penalty)
    thresholds = _thresholds(held[whole], truth[whole].astype(bool), labels)
    return replace(final, thresholds=thresholds.astype(np.float32))


def _look(example: Example, labels: Sequence[str], embed: Callable[[str | None, str], Embedded] | None = None) -> Seen:
    quoter = Quoter(example.title, example.text)
    found = embed(example.title, example.text) if embed else None
    with pipeline_zone() as nlp:
        doc = analyse(nlp, quoter)
        return Seen(frozenset(doc._.search_tokens), cue_features(doc._.cue_sums, labels), found)


def _scores(model: LabelWeights, seen: Seen) -> Floats:
    rows = sorted(model.tokens[token] for token in seen.tokens if token in model.tokens)
    weights = model.idf[rows]
    length = float(np.sqrt((weights**2).sum())) or 1.0
    found = (weights / length) @ model.by_token[rows] + seen.cues @ model.by_cue + model.bias
    if seen.embedded is not None:
        found = found + vector_features(seen.embedded.vectors[None], model.usual)[0] @ model.by_vector
        found = found + approach_features(seen.embedded.approaches, model.approaches) @ model.by_approach
    return np.asarray(found)


def fit(
    seen: Sequence[Seen],
    truth: Floats,
    weight: Floats,
    labels: Sequence[str],
    cues: Sequence[str],
    penalty: float,
    *,
    least_texts: int = _LEAST_TEXTS,
) -> LabelWeights:
    """Weights with thresholds of zero, from what was seen of the texts.

    Args:
        seen: The texts, all with vectors or none.
        truth: Which labels hold, float32[texts, labels].
        weight: Of each text.
        labels: Their names.
        cues: Names of the sums that were looked at.
        penalty: L2 penalty on the weights, in units of one text of weight one.
        least_texts: A token in fewer texts is left out.
    """
    counts = Counter(token for one in seen for token in one.tokens)
    names = sorted(token for token, count in counts.items() if count >= least_texts)
    index = {token: number for number, token in enumerate(names)}
    frequencies = np.asarray([counts[token] for token in names])
    idf = np.asarray(np.log((1 + len(seen)) / (1 + frequencies)) + 1, dtype=np.float32)
    words = np.zeros((len(seen), len(names)), dtype=np.float32)
    for row, one in enumerate(seen):
        columns = [index[token] for token in one.tokens if token in index]
        words[row, columns] = idf[columns]
    words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-9)
    known = [one.embedded for one in seen if one.embedded is not None]
    vectors, usual = _vectors(known, weight)
    approaches = tuple(known[0].approaches) if known else ()
    carried = np.asarray([approach_features(one.approaches, approaches) for one in known], np.float32)
    parts = [words, np.vstack([one.cues for one in seen])]
    if known:
        parts += [vectors, carried]
    inputs = np.hstack([*parts, np.ones((len(seen), 1), dtype=np.float32)])
    found = _descend(inputs, truth, weight, penalty)
    by_token, by_cue, by_vector, by_approach, bias = np.split(
        found, np.cumsum([len(names), len(cues), usual.size, len(approaches)])
    )
    return LabelWeights(
        tuple(labels), tuple(cues), index, idf, by_token, by_cue, bias[0], np.zeros(len(labels), np.float32),
        by_vector, usual, approaches, by_approach,
    )  # fmt: skip


def _vectors(known: Sequence[Embedded], weight: Floats) -> tuple[Floats, Floats]:
    """What is looked at of vectors, float32[texts, parts * d], and the usual ones, float32[parts, d]."""
    if not known:
        return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
    vectors = np.asarray([one.vectors for one in known], np.float32)
    told = vectors.any(axis=2) * weight[:, None]
    sums = np.einsum("tp,tpd->pd", told, vectors)
    usual = np.asarray(sums / np.maximum(told.sum(axis=0), 1e-9)[:, None], np.float32)
    return vector_features(vectors, usual), usual


def _descend(inputs: Floats, truth: Floats, weight: Floats, penalty: float) -> Floats:
    """Gradient descent with Nesterov's momentum on the weighted logistic loss; the last input is never penalised."""
    found = np.zeros((inputs.shape[1], truth.shape[1]), dtype=np.float32)
    speed = np.zeros_like(found)
    decay = np.full((inputs.shape[1], 1), penalty, dtype=np.float32)
    decay[-1] = 0.0
    total = float(weight.sum())
    for _ in range(_STEPS):
        ahead = found + _MOMENTUM * speed
        error = (1 / (1 + np.exp(-np.clip(inputs @ ahead, -30, 30))) - truth) * weight[:, None]
        speed = np.asarray(_MOMENTUM * speed - _RATE * (inputs.T @ error + decay * ahead) / total, dtype=np.float32)
        found += speed
    return np.asarray(found, dtype=np.float32)


def _thresholds(scores: Floats, truth: np.ndarray, labels: Sequence[str]) -> Floats:
    """One threshold per table (fields, groups): single labels have too few examples for one of their own."""
    found = np.zeros(len(labels), dtype=np.float32)
    for table in sorted({label.partition("/")[0] for label in labels}):
        columns = [index for index, label in enumerate(labels) if label.startswith(f"{table}/")]
        best = max(_GRID, key=lambda limit: (_f1(scores[:, columns] >= limit, truth[:, columns]), -limit))
        found[columns] = best
    return found


def _f1(told: np.ndarray, truth: np.ndarray) -> float:
    return 2 * float((told & truth).sum()) / max(1.0, float(told.sum() + truth.sum()))
