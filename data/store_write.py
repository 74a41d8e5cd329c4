"""What a run writes to a workspace: projects and their versions, statements, passages, vectors.

Below: `data.store_read`. Above: `data.store.Store`, whose `writing` must be held while any of this is called.
Every batch is one transaction: killed at any moment, the database holds whole batches, and a rerun ends where an
undisturbed run would have ended.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from data.clock import as_utc, utc_now
from data.normalise import sanitise, sanitise_value, sha256_text
from data.purged import keep_purged
from data.records import (
    Document,
    Extraction,
    Passage,
    Project,
    ProjectOrigin,
    Statement,
    TextKind,
    Upserted,
)
from data.settings import Settings
from data.statement_rows import replace_statements
from data.store_read import StoreReader, batches
from data.tables import documents, meta, passages, projects, sources, vectors

EXTRACTION_BATCH = 200
"""Documents whose extraction is saved in one transaction."""


def document_id(project_id: str, url: str | None, title: str | None, text: str) -> str:
    """The id of a document version: the first 32 digits of the SHA-256 of project id, address, title and text."""
    parts = json.dumps([project_id, url, title, text], ensure_ascii=False, separators=(",", ":"))
    return sha256_text(parts)[:32]


@dataclass(slots=True)
class ActiveRun:
    """A run in progress; what it leaves in `summary` (JSON values) is stored when it ends."""

    id: str
    kind: str
    started_at: str
    summary: dict[str, Any] = field(default_factory=dict)


class StoreWriter(StoreReader):
    """The writing half of `Store`; every method raises RuntimeError outside of `Store.writing`."""

    def __init__(self, settings: Settings, engine: Engine, clock: Callable[[], str] = utc_now) -> None:
        super().__init__(settings, engine, clock)
        self._run: ActiveRun | None = None

    @property
    def run_id(self) -> str:
        """Id of the run that holds the workspace for writing."""
        if self._run is None:
            raise RuntimeError("writing needs `with store.writing(kind):`")
        return self._run.id

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One write transaction of the active run."""
        if self._run is None:
            raise RuntimeError("writing needs `with store.writing(kind):`")
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def upsert_projects(
        self,
        records: Iterable[Project],
        *,
        origin: ProjectOrigin,
        source: str,
        kind: TextKind,
        fetched_at: str,
    ) -> Upserted:
        """Adds projects, and updates in place those whose id exists.

        Another title, text or address makes a new immutable document version; an unchanged record only moves
        `last_seen`; statements of editors and reviewers stay. NUL and lone surrogates become U+FFFD. Of an id that
        comes twice the last one counts (and both are counted).

        Args:
            records: Projects, read one batch at a time; each batch is one transaction.
            origin: How they came here.
            source: Name of the source, or of the file.
            kind: Whether the texts are our summaries or the originals. A version that exists keeps its kind.
            fetched_at: When they were read; ISO 8601.

        Raises:
            ValueError: A project without id or text, or a time that is not ISO 8601.
        """
        seen_at = as_utc(fetched_at)
        common = {"origin": origin, "source": sanitise(source), "last_seen": seen_at}
        new = updated = unchanged = 0
        for batch in _batches_of_distinct(records):
            with self._transaction() as connection:
                done = write_batch(connection, batch, common=common, kind=kind)
            fresh, changed, same = done.fresh, done.changed, done.same
            new, updated, unchanged = new + len(fresh), updated + len(changed), unchanged + len(same)
        return Upserted(new=new, updated=updated, unchanged=unchanged)

    def save_extraction(
        self,
        document: Document,
        statements: Iterable[Statement],
        passages: Iterable[Passage],
        extractor_version: str,
        seen_at: str,
    ) -> None:
        """`save_extractions` for one document."""
        one = Extraction(document=document, statements=tuple(statements), passages=tuple(passages))
        self.save_extractions([one], extractor_version=extractor_version, seen_at=seen_at)

    def save_extractions(self, extractions: Iterable[Extraction], *, extractor_version: str, seen_at: str) -> int:
        """Replaces the extractor's statements and the passages of the documents' projects.

        A statement whose property, value and span are the same as before keeps `first_seen`; one that is gone is
        closed; statements of other origins stay.

        Args:
            extractions: Read one batch at a time; each batch is one transaction.
            extractor_version: What `documents_to_extract` will be asked for.
            seen_at: ISO 8601.

        Returns:
            The number of documents.

        Raises:
            ValueError: A passage or quote that is not what stands in the document, or a statement of another
                origin or project.
        """
        moment = as_utc(seen_at)
        count = 0
        for batch in batches(extractions, EXTRACTION_BATCH):
            for extraction in batch:
                _check_extraction(extraction)
            with self._transaction() as connection:
                told = [item for extraction in batch for item in extraction.statements]
                ids = [extraction.document.project_id for extraction in batch]
                replace_statements(
                    connection, told, seen_at=moment, whole=[(project_id, "extractor") for project_id in ids]
                )
                _replace_passages(connection, batch)
                connection.execute(
                    update(projects)
                    .where(projects.c.id == bindparam("key"))
                    .values(extracted_document_id=bindparam("document"), extractor_version=extractor_version),
                    [{"key": one.document.project_id, "document": one.document.id} for one in batch],
                )
            count += len(batch)
        return count

    def add_statements(
        self, statements: Iterable[Statement], *, seen_at: str | None = None, whole: bool = False
    ) -> None:
        """Records what an editor, a reviewer or a source says.

        For each project, property and origin the given statements become the current ones: equal ones (value and
        span) keep `first_seen`, others of the same origin are closed. So a reviewer who adds a field gives all of
        its values; the value None says "there is none" and hides what other origins say.

        Args:
            statements: Of any origin but `extractor`.
            seen_at: ISO 8601; None: now.
            whole: They are everything that origin says about the project: properties left out are closed too.

        Raises:
            ValueError: A statement of origin `extractor`.
        """
        told = list(statements)
        if any(item.origin == "extractor" for item in told):
            raise ValueError("extractor statements are saved with save_extractions")
        groups = list(dict.fromkeys((item.project_id, item.origin) for item in told)) if whole else []
        with self._transaction() as connection:
            replace_statements(connection, told, seen_at=as_utc(seen_at or self._clock()), whole=groups)

    def put_vectors(self, fingerprint: str, by_sha256: Mapping[str, bytes]) -> None:
        """Keeps vectors of an encoder by the hash of their text; those that exist already stay."""
        for keys in batches(by_sha256):
            known = self.get_vectors(fingerprint, keys)
            rows = [
                {"fingerprint": fingerprint, "text_sha256": key, "vector": by_sha256[key]}
                for key in keys
                if key not in known
            ]
            if rows:
                with self._transaction() as connection:
                    connection.execute(insert(vectors), rows)

    def set_meta(self, key: str, value: str) -> None:
        """Keeps a value for the workspace as a whole."""
        with self._transaction() as connection:
            put_meta(connection, key, value)


