"""What is asked and what is answered, in the shapes of CONTRACT (`match`).

Below: `data.vocabulary`. Above: `matching.retrieve` answers a `Query`; `checkup` reads and prints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data import impact
from data.errors import CheckupError, UsageError
from data.records import STATES
from data.vocabulary import Vocabulary

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


def needs_from(given: Any, text: str, vocabulary: Vocabulary) -> tuple[Mapping[str, Any], ...] | None:
    """Corrected needs from JSON, checked and completed to the shape of `analyse`; None where none are given.

    What may be left out: offsets (0, 0: the need stands nowhere in the text), the statement (what stands at the
    offsets, else the need's title), confidence and weight (1), alternatives, field and module (the need's own).

    Args:
        given: a list of needs, or None.
        text: what the offsets count in.
        vocabulary: names the needs; old ids are brought up to date.

    Raises:
        CheckupError: something else than needs, an unknown id, or offsets outside of the text.
    """
    if given is None:
        return None
    if not isinstance(given, list):
        raise CheckupError("„needs“ muss eine Liste von Bedarfen sein, wie analyse --json sie ausgibt.")
    return tuple(_need(place, one, text, vocabulary) for place, one in enumerate(given, 1))


def _need(place: int, given: Any, text: str, vocabulary: Vocabulary) -> dict[str, Any]:
    try:
        return _completed(given, text, vocabulary)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise CheckupError(
            f"„needs“, Eintrag {place}, ist kein Bedarf, wie analyse --json ihn ausgibt ({error}). Bitte berichtigen."
        ) from error


def _completed(given: Mapping[str, Any], text: str, vocabulary: Vocabulary) -> dict[str, Any]:
    start, end = _whole(given.get("start", 0)), _whole(given.get("end", 0))
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"start {start}, end {end} liegen nicht im Text")
    name, *split = _present(given.get("need_id"), vocabulary)
    need = vocabulary.needs.get(str(name))
    alternatives = [*({"need_id": one} for one in split), *given.get("alternatives", [])]
    return {
        **given,
        "field": given.get("field") or (need.field if need else None),
        "module": given.get("module") or (vocabulary.module_of_need(need.id) if need else None),
        "statement": str(given.get("statement") or text[start:end] or (need.title if need else "")),
        "start": start, "end": end, "need_id": name,
        "confidence": _share(given.get("confidence", 1.0)), "weight": _share(given.get("weight", 1.0)),
        "alternatives": [one for each in alternatives for one in _alternatives(each, vocabulary)],
    }  # fmt: skip


def _alternatives(given: Mapping[str, Any], vocabulary: Vocabulary) -> list[dict[str, Any]]:
    confidence = _share(given.get("confidence", 1.0))
    return [
        {**given, "need_id": name, "title": vocabulary.needs[name].title, "confidence": confidence}
        for name in _present(given["need_id"], vocabulary)
        if name is not None
    ]


def _present(need_id: Any, vocabulary: Vocabulary) -> tuple[str | None, ...]:
    """The present ids of a need; (None,) where the consultant left open which it is."""
    if need_id is None or need_id in vocabulary.needs:
        return (need_id,)
    found = vocabulary.resolve_need(need_id)
    if not found:
        raise ValueError(f"den Bedarf „{need_id}“ gibt es nicht")
    return found


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} ist keine ganze Zahl")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{value!r} ist keine Zahl von 0 bis 1")
    return float(value)
