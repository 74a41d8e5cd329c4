"""A refresh from the outside: staged, looked over by gates, kept as a whole, and told what changed."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.cli import Answer, call
from support.crawling import YAML, links, project
from support.site import Reply, Site, html
from support.whole import index, whole

from embeddings import linear
from embeddings.e5 import E5Encoder
from pipeline import answers, curate, extraction

NAMES = ("Chor", "Nähstube", "Lotsen", "Garten", "Theater")
PATHS = [f"/projekt/{number}" for number in range(len(NAMES))]


class Source:
    """A site, its YAML, and a workspace that it is refreshed into."""

    def __init__(self, site: Site, folder: Path, workspace: Path) -> None:
        self.site, self.workspace = site, workspace
        self.file = folder / "probe.yaml"
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        self.file.write_text(yaml.replace("max_records: 5", "max_records: 90").replace(", state: 0.5", ""), "utf-8")

    def refresh(self, *arguments: object) -> Answer:
        return call("refresh", "--source", self.file, *arguments, "--json", workspace=self.workspace)

    def shown(self) -> dict[str, str]:
        lines = call("export", workspace=self.workspace).lines()
        return {line["title"]: line["text"] for line in lines if line["id"].startswith("probe-")}

    def last(self) -> dict[str, Any]:
        return dict(call("diff", "--last", "--json", workspace=self.workspace).json())

    def staged(self) -> int:
        with closing(sqlite3.connect(self.workspace / "checkup.sqlite")) as database:
            return int(database.execute("SELECT count(*) FROM staged").fetchone()[0])


def titles(answer: dict[str, Any], kind: str) -> list[str]:
    return [event["detail"]["title"] for event in answer["events"] if event["kind"] == kind]


@pytest.fixture
def source(workspace: Path, tmp_path: Path) -> Iterator[Source]:
    pages = dict(zip(PATHS, map(project, NAMES), strict=True))
    with Site({"/": links(*PATHS), **pages}) as site:
        yield Source(site, tmp_path, workspace)


def test_events_tell_what_is_new_changed_gone_and_back(source: Source) -> None:
    assert source.refresh().code == 0
    assert sorted(titles(source.last(), "new")) == sorted(NAMES)
    source.site.pages["/projekt/0"] = project("Chor", "<p>Der Chor gab 2024 zwölf Konzerte.</p>")
    del source.site.pages["/projekt/4"]
    got = source.refresh()
    assert (got.code, got.json()["updated"], got.json()["gone"]) == (4, 1, 1)
    told = source.last()
    assert (titles(told, "new"), titles(told, "changed"), titles(told, "gone")) == ([], ["Chor"], ["Theater"])
    (changed,) = (event["detail"] for event in told["events"] if event["kind"] == "changed")
    assert changed["passages"] == [{"old": "", "new": "Der Chor gab 2024 zwölf Konzerte."}]
    assert [item["title"] for item in told["not_seen"]] == ["Theater"]
    assert "Theater" in source.shown()
    gone = next(event["project_id"] for event in told["events"] if event["kind"] == "gone")
    assert call("history", gone, "--json", workspace=source.workspace).json()["not_seen_since"]
    assert titles(source.last() if source.refresh() else {}, "gone") == []  # said once
    source.site.pages["/projekt/4"] = project("Theater")
    assert source.refresh().json()["back"] == 1
    assert source.last()["not_seen"] == []
    assert call("history", gone, "--json", workspace=source.workspace).json()["not_seen_since"] is None
    assert "zwölf Konzerte" in call("diff", *ends(source), workspace=source.workspace).out


def ends(source: Source) -> tuple[str, str]:
    runs = [run["id"] for run in call("status", "--json", workspace=source.workspace).json()["runs"]]
    return runs[0], runs[-1]


def test_a_crawl_that_could_not_see_everything_makes_nothing_gone(source: Source) -> None:
    source.refresh()
    source.site.pages["/projekt/4"] = html("kaputt", status=500)
    del source.site.pages["/projekt/3"]
    assert source.refresh().json()["gone"] == 0


@pytest.mark.parametrize(
    ("pages", "gate"),
    [
        ({"/": links()}, "min_records"),
        ({path: html(f"<main>Seite {path} ohne Überschrift</main>") for path in PATHS[:2]}, "drop"),
        ({"/": links(*PATHS, *[f"/projekt/neu{n}" for n in range(99)]),
          **{f"/projekt/neu{n}": project(f"Neu {n}") for n in range(99)}}, "max_records"),
    ],
)  # fmt: skip
def test_a_gate_keeps_the_last_good_state(source: Source, pages: dict[str, Reply], gate: str) -> None:
    source.refresh()
    before, index = source.shown(), (source.workspace / "index" / "CURRENT").read_text("utf-8")
    good = dict(source.site.pages)
    source.site.pages.update(pages)
    got = source.refresh()
    assert got.code == 4
    assert gate in {finding["gate"] for finding in got.json()["held"]}
    assert "probe: " in got.err
    assert source.shown() == before
    assert (source.workspace / "index" / "CURRENT").read_text("utf-8") == index
    assert [event["kind"] for event in source.last()["events"]] == ["held"]
    (question,) = call("review", "list", "--kind", "gate", "--json", workspace=source.workspace).json()["reviews"]
    assert question["id"] == "quelle:probe"
    source.site.pages.clear()
    source.site.pages.update(good)
    again = source.refresh()
    assert (again.code, again.json()["unchanged"]) == (0, len(NAMES))
    assert source.staged() == 0
    assert call("review", "list", "--kind", "gate", "--json", workspace=source.workspace).json()["reviews"] == []


def test_a_rebuilt_site_is_suspicious_until_a_person_lets_it_through(workspace: Path, tmp_path: Path) -> None:
    paths = [f"/projekt/{number}" for number in range(20)]
    with Site({"/": links(*paths), **{path: project(f"Gruppe {path[9:]}") for path in paths}}) as site:
        source = Source(site, tmp_path, workspace)
        assert source.refresh().code == 0
        for path in paths[:13]:
            site.pages[path] = project(f"Gruppe {path[9:]}", "<p>Diese Website nutzt Cookies.</p>")
        got = source.refresh()
        assert [finding["gate"] for finding in got.json()["held"]] == ["changed"]
        assert not any("Cookies" in text for text in source.shown().values())
        assert source.staged() == 20
        assert call("review", "accept", "quelle:probe", workspace=workspace).code == 0
        assert sum("Cookies" in text for text in source.shown().values()) == 13
        assert source.staged() == 0
        assert source.refresh().json()["unchanged"] == 20


def test_pages_that_did_not_change_are_not_read_twice_and_none_is_lost(source: Source) -> None:
    for path, name in zip(PATHS, NAMES, strict=True):
        source.site.pages[path] = project(name, ETag=f'"{name}"')
    assert source.refresh().json()["new"] == len(NAMES)
    source.site.log.clear()
    again = source.refresh().json()
    assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, len(NAMES))
    asked = [asked.headers.get("If-None-Match") for asked in source.site.log if asked.path in PATHS]
    assert asked == [f'"{name}"' for name in NAMES]
    with closing(sqlite3.connect(source.workspace / "checkup.sqlite")) as database, database:
        gone = database.execute("SELECT id FROM projects WHERE title = 'Chor'").fetchone()[0]
        for table in ("statements", "passages", "documents", "events"):
            database.execute(f"DELETE FROM {table} WHERE project_id = ?", (gone,))
        database.execute("DELETE FROM projects WHERE id = ?", (gone,))
    assert source.refresh().json()["new"] == 1  # its page is read anew although the server would call it unchanged
    assert len(source.shown()) == len(NAMES)


def test_a_killed_crawl_goes_on_where_it_was(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    from crawlers.handover import Handover

    emit, left = Handover._emit, [3]

    def until(handover: Handover, held: Any) -> Iterator[Any]:
        yield from emit(handover, held)
        if held.readings:
            left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    monkeypatch.setattr(Handover, "_emit", until)
    assert source.refresh().code == 130
    assert (source.staged(), source.shown()) == (3, {})
    monkeypatch.setattr(Handover, "_emit", emit)
    source.site.log.clear()
    del source.site.pages[PATHS[0]]  # read before the kill, so not asked for again
    got = source.refresh()
    assert (got.code, got.json()["new"], got.json()["failed"]) == (0, len(NAMES), [])
    assert [path for path in source.site.paths() if path in PATHS] == PATHS[3:]
    assert source.refresh().json()["gone"] == 1


def test_an_interruption_after_the_crawl_is_reported_like_an_undisturbed_run(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import refresh

    process = refresh.process

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(refresh, "process", stopped)
    assert source.refresh().code == 130
    monkeypatch.setattr(refresh, "process", process)
    source.site.log.clear()
    got = source.refresh()
    assert (got.code, got.json()["new"], got.json()["extracted"]) == (0, len(NAMES), len(NAMES))
    assert source.site.paths() == []
    assert len(titles(source.last(), "new")) == len(NAMES)
    assert source.refresh().json()["unchanged"] == len(NAMES)


def test_other_labels_are_told(source: Source) -> None:
    source.refresh()
    words = "<p>2023 fanden 40 von 50 Geflüchteten mit uns eine Wohnung; die Wohnungssuche und Vermieter.</p>"
    source.site.pages["/projekt/0"] = project("Chor", words)
    source.refresh()
    (change,) = (event for event in source.last()["events"] if event["kind"] == "label_changed")
    before, now = change["detail"]["labels"]["level"]
    assert before < now


def test_a_list_that_lost_a_row_and_is_then_unchanged(workspace: Path, tmp_path: Path) -> None:
    rows = [f"{name},{name} für alle im Ort" for name in NAMES]
    with Site() as site:
        file = tmp_path / "liste.yaml"
        file.write_text(
            f"name: probe\npublisher: S\nhomepage: {site.url()}\nlicence: x\nkind: list\nallow_private_hosts: true\n"
            f"delay_s: 0\nlist:\n  url: {site.url('/l.csv')}\n  format: csv\n  columns: {{title: t, text: x}}\n",
            "utf-8",
        )

        def refresh(count: int) -> dict[str, Any]:
            body = "\n".join(["t,x", *rows[:count]]).encode()
            site.pages["/l.csv"] = Reply(body, 200, {"Content-Type": "text/csv", "ETag": f'"{count}"'})
            return dict(call("refresh", "--source", file, "--json", workspace=workspace).json())

        assert refresh(5)["new"] == 5
        assert refresh(4)["gone"] == 1
        same = refresh(4)
        assert (same["unchanged"], same["gone"], same["back"]) == (4, 0, 0)
        assert refresh(5)["back"] == 1


def test_kept_pages_are_replayed_to_the_same_records(source: Source, home: Path, tmp_path: Path) -> None:
    source.site.pages["/projekt/0"] = project("Chor", ETag='"1"')
    assert source.refresh().code == 0
    assert list(source.workspace.rglob("*.warc.gz")) == []
    got = source.refresh("--keep-archive")  # every page, also those that the server would call unchanged
    (archive,) = source.workspace.glob("archive/probe-*.warc.gz")
    assert got.code == 0, got.err
    assert got.json()["notes"] == [f"Archiv: {archive}"]
    asked = len(source.site.log)
    second = tmp_path / "zweiter"
    shutil.copytree(home, second)
    replayed = call("refresh", "--source", source.file, "--replay", archive, workspace=second)
    assert replayed.code == 0, replayed.err
    assert len(source.site.log) == asked
    first, again = (call("export", "--documents", "-", workspace=folder) for folder in (source.workspace, second))
    assert len(first.lines()) == len(NAMES)
    assert without_times(again) == without_times(first)


def without_times(answer: Answer) -> list[dict[str, Any]]:
    """An unchanged record keeps the time of its first fetch, which is before that of the archive."""
    return [{key: value for key, value in line.items() if key != "fetched_at"} for line in answer.lines()]


def test_an_archive_goes_with_its_time_and_with_its_source(source: Source) -> None:
    folder = source.workspace / "archive"
    assert source.refresh("--keep-archive").code == 0
    (kept,) = folder.iterdir()
    kept.rename(folder / "probe-20200131T080000Z.warc.gz")
    (folder / "eigenes.warc.gz").write_bytes(b"von Hand")
    got = source.refresh()
    assert got.json()["notes"] == ["Archive gelöscht, weil ihre Frist um ist: 1."]
    (folder / "eigenes.warc.gz").unlink()
    assert list(folder.iterdir()) == []
    assert source.refresh("--keep-archive").code == 0
    assert call("erase", "source", "probe", "--reason", "x", workspace=source.workspace).code == 0
    assert list(folder.iterdir()) == []


def test_a_replay_is_not_kept_again(source: Source, tmp_path: Path) -> None:
    got = source.refresh("--keep-archive", "--replay", tmp_path / "x.warc.gz")
    assert (got.code, "--replay" in got.err) == (2, True)


def computed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts from now on what is costly: vectors, hashed words, comparisons, readings."""
    counts: Counter[str] = Counter()

    def watch(owner: Any, name: str, size: Callable[..., int]) -> None:
        original = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            counts[name] += size(*arguments)
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, watched)

    watch(E5Encoder, "encode", lambda _, texts: len(texts))
    watch(answers, "hashed_tokens", lambda *_: 1)
    watch(linear, "hashed_features", lambda *_: 1)
    watch(curate, "compare", lambda *_: 1)
    watch(extraction, "read", lambda documents, *_: len(documents))
    return counts


def test_a_refresh_without_changes_makes_no_version_and_computes_nothing(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.refresh()
    before, counts = whole(source.workspace), computed(monkeypatch)
    assert source.refresh().json()["unchanged"] == len(NAMES)
    now = whole(source.workspace)
    assert {name for name in now if now[name] != before[name]} == {"meta", "report"}
    assert +counts == Counter()


def test_a_change_costs_itself_and_gives_what_a_new_index_gives(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.refresh()
    counts = computed(monkeypatch)
    source.site.pages["/projekt/0"] = project("Chor", "<p>Der Chor gab 2024 zwölf Konzerte.</p>")
    assert source.refresh().json()["updated"] == 1
    assert {name: counts[name] for name in ("encode", "hashed_tokens", "read")} == {
        "encode": 1, "hashed_tokens": 1, "read": 1,
    }  # fmt: skip
    shutil.copytree(source.workspace, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "index")
    assert call("reindex", workspace=tmp_path / "copy").code == 0
    assert index(tmp_path / "copy") == index(source.workspace)
