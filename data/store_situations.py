"""Saved situations: a consultant's texts with the best projects they were last told of.

Below: `data.tables`. Above: `checkup.situations`. Each change is one short transaction of its own, outside of
`Store.writing`: a consultant need not wait until a refresh of hours is over.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from data.normalise import sanitise
from data.store_read import StoreReader
from data.tables import situations


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """One project that a situation was answered with."""

    project_id: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSituation:
    """A situation under a name; `best` is what was last told about it, best first."""

    name: str
    text: str
    created_at: str
    best: tuple[Best, ...]


def save_situation(store: StoreReader, name: str, text: str, best: Iterable[Best]) -> bool:
    """Keeps a situation; one of the same name is replaced. NUL and lone surrogates become U+FFFD.

    Returns:
        Whether there was one of that name.
    """
    row = {"name": name, "text": sanitise(text), "created_at": store._clock(), "best": _json(best)}
    with _transaction(store) as connection:
        known = connection.execute(delete(situations).where(situations.c.name == name)).rowcount
        connection.execute(insert(situations).values(**row))
    return bool(known)


def saved_situations(store: StoreReader) -> tuple[SavedSituation, ...]:
    """Every saved situation by name."""
    with store._engine.connect() as connection:
        return tuple(map(_situation, connection.execute(select(situations).order_by(situations.c.name))))


def get_situation(store: StoreReader, name: str) -> SavedSituation | None:
    """The situation of that name; None if there is none."""
    with store._engine.connect() as connection:
        row = connection.execute(select(situations).where(situations.c.name == name)).first()
    return None if row is None else _situation(row)


def delete_situation(store: StoreReader, name: str) -> bool:
    """Forgets a situation; returns whether there was one."""
    with _transaction(store) as connection:
        return bool(connection.execute(delete(situations).where(situations.c.name == name)).rowcount)


def note_best(store: StoreReader, told: Mapping[str, Iterable[Best]]) -> None:
    """Notes what was told about situations, by name; names that are gone meanwhile are passed over."""
    with _transaction(store) as connection:
        for name, best in told.items():
            connection.execute(update(situations).where(situations.c.name == name).values(best=_json(best)))


@contextmanager
def _transaction(store: StoreReader) -> Iterator[Connection]:
    with store._engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def _json(best: Iterable[Best]) -> str:
    return json.dumps([{"project_id": one.project_id, "score": one.score} for one in best], ensure_ascii=False)


def _situation(row: Row[Any]) -> SavedSituation:
    best = tuple(Best(project_id=one["project_id"], score=one["score"]) for one in json.loads(row.best))
    return SavedSituation(name=row.name, text=row.text, created_at=row.created_at, best=best)
