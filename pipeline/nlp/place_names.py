"""Finding the names of places in a text, and which place of a name is meant.

A name is taken for a place where the words around it say so: `in Essen`, `Stadt Essen`, `Halle (Westfalen)`, a list of
towns; a large town whose name is no other word is taken anywhere, so `Freie Universität Berlin` tells Berlin too. Names
of several places stay open unless the text names the state, the district, the full name or other places near by.

Below: `pipeline.nlp.place_rules`, `pipeline.nlp.name_tables`. Above: `pipeline.nlp.places`, `matching.place_lookup`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from data.places import TAIL, Place
from pipeline.nlp.dictionary import is_known
from pipeline.nlp.name_tables import tables
from pipeline.nlp.place_rules import PlaceRules, most_people, place_rules

WEAK, PLAIN, STRONG = 1, 2, 3
"""How surely a name tells where something is: named with a body that may be elsewhere; named; named as a place."""
_CAPITAL = re.compile(r"(?<![\w.@-])[A-ZÄÖÜ]\w+")
_WEB = re.compile(r"(?:://|www\.)\S*$")
_WORD_BEFORE = re.compile(r"(?:([\w-]+) )?([\w-]+)(?:(?<=\b[DS]t)\.|(?<=\bDr)\.|(?<=\bProf)\.|(?<=\bLkr)\.)?[ \n]$")
_CAPITAL_WORD = re.compile(r"[A-ZÄÖÜ]\w+")
_LIST = re.compile(r"(?:, | und | oder | bis | sowie |/| & )")
_NEXT_NOUN = re.compile(r"(?: (?:[a-zäöüß]+ )?|, | und | oder )([A-ZÄÖÜ„»][\w-]*)")
_IN_BRACKETS = re.compile(r" \(([A-ZÄÖÜ][\w. -]+)\)| in ([A-ZÄÖÜ][\w-]+)|, ([A-ZÄÖÜ][\w-]+)")
_NUMBER = re.compile(r" \d{1,2}\b")
_SAINTS = ("St. ", "Sankt ")
"""Mostly churches and schools."""
_GENITIVE = re.compile(r"(?:e?s)?(?![\w@])")
_BEFORE_STATES = frozenset(
    {"in", "aus", "für", "von", "land", "landes", "bundesland", "ganz", "freistaat", "nach", "durch"}
)
_LOOK_BACK = 40
_BIG = 50_000
"""From so many inhabitants on `Köln-Mülheim` is a part of the town."""
_KNOWN_ANYWHERE = 20_000
"""From so many inhabitants on the bare name tells the town."""
_DOMINANT = 15
"""A town of so many times the inhabitants of its namesakes is meant by the bare name."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text: half-open offsets, the places of that name, and how surely it tells where something is."""

    start: int
    end: int
    name: str
    places: tuple[Place, ...]
    strength: int

    @property
    def place(self) -> Place | None:
        """The place that is meant; None while several are possible."""
        return self.places[0] if len(self.places) == 1 else None

    @property
    def kind(self) -> str:
        """The kind of what is named."""
        return self.places[0].kind


def find_places(text: str, title_end: int = 0) -> list[Mention]:
    """The places that a text names, in text order; each mention has one place, or all those that it may mean.

    Args:
        text: The text, its title in front.
        title_end: Where the title ends; in it a small town needs no word before it.
    """
    rules = place_rules()
    found: list[Mention] = []
    for mention in _mentions(text, title_end, rules):
        if not found or mention.start >= found[-1].end:
            found.append(mention)
    if any(mention.place is None for mention in found):
        found = _resolved(text, found, rules)
    return found


def _mentions(text: str, title_end: int, rules: PlaceRules) -> Iterator[Mention]:
    last: Mention | None = None
    districts = rules.sets["district_nouns"]
    for match in _CAPITAL.finditer(text):
        start, word = match.start(), match[0]
        if (last is not None and start < last.end) or (text[start - 1 : start] == "/" and _in_address(text, start)):
            continue
        if word in districts:
            mention = _district(text, match.end(), rules)
            mention = replace(mention, start=start) if mention else None
        elif word in rules.names:
            mention = _named(text, start, word, rules, last)
            if mention is None and start < title_end:
                mention = _in_title(text, start, word, rules)
        else:
            mention = _inflected(text, start, word, rules, last)
        if mention is not None:
            last = mention
            yield mention


def _in_address(text: str, at: int) -> bool:
    """Whether a word stands in an address of the web."""
    return _WEB.search(text, max(0, at - 200), at) is not None


def _district(text: str, at: int, rules: PlaceRules) -> Mention | None:
    """The district whose name follows `Landkreis`."""
    at += text[at : at + 1] == "."
    if text[at : at + 1] != " ":
        return None
    match = _CAPITAL_WORD.match(text, at + 1)
    for base in rules.bases.get(match[0], ()) if match else ():
        if text.startswith(base, at + 1) and _GENITIVE.match(text, at + 1 + len(base)):
            return Mention(at, at + 1 + len(base), base, rules.places.districts_by_base(base), STRONG)
    return None


