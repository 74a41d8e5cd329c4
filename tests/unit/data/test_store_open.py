import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

from data import database
from data.errors import CheckupError
from data.records import Project
from data.settings import Settings, load_settings
from data.store import Store
from data.tables import SCHEMA_REVISION, metadata

ONE = Project(id="a", text="Text.")


def refused(settings: Settings, *, create: bool = False) -> str:
    with pytest.raises(CheckupError) as caught:
        Store.open(settings, create=create)
    assert caught.value.exit_code == 3
    return caught.value.message


def test_missing_workspace_names_seed_and_makes_nothing(settings: Settings) -> None:
    assert "checkup seed" in refused(settings)
    assert not settings.workspace.exists()


def test_empty_workspace_names_seed(settings: Settings, store: Store) -> None:
    assert "checkup seed" in refused(settings)
    with Store.open(settings, allow_empty=True) as opened:
        assert opened.count() == 0


def test_a_file_that_was_never_filled_counts_as_missing(settings: Settings) -> None:
    settings.workspace.mkdir()
    settings.database_path.touch()
    assert "checkup seed" in refused(settings)
    with Store.open(settings, create=True) as opened:
        assert opened.count() == 0


def test_newer_version_is_refused_and_left_alone(settings: Settings, put: Callable[..., None]) -> None:
    put(ONE)
    with sqlite3.connect(settings.database_path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for create in (False, True):
        assert "neueren Programmversion" in refused(settings, create=create)


def test_no_database(settings: Settings) -> None:
    settings.workspace.mkdir()
    settings.database_path.write_bytes(b"Das ist ein Brief und keine Datenbank. " * 100)
    assert "beschädigt oder gar keine Datenbank" in refused(settings)


def test_damaged_database(settings: Settings, store: Store, put: Callable[..., None]) -> None:
    put(*(Project(id=f"p{number}", text="Text. " * 200) for number in range(200)))
    store.close()
    content = bytearray(settings.database_path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    settings.database_path.write_bytes(content)
    assert "beschädigt" in refused(settings)


def test_database_of_another_program(settings: Settings) -> None:
    settings.workspace.mkdir()
    with sqlite3.connect(settings.database_path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    assert "anderen Programm" in refused(settings, create=True)


def test_workspace_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "datei").write_text("x")
    assert "--workspace" in refused(load_settings(tmp_path / "datei" / "w"), create=True)


def test_full_disk_keeps_what_was_written(settings: Settings, store: Store, put: Callable[..., None]) -> None:
    put(ONE)
    big = [Project(id=f"p{number}", text="Text. " * 5000) for number in range(50)]
    with store._engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    event.listen(store._engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages + 5}").close())
    store._engine.dispose()
    with pytest.raises(CheckupError, match="Datenträger ist voll") as caught:
        put(*big)
    assert caught.value.exit_code == 3
    store.close()
    with Store.open(settings) as opened:
        assert [project.id for project in opened.iter_projects()] == ["a"]
        with opened.writing("import"):
            pass
        assert [run.status for run in opened.runs()][-1] == "done"


def test_locked_database_is_said(settings: Settings, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    put(ONE)
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    holder = sqlite3.connect(settings.database_path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with Store.open(settings) as other, pytest.raises(CheckupError, match="gesperrt"), other.writing("import"):
            pass
    finally:
        holder.close()


def test_sqlite_is_set_up_for_many_readers(store: Store) -> None:
    with store._engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 10_000}


def test_migrations_build_the_tables(store: Store) -> None:
    with store._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_head_is_the_revision_the_code_expects() -> None:
    assert ScriptDirectory.from_config(database._config(None)).get_current_head() == SCHEMA_REVISION


def test_an_older_workspace_is_migrated_with_its_rows(
    settings: Settings, store: Store, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(ONE)
    store.close()
    script = database._MIGRATIONS.parent / "migrations"
    newer = settings.workspace / "migrations"
    (newer / "versions").mkdir(parents=True)
    for path in (*script.glob("*.py"), *script.glob("versions/*.py")):
        (newer / path.relative_to(script)).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (newer / "versions" / "0003_next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision = '0003'\ndown_revision = '0002'\nbranch_labels = None\ndepends_on = None\n"
        "def upgrade():\n"
        "    with op.batch_alter_table('projects') as batch:\n"
        "        batch.add_column(sa.Column('rating', sa.Integer()))\n"
        "        batch.alter_column('organisation', new_column_name='carrier')\n"
        "def downgrade():\n    pass\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(database, "_MIGRATIONS", newer)
    monkeypatch.setattr(database, "SCHEMA_REVISION", "0003")
    Store.open(settings).close()
    with sqlite3.connect(settings.database_path) as connection:
        assert connection.execute("SELECT id, carrier, rating FROM projects").fetchall() == [("a", None, None)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_a_workspace_of_the_first_version_keeps_its_rows(
    settings: Settings, store: Store, put: Callable[..., None]
) -> None:
    put(ONE)
    store.close()
    later = ("staged", "reviews", "events", "situations", "erasures")
    with sqlite3.connect(settings.database_path) as connection:
        for name in later:
            connection.execute(f"DROP TABLE {name}")
        connection.execute("ALTER TABLE projects DROP COLUMN merged_into")
        for name in ("origin", "score", "run_id"):
            connection.execute(f"ALTER TABLE judgements DROP COLUMN {name}")
        connection.execute("INSERT INTO judgements(kind, project_id, created_at) VALUES ('helpful', 'a', 'x')")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with Store.open(settings) as opened:
        assert [project.id for project in opened.iter_projects()] == ["a"]
        with opened._engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with sqlite3.connect(settings.database_path) as connection:
        assert connection.execute("SELECT kind, origin FROM judgements").fetchall() == [("helpful", "reviewer")]
    connection.close()
