"""The table of places: German states, districts and municipalities with population, year and source, found by name.

The files lie in `data/places/` (its README says where they come from) and are checked when they are loaded.
Below: `data.errors`. Above: `pipeline.nlp.place_names` finds the names in texts, `matching.place_lookup`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data.errors import CheckupError

KINDS = ("gemeinde", "kreis", "land", "bund", "ausland")
FOLDER = Path(__file__).parent / "places"
SIZE_FROM = (("grossstadt", 100_000), ("mittelstadt", 20_000), ("kleinstadt", 5_000), ("landgemeinde", 0))
"""From how many inhabitants on a municipality is of which class (BBSR)."""
TAIL = re.compile(
    r" (?:am|an|an der|an den|im|in|in der|in den|bei|beim|ob|ob der|vor|vor der|auf|unter) (?:(?:der|dem) )?[A-ZÄÖÜ].*"
    r"| \(.*\)|/.*"
)
"""What follows the short name of a town: ` (Saale)`, ` am Main`, `/Havel`."""
_DISTRICT_KINDS = ("Landkreis", "Kreis", "Region", "StädteRegion", "Regionalverband", "Altmarkkreis", "Eifelkreis")
_KEY_LENGTHS = {"states": (2,), "districts": (5,), "municipalities": (2, 8)}
_COLUMNS = {
    "sources": ("id", "title", "year", "address", "licence"),
    "states": ("key", "name", "aliases", "adjective"),
    "districts": ("key", "name", "kind", "population", "aliases", "source"),
    "municipalities": ("key", "name", "population", "aliases", "source"),
}
_WORD = re.compile(r"\w+")
_PREPOSITIONS = (
    (" an der ", (" a. d. ", " a.d. ", " a.d.", "/")), (" in der ", (" i. d. ", " i.d. ", " i.d.")),
    (" am ", (" a. ", " a.", "/")), (" im ", (" i. ", " i.")), (" bei ", (" b. ", " b.")),
)  # fmt: skip

_At = tuple[Path, int]
_Row = tuple[str, str, str, str, str, str]
"""Key, name, kind, population, aliases, source, as they stand in the files."""


class PlacesError(CheckupError):
    """A file of the table is wrong; the message names file and line (exit 3)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from."""

    title: str
    year: int
    """Of the figures, or of the data set where it does not say of which year its figures are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place as the table has it."""

    key: str
    """Official key: 2 digits a state, 5 a district or a town that is one, 8 a municipality (2 where only its state is
    known); empty for Germany and for places outside."""
    name: str
    kind: str
    """One of KINDS."""
    state: str | None = None
    population: int | None = None
    source: Source | None = None

    @property
    def size(self) -> str | None:
        """The size class of CONTRACT, where it is known."""
        if self.kind == "kreis":
            return "kreis"
        if self.kind != "gemeinde" or self.population is None:
            return None
        return next(size for size, least in SIZE_FROM if self.population >= least)


class Places:
    """All places, by the ways in which their names are written.

    Args:
        folder: With the four files of the table.

    Raises:
        PlacesError: A file is missing or wrong.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._sources = {row[0]: Source(row[1], int(row[2])) for row in _sources(folder)}
        states = _states(folder)
        self._state_of = {key: name for key, name, _, _ in states}
        self.states: Mapping[str, Place] = {
            written: Place(key, name, "land", name)
            for key, name, aliases, _ in states
            for written in (name, *_split(aliases))
        }
        """By name, short or in full."""
        self.state_by_adjective = {adjective: self.states[name] for _, name, _, adjective in states}
        """`bayerisch`, without ending."""
        whole = list(_places(folder, "districts", self._state_of, self._sources))
        towns = list(_places(folder, "municipalities", self._state_of, self._sources))
        self._rows = [*whole, *towns]
        self._made: dict[int, Place] = {}
        self._by_key = {row[0]: at for at, row in enumerate(self._rows)}
        kreise = [(at, row[1]) for at, row in enumerate(whole) if row[2] == "kreis"]
        self._towns = _town_index(self._rows)
        self._districts = _index((at, district_spellings(name)) for at, name in kreise)
        self._bases = _index((at, district_bases(name)) for at, name in kreise)

    def towns(self, name: str) -> tuple[Place, ...]:
        """The municipalities of a name, in any of its spellings."""
        return self._all(self._towns.get(name, ()))

    def districts(self, name: str) -> tuple[Place, ...]:
        """The districts of a name as a whole: `Ilm-Kreis`, `Märkischen Kreis`, `Region Hannover`."""
        return self._all(self._districts.get(name, ()))

    def districts_by_base(self, base: str) -> tuple[Place, ...]:
        """The districts of what follows `Landkreis` or `Kreis`: `Barnim`, `Rotenburg`."""
        return self._all(self._bases.get(base, ()))

    def names(self) -> tuple[Iterable[str], Iterable[str], Iterable[str]]:
        """The written names of municipalities, of districts, and of districts without their kind."""
        return self._towns, self._districts, self._bases

    def district_of(self, place: Place) -> Place | None:
        """The district that a municipality belongs to; None for a town that is one, or where it is not known."""
        at = self._by_key.get(place.key[:5]) if len(place.key) == 8 else None
        return None if at is None else self._place(at)

    def find(self, name: str, *, state: str | None = None) -> tuple[Place, ...]:
        """The municipalities or districts of a name as a register writes it, in the given state if one is given."""
        name = " ".join(name.split())
        kind, _, base = name.partition(" ")
        found = self.towns(name) or self.districts(name)
        if not found and kind in {"Landkreis", "Kreis", "LK"}:
            found = self.districts_by_base(base)
        return tuple(place for place in found if state is None or place.state == state)

    def _all(self, rows: tuple[int, ...]) -> tuple[Place, ...]:
        return tuple(self._place(at) for at in rows)

    def _place(self, at: int) -> Place:
        # Made when asked for: six thousand records would take longer than reading the files.
        if at not in self._made:
            key, name, kind, people, _, source = self._rows[at]
            count = int(people) if people else None
            self._made[at] = Place(key, name, kind, self._state_of[key[:2]], count, self._sources[source])
        return self._made[at]


