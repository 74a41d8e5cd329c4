"""One source from its crawl to the database: staged record by record, looked over by the gates, kept as a whole.

Below: `crawlers`, `data.store_staging`, `pipeline.gates`, `pipeline.known_pages`. Above: `pipeline.refresh`.
Where a source stands is kept in the database (`Attempt`), so that a killed run is gone on with:

- `crawling`: within a day the next run of the same source files goes on; pages read since the attempt began are not
  asked for again (`crawlers.memory`), and what they brought is taken from the stage. Otherwise it begins anew.
- `kept`: the crawl is in the database, but its run did not end; the next run takes its changes over as its own.
- `held`: a gate closed. The last good state stays, the staged rows can be looked at, the next crawl reads every page.
- `done`: nothing is open.

The memory of pages belongs to one good state of the database (`Attempt.token`): one that was written for another state
(an abandoned attempt, a restored backup, a crawl out of an archive) is not used, for a page that the server calls
unchanged would then be one that the database never got.
"""

import hashlib
import json
from collections.abc import Callable, Container
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from crawlers.memory import FileMemory
from crawlers.outcome import Refused, Unchanged
from crawlers.web import Memory, Waiting
from data.clock import utc_now
from data.errors import CheckupError
from data.records import Fetched, Rejected
from data.store import Store
from data.store_erase import ATTEMPT, door_of
from data.store_events import event_row, replace_events
from data.store_staging import (
    Kept,
    clear_staged,
    confirm,
    let_through,
    look_over,
    meta_values,
    page_address,
    stage,
    take_over,
)
from data.system_errors import in_german
from pipeline.changes import changed_passages
from pipeline.gates import Finding, gates
from pipeline.ingest import from_fetched
from pipeline.known_pages import KnownPages
from pipeline.remarks import Collector, Remarks

if TYPE_CHECKING:
    from crawlers.crawl import Crawl
    from crawlers.source import SourceConfig

Opener = Callable[["SourceConfig", Memory | None, str | None, Waiting], "Crawl"]
"""Opens a crawl of a source; gets its memory, since when pages count as fresh, and what is entered while it waits."""
RESUMED_WITHIN_H = 24
PASSING = frozenset(
    {"unreachable", "timeout", "truncated", "tls", "server", "budget", "retry_after", "max_pages", "not_archived"}
)
"""Refusals after which nobody can say that what was not seen is gone."""
EXCUSING = PASSING | {"robots", "address", "opt_out"}
"""Refusals of a page after which its own projects do not count as gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Where a source stands."""

    run_id: str
    began: str
    """When the first run of this attempt began to crawl; ISO 8601 in UTC."""
    fingerprint: str
    """Of the source's file and the program."""
    token: str
    """Names the good state that the memory of pages belongs to."""
    state: Literal["crawling", "held", "kept", "done"] = "crawling"
    good: int | None = None
    """Records of the last crawl that passed."""
    good_at: str | None = None
    complete: bool = True
    excused: list[str] = field(default_factory=list)
    failed: list[list[Any]] = field(default_factory=list)
    """Source, line and reason of what did not make it."""
    remarks: dict[str, Any] = field(default_factory=dict)
    """Values of `pipeline.remarks.Remarks`."""
    findings: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    resumed: bool = False


@dataclass(slots=True)
class SourceReport:
    """What a run did about one source."""

    name: str
    attempt: Attempt
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Rejected]:
        """Every page, row or gate that failed, with its reason."""
        return [Rejected(source=source, line=line, reason=reason) for source, line, reason in self.attempt.failed]

    @property
    def remarks(self) -> Remarks:
        """What the crawl remarked beside its records."""
        return Remarks(**self.attempt.remarks)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a source's crawl has left in the stage, not yet looked over."""

    source: "SourceConfig"
    before: Attempt | None
    attempt: Attempt
    memory: FileMemory | None = None
    hints: tuple[str, ...] = ()


def take_in(store: Store, source: "SourceConfig", *, run_id: str, opened: Opener) -> SourceReport:
    """Crawl a source into the stage, ask the gates, and keep what they let through.

    Args:
        store: Held for writing.
        source: The source.
        run_id: The run that does it.
        opened: Opens the crawl.
    """
    return settle(store, gather(store, source, run_id=run_id, opened=opened))


