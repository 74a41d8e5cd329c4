"""Training the small linear readers by cross-validation (extra `transformers`: scikit-learn).

Below: scikit-learn, SciPy, imported inside functions. Above: `checkup train readers`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embeddings.linear import BITS, Floats, LinearReader, centred, hashed_features

MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)
TEMPERATURES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
FOLDS = 3


def _sparse(texts: Sequence[str], tokens: Sequence[Sequence[str]], bits: int) -> Any:
    from scipy.sparse import csr_matrix

    rows = [hashed_features(text, words, bits) for text, words in zip(texts, tokens, strict=True)]
    indptr = np.cumsum([0, *(len(places) for places, _ in rows)])
    indices = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, indices, indptr), shape=(len(rows), 1 << bits))


def _with_idf(features: Any) -> tuple[Any, Floats]:
    """The features weighted by smoothed inverse document frequency, and those weights with a last 1 for the bias."""
    from scipy.sparse import diags

    rows = features.shape[0]
    frequency = np.asarray((features > 0).sum(axis=0)).ravel()
    idf = np.log((1 + rows) / (1 + frequency)) + 1
    idf /= np.sqrt((idf**2).mean())
    return features @ diags(idf), np.append(idf, 1.0).astype(np.float32)


def _fit(features: Any, labels: npt.NDArray[np.int64], weights: Floats, strength: float) -> Floats:
    """Weights float32[features + 1, classes] of a multinomial logistic regression; the last row is the bias."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=80, tol=1e-4)
    model.fit(features, labels, sample_weight=weights)
    coefficients, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.array([-bias[0], bias[0]]) / 2
    return np.vstack([coefficients.T, bias]).astype(np.float32)


def _log_loss(scores: npt.NDArray[Any], labels: npt.NDArray[np.int64]) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return float(-(shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))).mean())


def train_reader(
    vectors: Floats,
    texts: Sequence[str],
    tokens: Sequence[Sequence[str]],
    labels: Sequence[str],
    *,
    groups: Sequence[str],
    fingerprint: str,
    sample_weights: Sequence[float] | None = None,
    strengths: tuple[float, float] = (5.0, 20.0),
    bits: int = BITS,
    card: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> LinearReader:
    """A reader, its mix and temperature found by cross-validation that keeps each group on one side.

    Args:
        vectors: float32[n, d] of the texts.
        texts: n texts.
        tokens: their search tokens.
        labels: their classes.
        groups: texts of one group are never on both sides of a fold (a whole situation, a writer's batch).
        fingerprint: of the encoder that gave the vectors.
        sample_weights: weight per text; None: all 1.
        strengths: inverse regularisation C of the two regressions; 0 for the second leaves hashed features out (with
            hundreds of classes they took minutes and added little to a trained encoder's vectors).
        bits: width of the hashing table.
        card: kept with the weights, with the figures added.
        seed: of the folds.

    Returns:
        The reader; `card` holds held-out top-1, top-5 and log loss.
    """
    from sklearn.model_selection import GroupKFold

    classes = sorted(set(labels))
    place = {name: i for i, name in enumerate(classes)}
    target = np.array([place[label] for label in labels], np.int64)
    weights = np.ones(len(target), np.float32) if sample_weights is None else np.asarray(sample_weights, np.float32)
    center = np.asarray(vectors.mean(axis=0), np.float32)
    moved = centred(vectors, center)
    bits = bits if strengths[1] else 1
    sparse, idf = _with_idf(_sparse(texts, tokens, bits))
    held_v, held_h = (np.zeros((len(target), len(classes)), np.float32) for _ in range(2))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(moved, target, groups):
        known = np.unique(target[train])
        compact = np.searchsorted(known, target[train])
        for features, held, strength in ((moved, held_v, strengths[0]), (sparse, held_h, strengths[1])):
            if not strength:
                continue
            fitted = _fit(features[train], compact, weights[train], strength)
            scores = np.full((len(test), len(classes)), -20.0, np.float32)
            scores[:, known] = np.asarray(features[test] @ fitted[:-1]) + fitted[-1]
            held[test] = scores
    loss, share, temperature = min(
        (_log_loss(t * ((1 - m) * held_v + m * held_h), target), m, t)
        for m in (MIXES if strengths[1] else MIXES[:1])
        for t in TEMPERATURES
    )
    mix = (temperature * (1 - share), temperature * share)
    ranks = _ranks(mix[0] * held_v + mix[1] * held_h, target)
    figures = {
        "texts": len(target), "classes": len(classes), "top1": round(float((ranks < 1).mean()), 4),
        "top5": round(float((ranks < 5).mean()), 4), "top10": round(float((ranks < 10).mean()), 4),
        "log_loss": round(loss, 4), "vector_only_top1": round(float((_ranks(held_v, target) < 1).mean()), 4),
    }  # fmt: skip
    if strengths[1]:
        figures["hashed_only_top1"] = round(float((_ranks(held_h, target) < 1).mean()), 4)
    return LinearReader(
        classes=tuple(classes),
        vector_weights=_fit(moved, target, weights, strengths[0]),
        hashed_weights=(
            _fit(sparse, target, weights, strengths[1]) * idf[:, None]
            if strengths[1]
            else np.zeros((len(idf), len(classes)), np.float32)
        ),
        center=center,
        mix=mix,
        fingerprint=fingerprint,
        card={**(card or {}), "figures": figures, "seed": seed, "strengths": strengths},
    )


def _ranks(scores: npt.NDArray[Any], target: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many classes score higher than the true one."""
    own = scores[np.arange(len(target)), target]
    return np.asarray((scores > own[:, None]).sum(axis=1))
