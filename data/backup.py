"""A workspace in one file: written while others read and write, checked before anything of it is taken back.

Below: `data.database`, `data.settings`. Above: `pipeline.restore`, `checkup.commands.care`.
A zip with `manifest.json` (schema revision, SHA-256 and size of every file), the database as one moment saw it, the
workspace's own vocabulary, sources, settings and archives. The index is no part of it: it is built from the database.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from sqlalchemy import URL, create_engine

from data.clock import utc_now
from data.database import needs_upgrade, schema_revision, translate
from data.errors import CheckupError
from data.settings import DATABASE_FILE, SETTINGS_FILE, Settings
from data.system_errors import in_german

FORMAT = 1
MANIFEST = "manifest.json"
OVERLAYS = ("vocabulary", "sources")
ARCHIVES = ("*.warc", "*.warc.gz")
_BLOCK = 1 << 20
_MOST_MANIFEST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    created_at: str
    schema_revision: str
    projects: int
    files: Mapping[str, Mapping[str, Any]]
    """By name in the zip: `sha256` and `size_bytes`."""


def write_backup(settings: Settings, target: Path) -> Manifest:
    """Writes a backup; a file of that name is replaced once the new one is whole.

    Args:
        settings: Name the workspace, which must hold an embedded database.
        target: The file; its folder must exist.

    Raises:
        CheckupError: No embedded database, no room, or a place that cannot be written.
    """
    if settings.database_url is not None:
        raise CheckupError(
            "Gesichert wird nur die eingebettete Datenbank. Für eine mit database_url bitte deren eigenes Werkzeug "
            "benutzen (etwa pg_dump)."
        )
    with _explained(target), tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix="backup-part-") as name:
        folder = Path(name)
        snapshot = folder / DATABASE_FILE
        _snapshot(settings.database_path, snapshot)
        files = {DATABASE_FILE: snapshot, **_own_files(settings.workspace)}
        part = folder / "part.zip"
        manifest = _write_zip(part, files, snapshot)
        os.chmod(part, 0o600)
        os.replace(part, target)
    return manifest


def _snapshot(database: Path, target: Path) -> None:
    """The database as it is at one moment, by SQLite's own backup (sqlite.org/backup.html)."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        # A file of its own that needs no log beside it.
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()


def _own_files(workspace: Path) -> dict[str, Path]:
    """What a person has put into the workspace, by name in the zip."""
    paths = [workspace / SETTINGS_FILE]
    paths += [path for folder in OVERLAYS for path in sorted((workspace / folder).rglob("*"))]
    paths += [path for suffix in ARCHIVES for path in sorted(workspace.rglob(suffix))]
    return {path.relative_to(workspace).as_posix(): path for path in paths if path.is_file()}


def _write_zip(part: Path, files: Mapping[str, Path], snapshot: Path) -> Manifest:
    sums: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6, allowZip64=True) as archive:
        for name, path in files.items():
            digest, size = hashlib.sha256(), 0
            with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as member:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
                    member.write(block)
            sums[name] = {"sha256": digest.hexdigest(), "size_bytes": size}
        revision, projects = _describe(snapshot)
        content = {
            "format": FORMAT, "created_at": utc_now(), "schema_revision": revision, "projects": projects, "files": sums,
        }  # fmt: skip
        archive.writestr(MANIFEST, json.dumps(content, ensure_ascii=False, indent=1))
    return Manifest(created_at=str(content["created_at"]), schema_revision=revision, projects=projects, files=sums)


def _describe(database: Path) -> tuple[str, int]:
    """Revision and number of projects of a database file."""
    with closing(sqlite3.connect(database)) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        projects = connection.execute("SELECT count(*) FROM projects").fetchone()
    return str(revision[0]), int(projects[0])


def unpack(file: Path, folder: Path) -> Manifest:
    """Unpacks a backup into an empty folder, every checksum compared.

    Args:
        file: The backup.
        folder: Exists and is empty; after an error its content means nothing.

    Raises:
        CheckupError: No backup, damaged, of a newer version, or no room.
    """
    try:
        with _opened(file) as archive, _explained(folder):
            manifest = _read_manifest(archive, file)
            for name, item in manifest.files.items():
                _unpack_one(archive, name, item, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, NotImplementedError) as error:
        raise _damaged(file, error) from error
    _check_revision(folder / DATABASE_FILE, file)
    return manifest


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise CheckupError(f"Die Sicherung {file} gibt es nicht.") from error
    except OSError as error:
        raise CheckupError(f"Die Sicherung {file} lässt sich nicht lesen: {in_german(error)}.") from error


