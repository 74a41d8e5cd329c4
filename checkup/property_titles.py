"""What properties, their values and origins are called where people read them; one without a title keeps its name.

Below: `data.vocabulary`. Above: `checkup.console`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from data.amounts import euros
from data.corpus_files import GRADES
from data.impact import TIER_TITLES

if TYPE_CHECKING:
    from data.vocabulary import Vocabulary

_TITLES = {
    "action_fields": "Handlungsfeld", "target_groups": "Zielgruppe", "approaches": "Ansatz", "level": "Wirkungsstufe",
    "evidence_grade": "Evidenz", "tier": "Wirkung", "verified": "geprüft", "claims": "Aussage zur Wirkung",
    "reached_persons": "Erreichte", "success_rate_percent": "Erfolgsquote", "budget_eur": "Kosten",
    "budget_kind": "Art der Kosten", "cost_eur": "Kosten", "cost_kind": "Art der Kosten", "price_year": "Preise von",
    "awards": "Auszeichnung", "transferred": "anderswo übernommen", "lessons": "Erfahrung",
    "continuation": "Fortgang", "need_grades": "beantwortete Bedarfe", "need_names": "genannte Bedarfe",
    "organisation": "Träger", "municipality": "Ort", "state": "Land", "url": "Adresse", "funder": "Geldgeber",
    "start_year": "Beginn", "end_year": "Ende",
    "duration_months": "Dauer (Monate)", "staff": "Stellen", "volunteers": "Ehrenamtliche",
    "yearly_cost_eur": "Kosten im Jahr", "languages": "Sprachen", "contact": "Kontakt", "places": "Ort",
    "scope": "Reichweite", "population": "Einwohner", "budget_limit_eur": "Höchstens",
}  # fmt: skip
_ORIGINS = {"editor": "Redaktion", "extractor": "gelesen", "reviewer": "geprüft", "source": "Quelle"}
_WORDS = {
    "total": "insgesamt", "funding": "Förderung", "yearly": "im Jahr", "running": "läuft", "permanent": "verstetigt",
    "ended": "beendet", "unknown": "offen", "failure": "Scheitern", "obstacle": "Hürde", "transfer": "Übertragung",
    "success_factor": "was half", "precondition": "Voraussetzung", "result": "Ergebnis", "planned": "geplant",
    "negated": "verneint", "other": "von anderen", "bund": "Bund", "land": "Land", "kreis": "Kreis",
    "gemeinde": "Gemeinde", "persons": "Personen", "percent": "Prozent", "households": "Haushalte",
    "helpers": "Engagierte", "uses": "Nutzungen", "jobs": "Stellen", "dwellings": "Wohnungen", "places": "Orte",
    "money": "Geld", "staff": "Personal", "rooms": "Räume", "time": "Zeit", "law": "Recht",
    **TIER_TITLES,
}  # fmt: skip
_PERCENT = frozenset({"success_rate_percent"})


def property_title(name: str) -> str:
    """The German title of a property, or its name."""
    return _TITLES.get(name, name)


def origin_title(name: str) -> str:
    """Who says it."""
    return _ORIGINS.get(name, name)


def word(name: str) -> str:
    """The German word for a kind, status or tier, or the name itself."""
    return _WORDS.get(name, name)


def property_value(name: str, value: Any, vocabulary: "Vocabulary | None" = None) -> str:
    """A value as people read it: titles instead of ids, German numbers, no braces.

    Args:
        name: of the property.
        value: as the statement holds it.
        vocabulary: gives the titles of fields, groups and approaches.
    """
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, Mapping):
        return _mapping(name, value)
    if isinstance(value, int | float):
        return _number(name, value)
    kinds = {"action_fields": "fields", "target_groups": "groups", "approaches": "approaches"}
    known = getattr(vocabulary, kinds[name]) if vocabulary and name in kinds else {}
    return str(known[value].title) if value in known else word(str(value))


def _mapping(name: str, value: Mapping[str, Any]) -> str:
    if name in ("need_grades", "need_names"):
        best = sum(grade == max(GRADES) for grade in value.values())
        return f"{len(value)} Bedarfe, {best} davon unmittelbar"
    if name == "claims":
        told = _count(value.get("quantity") or {})
        return f"Stufe {value.get('level')}, {word(str(value.get('status')))}{told and ', ' + told}"
    if name == "continuation":
        return word(str(value.get("status"))) + (f" (Stand {value['as_of']})" if value.get("as_of") else "")
    if name == "places":
        state = value.get("state")
        return f"{value.get('name')} ({state})" if state and state != value.get("name") else str(value.get("name"))
    return ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)


def _count(quantity: Mapping[str, Any]) -> str:
    """What a claim counts: `35 von 60 Personen`, `40 bis 50 Personen`, `67 Prozent`."""
    if not quantity.get("value"):
        return ""
    unit = str(quantity.get("unit") or "")
    ends = [quantity["value"], quantity.get("upper")]
    told = " bis ".join(_number("", round(end) if unit == "percent" and end > 1 else end) for end in ends if end)
    whole = f" von {_number('', quantity['of'])}" if quantity.get("of") else ""
    return f"{told}{whole} {word(unit)}".rstrip()


def _number(name: str, value: float) -> str:
    if name.endswith("_eur"):
        return euros(value)
    shown = f"{value:g}" if "year" in name else f"{value:,.10g}".replace(",", "~").replace(".", ",").replace("~", ".")
    return f"{shown} %" if name in _PERCENT else shown
