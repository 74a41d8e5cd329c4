"""How alike two records are, and what follows: certain, doubtful, a family, or different.

Below: `data.store_curation` (the records), RapidFuzz. Above: `pipeline.candidates` chooses pairs, `pipeline.curate`
acts on the outcome. Weights, thresholds and word lists: `weights/duplicates.yaml`; method: logistic regression on six
features of fixed scale (Fellegi and Sunter 1969 is the ancestor), then rules for programmes, branches and phases.
"""

import math
import re
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from data.store_curation import CurationRecord

WEIGHTS_FILE = Path(__file__).parent / "weights" / "duplicates.yaml"
FEATURES = ("name", "place", "organisation", "words", "numbers", "phrases")
TEXT_LIMIT = 2_000
"""Code points of a text that are compared; what a project is stands at its beginning."""
SAME_WORDING = 0.6
"""Share of common runs of three words from which on two texts are one text."""
SAME_NUMBERS = 0.5
"""Feature `numbers` from which on two texts tell of one thing: at least one telling number, and most of them."""
STEM = 7
"""Letters of a word that are compared, so that most German endings do not matter."""

SHORTEST_NAME = 6
"""Letters that a name must have to be looked for."""

Outcome = Literal["certain", "doubtful", "family", "different"]

_WORD = re.compile(r"[a-z]+")
_MARKS = re.compile("[\u0300-\u036f]")
_TOKEN = re.compile(r"[a-z0-9]+")
_NUMBER = re.compile(r"\d+(?:[.,\u202f ]\d{3})*")
_PHASE = re.compile(  # of folded text, in which "neue" is "neu"
    r"\b(?:ii|iii|iv|2\.0|3\.0|[23]\. (?:phase|forderphase|durchgang)"
    r"|(?:(?:zweite|dritte)[rn]?|neu[rn]?) (?:forder)?phase|folgeprojekt"
    r"|fortschreibung|(?:phase|teil) (?:2|3|ii|iii))(?!\w)"
)
_NUMBER_WORDS = {
    word: str(value)
    for value, words in {
        11: "elf eleven", 12: "zwolf twelve", 13: "dreizehn", 14: "vierzehn fourteen", 15: "funfzehn fifteen",
        16: "sechzehn sixteen", 17: "siebzehn", 18: "achtzehn", 19: "neunzehn nineteen", 20: "zwanzig twenty",
        30: "dreissig thirty", 40: "vierzig forty", 50: "funfzig fifty", 100: "hundert",
    }.items()
    for word in words.split()
}  # fmt: skip


_LISTS = ("generic", "programme", "place_kinds", "frame", "common")


@dataclass(frozen=True, slots=True)
class Rules:
    """What `weights/duplicates.yaml` holds."""

    weights: Mapping[str, float]
    certain: float
    doubtful: float
    family_name: float
    generic: frozenset[str]
    abbreviations: Mapping[str, str]
    programme: frozenset[str]
    place_kinds: frozenset[str]
    frame: frozenset[str]
    common: frozenset[str]


@lru_cache(maxsize=4)
def load_rules(path: Path = WEIGHTS_FILE) -> Rules:
    """The weights and word lists, words folded."""
    held: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return Rules(
        weights={name: float(held["weights"][name]) for name in ("bias", *FEATURES)},
        certain=float(held["certain"]),
        doubtful=float(held["doubtful"]),
        family_name=float(held["family_name"]),
        abbreviations={key: fold(value) for key, value in held["abbreviations"].items()},
        **{name: frozenset(map(fold, held[name])) for name in _LISTS},
    )


