"""The main road from the outside: projects in by file and crawl, situations answered, everything out again."""

import json
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from support.cli import call, finish, start, wait_for_writer, write_lines
from support.crawling import YAML, links, project
from support.site import Site
from support.varied import varied
from support.whole import whole

from e2e.conftest import PROJECTS, SITUATION

LANGUAGE = "Viele Zugewanderte sprechen noch kaum Deutsch, und für Frauen fehlt Kinderbetreuung. 😀"
HEALTH = "In den Arztpraxen versteht niemand, was die Patienten sagen."


def answer(*arguments: object, workspace: Path) -> dict[str, Any]:
    got = call("match", *arguments, "--json", workspace=workspace)
    assert got.code == 0, got.err
    return dict(got.json())


def generation(workspace: Path) -> str:
    """The published index's name, which is derived from its content: cards, vectors, tokens."""
    return (workspace / "index" / "CURRENT").read_text("utf-8")


def ranking(*arguments: object, workspace: Path) -> list[str]:
    return [match["project_id"] for match in answer(*arguments, workspace=workspace)["matches"]]


def emptied(home: Path, target: Path) -> Path:
    """A copy without projects that keeps the vectors, so that nothing is embedded twice."""
    shutil.copytree(home, target)
    shutil.rmtree(target / "index")
    with sqlite3.connect(target / "checkup.sqlite") as database:
        for table in ("statements", "passages", "projects", "documents"):
            database.execute(f"DELETE FROM {table}")
    database.close()
    return target


# --- answers ---------------------------------------------------------------------------------------------------------


def test_the_fitting_project_comes_first_with_passages_at_their_true_places(home: Path, tmp_path: Path) -> None:
    texts = {line["id"]: line["text"] for line in call("export", workspace=home).lines()}
    expected = {SITUATION: "wohnlotsen", LANGUAGE: "sprachcafe", HEALTH: "arzt"}
    file = write_lines(tmp_path / "lagen.jsonl", [{"id": name, "text": text} for text, name in expected.items()])
    for line in call("match", "--input", file, workspace=home).lines():
        matches = line["matches"]
        assert matches[0]["project_id"] == line["id"]
        assert len({match["project_id"] for match in matches}) == len(matches) == len(PROJECTS)
        assert [match["score"] for match in matches] == sorted((match["score"] for match in matches), reverse=True)
        for match in matches:
            for reason in match["reasons"]:
                passage = reason["passage"]
                assert texts[match["project_id"]][passage["start"] : passage["end"]] == passage["quote"] != ""


def test_a_person_reads_titles_impact_and_reasons(home: Path) -> None:
    got = call("match", SITUATION, workspace=home)
    assert got.code == 0
    for words in (
        "1. Wohnungslotsen für Musterstadt",
        "Musterstadt (Hessen)",
        "Stufe 6",
        "Zitat: ",
        "4 von 4",
    ):
        assert words in got.out


def test_what_is_private_is_masked_everywhere(home: Path) -> None:
    for command in (("show", "wohnlotsen"), ("export",), ("export", "--full"), ("match", SITUATION, "--json")):
        out = call(*command, workspace=home).out
        assert "█" in out
        assert "karla.berger@example.org" not in out
        assert "23456789" not in out
    for path in home.rglob("*"):
        assert not path.is_file() or b"karla.berger@example.org" not in path.read_bytes()


