"""The main road in: sources to documents to extracted, embedded and published projects. Read it from top to bottom.

Below: `pipeline.staging` (one source), `pipeline.side_by_side` (several), `pipeline.ingest`, `pipeline.nlp`,
`pipeline.publish`, `data`. Above: `checkup`.
Every stage takes up what the one before left in the database, so that a run killed anywhere is finished by the next:
stored documents that the present extractor has not read are extracted, vectors that are missing are computed, and
readers keep the old generation until the new one is whole.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from data.clock import utc_now
from data.errors import CheckupError
from data.records import Project, ProjectOrigin, Rejected, TextKind
from data.shipped import iter_shipped
from data.store import Store
from data.store_curation import curated_since
from data.store_erase import door_of, let_in, let_in_shipped
from data.store_events import event_row, label_changes, label_shares, read_since, replace_events
from data.store_read import batches
from embeddings.encoders import Encoder, load_encoder
from embeddings.shipped_vectors import load_shipped
from pipeline.curate import curate
from pipeline.extraction import read_all
from pipeline.gates import drift
from pipeline.publish import Progress, publish_index
from pipeline.retention import drop_expired_archives, drop_expired_lines, leave_no_trace, retain
from pipeline.review import fill_queue
from pipeline.side_by_side import SideBySide, Turn

if TYPE_CHECKING:
    from crawlers.source import SourceConfig
    from pipeline.remarks import Remarks
    from pipeline.staging import Opener, SourceReport

BATCH = 64


@dataclass(slots=True)
class Report:
    """What a run did; `failed` names each record or page that did not make it, with its reason."""

    counts: Counter[str] = field(default_factory=lambda: Counter(new=0, updated=0, unchanged=0, extracted=0))
    failed: list[Rejected] = field(default_factory=list)
    generation: str | None = None
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no failure."""
    archives: dict[str, str] = field(default_factory=dict)
    """The file in which a source's pages were kept, by its name."""
    remarks: dict[str, "Remarks"] = field(default_factory=dict)
    """Values that could not be read and what was passed over, by the source's name, in the order of the sources."""
    held: list[dict[str, Any]] = field(default_factory=list)
    """Gates that closed: gate and reason; their sources keep their last good state."""


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
    entries = let_in_shipped(store, iter_shipped(), report.counts)
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


def refresh(
    store: Store,
    sources: Sequence["SourceConfig"],
    worker: Worker,
    report: Report,
    *,
    run_id: str,
    opened: "Opener",
) -> None:
    """Crawl the sources side by side, keep what passes its gates, then bring the index up to date.

    As many are crawled at once as the settings say (`sources_at_once`); they are looked over and kept in the order
    given, so that database, report and notes are those of one after the other. A source that fails a gate is reported
    and leaves what it brought before untouched. What an interrupted refresh has done within a day is taken over:
    crawled pages, kept sources, and their changes.

    Args:
        store: held for writing.
        sources: reported in this order.
        worker: encoder and workers.
        report: gets counts, failures, notes, and what is held.
        run_id: of the run in `store.writing`.
        opened: opens a crawl; `crawlers.crawl.crawl` with a fetcher, and memory, fresh_after and waiting as given.
    """
    from pipeline.staging import finish, gather, settle

    since = utc_now()
    report.counts.update(gone=0, back=0, passed_over=0)
    taken = []
    turn = Turn()
    jobs = [
        partial(gather, store, source, run_id=run_id, opened=opened, waiting=turn.handed_over) for source in sources
    ]
    with SideBySide(jobs, store.settings.sources_at_once, turn) as crawled:
        for gathered in crawled:
            with turn.taken():
                taken.append(settle(store, gathered))
            _report(taken[-1], report)
    since = min([since, *(one.attempt.began for one in taken if one.attempt.resumed)])
    process(store, worker, report)
    report.notes += _count_since(store, run_id, since, report)
    if purged := retain(store, sources, utc_now()):
        report.counts["purged"] = purged
        process(store, worker, report)
        leave_no_trace(store)
    if dropped := drop_expired_archives(store, utc_now()):
        report.notes.append(f"Archive gelöscht, weil ihre Frist um ist: {dropped}.")
    try:
        drop_expired_lines(store, utc_now())
    except CheckupError as error:
        report.notes.append(error.message)
    finish(store, taken)


