"""Takes texts out of the database whose time or share is over; statements, quotes, the vector and the link stay.

Below: `data.purged`, `data.store_mask`, `data.tables`. Above: `pipeline.retention`, which knows the sources' rules.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from data.purged import MARK, purged_id, vector_key
from data.store_mask import move_document
from data.store_read import StoreReader, batches
from data.store_sweep import overwrite_deleted
from data.store_write import StoreWriter
from data.tables import documents, events, passages, projects, vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawled:
    """A crawled project as retention looks at it."""

    id: str
    source: str
    last_seen: str
    document_id: str
    title: str | None
    text: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """A text that is to go, why, and the cache keys of its vectors."""

    project: Crawled
    because: str
    vector_sha256: str
    """Of its whole text."""
    empty_sha256: str
    """Of what stands for it once the text is gone."""


def crawled_texts(store: StoreReader) -> list[Crawled]:
    """Crawled projects that still have a text and were read by the extractor, in the order of ids."""
    names = ("id", "source", "last_seen", "document_id", "title", "url")
    query = (
        select(*(projects.c[name] for name in names), documents.c.text)
        .select_from(projects.join(documents, projects.c.document_id == documents.c.id))
        .where(
            projects.c.origin == "crawl",
            documents.c.text != "",
            projects.c.extracted_document_id == projects.c.document_id,
        )
        .order_by(projects.c.id)
    )
    with store._engine.connect() as connection:
        return [Crawled(**row._mapping) for row in connection.execute(query)]


def purged_documents(store: StoreReader) -> list[str]:
    """Ids of the current versions without a text, those of merged projects included."""
    query = select(documents.c.id).where(documents.c.text == "", documents.c.id.in_(select(projects.c.document_id)))
    with store._engine.connect() as connection:
        return list(connection.execute(query).scalars())


def purge(store: StoreWriter, items: Iterable[Purge], at: str) -> int:
    """Empties the texts of every version of these projects; returns how many projects it was.

    The whole text's vector stays under a key of its own; passages go, and the wording in events.

    Args:
        store: Held for writing.
        items: Whose texts go.
        at: ISO 8601 in UTC; stands in the project's key `purged`.
    """
    count = 0
    for batch in batches(items, 100):
        with store._transaction() as connection:
            overwrite_deleted(connection)
            for item in batch:
                _purge_one(connection, item, at)
        count += len(batch)
    return count


def _purge_one(connection: Connection, item: Purge, at: str) -> None:
    project_id = item.project.id
    connection.execute(delete(passages).where(passages.c.project_id == project_id))
    of_project = documents.c.project_id == project_id, documents.c.text != ""
    for row in list(connection.execute(select(documents).where(*of_project)).mappings()):
        move_document(connection, row["id"], {**row, "id": purged_id(row["id"]), "text": "", "sha256": ""})
    known = select(projects.c.extra).where(projects.c.id == project_id)
    extra = {**json.loads(connection.execute(known).scalar_one()), MARK: {"at": at, "because": item.because}}
    text = json.dumps(extra, ensure_ascii=False)
    connection.execute(update(projects).where(projects.c.id == project_id).values(extra=text))
    _keep_vector(connection, item)
    _strip_events(connection, project_id)


def _keep_vector(connection: Connection, item: Purge) -> None:
    found = connection.execute(select(vectors).where(vectors.c.text_sha256 == item.vector_sha256)).mappings().all()
    for row in found:
        for key in (vector_key(purged_id(item.project.document_id)), item.empty_sha256):
            here = vectors.c.fingerprint == row["fingerprint"], vectors.c.text_sha256 == key
            if not connection.execute(select(vectors.c.text_sha256).where(*here)).first():
                connection.execute(insert(vectors).values({**row, "text_sha256": key}))


def _strip_events(connection: Connection, project_id: str) -> None:
    """The wording of changes is text of the source, too."""
    query = select(events.c.id, events.c.detail).where(events.c.project_id == project_id, events.c.kind == "changed")
    for row in list(connection.execute(query)):
        detail: dict[str, Any] = json.loads(row.detail)
        if detail.get("passages"):
            fresh = json.dumps({**detail, "passages": []}, ensure_ascii=False)
            connection.execute(update(events).where(events.c.id == row.id).values(detail=fresh))


def known_rules(store: StoreReader, prefix: str) -> Mapping[str, Mapping[str, Any]]:
    """What is kept in `meta` under a prefix, as JSON objects by the rest of the key."""
    from data.store_staging import meta_values

    return {name: json.loads(text) for name, text in meta_values(store, prefix).items()}
