"""Checks what a reader of the user's own answered: spans against the text, ids against the vocabulary.

Below: `data.vocabulary`, `data.records`. Above: `matching.own_reader`. What does not hold is refused by name; the rest
of the answer counts.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from data.normalise import sanitise
from data.records import STATES
from data.vocabulary import Vocabulary

LIMIT_KINDS = ("money", "staff", "time", "space", "distance", "law")
REASONS = ("vague", "off_topic")
MOST_ITEMS = 500
"""Of a list more is not read."""
MOST_ALTERNATIVES = 10
MOST_SHOWN = 80
MOST_PEOPLE, MOST_EUR = 100_000_000, 1_000_000_000_000
_PASSED_OVER = ("schema_version", "id", "text", "place", "reader")
"""Keys of `analyse` that are not the reader's to give."""


def check_answer(given: Mapping[str, Any], text: str, vocabulary: Vocabulary) -> tuple[dict[str, Any], list[str]]:
    """The usable part of an answer in the shape of `analyse`, and what was refused.

    Args:
        given: as it came; null and absent mean the same: not given.
        text: what the offsets count in.
        vocabulary: knows the ids; old ids of needs are brought up to date.

    Returns:
        The values by key, in the shape of CONTRACT (`analyse`), lists in text order; a list of which nothing was
        usable is left out, and so is an empty list of needs. Then one German sentence for each thing that was refused.
    """
    return _Check(text, vocabulary).answer(given)


