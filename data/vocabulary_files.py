"""Reads the vocabulary's YAML files, keeps the line of every key, and lays a workspace's files over the shipped ones.

Below: `data.errors`. Above: `data.vocabulary_schema` checks the entries, `data.vocabulary` makes records of them.
Only plain YAML is taken: no tags that make objects, no anchors. With libyaml (in every wheel of PyYAML) the shipped
files are read in about 0.2 s; a compiled cache was measured to save 0.15 s and left out. The same content is read once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from data.errors import CheckupError
from data.system_errors import in_german

_KEPT_FILES = 64
"""Files whose content is remembered once it is read: the shipped ones and a workspace's."""


class VocabularyError(CheckupError):
    """A vocabulary file is wrong; the message names file and line (exit 3)."""

    def __init__(self, place: "Place", reason: str) -> None:
        super().__init__(f"{place.file}, Zeile {place.line}: {reason}")
        self.file = place.file
        self.line = place.line


@dataclass(frozen=True, slots=True)
class Place:
    """A file and a 1-based line in it."""

    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping of a vocabulary file, and where each of its keys stands (`arrows/ID` for an arrow)."""

    id: str
    values: Mapping[str, Any]
    places: Mapping[str, Place]
    place: Place

    def at(self, key: str) -> Place:
        """Where a key stands; the entry's own place if it has none."""
        return self.places.get(key, self.place)

    def overlaid(self, other: "Entry") -> "Entry":
        """This entry with the keys of another in place of its own."""
        own = {key: place for key, place in self.places.items() if key.split("/")[0] not in other.values}
        return Entry(self.id, {**self.values, **other.values, "id": self.id}, {**own, **other.places}, other.place)


def read_entries(folder: Path, kind: str) -> list[Entry]:
    """The entries of `KIND.yaml` and of `KIND/*.yaml` in a folder, in file order; none if there is no such file.

    Raises:
        VocabularyError: Not a list of mappings with an id, or an id that stands twice.
    """
    entries: dict[str, Entry] = {}
    for path in _files(folder, kind):
        for item in _parsed(path, list):
            entry = _entry(path, item)
            if entry.id in entries:
                first = entries[entry.id].place
                raise VocabularyError(
                    entry.place, f"Die id „{entry.id}“ steht schon in {first.file.name}, Zeile {first.line}."
                )
            entries[entry.id] = entry
    return list(entries.values())


def read_aliases(folder: Path) -> Entry | None:
    """The mapping of `aliases.yaml` in a folder as one entry; None if there is no such file."""
    path = folder / "aliases.yaml"
    if not path.is_file():
        return None
    (item,) = _parsed(path, dict)
    places = {key: Place(path, line) for key, line in item["lines"].items()}
    return Entry("aliases", item["values"], places, Place(path, 1))


def _files(folder: Path, kind: str) -> Iterator[Path]:
    single = folder / f"{kind}.yaml"
    if single.is_file():
        yield single
    yield from sorted((folder / kind).glob("*.yaml"))


def _entry(path: Path, item: Mapping[str, Any]) -> Entry:
    place = Place(path, item["line"])
    values = item["values"]
    if not isinstance(values, dict):
        raise VocabularyError(place, "Erwartet wird ein Eintrag aus Schlüsseln und Werten („- id: …“).")
    places = {key: Place(path, line) for key, line in item["lines"].items()}
    given = values.get("id")
    if not isinstance(given, str) or not given:
        raise VocabularyError(places.get("id", place), "Der Eintrag braucht eine „id“ als Text.")
    return Entry(given, values, places, place)


# --- YAML with lines -------------------------------------------------------------------------------------------------


def _parsed(path: Path, kind: type[list[Any]] | type[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a file, each with `values`, its `line`, and the `lines` of its keys."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise VocabularyError(Place(path, line), "Die Datei ist nicht in UTF-8 gespeichert.") from error
    except OSError as error:
        raise CheckupError(f"{path} lässt sich nicht lesen: {in_german(error)}.") from error
    return _compose(path, text, kind)


@lru_cache(maxsize=_KEPT_FILES)
def _compose(path: Path, text: str, kind: type[list[Any]] | type[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a text, which nobody may change: a command reads the same files several times."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error)
        # What is never closed is found at the end of the file; the place to mend is where it was opened.
        mark = getattr(error, "context_mark" if "end of stream" in problem else "problem_mark", None)
        raise VocabularyError(
            Place(path, mark.line + 1 if mark else 1), f"Das ist kein gültiges YAML ({problem})."
        ) from error
    reader = _NodeReader(path)
    if root is None:
        return [] if kind is list else [{"line": 1, "values": {}, "lines": {}}]
    if kind is dict:
        item = reader.item(root)
        if not isinstance(item["values"], dict):
            raise VocabularyError(Place(path, 1), "Erwartet werden Schlüssel und Werte („alte_id: [neue_id]“).")
        return [item]
    if not isinstance(root, yaml.SequenceNode):
        raise VocabularyError(Place(path, 1), "Erwartet wird eine Liste von Einträgen („- id: …“).")
    return [reader.item(node) for node in root.value]


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "timestamp": str,
    "value": str,
    "null": lambda _: None,
    "bool": lambda given: given.lower() in {"yes", "true", "on"},
    "int": int,
    "float": float,
}
"""What a plain scalar means, by YAML's tag; a number that Python writes otherwise (`0x1F`, `12:30`) stays text."""


class _NodeReader:
    """Makes values of YAML nodes and notes the lines of mapping keys."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: set[int] = set()

    def item(self, node: Any) -> dict[str, Any]:
        """A node's value, its line, and the lines of the keys in it."""
        lines: dict[str, int] = {}
        return {"line": node.start_mark.line + 1, "values": self._value(node, "", lines), "lines": lines}

    def _value(self, node: Any, prefix: str, lines: dict[str, int]) -> Any:
        if node.id == "scalar":
            return self._scalar(node)
        if id(node) in self._seen:
            self._fail(node, "Anker und Verweise („&“, „*“) sind nicht erlaubt; bitte ausschreiben.")
        self._seen.add(id(node))
        if node.id == "sequence":
            return [self._value(child, prefix, lines) for child in node.value]
        values: dict[str, Any] = {}
        for key_node, child in node.value:
            key = self._scalar(key_node) if key_node.id == "scalar" else None
            if not isinstance(key, str):
                self._fail(key_node, "Schlüssel müssen Text sein; bitte in Anführungszeichen setzen.")
            if key in values:
                self._fail(key_node, f"Der Schlüssel „{key}“ steht zweimal im selben Eintrag.")
            lines[f"{prefix}{key}"] = key_node.start_mark.line + 1
            values[key] = self._value(child, f"{prefix}{key}/", lines)
        return values

    def _scalar(self, node: Any) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in _SCALARS:
            self._fail(node, f"Die Typangabe „{node.tag}“ ist nicht erlaubt.")
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            return node.value

    def _fail(self, node: Any, reason: str) -> NoReturn:
        raise VocabularyError(Place(self.path, node.start_mark.line + 1), reason)
