"""Takes single pages out of what crawls have kept: the memory of pages, archives, and the log of requests.

Below: `memory`, `archive`, `log_file` (their formats), warcio. Above: `pipeline.retention`, `pipeline.erase`.
Every file is written anew beside the old one and moved into its place.
"""

import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from crawlers.log_file import FOLDER as LOGS
from crawlers.log_file import Line, line_of, log_files
from crawlers.memory import BOILERPLATE
from data.errors import CheckupError
from data.system_errors import in_german

HASHES = ("content", "sketch", "lines")
"""What memory keeps of a page's text (`web.Seen`)."""
Chosen = Callable[[str], bool]
"""Tells whether an address is meant."""


def forget(folder: Path, chosen: Chosen, *, links: bool = True, texts: bool = False) -> int:
    """Drops pages from every memory in a folder; returns how many files changed.

    Args:
        folder: WORKSPACE/crawl.
        chosen: Which pages.
        links: Also what other pages say of them; without it a crawl still finds its way to them.
        texts: Also every other page of which hashes of its text are known, and the lines that sites repeat: who knows
            the rest of a text can test by them a guess at what was masked in it. These pages are read anew.

    Raises:
        CheckupError: A file cannot be read or written.
    """
    changed = 0
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
        with _told(path):
            before = path.read_bytes()
            lines = [_without(line, chosen, links, texts) for line in before.split(b"\n")]
            after = b"\n".join(line for line in lines if line is not None)
            if after != before:
                _replace(path, after)
                changed += 1
    for path in sorted(folder.glob("*.part")) if folder.is_dir() else []:
        path.unlink()
    return changed


def cleaned(value: Any, chosen: Chosen) -> Any:
    """A JSON value without strings in lists that are chosen addresses."""
    if isinstance(value, list | tuple):
        return [cleaned(item, chosen) for item in value if not (isinstance(item, str) and chosen(item))]
    return value


def _without(line: bytes, chosen: Chosen, links: bool, texts: bool) -> bytes | None:
    try:
        entry = json.loads(line)
    except ValueError:
        # An empty line ends an entry; one that a kill cut off says nothing and may hold an address.
        return None if line.strip() else line
    if not isinstance(entry, dict):
        return line
    if texts and (entry.get("url") == BOILERPLATE or any(entry.get(key) for key in HASHES)):
        return None
    named = [str(entry.get(key) or "") for key in ("url", "final_url", "answered")]
    told = [word.rstrip(".,;") for word in str(entry.get("reason") or "").split()]  # versions before named pages here
    if any(map(chosen, [*named, *told])):
        return None
    fresh = {key: cleaned(value, chosen) for key, value in entry.items()} if links else entry
    return line if fresh == entry else json.dumps(fresh, ensure_ascii=False).encode()


def drop_records(path: Path, chosen: Callable[[str, bytes], bool]) -> int:
    """Writes an archive anew without the records that are chosen, their requests included; returns how many went.

    Args:
        path: A WARC file, packed or not.
        chosen: Gets a record's address and its unpacked content.

    Raises:
        CheckupError: It is no WARC, or cannot be written.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed
    from warcio.warcwriter import WARCWriter

    target = io.BytesIO()
    dropped = 0
    try:
        with _told(path):
            gone = _chosen_urls(path, chosen)
            if not gone:
                return 0
            writer = WARCWriter(target, gzip=path.suffix == ".gz")
            with path.open("rb") as file:
                for record in ArchiveIterator(file, no_record_parse=True):
                    if _url(record) in gone:
                        dropped += 1
                    else:
                        writer.write_record(record)
    except (ArchiveLoadFailed, EOFError, ValueError, AttributeError) as error:
        # AttributeError: what warcio raises on a header that a kill cut off.
        raise CheckupError(
            f"{path} ist kein lesbares WARC-Archiv ({type(error).__name__}). Bitte die Datei von Hand löschen und "
            "den Befehl wiederholen."
        ) from error
    with _told(path):
        _replace(path, target.getvalue())
    return dropped


def _chosen_urls(path: Path, chosen: Callable[[str, bytes], bool]) -> set[str]:
    from warcio.archiveiterator import ArchiveIterator

    with path.open("rb") as file:
        return {
            url
            for record in ArchiveIterator(file)
            if (url := _url(record)) and chosen(url.strip("<>"), record.content_stream().read())
        }


def _url(record: Any) -> str:
    return str(record.rec_headers.get_header("WARC-Target-URI") or "")


def drop_lines(workspace: Path, chosen: Callable[[Line, bytes], bool]) -> int:
    """Writes the log of requests anew without the lines that are chosen, and without what is no line.

    A file of which nothing is left is deleted.

    Args:
        workspace: The workspace.
        chosen: Gets a line, and as it stands in the file.

    Returns:
        How many lines went.

    Raises:
        CheckupError: A file cannot be read or written.
    """
    dropped = 0
    for part in (workspace / LOGS).glob("*.part"):
        with _told(part):
            part.unlink()
    for path in log_files(workspace):
        with _told(path):
            lines = path.read_bytes().splitlines()
            kept = [raw for raw in lines if (line := line_of(raw.decode("utf-8", "replace"))) and not chosen(line, raw)]
            if not kept:
                path.unlink()
            elif len(kept) < len(lines):
                _replace(path, b"".join(raw + b"\n" for raw in kept))
        dropped += len(lines) - len(kept)
    return dropped


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".part")
    try:
        fresh.touch(mode=path.stat().st_mode & 0o777)
        fresh.write_bytes(content)
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


class _told:  # noqa: N801 - reads as a verb
    """Turns a file's error into a message that names it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            raise CheckupError(f"{self.path} lässt sich nicht schreiben: {in_german(error)}.") from error