def _named(text: str, start: int, word: str, rules: PlaceRules, last: Mention | None) -> Mention | None:
    """The longest name that begins here and is told as one."""
    for name in rules.names[word]:
        end = start + len(name)
        if not text.startswith(name, start):
            continue
        ending = _GENITIVE.match(text, end)
        if ending is None:
            continue
        end = ending.end() if name[-1] != "s" else end
        mention = _meant(text, Mention(start, end, name, (), PLAIN), rules, last)
        if mention is not None:
            return mention
    return None


def _in_title(text: str, start: int, word: str, rules: PlaceRules) -> Mention | None:
    """A small town that a title names without a word before it, where its name is nothing else."""
    end, towns = start + len(word), rules.places.towns(word)
    low = word.lower()
    if not towns or word in rules.sets["never"] or rules.streets.match(text, end):
        return None
    last = text[end : end + 1] in {"", "\n"} and most_people(towns) >= _KNOWN_ANYWHERE
    if last and word in rules.sets["never_in_titles"]:
        return None
    if not last and (
        word in rules.sets["words"] or tables().is_surname(low) or tables().is_common(low) or is_known(low)
    ):
        return None
    before = _WORD_BEFORE.search(text, max(0, start - _LOOK_BACK), start)
    if before and (before[2].lower() in rules.sets["persons"] or before[2].lower() in rules.sets["parts_of_towns"]):
        return None
    return Mention(start, end, word, towns, PLAIN)


def _meant(text: str, mention: Mention, rules: PlaceRules, last: Mention | None) -> Mention | None:
    """What a name means where it stands, or None where it is no place."""
    name, places = mention.name, rules.places
    before = _WORD_BEFORE.search(text, max(0, mention.start - _LOOK_BACK), mention.start)
    word = before[2] if before else ""
    if _is_apart(text, mention.start, rules):
        return None
    districts = places.districts(name)
    if districts:
        return replace(mention, places=districts, strength=STRONG)
    if name in places.states and word.lower() not in rules.sets["town_nouns"]:
        return _state(text, mention, word, rules)
    towns = places.towns(name)
    if not towns:
        return _bare_district(mention, word, rules)
    strength = _strength(text, mention, word, towns, rules, last)
    if before and before[1] and word.lower() in {"in", "aus"} and rules.bodies.search(before[1]):
        strength = min(strength, WEAK)
    return replace(mention, places=towns, strength=strength) if strength else None


def _is_apart(text: str, start: int, rules: PlaceRules) -> bool:
    """Whether a text sets apart what it names there: `außer in Mannheim`, `im Vergleich zum Kreis Unna`."""
    return rules.contrasts.search(text, max(0, start - _LOOK_BACK), start) is not None


def _state(text: str, mention: Mention, word: str, rules: PlaceRules) -> Mention | None:
    state = rules.places.states[mention.name]
    towns = rules.places.towns(mention.name) if state.name in {"Berlin", "Bremen", "Hamburg"} else ()
    if _is_something_else(text, mention, word.lower(), word, towns, rules):
        return None
    if towns and word not in {"Land", "Landes", "Bundesland", "Bundeslandes"}:
        return replace(mention, places=towns[:1], strength=_city_strength(text, mention, word, rules))
    told = word.lower() in _BEFORE_STATES
    genitive = mention.end - mention.start > len(mention.name)
    return replace(mention, places=(state,), strength=STRONG if told or genitive else WEAK)


def _city_strength(text: str, mention: Mention, word: str, rules: PlaceRules) -> int:
    if word.lower() in rules.sets["clubs"] or rules.bodies.search(word):
        return WEAK
    return STRONG if word.lower() in rules.sets["strong_prepositions"] | rules.sets["town_nouns"] else PLAIN


def _bare_district(mention: Mention, word: str, rules: PlaceRules) -> Mention | None:
    """`im Barnim`, `in der Uckermark`; a place outside Germany only after `in`."""
    if mention.name in rules.abroad:
        told = word.lower() in {"in", "der", "den"}
        return replace(mention, places=(rules.abroad[mention.name],), strength=STRONG) if told else None
    districts = rules.places.districts_by_base(mention.name)
    told = word.lower() in {"im", "in", "der", "den", "des", "ganzen", "region"}
    if len(districts) != 1 or mention.name in rules.sets["never"] or (mention.name in rules.sets["words"] and not told):
        return None
    return replace(mention, places=districts, strength=STRONG if told else PLAIN)


