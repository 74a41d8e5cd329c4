"""What is asked and what is answered, in the shapes of CONTRACT (`match`).

Below: nothing. Above: `matching.retrieve` answers a `Query`; `checkup` reads and prints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data import impact
from data.errors import UsageError
from data.records import STATES

SIZES = ("landgemeinde", "kleinstadt", "mittelstadt", "grossstadt", "kreis")
TIERS = impact.TIERS
EVIDENCE = impact.EVIDENCE_GRADES


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Conditions on projects, applied before similarity; empty ones ask for nothing."""

    field: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    impact: str | None = None
    min_level: int | None = None
    min_evidence: str | None = None
    unknown: str = "keep"
    """Whether a project that does not state the filtered value stays (`keep`) or goes (`drop`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A situation to answer."""

    text: str
    id: str | None = None
    needs: tuple[Mapping[str, Any], ...] | None = None
    """Needs corrected by the consultant, as `analyse` gives them; None: read from the text."""
    filters: Filters = field(default_factory=Filters)


def filters_from(given: Mapping[str, Any], *, fields: Sequence[str], groups: Sequence[str]) -> Filters:
    """Filters from JSON or the command line, checked.

    Args:
        given: keys of `Filters`; lists may be tuples, absent and None mean no condition.
        fields: the ids of the action fields.
        groups: the ids of the target groups.

    Raises:
        UsageError: an unknown key or id; the message lists what is known.
    """
    allowed = {"field": tuple(fields), "group": tuple(groups), "state": STATES, "size": SIZES}
    single = {
        "impact": TIERS[1:], "min_level": tuple(range(8)), "min_evidence": EVIDENCE[1:], "unknown": ("keep", "drop"),
    }  # fmt: skip
    values: dict[str, Any] = {}
    for key, value in given.items():
        if value is None or value in ([], ()):
            continue
        if key in allowed:
            values[key] = tuple(_checked(key, one, allowed[key]) for one in value)
        elif key in single:
            values[key] = _checked(key, value, single[key])
        else:
            raise UsageError(f"Den Filter „{key}“ gibt es nicht. Bekannt sind: {', '.join([*allowed, *single])}.")
    return Filters(**values)


def _checked(key: str, value: Any, allowed: Sequence[Any]) -> Any:
    if value not in allowed:
        raise UsageError(f"Filter „{key}“: „{value}“ ist nicht bekannt. Möglich: {', '.join(map(str, allowed))}.")
    return value
