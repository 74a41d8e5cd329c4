"""Bad input through the real command line: a message that says what to do, the right exit code, nothing lost."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.cli import Answer, call, finish, start, wait_for_writer, write_lines

from data.writer_lock import writer_lock
from e2e.conftest import PROJECTS, SITUATION

COUNT = len(PROJECTS)
ONE = {"id": "neu", "text": "Eine Nähwerkstatt bringt zugewanderte Frauen und Nachbarinnen zusammen."}


def ids(workspace: Path) -> list[str]:
    answer = call("export", workspace=workspace)
    assert answer.code == 0, answer.err
    return [line["id"] for line in answer.lines()]


def texts(workspace: Path) -> dict[str, str]:
    return {line["id"]: line["text"] for line in call("export", workspace=workspace).lines()}


def assert_says(answer: Answer, code: int, *words: str) -> None:
    assert answer.code == code, answer.err
    for english in ("Traceback", "No such", "No space", "denied", "Missing", "Usage", "Error:", "disk is full"):
        assert english not in answer.err, answer.err
    for word in words:
        assert word in answer.err, answer.err


def assert_true_quotes(answer: dict[str, Any], text: str) -> None:
    for need in answer.get("needs", []):
        assert text[need["start"] : need["end"]] == need["statement"]
    for place in [*answer.get("facts", []), *(q for group in answer.get("target_groups", []) for q in group["quotes"])]:
        assert text[place["start"] : place["end"]] == place["quote"]


# --- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["match", "analyse", "extract"])
@pytest.mark.parametrize("text", ["", " \n\t ", "…!? 42"])
def test_a_text_without_words_is_refused_with_advice(home: Path, command: str, text: str) -> None:
    answer = call(command, "--text", text, "--json", workspace=home)
    assert_says(answer, 3, "Bitte")
    assert answer.out == ""


@pytest.mark.parametrize("command", ["match", "analyse", "extract"])
def test_a_megabyte_of_text_is_refused_at_once(home: Path, command: str) -> None:
    text = (SITUATION + " ") * (1_000_000 // len(SITUATION))
    answer = call(command, "-", workspace=home, stdin=text.encode())
    assert_says(answer, 3, "höchstens 200.000", "Bitte")


def test_a_megabyte_in_a_batch_or_an_import_stops_no_other_line(workspace: Path, tmp_path: Path) -> None:
    long = (ONE["text"] + " ") * (1_100_000 // len(ONE["text"]))
    file = write_lines(tmp_path / "lang.jsonl", [{"id": "lang", "text": long}, ONE])
    batch = call("match", "--input", file, workspace=workspace)
    assert batch.code == 4
    first, second = batch.lines()
    assert first["id"] == "lang"
    assert "höchstens" in first["error"]["message"]
    assert second["matches"]
    assert call("import", file, workspace=workspace).code == 0
    assert texts(workspace)["lang"] == long
    assert call("status", "--json", workspace=workspace).json()["index"]["projects"] == COUNT + 2


def test_a_text_that_takes_too_long_is_named_and_the_others_are_read(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECKUP_TEXT_SECONDS", "1")
    long = (ONE["text"] + " ") * 2_500
    file = write_lines(tmp_path / "lang.jsonl", [{"id": "lang", "text": long}, ONE])
    batch = call("extract", "--input", file, workspace=workspace)
    assert batch.code == 4
    first, second = batch.lines()
    assert "text_seconds" in first["error"]["message"]
    assert second["on_topic"]


STRANGE = {
    "nul": "Bei uns fehlen\x00Wohnungen für Geflüchtete.",
    "surrogate": "Bei uns fehlen \ud800 Wohnungen für Geflüchtete.",
    "emoji": "😀👩‍👩‍👧 Bei uns fehlen Wohnungen für Geflüchtete. 🏠",
    "right to left": "لا توجد شقق Bei uns fehlen \u202eWohnungen\u202c für Geflüchtete. אין דירות",
    "capitals": "BEI UNS FEHLEN WOHNUNGEN FÜR GEFLÜCHTETE. DIE UNTERKUNFT IST VOLL.",
    "decomposed": unicodedata.normalize("NFD", "Für Geflüchtete fehlen Wohnungen; die Gemeinschaftsunterkünfte."),
}


def test_strange_characters_are_read_and_quoted_truly(home: Path, tmp_path: Path) -> None:
    lines = [{"id": f"{name} \ud800 ü", "text": text} for name, text in STRANGE.items()]
    file = write_lines(tmp_path / "lagen.jsonl", lines)
    output = tmp_path / "antworten.jsonl"
    for command in ("match", "analyse", "extract"):
        got = call(command, "--input", file, "--output", output, workspace=home)
        assert got.code == 0, got.err
        answers = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
        assert [answer["id"] for answer in answers] == [line["id"] for line in lines]
        for answer, given in zip(answers, STRANGE.values(), strict=True):
            stored = given.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
            assert_true_quotes(answer, stored)
    assert call("extract", "--input", file).out == output.read_text("utf-8")


SAME = "In unserer Gemeinde finden anerkannte Geflüchtete keine Wohnung. Die Vermieter sagen ab."


@pytest.mark.parametrize(
    "given",
    [
        unicodedata.normalize("NFD", SAME),
        SAME.replace("Wohnung", "Woh-\nnung"),
        SAME.replace(" keine", "\u00a0\n  keine"),
    ],
    ids=["decomposed", "hyphenated", "wrapped"],
)
def test_the_form_of_a_text_does_not_change_its_answer(home: Path, given: str) -> None:
    plain = call("match", SAME, "--json", workspace=home).json()
    other = call("match", "--text", given, "--json", workspace=home).json()
    assert [need["need_id"] for need in other["needs"]] == [need["need_id"] for need in plain["needs"]]
    told = [[(match["project_id"], match["score"]) for match in answer["matches"]] for answer in (plain, other)]
    assert told[0]
    assert told[0] == told[1]


def test_a_text_in_capitals_is_read_as_one_in_small_letters(home: Path) -> None:
    small = call("analyse", SAME.lower(), "--json", workspace=home).json()["needs"]
    large = call("analyse", SAME.upper(), "--json", workspace=home).json()["needs"]
    assert [need["need_id"] for need in small] == [need["need_id"] for need in large] != []


def test_strange_characters_are_imported_one_for_one(workspace: Path, tmp_path: Path) -> None:
    records = [{"id": f"s-{number}", "text": text} for number, text in enumerate(STRANGE.values())]
    answer = call("import", write_lines(tmp_path / "x.jsonl", records), workspace=workspace)
    assert answer.code == 0, answer.err
    stored = texts(workspace)
    for record in records:
        given = record["text"].replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
        assert stored[record["id"]] == given
        for told in call("show", record["id"], "--json", workspace=workspace).json()["statements"]:
            assert told["quote"] is None or given[told["start"] : told["end"]] == told["quote"]


# --- files -----------------------------------------------------------------------------------------------------------


def pdf(path: Path, text: str | None, password: str | None = None) -> Path:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), encrypt=StandardEncryption(password) if password else None)
    if text:
        canvas.drawString(72, 700, text)
    canvas.showPage()
    canvas.save()
    return path


@pytest.mark.parametrize("command", ["match", "analyse", "extract"])
def test_a_pdf_without_text_says_so(home: Path, tmp_path: Path, command: str) -> None:
    answer = call(command, "--file", pdf(tmp_path / "bild.pdf", None), workspace=home)
    assert_says(answer, 3, "bild.pdf", "kein", "Text")


def test_a_pdf_with_a_password_says_so(home: Path, tmp_path: Path) -> None:
    answer = call("match", "--file", pdf(tmp_path / "zu.pdf", "Wohnungen", "geheim"), workspace=home)
    assert_says(answer, 3, "zu.pdf", "Kennwort")


def test_a_zip_that_calls_itself_docx_says_so(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "lage.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("liesmich.txt", "kein Word")
    assert_says(call("match", "--file", path, workspace=home), 3, "lage.docx")
    path.write_bytes(b"PK\x03\x04 abgebrochen")
    assert_says(call("match", "--file", path, workspace=home), 3, "lage.docx")


def test_a_missing_file_or_one_of_another_kind_says_so(home: Path, tmp_path: Path) -> None:
    assert_says(call("match", "--file", tmp_path / "fehlt.txt", workspace=home), 3, "fehlt.txt")
    other = tmp_path / "lage.odt"
    other.write_bytes(b"x")
    assert_says(call("match", "--file", other, workspace=home), 3, ".docx")
    assert_says(call("import", tmp_path / "fehlt.csv", workspace=home), 3, "fehlt.csv")


def test_ragged_rows_are_named_and_the_others_imported(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "liste.csv"
    file.write_text('id;title;text\nr1;Eins;"Text, eins"\nr2;Zwei;Text;zu viel\nr3;Drei\nr4;Vier;Text vier\n', "utf-8")
    answer = call("import", file, workspace=workspace)
    assert_says(answer, 4, "liste.csv, Zeile 3", "liste.csv, Zeile 4")
    assert set(ids(workspace)) == {project["id"] for project in PROJECTS} | {"r1", "r4"}


def test_a_broken_line_is_named_and_the_others_imported(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "liste.jsonl"
    file.write_text(f'{json.dumps(ONE)}\n{{"id": "kaputt", "text": "hal\n[1]\n', "utf-8")
    answer = call("import", file, "--json", workspace=workspace)
    assert_says(answer, 4, "liste.jsonl, Zeile 2", "liste.jsonl, Zeile 3")
    assert answer.json()["accepted"] == 1
    assert [item["line"] for item in answer.json()["rejected"]] == [2, 3]
    assert "neu" in ids(workspace)


def test_a_broken_line_of_a_batch_gets_an_error_line_in_its_place(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "lagen.jsonl"
    lines = ['{"id": 1, "text": "Uns fehlen Wohnungen."}', "{kaputt", '{"id": "leer", "text": ""}', '{"id": "x"}', "7"]
    file.write_text("\n".join(lines), "utf-8")
    for command in ("match", "analyse", "extract"):
        answer = call(command, "--input", file, workspace=home)
        assert_says(answer, 4, "4 Zeile")
        got = answer.lines()
        assert [line["id"] for line in got] == [1, None, "leer", "x", None]
        assert ["error" in line for line in got] == [False, True, True, True, True]


def test_bad_filters_and_needs_of_a_line_spoil_that_line_only(home: Path, tmp_path: Path) -> None:
    text = "Uns fehlen Wohnungen."
    lines: list[dict[str, Any]] = [
        {"id": 1, "text": text, "filters": {"state": ["Atlantis"]}},
        {"id": 2, "text": text, "filters": {"state": "Hessen"}},
        {"id": 3, "text": text, "filters": [1]},
        {"id": 4, "text": text, "needs": "alle"},
        {"id": 5, "text": text, "needs": [{"start": "x"}]},
        {"id": 6, "text": text, "needs": [{"weight": "viel", "alternatives": 3}]},
        {"id": 7, "text": text, "filters": None, "needs": None},
    ]
    answer = call("match", "--input", write_lines(tmp_path / "l.jsonl", lines), workspace=home)
    assert_says(answer, 4)
    assert ["error" in line for line in answer.lines()] == [True] * 6 + [False]


def test_an_id_that_stands_twice_is_named_with_both_lines(workspace: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "doppelt.jsonl", [ONE, {**ONE, "text": "Eine Fahrradwerkstatt für alle."}])
    answer = call("import", file, workspace=workspace)
    assert_says(answer, 4, "neu", "Zeile 1", "Zeile 2")
    assert texts(workspace)["neu"] == "Eine Fahrradwerkstatt für alle."


# --- the workspace ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["match", "list", "show", "export", "status", "coverage", "reindex"])
def test_a_missing_workspace_names_the_first_step_and_creates_nothing(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "leer"
    more = {"match": [SITUATION], "show": ["x"]}.get(command, [])
    assert_says(call(command, *more, workspace=folder), 3, "checkup seed")
    assert not folder.exists()


@pytest.mark.parametrize("place", ["datei", "datei/darunter"])
def test_a_file_in_the_way_of_the_workspace_says_so(tmp_path: Path, projects_file: Path, place: str) -> None:
    (tmp_path / "datei").write_text("hier ist schon etwas")
    answer = call("import", projects_file, workspace=tmp_path / place)
    assert_says(answer, 3, "Arbeitsbereich", "--workspace")
    assert (tmp_path / "datei").read_text() == "hier ist schon etwas"


def test_a_folder_in_the_way_of_the_database_says_so(tmp_path: Path, projects_file: Path) -> None:
    (tmp_path / "ws" / "checkup.sqlite").mkdir(parents=True)
    assert_says(call("import", projects_file, workspace=tmp_path / "ws"), 3, "Arbeitsbereich", "Bitte")


def test_a_file_in_the_way_of_the_index_loses_no_project(workspace: Path, tmp_path: Path) -> None:
    shutil.rmtree(workspace / "index")
    (workspace / "index").write_text("im Weg")
    file = write_lines(tmp_path / "neu.jsonl", [ONE])
    assert_says(call("import", file, workspace=workspace), 3, "index")
    assert len(ids(workspace)) == COUNT + 1
    (workspace / "index").unlink()
    assert call("match", ONE["text"], "--json", workspace=workspace).json()["matches"][0]["project_id"] == "neu"


def test_a_full_disk_keeps_what_was_there(workspace: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    many = [{"id": f"v{number}", "text": f"{ONE['text']} {'Viele Worte. ' * 200}"} for number in range(80)]
    file = write_lines(tmp_path / "viele.jsonl", many)
    code = (
        "import resource, sys; from checkup.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))\n"
        "raise SystemExit(main(sys.argv[2:]))"
    )
    assert resource
    limit = max(path.stat().st_size for path in workspace.glob("*.sqlite")) // 8
    command = [sys.executable, "-c", code, str(limit), "--workspace", str(workspace), "import", str(file)]
    child = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert_says(Answer(child.returncode, child.stdout, child.stderr), 3, "Datenträger", "wiederholen")
    assert ids(workspace) == sorted(project["id"] for project in PROJECTS)
    assert call("match", SITUATION, workspace=workspace).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize("command", [("export",), ("list", "--json")])
def test_a_full_disk_behind_standard_output_is_no_success(home: Path, command: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        answer = finish(start(*command, workspace=home, stdout=full))
    assert_says(answer, 3, "Bitte")


def test_an_answer_that_cannot_be_written_is_no_success(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "fehlt" / "antwort.json"
    for option in ("--output", "--html"):
        assert_says(call("match", SITUATION, option, target, workspace=home), 3, "antwort.json")
    assert_says(call("export", "--output", target, workspace=home), 3, "antwort.json")


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files there of another kind")
def test_a_pipe_or_a_link_as_output_stays_what_it_is(home: Path, tmp_path: Path) -> None:
    pipe, link = tmp_path / "rohr.jsonl", tmp_path / "verweis.jsonl"
    os.mkfifo(pipe)
    for command in (["export"], ["export", "--full"]):
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(pipe.read_bytes)
            assert call(*command, "--output", pipe, workspace=home).code == 0
            assert reading.result(60).count(b"\n") == COUNT
        assert pipe.is_fifo()
    link.symlink_to(tmp_path / "ziel.jsonl")
    for command in (["export"], ["export", "--full"]):
        assert call(*command, "--output", link, workspace=home).code == 0
        assert link.is_symlink()
        assert (tmp_path / "ziel.jsonl").read_bytes().count(b"\n") == COUNT


def test_a_workspace_of_a_newer_version_is_left_alone(workspace: Path, projects_file: Path) -> None:
    with sqlite3.connect(workspace / "checkup.sqlite") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for command in (("import", projects_file), ("export",), ("list",), ("seed",), ("status",), ("reindex",)):
        assert_says(call(*command, workspace=workspace), 3, "neueren Programmversion")
    with sqlite3.connect(workspace / "checkup.sqlite") as database:
        assert database.execute("SELECT count(*) FROM projects").fetchone() == (COUNT,)
        database.execute("UPDATE alembic_version SET version_num = '0002'")
    database.close()
    assert len(ids(workspace)) == COUNT


def test_a_damaged_database_says_so_and_is_left_alone(workspace: Path, projects_file: Path) -> None:
    database = workspace / "checkup.sqlite"
    database.write_bytes(b"kein SQLite" * 1000)
    for command in (("import", projects_file), ("list",), ("export",)):
        assert_says(call(*command, workspace=workspace), 3, "beschädigt", "Bitte")
    assert database.read_bytes() == b"kein SQLite" * 1000


def test_a_second_writer_is_told_who_writes_and_readers_go_on(workspace: Path, projects_file: Path) -> None:
    with writer_lock(workspace, "refresh", "2026-01-31T09:00:00.000Z"):
        for command in (("import", projects_file), ("reindex",), ("refresh", "--source", "fehlt")):
            assert call(*command, workspace=workspace).code == 3
        assert_says(call("import", projects_file, workspace=workspace), 3, "„refresh“", "Bitte warten")
        assert len(ids(workspace)) == COUNT
        assert call("match", SITUATION, workspace=workspace).code == 0
    assert call("import", projects_file, workspace=workspace).code == 0


def test_a_damaged_index_is_rebuilt(workspace: Path, usual: dict[str, Any]) -> None:
    for name in ("cards.jsonl", "manifest.json"):
        (generation,) = (workspace / "index").glob("g-*")
        path = generation / name
        path.write_bytes(path.read_bytes()[:-7])
        assert call("match", SITUATION, "--json", workspace=workspace).json() == usual


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one child there")
@pytest.mark.parametrize("after_s", [0.0, 0.7])
def test_ctrl_c_leaves_a_consistent_state_and_a_rerun_finishes(workspace: Path, tmp_path: Path, after_s: float) -> None:
    many = [{"id": f"n{number}", "text": f"Angebot {number}: {ONE['text']}"} for number in range(30)]
    file = write_lines(tmp_path / "viele.jsonl", many)
    child = start("import", file, workspace=workspace)
    wait_for_writer(child, workspace)
    time.sleep(after_s)
    child.send_signal(signal.SIGINT)
    answer = finish(child)
    assert_says(answer, 130, "Abgebrochen")
    runs = call("status", "--json", workspace=workspace).json()["runs"]
    assert [run["status"] for run in runs] in (["done"], ["done", "interrupted"])  # it may come before the run began
    assert call("match", SITUATION, workspace=workspace).code == 0
    assert call("import", file, workspace=workspace).code == 0
    assert len(ids(workspace)) == COUNT + len(many)
    assert call("status", "--json", workspace=workspace).json()["index"]["projects"] == COUNT + len(many)