def _count_since(store: Store, run_id: str, since: str, report: Report) -> list[str]:
    """Count what was done since the refresh began, by interrupted runs too, and tell the labels that changed.

    Where the clock was set back behind an earlier run, times do not tell what came first, and that is said instead.
    """
    last = max((run.ended_at or run.started_at for run in store.runs() if run.id != run_id), default="")
    if last > utc_now():
        return [
            f"Die Uhr dieses Rechners steht vor dem letzten Lauf ({last[:10]}). Bitte die Uhr prüfen; geänderte "
            "Einstufungen wurden diesmal nicht verglichen."
        ]
    for name, count in {"extracted": read_since(store, since), **curated_since(store, since)}.items():
        report.counts[name] = max(report.counts[name], count)
    return note_label_changes(store, run_id, since)


def _report(taken: "SourceReport", report: Report) -> None:
    """Add what came of one source."""
    report.failed += taken.failed
    report.notes += taken.notes
    report.held += taken.attempt.findings
    if taken.remarks:
        report.remarks[taken.name] = taken.remarks
    report.counts.update(taken.attempt.counts)


def note_label_changes(store: Store, run_id: str, since: str) -> list[str]:
    """Write down whose labels changed since a moment, and say where the extractor's shares moved."""
    fresh_texts, fresh, stored_texts, stored = label_shares(store, since)
    if not fresh_texts:
        return []
    now = utc_now()
    rows = []
    for change in label_changes(store, since):
        detail = {"labels": {name: list(pair) for name, pair in change.changed.items()}}
        rows.append(event_row(run_id, "label_changed", now, project_id=change.project_id, detail=detail))
    notes = []
    for name, before, after in drift(fresh_texts, fresh, stored_texts, stored):
        moved = {"label": name, "before": round(before, 4), "now": round(after, 4), "texts": fresh_texts}
        rows.append(event_row(run_id, "drift", now, detail=moved))
        notes.append(
            f"Verschiebung: „{name}“ bei {after * 100:.0f} % von {fresh_texts} neu gelesenen Texten, "
            f"bisher bei {before * 100:.0f} % von {stored_texts}."
        )
    replace_events(store, run_id, ("label_changed", "drift"), rows, since=since)
    return notes


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
    shown = door_of(store).names.mask(source)
    for batch in batches(let_in(store, projects, source, report.counts), BATCH):
        done = store.upsert_projects(batch, origin=origin, source=shown, kind=kind, fetched_at=utc_now())
        report.counts.update(new=done.new, updated=done.updated, unchanged=done.unchanged)


def process(store: Store, worker: Worker, report: Report) -> None:
    """Extract what is unread, merge duplicates, ask about doubts, embed what is new, publish, and count."""
    from pipeline.nlp.extract import version_of

    reading = store.settings.reading
    version = version_of(reading)
    waiting = store.documents_to_extract(version)
    for batch in read_all(waiting, reading=reading, workers=worker.workers, seconds=store.settings.text_seconds):
        report.failed += [one for one in batch.rejected if one not in report.failed]
        if batch.fingerprint == worker.encoder.fingerprint:
            store.put_vectors(batch.fingerprint, batch.vectors)
        found = batch.extractions
        report.counts["extracted"] += store.save_extractions(found, extractor_version=version, seen_at=utc_now())
        if worker.progress:
            worker.progress("auslesen", report.counts["extracted"], 0)
    curated = curate(store, store.run_id)
    report.counts["merged"] += curated.merged
    report.counts["questions"] += curated.asked + fill_queue(store)
    report.generation = publish_index(
        store,
        worker.encoder,
        encoder_name=store.settings.encoder,
        extractor_version=version,
        workers=worker.workers,
        progress=worker.progress,
    )
