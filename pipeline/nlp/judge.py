"""Judging clauses by small linear models over what is known of them: each level of impact, each kind of lesson.

Weights lie in `weights/clauses.npz` and `weights/lessons.npz`, made by `pipeline.nlp.clause_training`.

Below: `pipeline.nlp.clause_features`, `pipeline.nlp.claim_rules`, `pipeline.nlp.marks`. Above: `pipeline.nlp.impact`,
`pipeline.nlp.practice`.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.corpus_files import LESSONS, STATUSES
from pipeline.nlp.claim_rules import cues_by_clause, quantities_by_clause, rule_level
from pipeline.nlp.clause_features import clause_features
from pipeline.nlp.marks import LEVELS, log_odds, mixed, weighed

if TYPE_CHECKING:
    from spacy.tokens import Doc

WEIGHTS_FILE = Path(__file__).parent / "weights" / "clauses.npz"
LESSONS_FILE = Path(__file__).parent / "weights" / "lessons.npz"
NEIGHBOUR = 0.5
"""Value of a feature of the clause before or after; a clause's own count one."""
_LEVEL_TRUST = {"de": 0.4, "en": 0.6}
_LESSON_TRUST = 0.45
"""Shares of the linear models' verdict beside the reader of spans (`pipeline.nlp.marks`), where that one was asked.

That reader learned German texts only: of levels it says less in English."""
_LESSON_WEIGHTS = {"reader": 0.59, "model": 0.54, "planned": 0.26, "negated": -0.45, "other": -0.82, "bias": 0.33}
"""By which the log odds of both that a clause tells a lesson, and the chances that it tells of a plan, denies or speaks
of others, add up; of which kind it is, the shares say. A logistic regression over the clauses of texts that the reader
has not learned from (docs/quality.md)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ClauseWeights:
    """`names` to rows of `weights` float32[features, classes]; `bias` float32[classes]; `trust` in the rules.

    `trust` float32[classes], by the class that they give: the share of their verdict, 0..1, high where it is rare.
    """

    names: Mapping[str, int]
    weights: Floats
    bias: Floats
    trust: Floats
    _values: Floats = field(init=False)
    """float32[features]: what a feature counts where it is there."""

    def __post_init__(self) -> None:
        values = np.ones(len(self.weights), np.float32)
        values[[row for name, row in self.names.items() if name[0] in "<>"]] = NEIGHBOUR
        object.__setattr__(self, "_values", values)

    def probabilities(self, features: Sequence[Sequence[str]], verdicts: Sequence[int]) -> Floats:
        """float32[clauses, classes], rows summing to one: the model's view mixed with the verdict of the rules.

        Args:
            features: Names of the features of every clause.
            verdicts: The class that the rules give every clause.
        """
        scores = np.tile(self.bias, (len(features), 1))
        rows: list[int] = []
        starts: list[int] = []
        places: list[int] = []
        for row, names in enumerate(features):
            known = [self.names[name] for name in names if name in self.names]
            if known:
                rows.append(row)
                starts.append(len(places))
                places += known
        if rows:
            told = self._values.take(places)[:, None] * self.weights.take(places, axis=0)
            scores[rows] += np.add.reduceat(told, starts)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True)) if len(features) else scores
        share = self.trust[list(verdicts)]
        found = (1 - share[:, None]) * odds / odds.sum(axis=1, keepdims=True)
        found[np.arange(len(verdicts)), list(verdicts)] += share
        return np.asarray(found, dtype=np.float32)

    def save(self, path: Path, card: Mapping[str, Any]) -> None:
        """Writes weights and card into one file; the same weights give the same bytes."""
        head = {"names": list(self.names), "card": dict(card)}
        np.savez_compressed(
            path,
            head=np.frombuffer(json.dumps(head, ensure_ascii=False, sort_keys=True).encode(), np.uint8),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            trust=self.trust,
        )


def read_clause_weights(path: Path) -> ClauseWeights:
    """Reads a file that `ClauseWeights.save` wrote; nothing in it is executed."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        head = json.loads(file["head"].tobytes())
        names = {name: row for row, name in enumerate(head["names"])}
        return ClauseWeights(names, file["weights"].astype(np.float32), file["bias"], file["trust"])


@cache
def shipped_clause_weights(path: Path = WEIGHTS_FILE, classes: int = LEVELS) -> ClauseWeights:
    """The weights that are shipped beside the code; without the file the rules decide alone.

    Args:
        path: The file.
        classes: How many classes the rules know.
    """
    if not path.is_file():
        return ClauseWeights(
            {}, np.zeros((0, classes), np.float32), np.zeros(classes, np.float32), np.ones(classes, np.float32)
        )
    return read_clause_weights(path)


def rule_levels(doc: "Doc") -> list[int]:
    """The level that the rules give every clause."""
    cues, counts = cues_by_clause(doc, "impact"), quantities_by_clause(doc)
    return [
        rule_level(clause, cues.get(index, set()), counts.get(index, []))
        for index, clause in enumerate(doc._.clauses)
    ]  # fmt: skip


def rule_lessons(doc: "Doc") -> list[int]:
    """The kind of lesson that the rules see in every clause: 0 none, else its place in LESSONS and one.

    In a clause that speaks of several kinds, the first in LESSONS counts.
    """
    labels = cues_by_clause(doc, "practice")
    return [
        next((place for place, kind in enumerate(LESSONS, 1) if kind in labels.get(index, ())), 0)
        for index in range(len(doc._.clauses))
    ]


def judge_clauses(doc: "Doc") -> Floats:
    """How likely each level is for every clause, float32[clauses, LEVELS]; keeps the features for `judge_lessons`."""
    levels = rule_levels(doc)
    doc._.clause_features = clause_features(doc, levels)
    ruled = shipped_clause_weights().probabilities(doc._.clause_features, levels)
    return mixed(ruled, doc._.marks, "level", _LEVEL_TRUST[doc.lang_])


def judge_lessons(doc: "Doc") -> tuple[Floats, NDArray[np.intp]]:
    """How likely every clause tells a lesson, float32[clauses], and of which kind it is then: its place in LESSONS."""
    weights = shipped_clause_weights(LESSONS_FILE, 1 + len(LESSONS))
    ruled = weights.probabilities(doc._.clause_features, rule_lessons(doc))
    chances = 1 - ruled[:, 0]
    if (marks := doc._.marks) is not None:
        told = {"reader": log_odds(1 - marks.of("lesson")[:, 0]), "model": log_odds(chances)}
        for place, name in enumerate(STATUSES[1:], 1):
            told[name] = marks.of("status")[:, place]
        chances = np.where(marks.seen, weighed(told, _LESSON_WEIGHTS), chances)
    kinds = mixed(ruled, marks, "lesson", _LESSON_TRUST)[:, 1:].argmax(axis=1)
    return np.asarray(chances, np.float32), kinds