def put_meta(connection: Connection, key: str, value: str) -> None:
    """`Store.set_meta` inside of a transaction."""
    connection.execute(delete(meta).where(meta.c.key == key))
    connection.execute(insert(meta).values(key=key, value=value))


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """The rows of a batch of projects: new ones, those that differ from what was known, and those that do not."""

    fresh: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    same: list[dict[str, Any]]
    known: dict[str, Mapping[str, Any]]
    """The rows as they were before, by id."""


def write_batch(
    connection: Connection, batch: list[Project], *, common: dict[str, Any], kind: TextKind
) -> WrittenBatch:
    """Writes a batch of projects of distinct ids inside of a transaction (see `StoreWriter.upsert_projects`).

    Args:
        connection: In a write transaction.
        batch: At most `BATCH` projects.
        common: origin, source and last_seen of all of them.
        kind: Of new document versions.
    """
    _touch_source(connection, common["source"], common["last_seen"])
    rows = [_project_row(project) | common for project in batch]
    texts = [sanitise(project.text) for project in batch]
    known = _known_projects(connection, [row["id"] for row in rows])
    keep_purged(rows, known)
    done = WrittenBatch(
        fresh=[row | {"first_seen": common["last_seen"]} for row in rows if row["id"] not in known],
        changed=[row for row in rows if row["id"] in known and not _same(row, known[row["id"]])],
        same=[row for row in rows if row["id"] in known and _same(row, known[row["id"]])],
        known=known,
    )
    _write_projects(connection, done.fresh, done.changed, done.same)
    _add_documents(connection, rows, texts, kind)
    return done


