"""Reading stored documents: statements and passages of each, in one process or in several.

Below: `pipeline.nlp.extract`, `pipeline.nlp.passages`, imported inside functions. Above: `pipeline.refresh`.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from itertools import chain, islice
from multiprocessing import get_context

from data.records import Document, Extraction, Passage, Statement
from data.store_read import batches

BATCH = 64
AHEAD = 2
"""Batches that wait for each process beside the one it reads."""


def read_all(documents: Iterable[Document], *, reading: str, workers: int = 1) -> Iterator[list[Extraction]]:
    """The documents' extractions, batch by batch in their order; the result does not depend on `workers`.

    Args:
        documents: taken as far ahead as the processes need.
        reading: as in `pipeline.nlp.extract.extract`.
        workers: spawned processes, where there is more than one batch for each of them.
    """
    waiting = batches(documents, BATCH)
    first = list(islice(waiting, workers + 1))
    every = chain(first, waiting)
    if workers == 1 or len(first) <= workers:
        yield from (read(batch, reading) for batch in every)
        return
    workers = min(workers, os.cpu_count() or 1)
    pending: deque[Future[list[Extraction]]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for batch in every:
            pending.append(pool.submit(read, batch, reading))
            if len(pending) > workers * AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def read(documents: Sequence[Document], reading: str) -> list[Extraction]:
    """Statements and passages of documents, in their order."""
    from pipeline.nlp.extract import extract, to_statements, version_of
    from pipeline.nlp.passages import passages

    results = extract(((document.id, document.title, document.text) for document in documents), reading=reading)
    version = version_of(reading)
    found = []
    for document, result in zip(documents, results, strict=True):
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
    return found


def _as_stored(statement: Statement, document: Document) -> Statement:
    """The statement with the quote as it stands in the document, which has passed the door already."""
    if statement.quote is None or statement.start is None:
        return statement
    text = (document.title or "") if statement.where == "title" else document.text
    return replace(statement, quote=text[statement.start : statement.end])
