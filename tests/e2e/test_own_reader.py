"""A reader of the user's own from the outside: its needs are followed, its failures told; and the example."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.cli import ROOT, call, write_lines

from e2e.conftest import SITUATION
from e2e.test_schemas import assert_valid

EXAMPLE = ROOT / "docs" / "examples" / "own_reader.py"
TEXT = f"{SITUATION} Das Sprachcafé läuft gut."
NEED = "keine-arbeit-trotz-willen"
ANSWER = {
    "needs": [{"need_id": NEED, "statement": "Geflüchtete", "weight": 2}, {"need_id": "x", "statement": "keine"}],
    "existing": [{"field": "sprache", "statement": "Das Sprachcafé läuft gut."}],
}
REFUSED = "Bedarf 2: Den Bedarf „x“ gibt es nicht."


@pytest.fixture
def answering(workspace: Path, tmp_path: Path) -> Callable[[Any], Path]:
    """Gives the workspace a reader that answers so; it keeps count of its calls in `gefragt`."""

    def prepare(answer: Any) -> Path:
        script = tmp_path / "leser.py"
        count = f"open({str(tmp_path / 'gefragt')!r}, 'a').write('.')"
        raw = json.dumps(answer, ensure_ascii=False).encode()
        script.write_text(f"import sys\nsys.stdin.read()\n{count}\nsys.stdout.buffer.write({raw!r})\n", "utf-8")
        line = f"reader_command = {json.dumps([sys.executable, str(script)])}\n"
        (workspace / "settings.toml").write_text(line, "utf-8")
        return workspace

    return prepare


def test_its_needs_are_followed_like_corrected_ones(
    answering: Callable[[Any], Path], home: Path, tmp_path: Path
) -> None:
    workspace = answering(ANSWER)
    understood = call("analyse", TEXT, "--json", workspace=workspace)
    got = call("match", TEXT, "--json", workspace=workspace)
    for name, answer in (("analyse", understood), ("match", got)):
        assert_valid(name, answer.json())
        assert answer.json()["reader"] == {"name": "own", "note": None, "refused": [REFUSED]}
        assert answer.err == REFUSED + "\n"
    assert understood.json()["action_fields"] == {"needed": ["arbeit"], "covered": ["sprache"]}
    (need,) = got.json()["needs"]
    assert [need] == understood.json()["needs"]
    assert (need["need_id"], need["weight"], need["statement"]) == (NEED, 1.0, "Geflüchtete")
    needs = tmp_path / "bedarfe.json"
    needs.write_text(json.dumps([need]), "utf-8")
    corrected = call("match", TEXT, "--needs", needs, "--json", workspace=home).json()
    assert corrected["reader"] == {"name": "built-in", "note": None, "refused": []}
    assert corrected["matches"] == got.json()["matches"]
    assert (tmp_path / "gefragt").read_text() == ".."
    assert call("match", TEXT, "--needs", needs, "--json", workspace=workspace).json() == corrected
    assert (tmp_path / "gefragt").read_text() == ".."


def test_it_may_abstain(answering: Callable[[Any], Path]) -> None:
    workspace = answering({"answerable": False, "unanswerable_because": "vague", "ask": ["Wer genau?"]})
    answer = call("match", TEXT, "--json", workspace=workspace).json()
    understood = call("analyse", TEXT, "--json", workspace=workspace).json()
    assert_valid("match", answer)
    assert_valid("analyse", understood)
    assert (answer["abstained_because"], answer["ask"], answer["needs"]) == ("vague", ["Wer genau?"], [])
    assert (understood["answerable"], understood["ask"], understood["needs"]) == (False, ["Wer genau?"], [])


def test_without_an_answer_everything_is_as_usual_and_every_line_says_so(
    answering: Callable[[Any], Path], usual: dict[str, Any], tmp_path: Path
) -> None:
    workspace = answering([])
    file = write_lines(tmp_path / "lagen.jsonl", [{"id": "a", "text": SITUATION}, {"id": "b", "text": SITUATION}])
    note = "Der eigene Leser gab kein JSON-Objekt aus; gelesen hat der mitgelieferte."
    got = call("match", "--input", file, workspace=workspace)
    assert got.code == 0
    assert got.err == f"„a“: {note}\n„b“: {note}\n"
    reader = {"name": "built-in", "note": note, "refused": []}
    assert got.lines() == [{**usual, "id": name, "reader": reader} for name in ("a", "b")]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[dict[str, str]]]]:
    """A stand-in for a local model server; gives what it was asked. It speaks around its JSON, as models do."""
    asked: list[list[dict[str, str]]] = []
    roles = {"urteil": "klar", "bedarfe": [{"satz": 1, "feld": "wohnen"}, {"satz": 9, "feld": "wohnen"}],
             "vorhanden": [{"satz": 2, "feld": "sprache"}], "gruppen": ["gefluechtete", "niemand"]}  # fmt: skip
    named = {"bedarfe": [{"satz": 1, "bedarf": "keine-wohnung-finden", "sicher": 0.8, "gewicht": 0.9, "andere": []}]}

    class Model(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"])
            reply = json.dumps(roles if "Die Sätze sind nummeriert" in asked[-1][0]["content"] else named)
            content = f"Gern: ```json\n{reply}\n```"
            body = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setenv("LOCAL_MODEL_URL", f"http://127.0.0.1:{server.server_port}/v1/chat/completions")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("CHECKUP_READER_COMMAND", json.dumps([sys.executable, str(EXAMPLE)]))
    yield asked
    server.shutdown()
    server.server_close()


def test_the_example_asks_a_model_on_this_computer(model: list[list[dict[str, str]]]) -> None:
    answer = call("analyse", TEXT, "--json").json()
    assert_valid("analyse", answer)
    assert answer["reader"] == {
        "name": "own", "note": None, "refused": ["Zielgruppe 2: Die Zielgruppe „niemand“ gibt es nicht."]
    }  # fmt: skip
    (need,) = answer["needs"]
    assert (need["need_id"], need["statement"], need["confidence"]) == ("keine-wohnung-finden", SITUATION, 0.8)
    assert answer["existing"][0]["statement"] == "Das Sprachcafé läuft gut."
    roles, needs = model
    assert roles[1]["content"] == f"1. {SITUATION}\n2. Das Sprachcafé läuft gut."
    assert needs[1]["content"] == f"1. {SITUATION}"
    assert "keine-wohnung-finden: " in needs[0]["content"]
    assert NEED not in needs[0]["content"]


def test_the_example_goes_nowhere_else(model: list[list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_MODEL_URL", "http://192.0.2.1/v1/chat/completions")
    answer = call("analyse", TEXT, "--json").json()
    note = "Der eigene Leser endete mit dem Rückgabewert 1; gelesen hat der mitgelieferte."
    assert answer["reader"] == {"name": "built-in", "note": note, "refused": []}
    assert model == []