def gather(
    store: Store, source: "SourceConfig", *, run_id: str, opened: Opener, waiting: Waiting = nullcontext
) -> Gathered:
    """Crawl a source into the stage: the first half of `take_in`, which touches nothing of another source.

    Args:
        store: Held for writing.
        source: The source.
        run_id: The run that does it.
        opened: Opens the crawl.
        waiting: Entered while the crawl waits for a server.
    """
    if door_of(store).is_erased(source=source.name):
        passed = Attempt(run_id=run_id, began=utc_now(), fingerprint="", token=run_id, state="done")
        note = f"{source.name}: wurde gelöscht und wird nicht mehr abgerufen; die YAML-Datei kann weg."
        return Gathered(source, None, passed, hints=(note,))
    before = attempt_of(store, source.name)
    attempt = _begin(store, source, before, run_id)
    if attempt.state == "kept":
        return Gathered(source, before, attempt)
    attempt, memory, hints = _crawl_into_stage(store, source, attempt, opened, waiting)
    return Gathered(source, before, attempt, memory, tuple(hints))


def settle(store: Store, gathered: Gathered) -> SourceReport:
    """Ask the gates about a finished crawl, and keep what they let through: the second half of `take_in`."""
    source, before, attempt = gathered.source, gathered.before, gathered.attempt
    notes = list(gathered.hints)
    if attempt.state == "done":
        return SourceReport(source.name, attempt, notes)
    if attempt.state == "kept" and before is not None:
        take_over(store, source.name, before.run_id, attempt.run_id, _key(source.name), _text(attempt))
        note = f"{source.name}: schon am {attempt.began[:10]} abgerufen; der abgebrochene Lauf wird zu Ende geführt."
        return SourceReport(source.name, attempt, [note])
    findings = gates(source, look_over(store, source.name, source.expect.fill), attempt.good)
    notes += [finding.reason for finding in findings if not finding.holds]
    holding = [finding for finding in findings if finding.holds]
    if holding:
        return SourceReport(source.name, _hold(store, source.name, attempt, holding), notes)
    attempt = _keep(store, source.name, attempt)
    if gathered.memory is not None:
        gathered.memory.renew(_memory_name(attempt))
    return SourceReport(source.name, attempt, notes)


def finish(store: Store, reports: list[SourceReport]) -> None:
    """Note that a run that kept these sources has ended."""
    for report in reports:
        if report.attempt.state == "kept":
            _write(store, report.name, replace(report.attempt, state="done"))


def attempt_of(store: Store, source: str) -> Attempt | None:
    """Where a source stands; None before its first crawl."""
    text = store.get_meta(_key(source))
    return None if text is None else Attempt(**json.loads(text))


def expect_fewer(store: Store, source: str, count: int) -> None:
    """Notes that so many records of a source's last good crawl were erased, so that no gate misses them."""
    attempt = attempt_of(store, source)
    if attempt is not None and attempt.good is not None:
        _write(store, source, replace(attempt, good=max(0, attempt.good - count)))


def forget_notes(store: Store, chosen: Callable[[str], bool], lists: Container[str]) -> None:
    """Drops what was noted about values on chosen pages, and in rows of these sources: no row tells whose it is."""
    for name, attempt in _attempts(store).items():
        remarks = Remarks(**attempt.remarks)
        if remarks.forget(chosen, rows=name in lists):
            _write(store, name, replace(attempt, remarks=asdict(remarks)))


def held_sources(store: Store) -> dict[str, Attempt]:
    """The sources that a gate holds, by name."""
    return {name: attempt for name, attempt in _attempts(store).items() if attempt.state == "held"}


def _attempts(store: Store) -> dict[str, Attempt]:
    return {name: Attempt(**json.loads(text)) for name, text in meta_values(store, _key("")).items()}


def let_held_through(store: Store, source: str, run_id: str) -> SourceReport:
    """Keep what a gate held, because a person has looked at it.

    Raises:
        CheckupError: Nothing of that source is held.
    """
    attempt = attempt_of(store, source)
    if attempt is None or attempt.state != "held":
        raise CheckupError(f"Von der Quelle „{source}“ wird nichts zurückgehalten.")
    return SourceReport(source, _keep(store, source, replace(attempt, run_id=run_id, findings=[])))


# --- crawling --------------------------------------------------------------------------------------------------------


def _begin(store: Store, source: "SourceConfig", before: Attempt | None, run_id: str) -> Attempt:
    """Goes on with an interrupted attempt, or begins anew with an empty stage."""
    fingerprint, now = _fingerprint(source), utc_now()
    if before is not None and before.fingerprint == fingerprint and _resumable(before, now):
        attempt = replace(before, run_id=run_id, resumed=True)
    else:
        fits = before is not None and before.state == "done" and before.fingerprint == fingerprint
        attempt = Attempt(
            run_id=run_id, began=now, fingerprint=fingerprint,
            token=before.token if before is not None and fits else run_id,
            good=before.good if before else None, good_at=before.good_at if before else None,
        )  # fmt: skip
        clear_staged(store, source.name)
    if attempt.state == "crawling":
        _write(store, source.name, attempt)
    return attempt


