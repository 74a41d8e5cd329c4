"""How given statements become the current ones: kept, added or closed.

Below: `data.tables`. Above: `data.store_write`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from data.normalise import sanitise, sanitise_value
from data.records import Origin, Statement
from data.tables import statements

_IDENTITY = ("project_id", "property", "origin", "value", "span_start", "span_end", "span_where")
_REFRESHED = ("document_id", "extractor_version", "original_value", "quote", "score", "position", "last_seen")


def replace_statements(
    connection: Connection,
    told: Sequence[Statement],
    *,
    seen_at: str,
    whole: Iterable[tuple[str, Origin]] = (),
) -> None:
    """Makes the given statements the current ones of their project, property and origin.

    One with the same value and span as an open one refreshes it and keeps `first_seen`; open ones not given again
    are closed; the same statement given twice counts once.

    Args:
        connection: In a write transaction.
        told: The statements, in the order in which they are to be read back.
        seen_at: ISO 8601 in UTC.
        whole: Projects and origins of which `told` holds everything: properties left out are closed too.
    """
    entire = set(whole)
    rows = _rows(told, seen_at)
    groups = {(row["project_id"], row["origin"], row["property"]) for row in rows.values()}
    ids = sorted({row["project_id"] for row in rows.values()} | {project_id for project_id, _ in entire})
    before = {
        _identity(row): row
        for row in _open_rows(connection, ids)
        if (row["project_id"], row["origin"]) in entire or (row["project_id"], row["origin"], row["property"]) in groups
    }
    kept = [row | {"key": before[identity]["id"]} for identity, row in rows.items() if identity in before]
    added = [row | {"first_seen": seen_at} for identity, row in rows.items() if identity not in before]
    gone = [{"key": row["id"]} for identity, row in before.items() if identity not in rows]
    if kept:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _REFRESHED}
        connection.execute(
            update(statements).where(statements.c.id == bindparam("key")).values(**values),
            [{"key": row["key"]} | {f"new_{name}": row[name] for name in _REFRESHED} for row in kept],
        )
    if gone:
        connection.execute(
            update(statements).where(statements.c.id == bindparam("key")).values(closed_at=seen_at), gone
        )
    if added:
        connection.execute(insert(statements), added)


def _rows(told: Sequence[Statement], seen_at: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The statements as table rows, each once, by identity."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for position, item in enumerate(told):
        row = {
            "project_id": item.project_id,
            "property": item.property,
            "value": json.dumps(sanitise_value(item.value), ensure_ascii=False, sort_keys=True),
            "original_value": None if item.original_value is None else sanitise(item.original_value),
            "document_id": item.document_id,
            "origin": item.origin,
            "extractor_version": item.extractor_version,
            "span_start": item.start,
            "span_end": item.end,
            "span_where": item.where,
            "quote": None if item.quote is None else sanitise(item.quote),
            "score": item.score,
            "position": position,
            "last_seen": seen_at,
        }
        rows.setdefault(_identity(row), row)
    return rows


def _identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _IDENTITY)


def _open_rows(connection: Connection, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    """Open statements of the projects, in lists of ids below the database's limit of variables."""
    found: list[Mapping[str, Any]] = []
    for start in range(0, len(ids), 500):
        query = select(statements).where(
            statements.c.project_id.in_(ids[start : start + 500]), statements.c.closed_at.is_(None)
        )
        found.extend(dict(row) for row in connection.execute(query).mappings())
    return found
