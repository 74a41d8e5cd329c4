"""Why a project is among the matches: need, approach and the passages that speak for it; and what does not fit.

Below: `matching.query`, `matching.context_facts`. Above: `matching.retrieve`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.amounts import euros
from matching.context_facts import ContextFacts
from matching.query import Filters

Floats = npt.NDArray[np.float32]
_VILLAGE = 10_000
"""Inhabitants of a place for which a city's project must be made smaller."""
MOST_REASONS = 2
NEAR = 0.6
"""A further reason is given if its chance, or its similarity over the best one's, is at least this share."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the score of a situation was made of."""

    spans: list[tuple[int, int]]
    """Of the sentences that ask for something."""
    needs: Floats
    """float32[sentences, needs]."""
    chances: Floats
    """float32[sentences, projects]."""
    row_scores: Floats
    """float32[1 + sentences, rows], in standard deviations: the whole text, then the sentences."""
    corrected: bool
    """Whether the sentences are the answer's needs themselves, one for one."""


def reasons(
    card: Mapping[str, Any],
    number: int,
    rows: npt.NDArray[np.int32],
    row_numbers: Sequence[int],
    evidence: Evidence,
    needs: Sequence[Mapping[str, Any]],
    bridge: Callable[[int, Floats], str | None],
) -> list[dict[str, Any]]:
    """Up to two reasons, best first, each with a passage of the project at its true offsets.

    Args:
        card: the project, `number` its place in the index.
        number: see there.
        rows: int32[n, 3] of the published index.
        row_numbers: the rows of this project's passages.
        evidence: see there.
        needs: as the answer names them; a reason points to one by its place.
        bridge: gives the approach that leads from needs float32[needs] to a project.
    """
    chances = evidence.chances[:, number]
    order = np.argsort(-chances, kind="stable")[:MOST_REASONS]
    found: list[dict[str, Any]] = []
    for sentence in order:
        if chances[sentence] < NEAR * chances[order[0]]:
            break
        need = int(sentence) if evidence.corrected else _need_at(evidence.spans[sentence], needs)
        start, end = _passage(card, rows, row_numbers, evidence.row_scores[1 + sentence])
        reason = {
            "need": need,
            "approach": bridge(number, evidence.needs[sentence]) if need is not None else None,
            "passage": {"start": start, "end": end, "quote": card["text"][start:end]},
        }
        if reason["need"] is not None and reason not in found:
            found.append(reason)
    if not found:
        start, end = _passage(card, rows, row_numbers, evidence.row_scores.max(axis=0))
        quote = {"start": start, "end": end, "quote": card["text"][start:end]}
        found.append({"need": None, "approach": None, "passage": quote})
    return found


def _need_at(span: tuple[int, int], needs: Sequence[Mapping[str, Any]]) -> int | None:
    """The place of the need that a sentence belongs to, or None where it was not sure enough to be named."""
    for place, need in enumerate(needs):
        if need["start"] < span[1] and need["end"] > span[0]:
            return place
    return None


def _passage(
    card: Mapping[str, Any], rows: npt.NDArray[np.int32], row_numbers: Sequence[int], scores: Floats
) -> tuple[int, int]:
    """The passage with the best score; where a project has one only, that one."""
    if row_numbers:
        best = max(row_numbers, key=lambda row: (float(scores[row]), -row))
        return int(rows[best, 1]), int(rows[best, 2])
    start, end = card["passages"][0] if card["passages"] else (0, len(card["text"]))
    return int(start), int(end)


def misfits(card: Mapping[str, Any], filters: Filters, facts: ContextFacts, year: int) -> list[str]:
    """What speaks against carrying the project over, in plain German.

    Args:
        card: The project.
        filters: What was asked for.
        facts: What the situation states of its place and its money.
        year: The present one.
    """
    found = []
    values = card["values"]
    if values.get("evidence_grade") == "X":
        found.append(
            "Eine Untersuchung fand keinen Nutzen oder Schaden (Evidenz X)."
            if values.get("verified")
            else "Laut Beschreibung fand eine Untersuchung keinen Nutzen; nicht geprüft."
        )
    went_on = (values.get("continuation") or {}).get("status")
    if went_on == "ended":
        found.append("Das Projekt ist beendet.")
    elif went_on != "permanent" and (card.get("end_year") or year) < year:
        found.append(f"Lief nach den Angaben bis {card['end_year']}.")
    if "failure" in (values.get("lessons") or ()):
        found.append("Die Beschreibung nennt auch, was nicht gelang.")
    cost, most = values.get("cost_eur", values.get("budget_eur")), facts.budget_limit_eur
    if cost and most and cost > most:
        found.append(f"Kostete laut Quelle {euros(cost)}, mehr als die genannten {euros(most)}.")
    if filters.group and not values.get("target_groups"):
        found.append("Zielgruppe nicht angegeben.")
    if facts.state and card.get("state") and card["state"] != facts.state:
        found.append(f"Anderes Land: {card['state']}.")
    sizes = {place.get("size") for place in values.get("places") or [] if place.get("kind") == "gemeinde"}
    if facts.population and facts.population < _VILLAGE and sizes == {"grossstadt"}:
        found.append("Aus einer Großstadt.")
    return found