def _is_number(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


class _Check:
    """One answer on its way through the checks."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.values: dict[str, Any] = {}
        self.refused: list[str] = []
        self.path: list[str] = []
        """Names of the item at hand and of those it is part of."""

    def _refuse(self, reason: str) -> None:
        self.refused.append(": ".join([", ".join(self.path), reason] if self.path else [reason]))

    def answer(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        single = self._single()
        many: dict[str, tuple[str, Callable[[Any], Any]]] = {
            "ask": ("Frage", _question),
            "needs": ("Bedarf", self._need),
            "target_groups": ("Zielgruppe", self._group),
            "existing": ("Vorhandenes", self._existing),
            "limits": ("Grenze", self._limit),
        }
        for key, value in given.items():
            if value is None or key in _PASSED_OVER:
                continue
            if key in many:
                self._list(key, value, *many[key])
            elif key == "action_fields":
                self._fields(value)
            elif key not in single:
                self._refuse(f"{_shown(key)} gehört nicht zur Antwort von analyse.")
            elif single[key](value):
                self.values[key] = value
            else:
                self._refuse(f"„{key}“: {_shown(value)} ist kein zulässiger Wert.")
        self._settle()
        return self.values, self.refused

    def _single(self) -> dict[str, Callable[[Any], bool]]:
        """What a value that is no list must be."""
        return {
            "answerable": lambda value: isinstance(value, bool),
            "unanswerable_because": lambda value: value in REASONS,
            "population": lambda value: isinstance(value, int) and _is_number(value, 1, MOST_PEOPLE),
            "state": lambda value: value in STATES,
            "municipality": lambda value: isinstance(value, str) and bool(value.strip()) and value in self.text,
            "budget_limit": lambda value: isinstance(value, bool),
            "budget_limit_eur": lambda value: _is_number(value, 0, MOST_EUR),
        }

    def _settle(self) -> None:
        """Makes one statement of verdict and needs: needs found mean yes, no means no needs, none named say nothing."""
        values = self.values
        if not values.get("needs"):
            values.pop("needs", None)
        for key in ("needs", "existing", "limits"):
            if key in values:
                values[key].sort(key=lambda item: (item["start"], item["end"]))
        if "answerable" not in values and values.keys() & {"needs", "unanswerable_because"}:
            values["answerable"] = "needs" in values
        if values.get("answerable") is False:
            if "needs" in values:
                self._refuse("Die Bedarfe zählen nicht, weil die Lage nicht beantwortbar genannt wird.")
            values.setdefault("unanswerable_because", "vague")
            values.update(needs=[], target_groups=[])
            values.pop("action_fields", None)
        elif "answerable" in values:
            values["unanswerable_because"] = None

    def _list(self, key: str, value: Any, label: str, read: Callable[[Any], Any]) -> None:
        if not isinstance(value, list):
            self._refuse(f"„{key}“ ist keine Liste.")
            return
        kept = self._each(value, label, read)
        if kept or not value:
            self.values[key] = kept

    def _each(self, items: Sequence[Any], label: str, read: Callable[[Any], Any]) -> list[Any]:
        """The items that hold; the others are named."""
        kept = []
        for place, item in enumerate(items[:MOST_ITEMS], 1):
            self.path.append(f"{label} {place}")
            try:
                kept.append(read(item))
            except ValueError as error:
                self._refuse(f"{error}.")
            self.path.pop()
        if len(items) > MOST_ITEMS:
            self._refuse(f"{label}: Nach {MOST_ITEMS} Einträgen wird nicht weitergelesen.")
        return kept

    def _need(self, item: Any) -> dict[str, Any]:
        given = _object(item)
        ids = self._need_ids(given.get("need_id"))
        name = ids[0] if ids else None
        others = self._alternatives(given.get("alternatives"), ids[1:], name)
        field = self._field(given.get("field"))
        of_need = self.vocabulary.needs.get(name or (others[0]["need_id"] if others else ""))
        field = of_need.field if of_need and (name or not field) else field
        if field is None:
            raise ValueError("Weder „need_id“ noch „field“ ist angegeben")
        start, end = self._span(given)
        return {
            "field": field,
            "module": self.vocabulary.module_of_need(name) if name else self.vocabulary.module_of_field(field),
            "statement": self.text[start:end], "start": start, "end": end, "need_id": name,
            "confidence": self._share(given, "confidence", 1.0),
            "weight": self._share(given, "weight", 1.0),
            "alternatives": others,
        }  # fmt: skip

    def _alternatives(self, given: Any, split: Sequence[str], name: str | None) -> list[dict[str, Any]]:
        """At most ten other needs, best first, none twice; one without confidence is shown and weighs nothing."""
        items = [{"need_id": one, "confidence": 1.0} for one in split]
        if given is not None and not isinstance(given, list):
            self._refuse("„alternatives“ ist keine Liste.")
            given = None
        read = self._each([*items, *(given or [])], "Alternative", self._alternative)
        read.sort(key=lambda one: -one["confidence"])
        once: dict[str, dict[str, Any]] = {}
        for one in read:
            once.setdefault(one["need_id"], one)
        once.pop(str(name), None)
        return list(once.values())[:MOST_ALTERNATIVES]

    def _alternative(self, item: Any) -> dict[str, Any]:
        given = _object(item)
        ids = self._need_ids(given.get("need_id"))
        if not ids:
            raise ValueError("„need_id“ fehlt")
        confidence = self._share(given, "confidence", 0.0)
        return {"need_id": ids[0], "title": self.vocabulary.needs[ids[0]].title, "confidence": confidence}

    def _need_ids(self, given: Any) -> tuple[str, ...]:
        """The present ids of a need, none where none is given."""
        if given is None:
            return ()
        if isinstance(given, str):
            found = (given,) if given in self.vocabulary.needs else self.vocabulary.resolve_need(given)
            if found:
                return found
        raise ValueError(f"Den Bedarf {_shown(given)} gibt es nicht")

    def _field(self, given: Any) -> str | None:
        if given is None:
            return None
        if isinstance(given, str) and given in self.vocabulary.fields:
            return given
        raise ValueError(f"Das Handlungsfeld {_shown(given)} gibt es nicht")

    def _group(self, item: Any) -> dict[str, Any]:
        given = _object(item)
        name = given.get("id")
        if not isinstance(name, str) or name not in self.vocabulary.groups:
            raise ValueError(f"Die Zielgruppe {_shown(name)} gibt es nicht")
        quotes = given.get("quotes") or []
        if not isinstance(quotes, list):
            raise ValueError("„quotes“ ist keine Liste")
        return {"id": name, "quotes": self._each(quotes, "Zitat", self._quote)}

    def _quote(self, item: Any) -> dict[str, Any]:
        start, end = self._span(_object(item))
        return {"start": start, "end": end, "quote": self.text[start:end]}

    def _existing(self, item: Any) -> dict[str, Any]:
        given = _object(item)
        field = self._field(given.get("field"))
        if field is None:
            raise ValueError("„field“ fehlt")
        return {"field": field, **self._statement(given)}

    def _limit(self, item: Any) -> dict[str, Any]:
        given = _object(item)
        kind = given.get("kind")
        if kind not in LIMIT_KINDS:
            raise ValueError(f"Die Art {_shown(kind)} gibt es nicht, nur {', '.join(LIMIT_KINDS)}")
        return {"kind": kind, **self._statement(given)}

    def _statement(self, given: Mapping[str, Any]) -> dict[str, Any]:
        start, end = self._span(given)
        return {"statement": self.text[start:end], "start": start, "end": end}

    def _fields(self, value: Any) -> None:
        if not isinstance(value, dict):
            self._refuse("„action_fields“ ist kein Objekt.")
            return
        needed, covered = (self._field_ids(key, value.get(key)) for key in ("needed", "covered"))
        if needed or covered:
            self.values["action_fields"] = {"needed": needed, "covered": sorted(set(covered) - set(needed))}

    def _field_ids(self, key: str, given: Any) -> list[str]:
        """Known fields, each once, in the order given."""
        found: dict[str, None] = {}
        for name in given if isinstance(given, list) else ():
            if isinstance(name, str) and name in self.vocabulary.fields:
                found[name] = None
            else:
                self._refuse(f"action_fields, {key}: Das Handlungsfeld {_shown(name)} gibt es nicht.")
        return list(found)

    def _span(self, given: Mapping[str, Any]) -> tuple[int, int]:
        """Where a statement or quote stands: as given if that is true, else where its words stand, if only once."""
        start, end = given.get("start"), given.get("end")
        words = given.get("statement", given.get("quote"))
        placed = (
            isinstance(start, int) and isinstance(end, int) and not isinstance(start, bool)
            and 0 <= start < end <= len(self.text)
        )  # fmt: skip
        if words is None and placed:
            return int(start), int(end)  # type: ignore[arg-type]
        if not isinstance(words, str) or not words.strip():
            raise ValueError("Das Zitat fehlt, und „start“ und „end“ zeigen auf keine Stelle im Text")
        if placed and self.text[start:end] == words:
            return int(start), int(end)  # type: ignore[arg-type]
        found = self.text.find(words)
        if found < 0:
            raise ValueError(f"Das Zitat {_shown(words)} steht nicht im Text")
        if self.text.find(words, found + 1) >= 0:
            raise ValueError(f"Das Zitat {_shown(words)} steht mehrmals im Text, „start“ und „end“ nennen keine Stelle")
        return found, found + len(words)

    def _share(self, given: Mapping[str, Any], key: str, default: float) -> float:
        """A number, brought into 0..1; what is none counts as not given."""
        value = given.get(key)
        if value is None:
            return default
        if not _is_number(value, -inf, inf):
            self._refuse(f"„{key}“ ist keine Zahl ({_shown(value)}); es gilt {default:g}.")
            return default
        return float(min(1.0, max(0.0, value)))


def _object(item: Any) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise ValueError(f"{_shown(item)} ist kein Objekt")
    return item


def _question(item: Any) -> str:
    if not isinstance(item, str) or not item.strip():
        raise ValueError(f"{_shown(item)} ist keine Frage")
    return sanitise(item.strip())


def _shown(value: Any) -> str:
    """A value in a sentence: on one line, in quotation marks, not too long."""
    line = " ".join(sanitise(value if isinstance(value, str) else repr(value)).split())
    return f"„{line if len(line) <= MOST_SHOWN else line[:MOST_SHOWN] + ' …'}“"