def _strength(
    text: str, mention: Mention, word: str, towns: tuple[Place, ...], rules: PlaceRules, last: Mention | None
) -> int:
    """How surely a town is meant; 0: not at all."""
    low, sets, name = word.lower(), rules.sets, mention.name
    if _is_something_else(text, mention, low, word, towns, rules):
        return 0
    if low in sets["town_nouns"] or _is_in(_state_after(text, mention, rules), towns):
        return STRONG
    is_word = name in sets["words"]
    if name in sets["never"] or (name in sets["numbered"] and _NUMBER.match(text, mention.end)):
        return 0
    if low in sets["word_prepositions" if is_word else "strong_prepositions"]:
        strength = STRONG
    elif last is not None and last.strength >= PLAIN and _LIST.fullmatch(text, last.end, mention.start):
        strength = last.strength if last.strength == STRONG or not is_word else 0
    elif low in sets["local_bodies"]:
        strength = PLAIN
    elif is_word or name.startswith(_SAINTS) or not (" " in name or most_people(towns) >= _KNOWN_ANYWHERE):
        strength = 0
    else:
        strength = WEAK if low in sets["clubs"] or rules.bodies.search(word) else PLAIN
    return strength


def _is_something_else(
    text: str, mention: Mention, low: str, word: str, towns: tuple[Place, ...], rules: PlaceRules
) -> bool:
    """A person, a street, a part of a town, an address of the web, the front of a compound."""
    sets, follows = rules.sets, text[mention.end : mention.end + 2]
    if follows[:1] == "-" and follows[1:].isalpha():
        return low not in sets["town_nouns"] and not _is_part(text, mention, low, towns, rules)
    if follows[:1] in {".", "@"} and follows[1:].islower():
        return True
    if low in sets["persons"] or low in sets["parts_of_towns"] or rules.streets.match(text, mention.end):
        return True
    return word[:1].isupper() and tables().is_given(low) and low not in sets["town_nouns"]


def _is_part(text: str, mention: Mention, low: str, towns: tuple[Place, ...], rules: PlaceRules) -> bool:
    """Whether a name begins a part of the town or a pair of towns: `Köln-Mülheim`, `Feldafing-Pöcking`."""
    second = _CAPITAL_WORD.match(text, mention.end + 1)
    if second is None:
        return False
    told = low in rules.sets["word_prepositions"]
    if rules.places.towns(second[0]):
        return told or most_people(towns) >= _BIG
    return most_people(towns) >= _BIG and (told or mention.name not in rules.sets["words"])


def _state_after(text: str, mention: Mention, rules: PlaceRules) -> Place | None:
    """The state that follows a name: `Halle (Westfalen)`, `Neustadt in Hessen`."""
    after = _IN_BRACKETS.match(text, mention.end)
    return rules.places.states.get(after[1] or after[2] or after[3]) if after else None


def _is_in(state: Place | None, towns: Sequence[Place]) -> bool:
    return state is not None and any(town.state == state.name for town in towns)


def _inflected(text: str, start: int, word: str, rules: PlaceRules, last: Mention | None) -> Mention | None:
    """`Bremens`, `Erfurter`, `Münchner Stiftung`."""
    for ending in ("s", "es"):
        if word.endswith(ending) and (front := word.removesuffix(ending)) in rules.names:
            return _named(text, start, front, rules, last)
    if word[-2:] != "er" or len(word) < 5:
        return None
    towns = () if tables().is_given(word.lower()) else rules.adjective(word)
    noun = _NEXT_NOUN.match(text, start + len(word)) if towns else None
    if noun is None or rules.streets.match(noun[1]) or rules.brands.match(noun[1]) or _is_apart(text, start, rules):
        return None
    if any(name in rules.sets["words"] for name in (word[:-2], word[:-2] + "en")) and most_people(towns) < _BIG:
        return None
    strength = WEAK if rules.bodies.search(noun[1]) else PLAIN
    return Mention(start, start + len(word), TAIL.sub("", towns[0].name), towns, strength)


def _resolved(text: str, found: Sequence[Mention], rules: PlaceRules) -> list[Mention]:
    """The mentions, each name of several places decided where the text decides it."""
    sure = [mention.place for mention in found if mention.place is not None and mention.kind in {"gemeinde", "kreis"}]
    states = [mention.place.name for mention in found if mention.place is not None and mention.kind == "land"]
    states += [
        rules.places.state_by_adjective[match[1].lower()].name for match in rules.adjective_of_state.finditer(text)
    ]
    keys = {place.key for place in sure}
    near = {place.key[:5] for place in sure}
    around = {place.state for place in sure if place.state}
    decided = []
    for mention in found:
        places = mention.places
        if mention.place is None:
            places = (
                _dominant(places)
                or _only(place for place in places if _is_in(_state_after(text, mention, rules), (place,)))
                or _only(place for place in places if place.key in keys)
                or _only(place for place in places if place.key[:5] in near and len(place.key) > 2)
                or _only(place for place in places if place.state in states)
                or (_only(place for place in places if place.state in around) if len(around) == 1 else ())
                or places
            )
        decided.append(replace(mention, places=places))
    return decided


def _only(places: Iterator[Place]) -> tuple[Place, ...]:
    """The place, if there is just one."""
    found = tuple(places)
    return found if len(found) == 1 else ()


def _dominant(places: tuple[Place, ...]) -> tuple[Place, ...]:
    first, second = sorted(places, key=lambda place: -(place.population or 0))[:2]
    great = (first.population or 0) >= max(_KNOWN_ANYWHERE, _DOMINANT * (second.population or 0))
    return (first,) if great else ()
