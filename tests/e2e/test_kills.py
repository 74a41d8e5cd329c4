"""A refresh and an import, killed again and again at random moments while somebody reads.

A killed run is gone on with by the next, which is killed in turn, until one ends: then the workspace must be what an
undisturbed run leaves. That is repeated until the wanted number of kills has struck. `pytest -s` prints where they did.
"""

import json
import multiprocessing
import random
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
from support.cli import call, start, wait_for_writer, write_lines
from support.crawling import YAML, links
from support.site import Reply, Site, html
from support.varied import varied
from support.whole import reports, whole

from e2e.conftest import SITUATION

pytestmark = pytest.mark.usefixtures("read_by_rules")
PATIENCE_S = 7_200
PAUSE_S = 4.0
"""Between two questions of the reader, who would else take half of the machine."""
Arguments = tuple[object, ...]


def run(workspace: Path, arguments: Arguments) -> "subprocess.Popen[str]":
    """A child that holds the workspace for writing (or has ended)."""
    child = start(*arguments, workspace=workspace, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_writer(child, workspace)
    return child


def read_on(workspace: str, stop: Event, pipe: Any) -> None:
    """Asks the same thing until told to stop; sends the first answer, then all that differ from the one before."""
    told: list[tuple[int, str]] = []
    while not stop.is_set():
        got = call("match", SITUATION, "--json", workspace=Path(workspace))
        answer = got.code, got.out if got.code == 0 else got.err
        if not told:
            pipe.send(answer)
        if not told or told[-1] != answer:
            told.append(answer)
        stop.wait(PAUSE_S)
    pipe.send(told)


@contextmanager
def reader(workspace: Path) -> Iterator[Callable[[], list[tuple[int, str]]]]:
    """Somebody who reads beside and has read once already; the call ends it and gives what it was told."""
    spawn = multiprocessing.get_context("spawn")
    stop, (here, there) = spawn.Event(), spawn.Pipe(duplex=False)
    process = spawn.Process(target=read_on, args=(str(workspace), stop, there))
    process.start()

    def told() -> Any:
        assert here.poll(PATIENCE_S)
        return here.recv()

    def ended() -> list[tuple[int, str]]:
        stop.set()
        return list(told())

    try:
        told()
        yield ended
    finally:
        stop.set()
        process.join(60)
        process.kill()


def answer(workspace: Path) -> tuple[int, str]:
    got = call("match", SITUATION, "--json", workspace=workspace)
    return got.code, got.out


def stage(workspace: Path, vectors: int, generation: str) -> str:
    """How far a killed run had come; on the way the database's own checks."""
    with closing(sqlite3.connect(workspace / "checkup.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        attempt = database.execute("SELECT value FROM meta WHERE key = 'refresh:probe'").fetchone()
        unread = "SELECT count(*) FROM projects WHERE extracted_document_id IS NOT document_id"
        if attempt and json.loads(attempt[0])["state"] == "crawling":
            return "crawl"
        if database.execute(unread).fetchone()[0]:
            return "store, extract"
        if database.execute("SELECT count(*) FROM vectors").fetchone()[0] < vectors:
            return "curate, embed"
    return "publish" if (workspace / "index" / "CURRENT").read_text("utf-8") != generation else "report"


class Marathon:
    """An undisturbed run, and what it leaves."""

    def __init__(self, home: Path, folder: Path, arguments: Arguments) -> None:
        self.home, self.folder, self.arguments = home, folder, arguments
        shutil.copytree(home, folder / "whole")
        self.before = answer(folder / "whole")
        child = run(folder / "whole", arguments)
        began = time.monotonic()
        assert child.wait(PATIENCE_S) == 0
        self.seconds = time.monotonic() - began
        self.after = answer(folder / "whole")
        self.expected = whole(folder / "whole")
        (*_, self.summary) = summaries(folder / "whole")
        assert self.before != self.after
        self.stages: Counter[str] = Counter()

    def strike(self, kills: int) -> None:
        """Kills runs until so many kills have struck, each time on to the end: about half of them lead to one."""
        draw = random.Random(kills)
        rounds = 0
        while self.stages.total() < kills:
            rounds += 1
            delays = (draw.uniform(0, 4 * self.seconds / kills) for _ in range(kills - self.stages.total()))
            self._to_the_end(self.folder / f"killed-{rounds}", delays)
        print(  # noqa: T201 - shown with -s
            f"\n{self.seconds:.0f} s undisturbed; {kills} kills on the way to {rounds} ends: {dict(self.stages)}"
        )

    def _to_the_end(self, place: Path, delays: Iterator[float]) -> None:
        shutil.copytree(self.home, place)
        with reader(place) as ended:
            struck: Counter[str] = Counter()
            while self._killed(place, next(delays, PATIENCE_S)):
                struck[stage(place, len(self.expected["vectors"]), self.expected["CURRENT"])] += 1
            told = ended()
        self.stages += struck
        assert told in ([self.before, self.after], [self.before]), [text[:300] for _, text in told]
        assert answer(place) == self.after
        found = whole(place)
        # A run killed while it reports has ended: another follows and finds nothing, as its counts and report say.
        allowed = {"meta", "report"} if "report" in struck else set()
        assert {name for name in found if found[name] != self.expected[name]} <= allowed
        assert [path.name for path in (place / "index").glob("part-*")] == []
        if self.arguments[0] == "refresh":
            assert self.expected["report"] in reports(place)
            assert self.summary in summaries(place)
        shutil.rmtree(place)

    def _killed(self, place: Path, delay_s: float) -> bool:
        """Whether a run was killed after that time; False: it ended before."""
        child = run(place, self.arguments)
        try:
            code = child.wait(delay_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return True
        assert code == 0
        return False


def summaries(workspace: Path) -> list[dict[str, Any]]:
    """What the runs that ended well say that they did; a note says with what an interrupted run is finished."""
    with closing(sqlite3.connect(workspace / "checkup.sqlite")) as database:
        rows = database.execute("SELECT summary FROM runs WHERE status = 'done' ORDER BY started_at").fetchall()
    return [{**json.loads(text), "notes": []} for (text,) in rows]


def page(number: int) -> Reply:
    told = varied(number, brief=True)
    return html(f"<h1>{told['title']}</h1><main><p>{told['text']}</p></main>", ETag=f'"{number}"')


@pytest.mark.parametrize(("documents", "kills"), [(200, 5), pytest.param(2_000, 50, marks=pytest.mark.long)])
def test_kills_over_a_refresh(home: Path, tmp_path: Path, documents: int, kills: int) -> None:
    pages = {f"/projekt/{number}": page(number) for number in range(documents)}
    with Site({"/": links(*pages), **pages}) as site:
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none").replace(", state: 0.5", "")
        source = tmp_path / "probe.yaml"
        source.write_text(yaml.replace("max_records: 5", "max_records: 3000").replace("pages: 100", "pages: 3000"))
        marathon = Marathon(home, tmp_path, ("refresh", "--source", source))
        assert marathon.summary["new"] == documents
        marathon.strike(kills)
    assert len(marathon.stages) >= 3 or kills < 50, marathon.stages


@pytest.mark.parametrize(("documents", "kills"), [(40, 5), pytest.param(400, 20, marks=pytest.mark.long)])
def test_kills_over_an_import(home: Path, tmp_path: Path, documents: int, kills: int) -> None:
    file = write_lines(tmp_path / "projekte.jsonl", [varied(number, brief=True) for number in range(documents)])
    Marathon(home, tmp_path, ("import", file)).strike(kills)
