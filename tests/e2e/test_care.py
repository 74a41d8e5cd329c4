"""Erasure that is proved, and retention, from the outside."""

import io
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.care import SECRET, Crawled, erase, holding
from support.cli import call, write_lines
from support.crawling import links, project
from support.site import Reply, Site

from crawlers.memory import FileMemory
from crawlers.web import Seen
from e2e.conftest import PROJECTS, SITUATION

PERSON = "Xaloni Trebürow"
"""A name that the door lets through where it stands like this."""
WRITTEN = (
    "Die Werkstatt XALONI TREBUEROW, früher trebürow, xaloni, hat 40 Plätze. Kürzel x. trebürow, Adresse "
    "xaloni.trebuerow. 2023 nahmen 40 Frauen teil."
)


def ids(workspace: Path) -> list[str]:
    return [line["id"] for line in call("export", workspace=workspace).lines()]


def test_an_erased_project_is_in_no_file_and_does_not_come_back(secret: tuple[Path, Path]) -> None:
    workspace, file = secret
    marks = ("Nähwerkstatt Bahnhof", "naehwerkstatt-bahnhof", "Einmaliger Wortlaut")
    assert {"checkup.sqlite", "cards.jsonl"} <= set(holding(workspace, *marks))
    done = erase(workspace, "project", "naehwerkstatt-bahnhof")
    assert (done["projects"], done["kind"]) == (1, "project")
    assert holding(workspace, *marks) == []
    assert len(list((workspace / "index").glob("g-*"))) == 1
    again = call("import", file, "--json", workspace=workspace)
    assert (again.code, again.json()["accepted"], again.json()["erased"]) == (0, 0, 1)
    assert holding(workspace, "Einmaliger Wortlaut") == []
    assert ids(workspace) == sorted(one["id"] for one in PROJECTS)
    assert call("match", SITUATION, workspace=workspace).code == 0
    assert erase(workspace, "project", "naehwerkstatt-bahnhof")["projects"] == 0  # the same call may be repeated


