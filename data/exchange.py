"""Files and streams of projects, in and out: JSON Lines, JSON, CSV, XLSX.

Below: `data.exchange_records` (one record), `data.exchange_tables` (CSV and XLSX and what their cells mean).
Above: `checkup import` and `checkup export`.

Exporting, importing and exporting again gives the same bytes in JSON Lines, JSON and CSV and the same cells in XLSX.
JSON keeps absent, null and empty apart; tables take all three for absent (`data.exchange_tables`). A record that is
not accepted, or that a format cannot hold, is named with line and reason and never stops the others.
"""

import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from data.errors import CheckupError, UsageError
from data.exchange_records import UNDECODED, JsonReader, RawRecord, RecordError, dump_json, project_from, record_from
from data.exchange_tables import read_csv, read_xlsx, write_csv, write_xlsx
from data.normalise import sanitise
from data.records import Project, Rejected
from data.system_errors import in_german

Format = Literal["jsonl", "csv", "xlsx", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)

_STANDARD_STREAM = "Standardeingabe"
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """What a file held: each id once, in file order (of an id that came twice the last one)."""

    projects: tuple[Project, ...]
    rejected: tuple[Rejected, ...]
    """Records that were not accepted, and earlier ones of an id that came twice (their reason names both lines)."""
    unknown_keys: tuple[str, ...]
    """Keys beyond PROJECT_KEYS, in the order of their first use; they are kept."""
    notes: tuple[str, ...] = ()
    """German remarks on the file as a whole, such as an encoding that had to be guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """How many projects were written, and those that the format cannot hold."""

    written: int
    rejected: tuple[Rejected, ...]


def read_projects(source: Path | str | BinaryIO, format: Format | None = None) -> ReadResult:  # noqa: A002
    """Reads projects from a file or a binary stream.

    Args:
        source: A path, `-` for standard input, or a binary stream.
        format: None: by the file's ending, else by its first bytes.

    Raises:
        CheckupError: The file is missing, unreadable, empty or not of the format, or has no usable header (exit 3).
        UsageError: An unknown format.
    """
    wanted = _check_format(format)
    name, content = _load(source)
    kind = wanted or _guess(name, content)
    if not content.removeprefix(b"\xef\xbb\xbf").strip():
        raise CheckupError(f"{name}: Die Datei ist leer. Erwartet werden Projekte mit „id“ und „text“.")
    notes: tuple[str, ...] = ()
    undecoded = False
    if kind == "xlsx":
        raw = read_xlsx(io.BytesIO(content), name)
    else:
        text, notes, undecoded = _decode(content, name)
        raw = _TEXT_READERS[kind](text, name)
    return _collect(raw, name, notes, undecoded)


def write_projects(
    projects: Iterable[Project],
    target: Path | str | BinaryIO,
    format: Format | None = None,  # noqa: A002
) -> WriteResult:
    """Writes projects to a file or a binary stream; a file is replaced only when it is complete.

    Args:
        projects: In the order in which they are to be written.
        target: A path, `-` for standard output, or a binary stream.
        format: None: by the file's ending; streams: JSON Lines.

    Raises:
        CheckupError: The file cannot be written (exit 3).
        UsageError: An unknown format or ending.
    """
    name = _name(target)
    kind = _check_format(format) or _by_ending(name) or ("jsonl" if _is_stream(target) else None)
    if kind is None:
        raise UsageError(f"{name}: Am Namen ist kein Format zu erkennen. Bitte --format {'|'.join(FORMATS)} angeben.")
    buffer = io.BytesIO()
    written, rejected = _WRITERS[kind](projects, buffer, name)
    if not _is_stream(target):
        _replace(Path(str(target)), buffer.getvalue())
    elif isinstance(target, str):
        sys.stdout.buffer.write(buffer.getvalue())
        sys.stdout.buffer.flush()
    elif not isinstance(target, Path):
        target.write(buffer.getvalue())
    return WriteResult(written=written, rejected=rejected)


# --- reading ---------------------------------------------------------------------------------------------------------


def _load(source: Path | str | BinaryIO) -> tuple[str, bytes]:
    name = _name(source)
    try:
        if not _is_stream(source):
            return name, Path(str(source)).read_bytes()
        if isinstance(source, str):
            return name, sys.stdin.buffer.read()
        assert not isinstance(source, Path)
        return name, source.read()
    except FileNotFoundError as error:
        raise CheckupError(f"{name}: Die Datei gibt es nicht. Bitte den Pfad prüfen.") from error
    except OSError as error:
        raise CheckupError(f"{name}: Die Datei lässt sich nicht lesen ({in_german(error)}).") from error


def _decode(content: bytes, name: str) -> tuple[str, tuple[str, ...], bool]:
    """Text, notes, and whether undecodable bytes stand in it as U+DC80 to U+DCFF."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), (f"{name}: Die Datei ist in UTF-16 gespeichert.",), False
    body = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode("utf-8", "surrogatepass"), (), False
    except UnicodeDecodeError:
        pass
    damaged = body.decode("utf-8", "surrogateescape")
    if len(_UTF8_SEQUENCE.findall(body)) < len(UNDECODED.findall(damaged)):
        try:
            text = body.decode("cp1252")
        except UnicodeDecodeError:
            pass
        else:
            note = f"{name}: Die Datei ist nicht in UTF-8 gespeichert; sie wurde als Windows-1252 gelesen."
            return text, (f"{note} Bitte die Umlaute prüfen.",), False
    note = f"{name}: Die Datei enthält Bytes, die kein UTF-8 sind; Einträge mit solchen werden nicht übernommen."
    return damaged, (note,), True


