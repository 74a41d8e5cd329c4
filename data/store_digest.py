"""What a digest asks the database: which entries nobody has confirmed for long, and which run was reported last.

Below: `data.tables`. Above: `pipeline.digest`.
"""

from dataclasses import dataclass

from sqlalchemy import select

from data.store_read import StoreReader, batches, current_values
from data.store_write import put_meta
from data.tables import projects, statements

REPORTED = "digest:reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A project as far as a digest names it."""

    id: str
    title: str | None
    url: str | None
    source: str
    last_seen: str


def unconfirmed(store: StoreReader, before: str) -> list[Entry]:
    """Projects that nobody has seen since a moment (ISO 8601 in UTC), longest first; merged ones are left out."""
    columns = projects.c
    query = (
        select(columns.id, columns.title, columns.url, columns.source, columns.last_seen)
        .where(columns.last_seen < before, columns.merged_into.is_(None))
        .order_by(columns.last_seen, columns.id)
    )
    with store._engine.connect() as connection:
        return [Entry(**row) for row in connection.execute(query).mappings()]


def tiers_of(store: StoreReader, ids: list[str]) -> dict[str | None, str]:
    """The current tier of projects by id; those without one, and merged ones, are left out."""
    columns = statements.c
    found: dict[str | None, str] = {}
    with store._engine.connect() as connection:
        for batch in batches(ids):
            query = (
                select(
                    columns.project_id, columns.property, columns.origin, columns.value, columns.score, columns.position
                )
                .select_from(statements.join(projects, columns.project_id == projects.c.id))
                .where(columns.property == "tier", columns.closed_at.is_(None), columns.project_id.in_(batch))
                .where(projects.c.merged_into.is_(None))
            )
            rows: dict[str, list[object]] = {}
            for row in connection.execute(query):
                rows.setdefault(row.project_id, []).append(row)
            found.update((one, str(current_values(told).get("tier", "open"))) for one, told in rows.items())
    return found


def last_reported(store: StoreReader) -> str | None:
    """The last run that a digest was written about; None before the first."""
    return store.get_meta(REPORTED)


def note_reported(store: StoreReader, run_id: str) -> None:
    """Notes that a digest was written about everything up to a run; a short transaction outside of `Store.writing`."""
    with store._engine.connect().execution_options(writes=True) as connection, connection.begin():
        put_meta(connection, REPORTED, run_id)
