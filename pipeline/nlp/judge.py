"""Judging clauses: how likely each level of impact is, by a small linear model over what is known of a clause.

Weights lie in `weights/clauses.npz`, made by `pipeline.nlp.clause_training` from the train part of the gold.

Below: `pipeline.nlp.clause_features`, `pipeline.nlp.claim_rules`. Above: `pipeline.nlp.impact`.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.nlp.claim_rules import cues_by_clause, quantities_by_clause, rule_level
from pipeline.nlp.clause_features import clause_features

if TYPE_CHECKING:
    from spacy.tokens import Doc

WEIGHTS_FILE = Path(__file__).parent / "weights" / "clauses.npz"
LEVELS = 8
"""Classes: 0 is no statement of an impact, 1-7 the levels."""
NEIGHBOUR = 0.5
"""Value of a feature of the clause before or after; a clause's own count one."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ClauseWeights:
    """`names` to rows of `weights` float32[features, LEVELS]; `bias` float32[LEVELS]; `trust` in the rules.

    `trust` float32[LEVELS], by the level that they give: the share of their verdict, 0..1, high where levels are rare.
    """

    names: Mapping[str, int]
    weights: Floats
    bias: Floats
    trust: Floats

    def probabilities(self, features: Sequence[Sequence[str]], levels: Sequence[int]) -> Floats:
        """float32[clauses, LEVELS], rows summing to one: the model's view mixed with the verdict of the rules.

        Args:
            features: Names of the features of every clause.
            levels: The level that the rules give every clause.
        """
        scores = np.tile(self.bias, (len(features), 1))
        for row, names in enumerate(features):
            for name in names:
                at = self.names.get(name)
                if at is not None:
                    scores[row] += self.weights[at] * (NEIGHBOUR if name[0] in "<>" else 1.0)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True)) if len(features) else scores
        share = self.trust[list(levels)]
        found = (1 - share[:, None]) * odds / odds.sum(axis=1, keepdims=True)
        found[np.arange(len(levels)), list(levels)] += share
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
def shipped_clause_weights() -> ClauseWeights:
    """The weights that are shipped beside the code; without the file the rules decide alone."""
    if not WEIGHTS_FILE.is_file():
        return ClauseWeights(
            {}, np.zeros((0, LEVELS), np.float32), np.zeros(LEVELS, np.float32), np.ones(LEVELS, np.float32)
        )
    return read_clause_weights(WEIGHTS_FILE)


def rule_levels(doc: "Doc") -> list[int]:
    """The level that the rules give every clause."""
    cues, counts = cues_by_clause(doc, "impact"), quantities_by_clause(doc)
    return [
        rule_level(clause, cues.get(index, set()), counts.get(index, []))
        for index, clause in enumerate(doc._.clauses)
    ]  # fmt: skip


def judge_clauses(doc: "Doc") -> Floats:
    """How likely each level is for every clause: float32[clauses, LEVELS]."""
    levels = rule_levels(doc)
    return shipped_clause_weights().probabilities(clause_features(doc, levels), levels)
