"""Opens the workspace's database: engine, pragmas, migrations, and errors in words that help.

Below: `data.tables`, `data/migrations`. Above: `data.store`, which alone uses it.
"""

import errno
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, text

from data.errors import CheckupError
from data.settings import Settings
from data.system_errors import in_german
from data.tables import SCHEMA_REVISION

BUSY_TIMEOUT_MS = 10_000
"""How long a statement waits for another process's short transaction."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def engine_for(settings: Settings) -> Engine:
    """The engine of a workspace; connects lazily. Every database error a user can mend becomes a CheckupError.

    A connection with the execution option `writes=True` begins its transactions as the writer (SQLite: BEGIN
    IMMEDIATE), so that it never has to upgrade a stale snapshot.
    """
    if settings.database_url is not None:
        engine = create_engine(settings.database_url)
    else:
        engine = create_engine(URL.create("sqlite", database=str(settings.database_path)))
    event.listen(engine, "handle_error", _translate_event)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Pragmas of every connection; transactions are begun by `_begin_sqlite`, not by the driver."""
    connection.isolation_level = None
    try:
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error as error:
        helpful = translate(error)
        if helpful is None:
            raise
        raise helpful from error


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _translate_event(context: ExceptionContext) -> None:
    helpful = translate(context.original_exception)
    if helpful is not None:
        raise helpful from context.original_exception


def translate(error: BaseException) -> CheckupError | None:
    """What a user can do about a database or file error; None where it is a fault of the program."""
    if isinstance(error, sqlite3.Error):
        # Extended codes carry the primary one in the low byte (sqlite.org/rescode.html).
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    elif isinstance(error, OSError):
        full = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
        code = sqlite3.SQLITE_FULL if error.errno in full else sqlite3.SQLITE_CANTOPEN
    else:
        return None
    message = _MESSAGES.get(code)
    if message is None:
        return None
    # SQLite's own words are English: they are told only where they may help whoever is asked for help.
    detail = in_german(error) if isinstance(error, OSError) else str(error) if code in _UNEXPECTED else ""
    place = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
    return CheckupError(f"{message} ({place}{detail})" if detail else message)


_DAMAGED = (
    "Die Datenbank des Arbeitsbereichs ist beschädigt oder gar keine Datenbank. Bitte eine Sicherung zurückspielen "
    "oder die Datei „checkup.sqlite“ beiseitelegen und mit „checkup seed“ neu beginnen."
)
_UNWRITABLE = (
    "Der Arbeitsbereich lässt sich nicht öffnen oder beschreiben. Bitte die Rechte des Ordners prüfen oder mit "
    "--workspace einen anderen wählen."
)
_LOCKED = "Die Datenbank ist gerade durch einen anderen Vorgang gesperrt. Bitte gleich noch einmal versuchen."
_MESSAGES = {
    sqlite3.SQLITE_FULL: "Der Datenträger ist voll. Bitte Platz schaffen und den Befehl wiederholen; was schon "
    "gespeichert war, ist unversehrt.",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_AUTH: _UNWRITABLE,
    sqlite3.SQLITE_IOERR: "Der Datenträger meldet einen Lese- oder Schreibfehler. Bitte Verbindung und Datenträger "
    "prüfen und den Befehl wiederholen.",
}


_UNEXPECTED = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR})


def schema_revision(connection: Connection) -> str | None:
    """The migration a database stands at; None while it is empty.

    Raises:
        CheckupError: It holds tables, but not ours.
    """
    names = inspect(connection).get_table_names()
    if "alembic_version" in names:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if revision is None else str(revision)
    if names:
        raise CheckupError(
            "Die Datenbank gehört zu einem anderen Programm (sie hat keine Versionsangabe des Check-Ups). "
            "Bitte mit --workspace einen anderen Ordner wählen."
        )
    return None


def needs_upgrade(revision: str | None) -> bool:
    """Whether a database at this revision has migrations before it.

    Raises:
        CheckupError: The revision is unknown: a newer version wrote it.
    """
    if revision == SCHEMA_REVISION:
        return False
    if revision is not None and revision not in _known_revisions():
        raise CheckupError(
            f"Der Arbeitsbereich stammt von einer neueren Programmversion (Stand {revision}, bekannt ist "
            f"{SCHEMA_REVISION}). Bitte das Programm aktualisieren; am Arbeitsbereich wurde nichts geändert."
        )
    return True


def migrate(engine: Engine) -> None:
    """Brings a database to the newest revision, in one transaction; one that is there already stays as it is."""
    from alembic import command

    with engine.connect().execution_options(writes=True) as connection:
        # Batch mode rebuilds tables, so references must not be watched meanwhile (sqlite.org/lang_altertable.html);
        # inside of a transaction the pragma does nothing.
        _watch_references(connection, False)
        try:
            with connection.begin():
                if needs_upgrade(schema_revision(connection)):
                    command.upgrade(_config(connection), "head")
                    _check_references(connection)
        finally:
            _watch_references(connection, True)


def _watch_references(connection: Connection, on: bool) -> None:
    if connection.dialect.name == "sqlite":
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}").close()


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("a migration left rows that refer to nothing")


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions()}


def _config(connection: Connection | None) -> Any:
    """Alembic's configuration, made in code: an installed wheel has no `alembic.ini`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