def test_wording_that_another_project_shares_stays_there(secret: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, _ = secret
    twin = write_lines(tmp_path / "twin.jsonl", [{"id": "zwilling", "text": SECRET}])
    assert call("import", twin, workspace=workspace).code == 0
    assert erase(workspace, "project", "naehwerkstatt-bahnhof")["shared_with"] == ["zwilling"]
    assert "zwilling" in ids(workspace)


STEPS = (
    "add_tombstones", "_files", "_drop_reports", "mask_mentions_of", "enforce", "refresh.process", "leave_no_trace"
)  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_broken_off_anywhere_is_finished_by_the_same_call(
    secret: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    workspace, _ = secret
    title = "Nähwerkstatt Bahnhof Süd"
    note = f"besser als {title}"
    assert call("feedback", "wohnlotsen", "helpful", "--note", note, workspace=workspace).code == 0
    (workspace / "reports").mkdir()
    (workspace / "reports" / "bericht.html").write_text(f"<p>{SECRET}</p>", "utf-8")
    break_off_after(monkeypatch, step)
    arguments = ("erase", "project", "naehwerkstatt-bahnhof", "--reason", "x")
    with pytest.raises(ZeroDivisionError):
        call(*arguments, workspace=workspace)
    monkeypatch.undo()
    assert call(*arguments, workspace=workspace).code == 0
    assert holding(workspace, title, "naehwerkstatt-bahnhof", "Einmaliger Wortlaut") == []


def break_off_after(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    import pipeline.erase

    *inside, name = step.split(".")
    place: Any = getattr(pipeline.erase, inside[0]) if inside else pipeline.erase
    whole: Callable[..., Any] = getattr(place, name)

    def broken(*given: Any, **named: Any) -> None:
        whole(*given, **named)
        raise ZeroDivisionError

    monkeypatch.setattr(place, name, broken)


def test_what_others_say_with_the_same_words_stays_and_is_no_find(secret: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, _ = secret
    title = "Nähwerkstatt Bahnhof Süd"
    other = {"id": "nachbar", "text": "Ein Chor.", "Partner": [title], "municipality": title}
    assert call("import", write_lines(tmp_path / "nachbar.jsonl", [other]), workspace=workspace).code == 0
    assert call("situations", "save", "lage", f"So etwas wie {title} fehlt.", workspace=workspace).code == 0
    erase(workspace, "project", "naehwerkstatt-bahnhof")
    assert title in call("situations", "show", "lage", workspace=workspace).out
    assert call("show", "nachbar", "--json", workspace=workspace).json()["Partner"] == [title]


def test_an_address_that_is_none_stops_no_import_and_no_erasure(secret: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, _ = secret
    erase(workspace, "page", "https://example.org/naehwerkstatt")
    record = {"id": "folgt", "text": "Ein Chor.", "url": "https://[Link folgt]"}
    file = write_lines(tmp_path / "folgt.jsonl", [record])
    got = call("import", file, "--json", workspace=workspace)
    assert (got.code, got.json()["new"]) == (0, 1), got.err
    erase(workspace, "project", "folgt")


def test_a_persons_name_is_masked_everywhere_and_offsets_stay(workspace: Path, tmp_path: Path) -> None:
    record = {"id": "naehstube", "title": f"Nähstube {PERSON}", "text": WRITTEN, "Raum": [f"Nähstube {PERSON}s"]}
    file = write_lines(tmp_path / f"{PERSON}.jsonl", [record])
    assert call("import", file, workspace=workspace).code == 0
    assert call("feedback", "naehstube", "helpful", "--note", f"sagt {PERSON}", workspace=workspace).code == 0
    before = call("show", "naehstube", "--json", workspace=workspace).json()
    names = ("Trebürow", "Trebuerow")
    for name in (f"Lage {PERSON}", f"Lage {PERSON.upper()}"):
        assert call("situations", "save", name, SITUATION, workspace=workspace).code == 0
    assert "checkup.sqlite" in holding(workspace, *names)
    memory = FileMemory(workspace / "crawl" / "probe.jsonl", "1")
    read = Seen(url="https://e.org/1", final_url="https://e.org/1", fetched_at="2026-01-31T08:00:00.000Z", sha256="f")
    memory.put(replace(read, content="b0b", sketch="5e7c4"))
    memory.put(replace(read, url="https://e.org/liste", links=(read.url,)))
    done = erase(workspace, "person", PERSON)
    assert done["masked"] > 2
    told = memory.path.read_text("utf-8")
    assert "b0b" not in told  # who knows the rest of the text could test a guess at the name
    assert "https://e.org/liste" in told
    assert holding(workspace, *names) == []
    after = call("show", "naehstube", "--json", workspace=workspace).json()
    assert len(after["text"]) == len(before["text"])
    assert "2023 nahmen 40 Frauen teil." in after["text"]
    assert after["Raum"] == [f"Nähstube {'█' * (len(PERSON) + 1)}"]
    assert len(after["statements"]) == len(before["statements"])
    for told in after["statements"]:
        if told["quote"] and told["start"] is not None:
            given = after["text"] if told["where"] == "text" else after["title"]
            assert given[told["start"] : told["end"]] == told["quote"]
    again = call("import", file, "--json", workspace=workspace)
    assert (again.code, again.json()["updated"], again.json()["extracted"]) == (0, 0, 0)
    assert holding(workspace, *names) == []
    assert call("erase", "person", "Trebürow", "--reason", "x", workspace=workspace).code == 2


def test_what_is_left_in_a_persons_own_file_is_named(secret: tuple[Path, Path]) -> None:
    workspace, file = secret
    (workspace / "notizen").mkdir()
    shutil.copy(file, workspace / "notizen" / "alt.jsonl")
    with zipfile.ZipFile(workspace / "notizen" / "alt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, "innen.jsonl")
    (workspace / "reports").mkdir()
    (workspace / "reports" / "bericht.html").write_text(f"<p>{SECRET}</p>", "utf-8")
    (workspace / "reports" / "eigenes.pdf").write_bytes(b"%PDF-1.7 ...")
    answer = call("erase", "project", "naehwerkstatt-bahnhof", "--reason", "x", "--json", workspace=workspace)
    assert answer.code == 4
    assert [(hit["file"], hit["member"]) for hit in answer.json()["found"]] == [
        ("notizen/alt.jsonl", None),
        ("notizen/alt.zip", "innen.jsonl"),
    ]
    assert answer.json()["deleted_files"] == ["reports/bericht.html"]
    assert "notizen/alt.jsonl" in answer.err
    assert (workspace / "reports" / "eigenes.pdf").exists()
    assert ["reports/eigenes.pdf" in one for one in answer.json()["unreadable"]] == [True]


def test_what_does_not_exist_is_not_erased(workspace: Path) -> None:
    assert call("erase", "project", "fehlt", "--reason", "x", workspace=workspace).code == 3
    assert call("erase", "source", "fehlt", "--reason", "x", workspace=workspace).code == 3
    assert call("erase", "project", "wohnlotsen", "--reason", " ", workspace=workspace).code == 2
    assert call("erase", "project", "wohnlotsen", workspace=workspace).code == 2
    assert len(ids(workspace)) == len(PROJECTS)


def test_an_erased_shipped_project_is_left_out_by_seed(seeded: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(seeded, workspace)
    gone, *others = ids(workspace)
    assert erase(workspace, "project", gone)["projects"] == 1
    again = call("seed", "--json", workspace=workspace)
    assert (again.code, again.json()["erased"]) == (0, 1)
    assert ids(workspace) == others


# --- crawled ---------------------------------------------------------------------------------------------------------


def warc(path: Path, site: Site, *pages: str) -> None:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for page in pages:
            reply = site.pages[page]
            assert isinstance(reply, Reply)
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                site.url(page), "response", payload=io.BytesIO(reply.body), http_headers=headers
            )
            writer.write_record(record)


def test_an_erased_page_is_not_crawled_again_and_leaves_memory_and_archive(source: Crawled) -> None:
    from crawlers.archive import WarcTransport

    page = "/projekt/gartenfreunde"
    archive = source.workspace / "archive" / "probe.warc.gz"
    archive.parent.mkdir()
    warc(archive, source.site, "/", page, "/projekt/lotsenhaus")
    assert {"probe.jsonl", "probe.warc.gz", "checkup.sqlite"} <= set(holding(source.workspace, "gartenfreunde"))
    done = erase(source.workspace, "page", source.site.url(page))
    assert (done["projects"], done["archived"]) == (1, 2)  # the page, and the list that links to it
    assert holding(source.workspace, "gartenfreunde") == []
    assert source.site.url("/projekt/lotsenhaus") in WarcTransport(archive)
    got = source.refresh()
    assert got.code == 0, got.err
    assert set(source.crawled()) == {"Chorgemeinschaft", "Lotsenhaus"}
    assert holding(source.workspace, "gartenfreunde") == []


def test_an_erased_source_is_gone_and_stays_away(source: Crawled) -> None:
    assert erase(source.workspace, "source", "probe")["projects"] == 3
    assert holding(source.workspace, "Chorgemeinschaft", "/projekt/") == []
    for _ in range(2):
        asked = len(source.site.log)
        got = source.refresh()
        assert (got.code, "probe: wurde gelöscht" in got.err) == (0, True), got.err
        assert len(source.site.log) == asked
    assert source.crawled() == {}
    assert holding(source.workspace, "Chorgemeinschaft") == []
    (source.workspace / "sources").mkdir()
    shutil.copy(source.file, source.workspace / "sources" / "probe.yaml")
    shown = call("schedule", "show", "--json", workspace=source.workspace).json()
    assert "probe" not in {turn["source"] for turn in shown["sources"]}


def test_an_erased_source_whose_first_crawl_is_held_leaves_nothing(workspace: Path, tmp_path: Path) -> None:
    page = {"/projekt/chor": project("Chorgemeinschaft")}
    with Site({"/": links(*page), **page}) as site:
        found = Crawled(site, tmp_path, workspace)
        found.write()
        found.file.write_text(found.file.read_text("utf-8").replace("min_records: 1", "min_records: 9"), "utf-8")
        assert found.refresh().json()["held"]
    erase(workspace, "source", "probe")
    with closing(sqlite3.connect(workspace / "checkup.sqlite")) as database:
        assert database.execute("SELECT key FROM meta WHERE key LIKE '%:probe'").fetchall() == []
        assert database.execute("SELECT kind FROM events WHERE source = 'probe'").fetchall() == []


def test_texts_go_when_their_time_is_over_and_come_back_with_the_page(source: Crawled) -> None:
    lost = source.site.pages.pop("/projekt/lotsenhaus")
    with closing(sqlite3.connect(source.workspace / "checkup.sqlite")) as database, database:
        database.execute("UPDATE projects SET last_seen = '2026-01-01T00:00:00.000Z' WHERE title = 'Lotsenhaus'")
        database.execute("DELETE FROM vectors WHERE fingerprint = 'x'")
    before = source.crawled()["Lotsenhaus"]
    vector = dense_row(source.workspace, before["id"])
    assert "checkup.sqlite" in holding(source.workspace, "lange Wortlaut dieser Seite Lot")
    assert source.refresh().json()["purged"] == 1
    after = source.crawled()["Lotsenhaus"]
    assert (after["text"], after["purged"]["because"]) == ("", "retention")
    assert [one["quote"] for one in after["statements"]] == [one["quote"] for one in before["statements"]]
    assert dense_row(source.workspace, before["id"]) == vector  # still found by what it says
    assert holding(source.workspace, "lange Wortlaut dieser Seite Lot") == []
    assert "gelöscht" in call("show", before["id"], workspace=source.workspace).out
    assert "purged" not in source.refresh().json()
    assert call("reindex", workspace=source.workspace).code == 0
    assert dense_row(source.workspace, before["id"]) == vector
    source.site.pages["/projekt/lotsenhaus"] = lost
    assert source.refresh().json()["updated"] == 1
    assert source.crawled()["Lotsenhaus"]["text"] == before["text"]
    assert "purged" not in source.crawled()["Lotsenhaus"]


def dense_row(workspace: Path, project_id: str) -> list[float]:
    from embeddings.published import WHOLE, open_published

    index = open_published(workspace / "index")
    (card,) = (number for number, one in enumerate(index.cards) if one["project_id"] == project_id)
    (row,) = (place for place, one in enumerate(index.rows.tolist()) if one[0] == card and one[1] == WHOLE)
    return [float(value) for value in index.dense._index.reconstruct(row)]


def test_of_a_foreign_collection_only_a_share_of_the_texts_is_kept(source: Crawled) -> None:
    assert "checkup.sqlite" in holding(source.workspace, "ganz eigene, lange Wortlaut")
    source.write("database: true\nshare_cap_percent: 0\n")
    assert source.refresh().json()["purged"] == 3
    assert {line["text"] for line in source.crawled().values()} == {""}
    for _ in range(2):  # the pages are read again and are the same versions
        again = source.refresh().json()
        assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, 3)
        assert "purged" not in again
    assert holding(source.workspace, "ganz eigene, lange Wortlaut") == []
    source.site.pages["/projekt/lotsenhaus"] = project("Lotsenhaus", "<p>Jetzt mit neuem Satz.</p>")
    assert source.refresh().json()["updated"] == 1
    assert holding(source.workspace, "mit neuem Satz") == []
