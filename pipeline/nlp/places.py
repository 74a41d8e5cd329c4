"""The places where a project acts, and how wide it acts: in a municipality, a district, a state, the country, abroad.

Places of other programmes and of transfers are left out, and so are the ones named with a body only (`Diakonie Hessen`)
where the text names others. Places outside Germany count only where the text names none inside.

Below: `pipeline.nlp.place_names`, `pipeline.nlp.clauses`. Above: `pipeline.nlp.readings`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.places import TAIL, Place
from pipeline.nlp.clauses import Clause
from pipeline.nlp.place_names import PLAIN, STRONG, WEAK, Mention, find_places
from pipeline.nlp.place_rules import patterns, place_rules
from pipeline.nlp.sentences import sentence_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

GERMANY = Place("", "Deutschland", "bund")
_LOOK_AHEAD = 40
_MANY_TOWNS = 4
"""A project that names so many towns acts in a wider area."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place of the project with its first mention: half-open offsets and token indices, how surely it is told."""

    name: str
    state: str | None
    kind: str
    place: Place | None
    """None while the name may mean several."""
    span: tuple[int, int]
    tokens: tuple[int, int]
    strength: int
    in_title: bool


def mark_places(doc: "Doc") -> "Doc":
    """Component `checkup_places`: sets `doc._.places`, `doc._.scope` and the spans `doc.spans["places"]`."""
    from spacy.tokens import Span

    text: str = doc._.text
    offsets = doc._.words.offsets
    title_end = offsets[doc._.title_tokens] if 0 < doc._.title_tokens < len(offsets) else 0
    kept = _kept(_found(doc, text, title_end))
    doc._.places = kept
    doc._.scope = scope_of(text, title_end, kept)
    doc.spans["places"] = [Span(doc, *one.tokens, label=one.kind) for one in kept]
    return doc


def _found(doc: "Doc", text: str, title_end: int) -> list[Found]:
    """The places of the project, each once, in text order."""
    found: dict[tuple[str, str], Found] = {}
    mentions = [(mention.start, mention.end, mention) for mention in find_places(text, title_end)]
    nationwide = _nationwide(text)
    if nationwide is not None:
        mentions.append((*nationwide, Mention(*nationwide, GERMANY.name, (GERMANY,), STRONG)))
    offsets = doc._.words.offsets
    of_prizes = _of_prizes(doc) if mentions else []
    for start, end, mention in sorted(mentions, key=lambda item: item[0]):
        tokens = bisect_right(offsets, start) - 1, bisect_right(offsets, end - 1)
        if (mention.place is not GERMANY and _is_elsewhere(doc, tokens[0])) or of_prizes[tokens[0]]:
            continue
        place, states = mention.place, {one.state for one in mention.places}
        name = place.name if place else mention.name
        key = (mention.kind, place.key + name if place else name)
        if key in found:
            found[key] = replace(found[key], strength=max(found[key].strength, mention.strength))
            continue
        state = next(iter(states)) if len(states) == 1 else None
        found[key] = Found(name, state, mention.kind, place, (start, end), tokens, mention.strength, start < title_end)
    return list(found.values())


def _is_elsewhere(doc: "Doc", token: int) -> bool:
    """Whether a token stands in a clause that tells of another programme, or of a transfer to or from elsewhere."""
    if any(transfer.start <= token < transfer.end for transfer in doc._.transfers):
        return True
    clauses: list[Clause] = doc._.clauses
    at = doc._.clause_of[token] if token < len(doc._.clause_of) else -1
    return at >= 0 and clauses[at].ruled == "other"


def _of_prizes(doc: "Doc") -> list[bool]:
    """Of every token whether its sentence is about who gives a prize, and for what: no place of the project."""
    told: dict[tuple[int, int], set[str]] = defaultdict(set)
    for cue in doc._.cues:
        if cue.label in {"award_won", "award_giver", "award_verb"}:
            told[sentence_of(doc, cue.start)].add(cue.label)
    found = [False] * len(doc)
    for (start, end), labels in told.items():
        if labels == {"award_won", "award_giver"}:
            found[start:end] = [True] * (end - start)
    return found


def _nationwide(text: str) -> tuple[int, int] | None:
    """Where the text says that the project acts in the whole country; `bundesweit beachtet` says it not."""
    for match in patterns("nationwide").finditer(text):
        if not patterns("nationwide_not").begins(text[match.end() : match.end() + _LOOK_AHEAD].lstrip()):
            return match.span()
    return None


def _kept(found: Sequence[Found]) -> list[Found]:
    """The places that count: those named with a body only where there is nothing else, those abroad likewise."""
    inside = [one for one in found if one.kind != "ausland"]
    sure = [one for one in inside if one.strength >= PLAIN]
    return sure or [one for one in inside if one.strength == WEAK] or list(found)


def scope_of(text: str, title_end: int, found: Sequence[Found]) -> str | None:
    """How wide a project acts: the narrowest place, or wider where the text says so.

    Args:
        text: The text, its title in front.
        title_end: Where the title ends.
        found: The places of the project, in text order.
    """
    if any(one.kind == "bund" for one in found):
        return "bund"
    return _told_by_title(text, title_end, found) or _told_by_text(text, found)


def _told_by_title(text: str, title_end: int, found: Sequence[Found]) -> str | None:
    """A district that bears its town's name counts as in the title: `Kreis Düren` where the title has Düren."""
    towns = [one for one in found if one.kind == "gemeinde"]
    kreise = [one for one in found if one.kind == "kreis"]
    if kreise and any(TAIL.sub("", town.name) in kreise[0].name for town in towns):
        return "kreis"
    title = {one.kind for one in found if one.in_title}
    for kind in ("kreis", "gemeinde", "land"):
        if kind in title:
            return "land" if kind == "gemeinde" and _is_of_city_state(text, towns) else kind
    return "bund" if patterns("nationwide_title").holds(text[:title_end]) else None


def _told_by_text(text: str, found: Sequence[Found]) -> str | None:
    towns = [one for one in found if one.kind == "gemeinde"]
    states = {one.state for one in found if one.state}
    wide = "land" if len(states) == 1 or (towns and not states) else "bund"
    first = next((one.kind for one in found if one.kind in {"gemeinde", "kreis"}), None)
    if patterns("statewide").holds(text) or patterns("many_towns").holds(text) or len(towns) >= _MANY_TOWNS:
        return wide
    if first is None and any(one.kind == "land" for one in found):
        return wide
    if first == "gemeinde" and _is_of_city_state(text, towns):
        return "land"
    told = None if any(one.strength > WEAK for one in found) else _told_by_bodies(text)
    return told or first or ("ausland" if found else None)


def _told_by_bodies(text: str) -> str | None:
    """What bodies and adjectives tell where the text names no place of the project: `bayerische Schulen`."""
    if place_rules().adjective_of_state.search(text):
        return "land"
    return "bund" if patterns("national_bodies").holds(text) else None


def _is_of_city_state(text: str, towns: Sequence[Found]) -> bool:
    """Whether a city that is a state acts as one."""
    return towns[0].name == towns[0].state and patterns("city_state").holds(text)
