"""Reading stored documents: statements and passages of each, in one process or in several.

Below: `pipeline.nlp.extract`, `pipeline.nlp.passages`, imported inside functions. Above: `pipeline.refresh`.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from multiprocessing import get_context

from data.records import Document, Extraction, Passage, Rejected, Statement
from data.store_read import batches

BATCH = 64
AHEAD = 2
"""Batches that wait for each process beside the one it reads."""


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a batch of documents, in their order."""

    found: list[Extraction | Rejected]
    """By document its extraction, or why it was not read in time."""
    vectors: Mapping[str, bytes]
    """The vectors that were computed on the way, by their cache keys: the index needs them too."""
    fingerprint: str | None
    """Of the encoder that computed them; None where none was asked."""

    @property
    def extractions(self) -> list[Extraction]:
        """Of the documents that were read in time."""
        return [one for one in self.found if isinstance(one, Extraction)]

    @property
    def rejected(self) -> list[Rejected]:
        """Why the others were not."""
        return [one for one in self.found if isinstance(one, Rejected)]


def read_all(
    documents: Iterable[Document], *, reading: str, workers: int = 1, seconds: float | None = None
) -> Iterator[Read]:
    """What is read in documents, batch by batch in their order; the result does not depend on `workers`.

    Args:
        documents: taken as far ahead as the processes need.
        reading: as in `pipeline.nlp.extract.extract`.
        workers: spawned processes, where there is more than one batch for each of them.
        seconds: of processor time that one text may take; one that takes longer is named, the others are read.
    """
    waiting = batches(documents, BATCH)
    first = list(islice(waiting, workers + 1))
    every = chain(first, waiting)
    if workers == 1 or len(first) <= workers:
        yield from (read(batch, reading, seconds) for batch in every)
        return
    workers = min(workers, os.cpu_count() or 1)
    pending: deque[Future[Read]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for batch in every:
            pending.append(pool.submit(read, batch, reading, seconds))
            if len(pending) > workers * AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def read(documents: Sequence[Document], reading: str, seconds: float | None = None) -> Read:
    """Statements, passages and vectors of documents; arguments as in `read_all`."""
    from pipeline.nlp.extract import extract, to_statements, version_of
    from pipeline.nlp.passages import passages
    from pipeline.nlp.text_vectors import NewVectors

    vectors = NewVectors()
    texts = ((document.id, document.title, document.text) for document in documents)
    version = version_of(reading)
    found: list[Extraction | Rejected] = []
    told_of = extract(texts, reading=reading, seconds=seconds, vectors=vectors)
    for document, result in zip(documents, told_of, strict=True):
        if "error" in result:
            found.append(_not_read(document, result["error"]["message"]))
            continue
        pieces = [
            Passage(
                project_id=document.project_id, document_id=document.id, start=start, end=end,
                text=document.text[start:end],
            )
            for start, end in passages(document.text)
        ]  # fmt: skip
        told = to_statements(document.project_id, document.id, result, version=version)
        statements = tuple(_as_stored(statement, document) for statement in told)
        found.append(Extraction(document=document, statements=statements, passages=tuple(pieces)))
    return Read(found, vectors.found, vectors.fingerprint)


def _not_read(document: Document, reason: str) -> Rejected:
    name = document.title or document.project_id
    told = f"Projekt „{name}“ ({document.project_id}): {reason} Es bleibt, wie es war."
    return Rejected(source=document.source, line=None, reason=told, id=document.project_id)


def _as_stored(statement: Statement, document: Document) -> Statement:
    """The statement with the quote as it stands in the document, which has passed the door already."""
    if statement.quote is None or statement.start is None:
        return statement
    text = (document.title or "") if statement.where == "title" else document.text
    return replace(statement, quote=text[statement.start : statement.end])