def fold(text: str) -> str:
    """Small letters without marks; ä, ae and a are one (so are ö, ü and ß, ss), as list entries and scans need it."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").casefold())
    return _MARKS.sub("", plain).replace("ae", "a").replace("oe", "o").replace("ue", "u")


class Prepared:
    """A record in the forms in which it is compared; each form is made once."""

    def __init__(self, record: CurationRecord, rules: Rules) -> None:
        self.record = record
        self.rules = rules
        self.title = fold(record.title or "")
        self.text = fold(record.text[:TEXT_LIMIT])

    @cached_property
    def place(self) -> frozenset[str]:
        """The words that name the town or district."""
        return frozenset(_WORD.findall(fold(self.record.municipality or ""))) - self.rules.place_kinds

    @cached_property
    def organisation(self) -> str:
        """The organisation with abbreviations written out, without legal forms."""
        words = _WORD.findall(fold(self.record.organisation or "").replace("e. v.", "").replace("e.v.", ""))
        return " ".join(self.rules.abbreviations.get(word, word) for word in words if word not in self.rules.frame)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The title, its part before a dash or colon and those within quotation marks, each as `_bare` gives it."""
        title = self.record.title or ""
        quoted = re.findall(r"[„\"»“]([^“”\"«„]{4,60})[“”\"«]", title)
        pieces = (title, re.split(r"\s[–-]\s|:\s|\s\(", title)[0], *quoted)
        return tuple(dict.fromkeys(name for piece in pieces if len(name := self._bare(piece)) >= SHORTEST_NAME))

    def _bare(self, piece: str) -> str:
        """The words of a name without frame words, town and kind of town; empty where only general ones are left."""
        words = [
            word
            for word in _TOKEN.findall(fold(piece))
            if word not in self.rules.frame | self.rules.place_kinds | self.place
        ]
        return " ".join(words) if any(word not in self.rules.generic for word in words) else ""

    @cached_property
    def plain(self) -> str:
        """Title and text as words without frame words, to look names up in."""
        return " ".join(word for word in _TOKEN.findall(f"{self.title} {self.text}") if word not in self.rules.frame)

    @cached_property
    def words(self) -> dict[str, int]:
        """The text's word beginnings with their weights: letters of the longest such word, at most twelve."""
        found: dict[str, int] = {}
        for word in _WORD.findall(self.text):
            if len(word) >= 4 and word not in self.rules.common:
                found[word[:STEM]] = max(found.get(word[:STEM], 0), min(len(word), 12))
        return found

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Numbers above ten in title and text that are no years, without separators."""
        whole = f"{self.title} {self.text}"
        digits = {re.sub(r"\D", "", number) for number in _NUMBER.findall(whole)}
        digits |= {_NUMBER_WORDS[word] for word in _WORD.findall(whole) if word in _NUMBER_WORDS}
        return frozenset(n for n in digits if int(n) > 10 and not 1980 <= int(n) <= 2039)

    @cached_property
    def phrases(self) -> frozenset[int]:
        """Hashes of every run of three words."""
        words = _WORD.findall(self.text)
        return frozenset(zlib.crc32(" ".join(words[at : at + 3]).encode()) for at in range(len(words) - 2))

    @cached_property
    def phase(self) -> bool:
        """Title or text say that this follows an earlier phase."""
        return bool(_PHASE.search(self.title) or _PHASE.search(self.text))

    @cached_property
    def programme(self) -> bool:
        """No town of its own, and words of a programme with several sites."""
        told = set(_WORD.findall(f"{self.title} {self.text}"))
        return not self.place and bool(told & self.rules.programme)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two records compared: features in 0..1, the score (a share 0..1), the outcome and German reasons."""

    outcome: Outcome
    score: float
    features: Mapping[str, float]
    reasons: tuple[str, ...]


def compare(one: Prepared, other: Prepared) -> Comparison:
    """Compares two records; the result does not depend on their order."""
    rules = one.rules
    parts = features(one, other)
    score = round(_probability(parts, rules), 4)
    outcome, why = _outcome(one, other, parts, score)
    reasons = why if outcome == "different" else (*why, *_reasons(one, other, parts))
    return Comparison(outcome, score, parts, reasons)


def features(one: Prepared, other: Prepared) -> dict[str, float]:
    """The features of a pair by the names in FEATURES, each 0..1."""
    return {
        "name": max(_named(one, other), _named(other, one)),
        "place": _place(one, other),
        "organisation": _organisation(one, other),
        "words": _shared_words(one.words, other.words),
        "numbers": _shared_numbers(one.numbers, other.numbers),
        "phrases": len(one.phrases & other.phrases) / max(1, min(len(one.phrases), len(other.phrases))),
    }


def _probability(parts: Mapping[str, float], rules: Rules) -> float:
    total = rules.weights["bias"] + sum(rules.weights[name] * parts[name] for name in FEATURES)
    return 1 / (1 + math.exp(-total))


def _named(one: Prepared, other: Prepared) -> float:
    """How well a name of `one` is found as the other's name, or within its title and text."""
    from rapidfuzz import fuzz

    best = 0.0
    for name in one.names:
        for against in other.names:
            best = max(best, fuzz.token_sort_ratio(name, against), fuzz.ratio(_glued(name), _glued(against)))
        best = max(best, fuzz.partial_ratio(name, other.plain, score_cutoff=85) if len(name) <= len(other.plain) else 0)
    return best / 100


def _glued(name: str) -> str:
    return name.replace(" ", "")


def _place(one: Prepared, other: Prepared) -> float:
    if not one.place or not other.place:
        return 0.5
    return 1.0 if one.place <= other.place or other.place <= one.place else 0.0


def _organisation(one: Prepared, other: Prepared) -> float:
    from rapidfuzz import fuzz

    if not one.organisation or not other.organisation:
        return 0.5
    return fuzz.token_set_ratio(one.organisation, other.organisation) / 100


