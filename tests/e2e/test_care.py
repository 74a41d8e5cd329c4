"""Erasure that is proved, retention, backup and restore, from the outside."""

import gzip
import io
import json
import shutil
import sqlite3
import threading
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.cli import Answer, call, finish, start, wait_for_writer, write_lines
from support.crawling import YAML, links, project
from support.site import Reply, Site

from e2e.conftest import PROJECTS, SITUATION

SECRET = "Einmaliger Wortlaut über die Nähwerkstatt im alten Bahnhof, den sonst kein Projekt der Welt enthält."
PERSON = "Xaloni Trebürow"
"""A name that the door lets through where it stands like this."""
WRITTEN = (
    "Die Werkstatt XALONI TREBUEROW, früher trebürow, xaloni, hat 40 Plätze. Kürzel x. trebürow, Adresse "
    "xaloni.trebuerow. 2023 nahmen 40 Frauen teil."
)


def content_of(path: Path) -> bytes:
    """A file with everything that is packed inside of it."""
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        return raw + gzip.decompress(raw)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return raw + b"".join(archive.read(name) for name in archive.namelist())
    return raw


def holding(workspace: Path, *needles: str) -> list[str]:
    """The files that hold one of these, looked for in another way than the product does."""
    files = [path for path in workspace.rglob("*") if path.is_file()]
    return [
        path.name
        for path in files
        if any(needle.casefold() in content_of(path).decode("utf-8", "replace").casefold() for needle in needles)
    ]


def ids(workspace: Path) -> list[str]:
    return [line["id"] for line in call("export", workspace=workspace).lines()]


def erase(workspace: Path, kind: str, key: str) -> dict[str, Any]:
    answer = call("erase", kind, key, "--reason", "Wunsch des Trägers", "--json", workspace=workspace)
    assert answer.code == 0, answer.err
    found = dict(answer.json())
    assert found["found"] == []
    assert found["files_searched"] >= len([path for path in workspace.rglob("*") if path.is_file()])
    return found


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


def test_a_persons_name_is_masked_everywhere_and_offsets_stay(workspace: Path, tmp_path: Path) -> None:
    record = {"id": "naehstube", "title": f"Nähstube {PERSON}", "text": WRITTEN, "Raum": [f"Nähstube {PERSON}s"]}
    file = write_lines(tmp_path / "x.jsonl", [record])
    assert call("import", file, workspace=workspace).code == 0
    assert call("feedback", "naehstube", "helpful", "--note", f"sagt {PERSON}", workspace=workspace).code == 0
    before = call("show", "naehstube", "--json", workspace=workspace).json()
    names = ("Trebürow", "Trebuerow")
    assert "checkup.sqlite" in holding(workspace, *names)
    done = erase(workspace, "person", PERSON)
    assert done["masked"] > 2
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
    answer = call("erase", "project", "naehwerkstatt-bahnhof", "--reason", "x", "--json", workspace=workspace)
    assert answer.code == 4
    assert [(hit["file"], hit["member"]) for hit in answer.json()["found"]] == [
        ("notizen/alt.jsonl", None),
        ("notizen/alt.zip", "innen.jsonl"),
    ]
    assert answer.json()["deleted_files"] == ["reports/bericht.html"]
    assert "notizen/alt.jsonl" in answer.err


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


class Crawled:
    """A source of three pages, and a workspace that it is refreshed into."""

    def __init__(self, site: Site, folder: Path, workspace: Path) -> None:
        self.site, self.workspace, self.file = site, workspace, folder / "probe.yaml"
        self.write()

    def write(self, extra: str = "") -> None:
        yaml = YAML.format(base=self.site.url().rstrip("/"), host=self.site.host, sitemap="none")
        yaml = yaml.replace("max_records: 5", "max_records: 90").replace("min_records: 2", "min_records: 1")
        self.file.write_text(yaml.replace(", state: 0.5", "") + extra, "utf-8")

    def refresh(self) -> Answer:
        return call("refresh", "--source", self.file, "--json", workspace=self.workspace)

    def crawled(self) -> dict[str, dict[str, Any]]:
        lines = call("export", "--full", workspace=self.workspace).lines()
        return {line["title"]: line for line in lines if line["id"].startswith("probe-")}


