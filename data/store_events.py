"""What runs changed: one row a change, read for history, comparison and digest.

Below: `data.tables`. Above: `data.store_staging` (writes most of them), `pipeline.refresh`, `checkup.commands.history`.
Kinds: `new`, `changed`, `gone` (not seen in a complete crawl of its source), `back`, `label_changed`, `held` (a source
that failed a gate), `drift` (the extractor's shares moved). What was seen again unchanged is not written.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from data.normalise import sanitise_value
from data.store_read import BATCH, StoreReader, batches, current_values
from data.store_write import StoreWriter
from data.tables import events, projects, runs, statements

PRESENCE = ("new", "gone", "back")
"""The kinds whose last one says whether a project is still there."""
LABELS = ("action_fields", "target_groups", "level", "evidence_grade", "tier")
"""Properties whose changes are events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change by one run."""

    id: int
    run_id: str
    kind: str
    project_id: str | None
    source: str | None
    detail: Mapping[str, Any]
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChange:
    """A project whose current labels differ from those at a moment before: property → (before, now)."""

    project_id: str
    changed: Mapping[str, tuple[Any, Any]]


def event_row(run_id: str, kind: str, at: str, **values: Any) -> dict[str, Any]:
    """A row for the table; `values`: project_id, source, detail."""
    detail = json.dumps(sanitise_value(values.get("detail") or {}), ensure_ascii=False)
    return {
        "run_id": run_id, "kind": kind, "at": at, "detail": detail,
        "project_id": values.get("project_id"), "source": values.get("source"),
    }  # fmt: skip


def add_events(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Adds rows of `event_row` inside of a transaction."""
    told = [dict(row) for row in rows]
    if told:
        connection.execute(insert(events), told)


def replace_events(
    store: StoreWriter,
    run_id: str,
    kinds: Iterable[str],
    rows: Iterable[Mapping[str, Any]],
    *,
    source: str | None = None,
    since: str | None = None,
) -> None:
    """Makes the rows a run's only events of these kinds (about a source, where one is given), in one transaction.

    With a moment those go too that runs which did not end well have told since it: the run tells their work again.
    """
    own = events.c.run_id == run_id
    if since is not None:
        broken = select(runs.c.id).where(runs.c.status != "done")
        own |= events.c.run_id.in_(broken) & (events.c.at >= since)
    old = delete(events).where(own, events.c.kind.in_(list(kinds)))
    with store._transaction() as connection:
        connection.execute(old if source is None else old.where(events.c.source == source))
        add_events(connection, rows)


def events_of(
    store: StoreReader,
    *,
    run_ids: Iterable[str] | None = None,
    project_id: str | None = None,
) -> tuple[Event, ...]:
    """Events, oldest first; every condition that is given must hold."""
    query = select(events).order_by(events.c.id)
    if run_ids is not None:
        query = query.where(events.c.run_id.in_(list(run_ids)))
    if project_id is not None:
        query = query.where(events.c.project_id == project_id)
    with store._engine.connect() as connection:
        rows = connection.execute(query).all()
    return tuple(
        Event(
            id=row.id, run_id=row.run_id, kind=row.kind, project_id=row.project_id, source=row.source,
            detail=json.loads(row.detail), at=row.at,
        )
        for row in rows
    )  # fmt: skip


def take_over_events(connection: Connection, before: str, run_id: str, source: str) -> None:
    """Gives the events of an interrupted run about a source to the run that finishes its work."""
    connection.execute(update(events).where(events.c.run_id == before, events.c.source == source).values(run_id=run_id))


def gone_ids(connection: Connection, source: str | None = None) -> set[str]:
    """Projects whose last event of presence says that they were not found any more."""
    last = select(func.max(events.c.id)).where(events.c.kind.in_(PRESENCE)).group_by(events.c.project_id)
    query = select(events.c.project_id).where(events.c.id.in_(last), events.c.kind == "gone")
    if source is not None:
        query = query.where(events.c.source == source)
    return set(connection.execute(query).scalars())