def _shared_words(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    less = min(sum(one.values()), sum(other.values()))
    return sum(min(one[word], other[word]) for word in one.keys() & other.keys()) / less if less else 0.0


def _shared_numbers(one: frozenset[str], other: frozenset[str]) -> float:
    """1 - 0.5 ** weight of the shared ones, times their share of the record that has fewer."""
    shared = sum(map(_telling, one & other))
    fewer = min(sum(map(_telling, one)), sum(map(_telling, other)))
    return (1 - 0.5**shared) * shared / fewer if shared else 0.0


def _telling(number: str) -> float:
    """Round numbers up to a hundred stand in many texts: half the weight of others."""
    return 0.5 if number.endswith("0") and int(number) <= 100 else 1.0


def _outcome(
    one: Prepared, other: Prepared, parts: Mapping[str, float], score: float
) -> tuple[Outcome, tuple[str, ...]]:
    rules = one.rules
    alike = parts["name"] >= rules.family_name
    apart = _kept_apart(one, other, parts)
    if apart and not _told_of_one_place(one, other, parts):
        return ("family", (apart,)) if alike else ("different", (apart,))
    if score < rules.doubtful:
        return "different", ()
    sure = score >= rules.certain and not apart and _may_merge(one, other, parts, alike)
    return ("certain" if sure else "doubtful"), ((apart,) if apart else ())


def _may_merge(one: Prepared, other: Prepared, parts: Mapping[str, float], alike: bool) -> bool:
    """What must hold beside the score before two records are merged without asking.

    Many shared words of one carrier are not enough: the name or the wording must agree. Nor is one wording: offices of
    a carrier share their texts, so the same numbers must stand there, or the town be known and the titles not name two
    different things beside what they share.
    """
    if not alike and parts["phrases"] < SAME_WORDING:
        return False
    return parts["numbers"] >= SAME_NUMBERS or (parts["place"] == 1 and not _differing_titles(one, other))


def _differing_titles(one: Prepared, other: Prepared) -> bool:
    """Each title has words that the other lacks, and these are not spellings of each other."""
    from rapidfuzz import fuzz

    a, b = (set(_TOKEN.findall(item.title)) - item.rules.frame for item in (one, other))
    left, right = " ".join(sorted(a - b)), " ".join(sorted(b - a))
    return bool(left and right) and fuzz.ratio(_glued(left), _glued(right)) < 75


def _tail(title: str) -> str:
    """What stands in brackets at the end of a title."""
    found = re.search(r"\(([^()]+)\)\s*$", title)
    return found[1] if found else ""


def _kept_apart(one: Prepared, other: Prepared, parts: Mapping[str, float]) -> str:
    """Why two records cannot be one project, whatever else they share; empty if they can."""
    if parts["place"] == 0:
        return f"verschiedene Orte ({one.record.municipality} / {other.record.municipality})"
    heads = [item.title.removesuffix(")").removesuffix(_tail(item.title)) for item in (one, other)]
    if heads[0] == heads[1] and _tail(one.title) != _tail(other.title):
        return f"gleicher Titel mit verschiedenem Zusatz ({_tail(one.title)} / {_tail(other.title)})"
    if one.programme != other.programme:
        return "ein Programm mit mehreren Standorten und ein Projekt vor Ort"
    if one.phase != other.phase:
        return "ein Folgeprojekt oder eine weitere Förderphase"
    return ""


def _told_of_one_place(one: Prepared, other: Prepared, parts: Mapping[str, float]) -> bool:
    """Two towns in two columns, but the one's organisation, title or text names the other, and numbers agree."""
    if parts["place"] or parts["numbers"] < 0.75:
        return False
    return _mentions(one, other) or _mentions(other, one)


def _mentions(one: Prepared, other: Prepared) -> bool:
    told = _WORD.findall(f"{one.plain} {fold(one.record.organisation or '')}")
    return other.place <= set(told)


def _reasons(one: Prepared, other: Prepared, parts: Mapping[str, float]) -> tuple[str, ...]:
    """What speaks for one project, in German, for the person who decides."""
    told = []
    if parts["name"] >= 0.8:
        told.append(f"Name stimmt zu {parts['name']:.0%} überein")
    if parts["place"] == 1:
        told.append(f"gleicher Ort ({one.record.municipality})")
    if one.organisation and other.organisation and parts["organisation"] >= 0.8:
        told.append("gleicher oder verwandter Träger")
    shared = sorted(one.numbers & other.numbers, key=int)
    if shared:
        told.append(f"gleiche Zahlen im Text ({', '.join(shared[:5])})")
    told.append(f"{parts['words']:.0%} der Wörter gemeinsam")
    if parts["phrases"] >= 0.1:
        told.append(f"{parts['phrases']:.0%} der Wortfolgen gleich")
    return tuple(reason.replace("%", " %") for reason in told)
