"""What every command shares: the workspace named on the call, messages on stderr, progress, exit codes.

Below: `data.settings`, `data.errors`, Rich. Above: `checkup.commands`.
"""

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from checkup.german import wrong_call
from data.errors import CheckupError
from data.system_errors import in_german

if TYPE_CHECKING:
    from data.settings import Settings
    from pipeline.publish import Progress
    from pipeline.refresh import Report

_workspace: ContextVar[Path | None] = ContextVar("workspace", default=None)
PROGRESS_AFTER_S = 2.0
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_USAGE: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What the parser raises for a wrong call; found by name, since typer may bring its own copy of click."""
CANNOT_RUN, DONE_WITH_FAILURES, INTERRUPTED = 3, 4, 130


@contextlib.contextmanager
def using(folder: Path | None) -> Iterator[None]:
    """Commands inside use this workspace (None: as `find_workspace` decides)."""
    token = _workspace.set(folder)
    try:
        yield
    finally:
        _workspace.reset(token)


def workspace() -> Path | None:
    """What `--workspace` named; None: as `find_workspace` decides."""
    return _workspace.get()


def settings(**arguments: Any) -> "Settings":
    """The settings of the workspace in use."""
    from data.settings import load_settings

    return load_settings(workspace(), **arguments)


def say(message: str) -> None:
    """A message for the person, on stderr."""
    sys.stderr.write(message + "\n")


def tell_reader(answer: Mapping[str, Any]) -> None:
    """What the answer of `match` or `analyse` says about the user's own reader, on stderr."""
    front = "" if answer["id"] is None else f"„{answer['id']}“: "
    for sentence in filter(None, [answer["reader"]["note"], *answer["reader"]["refused"]]):
        say(f"{front}{sentence}")


def to_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON text that can be written as UTF-8: lone surrogates (an `id` returned as given) are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(to_json(value, indent=2) + "\n")


def run(command: Callable[[], Any]) -> int:
    """Run a command and turn what happens into an exit code with a message."""
    code = _run(command)
    if code == INTERRUPTED:  # Ctrl-C may come as an exception or, through the parser, as a result
        say("Abgebrochen. Der Stand ist unbeschädigt; derselbe Aufruf macht weiter.")
    try:
        sys.stdout.flush()
    except OSError as error:
        # Nothing may be written again when the interpreter ends. A reader who has gone (`checkup … | head`) is content;
        # a full disk must not pass for success.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            say(_os_error(error))
            code = CANNOT_RUN
    return code


def _run(command: Callable[[], Any]) -> int:
    try:
        result = command()
    except CheckupError as error:
        say(error.message)
        code = error.exit_code
    except typer.Exit as error:
        code = int(error.exit_code)
    except _USAGE as error:
        if type(error).__name__ != "NoArgsIsHelpError":
            say(wrong_call(error))
        else:
            error.show()
        code = int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0
    except OSError as error:
        say(_os_error(error))
        code = CANNOT_RUN
    else:
        code = result if isinstance(result, int) else 0
    return code


def _os_error(error: OSError) -> str:
    place = f" ({error.filename})" if error.filename else ""
    return f"Datei oder Gerät nicht benutzbar{place}: {in_german(error)}. Bitte Platz und Rechte prüfen."


@contextlib.contextmanager
def progress() -> Iterator["Progress"]:
    """A progress bar on stderr that appears only where the work takes longer than two seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    started = time.monotonic()
    tasks: dict[str, Any] = {}

    def show(stage: str, done: int, total: int) -> None:
        if time.monotonic() - started < PROGRESS_AFTER_S:
            return
        if not tasks:
            bar.start()
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total or None)
        bar.update(tasks[stage], completed=done, total=total or None)

    try:
        yield show
    finally:
        if tasks:
            bar.stop()


def report_failures(report: "Report") -> int:
    """Name each failed record on stderr; returns the exit code that follows."""
    for item in report.failed:
        place = f"{item.source}, Zeile {item.line}" if item.line else item.source
        name = f" ({item.id})" if item.id else ""
        say(f"{place}{name}: {item.reason}")
    return DONE_WITH_FAILURES if report.failed else 0