def not_seen(store: StoreReader) -> dict[str, str]:
    """Projects that a complete crawl of their source did not find any more, with the day they were last seen."""
    found: dict[str, str] = {}
    with store._engine.connect() as connection:
        for ids in batches(sorted(gone_ids(connection))):
            query = select(projects.c.id, projects.c.last_seen).where(projects.c.id.in_(ids))
            found.update((row.id, row.last_seen) for row in connection.execute(query))
    return found


def labels_told(store: StoreReader, since: str) -> dict[str, str]:
    """By project, when a run that ended well since a moment told its changed labels last."""
    query = (
        select(events.c.project_id, func.max(events.c.at).label("at"))
        .select_from(events.join(runs, events.c.run_id == runs.c.id))
        .where(events.c.kind == "label_changed", events.c.at >= since, runs.c.status == "done")
        .group_by(events.c.project_id)
    )
    with store._engine.connect() as connection:
        return {row.project_id: row.at for row in connection.execute(query)}


def label_changes(store: StoreReader, since: str) -> list[LabelChange]:
    """Projects that were read before a moment and whose current labels are others now, in the order of ids.

    What another finished run has told already since that moment is left out.
    """
    columns = statements.c
    touched = select(columns.project_id).where(
        columns.origin == "extractor",
        columns.property.in_(LABELS),
        (columns.first_seen >= since) | (columns.closed_at >= since),
    )
    query = (
        select(statements)
        .where(columns.property.in_(LABELS), columns.project_id.in_(touched))
        .order_by(columns.project_id, columns.id)
    )
    by_project: dict[str, list[Any]] = {}
    with store._engine.connect() as connection:
        for row in connection.execution_options(yield_per=BATCH).execute(query):
            by_project.setdefault(row.project_id, []).append(row)
    found = []
    told = labels_told(store, since)
    for project_id, rows in by_project.items():
        before = current_values([row for row in rows if open_at(row, told.get(project_id, since))])
        now = current_values([row for row in rows if row.closed_at is None])
        changed = {
            name: (before.get(name), now.get(name))
            for name in LABELS
            if _comparable(before.get(name)) != _comparable(now.get(name))
        }
        if before and changed:
            found.append(LabelChange(project_id=project_id, changed=changed))
    return found


def open_at(row: Any, moment: str) -> bool:
    """Whether a statement belonged to the view just before a moment."""
    return row.first_seen < moment and (row.closed_at is None or row.closed_at >= moment)


def _comparable(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def label_shares(store: StoreReader, since: str) -> tuple[int, dict[str, float], int, dict[str, float]]:
    """How often the extractor gives each label: in texts read since a moment, and in what was stored before it.

    Returns:
        Texts read since and the shares 0..1 by `property/value`; texts stored before and their shares.
    """
    columns = statements.c
    query = select(
        columns.project_id, columns.property, columns.value, columns.first_seen, columns.last_seen, columns.closed_at
    ).where(columns.origin == "extractor", columns.property.in_(LABELS))
    fresh: dict[str, set[str]] = {}
    stored: dict[str, set[str]] = {}
    fresh_ids: set[str] = set()
    stored_ids: set[str] = set()
    with store._engine.connect() as connection:
        for row in connection.execution_options(yield_per=BATCH).execute(query):
            name = f"{row.property}/{json.loads(row.value)}"
            if row.closed_at is None and row.last_seen >= since:
                fresh.setdefault(name, set()).add(row.project_id)
                fresh_ids.add(row.project_id)
            if open_at(row, since):
                stored.setdefault(name, set()).add(row.project_id)
                stored_ids.add(row.project_id)
    return len(fresh_ids), _shares(fresh, fresh_ids), len(stored_ids), _shares(stored, stored_ids)


def _shares(found: Mapping[str, set[str]], ids: set[str]) -> dict[str, float]:
    return {name: len(having) / len(ids) for name, having in found.items()} if ids else {}


def read_since(store: StoreReader, since: str) -> int:
    """How many projects the extractor has read since a moment."""
    query = select(func.count(statements.c.project_id.distinct())).where(
        statements.c.origin == "extractor", statements.c.property == "level", statements.c.last_seen >= since
    )
    with store._engine.connect() as connection:
        return connection.execute(query).scalar_one()
