"""The command line as a person or a script calls it: in this process (quick) or as a process of its own.

answer = call("match", "Uns fehlen Wohnungen.", "--json", workspace=folder)
assert answer.code == 0, answer.err
answer.json()["matches"]
"""

import io
import json
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkup.cli import main
from support.children import ROOT, children_environment

__all__ = ["PATIENCE_S", "ROOT", "Answer", "call", "finish", "start", "wait_for_writer", "write_lines"]

PATIENCE_S = 120
"""How long a child may take on a busy machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.out.split("\n") if line]


def call(*arguments: object, workspace: Path | None = None, stdin: bytes = b"") -> Answer:
    """One call in this process; `workspace` goes in front as `--workspace`."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    given, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(_command(arguments, workspace))
    finally:
        sys.stdin = given
    return Answer(code, _content(out), _content(err))


def start(*arguments: object, workspace: Path | None = None, **options: Any) -> "subprocess.Popen[str]":
    """A call as a process of its own, with its streams as pipes."""
    # Buffered, as at a user's: a full disk then shows only when the buffer is written.
    environment = {**children_environment(), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": ""}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, "-m", "checkup", *_command(arguments, workspace)]
    return subprocess.Popen(command, env=environment, text=True, encoding="utf-8", **streams)


def finish(child: "subprocess.Popen[str]") -> Answer:
    """Waits for a child."""
    out, err = child.communicate(timeout=PATIENCE_S)
    return Answer(child.returncode, out or "", err or "")


def wait_for_writer(child: "subprocess.Popen[str]", workspace: Path, *, before: int = 0) -> None:
    """Waits until the child holds the workspace (its note is another one than `before`) or has ended."""
    note = workspace / "writer.json"
    until = time.monotonic() + PATIENCE_S
    while child.poll() is None and time.monotonic() < until:
        try:
            if json.loads(note.read_text("utf-8"))["pid"] == child.pid != before:
                return
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.005)


def write_lines(path: Path, records: list[dict[str, Any]]) -> Path:
    """A JSON Lines file; lone surrogates are escaped, as JSON allows."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def _command(arguments: tuple[object, ...], workspace: Path | None) -> list[str]:
    front = [] if workspace is None else ["--workspace", str(workspace)]
    return [*front, *map(str, arguments)]


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode("utf-8")
