"""The vocabulary everybody speaks: action fields, modules, target groups, needs, approaches, and old ids.

Below: `data.vocabulary_files` (reads), `data.vocabulary_schema` (checks). Above: every layer.
The shipped files lie in `data/vocabulary/`; files of the same names in `WORKSPACE/vocabulary` overlay them by id: the
keys they give replace the shipped ones (so a title can be renamed), new ids are added at the end. `needs` and
`approaches` may be one file or a folder of files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import CheckupError
from data.vocabulary_files import Entry, VocabularyError, read_aliases, read_entries
from data.vocabulary_schema import (
    COMPETENT,
    DUTIES,
    LEGAL_STATUSES,
    Check,
    Key,
    check_arrows,
    check_entry,
    check_twins,
    choice,
    choices,
    fail,
    one_id,
    some_texts,
    text,
    texts,
)

__all__ = [
    "ActionField", "Approach", "Arrow", "Condition", "Module", "Need", "TargetGroup", "Vocabulary", "VocabularyError",
    "load_vocabulary",
]  # fmt: skip

SHIPPED = Path(__file__).parent / "vocabulary"
DEFAULT_MODULES = "modules"
SPLIT_FIELD = "zusammenleben"
"""The field whose needs and approaches name their module themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionField:
    """A topic."""

    id: str
    title: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """A group of people that a project is for."""

    id: str
    title: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A part of the Check Up, and the action fields that belong to it as a whole."""

    id: str
    title: str
    what: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Where an arrow holds: one of each non-empty list must be true; an empty list asks for nothing."""

    setting: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """How well an approach answers a need: 3 directly, 2 clearly useful, 1 loosely; None: without condition."""

    approach: str
    grade: int
    condition: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A problem that municipalities have."""

    id: str
    field: str
    module: str
    title: str
    what: str
    reword: str
    """The need in the words of solutions."""
    groups: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    """Highest grade first, then in file order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """A kind of project that answers needs."""

    id: str
    fields: tuple[str, ...]
    """The main one first."""
    module: str
    title: str
    what: str
    wordings: tuple[str, ...]
    """How projects describe it."""
    groups: tuple[str, ...] = ()
    preconditions: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    success_factors: tuple[str, ...] = ()
    competent: tuple[str, ...] = ()
    duty: str | None = None
    legal_status: tuple[str, ...] = ()
    """Which status of residence it needs; empty: open to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Everything, each by id and in file order."""

    fields: Mapping[str, ActionField]
    modules: Mapping[str, Module]
    groups: Mapping[str, TargetGroup]
    needs: Mapping[str, Need]
    approaches: Mapping[str, Approach]
    aliases: Mapping[str, tuple[str, ...]]
    """Old ids and what took their place, chains followed to the end; an id that was split and kept its name comes first
    in its own list."""

    def resolve_need(self, need_id: str) -> tuple[str, ...]:
        """The present ids of a need read in older material: itself and what was split off, or what took its place.

        Empty if it is unknown. Present material names ids as they are (`needs[id]`).
        """
        return self._resolve(need_id, self.needs)

    def resolve_approach(self, approach_id: str) -> tuple[str, ...]:
        """The present ids of an approach read in older material, as `resolve_need`."""
        return self._resolve(approach_id, self.approaches)

    def _resolve(self, given: str, known: Mapping[str, object]) -> tuple[str, ...]:
        return tuple(new for new in self.aliases.get(given, (given,)) if new in known)

    def module_of_field(self, field_id: str) -> str:
        """The module that takes in a field as a whole.

        Raises:
            KeyError: An unknown field.
        """
        return next((one.id for one in self.modules.values() if field_id in one.fields), None) or _unknown(field_id)

    def module_of_need(self, need_id: str) -> str:
        """The module of a need.

        Raises:
            KeyError: An unknown need.
        """
        return self.needs[need_id].module

    def module_of_approach(self, approach_id: str) -> str:
        """The module of an approach.

        Raises:
            KeyError: An unknown approach.
        """
        return self.approaches[approach_id].module

    def modules_of_project(self, approaches: Iterable[str], fields: Iterable[str]) -> tuple[str, ...]:
        """The modules of a project: of its approaches, or of its fields where no approach is known.

        Args:
            approaches: Ids, old ones too, the main one first; unknown ones are passed over.
            fields: Ids, the main one first; unknown ones are passed over.

        Returns:
            Each module once, in the order of approaches or fields.
        """
        present = [new for given in approaches for new in self.resolve_approach(given)]
        if present:
            return tuple(dict.fromkeys(self.approaches[one].module for one in present))
        return tuple(dict.fromkeys(self.module_of_field(one) for one in fields if one in self.fields))


