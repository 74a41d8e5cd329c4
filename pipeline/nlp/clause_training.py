"""Training of the judges of clauses: multinomial logistic regressions over the clauses of labelled texts.

Below: `pipeline.nlp.judge`, `pipeline.nlp.clause_features`. Above: `checkup train`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.corpus_files import LESSONS
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.clause_features import clause_features
from pipeline.nlp.judge import NEIGHBOUR, ClauseWeights, Floats, rule_levels
from pipeline.nlp.readings import Quoter, analyse, overlap, span_quote

_LEAST = 2
_LEAST_OF_LESSONS = 4
"""In so many clauses a feature must stand; the judge of lessons learns from thirty times as many words."""
_TRUST = (0.2, 0.2, 0.2, 0.2, 0.2, 0.5, 0.2, 0.5)
"""By level: 5 and 7 are so rare in gold that the rules know them better."""
_LESSON_TRUST = 0.15
"""Best by cross-validation over 352 texts with older labels (F1 .539; .522 without the rules, .484 by them alone)."""
_PENALTY = 2.5
"""L2 penalty on the weights, in units of one clause."""
_STEPS = 400
_RATE = 2.0
_MOMENTUM = 0.9
_SCALE = 8.0
"""About the length of a clause's row of features; dividing by it keeps the steps stable."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with what people marked in it, `start` and `end` in code points."""

    title: str | None
    text: str
    claims: Sequence[Mapping[str, Any]]
    """With `level` and `status`."""
    lessons: Sequence[Mapping[str, Any]] = ()
    """With `kind`."""


@dataclass(frozen=True, slots=True)
class _LabelledClause:
    features: list[str]
    level: int
    lesson: int
    """0 none, else the place in LESSONS and one."""


def train_levels(texts: Sequence[LabelledText]) -> ClauseWeights:
    """Trains the judge of levels on claims; the same texts give the same weights.

    Args:
        texts: Texts of projects (no off-topic ones) in which every claim is marked.
    """
    clauses = [clause for text in texts for clause in _clauses(text)]
    return _fit(clauses, [clause.level for clause in clauses], _TRUST, _LEAST)


def train_lessons(texts: Sequence[LabelledText]) -> ClauseWeights:
    """Trains the judge of lessons; the same texts give the same weights.

    Args:
        texts: Texts of projects (no off-topic ones) in which every lesson is marked.
    """
    clauses = [clause for text in texts for clause in _clauses(text)]
    classes = [clause.lesson for clause in clauses]
    return _fit(clauses, classes, [_LESSON_TRUST] * (1 + len(LESSONS)), _LEAST_OF_LESSONS)


def _fit(
    clauses: Sequence[_LabelledClause], classes: Sequence[int], trust: Sequence[float], least: int
) -> ClauseWeights:
    counts = Counter(name for clause in clauses for name in set(clause.features))
    names = {name: row for row, name in enumerate(sorted(name for name, count in counts.items() if count >= least))}
    inputs = np.zeros((len(clauses), len(names) + 1), dtype=np.float32)
    for row, clause in enumerate(clauses):
        for name in clause.features:
            if name in names:
                inputs[row, names[name]] = NEIGHBOUR if name[0] in "<>" else 1.0
    inputs[:, -1] = 1.0
    truth = np.eye(len(trust), dtype=np.float32)[list(classes)]
    found = _descend(inputs / np.float32(_SCALE), truth, _PENALTY / _SCALE**2) / np.float32(_SCALE)
    return ClauseWeights(names, found[:-1], found[-1], np.asarray(trust, dtype=np.float32))


def _clauses(text: LabelledText) -> Iterator[_LabelledClause]:
    """Every clause with what is known and marked of it; a clause of the title states nothing."""
    quoter = Quoter(text.title, text.text)
    with pipeline_zone() as nlp:
        doc = analyse(nlp, quoter)
        for clause, features in zip(doc._.clauses, clause_features(doc, rule_levels(doc)), strict=True):
            span = span_quote(doc, quoter, clause.spans[0][0], clause.spans[-1][1])
            inside = span.get("where") != "title"
            met = [claim for claim in text.claims if inside and overlap(span, claim)]
            best = max(met, key=lambda claim: (claim["status"] == "result", claim["level"]), default=None)
            told = [1 + LESSONS.index(lesson["kind"]) for lesson in text.lessons if inside and overlap(span, lesson)]
            yield _LabelledClause(features, int(best["level"]) if best else 0, min(told, default=0))


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
