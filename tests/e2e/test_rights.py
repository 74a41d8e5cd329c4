"""A workspace that may not be written: a message that says what to do, exit code 3, nothing half written.

Also as root: see `support.rights`. On Windows a file in the way of the workspace (`test_bad_input.py`) stands for them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.cli import Answer, call, finish, start, write_lines
from support.rights import BOUND

from e2e.conftest import PROJECTS, SITUATION

ONE = {"id": "neu", "text": "Eine Nähwerkstatt bringt zugewanderte Frauen und Nachbarinnen zusammen."}
IDS = sorted(project["id"] for project in PROJECTS)

pytestmark = [
    pytest.mark.usefixtures("read_by_rules"),
    pytest.mark.skipif(sys.platform == "win32", reason="rights of folders are lists of another kind there"),
]


def bound(*arguments: object, workspace: Path) -> Answer:
    return finish(start(*arguments, workspace=workspace, **BOUND))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in or under the folder may be written meanwhile."""
    paths = [folder, *folder.rglob("*")]
    rights = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        yield
    finally:
        for path, mode in rights.items():
            path.chmod(mode)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(answer: Answer, *words: str) -> None:
    assert answer.code == 3, answer.err
    assert answer.out == ""
    for english in ("Traceback", "ermission denied", "unable to open", "readonly database"):
        assert english not in answer.err, answer.err
    for word in ("Bitte", "Rechte", *words):
        assert word in answer.err, answer.err


def test_rights_bind_the_child_of_these_tests(tmp_path: Path) -> None:
    with read_only(tmp_path):
        code = f"open({str(tmp_path / 'x')!r}, 'w')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **BOUND)
    assert "PermissionError" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["import", "seed", "refresh"])
@pytest.mark.parametrize("place", [".", "ws"], ids=["the folder itself", "its parent"])
def test_a_new_workspace_that_cannot_be_written_says_so(
    tmp_path: Path, projects_file: Path, command: str, place: str
) -> None:
    folder = tmp_path / "zu"
    folder.mkdir()
    given = [projects_file] if command == "import" else []
    with read_only(folder):
        answer = bound(command, *given, workspace=folder / place)
        assert_refused(answer, "Arbeitsbereich", "--workspace")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [("import", "FILE"), ("seed",), ("feedback", "arzt", "helpful"), ("erase", "project", "arzt", "--reason", "x"),
     ("situations", "save", "ort", "--text", SITUATION), ("reindex",)],
    ids=lambda command: command[0],
)  # fmt: skip
def test_a_workspace_that_may_only_be_read_stays_as_it_was(
    workspace: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    file = write_lines(tmp_path / "neu.jsonl", [ONE])
    before = content(workspace)
    with read_only(workspace):
        assert_refused(bound(*(file if part == "FILE" else part for part in command), workspace=workspace))
        assert content(workspace) == before
    assert [line["id"] for line in call("export", workspace=workspace).lines()] == IDS
    assert call("import", file, workspace=workspace).code == 0


def test_a_workspace_that_may_only_be_read_still_answers(workspace: Path) -> None:
    with read_only(workspace):
        answer = bound("match", SITUATION, "--json", workspace=workspace)
    assert answer.code == 0, answer.err
    assert answer.json() == call("match", SITUATION, "--json", workspace=workspace).json()


def test_an_index_that_cannot_be_written_loses_no_project(workspace: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "neu.jsonl", [ONE])
    before = content(workspace / "index")
    with read_only(workspace / "index"):
        assert_refused(bound("import", file, workspace=workspace), "index")
        assert content(workspace / "index") == before
        assert bound("match", SITUATION, workspace=workspace).code == 0
    assert [line["id"] for line in call("export", workspace=workspace).lines()] == sorted([*IDS, "neu"])
    assert call("import", file, workspace=workspace).code == 0
    found = call("match", ONE["text"], "--json", workspace=workspace).json()["matches"]
    assert found[0]["project_id"] == "neu"


@pytest.mark.parametrize(
    "command",
    [("match", SITUATION, "--output"), ("match", SITUATION, "--html"), ("export", "--output"), ("backup",)],
    ids=" ".join,
)
def test_an_answer_that_may_not_be_written_leaves_nothing(home: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = tmp_path / "zu"
    folder.mkdir()
    with read_only(folder):
        assert_refused(bound(*command, folder / "antwort.json", workspace=home), "antwort.json")
    assert list(folder.iterdir()) == []
