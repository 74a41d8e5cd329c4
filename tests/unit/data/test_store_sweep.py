import sqlite3
from collections.abc import Callable

import pytest

from data import database
from data.errors import CheckupError
from data.records import Project
from data.settings import Settings
from data.store import Store
from data.store_sweep import sweep


def test_a_database_that_somebody_holds_is_said(
    settings: Settings, put: Callable[..., None], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Project(id="a", text="x"))
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    holder = sqlite3.connect(settings.database_path, isolation_level=None)
    try:
        with Store.open(settings) as other, other.writing("erase"):
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(CheckupError, match="gesperrt"):
                sweep(other)
            holder.execute("ROLLBACK")
            assert sweep(other)
    finally:
        holder.close()