def _batches_of_distinct(records: Iterable[Project]) -> Iterator[list[Project]]:
    """Batches in which no id stands twice, so that the last record of an id wins."""
    for batch in batches(records):
        ids = {project.id for project in batch}
        if len(ids) == len(batch):
            yield batch
        else:
            for project in batch:
                yield [project]


def _project_row(project: Project) -> dict[str, Any]:
    if not project.id.strip() or not project.text.strip():
        raise ValueError(f"project {project.id!r} needs an id and a text")
    row: dict[str, Any] = {
        name: sanitise_value(getattr(project, name))
        for name in ("id", "title", "organisation", "municipality", "state", "start_year", "end_year", "url")
    }
    row["extra"] = json.dumps(sanitise_value(dict(project.extra)), ensure_ascii=False)
    row["keys"] = json.dumps(sanitise_value(project.keys), ensure_ascii=False)
    row["document_id"] = document_id(row["id"], row["url"], row["title"], sanitise(project.text))
    return row


_UNCOMPARED = {"last_seen", "source"}
"""A record that comes again, from another file too, is unchanged."""


def _same(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    return all(known[name] == value for name, value in row.items() if name not in _UNCOMPARED)


def _known_projects(connection: Connection, ids: list[str]) -> dict[str, Mapping[str, Any]]:
    rows = connection.execute(select(projects).where(projects.c.id.in_(ids))).mappings()
    return {row["id"]: dict(row) for row in rows}


def _touch_source(connection: Connection, name: str, seen_at: str) -> None:
    found = connection.execute(update(sources).where(sources.c.name == name).values(last_seen=seen_at))
    if not found.rowcount:
        connection.execute(insert(sources).values(name=name, first_seen=seen_at, last_seen=seen_at))


def _write_projects(
    connection: Connection, fresh: list[dict[str, Any]], changed: list[dict[str, Any]], same: list[dict[str, Any]]
) -> None:
    if fresh:
        connection.execute(insert(projects), fresh)
    for row in changed:
        connection.execute(update(projects).where(projects.c.id == row["id"]).values(**row))
    if same:
        connection.execute(
            update(projects)
            .where(projects.c.id == bindparam("key"))
            .values(last_seen=bindparam("seen"), source=bindparam("given_by")),
            [{"key": row["id"], "seen": row["last_seen"], "given_by": row["source"]} for row in same],
        )


def _add_documents(connection: Connection, rows: list[dict[str, Any]], texts: list[str], kind: TextKind) -> None:
    """Adds the document versions that do not exist yet."""
    wanted = {
        row["document_id"]: {
            "id": row["document_id"],
            "project_id": row["id"],
            "url": row["url"],
            "source": row["source"],
            "title": row["title"],
            "text": text,
            "kind": kind,
            "sha256": sha256_text(text),
            "fetched_at": row["last_seen"],
        }
        for row, text in zip(rows, texts, strict=True)
    }
    known = set(connection.execute(select(documents.c.id).where(documents.c.id.in_(wanted))).scalars())
    missing = [row for key, row in wanted.items() if key not in known]
    if missing:
        connection.execute(insert(documents), missing)


def _check_extraction(extraction: Extraction) -> None:
    document = extraction.document
    for passage in extraction.passages:
        if document.text[passage.start : passage.end] != passage.text or passage.document_id != document.id:
            raise ValueError(f"passage {passage.start}-{passage.end} is not what stands in document {document.id}")
    for item in extraction.statements:
        if item.origin != "extractor" or item.project_id != document.project_id or item.document_id != document.id:
            raise ValueError(f"statement {item.property} does not belong to the extraction of {document.id}")
        if item.quote is not None and item.start is not None:
            given = document.text if item.where == "text" else document.title or ""
            if given[item.start : item.end] != item.quote:
                raise ValueError(f"quote of {item.property} at {item.start} is not what stands in {document.id}")


def _replace_passages(connection: Connection, batch: list[Extraction]) -> None:
    ids = [extraction.document.project_id for extraction in batch]
    connection.execute(delete(passages).where(passages.c.project_id.in_(ids)))
    rows = [
        {
            "project_id": extraction.document.project_id,
            "position": position,
            "document_id": extraction.document.id,
            "span_start": passage.start,
            "span_end": passage.end,
        }
        for extraction in batch
        for position, passage in enumerate(extraction.passages)
    ]
    if rows:
        connection.execute(insert(passages), rows)
