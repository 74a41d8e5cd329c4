"""An import and a refresh killed at random moments: the next run ends where an undisturbed one would have ended."""

import json
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.cli import call, finish, start, wait_for_writer, write_lines
from support.crawling import YAML, links, project
from support.site import Site

from e2e.conftest import SITUATION

Arguments = tuple[object, ...]
TIMES = ("first_seen", "last_seen", "closed_at", "fetched_at")
NAMES = ("Lotsen", "Chor", "Nähstube", "Radwerkstatt", "Lernhilfe", "Theater")
TEXT = (
    "{name} bringt Zugewanderte und Nachbarn im Ort zusammen. 2022 nahmen 38 Frauen teil, 12 fanden eine Arbeit. "
    "Anfangs fehlten Räume, dann half die Gemeinde. Das Angebot {name} läuft seit 2023 dauerhaft weiter."
)


SITUATIONS = "".join(
    json.dumps({"id": text, "text": text}) + "\n"
    for text in (SITUATION, "Frauen finden keine Arbeit.", "Ein Chor fehlt.")
).encode()


def changes(workspace: Path) -> list[Any]:
    """What all runs together say they changed."""
    with closing(sqlite3.connect(workspace / "checkup.sqlite")) as database:
        return sorted(database.execute("SELECT kind, project_id, source, detail FROM events"), key=repr)


def state(workspace: Path) -> list[Any]:
    """Statements without their times, rankings, and what is told to have changed."""
    export = call("export", "--full", workspace=workspace)
    assert export.code == 0, export.err
    lines = export.lines()
    for line in lines:
        for item in (*line["statements"], *line["documents"]):
            for name in TIMES:
                item.pop(name, None)
    answers = call("match", "--input", "-", workspace=workspace, stdin=SITUATIONS)
    assert answers.code == 0, answers.err
    return [lines, answers.lines(), changes(workspace)]


def undisturbed(workspace: Path, arguments: Arguments) -> tuple[list[Any], float]:
    """The state it leads to, and the seconds from the first write to the end."""
    child = start(*arguments, workspace=workspace)
    wait_for_writer(child, workspace)
    began = time.monotonic()
    answer = finish(child)
    assert answer.code == 0, answer.err
    return state(workspace), time.monotonic() - began


def kill_after(workspace: Path, arguments: Arguments, delay_s: float) -> None:
    child = start(*arguments, workspace=workspace)
    wait_for_writer(child, workspace)
    time.sleep(delay_s)
    child.kill()
    finish(child)


def marathon(home: Path, folder: Path, arguments: Arguments, kills: int) -> None:
    shutil.copytree(home, folder / "whole")
    expected, duration_s = undisturbed(folder / "whole", arguments)
    moments = random.Random(kills).sample(range(1000), kills)
    places = [folder / f"killed-{moment}" for moment in moments]
    for place in places:
        shutil.copytree(home, place)

    def kill(pair: tuple[Path, int]) -> None:
        kill_after(pair[0], arguments, pair[1] / 1000 * duration_s)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill, zip(places, moments, strict=True)))
    for place in places:
        listed = call("list", "--json", workspace=place)
        assert listed.code == 0, (place.name, listed.err)
        rerun = call(*arguments, workspace=place)
        assert rerun.code == 0, (place.name, rerun.err)
        assert state(place) == expected, place.name
        assert [path.name for path in (place / "index").glob("part-*")] == []
        shutil.rmtree(place)


@pytest.fixture
def importing(tmp_path: Path) -> Arguments:
    records = [{"id": f"p{number}", "title": name, "text": TEXT.format(name=name)} for number, name in enumerate(NAMES)]
    changed = {"id": "ausbildung", "text": "Mentoren begleiten 2024 junge Frauen in die Ausbildung."}
    return ("import", write_lines(tmp_path / "projekte.jsonl", [*records, changed]))


@pytest.fixture
def refreshing(tmp_path: Path) -> Iterator[Callable[[], Arguments]]:
    paths = [f"/projekt/{number}" for number in range(len(NAMES))]
    pages = {path: project(name, f"<p>{TEXT.format(name=name)}</p>") for path, name in zip(paths, NAMES, strict=True)}
    with Site({"/": links(*paths), **pages}) as site:
        source = tmp_path / "probe.yaml"
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        source.write_text(yaml.replace("max_records: 5", "max_records: 9").replace(", state: 0.5", ""), "utf-8")
        yield lambda: ("refresh", "--source", source)


def test_a_killed_import_is_finished_by_the_next(home: Path, tmp_path: Path, importing: Arguments) -> None:
    marathon(home, tmp_path, importing, 5)


def test_a_killed_refresh_is_finished_by_the_next(
    home: Path, tmp_path: Path, refreshing: Callable[[], Arguments]
) -> None:
    marathon(home, tmp_path, refreshing(), 5)


@pytest.mark.long
def test_twenty_killed_imports(home: Path, tmp_path: Path, importing: Arguments) -> None:
    marathon(home, tmp_path, importing, 20)


@pytest.mark.long
def test_twenty_killed_refreshes(home: Path, tmp_path: Path, refreshing: Callable[[], Arguments]) -> None:
    marathon(home, tmp_path, refreshing(), 20)
