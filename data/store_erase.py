"""Erasure in the database: what must never come back (hashes only), the door that keeps it out, and the deleting.

Below: `data.person_names`, `data.store_mask`, `data.store_sweep`. Above: `pipeline.erase`, `pipeline.refresh` and
`pipeline.staging` (the door), `pipeline.restore` (enforces in a restored database what is known).
Kinds: `project` (id), `page` (address), `source` (name), `person` (one row for each written variant of the name).
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from data.clock import utc_now
from data.normalise import sanitise, sha256_text
from data.person_names import Names, digest, variants
from data.records import Project
from data.shipped import Shipped
from data.store_mask import mask_mentions, mask_stored
from data.store_read import StoreReader, batches
from data.store_sweep import overwrite_deleted
from data.store_write import StoreWriter
from data.tables import (
    documents,
    erasures,
    events,
    judgements,
    meta,
    passages,
    projects,
    reviews,
    situations,
    sources,
    staged,
    statements,
)

Kind = Literal["project", "page", "source", "person"]
TEXTS = (
    (projects, ("id", "title", "organisation", "url")),
    (documents, ("title", "text", "url")),
    (statements, ("quote", "original_value")),
)
STAYING = (
    *TEXTS,
    (projects, ("municipality", "state", "extra", "keys")),
    (statements, ("value",)),
    (staged, ("record",)),
)
"""Where else a project's words stand; too common to search for, but not to be taken for something erased."""
ATTEMPT, RULES = "refresh:", "retention:"
"""Prefixes of the keys of `meta` under which it stands where a source's crawl stood, and what holds for its texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A row of `erasures` without its number."""

    kind: str
    key_sha256: str
    words: int
    reason: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What enforcing the erasures removed from the database."""

    projects: int = 0
    versions: int = 0
    staged: int = 0
    masked: int = 0
    """Stored values in which a name was masked."""


def page_key(url: str) -> str:
    """The form in which addresses are compared: without scheme, final slash and letter case of the host.

    What is no address (`https://[Link folgt]`) is compared as it stands.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    path = parts.path.rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.netloc.lower()}{path}{query}{fragment}"


class Door:
    """Tells what was erased and lets the rest in; made once a run, from the rows of `erasures`."""

    def __init__(self, rows: Iterable[Tombstone]) -> None:
        self._keys: dict[str, set[str]] = {"project": set(), "page": set(), "source": set()}
        people: dict[int, set[str]] = {}
        for row in rows:
            if row.kind == "person":
                people.setdefault(row.words, set()).add(row.key_sha256)
            else:
                self._keys.setdefault(row.kind, set()).add(row.key_sha256)
        self.names = Names(people)

    def __bool__(self) -> bool:
        return bool(self.names) or any(self._keys.values())

    def is_erased(self, *, project_id: str | None = None, url: str | None = None, source: str | None = None) -> bool:
        """Whether a project, a page or a source was erased."""
        return (
            (project_id is not None and self._has("project", project_id))
            or (source is not None and self._has("source", source))
            or (bool(url) and self._has_page(str(url)))
        )

    def leaves_no_trace(self, url: str) -> bool:
        """Whether an address must stand nowhere: its page was erased, or an erased person's name stands in it."""
        return self.is_erased(url=url) or self.names.mask(url) != url

    def apply(self, project: Project, source: str | None = None) -> Project | None:
        """The project with the erased people's names masked; None if it must not come back.

        Args:
            project: As it comes from outside.
            source: Name of the source, or of the file.
        """
        if self.is_erased(project_id=project.id, url=project.url, source=source):
            return None
        if not self.names:
            return project
        return replace(
            project,
            title=self.names.mask_value(project.title),
            text=self.names.mask(project.text),
            organisation=self.names.mask_value(project.organisation),
            municipality=self.names.mask_value(project.municipality),
            url=self.names.mask_value(project.url),
            extra=self.names.mask_value(dict(project.extra)),
        )

    def apply_shipped(self, entry: Shipped) -> Shipped | None:
        """`apply` for a shipped project with its statements."""
        project = self.apply(entry.project)
        if project is None or not self.names:
            return None if project is None else entry
        mask = self.names.mask_value
        told = tuple(replace(one, value=mask(one.value), quote=mask(one.quote)) for one in entry.statements)
        return Shipped(project, told)

    def _has(self, kind: str, key: str) -> bool:
        return bool(self._keys[kind]) and sha256_text(key) in self._keys[kind]

    def _has_page(self, url: str) -> bool:
        if not self._keys["page"]:
            return False
        key = page_key(url)
        return self._has("page", key) or self._has("page", key.split("#", 1)[0])


def door_of(store: StoreReader) -> Door:
    """The door of a workspace."""
    return Door(tombstones(store))


def let_in(store: StoreReader, given: Iterable[Project], source: str, counts: dict[str, int]) -> Iterator[Project]:
    """The projects that may be stored; the others are counted as `erased`."""
    door = door_of(store)
    for project in given:
        admitted = door.apply(project, source)
        if admitted is None:
            counts["erased"] = counts.get("erased", 0) + 1
        else:
            yield admitted


