"""Deleted content leaves the database's file: overwritten at once, then no free pages and no log.

Below: `data.database`, `data.tables`. Above: `data.store_erase`, `data.store_retention`, `pipeline.retention`.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, select

from data.database import translate
from data.store_read import batches
from data.store_write import StoreWriter
from data.tables import vectors


def overwrite_deleted(connection: Connection) -> None:
    """Deleted content is overwritten with zeros at once, so that a kill before `sweep` leaves little."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def drop_vectors(store: StoreWriter, keep: Iterable[str]) -> int:
    """Deletes every cached vector whose key is not among these; returns how many."""
    wanted = set(keep)
    dropped = 0
    with store._transaction() as connection:
        overwrite_deleted(connection)
        known = set(connection.execute(select(vectors.c.text_sha256).distinct()).scalars())
        for batch in batches(sorted(known - wanted)):
            dropped += connection.execute(delete(vectors).where(vectors.c.text_sha256.in_(batch))).rowcount
    return dropped


def sweep(store: StoreWriter) -> bool:
    """Rewrites the embedded database without its free pages and empties its log.

    Returns:
        Whether the log could be emptied; a reader that is just looking keeps it for a moment.

    Raises:
        CheckupError: No room, or another program holds the database.
    """
    if store._engine.dialect.name != "sqlite":
        return True
    raw = store._engine.raw_connection()
    try:
        connection: Any = raw.driver_connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute("VACUUM")
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        helpful = translate(error)
        if helpful is None:
            raise
        raise helpful from error
    finally:
        raw.close()
