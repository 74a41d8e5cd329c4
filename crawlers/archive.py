"""Keeps a crawl as WARC (ISO 28500) and replays it, or somebody else's, without the network.

Below: `web`, warcio. Above: `crawl` gets a fetcher over `WarcTransport`, which obeys the archive's own robots.txt.
Raw pages hold personal data: an archive is kept only where it is asked for, readable by its owner alone.
"""

import io
import math
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urlsplit

from crawlers.addresses import wire_url
from crawlers.inflate import too_big
from crawlers.polite import Fetcher
from crawlers.source import SourceConfig
from crawlers.web import Answer, Limits, Refusal, Transport, media_type
from data.clock import as_utc
from data.errors import CheckupError
from data.system_errors import in_german

DROPPED_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection", "set-cookie"})
"""Headers that no longer fit a body that was unpacked, or that name a visitor."""
MAX_RECORDS = 2_000_000
OWN_NAME = re.compile(r"(?P<source>[a-z0-9][a-z0-9_-]*)-(?P<made>\d{8}T\d{6}Z)\.warc\.gz$")
FOLDER = "archive"
"""Where a workspace keeps the archives of its own crawls."""


class Recorder:
    """A transport that passes everything on and writes each answer into a WARC file.

    Args:
        transport: The one that asks.
        path: The file to write, gzip by record; must not exist yet.

    Raises:
        CheckupError: Where the file exists or cannot be written.
    """

    def __init__(self, transport: Transport, path: Path) -> None:
        from warcio.warcwriter import WARCWriter

        self.transport = transport
        self.path = path
        self._file = _create(path)
        self._writing = threading.Lock()
        self._writer = WARCWriter(self._file, gzip=True)
        info = {"software": "checkup-integration", "format": "WARC File Format 1.1"}
        self._writer.write_record(self._writer.create_warcinfo_record(path.name, info))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def get(
        self, url: str, headers: Mapping[str, str], *, max_bytes: int, accepts: frozenset[str] | None = None
    ) -> Answer:
        """Ask, and keep what was answered (see `web.Transport.get`). A refusal of the transport leaves no record."""
        answer = self.transport.get(url, headers, max_bytes=max_bytes, accepts=accepts)
        self._write(answer, headers)
        return answer

    def _write(self, answer: Answer, sent: Mapping[str, str]) -> None:
        from warcio.statusandheaders import StatusAndHeaders

        kept = [(name, value) for name, value in answer.headers.items() if name not in DROPPED_HEADERS]
        kept.append(("content-length", str(len(answer.body))))
        response = self._writer.create_warc_record(
            answer.url,
            "response",
            payload=io.BytesIO(answer.body),
            http_headers=StatusAndHeaders(f"{answer.status} Status", kept, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": answer.fetched_at},
        )
        path = urlsplit(answer.url)
        line = f"GET {path.path or '/'}{'?' + path.query if path.query else ''} HTTP/1.1"
        request = self._writer.create_warc_record(
            answer.url,
            "request",
            http_headers=StatusAndHeaders(line, list(sent.items()), is_http_request=True),
            warc_headers_dict={"WARC-Date": answer.fetched_at},
        )
        with self._writing:
            self._writer.write_request_response_pair(request, response)


def _create(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb")
    except FileExistsError as error:
        raise CheckupError(f"{path} gibt es schon. Bitte einen anderen Namen für das Archiv angeben.") from error
    except OSError as error:
        raise CheckupError(f"{path} lässt sich nicht schreiben: {in_german(error)}.") from error


def archive_path(workspace: Path, source: str, now: str) -> Path:
    """A new archive's file: `WORKSPACE/archive/SOURCE-20260131T080000Z.warc.gz`.

    Args:
        workspace: The workspace.
        source: The source's name.
        now: ISO 8601 in UTC.
    """
    return workspace / FOLDER / f"{source}-{datetime.fromisoformat(now):%Y%m%dT%H%M%SZ}.warc.gz"


def archives_of(workspace: Path, source: str | None = None) -> list[Path]:
    """The archives that crawls of a source, or of any, have left in a workspace; other files are somebody's own."""
    named = ((path, OWN_NAME.match(path.name)) for path in sorted((workspace / FOLDER).glob("*.warc.gz")))
    return [path for path, name in named if name is not None and source in (None, name["source"])]


def expired(workspace: Path, days_of: Callable[[str], int], now: str) -> list[Path]:
    """The archives that crawls have left in a workspace and that are older than their source allows.

    Args:
        workspace: The workspace.
        days_of: How many days the archives of a source are kept.
        now: ISO 8601 in UTC.
    """

    def is_old(path: Path) -> bool:
        source, made = path.name.removesuffix(".warc.gz").rsplit("-", 1)
        age = datetime.fromisoformat(now) - datetime.fromisoformat(made)
        return age > timedelta(days=days_of(source))

    return list(filter(is_old, archives_of(workspace)))


class WarcTransport:
    """A transport that answers from a WARC file (`web.Transport`); what is not in it cannot be reached.

    The file is read once for an index of places; bodies are read when they are asked for. Of an address that was
    archived several times the last answer counts.

    Args:
        path: A WARC file, packed or not, written by us or by others.
        limits: Sizes.

    Raises:
        CheckupError: Where the file is missing, no WARC, or without any answer.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.path = path
        self.limits = limits or Limits()
        self._places: dict[str, int] = {}
        for url, offset in self._index():
            self._places[url] = offset
        if not self._places:
            raise CheckupError(f"{self.path} enthält keine Seiten, die sich lesen lassen.")

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, url: str) -> bool:
        return url in self._places

    def _index(self) -> Iterator[tuple[str, int]]:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed

        try:
            with self.path.open("rb") as file:
                iterator = ArchiveIterator(file)
                for count, record in enumerate(iterator):
                    if count > MAX_RECORDS:
                        raise CheckupError(f"{self.path} enthält mehr als {MAX_RECORDS} Einträge.")
                    if record.rec_type == "response" and record.http_headers is not None:
                        yield _address(record), iterator.get_record_offset()
        except FileNotFoundError as error:
            raise CheckupError(f"Das Archiv {self.path} gibt es nicht.") from error
        except AttributeError:
            return  # what warcio raises on a header that a kill cut off: the archive ends here
        except (ArchiveLoadFailed, OSError, EOFError, ValueError) as error:
            raise CheckupError(f"{self.path} ist kein lesbares WARC-Archiv ({type(error).__name__}).") from error

    def get(
        self, url: str, headers: Mapping[str, str], *, max_bytes: int, accepts: frozenset[str] | None = None
    ) -> Answer:
        """Answer from the archive as the network would (see `web.Transport.get`); request headers do not matter."""
        from warcio.archiveiterator import ArchiveIterator

        offset = self._places.get(url)
        if offset is None:
            raise Refusal("not_archived", "Die Adresse ist nicht im Archiv.")
        with self.path.open("rb") as file:
            file.seek(offset)
            record = next(iter(ArchiveIterator(file)))
            return self._answer(url, record, max_bytes, accepts)

    def _answer(self, url: str, record: Any, max_bytes: int, accepts: frozenset[str] | None) -> Answer:
        found = {name.lower(): value for name, value in record.http_headers.headers}
        status = int(record.http_headers.get_statuscode() or 0)
        kind = media_type(found)
        if status == 200 and accepts is not None and kind and kind not in accepts:
            raise Refusal("content_type", f"Inhalt vom Typ „{kind}“ wird hier nicht gelesen.")
        body = record.content_stream().read(max_bytes + 1) if status == 200 else b""
        if len(body) > max_bytes:
            raise too_big(max_bytes)
        declared = found.get("content-length", "")
        coded = "content-encoding" in found or "transfer-encoding" in found
        if status == 200 and not coded and declared.isdigit() and len(body) < int(declared):
            raise Refusal("truncated", "Die Seite ist im Archiv abgeschnitten.")
        if _cut_off(record.raw_stream):
            raise Refusal("truncated", "Das Archiv bricht mitten in dieser Seite ab.")
        return Answer(
            url=url, status=status, headers=found, body=body, fetched_at=as_utc(record.rec_headers.get("WARC-Date"))
        )


def _cut_off(stream: Any) -> bool:
    """Whether a record's stream ends before its length."""
    from warcio.limitreader import LimitReader

    if not isinstance(stream, LimitReader):
        return False
    stream.read()
    return bool(stream.limit)


def _address(record: Any) -> str:
    """The record's address in the form in which it is asked for; some writers put it in angle brackets."""
    target = str(record.rec_headers.get_header("WARC-Target-URI") or "").strip("<>")
    try:
        return wire_url(target)
    except Refusal:
        return target


def replay_fetcher(source: SourceConfig, path: Path, *, limits: Limits | None = None) -> Fetcher:
    """A fetcher over an archive: the same rules as on the network, without pauses.

    An archive without robots.txt was made by somebody who answers for it: absence counts as permission there, while a
    robots.txt that it does hold is obeyed. An archive has only one answer, and no server that wants to be left alone.
    """
    limits = replace(limits or Limits(), retries=0, retry_after_s=math.inf)
    time = _ArchiveTime()
    return Fetcher(
        _Lenient(WarcTransport(path, limits)),
        delay_s=0.0,
        opt_out=source.opted_out,
        limits=limits,
        clock=time.clock,
        sleep=time.sleep,
    )


class _Lenient:
    """Answers 404 for a robots.txt or tdmrep.json that the archive lacks."""

    def __init__(self, transport: WarcTransport) -> None:
        self.transport = transport

    def get(
        self, url: str, headers: Mapping[str, str], *, max_bytes: int, accepts: frozenset[str] | None = None
    ) -> Answer:
        if url not in self.transport and urlsplit(url).path in ("/robots.txt", "/.well-known/tdmrep.json"):
            return Answer(url=url, status=404, headers={}, body=b"", fetched_at="")
        return self.transport.get(url, headers, max_bytes=max_bytes, accepts=accepts)


class _ArchiveTime:
    """A clock that runs only while it sleeps: pauses are kept in the count and cost nothing."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
