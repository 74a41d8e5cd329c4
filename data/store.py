"""The workspace's database: opened, read by many, written by one.

Below: `data.store_write` (writing), `data.store_read` (reading), `data.database`, `data.writer_lock`.
Above: `pipeline` fills it, `matching` and `checkup` read it.

    settings = load_settings(workspace)
    with Store.open(settings, create=True) as store, store.writing("import") as run:
        done = store.upsert_projects(projects, origin="import", source="liste.csv", kind="original", fetched_at=now)
        run.summary["new"] = done.new
"""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import insert, update

from data.clock import utc_now
from data.database import engine_for, migrate, needs_upgrade, schema_revision, translate
from data.errors import CheckupError
from data.settings import Settings
from data.store_write import ActiveRun, StoreWriter, document_id
from data.tables import runs
from data.writer_lock import writer_lock

__all__ = ["ActiveRun", "Store", "document_id"]

_UPGRADE_WAIT_S = 30.0


class Store(StoreWriter):
    """A workspace's database. Make it with `Store.open`; use it as a context manager or call `close`."""

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        create: bool = False,
        allow_empty: bool = False,
        clock: Callable[[], str] = utc_now,
    ) -> Self:
        """Opens a workspace; one of an older version is brought up to date.

        Args:
            settings: Names the workspace folder or the database.
            create: Make folder and database if they are missing (`seed`, `import`, `refresh`, `restore` only).
            allow_empty: A workspace without projects is no error (implied by `create`).
            clock: The present as ISO 8601 in UTC.

        Raises:
            CheckupError: Missing or empty, of a newer version, not writable, damaged, another program's (exit 3).
        """
        if create:
            _make_folder(settings.workspace)
        elif settings.database_url is None and not settings.database_path.is_file():
            raise CheckupError(_missing(settings.workspace))
        store = cls(settings, engine_for(settings), clock)
        try:
            store._prepare(create)
            if not (create or allow_empty) and not store.count():
                raise CheckupError(_missing(settings.workspace))
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, create: bool) -> None:
        """Checks the schema and migrates an empty (with `create`) or older one."""
        with self._engine.connect() as connection:
            revision = schema_revision(connection)
        if revision is None and not create:
            raise CheckupError(_missing(self.settings.workspace))
        if not needs_upgrade(revision):
            return
        with writer_lock(self.settings.workspace, "upgrade", self._clock(), timeout_s=_UPGRADE_WAIT_S):
            migrate(self._engine)

    @contextmanager
    def writing(self, kind: str) -> Iterator[ActiveRun]:
        """Holds the workspace for writing and records a run: running, then done, failed or interrupted.

        A run that a killed process left running is marked interrupted by the next writer.

        Args:
            kind: `seed`, `import`, `refresh`, `review`, …

        Raises:
            CheckupError: Another process is writing; the message says who and since when.
        """
        started_at = self._clock()
        with writer_lock(self.settings.workspace, kind, started_at):
            stamp = "".join(character for character in started_at if character.isalnum())
            run = ActiveRun(id=f"{stamp}-{kind}-{secrets.token_hex(3)}", kind=kind, started_at=started_at)
            self._run = run
            try:
                self._begin_run(run)
                yield run
            except BaseException as error:
                status = "failed" if isinstance(error, Exception) else "interrupted"
                run.summary.setdefault("error", str(error) or type(error).__name__)
                # On a full disk this fails too: the next writer then marks the run, the first error is what counts.
                with suppress(CheckupError):
                    self._end_run(run, status)
                raise
            else:
                self._end_run(run, "done")
            finally:
                self._run = None

    def _begin_run(self, run: ActiveRun) -> None:
        with self._transaction() as connection:
            connection.execute(
                update(runs).where(runs.c.status == "running").values(status="interrupted", ended_at=run.started_at)
            )
            connection.execute(
                insert(runs).values(id=run.id, kind=run.kind, started_at=run.started_at, status="running", summary="{}")
            )

    def _end_run(self, run: ActiveRun, status: str) -> None:
        summary = json.dumps(run.summary, ensure_ascii=False)
        with self._transaction() as connection:
            connection.execute(
                update(runs).where(runs.c.id == run.id).values(status=status, ended_at=self._clock(), summary=summary)
            )

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _make_folder(workspace: Path) -> None:
    try:
        workspace.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise translate(error) or error from error


def _missing(workspace: Path) -> str:
    return (
        f"Unter {workspace} liegt noch kein gefüllter Arbeitsbereich. „checkup seed“ legt einen mit den mitgelieferten "
        "Projekten an, „checkup import DATEI“ einen mit Ihren eigenen."
    )
