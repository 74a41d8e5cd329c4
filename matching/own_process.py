"""One child process with an end: what it may take in time and say in bytes; killed with its own children.

Below: nothing. Above: `matching.own_reader`. No shell, and the environment as it is; what the child writes to its
standard error goes where ours goes.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO, Any

from data.system_errors import in_german

CHUNK_BYTES = 65_536
TICK_S = 0.2
"""So often the waiting looks up: Windows delivers Ctrl-C only between two waits."""
GRACE_S = 5.0
"""How long a killed child may take to be gone."""


class ChildFailedError(Exception):
    """The child gave nothing that can be used; the message is German and completes "Der eigene Leser …"."""


def run_bounded(command: Sequence[str], given: bytes, *, timeout_s: float, most_bytes: int) -> bytes:
    """What a command writes to its standard output.

    Args:
        command: program and arguments; looked up as the operating system does.
        given: its standard input; a child that does not read it all is no failure.
        timeout_s: from the start to the end of the child and of its output, in seconds.
        most_bytes: more output than that is none.

    Raises:
        ChildFailedError: it could not be started, took too long, said too much or ended with another code than 0.
            No process of it is left then (on Windows as far as `taskkill` reaches).
    """
    try:
        process = _start(command)
    except (OSError, ValueError) as error:
        why = in_german(error) if isinstance(error, OSError) else str(error)
        raise ChildFailedError(f"lässt sich nicht starten („{command[0]}“: {why})") from error
    try:
        return _talk(process, given, timeout_s, most_bytes)
    except BaseException:  # Ctrl-C too: a child in a group of its own would not hear of it
        _kill(process)
        raise


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """The child at the head of a group of processes, so that all of them can be ended at once."""
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    else:
        options["start_new_session"] = True
    return subprocess.Popen(list(command), **options)


def _talk(process: "subprocess.Popen[bytes]", given: bytes, timeout_s: float, most_bytes: int) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    until = time.monotonic() + timeout_s
    parts: list[bytes] = []
    threading.Thread(target=_write, args=(process.stdin, given), daemon=True).start()
    reading = threading.Thread(target=_read, args=(process.stdout, parts, most_bytes), daemon=True)
    reading.start()
    while reading.is_alive() and time.monotonic() < until:
        reading.join(TICK_S)
    if sum(map(len, parts)) > most_bytes:
        raise ChildFailedError(f"gab mehr als {most_bytes // 1_000_000} MB aus")
    late = ChildFailedError(f"war nach {timeout_s:g} Sekunden nicht fertig (Einstellung reader_timeout_s)")
    if reading.is_alive():
        raise late
    try:
        code = process.wait(max(TICK_S, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise late from None
    if code != 0:
        raise ChildFailedError(f"endete mit dem Rückgabewert {code}")
    return b"".join(parts)


def _write(stream: IO[bytes], given: bytes) -> None:
    with contextlib.suppress(OSError, ValueError), stream:  # the child may have closed its end, or be gone
        stream.write(given)


def _read(stream: Any, parts: list[bytes], most_bytes: int) -> None:
    """Collects the output up to the first piece beyond the limit."""
    size = 0
    with contextlib.suppress(OSError, ValueError), stream:
        while size <= most_bytes and (chunk := stream.read1(CHUNK_BYTES)):
            parts.append(chunk)
            size += len(chunk)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Ends the child and its children; one that left its group or (on Windows) its parent cannot be found."""
    if sys.platform == "win32":
        tree = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(tree, capture_output=True, timeout=GRACE_S, check=False)
    else:
        with contextlib.suppress(OSError):  # all of them gone already
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