def let_in_shipped(store: StoreReader, entries: Iterable[Shipped], counts: dict[str, int]) -> list[Shipped]:
    """The shipped projects that may be stored; the others are counted as `erased`."""
    door = door_of(store)
    admitted = [door.apply_shipped(entry) for entry in entries]
    if missing := admitted.count(None):
        counts["erased"] = counts.get("erased", 0) + missing
    return [entry for entry in admitted if entry is not None]


def tombstones(store: StoreReader) -> list[Tombstone]:
    """Everything that was ever erased, oldest first."""
    names = ("kind", "key_sha256", "words", "reason", "created_at")
    query = select(*(erasures.c[name] for name in names)).order_by(erasures.c.id)
    with store._engine.connect() as connection:
        return [Tombstone(**row._mapping) for row in connection.execute(query)]


def made_for(kind: Kind, key: str, reason: str) -> list[Tombstone]:
    """The rows that keep something from coming back; none for a person whose name is not two words at least."""
    common = {"kind": kind, "reason": sanitise(reason), "created_at": utc_now()}
    if kind == "person":
        return [Tombstone(key_sha256=digest(form), words=len(form), **common) for form in variants(key)]
    return [Tombstone(key_sha256=sha256_text(page_key(key) if kind == "page" else key), words=0, **common)]


def add_tombstones(store: StoreWriter, rows: Iterable[Tombstone]) -> None:
    """Adds rows; those that are known already stay as they are."""
    known = {(row.kind, row.key_sha256) for row in tombstones(store)}
    fresh = [asdict(row) for row in rows if (row.kind, row.key_sha256) not in known]
    if fresh:
        with store._transaction() as connection:
            connection.execute(insert(erasures), fresh)


def enforce(store: StoreWriter) -> Gone:
    """Removes from the database whatever its erasures name, in one transaction; nothing where all is done already."""
    door = door_of(store)
    if not door:
        return Gone()
    with store._transaction() as connection:
        overwrite_deleted(connection)
        gone = [
            row.id for row in _rows(connection) if door.is_erased(project_id=row.id, url=row.url, source=row.source)
        ]
        versions = _old_versions(connection, door, set(gone))
        waiting = _erased_staged(connection, door)
        for batch in batches(gone):
            _delete_projects(connection, batch)
        _delete_versions(connection, versions)
        for source, project_id in waiting:
            connection.execute(delete(staged).where(staged.c.source == source, staged.c.project_id == project_id))
        _forget_sources(connection, door)
        masked = mask_stored(connection, door.names)
    return Gone(projects=len(gone), versions=len(versions), staged=len(waiting), masked=masked)


def ids_of(store: StoreReader, kind: Kind, key: str) -> list[str]:
    """The projects that an erasure takes away, in the order of ids; a project takes along what was merged with it."""
    with store._engine.connect() as connection:
        if kind == "project":
            row = connection.execute(select(projects.c.merged_into).where(projects.c.id == key)).first()
            head = key if row is None else row.merged_into or key
            query = select(projects.c.id).where(or_(projects.c.id == head, projects.c.merged_into == head))
            return sorted({*connection.execute(query).scalars(), *_staged_ids(connection, key)})
        door = Door(made_for(kind, key, ""))
        return [row.id for row in _rows(connection) if door.is_erased(url=row.url, source=row.source)]


def texts_of(store: StoreReader, ids: Iterable[str]) -> Iterator[str]:
    """Everything that is stored as text about these projects, staged rows and old versions included."""
    with store._engine.connect() as connection:
        for batch in batches(ids):
            for table, names in TEXTS:
                key = table.c.id if table is projects else table.c.project_id
                for row in connection.execute(select(*(table.c[name] for name in names)).where(key.in_(batch))):
                    yield from (str(value) for value in row if value)
            for text in connection.execute(select(staged.c.record).where(staged.c.project_id.in_(batch))).scalars():
                yield from (str(value) for value in json.loads(text).values() if isinstance(value, str))


def surviving_texts(store: StoreReader) -> Iterator[tuple[str, str]]:
    """Everything that is stored as text and that `enforce` leaves, with the project, situation or source it is of."""
    door = door_of(store)
    with store._engine.connect() as connection:
        gone = {
            row.id for row in _rows(connection) if door.is_erased(project_id=row.id, url=row.url, source=row.source)
        }
        versions = set(_old_versions(connection, door, gone))
        waiting = set(_erased_staged(connection, door))
        for table, names in STAYING:
            key = table.c.id if table is projects else table.c.project_id
            other = documents.c.id if table is documents else staged.c.source if table is staged else key
            for row in connection.execute(select(key, other.label("other"), *(table.c[name] for name in names))):
                if not (row[0] in gone or row[1] in versions or (row[1], row[0]) in waiting):
                    yield from ((row[0], str(value)) for value in row[2:] if value)
        for row in connection.execute(select(situations.c.name, situations.c.text)):
            yield from ((f"Lage „{row.name}“", value) for value in row)
        for name in _source_names(connection):
            if not door.is_erased(source=name):
                yield f"Quelle „{name}“", name