def _unknown(given: str) -> str:
    raise KeyError(given)


def load_vocabulary(
    workspace: Path | None = None, *, module_set: str = DEFAULT_MODULES, shipped: Path = SHIPPED
) -> Vocabulary:
    """Loads and checks the vocabulary.

    Args:
        workspace: Its folder `vocabulary` overlays the shipped files.
        module_set: Name of the file of modules, without ending (`Settings.module_set`).
        shipped: The folder of the shipped files.

    Raises:
        VocabularyError: A file is wrong; the message names file and line.
        CheckupError: There is no such set of modules.
    """
    return _Loader(shipped, None if workspace is None else workspace / "vocabulary", module_set).load()


class _Loader:
    """One pass over the files: each step needs the ids of the one before."""

    def __init__(self, shipped: Path, own: Path | None, module_set: str) -> None:
        self.shipped = shipped
        self.own = own
        self.module_set = module_set
        self.aliases: dict[str, tuple[str, ...]] = {}

    def load(self) -> Vocabulary:
        alias_entries = [entry for entry in (self._alias_entry(self.shipped), self._alias_entry(self.own)) if entry]
        given = {old: new for entry in alias_entries for old, new in entry.values.items()}
        self.aliases = {old: tuple(new) for old, new in given.items()}
        plain = {"id": Key(one_id, True), "title": Key(text, True), "what": Key(text, True)}
        fields = {entry.id: ActionField(**entry.values) for entry in self._entries("action_fields", plain)}
        groups = {entry.id: TargetGroup(**entry.values) for entry in self._entries("target_groups", plain)}
        modules, nameable = self._modules(list(fields))
        common = {
            "id": Key(one_id, True), "module": Key(choice(nameable)), "title": Key(text, True), "what": Key(text, True),
            "groups": Key(choices(groups)),
        }  # fmt: skip
        module_of = _ModuleOf(modules)
        approach_entries = self._entries("approaches", common | _approach_keys(list(fields)))
        need_entries = self._entries(
            "needs",
            common | {"field": Key(choice(fields), True), "reword": Key(text, True), "arrows": Key(_anything, True)},
        )
        approaches = {entry.id: _approach(entry, module_of) for entry in approach_entries}
        self._settle_aliases(alias_entries, {entry.id for entry in need_entries}, set(approaches))
        needs = {entry.id: self._need(entry, module_of, approaches, list(groups)) for entry in need_entries}
        return Vocabulary(
            fields=fields, modules=modules, groups=groups, needs=needs, approaches=approaches, aliases=self.aliases
        )

    def _entries(self, kind: str, keys: Mapping[str, Key]) -> list[Entry]:
        """The entries of a kind, the workspace's laid over the shipped ones, checked."""
        merged = {entry.id: entry for entry in read_entries(self.shipped, kind)}
        for entry in read_entries(self.own, kind) if self.own else []:
            # An entry for an old id goes on with what took its place, where that is one.
            renamed = self.aliases.get(entry.id, ())
            target = renamed[0] if len(renamed) == 1 and renamed[0] in merged else entry.id
            merged[target] = merged[target].overlaid(entry) if target in merged else entry
        for entry in merged.values():
            check_entry(entry, keys)
        check_twins(merged.values())
        return list(merged.values())

    def _modules(self, fields: list[str]) -> tuple[dict[str, Module], list[str]]:
        """The modules of the chosen set, and the ids that needs and approaches may name."""
        keys = {
            "id": Key(one_id, True), "title": Key(text, True), "what": Key(text),
            "fields": Key(choices(fields), True),
        }  # fmt: skip
        chosen = self._entries(self.module_set, keys)
        if not chosen:
            raise CheckupError(
                f"Die Modulgruppe „{self.module_set}“ gibt es nicht. Mitgeliefert sind „modules“ und "
                "„modules_by_field“; eine eigene liegt als NAME.yaml im Ordner „vocabulary“ des Arbeitsbereichs."
            )
        owner: dict[str, Entry] = {}
        for entry in chosen:
            for field in entry.values["fields"]:
                if field in owner:
                    reason = f"Das Handlungsfeld „{field}“ gehört schon zu „{owner[field].id}“."
                    raise fail(entry.at("fields"), entry, reason)
                owner[field] = entry
        for field in fields:
            if field not in owner:
                raise fail(chosen[0].place, chosen[0], f"In keinem Modul der Datei steht das Handlungsfeld „{field}“.")
        default = chosen if self.module_set == DEFAULT_MODULES else self._entries(DEFAULT_MODULES, keys)
        modules = {
            entry.id: Module(
                id=entry.id,
                title=entry.values["title"],
                what=entry.values.get("what", ""),
                fields=tuple(entry.values["fields"]),
            )
            for entry in chosen
        }
        return modules, list(dict.fromkeys([*modules, *(entry.id for entry in default)]))

    def _alias_entry(self, folder: Path | None) -> Entry | None:
        entry = read_aliases(folder) if folder else None
        for old, new in entry.values.items() if entry else ():
            reason = one_id(old) or some_texts(new)
            if reason and entry:
                raise VocabularyError(entry.at(old), f"„{old}“: {reason}.")
        return entry

    def _settle_aliases(self, entries: list[Entry], needs: set[str], approaches: set[str]) -> None:
        """Checks the aliases and follows their chains to the end."""
        settled: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            for old in entry.values:
                if old in needs | approaches and self.aliases[old][:1] != (old,):
                    raise VocabularyError(
                        entry.at(old), f"„{old}“ gibt es noch; wurde es geteilt, steht es selbst am Anfang der Liste."
                    )
                ends = self._follow(entry, old, needs | approaches)
                if not (needs.issuperset(ends) or approaches.issuperset(ends)):
                    raise VocabularyError(entry.at(old), f"„{old}“ verweist auf Bedarfe und Ansätze zugleich.")
                settled[old] = ends
        self.aliases = settled

    def _follow(self, entry: Entry, old: str, known: set[str], trail: tuple[str, ...] = ()) -> tuple[str, ...]:
        if old in trail:
            raise VocabularyError(entry.at(trail[0]), f"Der Verweis läuft im Kreis: {' → '.join((*trail, old))}.")
        ends: list[str] = []
        for new in self.aliases[old]:
            if new in known:
                ends.append(new)
            elif new in self.aliases:
                ends.extend(self._follow(entry, new, known, (*trail, old)))
            else:
                raise VocabularyError(entry.at((*trail, old)[0]), f"„{old}“ verweist auf „{new}“, das es nicht gibt.")
        return tuple(dict.fromkeys(ends))

    def _need(
        self, entry: Entry, module_of: "_ModuleOf", approaches: Mapping[str, Approach], groups: list[str]
    ) -> Need:
        check_arrows(entry, lambda given: given in approaches or self._is_old_approach(given, approaches), groups)
        best: dict[str, Arrow] = {}
        for given, arrow in entry.values["arrows"].items():
            grade, condition = (arrow["grade"], arrow.get("if")) if isinstance(arrow, dict) else (arrow, None)
            held = None if condition is None else Condition(**{name: tuple(ids) for name, ids in condition.items()})
            for approach in (given,) if given in approaches else self.aliases[given]:
                if approach not in best or best[approach].grade < grade:
                    best[approach] = Arrow(approach=approach, grade=grade, condition=held)
        values = entry.values
        return Need(
            id=entry.id,
            field=values["field"],
            module=module_of(entry, values["field"]),
            title=values["title"],
            what=values["what"],
            reword=values["reword"],
            groups=tuple(values.get("groups", ())),
            arrows=tuple(sorted(best.values(), key=lambda arrow: -arrow.grade)),
        )

    def _is_old_approach(self, given: str, approaches: Mapping[str, Approach]) -> bool:
        return given in self.aliases and all(new in approaches for new in self.aliases[given])


