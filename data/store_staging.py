"""What a crawl has brought and no gate has let through yet, and how it is let through: as a whole, in one moment.

Below: `data.store_write`, `data.store_events`. Above: `pipeline.staging`.
A staged row is a record as JSON, or a mark that a record that is stored is still there as it was. Every row belongs to
the run that saw it last; rows of an earlier attempt count only once the present one has confirmed them. A record that
its crawl has yet to hand over (`WAITING`) belongs to none.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from data.clock import as_utc
from data.normalise import sanitise, sanitise_value
from data.purged import purged_id
from data.records import Project
from data.store_events import add_events, event_row, gone_ids, take_over_events
from data.store_read import BATCH, StoreReader, batches
from data.store_write import StoreWriter, WrittenBatch, document_id, put_meta, write_batch
from data.tables import documents, meta, projects, staged

WAITING = "waiting"
"""In place of the run: a masked record that its crawl has not handed over yet, so that no gate looks at it."""
STILL_THERE = "{}"
"""The record of a row that only says that what is stored is still there."""
COMPARED = ("title", "organisation", "municipality", "state", "start_year", "end_year", "url")
Describe = Callable[[str, str], list[dict[str, str]]]
"""Tells the changed passages of two texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What a finished crawl comes to, counted over everything it saw."""

    records: int
    known: int
    """Records that were stored before."""
    changed: int
    """Known ones whose title, text or address is another."""
    filled: Mapping[str, int]
    """Records in which a field is filled, by its name."""


@dataclass(slots=True)
class Kept:
    """What letting a crawl through did."""

    counts: Counter[str] = field(default_factory=lambda: Counter(new=0, updated=0, unchanged=0, gone=0, back=0))


def stage(store: StoreWriter, source: str, run_id: str, project: Project, fetched_at: str) -> None:
    """Stages one masked record; one of the same id is replaced."""
    record = json.dumps(sanitise_value(asdict(project)), ensure_ascii=False)
    with store._transaction() as connection:
        connection.execute(delete(staged).where(staged.c.source == source, staged.c.project_id == project.id))
        row = {"source": source, "project_id": project.id, "run_id": run_id, "record": record}
        connection.execute(insert(staged).values(**row, fetched_at=as_utc(fetched_at)))


def waiting_record(store: StoreReader, source: str, project_id: str) -> Project | None:
    """A record that waits (`WAITING`); None where there is none of this id, or it has been handed over."""
    here = staged.c.source == source, staged.c.project_id == project_id, staged.c.run_id == WAITING
    with store._engine.connect() as connection:
        text = connection.execute(select(staged.c.record).where(*here)).scalar()
    return None if text is None else _record(text)


def confirm(store: StoreWriter, source: str, run_id: str, ids: Iterable[str], seen_at: str) -> None:
    """Notes that records are there as they were: as staged by an earlier attempt, or else as stored."""
    for batch in batches(ids):
        with store._transaction() as connection:
            here = staged.c.source == source, staged.c.project_id.in_(batch)
            known = set(connection.execute(select(staged.c.project_id).where(*here)).scalars())
            connection.execute(update(staged).where(*here).values(run_id=run_id))
            rows = [
                {"source": source, "project_id": one, "run_id": run_id, "record": STILL_THERE, "fetched_at": seen_at}
                for one in batch
                if one not in known
            ]
            if rows:
                connection.execute(insert(staged), rows)


def clear_staged(store: StoreWriter, source: str, *, except_run: str | None = None) -> None:
    """Drops a source's staged rows, or those that a run has not confirmed."""
    with store._transaction() as connection:
        query = delete(staged).where(staged.c.source == source)
        connection.execute(query if except_run is None else query.where(staged.c.run_id != except_run))


def pages_of(store: StoreReader, source: str) -> dict[str, list[str]]:
    """The ids of a source's records by the address of their page (without what follows a #).

    What is staged of a page outranks what is stored of it; stored projects that were gone are left out, so that
    a page is read anew before they count as back.
    """
    found: dict[str, list[str]] = {}
    with store._engine.connect() as connection:
        for one in _staged_records(connection, source):
            found.setdefault(page_address(one.url), []).append(one.id)
        gone = gone_ids(connection, source)
        again = set(found)
        query = select(projects.c.id, projects.c.url).where(*_of_source(source)).order_by(projects.c.id)
        for row in connection.execute(query):
            page = page_address(row.url)
            if page not in again and row.id not in gone:
                found.setdefault(page, []).append(row.id)
    return found


def page_address(url: str | None) -> str:
    """The address of the page that a record stands on."""
    return (url or "").split("#", 1)[0]


def look_over(store: StoreReader, source: str, fields: Iterable[str]) -> Staged:
    """Counts what is staged of a source, with what is stored of records that did not change.

    Args:
        store: The store.
        source: Its name.
        fields: Names of fields whose filling is wanted: title, text, columns of a project or further keys.
    """
    names = list(fields)
    filled: Counter[str] = Counter()
    records = known = changed = 0
    with store._engine.connect() as connection:
        for rows in batches(_staged_rows(connection, source)):
            before = _stored(connection, [row.project_id for row in rows])
            for row in rows:
                old = before.get(row.project_id)
                given = dict(old or {}) if row.record == STILL_THERE else json.loads(row.record)
                records += 1
                known += old is not None
                changed += old is not None and row.record != STILL_THERE and _differs(given, old["document_id"])
                filled.update(name for name in names if _value(given, name) not in (None, "", [], {}))
    return Staged(records=records, known=known, changed=changed, filled=filled)


