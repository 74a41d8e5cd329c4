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
    """A situation under a name."""

    name: str
    text: str
    created_at: str
    best: tuple[Best, ...]
    """Of the last answer, best first."""
    told: tuple[str, ...]
    """Ids of the projects that were named to the consultant so far: those shown when it was saved, and in reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a report comes to about a situation."""

    best: tuple[Best, ...]
    told: tuple[str, ...]


def save_situation(store: StoreReader, name: str, text: str, best: Iterable[Best]) -> bool:
    """Keeps a situation, its best as told; one of the same name is replaced. NUL and lone surrogates become U+FFFD.

    Returns:
        Whether there was one of that name.
    """
    shown = tuple(best)
    kept = _json(Told(best=shown, told=tuple(one.project_id for one in shown)))
    row = {"name": name, "text": sanitise(text), "created_at": store._clock(), "best": kept}
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


def note_best(store: StoreReader, told: Mapping[str, Told]) -> None:
    """Notes what was told about situations, by name; names that are gone meanwhile are passed over."""
    with _transaction(store) as connection:
        for name, kept in told.items():
            connection.execute(update(situations).where(situations.c.name == name).values(best=_json(kept)))


@contextmanager
def _transaction(store: StoreReader) -> Iterator[Connection]:
    with store._engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def _json(kept: Told) -> str:
    best = [{"project_id": one.project_id, "score": one.score} for one in kept.best]
    return json.dumps({"best": best, "told": list(kept.told)}, ensure_ascii=False)


def _situation(row: Row[Any]) -> SavedSituation:
    kept = json.loads(row.best)
    if isinstance(kept, list):  # an older version kept the best alone and took them all as told
        kept = {"best": kept, "told": [one["project_id"] for one in kept]}
    best = tuple(Best(project_id=one["project_id"], score=one["score"]) for one in kept["best"])
    return SavedSituation(name=row.name, text=row.text, created_at=row.created_at, best=best, told=tuple(kept["told"]))
