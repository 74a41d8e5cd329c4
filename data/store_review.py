"""The queue of questions to a person: asked once, open until decided.

Below: `data.tables`. Above: `pipeline.review`. Kinds: `claimed_x` (a study that found no benefit, as a machine read
it), `conflict` (origins disagree), `low_score` (a label just above its threshold), `duplicate` (`pipeline.curate`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from data.errors import CheckupError
from data.normalise import sanitise, sanitise_value
from data.records import Origin
from data.store_read import BATCH, StoreReader
from data.store_write import StoreWriter
from data.tables import judgements, projects, reviews, statements

MADE_HERE = ("claimed_x", "conflict", "low_score")
"""Kinds that `refill` asks and, where their reason is gone, closes again."""
OBSOLETE = "obsolete"
FEEDBACK = ("helpful", "not_helpful", "adopted", "adapted", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One question about a project, or about two."""

    kind: str
    project_id: str
    detail: Mapping[str, Any]
    other_id: str | None = None
    property: str | None = None
    score: float | None = None
    id: int = 0
    created_at: str = ""
    decided_at: str | None = None
    decision: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A current statement of a project, as the queue looks at it."""

    project_id: str
    property: str
    value: Any
    origin: Origin
    score: float | None
    quote: str | None


def identity(item: Review) -> tuple[Any, ...]:
    """What makes it the same question: the values it is about, not the quotes."""
    values = [side["value"] for side in item.detail.get("sides", [])]
    return item.kind, item.project_id, item.other_id, item.property, json.dumps(values, sort_keys=True)


def reviews_of(store: StoreReader, *, decided: bool = False, project_id: str | None = None) -> tuple[Review, ...]:
    """Questions by their numbers.

    Args:
        store: The store.
        decided: Also those that are decided.
        project_id: Only about this project, as the first or the other one.
    """
    query = select(reviews).order_by(reviews.c.id)
    if not decided:
        query = query.where(reviews.c.decided_at.is_(None))
    if project_id is not None:
        query = query.where((reviews.c.project_id == project_id) | (reviews.c.other_id == project_id))
    with store._engine.connect() as connection:
        return tuple(_review(row) for row in connection.execute(query))


def get_review(store: StoreReader, number: int) -> Review | None:
    """The question of a number; None if there is none."""
    with store._engine.connect() as connection:
        row = connection.execute(select(reviews).where(reviews.c.id == number)).first()
    return None if row is None else _review(row)


def refill(store: StoreWriter, wanted: Iterable[Review]) -> int:
    """Asks what was never asked, and closes as obsolete what `wanted` no longer holds; returns how many are new.

    A question that a person has decided is not asked again; one that became obsolete and comes back is.
    """
    by_identity = {identity(item): item for item in wanted}
    now = store._clock()
    with store._transaction() as connection:
        rows = [_review(row) for row in connection.execute(select(reviews).where(reviews.c.kind.in_(MADE_HERE)))]
        known = {identity(row) for row in rows if row.decision != OBSOLETE}
        over = [row.id for row in rows if row.decided_at is None and identity(row) not in by_identity]
        for start in range(0, len(over), BATCH):
            chosen = reviews.c.id.in_(over[start : start + BATCH])
            connection.execute(update(reviews).where(chosen).values(decided_at=now, decision=OBSOLETE))
        fresh = [_row(item, now) for key, item in by_identity.items() if key not in known]
        if fresh:
            connection.execute(insert(reviews), fresh)
    return len(fresh)


def decide(store: StoreWriter, number: int, decision: str, note: str | None = None) -> None:
    """Closes an open question.

    Raises:
        CheckupError: There is none of that number, or it was decided meanwhile.
    """
    with store._transaction() as connection:
        chosen = reviews.c.id == number, reviews.c.decided_at.is_(None)
        values = {"decided_at": store._clock(), "decision": decision, "note": None if note is None else sanitise(note)}
        if not connection.execute(update(reviews).where(*chosen).values(**values)).rowcount:
            raise CheckupError(f"Die Prüffrage {number} ist nicht mehr offen.")


def doubtful_statements(store: StoreReader, properties: Iterable[str]) -> list[Told]:
    """Current statements of these properties, by project; without shipped projects, whose statements were reviewed."""
    columns = statements.c
    query = (
        select(columns.project_id, columns.property, columns.value, columns.origin, columns.score, columns.quote)
        .select_from(statements.join(projects, columns.project_id == projects.c.id))
        .where(columns.closed_at.is_(None), columns.property.in_(list(properties)))
        .where(projects.c.merged_into.is_(None), projects.c.origin != "seed")
        .order_by(columns.project_id, columns.property, columns.origin, columns.position)
    )
    with store._engine.connect() as connection:
        return [
            Told(
                project_id=row.project_id, property=row.property, value=json.loads(row.value), origin=row.origin,
                score=row.score, quote=row.quote,
            )
            for row in connection.execution_options(yield_per=BATCH).execute(query)
        ]  # fmt: skip


def years_given(store: StoreReader) -> dict[str, tuple[int | None, int | None]]:
    """First and last year of every project that came with one, by id (without shipped projects)."""
    query = select(projects.c.id, projects.c.start_year, projects.c.end_year).where(projects.c.origin != "seed")
    given = query.where(projects.c.start_year.is_not(None) | projects.c.end_year.is_not(None))
    with store._engine.connect() as connection:
        return {row.id: (row.start_year, row.end_year) for row in connection.execute(given)}


def titles_of(store: StoreReader, ids: Iterable[str] | None = None) -> dict[str, str | None]:
    """The titles of a few projects, or of every one, by id."""
    query = select(projects.c.id, projects.c.title)
    if ids is not None:
        query = query.where(projects.c.id.in_(list(ids)))
    with store._engine.connect() as connection:
        return {row.id: row.title for row in connection.execute(query)}


def get_presence(store: StoreReader, project_id: str) -> dict[str, str]:
    """Where a project came from last, and when it was first and last seen."""
    query = select(projects.c.source, projects.c.first_seen, projects.c.last_seen).where(projects.c.id == project_id)
    with store._engine.connect() as connection:
        return dict(connection.execute(query).mappings().one())


def end_dates(store: StoreReader) -> list[dict[str, Any]]:
    """What is known of the end of every project: id, title, url, end_year, and further keys."""
    query = select(projects.c.id, projects.c.title, projects.c.url, projects.c.end_year, projects.c.extra)
    open_ended = query.where(projects.c.merged_into.is_(None), projects.c.end_year.is_not(None))
    with store._engine.connect() as connection:
        rows = connection.execute(open_ended.order_by(projects.c.id)).mappings()
        return [{**row, "extra": json.loads(row["extra"])} for row in rows]


def feedback_counts(store: StoreReader) -> dict[str, dict[str, int]]:
    """How often each project got each kind of feedback that was not withdrawn, by id; kinds as in FEEDBACK."""
    columns = judgements.c
    query = select(columns.project_id, columns.kind).where(columns.kind.in_(FEEDBACK), columns.withdrawn_at.is_(None))
    found: dict[str, dict[str, int]] = {}
    with store._engine.connect() as connection:
        for row in connection.execute(query):
            counts = found.setdefault(row.project_id, dict.fromkeys(FEEDBACK, 0))
            counts[row.kind] += 1
    return {
        project_id: {kind: count for kind, count in counts.items() if count} for project_id, counts in found.items()
    }


def _row(item: Review, now: str) -> dict[str, Any]:
    return {
        "kind": item.kind, "project_id": item.project_id, "other_id": item.other_id, "property": item.property,
        "detail": json.dumps(sanitise_value(dict(item.detail)), ensure_ascii=False), "score": item.score,
        "created_at": now,
    }  # fmt: skip


def _review(row: Any) -> Review:
    try:
        detail = json.loads(row.detail)
    except ValueError:
        detail = row.detail
    return Review(
        id=row.id, kind=row.kind, project_id=row.project_id, other_id=row.other_id, property=row.property,
        detail=detail if isinstance(detail, dict) else {"text": detail}, score=row.score, created_at=row.created_at,
        decided_at=row.decided_at, decision=row.decision, note=row.note,
    )  # fmt: skip