def test_filters_apply_before_the_ranking(home: Path, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"state": ["Hessen"], "unknown": "drop"}, {"wohnlotsen"}),
        ({"state": ["Hessen"]}, {"wohnlotsen", "ausbildung"}),
        ({"state": ["Hessen", "Bayern"], "unknown": "drop"}, {"wohnlotsen", "sprachcafe"}),
        ({"impact": "promising", "min_level": 6}, {"wohnlotsen"}),
        ({"field": ["wohnen"], "unknown": "drop"}, {"wohnlotsen"}),
        ({"min_level": 7}, set()),
    ]
    lines = [{"id": None, "text": HEALTH, "filters": filters} for filters, _ in cases]
    got = call("match", "--input", write_lines(tmp_path / "l.jsonl", lines), workspace=home).lines()
    assert [{match["project_id"] for match in line["matches"]} for line in got] == [wanted for _, wanted in cases]
    assert (got[-1]["abstained_because"], got[-1]["highlights"], got[-1]["high_impact_missing"]) == (
        "nothing_fits",
        [],
        True,
    )
    options = ("--state", "Hessen", "--state", "Bayern", "--unknown", "drop")
    assert answer(HEALTH, *options, workspace=home) == got[2]
    wrong = call("match", HEALTH, "--field", "wohnung", workspace=home)
    assert wrong.code == 2
    assert "wohnen" in wrong.err


def test_top_cuts_the_same_ranking(home: Path, usual: dict[str, Any]) -> None:
    assert answer(SITUATION, "--top", "2", workspace=home)["matches"] == usual["matches"][:2]
    assert call("match", SITUATION, "--top", "0", workspace=home).code == 2


def test_a_batch_answers_in_order_and_each_text_by_itself(home: Path, tmp_path: Path, usual: dict[str, Any]) -> None:
    texts = [SITUATION, LANGUAGE, HEALTH, "Jugendliche finden keinen Ausbildungsplatz."]
    lines: list[dict[str, Any]] = [{"id": f"s{number}", "text": text} for number, text in enumerate(texts)]
    lines += [{"id": "s0", "text": SITUATION}, {"id": 7, "text": LANGUAGE}]
    first = call("match", "--input", write_lines(tmp_path / "a.jsonl", lines), workspace=home).lines()
    assert [line["id"] for line in first] == ["s0", "s1", "s2", "s3", "s0", 7]
    mixed = random.Random(3).sample(lines, len(lines))
    output = tmp_path / "antworten.jsonl"
    given = "".join(json.dumps(line) + "\n" for line in mixed).encode()
    assert call("match", "--input", "-", "--output", output, workspace=home, stdin=given).code == 0
    content = output.read_bytes()
    assert content.count(b"\n") == len(lines)
    assert b"\r" not in content
    by_text = {line["text"]: {**got, "id": None} for line, got in zip(lines, first, strict=True)}
    for line, text in zip(mixed, content.decode().splitlines(), strict=True):
        got = json.loads(text)
        assert got["id"] == line["id"]
        assert {**got, "id": None} == by_text[line["text"]]
    assert by_text[SITUATION] == usual


def test_corrected_needs_lead_the_answer(home: Path, tmp_path: Path) -> None:
    need = {"need_id": "arzt-verstaendigung", "statement": HEALTH, "start": 0, "end": 3}
    file = tmp_path / "bedarfe.json"
    for content in ([need], {"needs": [need], "text": SITUATION}):
        file.write_text(json.dumps(content), "utf-8")
        got = answer(SITUATION, "--needs", file, workspace=home)
        (told,) = got["needs"]
        assert (told["need_id"], told["statement"], told["end"]) == ("arzt-verstaendigung", HEALTH, 3)
        assert told["field"]
        assert told["alternatives"] == []
        parts = {match["project_id"]: match["parts"]["needs"] for match in got["matches"]}
        assert max(parts, key=lambda name: parts[name]) == "arzt"
    line = write_lines(tmp_path / "l.jsonl", [{"id": None, "text": SITUATION, "needs": [need]}])
    assert call("match", "--input", line, workspace=home).lines() == [got]
    for wrong in ('[{"need_id": "gibt-es-nicht"}]', "kein JSON"):
        file.write_text(wrong, "utf-8")
        refused = call("match", SITUATION, "--needs", file, workspace=home)
        assert refused.code == 3
        assert "analyse" in refused.err
    assert call("match", "--input", line, "--needs", file, workspace=home).code == 2


