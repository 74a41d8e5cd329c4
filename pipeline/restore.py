"""A backup becomes the workspace again: unpacked and checked beside it, erased again what was erased, then swapped in.

Below: `data.backup`, `data.store_erase`, `pipeline.refresh`. Above: `checkup.commands.care`.
Until the database is replaced (one transaction) nothing of the workspace has changed; a run killed after that is
finished by the same call.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data.backup import Manifest, free_enough, is_filled, replace_database, replace_files, unpack
from data.clock import utc_now
from data.database import translate
from data.errors import CheckupError
from data.settings import DATABASE_FILE, Settings, load_settings
from data.store import Store
from data.store_erase import (
    Door,
    Gone,
    Tombstone,
    add_tombstones,
    door_of,
    enforce,
    erased_ids,
    mask_mentions_of,
    page_key,
    texts_of,
    tombstones,
    urls_of,
)
from data.store_sweep import sweep
from data.writer_lock import writer_lock
from pipeline import refresh
from pipeline.erase import drop_archived, forget_staying
from pipeline.retention import leave_no_trace
from pipeline.traces import Traces

PART = "restore-part-"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what erasures took out of it again."""

    manifest: Manifest
    gone: Gone
    projects: int
    generation: str | None


def restore(
    settings: Settings, file: Path, *, force: bool, worker_for: Callable[[Store], refresh.Worker] = refresh.worker_for
) -> Restored:
    """Restore a backup.

    Args:
        settings: name the workspace; made if missing.
        file: the backup.
        force: replace a workspace that holds something.
        worker_for: makes what builds the index.

    Raises:
        CheckupError: The workspace is filled and `force` is not given; the backup is damaged or of a newer version;
            another process writes; no room. The workspace is then as it was.
    """
    workspace = settings.workspace
    if settings.database_url is not None:
        raise CheckupError("Zurückspielen geht nur in die eingebettete Datenbank. Bitte database_url herausnehmen.")
    if is_filled(workspace) and not force:
        raise CheckupError(
            f"{workspace} ist nicht leer. Bitte mit --workspace einen neuen Ordner nennen, oder mit --force ersetzen."
        )
    existed = workspace.exists()
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        done = _restore(settings, file, worker_for)
    except BaseException as error:
        if not existed and not (workspace / DATABASE_FILE).exists():
            shutil.rmtree(workspace, ignore_errors=True)
        helpful = translate(error)
        if helpful is not None:
            raise helpful from error
        raise
    return done


def _restore(settings: Settings, file: Path, worker_for: Callable[[Store], refresh.Worker]) -> Restored:
    workspace = settings.workspace
    with writer_lock(workspace, "restore", utc_now()):
        for old in workspace.glob(f"{PART}*"):
            shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=workspace, prefix=PART, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            free_enough(workspace, file.stat().st_size * 2 if file.is_file() else 0)
            manifest = unpack(file, folder)
            gone = _prepare(folder, _known(settings))
            replace_database(folder / DATABASE_FILE, workspace / DATABASE_FILE)
            replace_files(folder, workspace)
    # The settings may be the backup's now.
    with Store.open(load_settings(workspace), create=True) as store, store.writing("restore") as run:
        report = refresh.Report()
        refresh.process(store, worker_for(store), report)
        leave_no_trace(store)
        run.summary.update(projects=store.count(), created_at=manifest.created_at)
        return Restored(manifest, gone, store.count(), report.generation)


def _known(settings: Settings) -> list[Tombstone]:
    """What was erased from the present workspace; nothing where there is none or its database is beyond reading."""
    if not settings.database_path.is_file():
        return []
    try:
        with Store.open(settings, allow_empty=True) as store:
            return tombstones(store)
    except CheckupError as error:
        if settings.database_path.stat().st_size == 0:
            return []
        raise CheckupError(
            f"Was in {settings.workspace} gelöscht wurde, lässt sich nicht lesen, und ohne das käme es zurück: "
            f"{error.message} Die Sicherung bitte mit --workspace in einen neuen Ordner zurückspielen."
        ) from error


def _prepare(folder: Path, known: list[Tombstone]) -> Gone:
    """Brings the unpacked database up to date and takes out what was erased, here or in the backup itself."""
    settings = Settings.model_construct(workspace=folder, database_url=None)
    with Store.open(settings, create=True) as store, store.writing("restore"):
        add_tombstones(store, known)
        door = door_of(store)
        if door:
            ids = erased_ids(store)
            traces = Traces(texts_of(store, ids))
            urls = {page_key(url) for _, url, _ in urls_of(store, ids) if url}
        gone = enforce(store)
        if door:
            forget_staying(store, traces)
            mask_mentions_of(store, traces.mask)
            drop_archived(
                folder,
                lambda url, content: page_key(url) in urls or traces.stand_in(content) or _erased(door, url, content),
            )
        sweep(store)
    return gone


def _erased(door: Door, url: str, content: bytes) -> bool:
    """Whether an archived answer is an erased page, or names an erased person."""
    if door.is_erased(url=url):
        return True
    if not door.names:
        return False
    text = content.decode("utf-8", "replace")
    readings = [text, content.decode("cp1252", "replace")] if "\ufffd" in text else [text]
    return any(next(door.names.find(reading), None) is not None for reading in readings)
