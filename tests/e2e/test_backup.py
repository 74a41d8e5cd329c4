"""Backup and restore, from the outside."""

import json
import sqlite3
import sys
import threading
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from support.care import Crawled, erase, holding
from support.cli import call, finish, start, wait_for_writer
from support.crawling import links, project

from e2e.conftest import PROJECTS, SITUATION


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
    note = "besser als naehwerkstatt-bahnhof"
    assert call("feedback", "wohnlotsen", "helpful", "--note", note, workspace=workspace).code == 0
    file = tmp_path / "vorher.zip"
    assert call("backup", file, workspace=workspace).code == 0
    assert erase(workspace, "project", "naehwerkstatt-bahnhof")["projects"] == 1
    after = tmp_path / "nachher.zip"
    assert call("backup", after, workspace=workspace).code == 0
    got = call("restore", file, "--force", "--json", workspace=workspace)
    assert got.code == 0, got.err
    assert got.json()["erased"]["projects"] == 1
    assert holding(workspace, "Nähwerkstatt Bahnhof", "naehwerkstatt-bahnhof", "Einmaliger Wortlaut") == []
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
            child = start("match", SITUATION, "--json", workspace=workspace)
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


def test_a_place_that_is_no_file_is_named(workspace: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "gibtesnicht" / "s.zip", tmp_path):
        got = call("restore", place, "--force", workspace=workspace)
        assert (got.code, f"Sicherung {place} " in got.err) == (3, True), got.err


@pytest.mark.skipif(sys.platform == "win32", reason="no such names on Windows")
def test_a_workspace_may_have_a_question_mark_in_its_name(workspace: Path, tmp_path: Path) -> None:
    file, new = tmp_path / "sicherung.zip", tmp_path / "neu?oder=alt"
    assert call("backup", file, workspace=workspace).code == 0
    got = call("restore", file, "--json", workspace=new)
    assert (got.code, got.json()["projects"]) == (0, len(PROJECTS)), got.err


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
