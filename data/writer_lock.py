"""One writer per workspace, across processes: a file lock and a note of who holds it.

Below: `data.database` (errors in words). Above: `data.store`. The lock belongs to the operating system and goes with
the process; the note is only read while the lock is held, so that of a dead process does no harm. It is a file of its
own, because Windows lets nobody read a locked one.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from data.database import translate
from data.errors import CheckupError

LOCK_FILE = "writer.lock"
NOTE_FILE = "writer.json"


@contextmanager
def writer_lock(workspace: Path, kind: str, since: str, *, timeout_s: float = 0.0) -> Iterator[None]:
    """Holds the workspace's writer lock.

    Args:
        workspace: Existing folder.
        kind: What is being done (`import`, `refresh`, …), for the message others get.
        since: ISO 8601 in UTC.
        timeout_s: Seconds to wait for the present holder.

    Raises:
        CheckupError: Another process holds it (says who and since when), or the folder cannot be written.
    """
    lock = FileLock(workspace / LOCK_FILE)
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout as error:
        raise CheckupError(_who(workspace / NOTE_FILE)) from error
    except OSError as error:
        raise translate(error) or error from error
    try:
        _note(workspace / NOTE_FILE, kind, since)
        yield
    finally:
        lock.release()


def _note(path: Path, kind: str, since: str) -> None:
    note = {"pid": os.getpid(), "host": socket.gethostname(), "kind": kind, "since": since}
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        fresh.write_text(json.dumps(note), encoding="utf-8")
    except OSError as error:
        raise translate(error) or error from error
    # Windows refuses to replace a file that a second writer is just reading; the note is worth no failure.
    with suppress(PermissionError):
        os.replace(fresh, path)


def _who(path: Path) -> str:
    """The message for a second writer."""
    advice = "Bitte warten, bis er fertig ist, und den Befehl dann wiederholen; lesen kann man währenddessen."
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        holder = f"„{note['kind']}“, Prozess {note['pid']} auf {note['host']}, seit {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"Ein anderer Vorgang schreibt gerade in diesen Arbeitsbereich. {advice}"
    return f"Ein anderer Vorgang schreibt gerade in diesen Arbeitsbereich ({holder}). {advice}"
