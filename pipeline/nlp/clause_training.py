"""Training of the judge of clauses on gold: one multinomial logistic regression over the clauses of labelled texts.

Below: `pipeline.nlp.judge`, `pipeline.nlp.clause_features`. Above: `checkup train`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.clause_features import clause_features
from pipeline.nlp.judge import LEVELS, NEIGHBOUR, ClauseWeights, Floats, rule_levels
from pipeline.nlp.readings import Quoter, analyse, overlap, span_quote

_LEAST = 2
_TRUST = (0.2, 0.2, 0.2, 0.2, 0.2, 0.5, 0.2, 0.5)
"""By level: 5 and 7 are so rare in gold that the rules know them better."""
_STEPS = 400
_RATE = 2.0
_MOMENTUM = 0.9
_SCALE = 8.0
"""About the length of a clause's row of features; dividing by it keeps the steps stable."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with the claims that people marked in it: `start`, `end` (code points), `level`, `status`."""

    title: str | None
    text: str
    claims: Sequence[Mapping[str, Any]]


def train_clauses(texts: Sequence[LabelledText], *, penalty: float = 2.5) -> ClauseWeights:
    """Trains the judge; the same texts give the same weights.

    Args:
        texts: Texts of projects (no off-topic ones) with their claims.
        penalty: L2 penalty on the weights, in units of one clause.
    """
    clauses = [clause for text in texts for clause in _clauses(text)]
    counts = Counter(name for names, _ in clauses for name in set(names))
    names = {name: row for row, name in enumerate(sorted(name for name, count in counts.items() if count >= _LEAST))}
    inputs = np.zeros((len(clauses), len(names) + 1), dtype=np.float32)
    truth = np.zeros((len(clauses), LEVELS), dtype=np.float32)
    for row, (features, level) in enumerate(clauses):
        truth[row, level] = 1.0
        for name in features:
            if name in names:
                inputs[row, names[name]] = NEIGHBOUR if name[0] in "<>" else 1.0
    inputs[:, -1] = 1.0
    found = _descend(inputs / np.float32(_SCALE), truth, penalty / _SCALE**2) / np.float32(_SCALE)
    return ClauseWeights(names, found[:-1], found[-1], np.asarray(_TRUST, dtype=np.float32))


def _clauses(text: LabelledText) -> Iterator[tuple[list[str], int]]:
    """Features and level of every clause; a clause of the title states nothing."""
    quoter = Quoter(text.title, text.text)
    with pipeline_zone() as nlp:
        doc = analyse(nlp, quoter)
        for clause, features in zip(doc._.clauses, clause_features(doc, rule_levels(doc)), strict=True):
            span = span_quote(doc, quoter, clause.spans[0][0], clause.spans[-1][1])
            met = [claim for claim in text.claims if span.get("where") != "title" and overlap(span, claim)]
            best = max(met, key=lambda claim: (claim["status"] == "result", claim["level"]), default=None)
            yield features, int(best["level"]) if best else 0


def _descend(inputs: Floats, truth: Floats, penalty: float) -> Floats:
    """Gradient descent with Nesterov's momentum on the multinomial logistic loss; the last row, the bias, is free."""
    found = np.zeros((inputs.shape[1], truth.shape[1]), dtype=np.float32)
    speed = np.zeros_like(found)
    decay = np.full((inputs.shape[1], 1), penalty, dtype=np.float32)
    decay[-1] = 0.0
    for _ in range(_STEPS):
        ahead = found + _MOMENTUM * speed
        scores = inputs @ ahead
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = odds / odds.sum(axis=1, keepdims=True) - truth
        speed = np.asarray(_MOMENTUM * speed - _RATE * (inputs.T @ error + decay * ahead) / len(inputs), np.float32)
        found += speed
    return found
