"""What can be read from a workspace, by any number of processes while one writes.

Below: `data.database`, `data.tables`. Above: `data.store_write` adds writing, `data.store.Store` the life cycle.
Every method is one read transaction: it sees the database as it was at one moment.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Connection, Engine, Row, Select, and_, func, or_, select

from data.clock import utc_now
from data.records import (
    MULTI_VALUED,
    ORIGIN_PRIORITY,
    Card,
    Document,
    Origin,
    Passage,
    Project,
    Run,
    Statement,
)
from data.settings import Settings
from data.tables import documents, meta, passages, projects, runs, statements, vectors

BATCH = 500
"""Records a query names or a transaction writes at once (below SQLite's limit of variables)."""

_PROJECT_COLUMNS = (*projects.c, documents.c.text, documents.c.kind)
_current = projects.join(documents, projects.c.document_id == documents.c.id)


class StoreReader:
    """The reading half of `Store`."""

    def __init__(self, settings: Settings, engine: Engine, clock: Callable[[], str] = utc_now) -> None:
        self.settings = settings
        self._engine = engine
        self._clock = clock

    def count(self) -> int:
        """How many projects there are; those merged into another one are not counted."""
        query = select(func.count()).select_from(projects).where(projects.c.merged_into.is_(None))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def get_project(self, project_id: str) -> Project | None:
        """A project with its current text; None if there is none of that id."""
        query = select(*_PROJECT_COLUMNS).select_from(_current).where(projects.c.id == project_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _project(row)

    def iter_projects(self) -> Iterator[Project]:
        """Every project with its current text, in the order of ids."""
        query = select(*_PROJECT_COLUMNS).select_from(_current).order_by(projects.c.id)
        with self._engine.connect() as connection:
            for row in _stream(connection, query):
                yield _project(row)

    def documents(self, project_id: str) -> tuple[Document, ...]:
        """Every version of a project's text, oldest first."""
        query = select(documents).where(documents.c.project_id == project_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(documents.c.fetched_at, documents.c.id)).all()
        return tuple(_document(row) for row in rows)

    def crawled(self) -> Iterator[tuple[Project, Document]]:
        """Every project that a crawl brought, with its current document, in the order of ids."""
        wanted = select(projects.c.id).where(projects.c.origin == "crawl").order_by(projects.c.id)
        with self._engine.connect() as connection:
            ids = list(connection.execute(wanted).scalars())
        for some in batches(ids):
            query = select(documents).select_from(_current).where(projects.c.id.in_(some)).order_by(projects.c.id)
            columns = select(*_PROJECT_COLUMNS).select_from(_current).where(projects.c.id.in_(some))
            with self._engine.connect() as connection:
                found = connection.execute(columns.order_by(projects.c.id)).all(), connection.execute(query).all()
            yield from zip(map(_project, found[0]), map(_document, found[1]), strict=True)

    def statements(
        self,
        project_id: str,
        *,
        property: str | None = None,  # noqa: A002 - the field's own name
        origin: Origin | None = None,
        closed: bool = False,
    ) -> tuple[Statement, ...]:
        """The statements about a project, by property, then origin, then order as given.

        Args:
            project_id: The project's id.
            property: Only this property.
            origin: Only of this origin.
            closed: Also those that no longer belong to the current view.
        """
        query = select(statements).where(statements.c.project_id == project_id)
        if property is not None:
            query = query.where(statements.c.property == property)
        if origin is not None:
            query = query.where(statements.c.origin == origin)
        if not closed:
            query = query.where(statements.c.closed_at.is_(None))
        columns = statements.c
        with self._engine.connect() as connection:
            rows = connection.execute(
                query.order_by(columns.property, columns.origin, columns.position, columns.id)
            ).all()
        return tuple(_statement(row) for row in rows)

    def passages(self, project_id: str) -> tuple[Passage, ...]:
        """The passages of a project's current text, in text order as saved."""
        query = (
            select(passages, documents.c.text)
            .select_from(passages.join(projects, _passage_is_current()).join(documents))
            .where(passages.c.project_id == project_id)
            .order_by(passages.c.position)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Passage(
                project_id=row.project_id,
                document_id=row.document_id,
                start=row.span_start,
                end=row.span_end,
                text=row.text[row.span_start : row.span_end],
            )
            for row in rows
        )

    def documents_to_extract(self, extractor_version: str) -> Iterator[Document]:
        """Current documents that this extractor version has not read yet, in the order of project ids.

        One whose text was purged is left out: what was read from it stays.

        Read in pages, so `save_extractions` may be called while it runs.
        """
        last = ""
        waiting = or_(
            projects.c.extractor_version.is_(None),
            projects.c.extractor_version != extractor_version,
            projects.c.extracted_document_id != projects.c.document_id,
        )
        while True:
            query = select(documents).select_from(_current).where(projects.c.id > last, documents.c.text != "", waiting)
            with self._engine.connect() as connection:
                rows = connection.execute(query.order_by(projects.c.id).limit(BATCH)).all()
            for row in rows:
                yield _document(row)
            if len(rows) < BATCH:
                return
            last = rows[-1].project_id

    def iter_cards(self) -> Iterator[Card]:
        """Every project with its current values and passages, in the order of ids, as one consistent view.

        Projects merged into another one are left out; where there are such, the kept one has the value `sources`: a
        list of the addresses of all of them, its own first, then by id, without repetition.

        A property's value comes from the first origin of ORIGIN_PRIORITY that says anything about it; extractor
        statements count only for the current document. Properties of MULTI_VALUED become lists without repetition,
        highest score first, then in the order given; others the best value. A value of null means "there is none":
        the property is then absent (a list: empty).
        """
        with self._engine.connect() as connection:
            values = _Grouped(_stream(connection, _card_statements()))
            spans = _Grouped(_stream(connection, _card_passages()))
            merged = _merged_urls(connection)
            query = select(*_PROJECT_COLUMNS).select_from(_current).where(projects.c.merged_into.is_(None))
            for row in _stream(connection, query.order_by(projects.c.id)):
                told = current_values(values.take(row.id))
                if row.id in merged:
                    told["sources"] = list(dict.fromkeys(url for url in (row.url, *merged[row.id]) if url))
                yield Card(
                    project=_project(row),
                    document_id=row.document_id,
                    text_kind=row.kind,
                    values=told,
                    passages=tuple((span.span_start, span.span_end) for span in spans.take(row.id)),
                )

    def get_vectors(self, fingerprint: str, text_sha256s: Iterable[str]) -> dict[str, bytes]:
        """The stored vectors of an encoder by the hash of their text; hashes without one are left out."""
        found: dict[str, bytes] = {}
        with self._engine.connect() as connection:
            for keys in batches(text_sha256s):
                query = select(vectors.c.text_sha256, vectors.c.vector).where(
                    vectors.c.fingerprint == fingerprint, vectors.c.text_sha256.in_(keys)
                )
                found.update((row.text_sha256, row.vector) for row in connection.execute(query))
        return found

    def get_meta(self, key: str) -> str | None:
        """A value kept for the workspace as a whole; None if it was never set."""
        with self._engine.connect() as connection:
            return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()

    def runs(self) -> tuple[Run, ...]:
        """Every run that wrote to the workspace, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(runs).order_by(runs.c.started_at, runs.c.id)).all()
        return tuple(
            Run(
                id=row.id,
                kind=row.kind,
                started_at=row.started_at,
                ended_at=row.ended_at,
                status=row.status,
                summary=json.loads(row.summary),
            )
            for row in rows
        )


def current_values(rows: Sequence[Any]) -> dict[str, Any]:
    """The current value of every property, from open statements (see `StoreReader.iter_cards`).

    Args:
        rows: Anything with the attributes property, origin, value (JSON text), score, position.
    """
    by_property: dict[str, list[Any]] = {}
    for row in rows:
        by_property.setdefault(row.property, []).append(row)
    values: dict[str, Any] = {}
    for name in sorted(by_property):
        origin = min((row.origin for row in by_property[name]), key=ORIGIN_PRIORITY.index)
        told = [row for row in by_property[name] if row.origin == origin]
        told.sort(key=lambda row: (-(row.score or 0.0), row.position))
        distinct = [json.loads(value) for value in dict.fromkeys(row.value for row in told) if value != "null"]
        if name in MULTI_VALUED:
            values[name] = distinct
        elif distinct:
            values[name] = distinct[0]
    return values


def batches(items: Iterable[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """The items in lists of at most `size`."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Grouped:
    """Rows ordered by project id, taken group by group beside another such order."""

    def __init__(self, rows: Iterator[Row[Any]]) -> None:
        self._groups = groupby(rows, key=lambda row: cast(str, row.project_id))
        self._next = self._advance()

    def _advance(self) -> tuple[str, list[Row[Any]]] | None:
        group = next(self._groups, None)
        return None if group is None else (group[0], list(group[1]))

    def take(self, project_id: str) -> list[Row[Any]]:
        """The rows of a project; projects must be asked for in the order of the rows."""
        if self._next is None or self._next[0] != project_id:
            return []
        rows = self._next[1]
        self._next = self._advance()
        return rows


def _merged_urls(connection: Connection) -> dict[str, list[str | None]]:
    """The addresses of the projects merged into each kept one, in the order of their ids."""
    query = select(projects.c.merged_into, projects.c.url).where(projects.c.merged_into.is_not(None))
    found: dict[str, list[str | None]] = {}
    for row in connection.execute(query.order_by(projects.c.id)):
        found.setdefault(row.merged_into, []).append(row.url)
    return found


def _passage_is_current() -> Any:
    return and_(passages.c.project_id == projects.c.id, passages.c.document_id == projects.c.document_id)


def _card_statements() -> Select[Any]:
    columns = statements.c
    return (
        select(columns.project_id, columns.property, columns.origin, columns.value, columns.score, columns.position)
        .select_from(statements.join(projects, columns.project_id == projects.c.id))
        .where(
            columns.closed_at.is_(None),
            projects.c.merged_into.is_(None),
            or_(
                columns.origin != "extractor",
                columns.document_id.is_(None),
                columns.document_id == projects.c.document_id,
            ),
        )
        .order_by(columns.project_id, columns.id)
    )


def _card_passages() -> Select[Any]:
    return (
        select(passages.c.project_id, passages.c.span_start, passages.c.span_end)
        .select_from(passages.join(projects, _passage_is_current()))
        .where(projects.c.merged_into.is_(None))
        .order_by(passages.c.project_id, passages.c.position)
    )


def _stream(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    return iter(connection.execution_options(yield_per=BATCH).execute(query))


def _project(row: Row[Any]) -> Project:
    return Project(
        id=row.id,
        text=row.text,
        title=row.title,
        organisation=row.organisation,
        municipality=row.municipality,
        state=row.state,
        start_year=row.start_year,
        end_year=row.end_year,
        url=row.url,
        extra=json.loads(row.extra),
        keys=tuple(json.loads(row.keys)),
    )


def _document(row: Row[Any]) -> Document:
    return Document(
        id=row.id,
        project_id=row.project_id,
        url=row.url,
        source=row.source,
        title=row.title,
        text=row.text,
        kind=row.kind,
        sha256=row.sha256,
        fetched_at=row.fetched_at,
    )


def _statement(row: Row[Any]) -> Statement:
    return Statement(
        project_id=row.project_id,
        property=row.property,
        value=json.loads(row.value),
        document_id=row.document_id,
        origin=row.origin,
        extractor_version=row.extractor_version,
        original_value=row.original_value,
        start=row.span_start,
        end=row.span_end,
        quote=row.quote,
        where=row.span_where,
        score=row.score,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        closed_at=row.closed_at,
    )
