"""What a situation states about the place: population, state, municipality, money limit. Rules in `rules/`.

Below: `data.records`. Above: `matching.situation`. Only what stands in the text; nothing is looked up here.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from data.records import STATES

RULES = Path(__file__).parent / "rules" / "context.yaml"
NUMBER = r"\d{1,3}(?:[. \u00a0\u202f]\d{3})+|\d+(?:,\d+)?"
MAX_POPULATION = 4_000_000
_LOOK_BACK = 40


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """Values stated in the text; None where it states none."""

    population: int | None
    state: str | None
    municipality: str | None
    budget_limit: bool
    budget_limit_eur: float | None
    limits: tuple[tuple[str, int, int], ...]
    """Kind and span of each limit: money, staff, time, space, distance, law."""


@cache
def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = yaml.safe_load(RULES.read_text("utf-8"))
    return rules


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{item})" for item in _rules()[name]), re.IGNORECASE)


@cache
def _cased(name: str) -> re.Pattern[str]:
    return re.compile(_rules()[name])


def sits_elsewhere(text: str, place: int) -> bool:
    """Whether the place named at this offset is where somebody else sits: `die Eigentümer in Düsseldorf`."""
    return bool(_cased("somebody_before_place").search(text, max(0, place - _LOOK_BACK), place))


def read_number(text: str) -> float | None:
    """A German number in digits or words: `5.500`, `34 000`, `12,5`, `fünfeinhalbtausend`, `zwölftausend`."""
    digits = re.fullmatch(rf"\s*({NUMBER})\s*", text)
    if digits:
        plain = re.sub(r"[. \u00a0\u202f](?=\d{3})", "", digits.group(1)).replace(",", ".")
        return float(plain)
    word = text.strip().lower()
    if word.endswith("tausend"):
        front = word.removesuffix("tausend")
        half = front.endswith("einhalb")
        value = _rules()["number_words"].get(front.removesuffix("einhalb") if half else front)
        return None if value is None else (value + 0.5 * half) * 1000
    value = _rules()["number_words"].get(word)
    return None if value is None else float(value)


def _population(text: str) -> int | None:
    for pattern in _rules()["population"]:
        for match in re.finditer(pattern.replace("NUMBER", f"({NUMBER}|[a-zäöüß]+tausend)"), text, re.IGNORECASE):
            value = read_number(next(group for group in match.groups() if group))
            if value is None:
                continue
            scaled = value * 1000 if re.search(r"\d\s+Tausend\b", match.group(0), re.IGNORECASE) else value
            if 50 <= scaled <= MAX_POPULATION:
                return round(scaled)
    return None


def _state(text: str) -> str | None:
    """The state named first; one that people or cars come from is not the town's (`Autos aus Bayern und Thüringen`)."""
    for match in _states().finditer(text):
        start = max(0, match.start() - _LOOK_BACK)
        elsewhere = _cased("from_before_state").search(text, start, match.start())
        if not elsewhere or _cased("own_before_from").search(text, start, elsewhere.start()):
            return match["name"] or str(_rules()["state_forms"][match["form"]])
    return None


@cache
def _states() -> re.Pattern[str]:
    names = "|".join(map(re.escape, sorted(STATES, key=len, reverse=True)))
    forms = "|".join(map(re.escape, sorted(_rules()["state_forms"], key=len, reverse=True)))
    return re.compile(rf"\b(?:(?P<name>{names})(?:s|n)?\b(?!-)|(?P<form>{forms})\b)")


def _municipality(text: str) -> str | None:
    match = re.search(_rules()["municipality"], text)
    return match.group(1) if match else None


def _amount(text: str, spans: list[tuple[int, int]]) -> float | None:
    """The amount in euros that stands in a sentence about a money limit."""
    for start, end in spans:
        match = re.search(rf"({NUMBER})\s*(Mio\.?|Millionen?|Tsd\.?|Tausend)?\s*(?:€|Euro|EUR)", text[start:end])
        if match:
            value = read_number(match.group(1))
            factor = {"m": 1_000_000, "t": 1000}.get((match.group(2) or " ")[0].lower(), 1)
            return None if value is None else value * factor
    return None


def read_context(text: str, sentences: list[tuple[int, int]]) -> ContextFacts:
    """The facts of a text, given its sentences' spans."""
    money = [(start, end) for start, end in sentences if _pattern("money_limit").search(text[start:end])]
    limits = [("money", start, end) for start, end in money]
    for kind in ("staff", "distance", "space", "law"):
        limits += [
            (kind, start, end) for start, end in sentences if _pattern(f"{kind}_limit").search(text[start:end])
        ]  # fmt: skip
    return ContextFacts(
        population=_population(text),
        state=_state(text),
        municipality=_municipality(text),
        budget_limit=bool(money),
        budget_limit_eur=_amount(text, money),
        limits=tuple(sorted(limits, key=lambda limit: limit[1])),
    )
