"""Which projects a query's filters let through, decided before any similarity.

Below: `matching.query`. Above: `matching.retrieve`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from matching.query import EVIDENCE, TIERS, Filters

Card = Mapping[str, Any]


def _overlap(wanted: Iterable[str], has: Iterable[str]) -> bool | None:
    stated = set(has)
    return bool(stated & set(wanted)) if stated else None


def _states(card: Card) -> list[str]:
    """The stated state; the ones of the places that the text names only where none is stated."""
    if card.get("state"):
        return [card["state"]]
    return [place["state"] for place in card["values"].get("places") or [] if place.get("state")]


def _sizes(card: Card) -> list[str]:
    places = card["values"].get("places") or []
    return [place["size"] for place in places if place.get("size")]


def _conditions(filters: Filters) -> list[Callable[[Card], bool | None]]:
    """Each says True, False, or None where the project does not state the value."""
    conditions: list[Callable[[Card], bool | None]] = []
    if filters.field:
        conditions.append(lambda card: _overlap(filters.field, card["values"].get("action_fields", [])))
    if filters.group:
        conditions.append(lambda card: _overlap(filters.group, card["values"].get("target_groups", [])))
    if filters.state:
        conditions.append(lambda card: _overlap(filters.state, _states(card)))
    if filters.size:
        conditions.append(lambda card: _overlap(filters.size, _sizes(card)))
    # Impact is never unknown: what states none is open, level 0, grade "0".
    if filters.impact:
        least = TIERS.index(filters.impact)
        conditions.append(lambda card: TIERS.index(card["values"].get("tier", "open")) >= least)
    if filters.min_level is not None:
        level = filters.min_level
        conditions.append(lambda card: card["values"].get("level", 0) >= level)
    if filters.min_evidence is not None:
        grade = EVIDENCE.index(filters.min_evidence)
        conditions.append(lambda card: EVIDENCE.index(card["values"].get("evidence_grade", "0")) >= grade)
    return conditions


def allowed(cards: Sequence[Card], filters: Filters) -> npt.NDArray[np.bool_]:
    """bool[cards]: True where every condition holds; "not stated" counts as `filters.unknown` says."""
    conditions = _conditions(filters)
    keep_unknown = filters.unknown == "keep"
    return np.array(
        [all(keep_unknown if (r := condition(card)) is None else r for condition in conditions) for card in cards],
        np.bool_,
    ).reshape(len(cards))
