"""One small workspace for all tests from the outside; a test that writes works on a copy."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.care import SECRET, Crawled
from support.cli import call, write_lines
from support.crawling import links, project
from support.site import Site

PROJECTS = [
    {
        "id": "wohnlotsen", "title": "Wohnungslotsen für Musterstadt",
        "text": "Ehrenamtliche Wohnungslotsen begleiten anerkannte Geflüchtete bei der Wohnungssuche und sprechen mit "
        "Vermietern. 2019 zogen 57 Personen aus der Unterkunft in eine eigene Wohnung. Anfangs fehlten den Lotsen "
        "feste Räume. Fragen an karla.berger@example.org oder 0151 23456789.",
        "organisation": "Wohnraum e. V.", "municipality": "Musterstadt", "state": "Hessen", "start_year": 2018,
        "url": "https://example.org/wohnlotsen", "Förderung": "Land",
    },
    {
        "id": "sprachcafe", "title": "Sprachcafé 😀",
        "text": "Im Sprachcafé üben Zugewanderte jeden Dienstag Deutsch mit Freiwilligen. 🙂 Frauen bringen ihre "
        "Kinder mit; für sie gibt es eine Betreuung.",
        "municipality": "Übersee", "state": "Bayern", "end_year": 2021,
    },
    {"id": "ausbildung", "text": "Mentoren begleiten junge Geflüchtete in die Ausbildung. Betriebe stellen Plätze."},
    {
        "id": "arzt", "title": "Sprachmittler beim Arzt",
        "text": "Geschulte Sprachmittler übersetzen in Arztpraxen und Kliniken. Das Projekt läuft seit 2020 dauerhaft.",
        "state": "Sachsen",
    },
]  # fmt: skip
SITUATION = "Bei uns finden anerkannte Geflüchtete keine Wohnung und bleiben in der Unterkunft."


@pytest.fixture(autouse=True)
def _no_workspace_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHECKUP_WORKSPACE", str(tmp_path / "none"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def read_by_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are read by rules alone: for tests of many documents that ask what a kill leaves, not what is read."""
    monkeypatch.setenv("CHECKUP_READING", "rules")


@pytest.fixture(scope="session")
def projects_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The projects of `home` as JSON Lines."""
    return write_lines(tmp_path_factory.mktemp("files") / "projekte.jsonl", PROJECTS)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, projects_file: Path) -> Path:
    """A workspace with the four projects, to be read only."""
    workspace = tmp_path_factory.mktemp("home") / "ws"
    answer = call("import", projects_file, workspace=workspace)
    assert answer.code == 0, answer.err
    return workspace


@pytest.fixture(scope="session")
def usual(home: Path) -> dict[str, Any]:
    """What `match` answers to SITUATION in `home`."""
    answer = call("match", SITUATION, "--json", workspace=home)
    assert answer.code == 0, answer.err
    return dict(answer.json())


@pytest.fixture
def workspace(home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of `home` that may be written to."""
    copy = tmp_path / "ws"
    shutil.copytree(home, copy)
    return copy


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the shipped projects, to be read only; beside it lies `seed.json`, what `seed` answered."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "seeded"
    answered = folder / "seed.json"
    try:
        folder.mkdir()
    except FileExistsError:  # another worker makes it
        deadline = time.monotonic() + 300
        while not answered.exists():
            assert time.monotonic() < deadline
            time.sleep(0.2)
    else:
        answer = call("seed", "--json", workspace=folder / "ws")
        assert answer.code == 0, answer.err
        answered.with_suffix(".part").write_text(answer.out, "utf-8")
        answered.with_suffix(".part").rename(answered)
    return folder / "ws"


def drop_duplicate_questions(workspace: Path) -> None:
    """Forget what the curation asked, so that a test sees only the questions it means."""
    with sqlite3.connect(workspace / "checkup.sqlite") as database:
        database.execute("DELETE FROM reviews WHERE kind = 'duplicate'")
    database.close()


@pytest.fixture
def secret(workspace: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A workspace with one more project, which was changed, asked about, judged and saved; and its file."""
    record = {"id": "naehwerkstatt-bahnhof", "title": "Nähwerkstatt Bahnhof Süd", "text": SECRET,
              "url": "https://example.org/naehwerkstatt"}  # fmt: skip
    file = write_lines(tmp_path / "mehr.jsonl", [{**record, "text": f"Zuerst hieß es: {SECRET}"}])
    assert call("import", file, workspace=workspace).code == 0
    assert call("import", write_lines(file, [record]), workspace=workspace).code == 0
    assert call("feedback", record["id"], "helpful", "--note", f"{record['id']} ist gut", workspace=workspace).code == 0
    return workspace, file


@pytest.fixture
def source(workspace: Path, tmp_path: Path) -> Iterator[Crawled]:
    """A source of three pages, refreshed into a workspace; each ends with a sentence that no statement quotes."""
    wording = "<p>Das ist der ganz eigene, lange Wortlaut dieser Seite {}.</p>"
    names = ("Chorgemeinschaft", "Gartenfreunde", "Lotsenhaus")
    pages = {f"/projekt/{name.lower()}": project(name, wording.format(name[:3])) for name in names}
    with Site({"/": links(*pages), **pages}) as site:
        found = Crawled(site, tmp_path, workspace)
        assert found.refresh().json()["new"] == 3
        yield found
