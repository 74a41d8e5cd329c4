"""Keeps the log of requests in a workspace: a line each with time, source, status, address; files of bounded size.

Below: `polite` (tells each request to the logger `crawlers`), `web`. Above: `checkup.commands.sources` has requests
logged, `forget` takes lines out again.
"""

import logging
import os
import re
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crawlers.web import MIB, Now
from data.clock import utc_now

FOLDER = "logs"
"""Where a workspace keeps its log; `crawl.log` is being written, `crawl.log.1` is the youngest of the full ones."""
FILE = "crawl.log"
OWN_NAME = re.compile(r"crawl\.log(\.\d+)?")
FILE_BYTES = 2 * MIB
FULL_FILES = 4
NO_SOURCE = "-"
_LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<source>\S+) (?P<status>\S+) (?P<url>\S+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One request."""

    at: str
    """ISO 8601 in UTC."""
    source: str
    status: str
    """The server's number, or the short name of the reason why there was no answer (`Refusal.code`)."""
    url: str

    def __str__(self) -> str:
        return f"{self.at} {self.source} {self.status} {self.url}"


def line_of(text: str) -> Line | None:
    """A line of a log file; None for what is none, such as one that a kill cut off."""
    match = _LINE.fullmatch(text)
    return Line(**match.groupdict()) if match else None


def log_files(workspace: Path) -> list[Path]:
    """The log files of a workspace, in the order of their names; other files in their folder are somebody's own."""
    return [path for path in sorted((workspace / FOLDER).glob(f"{FILE}*")) if OWN_NAME.fullmatch(path.name)]


LeftOut = Callable[[str, str], bool]
"""Tells of an address and a source whether they must leave no trace."""


@contextmanager
def requests_logged(
    workspace: Path,
    *,
    say: Callable[[str], None],
    left_out: LeftOut = lambda url, source: False,
    now: Now = utc_now,
    file_bytes: int = FILE_BYTES,
) -> Iterator[None]:
    """Requests that are made inside are written into the workspace's log. A log that cannot be written stops nothing.

    Args:
        workspace: The workspace; folder and file are made with the first request.
        say: Told once, in a German sentence, that the log cannot be written.
        left_out: Which requests are not written.
        now: Time of a line.
        file_bytes: Size at which a new file is begun; FULL_FILES full ones are kept.
    """
    logger = logging.getLogger("crawlers")
    handler = _RequestFile(workspace / FOLDER / FILE, say=say, left_out=left_out, now=now, file_bytes=file_bytes)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()


class _RequestFile(RotatingFileHandler):
    """Opens the file for one line at a time, so that it may be rewritten, moved or shared with other processes."""

    stream: TextIOWrapper | None  # type: ignore[assignment]

    def __init__(self, path: Path, *, say: Callable[[str], None], left_out: LeftOut, now: Now, file_bytes: int) -> None:
        super().__init__(path, maxBytes=file_bytes, backupCount=FULL_FILES, encoding="utf-8", delay=True)
        self.path = path
        self.say: Callable[[str], None] | None = say
        self.left_out = left_out
        self.now = now

    def filter(self, record: logging.LogRecord) -> bool:
        values = _values(record)
        return bool(values) and not self.left_out(str(values.get("url", "")), str(values.get("source", NO_SOURCE)))

    def format(self, record: logging.LogRecord) -> str:
        values = _values(record)
        status = str(values.get("status", values.get("refused", "")))
        source, url = (quote(str(values.get(name, "")), safe=string.punctuation) for name in ("source", "url"))
        return str(Line(self.now(), source or NO_SOURCE, status, url))

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if self.stream is not None:
            with suppress(OSError):  # a full disk: said when the line was flushed
                self.stream.close()
            self.stream = None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of logging
        say, self.say = self.say, None
        if say is not None:
            say(
                f"Die Abrufe lassen sich nicht in {self.path} festhalten. Abgerufen wird trotzdem; bitte Platz und "
                "Rechte prüfen."
            )

    def _open(self) -> TextIOWrapper:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Addresses may name people.
        return open(
            self.path, "a", encoding="utf-8", newline="\n", opener=lambda name, flags: os.open(name, flags, 0o600)
        )


def _values(record: logging.LogRecord) -> dict[str, Any]:
    """What `polite.request_log` puts beside a line."""
    return dict(getattr(record, "request", None) or {})
