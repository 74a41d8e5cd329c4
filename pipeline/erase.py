"""Erasure with proof: a project, a page, a source or a person's name leaves every file of the workspace, for good.

Below: `data.store_erase`, `crawlers.forget`, `pipeline.refresh`, `pipeline.traces`. Above: `checkup.commands.care`.
The order makes it repeatable: what must not come back is noted first, and the database, which alone knows what to look
for, gives it up last; so a run killed anywhere is finished by the same call. Mentions elsewhere (notes, events, runs)
are masked with U+2588, one code point for one.
"""

import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from crawlers.forget import drop_lines, drop_records, forget
from crawlers.log_file import Line
from data.errors import CheckupError, UsageError
from data.person_names import MASK, Names, variants
from data.store import Store
from data.store_erase import (
    Gone,
    Kind,
    Tombstone,
    add_tombstones,
    door_of,
    enforce,
    ids_of,
    made_for,
    mask_mentions_of,
    page_key,
    source_known,
    sources_of,
    surviving_texts,
    texts_of,
    urls_of,
)
from data.store_sweep import sweep
from data.vocabulary import load_vocabulary
from pipeline import refresh
from pipeline.retention import leave_no_trace
from pipeline.staging import expect_fewer, forget_notes
from pipeline.traces import Hit, Searched, Traces

OURS = "reports"
"""Folder of a workspace whose files are made from the database; one that holds something erased is deleted."""
LOG_WAIT_S = 10.0
"""How long readers may keep the database's log from being emptied."""


@dataclass(slots=True)
class Erased:
    """What an erasure did and what a search over every file says afterwards."""

    kind: Kind
    gone: Gone = field(default_factory=Gone)
    archived: int = 0
    """Records that left archives."""
    deleted: list[str] = field(default_factory=list)
    """Reports and the like that held something of it."""
    shared_with: list[str] = field(default_factory=list)
    """Projects in which the same wording stands; it stays there."""
    searched: Searched = field(default_factory=Searched)
    log_emptied: bool = True
    """Whether no reader kept the database's log, in which deleted content may stand."""
    generation: str | None = None


def erase(store: Store, kind: Kind, key: str, reason: str, worker: refresh.Worker) -> Erased:
    """Erase something and search every file for what is left of it.

    Args:
        store: held for writing.
        kind: what `key` names: a project's id, a page's address, a source's name, a person's name.
        key: see there.
        reason: kept beside the hash; the key itself is masked in it.
        worker: publishes the index anew.

    Raises:
        CheckupError: There is no such project or source, or a file cannot be rewritten.
        UsageError: No name of two words, or no reason.
    """
    ids = _checked(store, kind, key, reason)
    traces = Traces(_texts(store, kind, key, ids), key if kind == "person" else None)
    urls = {page_key(url) for _, url, _ in urls_of(store, ids) if url}
    lost = sources_of(store, ids)
    add_tombstones(store, _tombstones(store, kind, key, ids, reason))
    done = Erased(kind, shared_with=forget_staying(store, traces))
    _notes(store, urls, lost)
    _files(store, kind, key, traces, urls, done)
    _drop_reports(store.settings.workspace, traces, done)
    mask_mentions_of(store, traces.mask)
    # Before what it is about is gone: counted twice after a kill it makes a gate milder, not at all would close it.
    for source, count in lost.items():
        expect_fewer(store, source, count)
    done.gone = enforce(store)
    report = refresh.Report()
    refresh.process(store, worker, report)
    done.generation = report.generation
    leave_no_trace(store)
    done.log_emptied = _empty_log(store)
    done.searched = traces.search(store.settings.workspace)
    return done


def _checked(store: Store, kind: Kind, key: str, reason: str) -> list[str]:
    """The projects that it takes away; whatever makes the call senseless is said."""
    if not reason.strip():
        raise UsageError("Bitte mit --reason sagen, warum gelöscht wird.")
    if kind == "person":
        if not variants(key):
            raise UsageError("Bitte Vor- und Nachnamen angeben, etwa: checkup erase person 'Anna Weber' --reason …")
        return []
    ids = ids_of(store, kind, key)
    door = door_of(store)
    if kind == "project" and not ids and not door.is_erased(project_id=key):
        raise CheckupError(f"Ein Projekt „{key}“ gibt es in diesem Arbeitsbereich nicht; gelöscht wurde nichts.")
    if kind == "source" and not (ids or source_known(store, key) or door.is_erased(source=key)):
        raise CheckupError(f"Eine Quelle „{key}“ gibt es in diesem Arbeitsbereich nicht; gelöscht wurde nichts.")
    return ids


def _texts(store: Store, kind: Kind, key: str, ids: list[str]) -> list[str]:
    """What to search for: everything stored about the projects, and the key itself (a source's name is no secret)."""
    if kind == "person":
        return []
    urls = [url for _, url, _ in urls_of(store, ids) if url] + ([key] if kind == "page" else [])
    # Pages name each other by the path alone.
    paths = [_path_of(url) for url in urls]
    return [*texts_of(store, ids), *paths, *([] if kind == "source" else [key])]


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return url


