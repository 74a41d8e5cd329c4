"""Masks erased people's names in everything the database holds as text; lengths, offsets and spans stay.

Below: `data.person_names`, `data.tables`. Above: `data.store_erase`.
A masked version gets the id and the hash of its masked text, as if it had come in through the door.
"""

import json
from collections.abc import Callable
from itertools import chain, count
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from data.normalise import sha256_text
from data.person_names import MASK, Names
from data.store_read import BATCH
from data.store_write import document_id
from data.tables import (
    documents,
    erasures,
    events,
    judgements,
    meta,
    passages,
    projects,
    reviews,
    runs,
    situations,
    sources,
    staged,
    statements,
)

PLAIN: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (projects, ("title", "organisation", "municipality", "state", "url")),
    (statements, ("original_value", "quote")),
    (judgements, ("note",)),
    (reviews, ("note",)),
    (situations, ("text",)),
    (erasures, ("reason",)),
)
"""Columns of plain text; documents are masked apart, because their ids depend on it."""
JSON: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (projects, ("extra",)),
    (statements, ("value",)),
    (reviews, ("detail",)),
    (staged, ("record",)),
    (events, ("detail",)),
    (situations, ("best",)),
    (runs, ("summary",)),
    (meta, ("value",)),
)


MENTIONS: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (judgements, ("note",)),
    (reviews, ("note", "detail")),
    (events, ("detail",)),
    (situations, ("best",)),
    (runs, ("summary",)),
    (meta, ("value",)),
    (erasures, ("reason",)),
)
"""Where something else may mention a project."""


def mask_stored(connection: Connection, names: Names) -> int:
    """Masks the names in every text column, inside of a transaction; returns how many values changed."""
    if not names:
        return 0
    changed = _mask_documents(connection, names)
    for table, columns in PLAIN:
        changed += _mask_columns(connection, table, columns, names.mask)
    for table, columns in JSON:
        changed += _mask_columns(connection, table, columns, lambda text: _masked_json(text, names))
    _cut_quotes_anew(connection)
    return changed + _mask_situation_names(connection, names) + _mask_sources(connection, names)


def mask_mentions(connection: Connection, mask: Callable[[str], str]) -> int:
    """Masks what was erased in notes, questions, events and runs; returns how many values changed.

    Args:
        connection: In a write transaction.
        mask: Gets a stored value, plain or JSON, and gives one of the same length.
    """
    return sum(_mask_columns(connection, table, columns, mask) for table, columns in MENTIONS)


def _masked_json(text: str, names: Names) -> str:
    """JSON text with its strings masked; what is no JSON is masked as it stands."""
    try:
        value = json.loads(text)
    except ValueError:
        return names.mask(text)
    masked = names.mask_value(value)
    return text if masked == value else json.dumps(masked, ensure_ascii=False)


def _mask_columns(connection: Connection, table: Table, columns: tuple[str, ...], mask: Callable[[str], str]) -> int:
    keys = list(table.primary_key.columns)
    changes: list[dict[str, Any]] = []
    query = select(*keys, *(table.c[name] for name in columns))
    for row in connection.execution_options(yield_per=BATCH).execute(query).mappings():
        fresh = {name: mask(row[name]) for name in columns if row[name]}
        if any(row[name] != value for name, value in fresh.items()):
            known = {f"key_{key.name}": row[key.name] for key in keys}
            changes.append(known | {f"new_{name}": fresh.get(name, row[name]) for name in columns})
    if changes:
        statement = update(table).values({name: bindparam(f"new_{name}") for name in columns})
        for key in keys:
            statement = statement.where(key == bindparam(f"key_{key.name}"))
        connection.execute(statement, changes)
    return len(changes)


def _mask_situation_names(connection: Connection, names: Names) -> int:
    """A situation whose masked name is taken gets a number after it."""
    known = list(connection.execute(select(situations.c.name)).scalars())
    taken, changed = set(known), 0
    for old in known:
        masked = names.mask(old)
        if masked == old:
            continue
        numbered = (f"{masked} {number}" for number in count(2))
        new = next(name for name in chain([masked], numbered) if name not in taken)
        taken.add(new)
        connection.execute(update(situations).where(situations.c.name == old).values(name=new))
        changed += 1
    return changed


