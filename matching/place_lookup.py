"""The place of a situation, looked up in the table by the name that the text gives; marked as looked up everywhere.

Below: `data.places`, `pipeline.nlp.place_names`, `matching.context_facts`. Above: `matching.situation`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from data.places import Place, load_places
from matching.context_facts import ContextFacts, sits_elsewhere
from pipeline.nlp.place_names import STRONG, Mention, find_places
from pipeline.nlp.place_rules import place_rules

_WORD_BEFORE = re.compile(r"([\w-]+)[ \n]$")
_LOOK_BACK = 40
_FAR_OFF = 1.5
"""A stated population so many times the one in the table, or the other way round, is of another place."""


def looked_up(text: str, facts: ContextFacts) -> dict[str, Any] | None:
    """The place in the shape of CONTRACT (`analyse`, `place`).

    Args:
        text: The situation.
        facts: What it states about its place.

    Returns:
        None where the text names no place as its own, or several, where a name may mean several places, where what the
        text states contradicts the table, and where the table does not know the size.
    """
    named = [mention for mention in find_places(text) if mention.kind in {"gemeinde", "kreis"}]
    places = _of_name(facts.municipality, named) if facts.municipality else _only(text, named)
    fitting = [place for place in places if _fits(place, facts)]
    place = fitting[0] if len(fitting) == 1 else None
    if place is None or place.source is None or place.size is None:
        return None
    district = load_places().district_of(place)
    return {
        "name": place.name, "kind": place.kind, "state": place.state, "district": district.name if district else None,
        "population": place.population, "size": place.size, "source": place.source.title, "year": place.source.year,
    }  # fmt: skip


def _of_name(name: str, named: Sequence[Mention]) -> tuple[Place, ...]:
    """The places that the name of the text's own municipality may mean: as read in the text, else as in the table."""
    for mention in named:
        if name in mention.name or mention.name.startswith(name.split(maxsplit=1)[0]):
            return mention.places
    return load_places().find(name)


def _only(text: str, named: Sequence[Mention]) -> tuple[Place, ...]:
    """What the only name means that is told as where the town is (`wir in Jena`); nothing where there are several."""
    nouns = place_rules().sets["town_nouns"] - {"nachbarstadt"}
    own = set()
    for mention in named:
        before = _WORD_BEFORE.search(text, max(0, mention.start - _LOOK_BACK), mention.start)
        word = before[1].lower() if before else ""
        if sits_elsewhere(text, mention.start):
            continue
        if mention.strength == STRONG and (word == "in" or word in nouns or mention.kind == "kreis"):
            own.add(mention.places)
    return next(iter(own)) if len(own) == 1 else ()


def _fits(place: Place, facts: ContextFacts) -> bool:
    """Whether state and population, where the text states them, are those of a place."""
    if facts.state is not None and place.state != facts.state:
        return False
    if facts.population is None or place.population is None:
        return True
    return 1 / _FAR_OFF <= facts.population / place.population <= _FAR_OFF


def told(place: Mapping[str, Any], *, stated: int | None) -> str:
    """A looked-up place as the terminal shows it; its inhabitants only where the situation states no number itself."""
    parts = [place["name"], place["district"], place["state"]]
    name = ", ".join(dict.fromkeys(part for part in parts if part))
    if place["population"] is None or stated is not None:
        return f"laut Tabelle ({place['source']}): {name}"
    people = f"{place['population']:,}".replace(",", ".")
    return f"laut Tabelle ({place['source']}): {name}, {people} Einwohner ({place['year']})"
