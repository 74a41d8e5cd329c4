"""The main road in: sources to documents to extracted, embedded and published projects. Read it from top to bottom.

Below: `crawlers`, `pipeline.ingest`, `pipeline.nlp`, `pipeline.publish`, `data.store`. Above: `checkup`.
Every stage takes up what the one before left in the database, so that a run killed anywhere is finished by the next:
stored documents that the present extractor has not read are extracted, vectors that are missing are computed, and
readers keep the old generation until the new one is whole.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.clock import utc_now
from data.records import Document, Extraction, Fetched, Passage, Project, ProjectOrigin, Rejected, TextKind
from data.shipped import iter_shipped
from data.store import Store
from data.store_read import batches
from embeddings.encoders import Encoder, load_encoder
from embeddings.shipped_vectors import load_shipped
from pipeline.publish import Progress, publish_index

if TYPE_CHECKING:
    from crawlers.crawl import Crawl

BATCH = 64


@dataclass(slots=True)
class Report:
    """What a run did; `failed` names each record or page that did not make it, with its reason."""

    counts: Counter[str] = field(default_factory=lambda: Counter(new=0, updated=0, unchanged=0, extracted=0))
    failed: list[Rejected] = field(default_factory=list)
    generation: str | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """What every run needs beside the store."""

    encoder: Encoder
    workers: int = 1
    progress: Progress | None = None


def worker_for(store: Store, *, workers: int = 1, progress: Progress | None = None) -> Worker:
    """A worker with the encoder that the workspace's settings name."""
    return Worker(load_encoder(store.settings.encoder, threads=store.settings.threads), workers, progress)


def seed(store: Store, worker: Worker, report: Report) -> None:
    """Load the shipped projects with their editors' statements; a second call brings them up to date."""
    load_shipped(store, worker.encoder.fingerprint)
    entries = list(iter_shipped())
    keep(store, [entry.project for entry in entries], report, origin="seed", source="seed", kind="summary")
    for entry in entries:
        store.add_statements(entry.statements, whole=True)
    process(store, worker, report)


def import_projects(store: Store, projects: Iterable[Project], worker: Worker, report: Report, *, source: str) -> None:
    """Store imported projects, personal data masked, and make each of them matchable.

    Args:
        store: held for writing.
        projects: as `data.exchange` read them.
        worker: encoder and workers.
        report: gets the counts.
        source: the file's name.
    """
    from pipeline.ingest import mask_project

    keep(store, map(mask_project, projects), report, origin="import", source=source, kind="original")
    process(store, worker, report)


def refresh(store: Store, crawls: Sequence["Crawl"], worker: Worker, report: Report) -> None:
    """Crawl the sources one after the other, store what is new or changed, then bring the index up to date.

    A source that fails is reported and leaves what it brought before untouched.
    """
    from pipeline.ingest import from_fetched

    for crawl in crawls:
        fetched = _fetched(crawl, report)
        keep(store, map(from_fetched, fetched), report, origin="crawl", source=crawl.source.name, kind="original")
    process(store, worker, report)


def _fetched(crawl: "Crawl", report: Report) -> Iterator[Fetched]:
    """The pages or rows that became records; the others are reported with their reason."""
    from crawlers.crawl import Refused

    for outcome in crawl:
        if isinstance(outcome, Fetched):
            yield outcome
        elif isinstance(outcome, Refused) and outcome.expected:
            report.counts["passed_over"] += 1
        elif isinstance(outcome, Refused):
            report.failed.append(Rejected(source=outcome.url, line=outcome.line, reason=outcome.reason))
        else:
            report.counts["unchanged"] += 1
    report.failed += [Rejected(source=crawl.source.name, line=None, reason=reason) for reason in crawl.failures()]


def keep(
    store: Store,
    projects: Iterable[Project],
    report: Report,
    *,
    origin: ProjectOrigin,
    source: str,
    kind: TextKind,
) -> None:
    """Store projects batch by batch: a changed text is a new document version, an unchanged one only seen again."""
    for batch in batches(projects, BATCH):
        done = store.upsert_projects(batch, origin=origin, source=source, kind=kind, fetched_at=utc_now())
        report.counts.update(new=done.new, updated=done.updated, unchanged=done.unchanged)


def process(store: Store, worker: Worker, report: Report) -> None:
    """Extract what the present extractor has not read, embed what is new, publish, and say how much it was."""
    from pipeline.nlp.extract import EXTRACTOR_VERSION

    for batch in batches(store.documents_to_extract(EXTRACTOR_VERSION), BATCH):
        done = store.save_extractions(extractions(batch), extractor_version=EXTRACTOR_VERSION, seen_at=utc_now())
        report.counts["extracted"] += done
        if worker.progress:
            worker.progress("auslesen", report.counts["extracted"], 0)
    report.generation = publish_index(
        store,
        worker.encoder,
        encoder_name=store.settings.encoder,
        extractor_version=EXTRACTOR_VERSION,
        workers=worker.workers,
        progress=worker.progress,
    )


def extractions(documents: Sequence[Document]) -> Iterator[Extraction]:
    """Statements and passages of documents, in their order."""
    from pipeline.nlp.extract import extract, to_statements
    from pipeline.nlp.passages import passages

    results = extract((document.id, document.title, document.text) for document in documents)
    for document, result in zip(documents, results, strict=True):
        pieces = [
            Passage(
                project_id=document.project_id, document_id=document.id, start=start, end=end,
                text=document.text[start:end],
            )
            for start, end in passages(document.text)
        ]  # fmt: skip
        statements = tuple(to_statements(document.project_id, document.id, result))
        yield Extraction(document=document, statements=statements, passages=tuple(pieces))