def urls_of(store: StoreReader, ids: Iterable[str]) -> list[tuple[str, str | None, str]]:
    """Id, address and origin of these projects."""
    wanted = set(ids)
    query = select(projects.c.id, projects.c.url, projects.c.origin).order_by(projects.c.id)
    with store._engine.connect() as connection:
        return [(row.id, row.url, row.origin) for row in connection.execute(query) if row.id in wanted]


def sources_of(store: StoreReader, ids: Iterable[str]) -> dict[str, int]:
    """How many of these projects came from each crawled source."""
    found: dict[str, int] = {}
    with store._engine.connect() as connection:
        for batch in batches(ids):
            query = select(projects.c.source).where(projects.c.id.in_(batch), projects.c.origin == "crawl")
            for name in connection.execute(query).scalars():
                found[name] = found.get(name, 0) + 1
    return found


def mask_mentions_of(store: StoreWriter, mask: Callable[[str], str]) -> int:
    """Masks what else in the database mentions something erased (see `mask_mentions`); returns how many values."""
    with store._transaction() as connection:
        overwrite_deleted(connection)
        return mask_mentions(connection, mask)


def erased_ids(store: StoreReader) -> list[str]:
    """Stored projects that `enforce` will take away, in the order of ids."""
    door = door_of(store)
    with store._engine.connect() as connection:
        return [
            row.id for row in _rows(connection) if door.is_erased(project_id=row.id, url=row.url, source=row.source)
        ]


def source_known(store: StoreReader, name: str) -> bool:
    """Whether anything in the workspace came from a source of this name."""
    with store._engine.connect() as connection:
        return name in _source_names(connection)


def _rows(connection: Connection) -> list[Any]:
    return list(connection.execute(select(projects.c.id, projects.c.url, projects.c.source).order_by(projects.c.id)))


def _staged_ids(connection: Connection, project_id: str) -> list[str]:
    return list(connection.execute(select(staged.c.project_id).where(staged.c.project_id == project_id)).scalars())


def _old_versions(connection: Connection, door: Door, gone: set[str]) -> list[str]:
    """Versions of surviving projects that were read from an erased page or source and are not the current ones."""
    query = select(documents.c.id, documents.c.project_id, documents.c.url, documents.c.source).where(
        documents.c.id.not_in(select(projects.c.document_id))
    )
    return [
        row.id
        for row in connection.execute(query)
        if row.project_id not in gone and door.is_erased(url=row.url, source=row.source)
    ]


def _erased_staged(connection: Connection, door: Door) -> list[tuple[str, str]]:
    return [
        (row.source, row.project_id)
        for row in connection.execute(select(staged.c.source, staged.c.project_id, staged.c.record))
        if door.is_erased(project_id=row.project_id, url=json.loads(row.record).get("url"), source=row.source)
    ]


def _delete_projects(connection: Connection, ids: list[str]) -> None:
    for table in (judgements, reviews):
        connection.execute(delete(table).where(or_(table.c.project_id.in_(ids), table.c.other_id.in_(ids))))
    connection.execute(update(projects).where(projects.c.merged_into.in_(ids)).values(merged_into=None))
    for table in (events, staged, passages, statements, documents):
        connection.execute(delete(table).where(table.c.project_id.in_(ids)))
    connection.execute(delete(projects).where(projects.c.id.in_(ids)))


def _delete_versions(connection: Connection, ids: list[str]) -> None:
    for batch in batches(ids):
        for table in (passages, statements):
            connection.execute(delete(table).where(table.c.document_id.in_(batch)))
        connection.execute(delete(documents).where(documents.c.id.in_(batch)))


def _forget_sources(connection: Connection, door: Door) -> None:
    """An erased source's row, its events and where its crawl stood."""
    for name in _source_names(connection):
        if not door.is_erased(source=name):
            continue
        connection.execute(delete(events).where(events.c.source == name))
        connection.execute(delete(meta).where(meta.c.key.in_([ATTEMPT + name, RULES + name])))
        used = connection.execute(
            select(func.count()).select_from(documents).where(documents.c.source == name)
        ).scalar_one()
        if not used:
            connection.execute(delete(sources).where(sources.c.name == name))


def _source_names(connection: Connection) -> list[str]:
    """Every source that anything is kept of, in alphabetical order; also one whose only crawl is held."""
    found = {
        name
        for column in (sources.c.name, staged.c.source, events.c.source)
        for name in connection.execute(select(column).distinct()).scalars()
        if name
    }
    for key in connection.execute(select(meta.c.key)).scalars():
        found |= {key.removeprefix(prefix) for prefix in (ATTEMPT, RULES) if key.startswith(prefix)}
    return sorted(found)