def _read_jsonl(text: str, name: str) -> Iterator[RawRecord]:
    reader = JsonReader()
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield _object_record(number, reader.whole(line))
            except RecordError as error:
                yield RawRecord(number, reason=str(error))


def _read_json(text: str, name: str) -> Iterator[RawRecord]:
    """The records of a JSON list; what follows a broken place is one rejected record."""
    reader = JsonReader()
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise CheckupError(f"{name}: Erwartet wird eine JSON-Liste von Projekten („[{{…}}, {{…}}]“).")
    return _list_items(text, at + 1, reader)


def _list_items(text: str, at: int, reader: JsonReader) -> Iterator[RawRecord]:
    line, counted = 1, 0
    at = _skip(text, at)
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = reader.value(text, at)
        except RecordError as error:
            yield RawRecord(line, reason=f"{error} Dieser Eintrag und alle folgenden wurden nicht gelesen.")
            return
        yield _object_record(line, value)
        at = _skip(text, at)
        mark = text[at : at + 1]
        if mark == ",":
            at = _skip(text, at + 1)
        elif mark != "]":
            yield RawRecord(line, reason="Nach diesem Eintrag ist das JSON beschädigt; alle folgenden fehlen.")
            return
    if text[at + 1 :].strip():
        yield RawRecord(line, reason="Nach dem Ende der JSON-Liste steht noch etwas; es wurde nicht gelesen.")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _object_record(line: int, value: object) -> RawRecord:
    if not isinstance(value, dict):
        return RawRecord(line, reason="Erwartet wird ein JSON-Objekt mit „id“ und „text“.")
    return RawRecord(line, value)


_TEXT_READERS: dict[str, Callable[[str, str], Iterator[RawRecord]]] = {
    "jsonl": _read_jsonl,
    "json": _read_json,
    "csv": lambda text, name: read_csv(text.replace("\x00", "\ufffd"), name),
}