@pytest.fixture
def source(workspace: Path, tmp_path: Path) -> Any:
    pages = {f"/projekt/{name.lower()}": project(name, f"<p>{name} hat einen ganz eigenen, langen Wortlaut.</p>")
             for name in ("Chorgemeinschaft", "Gartenfreunde", "Lotsenhaus")}  # fmt: skip
    with Site({"/": links(*pages), **pages}) as site:
        found = Crawled(site, tmp_path, workspace)
        assert found.refresh().json()["new"] == 3
        yield found


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
    source.refresh()
    assert source.crawled() == {}
    assert holding(source.workspace, "Chorgemeinschaft") == []


def test_texts_go_when_their_time_is_over_and_come_back_with_the_page(source: Crawled) -> None:
    lost = source.site.pages.pop("/projekt/lotsenhaus")
    with closing(sqlite3.connect(source.workspace / "checkup.sqlite")) as database, database:
        database.execute("UPDATE projects SET last_seen = '2026-01-01T00:00:00.000Z' WHERE title = 'Lotsenhaus'")
        database.execute("DELETE FROM vectors WHERE fingerprint = 'x'")
    before = source.crawled()["Lotsenhaus"]
    vector = dense_row(source.workspace, before["id"])
    assert source.refresh().json()["purged"] == 1
    after = source.crawled()["Lotsenhaus"]
    assert (after["text"], after["purged"]["because"]) == ("", "retention")
    assert [one["quote"] for one in after["statements"]] == [one["quote"] for one in before["statements"]]
    assert dense_row(source.workspace, before["id"]) == vector  # still found by what it says
    assert holding(source.workspace, "Lotsenhaus hat einen ganz eigenen") == []
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
    source.write("database: true\nshare_cap_percent: 0\n")
    assert source.refresh().json()["purged"] == 3
    assert {line["text"] for line in source.crawled().values()} == {""}
    for _ in range(2):  # the pages are read again and are the same versions
        again = source.refresh().json()
        assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, 3)
        assert "purged" not in again
    assert holding(source.workspace, "ganz eigenen, langen Wortlaut") == []
    source.site.pages["/projekt/lotsenhaus"] = project("Lotsenhaus", "<p>Jetzt mit neuem Satz.</p>")
    assert source.refresh().json()["updated"] == 1
    assert holding(source.workspace, "mit neuem Satz") == []


# --- backup ----------------------------------------------------------------------------------------------------------


def test_a_backup_brings_everything_back(workspace: Path, tmp_path: Path) -> None:
    (workspace / "vocabulary").mkdir()
    (workspace / "vocabulary" / "aliases.yaml").write_text("# keine\n{}\n", "utf-8")
    (workspace / "settings.toml").write_text('module_set = "modules_by_field"\n', "utf-8")
    file = tmp_path / "sicherung.zip"
    kept = call("backup", file, "--json", workspace=workspace)
    assert (kept.code, kept.json()["projects"]) == (0, len(PROJECTS))
    new = tmp_path / "neu"
    got = call("restore", file, "--json", workspace=new)
    assert got.code == 0, got.err
    for command in (("export", "--full"), ("match", SITUATION, "--json")):
        assert call(*command, workspace=new).out == call(*command, workspace=workspace).out
    assert (new / "vocabulary" / "aliases.yaml").read_text("utf-8").startswith("# keine")
    assert (new / "settings.toml").is_file()
    assert list(new.glob("restore-part-*")) == []
    refused = call("restore", file, workspace=new)
    assert refused.code == 3
    assert "--force" in refused.err
    (new / "sources").mkdir()
    (new / "sources" / "spaeter.yaml").write_text("name: spaeter\n", "utf-8")
    assert call("restore", file, "--force", workspace=new).code == 0
    assert not (new / "sources" / "spaeter.yaml").exists()


