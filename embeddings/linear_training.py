"""Training the small linear readers by cross-validation, and ridge regressions (extra `transformers`: scikit-learn).

Below: scikit-learn, SciPy, imported inside functions. Above: `checkup train readers`, `checkup train answers`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embeddings.linear import BITS, Floats, Hashed, LinearReader, centred, hashed_features, hashed_tokens

MIXES = (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0)
TEMPERATURES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
FOLDS = 3
RIDGE_CLASSES = 40
"""From this many classes on, words are read by ridge regression: one factorisation for all classes."""
RIDGE = 0.5
"""Its regularisation, as a share of the mean squared length of the texts."""
RIDGE_SCALE = 15.0
"""What makes a ridge regression's scores (targets 0 and 1) as wide as a logistic regression's."""


def _sparse(rows: Sequence[Hashed], bits: int) -> Any:
    from scipy.sparse import csr_matrix

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

    model = LogisticRegression(C=strength, max_iter=500, tol=1e-4)
    model.fit(features, labels, sample_weight=weights)
    coefficients, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.array([-bias[0], bias[0]]) / 2
    return np.vstack([coefficients.T, bias]).astype(np.float32)


def _kernel(features: Any) -> Floats:
    """float32[n, n]: inner products of the sparse rows, made in blocks of dense rows."""
    rows = features.astype(np.float32).tocsr()
    kernel = np.empty((rows.shape[0], rows.shape[0]), np.float32)
    for start in range(0, rows.shape[0], 512):
        kernel[start : start + 512] = (rows @ rows[start : start + 512].toarray().T).T
    return kernel


def _ridge(kernel: Floats, targets: Floats, weights: Floats) -> Floats:
    """Dual weights float32[n, targets] of a ridge regression (Saunders et al. 1998).

    Args:
        kernel: float32[n, n] of the training texts; overwritten.
        targets: float32[n, targets].
        weights: float32[n]; a text of weight w may miss its targets 1/w times as far.
    """
    from scipy.linalg import cho_factor, cho_solve

    kernel[np.diag_indices(len(kernel))] += RIDGE * float(np.diag(kernel).mean()) / np.maximum(weights, 1e-3)
    factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, targets, check_finite=False), np.float32)


def _class_targets(labels: npt.NDArray[np.int64], classes: int) -> Floats:
    """float32[n, classes]: RIDGE_SCALE at each text's class, else 0."""
    targets = np.zeros((len(labels), classes), np.float32)
    targets[np.arange(len(labels)), labels] = RIDGE_SCALE
    return targets


def ridge_weights(tokens: Sequence[Sequence[str]], targets: Floats, bits: int) -> Floats:
    """Weights float32[2^bits, targets] of a ridge regression on hashed tokens, document frequencies multiplied in.

    Args:
        tokens: search tokens of the training texts.
        targets: float32[n, targets].
        bits: width of the table of features.
    """
    features, idf = _with_idf(_sparse([hashed_tokens(words, bits) for words in tokens], bits))
    dual = _ridge(_kernel(features), targets, np.ones(len(tokens), np.float32))
    return np.asarray(features.T @ dual, np.float32) * idf[:-1, None]


class _Words:
    """The regression over hashed words: logistic, or ridge where there are many classes."""

    def __init__(self, features: Any, labels: npt.NDArray[np.int64], weights: Floats, strength: float) -> None:
        self._features, self._labels, self._weights, self._strength = features, labels, weights, strength
        self._classes = int(labels.max()) + 1
        self._kernel = _kernel(features) if self._classes >= RIDGE_CLASSES else None

    def held_out(self, train: npt.NDArray[np.int64], test: npt.NDArray[np.int64]) -> Floats:
        """Scores float32[test, classes] of a model fitted without them."""
        if self._kernel is None:
            return _held_out(self._features, self._labels, self._weights, self._strength, train, test, self._classes)
        targets = _class_targets(self._labels[train], self._classes)
        dual = _ridge(self._kernel[np.ix_(train, train)], targets, self._weights[train])
        return np.asarray(self._kernel[np.ix_(test, train)] @ dual, np.float32)

    def weights(self) -> Floats:
        """float32[features + 1, classes] of the model fitted on everything."""
        if self._kernel is None:
            return _fit(self._features, self._labels, self._weights, self._strength)
        dual = _ridge(self._kernel, _class_targets(self._labels, self._classes), self._weights)
        primal = np.asarray(self._features.T @ dual, np.float32)
        return np.vstack([primal, np.zeros((1, self._classes), np.float32)])


def _held_out(
    features: Any,
    labels: npt.NDArray[np.int64],
    weights: Floats,
    strength: float,
    train: npt.NDArray[np.int64],
    test: npt.NDArray[np.int64],
    classes: int,
) -> Floats:
    known = np.unique(labels[train])
    fitted = _fit(features[train], np.searchsorted(known, labels[train]), weights[train], strength)
    scores = np.full((len(test), classes), -20.0, np.float32)
    scores[:, known] = np.asarray(features[test] @ fitted[:-1]) + fitted[-1]
    return scores


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
    judge: Sequence[bool] | None = None,
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
        judge: the texts on which mix, temperature and figures are found (None: all): those that the encoder has not
            seen in its own training, since of the others its vectors know too much.
        strengths: inverse regularisation C of the two logistic regressions; with RIDGE_CLASSES classes or more the
            second is a ridge regression.
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
    sparse, idf = _with_idf(
        _sparse([hashed_features(text, words, bits) for text, words in zip(texts, tokens, strict=True)], bits)
    )
    words = _Words(sparse, target, weights, strengths[1])
    held_v, held_h = (np.zeros((len(target), len(classes)), np.float32) for _ in range(2))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=seed).split(moved, target, groups):
        held_v[test] = _held_out(moved, target, weights, strengths[0], train, test, len(classes))
        held_h[test] = words.held_out(train, test)
    judges = np.flatnonzero(judge) if judge is not None and any(judge) else np.arange(len(target))
    told, held_v, held_h = target[judges], held_v[judges], held_h[judges]
    loss, share, temperature = min(
        (_log_loss(t * ((1 - m) * held_v + m * held_h), told), m, t) for m in MIXES for t in TEMPERATURES
    )
    mix = (temperature * (1 - share), temperature * share)
    ranks = _ranks(mix[0] * held_v + mix[1] * held_h, told)
    figures = {
        "texts": len(target), "judged_on": len(judges), "classes": len(classes),
        "top1": round(float((ranks < 1).mean()), 4),
        "top5": round(float((ranks < 5).mean()), 4), "top10": round(float((ranks < 10).mean()), 4),
        "log_loss": round(loss, 4), "vector_only_top1": round(float((_ranks(held_v, told) < 1).mean()), 4),
    }  # fmt: skip
    figures["hashed_only_top1"] = round(float((_ranks(held_h, told) < 1).mean()), 4)
    return LinearReader(
        classes=tuple(classes),
        vector_weights=_fit(moved, target, weights, strengths[0]),
        hashed_weights=words.weights() * idf[:, None],
        center=center,
        mix=mix,
        fingerprint=fingerprint,
        card={**(card or {}), "figures": figures, "seed": seed, "strengths": strengths},
    )


def _ranks(scores: npt.NDArray[Any], target: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many classes score higher than the true one."""
    own = scores[np.arange(len(target)), target]
    return np.asarray((scores > own[:, None]).sum(axis=1))