def _read_manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        with archive.open(MANIFEST) as member:
            content = json.loads(member.read(_MOST_MANIFEST_BYTES))
        if content["format"] > FORMAT:
            raise CheckupError(
                f"{file} stammt von einer neueren Programmversion. Bitte das Programm aktualisieren; geändert wurde "
                "nichts."
            )
        manifest = Manifest(
            created_at=content["created_at"],
            schema_revision=content["schema_revision"],
            projects=content["projects"],
            files=content["files"],
        )
        names = set(manifest.files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(file, error) from error
    if DATABASE_FILE not in names or not all(map(_belongs, names)):
        raise _damaged(file, ValueError("fremde Dateien"))
    return manifest


def _belongs(name: str) -> bool:
    """Whether a name is one that a backup may hold: nothing outside of the workspace, nothing of the index."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        return False
    return name in (DATABASE_FILE, SETTINGS_FILE) or path.parts[0] in OVERLAYS or name.endswith((".warc", ".warc.gz"))


def _unpack_one(archive: zipfile.ZipFile, name: str, item: Mapping[str, Any], folder: Path) -> None:
    target = folder.joinpath(*PurePosixPath(name).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size, most = hashlib.sha256(), 0, int(item["size_bytes"])
    with archive.open(name) as member, _private(target) as copy:
        while block := member.read(_BLOCK):
            size += len(block)
            if size > most:
                raise zipfile.BadZipFile(f"{name}: größer als angegeben")
            digest.update(block)
            copy.write(block)
    if digest.hexdigest() != item["sha256"]:
        raise zipfile.BadZipFile(f"{name}: Prüfsumme weicht ab")


def _private(path: Path) -> IO[bytes]:
    """A new file that its owner alone may read, as archives and settings must be."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb")


def _check_revision(database: Path, file: Path) -> None:
    engine = create_engine(URL.create("sqlite", database=str(database)))
    try:
        with engine.connect() as connection:
            needs_upgrade(schema_revision(connection))
    except CheckupError as error:
        raise CheckupError(f"{file}: {error.message}") from error
    except Exception as error:
        # SQLAlchemy wraps what SQLite says of a file that is no database.
        if not isinstance(getattr(error, "orig", None), sqlite3.Error):
            raise
        raise _damaged(file, error) from error
    finally:
        engine.dispose()


def is_filled(workspace: Path) -> bool:
    """Whether a workspace holds a database or files of its own."""
    return (workspace / DATABASE_FILE).exists() or bool(_own_files(workspace))


def replace_database(source: Path, target: Path) -> None:
    """Puts a database in the place of another, in one transaction; readers see the old or the new one.

    Raises:
        CheckupError: No room, or the place is held by somebody.
    """
    with _explained(target), closing(sqlite3.connect(source)) as fresh, closing(sqlite3.connect(target)) as old:
        old.execute("PRAGMA busy_timeout = 10000").fetchone()
        fresh.backup(old)
        old.execute("PRAGMA journal_mode = WAL").fetchone()


def replace_files(folder: Path, workspace: Path) -> None:
    """Puts a backup's own files in the place of the workspace's; those that it lacks go.

    Raises:
        CheckupError: A file cannot be written.
    """
    fresh = _own_files(folder)
    with _explained(workspace):
        for name, path in fresh.items():
            target = workspace / name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        for name, path in _own_files(workspace).items():
            if name not in fresh and folder not in path.parents:
                path.unlink()


def free_enough(folder: Path, size_bytes: int) -> None:
    """Raises a CheckupError where a disk has less room than that."""
    if shutil.disk_usage(folder).free < size_bytes:
        raise CheckupError(
            f"Auf dem Datenträger von {folder} sind keine {size_bytes / 1e6:.0f} MB frei. Bitte Platz schaffen; "
            "geändert wurde nichts."
        )


def _damaged(file: Path, error: Exception) -> CheckupError:
    return CheckupError(
        f"{file} ist keine Sicherung des Check-Ups oder beschädigt ({error}). Bitte eine andere Sicherung nehmen; "
        "geändert wurde nichts."
    )


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    """Turns a full disk and the like into words; what was half written is gone by then."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename is not None and Path(error.filename).parent.is_dir():
            raise
        raise CheckupError(f"Den Ordner {place.absolute().parent} gibt es nicht. Bitte anlegen.") from error
    except (OSError, sqlite3.Error) as error:
        helpful = translate(error)
        if helpful is None:
            raise
        raise CheckupError(f"{place}: {helpful.message}") from error