def test_a_restored_backup_does_not_bring_back_what_was_erased(secret: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, _ = secret
    file = tmp_path / "vorher.zip"
    assert call("backup", file, workspace=workspace).code == 0
    assert erase(workspace, "project", "naehwerkstatt-bahnhof")["projects"] == 1
    after = tmp_path / "nachher.zip"
    assert call("backup", after, workspace=workspace).code == 0
    got = call("restore", file, "--force", "--json", workspace=workspace)
    assert got.code == 0, got.err
    assert got.json()["erased"]["projects"] == 1
    assert holding(workspace, "Nähwerkstatt Bahnhof", "Einmaliger Wortlaut") == []
    # What a backup itself says was erased holds in a new workspace, too.
    assert call("restore", after, workspace=tmp_path / "neu").code == 0
    assert call("import", secret[1], "--json", workspace=tmp_path / "neu").json()["erased"] == 1


def test_a_backup_while_a_refresh_writes_is_whole(source: Crawled, tmp_path: Path) -> None:
    paths = [f"/projekt/g{number}" for number in range(40)]
    source.site.pages.update({path: project(f"Gruppe {path[9:]}") for path in paths})
    source.site.pages["/"] = links(*paths, "/projekt/lotsenhaus", "/projekt/gartenfreunde", "/projekt/chorgemeinschaft")
    child = start("refresh", "--source", source.file, workspace=source.workspace)
    wait_for_writer(child, source.workspace)
    files = []
    while child.poll() is None and len(files) < 4:
        files.append(tmp_path / f"s{len(files)}.zip")
        assert call("backup", files[-1], workspace=source.workspace).code == 0
    finish(child)
    assert files
    for number, file in enumerate(files):
        got = call("restore", file, workspace=tmp_path / f"neu{number}")
        assert got.code == 0, got.err
        with closing(sqlite3.connect(tmp_path / f"neu{number}" / "checkup.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert database.execute("PRAGMA foreign_key_check").fetchone() is None


def test_readers_match_while_a_backup_is_put_back(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "sicherung.zip"
    assert call("backup", file, workspace=workspace).code == 0
    ended = threading.Event()
    codes: list[int] = []

    def read() -> None:
        while not ended.is_set():
            child = start("list", "--json", workspace=workspace)
            codes.append(finish(child).code)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert call("restore", file, "--force", workspace=workspace).code == 0
    finally:
        ended.set()
        reader.join()
    assert set(codes) == {0}


@pytest.mark.parametrize("damage", ["cut", "flipped", "no zip", "newer", "outside", "missing"])
def test_a_backup_that_cannot_be_used_changes_nothing(workspace: Path, tmp_path: Path, damage: str) -> None:
    file, new = tmp_path / "sicherung.zip", tmp_path / "neu"
    assert call("backup", file, workspace=workspace).code == 0
    break_backup(file, damage)
    before = holding(workspace, "a")
    state = (workspace / "checkup.sqlite").read_bytes()
    for place, arguments in ((workspace, ("--force",)), (new, ())):
        got = call("restore", file, *arguments, workspace=place)
        assert (got.code, "Traceback" in got.err) == (3, False), got.err
        assert str(file) in got.err
    assert not new.exists()
    assert holding(workspace, "a") == before
    assert (workspace / "checkup.sqlite").read_bytes() == state


def break_backup(file: Path, damage: str) -> None:
    raw = file.read_bytes()
    if damage == "cut":
        file.write_bytes(raw[: len(raw) // 2])
    elif damage == "flipped":
        at = len(raw) // 3
        file.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
    elif damage == "no zip":
        file.write_text("kein Archiv", "utf-8")
    elif damage == "missing":
        file.unlink()
    else:
        rewrite(file, damage)


def rewrite(file: Path, damage: str) -> None:
    import hashlib

    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(content["manifest.json"])
    if damage == "newer":
        copy = file.with_suffix(".sqlite")
        copy.write_bytes(content["checkup.sqlite"])
        with closing(sqlite3.connect(copy)) as database, database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        content["checkup.sqlite"] = copy.read_bytes()
        copy.unlink()
        body = content["checkup.sqlite"]
        manifest["files"]["checkup.sqlite"] = {"sha256": hashlib.sha256(body).hexdigest(), "size_bytes": len(body)}
    else:
        content["../../draussen.warc"] = b"x"
        manifest["files"]["../../draussen.warc"] = {"sha256": hashlib.sha256(b"x").hexdigest(), "size_bytes": 1}
    content["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in content.items():
            archive.writestr(name, body)


def test_a_full_disk_leaves_the_old_backup_and_says_so(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    file = tmp_path / "sicherung.zip"
    assert call("backup", file, workspace=workspace).code == 0
    before = file.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    got = call("backup", file, workspace=workspace)
    assert (got.code, "voll" in got.err) == (3, True)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["none", "sicherung.zip", "ws"][1:]
    monkeypatch.undo()
    monkeypatch.setattr("data.backup.hashlib.sha256", full)
    got = call("restore", file, workspace=tmp_path / "neu")
    assert (got.code, "voll" in got.err) == (3, True)
    assert not (tmp_path / "neu").exists()
    assert call("backup", tmp_path / "gibtesnicht" / "s.zip", workspace=workspace).code == 3