def test_the_page_stands_alone(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "antwort.html"
    text = f"{SITUATION} <script>alert(1)</script> & „Übersee“ 😀"
    assert call("match", text, "--html", page, workspace=home).code == 0
    content = page.read_text("utf-8")
    assert "Wohnungslotsen für Musterstadt" in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; „Übersee“ 😀" in content
    assert not re.search(r"<script|<link|<iframe|<img|<object|@import|\burl\(|\bsrc=|\bon\w+=", content, re.IGNORECASE)
    assert re.findall(r'https?://[^"<\s]+', content) == ["https://example.org/wohnlotsen"] * 2  # a link, to be clicked


def test_the_form_of_a_corrected_statement_does_not_change_the_answer(home: Path, tmp_path: Path) -> None:
    told = "Zugewanderte finden ohne Hilfe keine Wohnung für ihre Angehörigen."
    answers = []
    for number, statement in enumerate((told, unicodedata.normalize("NFD", told), told.replace("Hilfe", "Hil-\nfe"))):
        need = {"need_id": "anerkannte-bleiben-im-heim", "start": 0, "end": 5, "statement": statement}
        file = write_lines(tmp_path / f"{number}.json", [[need]])
        got = answer(SITUATION, "--needs", file, workspace=home)
        answers.append([(match["project_id"], match["score"]) for match in got["matches"]])
    assert answers[0]
    assert answers[0] == answers[1] == answers[2]


def test_matching_needs_no_network(home: Path, usual: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OSError("the network is gone")

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, gone)
    monkeypatch.setattr(socket, "getaddrinfo", gone)
    monkeypatch.setattr(subprocess, "Popen", gone)
    assert answer(SITUATION, workspace=home) == usual
    assert call("analyse", SITUATION).code == 0
    assert call("extract", PROJECTS[0]["text"]).code == 0


# --- in and out ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "xlsx"])
def test_export_import_export_is_the_identity(home: Path, tmp_path: Path, kind: str) -> None:
    first, second = tmp_path / f"eins.{kind}", tmp_path / f"zwei.{kind}"
    assert call("export", "--output", first, workspace=home).code == 0
    other = emptied(home, tmp_path / "ws")
    got = call("import", first, "--json", workspace=other)
    assert (got.code, got.json()["new"], got.json()["rejected"]) == (0, len(PROJECTS), []), got.err
    assert call("export", "--output", second, workspace=other).code == 0
    if kind == "xlsx":
        assert cells(first) == cells(second)
    else:
        assert first.read_bytes() == second.read_bytes()
        assert call("export", "--format", kind, workspace=home).out.encode() == first.read_bytes()
    assert generation(other) == generation(home)


def cells(path: Path) -> list[list[object]]:
    from openpyxl import load_workbook

    return [[cell.value for cell in row] for row in load_workbook(path).active.iter_rows()]  # type: ignore[union-attr]


def test_an_import_again_changes_nothing_and_a_changed_text_is_a_new_version(workspace: Path, tmp_path: Path) -> None:
    before = generation(workspace)
    again = call("import", write_lines(tmp_path / "p.jsonl", PROJECTS), "--json", workspace=workspace).json()
    assert (again["new"], again["updated"], again["unchanged"], again["extracted"]) == (0, 0, len(PROJECTS), 0)
    assert generation(workspace) == before
    changed = {**PROJECTS[2], "text": "Ein Chor singt in vielen Sprachen."}
    got = call("import", write_lines(tmp_path / "c.jsonl", [changed]), "--json", workspace=workspace).json()
    assert (got["new"], got["updated"], got["extracted"]) == (0, 1, 1)
    assert ranking("Chor singen", workspace=workspace)[0] == "ausbildung"
    documents = call("show", "ausbildung", "--json", workspace=workspace).json()["documents"]
    assert [document["text"] for document in documents] == [PROJECTS[2]["text"], changed["text"]]


def test_unknown_keys_are_kept_and_named_once(workspace: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.jsonl", [{"id": f"k{i}", "text": "Ein Chor.", "Träger": "AWO"} for i in range(3)])
    got = call("import", file, workspace=workspace)
    assert got.err.count("Träger") == 1
    assert [line["Träger"] for line in call("export", workspace=workspace).lines() if "Träger" in line] == ["AWO"] * 3


def test_the_number_of_workers_and_the_order_change_nothing(home: Path, tmp_path: Path) -> None:
    many = [varied(number, brief=True) for number in range(130)]
    found = []
    for workers, records in ((1, many), (2, many[::-1])):
        folder = emptied(home, tmp_path / f"ws{workers}")
        file = write_lines(tmp_path / "viele.jsonl", records)
        assert call("import", file, "--workers", workers, workspace=folder).code == 0
        found.append(whole(folder))
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []


def test_a_refresh_brings_what_is_new_and_keeps_what_is_gone(workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "probe.yaml"
    pages = {"/": links("/projekt/1", "/projekt/2", "/projekt/3"), "/projekt/1": project("Wandergruppe"),
             "/projekt/2": project("Chor", '<p class="land">Hessen</p><p>An: maria.huber@example.org</p>')}  # fmt: skip
    with Site(pages) as site:
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        source.write_text(yaml.replace(", state: 0.5", ""), "utf-8")

        def refresh() -> tuple[int, int, int, int]:
            got = call("refresh", "--source", source, "--json", workspace=workspace)
            counts = got.json()
            return got.code, counts["new"], counts["updated"], counts["unchanged"]

        assert refresh() == (4, 2, 0, 0)  # page 3 is missing, and named
        before = generation(workspace)
        shown = answer("Ein Chor aus Hessen", workspace=workspace)["matches"][0]
        assert (shown["title"], shown["url"]) == ("Chor", site.url("/projekt/2"))
        pages_now = dict(site.pages)
        site.pages["/projekt/3"] = project("Nähstube")
        del site.pages["/projekt/1"]
        site.pages["/projekt/2"] = project("Chor", "<p>Der Chor gab 2024 zwölf Konzerte.</p>")
        assert refresh() == (4, 1, 1, 0)
        assert generation(workspace) != before
        site.pages.update(pages_now)
        site.pages["/projekt/3"] = project("Nähstube")
        assert refresh()[0] == 0
        assert refresh() == (0, 0, 0, 3)
    titles = [line["title"] for line in call("export", workspace=workspace).lines() if line["id"].startswith("probe-")]
    assert sorted(titles) == ["Chor", "Nähstube", "Wandergruppe"]
    full = next(line for line in call("export", "--full", workspace=workspace).lines() if line.get("title") == "Chor")
    assert len(full["documents"]) == 2
    assert "maria.huber@example.org" not in json.dumps(full)
    site_down = call("refresh", "--source", source, workspace=workspace)
    assert site_down.code == 4
    assert len(call("export", workspace=workspace).lines()) == len(PROJECTS) + 3


def test_seeding_again_changes_nothing(seeded: Path, tmp_path: Path) -> None:
    first = json.loads((seeded.parent / "seed.json").read_text("utf-8"))
    assert first["projects"] == first["new"] >= 60
    copy = tmp_path / "ws"
    shutil.copytree(seeded, copy)
    again = call("seed", "--json", workspace=copy).json()
    assert (again["new"], again["updated"], again["unchanged"], again["extracted"]) == (0, 0, first["new"], 0)
    assert generation(copy) == generation(seeded)
    got = answer(SITUATION, workspace=copy)
    assert len(got["matches"]) == 10
    assert all(match["text_kind"] == "summary" and match["url"] for match in got["matches"])


def test_readers_go_on_while_a_writer_imports(workspace: Path, tmp_path: Path) -> None:
    files = [
        write_lines(tmp_path / f"{turn}.jsonl", [{"id": f"n{turn}-{k}", "text": f"Nähstube {k}."} for k in range(3)])
        for turn in range(4)
    ]  # each is published by itself, so that old generations are removed too
    child = start("import", *files, workspace=workspace)
    wait_for_writer(child, workspace)
    sizes = []
    while child.poll() is None:
        sizes.append(answer(SITUATION, workspace=workspace)["index"]["projects"])
    assert finish(child).code == 0
    sizes.append(answer(SITUATION, workspace=workspace)["index"]["projects"])
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(PROJECTS) + 12
