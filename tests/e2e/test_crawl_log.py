"""What a crawl leaves beside its projects: the log of requests, and what could not be read or was passed over."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.care import Crawled, erase, holding
from support.cli import call
from support.crawling import links, project
from support.site import Reply, Site, html

from crawlers.log_file import Line, line_of, log_files


def logged(workspace: Path) -> list[Line]:
    found = [line_of(raw) for path in log_files(workspace) for raw in path.read_text("utf-8").splitlines()]
    assert None not in found
    return [line for line in found if line is not None]


# --- the log ---------------------------------------------------------------------------------------------------------


def test_every_request_of_a_refresh_a_check_and_a_draft_is_logged(source: Crawled, tmp_path: Path) -> None:
    asked = [source.site.url(one.path) for one in source.site.log]
    assert [(line.source, line.url) for line in logged(source.workspace)] == [("probe", url) for url in asked]
    assert {line.status for line in logged(source.workspace)} == {"200", "404"}  # there is no robots.txt
    for arguments, name in (
        (("sources", "check", source.file), "probe"),
        (("sources", "new", source.site.url("/"), "--name", "neu", "--output", tmp_path / "neu.yaml",
          "--allow-private-hosts"), "neu"),
    ):  # fmt: skip
        before, seen = len(logged(source.workspace)), len(source.site.log)
        assert call(*arguments, workspace=source.workspace).code == 0
        fresh = logged(source.workspace)[before:]
        assert [line.url for line in fresh] == [source.site.url(one.path) for one in source.site.log[seen:]]
        assert {line.source for line in fresh} == {name}
    assert b"Wortlaut" not in (source.workspace / "logs" / "crawl.log").read_bytes()


def test_a_replay_asks_nobody_and_logs_nothing(source: Crawled) -> None:
    assert call("refresh", "--source", source.file, "--keep-archive", workspace=source.workspace).code == 0
    before = logged(source.workspace)
    (archive,) = source.workspace.glob("archive/*.warc.gz")
    assert call("refresh", "--source", source.file, "--replay", archive, workspace=source.workspace).code == 0
    assert logged(source.workspace) == before


def test_a_log_that_cannot_be_written_stops_no_crawl_and_is_said_once(workspace: Path, tmp_path: Path) -> None:
    (workspace / "logs").write_text("im Weg", "utf-8")
    page = {"/projekt/chor": project("Chor")}
    with Site({"/": links(*page), **page}) as site:
        source = Crawled(site, tmp_path, workspace)
        got = source.refresh()
        checked = call("sources", "check", source.file, workspace=workspace)
    assert (got.code, got.json()["new"], got.err.count("crawl.log")) == (0, 1, 1)
    assert (checked.code, checked.err.count("crawl.log")) == (0, 1)


def test_a_database_that_cannot_be_read_stops_no_check(tmp_path: Path) -> None:
    """Nobody knows then what was erased, so nothing is logged."""
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "checkup.sqlite").write_bytes(b"kaputt" * 1000)
    page = {"/projekt/chor": project("Chor")}
    with Site({"/": links(*page), **page}) as site:
        source = Crawled(site, tmp_path, tmp_path / "ws")
        got = call("sources", "check", source.file, workspace=tmp_path / "ws")
    assert (got.code, "nicht festgehalten" in got.err) == (0, True)
    assert log_files(tmp_path / "ws") == []


def test_an_erased_page_is_in_no_line_of_the_log_and_comes_into_none(source: Crawled) -> None:
    page = source.site.url("/projekt/gartenfreunde")
    assert page in {line.url for line in logged(source.workspace)}
    before = [line for line in logged(source.workspace) if line.url != page]
    erase(source.workspace, "page", page)
    assert logged(source.workspace) == before
    assert source.refresh().code == 0
    assert call("sources", "check", source.file, workspace=source.workspace).code == 0
    assert len(logged(source.workspace)) > len(before)
    assert page not in {line.url for line in logged(source.workspace)}


def test_an_erased_source_is_in_no_log_file(source: Crawled) -> None:
    folder = source.workspace / "logs"
    other = Line("2026-01-31T08:00:00.000Z", "andere", "200", "https://example.org/andere")
    (folder / "crawl.log").rename(folder / "crawl.log.2")
    (folder / "crawl.log").write_text(f"{other}\n", "utf-8")
    erase(source.workspace, "source", "probe")
    assert logged(source.workspace) == [other]
    assert [path.name for path in folder.iterdir()] == ["crawl.log"]
    assert call("sources", "check", source.file, workspace=source.workspace).code == 0
    assert logged(source.workspace) == [other]


def test_lines_end_with_the_time_of_their_sources_archives(source: Crawled) -> None:
    source.write("retention_days: 10\n")
    now = datetime.fromisoformat(logged(source.workspace)[0].at)

    def line(name: str, days: int) -> Line:
        at = (now - timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Line(at, name, "200", f"https://example.org/{name}/{days}")

    kept = [line("probe", 9), line("andere", 89)]
    old = [line("probe", 11), line("andere", 91)]
    (source.workspace / "logs" / "crawl.log.1").write_text("".join(f"{one}\n" for one in [*old, *kept]), "utf-8")
    (source.workspace / "logs" / "crawl.log.2").write_text(f"{old[0]}\n", "utf-8")
    assert source.refresh().code == 0
    found = logged(source.workspace)
    assert [one for one in found if "example.org" in one.url] == kept
    assert [path.name for path in log_files(source.workspace)] == ["crawl.log", "crawl.log.1"]


# --- what could not be read, and what was passed over ----------------------------------------------------------------

FIELDS = "  cost: {label: Kosten}\n  contact: {label: Kontakt, regex: 'Büro'}\n"


def priced(name: str, cost: str) -> Reply:
    return project(name, f"<p>Kosten: {cost}</p><p>Kontakt: Frau Anna Weber, 0511 123456</p>")


@pytest.fixture
def lacking(workspace: Path, tmp_path: Path) -> Iterator[Crawled]:
    """A source with two amounts that cannot be read, a copy, and a page that robots.txt keeps."""
    pages: dict[str, Any] = {
        "/projekt/chor": priced("Chor", "ca. 8.000 €"), "/projekt/garten": priced("Garten", "500 €"),
        "/projekt/lotsen": priced("Lotsen", "rund 9.000 €"), "/projekt/zweimal": priced("Garten", "500 €"),
        "/projekt/zu": html("x"),
    }  # fmt: skip
    robots = Reply(b"User-agent: *\nDisallow: /projekt/zu\n", 200, {"Content-Type": "text/plain"})
    with Site({"/": links(*pages), "/robots.txt": robots, **pages}) as site:
        found = Crawled(site, tmp_path, workspace)
        found.write(FIELDS)
        yield found


def test_unread_values_and_what_was_passed_over_are_told_and_reported(lacking: Crawled) -> None:
    got = lacking.refresh()
    assert got.code == 0, got.err
    (told,) = got.json()["remarks"]
    assert (told["source"], told["note_count"]) == ("probe", 5)
    assert told["reasons"] == {"duplicate": 1, "robots": 1}
    assert [note["url"] for note in told["notes"]][:1] == [lacking.site.url("/projekt/chor")]
    line = "probe: 5 Werte nicht zu lesen; übergangen: Kopie (duplicate) 1, robots.txt (robots) 1"
    assert f"{line}.\n" in got.err
    for name in ("text", "html"):
        report = Path(got.json()["report"][name]).read_text("utf-8")
        assert line in report
        assert "cost: „ca. 8.000 €“ lässt sich nicht lesen." in report
        assert "cost: „rund 9.000 €“ lässt sich nicht lesen." in report
    assert holding(lacking.workspace, "Anna Weber", "123456") == []
    again = lacking.refresh()
    assert again.json()["remarks"][0]["reasons"] == {"duplicate": 1, "robots": 1}


def test_a_killed_crawl_loses_no_note(lacking: Crawled, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    from crawlers.handover import Handover

    emit, left = Handover._emit, [3]

    def until(handover: Handover, held: Any) -> Iterator[Any]:
        outcomes = emit(handover, held)
        for outcome in outcomes:
            yield outcome
            left[0] -= bool(held.readings)
            if not left[0]:
                raise KeyboardInterrupt  # before the page is remembered
        yield from outcomes

    with monkeypatch.context() as patched:
        patched.setattr(Handover, "_emit", until)
        assert lacking.refresh().code == 130
    remarks = lacking.refresh().json()["remarks"]
    shutil.rmtree(lacking.workspace)
    shutil.copytree(home, lacking.workspace)
    assert remarks == lacking.refresh().json()["remarks"]


def test_what_was_noted_of_an_erased_page_goes_with_it(lacking: Crawled) -> None:
    assert lacking.refresh().code == 0
    assert "checkup.sqlite" in holding(lacking.workspace, "ca. 8.000 €")
    erase(lacking.workspace, "page", lacking.site.url("/projekt/chor"))
    assert holding(lacking.workspace, "ca. 8.000 €") == []
    assert "checkup.sqlite" in holding(lacking.workspace, "rund 9.000 €")


def test_rows_of_a_list_are_told_with_their_line_and_go_with_an_erased_row(workspace: Path, tmp_path: Path) -> None:
    rows = ["titel,kosten", "Chor im Ort,ca. 500 €", "Garten im Ort,700 €", "Garten im Ort,700 €", "Verkehr,9 €"]
    (tmp_path / "liste.csv").write_text("\n".join(rows), "utf-8")
    file = tmp_path / "liste.yaml"
    file.write_text(
        "name: liste\npublisher: S\nhomepage: https://example.org/\nlicence: x\nkind: list\ncontact: a@example.org\n"
        "list:\n  file: liste.csv\n  format: csv\n  columns: {title: titel, cost: kosten}\n  only: {title: Ort}\n",
        "utf-8",
    )
    got = call("refresh", "--source", file, "--json", workspace=workspace)
    (told,) = got.json()["remarks"]
    assert told["reasons"] == {"duplicate": 1, "not_selected": 1}
    assert [(note["line"], note["reason"]) for note in told["notes"]] == [
        (2, "cost: „ca. 500 €“ lässt sich nicht lesen.")
    ]
    assert "Zeile 2: cost" in Path(got.json()["report"]["text"]).read_text("utf-8")
    checked = call("sources", "check", file, "--limit", "1", "--json", workspace=workspace).json()
    assert [note["line"] for note in checked["unread"]] == [2]
    project_id = next(
        line["id"] for line in call("export", workspace=workspace).lines() if line.get("title") == "Chor im Ort"
    )
    for path in (workspace / "reports").iterdir():
        path.unlink()
    erase(workspace, "project", project_id)
    assert holding(workspace, "ca. 500 €") == []
