"""What curation reads and writes: records to compare, judgements, merged projects, questions about duplicates.

Below: `data.tables`, `data.store`. Above: `pipeline.curate`, which decides; nothing is decided here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from data.records import Judgement, ProjectOrigin
from data.store import Store
from data.store_read import StoreReader
from data.tables import documents, judgements, projects, reviews

DUPLICATE = "duplicate"
"""The kind of a row in `reviews` that asks whether two projects are the same."""
MACHINE = "machine"
"""The origin of a judgement that curation made itself; every other origin is a person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationRecord:
    """What two records of a project are compared by."""

    id: str
    text: str
    title: str | None = None
    organisation: str | None = None
    municipality: str | None = None
    url: str | None = None
    origin: ProjectOrigin = "crawl"
    document_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJudgement(Judgement):
    """A judgement with its row's id, who made it, and for a machine's its score and run."""

    id: int
    origin: str = "reviewer"
    score: float | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A pair that a person is asked about."""

    project_id: str
    other_id: str
    score: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a curation changes, written in one transaction."""

    made: Sequence[StoredJudgement] = ()
    withdrawn: Sequence[int] = ()
    asked: Sequence[Question] = ()
    closed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The decision by the pair of an open question (either order)."""
    note: str | None = None
    """Stands beside the closed questions."""
    merged: Mapping[str, str] | None = None
    """Kept project by merged one; None leaves them."""


def iter_records(store: Store) -> Iterator[CurationRecord]:
    """Every project, merged ones too, in the order of ids, as one consistent view."""
    names = ("id", "title", "organisation", "municipality", "url", "origin", "document_id")
    query = (
        select(*(projects.c[name] for name in names), documents.c.text)
        .select_from(projects.join(documents, projects.c.document_id == documents.c.id))
        .order_by(projects.c.id)
    )
    with store._engine.connect() as connection:
        for row in connection.execute(query):
            yield CurationRecord(**row._mapping)


def stored_judgements(
    store: Store, project_id: str | None = None, *, withdrawn: bool = False
) -> tuple[StoredJudgement, ...]:
    """Judgements in the order in which they were made.

    Args:
        store: the workspace.
        project_id: only those that name this project on either side.
        withdrawn: also those that were withdrawn.
    """
    query = select(judgements).order_by(judgements.c.id)
    if project_id is not None:
        query = query.where(or_(judgements.c.project_id == project_id, judgements.c.other_id == project_id))
    if not withdrawn:
        query = query.where(judgements.c.withdrawn_at.is_(None))
    with store._engine.connect() as connection:
        return tuple(StoredJudgement(**row._mapping) for row in connection.execute(query))


def merged_projects(store: Store) -> dict[str, str]:
    """The kept project's id by the merged one's."""
    query = select(projects.c.id, projects.c.merged_into).where(projects.c.merged_into.is_not(None))
    with store._engine.connect() as connection:
        return {row.id: row.merged_into for row in connection.execute(query.order_by(projects.c.id))}


def duplicate_questions(store: Store) -> dict[tuple[str, str], str | None]:
    """Every pair that was ever asked about, smaller id first, with the decision (None while open)."""
    query = select(reviews.c.project_id, reviews.c.other_id, reviews.c.decided_at, reviews.c.decision)
    query = query.where(reviews.c.kind == DUPLICATE, reviews.c.other_id.is_not(None)).order_by(reviews.c.id)
    with store._engine.connect() as connection:
        return {
            (min(row.project_id, row.other_id), max(row.project_id, row.other_id)): (
                None if row.decided_at is None else row.decision or ""
            )
            for row in connection.execute(query)
        }


def curated_since(store: StoreReader, since: str) -> dict[str, int]:
    """How many merges the machine made (`merged`) and how many questions were asked (`questions`) since a moment."""
    merged = select(func.count()).where(judgements.c.origin == MACHINE, judgements.c.created_at >= since)
    asked = select(func.count()).select_from(reviews).where(reviews.c.created_at >= since)
    with store._engine.connect() as connection:
        return {
            "merged": connection.execute(merged).scalar_one(),
            "questions": connection.execute(asked).scalar_one(),
        }


def write_changes(store: Store, changes: Changes) -> tuple[int, ...]:
    """Writes everything in one transaction; returns the ids of the judgements made."""
    now = store._clock()
    with store._transaction() as connection:
        ids = tuple(_insert_judgement(connection, item, now) for item in changes.made)
        for key in changes.withdrawn:
            connection.execute(update(judgements).where(judgements.c.id == key).values(withdrawn_at=now))
        _close(connection, changes, now)
        _ask(connection, changes.asked, now)
        if changes.merged is not None:
            _set_merged(connection, changes.merged)
    return ids


def _close(connection: Connection, changes: Changes, now: str) -> None:
    for pair, decision in changes.closed.items():
        connection.execute(
            update(reviews)
            .where(
                reviews.c.kind == DUPLICATE,
                reviews.c.decided_at.is_(None),
                reviews.c.project_id.in_(pair),
                reviews.c.other_id.in_(pair),
            )
            .values(decided_at=now, decision=decision, note=changes.note)
        )


def _insert_judgement(connection: Connection, item: StoredJudgement, now: str) -> int:
    row: dict[str, Any] = {
        name: getattr(item, name) for name in ("kind", "project_id", "other_id", "note", "origin", "score", "run_id")
    }
    key = connection.execute(insert(judgements).values(**row, created_at=now)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _ask(connection: Connection, asked: Sequence[Question], now: str) -> None:
    rows = [
        {
            "kind": DUPLICATE, "project_id": item.project_id, "other_id": item.other_id, "detail": item.detail,
            "score": item.score, "created_at": now,
        }
        for item in asked
    ]  # fmt: skip
    if rows:
        connection.execute(insert(reviews), rows)


def _set_merged(connection: Connection, merged: Mapping[str, str]) -> None:
    """Makes exactly these projects merged ones; rows that are right already are not touched."""
    query = select(projects.c.id, projects.c.merged_into).where(projects.c.merged_into.is_not(None))
    before = {row.id: row.merged_into for row in connection.execute(query)}
    rows = [
        {"key": key, "into": merged.get(key)}
        for key in sorted(before.keys() | merged)
        if before.get(key) != merged.get(key)
    ]
    if rows:
        statement = update(projects).where(projects.c.id == bindparam("key")).values(merged_into=bindparam("into"))
        connection.execute(statement, rows)