def let_through(
    store: StoreWriter,
    source: str,
    run_id: str,
    *,
    complete: bool,
    excused: Iterable[str],
    describe: Describe,
    state: tuple[str, Callable[[Kept], str]],
) -> Kept:
    """Keeps everything that is staged of a source, writes the events, and empties the stage, in one transaction.

    Args:
        store: Held for writing.
        source: Its name.
        run_id: The run that lets it through.
        complete: Whether the crawl saw the whole source; only then what it did not see is gone.
        excused: Addresses that could not be read this time; their projects are not gone.
        describe: Tells the changed passages of an old and a new text.
        state: A key of `meta` and what makes its value, written in the same transaction.
    """
    kept = Kept()
    moment = store._clock()
    common = {"origin": "crawl", "source": sanitise(source), "last_seen": moment}
    with store._transaction() as connection:
        gone = gone_ids(connection, source)
        seen: set[str] = set()
        for rows in batches(_staged_rows(connection, source).fetchall()):
            seen.update(row.project_id for row in rows)
            batch = [_record(row.record) for row in rows if row.record != STILL_THERE]
            done = write_batch(connection, batch, common=common, kind="original")
            add_events(connection, _events(connection, done, run_id, moment, describe))
            still = [row.project_id for row in rows if row.record == STILL_THERE]
            connection.execute(update(projects).where(projects.c.id.in_(still)).values(last_seen=moment))
            kept.counts.update(new=len(done.fresh), updated=len(done.changed), unchanged=len(done.same) + len(still))
        back = sorted(seen & gone)
        lost = _lost(connection, source, seen | gone, set(excused)) if complete else []
        told = [event_row(run_id, "back", moment, project_id=one, source=source) for one in back]
        told += [event_row(run_id, "gone", moment, **one) for one in lost]
        add_events(connection, told)
        kept.counts.update(back=len(back), gone=len(lost))
        connection.execute(delete(staged).where(staged.c.source == source))
        put_meta(connection, state[0], state[1](kept))
    return kept


def take_over(store: StoreWriter, source: str, before: str, run_id: str, key: str, value: str) -> None:
    """Makes what an interrupted run did for a source the work of the run that goes on with it."""
    with store._transaction() as connection:
        take_over_events(connection, before, run_id, source)
        put_meta(connection, key, value)


def meta_values(store: StoreReader, prefix: str) -> dict[str, str]:
    """The values of `meta` whose keys begin with a prefix, by the rest of the key, in its order."""
    query = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(prefix, autoescape=True)).order_by(meta.c.key)
    with store._engine.connect() as connection:
        return {row.key.removeprefix(prefix): row.value for row in connection.execute(query)}


def _of_source(source: str) -> tuple[Any, ...]:
    return projects.c.source == source, projects.c.origin == "crawl"


def _staged_rows(connection: Connection, source: str) -> Any:
    query = select(staged).where(staged.c.source == source).order_by(staged.c.project_id)
    return connection.execution_options(yield_per=BATCH).execute(query)


def _staged_records(connection: Connection, source: str) -> Iterator[Project]:
    for row in _staged_rows(connection, source):
        if row.record != STILL_THERE:
            yield _record(row.record)


def _record(text: str) -> Project:
    values = json.loads(text)
    return Project(**{**values, "keys": tuple(values["keys"])})


def _stored(connection: Connection, ids: list[str]) -> dict[str, dict[str, Any]]:
    query = (
        select(projects, documents.c.text)
        .select_from(projects.join(documents, projects.c.document_id == documents.c.id))
        .where(projects.c.id.in_(ids))
    )
    rows = (dict(row) for row in connection.execute(query).mappings())
    return {row["id"]: row | {"extra": json.loads(row["extra"])} for row in rows}


def _differs(given: Mapping[str, Any], stored: str) -> bool:
    """Whether a record is another version than the stored one, whose text may have been purged."""
    version = document_id(given["id"], given["url"], given["title"], given["text"])
    return stored not in (version, purged_id(version))


def _value(given: Mapping[str, Any], name: str) -> Any:
    return given[name] if name in given else given.get("extra", {}).get(name)


def _events(
    connection: Connection, done: WrittenBatch, run_id: str, moment: str, describe: Describe
) -> Iterator[dict[str, Any]]:
    """What is new and what is changed in a batch, with old and new wording."""
    for row in done.fresh:
        detail = {"title": row["title"], "url": row["url"]}
        yield event_row(run_id, "new", moment, project_id=row["id"], source=row["source"], detail=detail)
    ids = [row["document_id"] for row in done.changed] + [done.known[row["id"]]["document_id"] for row in done.changed]
    query = select(documents.c.id, documents.c.text).where(documents.c.id.in_(ids))
    texts = {row.id: row.text for row in connection.execute(query)}
    for row in done.changed:
        before = done.known[row["id"]]
        fields = {name: [before[name], row[name]] for name in COMPARED if before[name] != row[name]}
        passages = describe(texts[before["document_id"]], texts[row["document_id"]])
        if passages or fields:
            detail = {"title": row["title"], "url": row["url"], "passages": passages, "fields": fields}
            yield event_row(run_id, "changed", moment, project_id=row["id"], source=row["source"], detail=detail)


def _lost(connection: Connection, source: str, apart: set[str], excused: set[str]) -> list[dict[str, Any]]:
    """Stored projects of a source that are neither seen now nor known to be gone nor excused."""
    query = select(projects.c.id, projects.c.title, projects.c.url, projects.c.last_seen).where(*_of_source(source))
    return [
        {"project_id": row.id, "source": source,
         "detail": {"title": row.title, "url": row.url, "last_seen": row.last_seen}}
        for row in connection.execute(query.order_by(projects.c.id))
        if row.id not in apart and page_address(row.url) not in excused
    ]  # fmt: skip
