"""What may go wrong around a refresh: tried, reported, nothing lost. The table is docs/reliability.md."""

import errno
import io
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cli import call
from support.crawling import links, project
from support.site import Reply, Site, html
from support.varied import varied
from support.whole import index, whole

from data import database
from e2e.conftest import SITUATION
from e2e.test_refresh import Source, titles

NAMES = ("Chor", "Nähstube", "Lotsen", "Garten", "Theater", "Lernhilfe", "Kochkurs", "Radwerkstatt")
PAGES = {f"/projekt/{number}": project(name) for number, name in enumerate(NAMES)}


@pytest.fixture
def source(workspace: Path, tmp_path: Path) -> Iterator[Source]:
    with Site({"/": links(*PAGES), **PAGES}) as site:
        yield Source(site, tmp_path, workspace)


def presence(source: Source) -> list[Any]:
    """What a reader sees of the crawled projects, and whether one counts as gone."""
    code = call("match", SITUATION, workspace=source.workspace).code
    return [sorted(source.shown()), source.last()["not_seen"], code]


# --- the clock -------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock of the program so many days ahead (back, if negative)."""

    def set_to(days: int) -> None:
        class Shifted(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now(tz) + timedelta(days=days)

        monkeypatch.setattr("data.clock.datetime", Shifted)

    return set_to


@pytest.mark.parametrize("days", [-400, pytest.param(-1, marks=pytest.mark.long)])
def test_a_clock_set_back_between_refreshes_loses_nothing(
    source: Source, clock: Callable[[int], None], days: int
) -> None:
    assert source.refresh().json()["new"] == len(NAMES)
    source.site.pages["/projekt/0"] = project("Chor", "<p>Der Chor gab zwölf Konzerte.</p>")
    del source.site.pages["/projekt/7"]
    clock(days)
    got = source.refresh()
    counts = got.json()
    assert (got.code, counts["updated"], counts["gone"], counts["unchanged"]) == (4, 1, 1, len(NAMES) - 2)
    assert counts["extracted"] == 1
    assert "Bitte die Uhr prüfen" in counts["notes"][-1]
    told = Path(counts["report"]["text"]).read_text("utf-8")
    assert "Der Chor gab zwölf Konzerte." in told
    assert "Radwerkstatt" in told.split("Nicht mehr gefunden")[1]
    assert sorted(source.shown()) == sorted(NAMES)
    assert "zwölf Konzerte" in source.shown()["Chor"]
    source.site.pages["/projekt/7"] = PAGES["/projekt/7"]
    clock(0)
    again = source.refresh().json()
    assert (again["new"], again["updated"], again["back"], again["extracted"]) == (0, 0, 1, 0)
    assert presence(source) == [sorted(NAMES), [], 0]


def test_a_clock_set_back_while_a_refresh_is_broken_off(
    source: Source, clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.refresh.process", stopped)
        assert source.refresh().code == 130
    clock(-400)
    got = source.refresh()
    assert (got.code, got.json()["failed"]) == (0, [])
    assert presence(source) == [sorted(NAMES), [], 0]
    assert call("status", "--json", workspace=source.workspace).json()["index"]["projects"] == 4 + len(NAMES)


# --- the network -----------------------------------------------------------------------------------------------------


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """An answer that breaks off before it has begun."""
    request.close_connection = True


def failing_once(site: Site, path: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Hangs up at the first question; the site answers from then on."""
    reply = site.pages[path]

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        site.pages[path] = reply

    return handle


def test_a_network_that_fails_for_a_moment_costs_nothing(source: Source) -> None:
    source.site.pages |= {path: failing_once(source.site, path) for path in ("/projekt/1", "/projekt/4")}
    got = source.refresh()
    assert (got.code, got.json()["new"], got.json()["failed"]) == (0, len(NAMES), [])


@pytest.mark.long
def test_a_network_that_comes_and_goes_makes_nothing_gone_and_is_named(source: Source) -> None:
    assert source.refresh().code == 0
    for path in ("/projekt/2", "/projekt/5"):
        source.site.pages[path] = hang_up
        source.site.pages["/projekt/7"] = project("Radwerkstatt", f"<p>Neu seit dem Besuch von {path}.</p>")
        got = source.refresh()
        assert (got.code, got.json()["updated"], got.json()["gone"]) == (4, 1, 0)
        assert path in got.err
        assert path in Path(got.json()["report"]["text"]).read_text("utf-8")
        assert presence(source) == [sorted(NAMES), [], 0]
        source.site.pages[path] = PAGES[path]
    source.site.pages["/"] = hang_up
    assert source.refresh().code == 4
    assert presence(source) == [sorted(NAMES), [], 0]
    source.site.pages["/"] = links(*PAGES)
    assert source.refresh().code == 0


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["cards.jsonl", "dense.faiss", "lexical.zip", "rows.npy", "strengths.npy", "answers.npy", "tokens.json",
             "words.npy", "manifest.json", "CURRENT"],
)  # fmt: skip
def test_a_damaged_index_is_made_anew_as_it_was(workspace: Path, name: str) -> None:
    before = index(workspace)
    path = workspace / "index" / name if name == "CURRENT" else workspace / "index" / before["CURRENT"] / name
    raw = path.read_bytes()
    at = len(raw) * 3 // 4
    path.write_bytes(raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :])
    assert call("reindex", workspace=workspace).code == 0
    assert index(workspace) == before


@pytest.mark.long
def test_a_damaged_memory_of_pages_loses_no_project(source: Source) -> None:
    for path, name in zip(PAGES, NAMES, strict=True):
        source.site.pages[path] = project(name, ETag=f'"{name}"')
    assert source.refresh().json()["new"] == len(NAMES)
    memory = source.workspace / "crawl" / "probe.jsonl"
    raw = memory.read_text("utf-8")
    changed = (('"url"', '"urn"'), ('"links"', '"linkz"'), ('": ', '"  '))
    for damaged in (*(raw.replace(*pair) for pair in changed), raw[:-90]):
        memory.write_text(damaged, "utf-8")
        got = source.refresh()
        assert (got.code, got.json()["unchanged"], got.json()["gone"]) == (0, len(NAMES), 0)


def archive(path: Path, site: Site, *pages: str) -> Path:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for page in pages:
        reply = site.pages[page]
        assert isinstance(reply, Reply)
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        given = {"WARC-Date": "2026-01-31T10:00:00Z"}
        body = io.BytesIO(reply.body)
        record = writer.create_warc_record(site.url(page), "response", body, http_headers=head, warc_headers_dict=given)
        writer.write_record(record)
    path.write_bytes(out.getvalue())
    return path


def test_a_damaged_archive_changes_nothing(source: Source, tmp_path: Path) -> None:
    whole_one = archive(tmp_path / "ganz.warc.gz", source.site, "/", *PAGES)
    assert source.refresh("--replay", whole_one).json()["new"] == len(NAMES)
    shown, raw = source.shown(), whole_one.read_bytes()
    cut = [raw[: len(raw) * share // 100] for share in (97, 60)]
    for damaged, code in ((cut[0], 4), (cut[1], 4), (raw[:2000] + b"\0" * 40 + raw[2040:], 3), (b"", 3)):
        (tmp_path / "kaputt.warc.gz").write_bytes(damaged)
        got = source.refresh("--replay", tmp_path / "kaputt.warc.gz")
        assert (got.code, "rchiv" in got.err) == (code, True)
        assert (source.shown(), source.last()["not_seen"]) == (shown, [])


def test_what_an_archive_lacks_is_not_gone(source: Source, tmp_path: Path) -> None:
    assert source.refresh().code == 0
    part = archive(tmp_path / "teil.warc.gz", source.site, "/", *list(PAGES)[:6])
    got = source.refresh("--replay", part)
    assert (got.code, got.json()["unchanged"], got.json()["gone"]) == (4, 6, 0)
    assert "/projekt/7" in got.err
    assert presence(source) == [sorted(NAMES), [], 0]


# --- disk and database -----------------------------------------------------------------------------------------------


def undisturbed(source: Source, folder: Path, home: Path) -> dict[str, Any]:
    """What the refresh leaves in a fresh copy of the workspace."""
    shutil.copytree(home, folder)
    assert call("refresh", "--source", source.file, workspace=folder).code == 0
    return whole(folder)


def pages_of(workspace: Path) -> int:
    """How large the database is."""
    with closing(sqlite3.connect(workspace / "checkup.sqlite")) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])


@pytest.mark.parametrize("share", [0.1, pytest.param(0.6, marks=pytest.mark.long)])
def test_a_disk_that_is_full_in_a_refresh(
    source: Source, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    for number, path in enumerate(PAGES):
        told = varied(number)["text"]
        source.site.pages[path] = html(f"<h1>{NAMES[number]}</h1><main><p>{told} {'Viele Worte. ' * 60}</p></main>")
    expected = undisturbed(source, tmp_path / "whole", home)
    before = pages_of(source.workspace)
    most = before + int((pages_of(tmp_path / "whole") - before) * share)
    prepare = database._prepare_sqlite

    def limited(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute(f"PRAGMA max_page_count = {most}").close()

    with monkeypatch.context() as patched:
        patched.setattr(database, "_prepare_sqlite", limited)
        got = source.refresh()
    assert (got.code, "Datenträger ist voll" in got.err) == (3, True)
    assert call("match", SITUATION, workspace=source.workspace).code == 0
    assert source.refresh().code == 0
    found = whole(source.workspace)
    assert [name for name in found if name != "report" and found[name] != expected[name]] == []
    assert "gescheitert" in found["report"]


def test_a_disk_that_is_full_while_the_index_is_written(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = index(source.workspace)
    with monkeypatch.context() as patched:
        patched.setattr(np, "save", full)
        got = source.refresh()
    assert (got.code, "Platz" in got.err) == (3, True)
    assert index(source.workspace) == before
    assert [path.name for path in (source.workspace / "index").glob("part-*")] == []
    again = source.refresh()
    assert (again.code, again.json()["new"]) == (0, len(NAMES))
    assert index(source.workspace) != before


@pytest.mark.parametrize("at", ["/projekt/0", pytest.param("/projekt/5", marks=pytest.mark.long)])
def test_a_database_that_another_program_locks_in_a_refresh(
    source: Source, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    other = sqlite3.connect(source.workspace / "checkup.sqlite", isolation_level=None, check_same_thread=False)
    answer = failing_once(source.site, at)

    def lock(request: BaseHTTPRequestHandler) -> None:
        other.execute("BEGIN IMMEDIATE")
        answer(request)

    source.site.pages[at] = lock
    got = source.refresh()
    assert (got.code, "gesperrt" in got.err) == (3, True)
    assert call("match", SITUATION, workspace=source.workspace).code == 0
    other.close()
    assert source.refresh().code == 0
    found, expected = whole(source.workspace), undisturbed(source, tmp_path / "whole", home)
    assert [name for name in found if name != "report" and found[name] != expected[name]] == []
    assert sorted(titles(source.last(), "new")) == sorted(NAMES)