def _resumable(before: Attempt, now: str) -> bool:
    age = datetime.fromisoformat(now) - datetime.fromisoformat(before.began)
    return before.state in ("crawling", "kept") and abs(age) < timedelta(hours=RESUMED_WITHIN_H)


def _crawl_into_stage(
    store: Store, source: "SourceConfig", attempt: Attempt, opened: Opener, waiting: Waiting
) -> tuple[Attempt, FileMemory | None, list[str]]:
    """Stages every record before the next is asked for; returns what the crawl as a whole says."""
    door = door_of(store)
    inner = FileMemory(_memory_path(store, source.name), _memory_name(attempt))
    memory = KnownPages(store, source, attempt.began, inner, door)
    crawl = opened(source, memory, attempt.began if attempt.resumed else None, waiting)
    refused: list[Refused] = []
    passed_over = erased = 0
    whole = source.kind == "list"  # read again from its beginning after a kill
    remarks = Remarks() if whole else Remarks(**attempt.remarks)
    collector = Collector(remarks, crawl.counts, door)
    for outcome in crawl:
        if isinstance(outcome, Fetched):
            project = door.apply(from_fetched(outcome), source.name)
            if project is None:
                erased += 1
            else:
                stage(store, source.name, attempt.run_id, project, outcome.fetched_at)
        elif isinstance(outcome, Unchanged):
            confirm(store, source.name, attempt.run_id, memory.ids(outcome.url), utc_now())
        elif not door.is_erased(url=outcome.url):
            passed_over += outcome.expected
            refused.append(outcome)
        if collector.take(outcome.url) and not whole:
            _write(store, source.name, replace(attempt, remarks=asdict(remarks)))
    remarks.finish(refused)
    clear_staged(store, source.name, except_run=attempt.run_id)
    done = replace(
        attempt,
        complete=not any(one.code in PASSING for one in refused),
        excused=sorted({page_address(one.url) for one in refused if one.code in EXCUSING}),
        failed=[[one.url, one.line, one.reason] for one in refused if not one.expected],
        counts={"passed_over": passed_over, **({"erased": erased} if erased else {})},
        remarks=asdict(remarks),
    )
    return done, memory.inner if memory.used else None, list(crawl.counts.hints)


# --- holding and keeping ---------------------------------------------------------------------------------------------


def _hold(store: Store, source: str, attempt: Attempt, findings: list[Finding]) -> Attempt:
    failed = attempt.failed + [[source, None, finding.reason] for finding in findings]
    held = replace(attempt, state="held", failed=failed, findings=[asdict(finding) for finding in findings])
    detail = {"findings": held.findings}
    rows = [event_row(attempt.run_id, "held", utc_now(), source=source, detail=detail)]
    replace_events(store, attempt.run_id, ["held"], rows, source=source)
    _write(store, source, held)
    return held


def _keep(store: Store, source: str, attempt: Attempt) -> Attempt:
    """Lets the stage through; the new state is written in the same transaction."""

    def state(kept: Kept) -> str:
        return _text(_kept(attempt, kept))

    kept = let_through(
        store,
        source,
        attempt.run_id,
        complete=attempt.complete,
        excused=attempt.excused,
        describe=changed_passages,
        state=(_key(source), state),
    )
    return _kept(attempt, kept)


def _kept(attempt: Attempt, kept: Kept) -> Attempt:
    records = sum(kept.counts[name] for name in ("new", "updated", "unchanged"))
    return replace(
        attempt,
        state="kept",
        good=records,
        good_at=attempt.began,
        token=attempt.run_id,
        counts={**attempt.counts, **kept.counts},
    )


# --- where things lie ------------------------------------------------------------------------------------------------


def _key(source: str) -> str:
    return ATTEMPT + source


def _text(attempt: Attempt) -> str:
    return json.dumps(asdict(attempt), ensure_ascii=False)


def _write(store: Store, source: str, attempt: Attempt) -> None:
    store.set_meta(_key(source), _text(attempt))


def _memory_path(store: Store, source: str) -> Path:
    return store.settings.workspace / "crawl" / f"{source}.jsonl"


def _memory_name(attempt: Attempt) -> str:
    return f"{attempt.fingerprint}-{attempt.token}"


def _fingerprint(source: "SourceConfig") -> str:
    try:
        program = version("checkup-integration")
    except PackageNotFoundError:
        program = "0"
    try:
        content = source.path.read_bytes()
    except OSError as error:
        raise CheckupError(f"{source.path} lässt sich nicht lesen: {in_german(error)}.") from error
    return hashlib.sha256(content + program.encode()).hexdigest()[:32]