def _mask_sources(connection: Connection, names: Names) -> int:
    """A source whose masked name exists already is joined with it; a crawled one is known by its file's name alone."""
    crawled = set(connection.execute(select(projects.c.source).where(projects.c.origin == "crawl")).scalars())
    changed = 0
    for row in list(connection.execute(select(sources)).mappings()):
        old, new = row["name"], names.mask(row["name"])
        if new == old or old in crawled:
            continue
        if not connection.execute(select(sources.c.name).where(sources.c.name == new)).first():
            connection.execute(insert(sources).values({**row, "name": new}))
        for table in (projects, documents, events):
            connection.execute(update(table).where(table.c.source == old).values(source=new))
        connection.execute(delete(sources).where(sources.c.name == old))
        changed += 1
    return changed


def _mask_documents(connection: Connection, names: Names) -> int:
    """Masks versions one by one; one that becomes equal to another of its project is joined with it."""
    found = []
    query = select(documents.c.id, documents.c.url, documents.c.title, documents.c.text)
    for row in connection.execution_options(yield_per=BATCH).execute(query):
        values = {name: names.mask_value(getattr(row, name)) for name in ("url", "title", "text")}
        if any(getattr(row, name) != value for name, value in values.items()):
            found.append((row.id, values))
    for old, values in found:
        _replace_document(connection, old, values)
    return len(found)


def _replace_document(connection: Connection, old: str, values: dict[str, Any]) -> None:
    row = dict(connection.execute(select(documents).where(documents.c.id == old)).mappings().one())
    fresh = row | values | {"sha256": sha256_text(values["text"])}
    fresh["id"] = document_id(row["project_id"], values["url"], values["title"], values["text"])
    move_document(connection, old, fresh)


def move_document(connection: Connection, old: str, fresh: dict[str, Any]) -> None:
    """Puts a version in the place of another of the same project, with everything that refers to it.

    Args:
        connection: In a write transaction.
        old: The id of the version that goes.
        fresh: A whole row of `documents`; it may exist already.
    """
    new = fresh["id"]
    if new == old:
        connection.execute(update(documents).where(documents.c.id == old).values(**fresh))
        return
    if not connection.execute(select(documents.c.id).where(documents.c.id == new)).first():
        connection.execute(insert(documents).values(**fresh))
    for table in (statements, passages):
        connection.execute(update(table).where(table.c.document_id == old).values(document_id=new))
    for column in (projects.c.document_id, projects.c.extracted_document_id):
        connection.execute(update(projects).where(column == old).values({column.name: new}))
    connection.execute(delete(documents).where(documents.c.id == old))


def _cut_quotes_anew(connection: Connection) -> None:
    """A quote that holds half of a name is what now stands at its place."""
    query = (
        select(
            statements.c.id, statements.c.span_start, statements.c.span_end, statements.c.span_where,
            statements.c.quote, documents.c.title, documents.c.text,
        )
        .select_from(
            statements.join(projects, statements.c.project_id == projects.c.id).join(
                documents,
                documents.c.id == func.coalesce(statements.c.document_id, projects.c.document_id),
            )
        )
        .where(
            statements.c.quote.is_not(None),
            statements.c.span_start.is_not(None),
            (documents.c.text + func.coalesce(documents.c.title, "")).contains(MASK),
        )
    )  # fmt: skip
    changes = []
    for row in connection.execution_options(yield_per=BATCH).execute(query):
        given = row.text if row.span_where == "text" else row.title or ""
        now = given[row.span_start : row.span_end]
        if now != row.quote and len(now) == len(row.quote) and MASK in now:
            changes.append({"key": row.id, "now": now})
    if changes:
        connection.execute(
            update(statements).where(statements.c.id == bindparam("key")).values(quote=bindparam("now")), changes
        )