@cache
def load_places() -> Places:
    """The table, loaded once.

    Raises:
        PlacesError: A file is missing or wrong.
    """
    return Places()


def spellings(name: str) -> Iterator[str]:
    """How a municipality's name is written: `Frankfurt (Oder)`, `Frankfurt/Oder`; `St. Ingbert`, `Sankt Ingbert`."""
    yield name
    if name.startswith(("St. ", "Sankt ")):
        yield ("Sankt " if name.startswith("St. ") else "St. ") + name.partition(" ")[2]
    if " (" in name:
        yield name.replace(" (", "/").removesuffix(")")
    elif "/" in name:
        yield name.replace("/", " (", 1) + ")"
    else:
        yield from _shortened(name)


def _shortened(name: str) -> Iterator[str]:
    """`Neustadt a. d. Aisch`, `Frankfurt/Main`, `Frankfurt (Main)`."""
    for written, short in _PREPOSITIONS:
        if written in name:
            front, _, back = name.partition(written)
            yield from (f"{front}{one}{back}" for one in short)
            yield f"{front} ({back})"
            return


def district_spellings(name: str) -> Iterator[str]:
    """How a district's name is written as a whole, also after an article."""
    yield name
    if name.endswith("er Kreis"):
        yield name.removesuffix("er Kreis") + "en Kreis"
    if name.startswith("StädteRegion"):
        yield name.replace("StädteRegion", "Städteregion")


