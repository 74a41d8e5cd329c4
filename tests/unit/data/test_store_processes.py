"""Several processes on one workspace: started by spawn, as on every platform."""

import json
import multiprocessing
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from data.errors import CheckupError
from data.records import Project
from data.settings import Settings, load_settings
from data.store import Store
from data.writer_lock import LOCK_FILE, NOTE_FILE

PATIENCE_S = 30


def write_until_told(workspace: str, holding: Event, stop: Event) -> None:
    with Store.open(load_settings(Path(workspace)), create=True) as store, store.writing("refresh"):
        number = 0
        while not stop.is_set():
            one = Project(id=f"p{number:04}", text="Text.")
            store.upsert_projects([one], origin="crawl", source="x", kind="original", fetched_at="2026-01-01")
            number += 1
            holding.set()


def test_many_read_while_one_writes(settings: Settings, put: Callable[..., None]) -> None:
    put(Project(id="a", text="Text."))
    spawn = multiprocessing.get_context("spawn")
    holding, stop = spawn.Event(), spawn.Event()
    writer = spawn.Process(target=write_until_told, args=(str(settings.workspace), holding, stop))
    writer.start()
    try:
        assert holding.wait(PATIENCE_S)
        seen = []
        with Store.open(settings) as one, Store.open(settings) as other:
            for _ in range(20):
                seen.append(len(list(one.iter_cards())))
                assert other.get_project("a") is not None
            assert seen == sorted(seen)
            with pytest.raises(CheckupError) as caught, other.writing("import"):
                pass
        message = caught.value.message
        assert "„refresh“" in message
        assert f"Prozess {writer.pid} auf {socket.gethostname()}, seit 20" in message
    finally:
        stop.set()
        writer.join(PATIENCE_S)
    assert writer.exitcode == 0
    with Store.open(settings) as store, store.writing("import"):
        assert store.count() > 1


def test_a_killed_writer_leaves_whole_batches_and_no_lock(settings: Settings, put: Callable[..., None]) -> None:
    put(Project(id="a", text="Text."))
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from data.records import Project; from data.settings import load_settings; from data.store import Store\n"
        "with Store.open(load_settings(Path(sys.argv[1]))) as store, store.writing('import'):\n"
        "    records = (Project(id=f'p{number}', text='Text.') for number in range(10**7))\n"
        "    print('go', flush=True)\n"
        "    store.upsert_projects(records, origin='import', source='x', kind='original', fetched_at='2026-01-01')\n"
    )
    root = str(Path(__file__).parents[3])
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(settings.workspace), root], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.3)
    child.kill()
    child.wait(PATIENCE_S)
    child.stdout.close()
    with Store.open(settings) as store:
        assert [run.status for run in store.runs()] == ["done", "running"]
        assert store.count() % 500 == 1
        with store.writing("import"):
            assert [run.status for run in store.runs()] == ["done", "interrupted", "running"]
        assert len(list(store.iter_projects())) == store.count()


def test_the_note_of_a_dead_process_is_harmless(settings: Settings, store: Store) -> None:
    settings.workspace.joinpath(NOTE_FILE).write_text(json.dumps({"pid": 1, "kind": "x"}), encoding="utf-8")
    settings.workspace.joinpath(LOCK_FILE).touch()
    with store.writing("import"), pytest.raises(CheckupError, match="„import“"), store.writing("review"):
        pass
    settings.workspace.joinpath(NOTE_FILE).write_text("kein JSON", encoding="utf-8")
    with store.writing("import"):
        settings.workspace.joinpath(NOTE_FILE).write_text("kein JSON", encoding="utf-8")
        with pytest.raises(CheckupError, match="Ein anderer Vorgang schreibt"), store.writing("review"):
            pass
