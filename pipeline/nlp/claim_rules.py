"""What the rules alone say of a clause: its cues, its counts, and the level of impact that it speaks of.

Below: `pipeline.nlp.clauses`, `pipeline.nlp.quantities`, `pipeline.nlp.cues`. Above: `pipeline.nlp.clause_features`,
`pipeline.nlp.impact`, `pipeline.nlp.scalars`.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.nlp.clauses import Clause
from pipeline.nlp.quantities import Quantity

if TYPE_CHECKING:
    from spacy.tokens import Doc

COUNTED = frozenset({"persons", "helpers", "households", "percent"})
USES = frozenset({"persons", "helpers", "households", "uses", "jobs", "dwellings"})
_LEVELS_BY_CUE = tuple(
    (level, f"l{level}_alone", f"l{level}_count", {f"l{level}_what", f"l{level}_verb"}) for level in (7, 6, 5, 4, 3)
)
"""Levels from the highest on: labels that tell one alone, with a count, or together."""
OUTCOME = 4
"""The level from which on a clause tells what became of those reached."""
LEAST_COUNT = 6
"""Fewer people than this are an example, no number reached."""


def cues_by_clause(doc: "Doc", table: str) -> Mapping[int, set[str]]:
    """The labels of a table that were found in each clause, by its index."""
    found: dict[int, set[str]] = defaultdict(set)
    clause_of: list[int] = doc._.clause_of
    for cue in doc._.cues:
        if cue.table == table and cue.weight > 0:
            found[clause_of[cue.start]].add(cue.label)
    return found


def quantities_by_clause(doc: "Doc") -> Mapping[int, list[Quantity]]:
    """The quantities of each clause, by its index."""
    found: dict[int, list[Quantity]] = defaultdict(list)
    clause_of: list[int] = doc._.clause_of
    for quantity in doc._.quantities:
        found[clause_of[quantity.start]].append(quantity)
    return found


def tells_of_an_award(labels: set[str]) -> bool:
    """Whether labels of `rules/practice.yaml` tell of an award won, not of a prize and of who gives it."""
    given = "award_giver" in labels and "award_verb" not in labels
    return "award_won" in labels and "award_not" not in labels and not given


def rule_level(clause: Clause, labels: set[str], counts: list[Quantity]) -> int:
    """The highest level that a clause speaks of; 0 if of none.

    Args:
        clause: The clause.
        labels: Its labels of `rules/impact.yaml`.
        counts: Its quantities.
    """
    counted = any(quantity.unit in COUNTED for quantity in counts)
    happened = clause.past or counted
    for level, alone, with_count, together in _LEVELS_BY_CUE if labels else ():
        if alone in labels and (happened or level in {3, 5}):
            return level
        if with_count in labels and counted:
            return level
        if happened and together <= labels:
            return level
    in_scope = "background" not in labels and ("reach" in labels or "context" not in labels)
    if in_scope and any(_is_number_reached(quantity) for quantity in counts):
        return 2
    return 1 if "act" in labels else 0


def _is_number_reached(quantity: Quantity) -> bool:
    return quantity.unit in USES and quantity.most >= LEAST_COUNT and not quantity.each