def district_bases(name: str) -> Iterator[str]:
    """What follows `Landkreis` or `Kreis`: `Rotenburg (Wümme)`, `Rotenburg`."""
    kind, _, base = name.partition(" ")
    if kind in _DISTRICT_KINDS:
        yield base
        yield from _shortened(base)
        if TAIL.search(base):
            yield TAIL.sub("", base)


def first_words(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The names that begin with a word, the longest first."""
    found: dict[str, list[str]] = {}
    for name in names:
        word = name if name.isalpha() else _WORD.match(name)[0]  # type: ignore[index]
        found.setdefault(word, []).append(name)
    return {word: tuple(sorted(same, key=len, reverse=True)) for word, same in found.items()}


def _index(named: Iterable[tuple[int, Iterable[str]]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for at, names in named:
        for name in names:
            if at not in (same := found.get(name, ())):
                found[name] = (*same, at)
    return found


def _town_index(rows: Iterable[_Row]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for at, (_, name, kind, _, aliases, _) in enumerate(rows):
        if kind == "kreis":
            continue
        if not aliases and name.isalpha():
            found[name] = (*found.get(name, ()), at)
            continue
        for written in {one for whole in (name, *_split(aliases)) for one in spellings(whole)}:
            found[written] = (*found.get(written, ()), at)
    return found


def _split(aliases: str) -> list[str]:
    return aliases.split("|") if aliases else []


def _rows(folder: Path, name: str) -> Iterator[tuple[_At, list[str]]]:
    """The rows of a file in the order of `_COLUMNS`, each with its file and line for messages."""
    path, columns = folder / f"{name}.csv", _COLUMNS[name]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if tuple(next(rows, ())) != columns:
                raise _wrong((path, 1), f"erwartet werden die Spalten {', '.join(columns)}.")
            for row in rows:
                if len(row) != len(columns):
                    raise _wrong((path, rows.line_num), f"erwartet werden {len(columns)} Spalten.")
                yield (path, rows.line_num), row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlacesError(f"Die Ortstabelle {path} lässt sich nicht lesen ({error}).") from error


def _wrong(at: _At, reason: str) -> PlacesError:
    return PlacesError(f"{at[0]}, Zeile {at[1]}: {reason}")


def _sources(folder: Path) -> Iterator[list[str]]:
    for at, row in _rows(folder, "sources"):
        if not row[2].isdecimal():
            raise _wrong(at, f"„{row[2]}“ ist kein Jahr.")
        yield row


def _states(folder: Path) -> list[list[str]]:
    found = []
    for at, row in _rows(folder, "states"):
        if len(row[0]) != 2 or not row[0].isdecimal() or not row[1]:
            raise _wrong(at, "Ein Land braucht einen Schlüssel aus zwei Ziffern und einen Namen.")
        found.append(row)
    return found


def _places(folder: Path, name: str, states: Mapping[str, str], sources: Mapping[str, Source]) -> Iterator[_Row]:
    seen: set[str] = set()
    for at, row in _rows(folder, name):
        key, title, kind, people, aliases, source = row if name == "districts" else [*row[:2], "gemeinde", *row[2:]]
        if len(key) not in _KEY_LENGTHS[name] or not key.isdecimal() or key[:2] not in states:
            raise _wrong(at, f"„{key}“ ist kein amtlicher Schlüssel.")
        if key in seen:
            raise _wrong(at, f"Der Schlüssel {key} steht schon weiter oben.")
        if not title.strip() or kind not in {"gemeinde", "kreis"}:
            raise _wrong(at, "Jeder Ort braucht einen Namen, und seine Art ist gemeinde oder kreis.")
        if people and (not people.isdecimal() or people[0] == "0"):
            raise _wrong(at, f"„{people}“ ist keine Zahl über 0. Unbekanntes bleibt leer.")
        if source not in sources:
            raise _wrong(at, f"Die Quelle „{source}“ steht nicht in sources.csv.")
        if len(key) > 2:
            seen.add(key)
        yield key, title, kind, people, aliases, source
