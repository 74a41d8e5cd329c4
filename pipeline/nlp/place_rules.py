"""The words of `rules/places.yaml` and the names of the table of places, as `pipeline.nlp.place_names` needs them.

Below: `data.places`, `pipeline.nlp.rules`. Above: `pipeline.nlp.place_names`, `pipeline.nlp.places`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from data.places import Place, Places, first_words, load_places
from pipeline.nlp.rules import load_rules

_LEAST_FOR_ADJECTIVE = 10_000
_ADJECTIVE_ENDS = ("", "en", "e")


class PlaceRules:
    """Names by their first word, and the lists of words around them."""

    def __init__(self) -> None:
        lists: Mapping[str, str] = {key: text for key, text in load_rules("places").items() if isinstance(text, str)}
        self.places: Places = load_places()
        towns, districts, bases = self.places.names()
        abroad = [*lists["countries"].split(), *lists["towns_abroad"].split()]
        self.abroad: Mapping[str, Place] = {name: Place("", name, "ausland") for name in abroad}
        self.names = first_words({*towns, *districts, *bases, *self.places.states, *self.abroad})
        """The names that begin with a word, longest first."""
        self.bases = first_words(bases)
        self.sets = {key: frozenset(text.split()) for key, text in lists.items()}
        self.streets = re.compile(rf"[ -]?(?:{'|'.join(lists['streets'].split())})\b", re.IGNORECASE)
        self.brands = re.compile(rf"(?:{'|'.join(lists['brands'].split())})\b", re.IGNORECASE)
        self.bodies = re.compile(rf"(?:{'|'.join(lists['bodies'].split())})$", re.IGNORECASE)
        apart = "|".join(phrase.replace("_", r"\s") for phrase in lists["contrasts"].split())
        self.contrasts = re.compile(
            rf"\b(?:{apart})m?\s(?:(?:in|bei|der|dem|Stadt|Kreis|Landkreis)\s)*$", re.IGNORECASE
        )
        self.adjective_of_state = re.compile(
            rf"\b({'|'.join(self.places.state_by_adjective)})(?:e[nrsm]?)?\b", re.IGNORECASE
        )
        self._irregular = {"Hannoveraner": "Hannover", "Münsteraner": "Münster", "Hallenser": "Halle (Saale)"}

    def adjective(self, word: str) -> tuple[Place, ...]:
        """The towns of `Erfurter`, `Bremer`, `Münchner`; none of what is an ordinary word."""
        if word in self._irregular:
            return self.places.towns(self._irregular[word])
        if word.lower() in self.sets["no_adjectives"]:
            return ()
        stem = word[:-2]
        names = [stem + end for end in _ADJECTIVE_ENDS]
        if stem.endswith("n"):
            names.append(stem[:-1] + "en")
        for name in names:
            found = self.places.towns(name)
            if found and name not in self.sets["never"] and most_people(found) >= _LEAST_FOR_ADJECTIVE:
                return found
        return ()


def most_people(towns: tuple[Place, ...]) -> int:
    """The inhabitants of the largest of some towns."""
    return max((town.population or 0 for town in towns), default=0)


@cache
def place_rules() -> PlaceRules:
    """The rules, loaded once."""
    return PlaceRules()


class Patterns:
    """A list of patterns as one, looked for only where the text holds one of the pieces that they need."""

    def __init__(self, near: Sequence[str], alternatives: Sequence[str]) -> None:
        self._near = near
        self._pattern = re.compile(rf"\b(?:{'|'.join(alternatives)})\b")

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All places where one of them stands."""
        return self._pattern.finditer(text) if any(piece in text for piece in self._near) else iter(())

    def holds(self, text: str) -> bool:
        """Whether one of them stands in a text."""
        return next(self.finditer(text), None) is not None

    def begins(self, text: str) -> bool:
        """Whether a text begins with one of them."""
        return self._pattern.match(text) is not None


@cache
def patterns(name: str) -> Patterns:
    """A list of patterns of `rules/places.yaml`."""
    rule = load_rules("places")[name]
    return Patterns(rule["near"], [" ".join(pattern.split()) for pattern in rule["patterns"]])