class _ModuleOf:
    """The module of a need or approach: the one it names, or the one that takes in its field.

    A module that the chosen set does not have counts as not named.
    """

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self.by_field = {field: module.id for module in modules.values() for field in module.fields}

    def __call__(self, entry: Entry, field: str) -> str:
        named: str | None = entry.values.get("module")
        if named is None and field == SPLIT_FIELD:
            raise fail(entry.place, entry, f"Im Handlungsfeld „{SPLIT_FIELD}“ muss „module“ angegeben sein.")
        return named if named is not None and named in self.modules else self.by_field[field]


def _approach_keys(fields: list[str]) -> dict[str, Key]:
    lists: dict[str, Check] = {
        "preconditions": texts,
        "obstacles": texts,
        "success_factors": texts,
        "competent": choices(COMPETENT),
        "legal_status": choices(LEGAL_STATUSES),
        "duty": choice(DUTIES),
    }
    required = {"fields": Key(choices(fields, least=1), True), "wordings": Key(some_texts, True)}
    return required | {name: Key(check) for name, check in lists.items()}


def _approach(entry: Entry, module_of: _ModuleOf) -> Approach:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.values.items()
    }
    return Approach(**values | {"module": module_of(entry, values["fields"][0])})


def _anything(_: Any) -> None:
    """Checked later, when the approaches are known."""