def _tombstones(store: Store, kind: Kind, key: str, ids: list[str], reason: str) -> list[Tombstone]:
    """The hashes that keep it away. A crawled project's page goes with it where no other project stands on it."""
    told = _masked_reason(kind, key, reason)
    if kind != "project":
        return made_for(kind, key, told)
    rows = [row for one in dict.fromkeys([key, *ids]) for row in made_for("project", one, told)]
    every = [one.id for one in store.iter_projects()]
    staying = {page_key(url) for _, url, _ in urls_of(store, set(every) - set(ids)) if url}
    for _, url, origin in urls_of(store, ids):
        if url and origin == "crawl" and page_key(url) not in staying:
            rows += made_for("page", url, told)
    return rows


def _masked_reason(kind: Kind, key: str, reason: str) -> str:
    if kind == "person":
        return Names.of(key).mask(reason)
    return reason if kind == "source" else reason.replace(key, MASK * len(key))


def forget_staying(store: Store, traces: Traces) -> list[str]:
    """Gives up what also stands in what stays, in the database or the vocabulary; returns where it is shared."""
    shared_with = traces.forget_common(surviving_texts(store))
    vocabulary = load_vocabulary(store.settings.workspace)
    traces.forget_common(("", name) for name in (*vocabulary.approaches, *vocabulary.needs))
    return shared_with


def _notes(store: Store, urls: set[str], sources: Container[str]) -> None:
    """What crawls noted about values on the pages, or in the rows of these sources."""
    door, pages = door_of(store), {url.split("#", 1)[0] for url in urls}
    forget_notes(store, lambda url: page_key(url) in pages or door.leaves_no_trace(url), sources)


def _files(store: Store, kind: Kind, key: str, traces: Traces, urls: set[str], done: Erased) -> None:
    """The memory of crawls, the archives and the log of requests."""
    from crawlers.archive import archives_of

    door, workspace = door_of(store), store.settings.workspace
    crawls = workspace / "crawl"

    def erased(url: str) -> bool:
        return bool(url) and (page_key(url) in urls or door.leaves_no_trace(url))

    def logged(line: Line, raw: bytes) -> bool:
        return door.is_erased(source=line.source) or erased(line.url) or traces.stand_in(raw)

    if kind == "source":
        for path in [crawls / f"{key}.jsonl", crawls / f"{key}.jsonl.part"]:
            if path.parent == crawls:
                path.unlink(missing_ok=True)
        for path in archives_of(workspace, key):
            path.unlink()
    forget(crawls, erased, texts=kind == "person")  # on which pages a name stood that was masked, nobody knows
    done.archived = drop_archived(workspace, lambda url, content: erased(url) or traces.stand_in(content))
    drop_lines(workspace, logged)


def drop_archived(workspace: Path, chosen: Callable[[str, bytes], bool]) -> int:
    """Writes the archives of a workspace anew without the chosen records; returns how many went."""
    paths = [path for suffix in ("*.warc", "*.warc.gz") for path in sorted(workspace.rglob(suffix))]
    return sum(drop_records(path, chosen) for path in paths)


def _empty_log(store: Store) -> bool:
    """Tries for a while to empty the log that a reader keeps; returns whether it is empty."""
    until = time.monotonic() + LOG_WAIT_S
    while not (emptied := sweep(store)) and time.monotonic() < until:
        time.sleep(0.2)
    return emptied


def _drop_reports(workspace: Path, traces: Traces, done: Erased) -> None:
    """Deletes what we made ourselves and still holds something."""
    for path in sorted((workspace / OURS).rglob("*")):
        if path.is_file() and _holds(path, traces):
            path.unlink()
            done.deleted.append(path.relative_to(workspace).as_posix())


def _holds(path: Path, traces: Traces) -> bool:
    alone = Searched()
    traces.search_file(path, path.name, alone)
    return bool(alone.hits)


def advice(hit: Hit, *, log_emptied: bool = True) -> str:
    """What to do about a file that still holds something; such files are the person's own.

    Args:
        hit: the file.
        log_emptied: see `Erased`.
    """
    place = f"{hit.file} ({hit.member})" if hit.member else hit.file
    if hit.file.endswith(".zip"):
        return f"{place}: eine Sicherung; beim Zurückspielen wird gefiltert, die Datei selbst bitte löschen."
    if hit.file.startswith("checkup.sqlite") and log_emptied:
        return (
            f"{place}: die Datenbank nennt es noch dort, wo nichts geschwärzt wird, etwa in der id eines anderen "
            "Projekts oder im Namen einer Quelle, die abgerufen wird; bitte auch diese mit checkup erase löschen."
        )
    if hit.file.startswith("checkup.sqlite"):
        return f"{place}: ein anderer Vorgang liest gerade; bitte den Befehl wiederholen."
    return f"{place}: eine eigene Datei; bitte von Hand bereinigen oder löschen."