def _collect(raw: Iterable[RawRecord], name: str, notes: tuple[str, ...], undecoded: bool) -> ReadResult:
    accepted: dict[str, tuple[int, Project]] = {}
    rejected: list[Rejected] = []
    unknown: dict[str, None] = {}
    for record in raw:
        try:
            if record.values is None:
                raise RecordError(record.reason)
            project = project_from(record.values, undecoded=undecoded)
        except RecordError as error:
            given = (record.values or {}).get("id")
            known_id = sanitise(given) if isinstance(given, str) else None
            rejected.append(Rejected(source=name, line=record.line, reason=str(error), id=known_id))
            continue
        if project.id in accepted:
            line = accepted.pop(project.id)[0]
            reason = f"Die id „{project.id}“ steht in Zeile {line} und in Zeile {record.line}; die letzte zählt."
            rejected.append(Rejected(source=name, line=line, reason=reason, id=project.id))
        accepted[project.id] = (record.line, project)
        unknown.update(dict.fromkeys(key for key in project.extra))
    return ReadResult(
        projects=tuple(project for _, project in accepted.values()),
        rejected=tuple(rejected),
        unknown_keys=tuple(unknown),
        notes=notes,
    )


# --- writing ---------------------------------------------------------------------------------------------------------


def _write_jsonl(projects: Iterable[Project], stream: BinaryIO, name: str) -> tuple[int, tuple[Rejected, ...]]:
    lines, rejected = _json_lines(projects, name)
    stream.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
    return len(lines), rejected


def _write_json(projects: Iterable[Project], stream: BinaryIO, name: str) -> tuple[int, tuple[Rejected, ...]]:
    lines, rejected = _json_lines(projects, name)
    stream.write(("[\n" + ",\n".join(lines) + "\n]\n").encode("utf-8") if lines else b"[]\n")
    return len(lines), rejected


def _json_lines(projects: Iterable[Project], name: str) -> tuple[list[str], tuple[Rejected, ...]]:
    lines: list[str] = []
    rejected: list[Rejected] = []
    for project in projects:
        try:
            lines.append(dump_json(record_from(project)))
        except RecordError as error:
            rejected.append(Rejected(source=name, line=None, reason=str(error), id=project.id))
    return lines, tuple(rejected)


_WRITERS: dict[str, Callable[[Iterable[Project], BinaryIO, str], tuple[int, tuple[Rejected, ...]]]] = {
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": write_csv,
    "xlsx": write_xlsx,
}


def _replace(path: Path, content: bytes) -> None:
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        _write_into(path, content)
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fresh.write_bytes(content)
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        hint = "die Rechte des Ordners prüfen und die Datei in anderen Programmen schließen"
        hint = hint if isinstance(error, PermissionError) else "Pfad und freien Platz prüfen"
        raise CheckupError(
            f"{path}: Die Datei lässt sich nicht schreiben ({in_german(error)}). Bitte {hint}."
        ) from error


def _write_into(path: Path, content: bytes) -> None:
    """Writes to a device or a pipe, which is never replaced."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CheckupError(f"{path}: Dorthin lässt sich nicht schreiben ({in_german(error)}).") from error


# --- names and formats -----------------------------------------------------------------------------------------------


def _is_stream(place: Path | str | BinaryIO) -> bool:
    return place == "-" or not isinstance(place, Path | str)


def _name(place: Path | str | BinaryIO) -> str:
    if not _is_stream(place):
        return str(place)
    return _STANDARD_STREAM if place == "-" else str(getattr(place, "name", _STANDARD_STREAM))


def _check_format(format: str | None) -> Format | None:  # noqa: A002
    if format is not None and format not in FORMATS:
        raise UsageError(f"Das Format „{format}“ gibt es nicht. Bekannt sind: {', '.join(FORMATS)}.")
    return format


def _by_ending(name: str) -> Format | None:
    endings: dict[str, Format] = {
        ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv", ".xlsx": "xlsx",
    }  # fmt: skip
    return endings.get(Path(name).suffix.lower())


def _guess(name: str, content: bytes) -> Format:
    by_ending = _by_ending(name)
    if by_ending is not None:
        return by_ending
    if content.startswith(b"PK\x03\x04"):
        return "xlsx"
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return "json" if start == b"[" else "jsonl" if start == b"{" else "csv"
