"""Questions to a person and feedback from the outside: asked, decided by commands or in a sheet, taken back."""

from pathlib import Path
from typing import Any

import pytest
from support.cli import Answer, call, write_lines

from e2e.conftest import drop_duplicate_questions

X = "Sprachkurs für Geflüchtete. Eine Studie der Universität mit Kontrollgruppe lief. Es zeigte sich kein Effekt."


@pytest.fixture
def doubtful(workspace: Path, tmp_path: Path) -> Path:
    """A workspace with a study that found no benefit, twice."""
    records = [{"id": name, "title": title, "text": X} for name, title in (("x", "Kurs"), ("y", "Lernen"))]
    assert call("import", write_lines(tmp_path / "z.jsonl", records), workspace=workspace).code == 0
    return workspace


def reviews(workspace: Path, *arguments: object) -> list[dict[str, Any]]:
    return list(call("review", "list", *arguments, "--json", workspace=workspace).json()["reviews"])


def impact(workspace: Path, project_id: str) -> dict[str, Any]:
    listed = call("list", "--json", workspace=workspace).json()["projects"]
    return dict(next(row for row in listed if row["project_id"] == project_id))


def test_a_verified_project_keeps_the_link(doubtful: Path) -> None:
    got = call("review", "verify", "wohnlotsen", "https://example.org/studie", workspace=doubtful)
    assert got.code == 0, got.err
    full = call("show", "wohnlotsen", "--json", workspace=doubtful).json()["statements"]
    (told,) = (item for item in full if item["property"] == "verified")
    assert (told["value"], told["origin"], told["original_value"]) == (True, "reviewer", "https://example.org/studie")
    answer = call("match", "Wohnung für Geflüchtete fehlt.", "--json", workspace=doubtful).json()
    verified = {match["project_id"]: match["impact"]["verified"] for match in answer["matches"]}
    assert verified["wohnlotsen"] is True
    assert verified["ausbildung"] is False
    (asked,) = (row["id"] for row in reviews(doubtful, "--kind", "claimed_x") if row["project_id"] == "x")
    assert call("review", "verify", asked, "https://example.org/rct", workspace=doubtful).code == 0
    assert impact(doubtful, "x")["tier"] == "open"
    assert [row["project_id"] for row in reviews(doubtful, "--kind", "claimed_x")] == ["y"]
    assert call("review", "verify", "wohnlotsen", "irgendwo", workspace=doubtful).code == 2
    assert call("review", "verify", "gibtesnicht", "https://example.org/", workspace=doubtful).code == 3


def test_decisions_close_questions_and_outlive_the_next_reading(doubtful: Path, tmp_path: Path) -> None:
    one, single = reviews(doubtful, "--kind", "claimed_x")
    assert call("review", "show", one["id"], workspace=doubtful).code == 0
    assert call("review", "accept", one["id"], workspace=doubtful).code == 0
    again = call("review", "accept", one["id"], workspace=doubtful)
    assert again.code == 3
    assert "entschieden" in again.err
    assert call("review", "accept", "99999", workspace=doubtful).code == 3
    assert call("review", "same", single["id"], workspace=doubtful).code == 2
    for text in ("9" * 19, "9" * 5000):
        assert call("review", "accept", text, workspace=doubtful).code == 3
        assert call("review", "show", text, workspace=doubtful).code == 3
        assert call("review", "verify", text, "https://example.org/", workspace=doubtful).code == 3
    call("import", write_lines(tmp_path / "n.jsonl", [{"id": "n", "text": "Ein Chor."}]), workspace=doubtful)
    assert one["id"] not in [row["id"] for row in reviews(doubtful)]
    decided = [row for row in reviews(doubtful, "--decided") if row["id"] == one["id"]]
    assert decided[0]["decision"] == "accept"


def test_a_correction_counts_from_then_on(doubtful: Path) -> None:
    (asked,) = (row["id"] for row in reviews(doubtful, "--kind", "claimed_x") if row["project_id"] == "x")
    assert call("review", "correct", asked, "7", workspace=doubtful).code == 2
    assert impact(doubtful, "x")["evidence_grade"] == "X"
    assert call("review", "correct", asked, "2", "--note", "doch ein Effekt", workspace=doubtful).code == 0
    assert (impact(doubtful, "x")["evidence_grade"], impact(doubtful, "x")["tier"]) == ("2", "promising")


def test_two_entries_are_judged_the_same_or_different(doubtful: Path) -> None:
    from data.settings import load_settings
    from data.store import Store
    from data.store_curation import Changes, Question, write_changes

    with Store.open(load_settings(doubtful)) as store, store.writing("test"):
        write_changes(
            store, Changes(asked=[Question(project_id="arzt", other_id="x", score=0.8, detail="Titel gleich")])
        )
    asked = {(row["project_id"], row["other_id"]): row for row in reviews(doubtful, "--kind", "duplicate")}
    first, second = asked["x", "y"], asked["arzt", "x"]  # the first one was asked by the import
    assert [side["quote"] for side in first["sides"]] == [X, X]
    assert call("review", "accept", first["id"], workspace=doubtful).code == 2
    assert call("review", "verify", first["id"], "https://example.org/", workspace=doubtful).code == 2
    stated = call("show", "x", "--json", workspace=doubtful).json()["statements"]
    assert "verified" not in {item["property"] for item in stated}
    assert call("review", "show", first["id"], "--json", workspace=doubtful).json()["review"]["decided_at"] is None
    assert call("review", "different", second["id"], workspace=doubtful).code == 0
    assert call("review", "same", first["id"], workspace=doubtful).code == 0
    assert reviews(doubtful, "--kind", "duplicate") == []
    history = [call("history", name, "--json", workspace=doubtful).json() for name in ("x", "y")]
    assert {one["merged_into"] for one in history} & {"x", "y"}
    assert [judgement["kind"] for judgement in history[0]["judgements"]] == ["different", "same"]
    same = history[0]["judgements"][1]["id"]
    assert f"Urteil {same}: same" in call("history", "x", workspace=doubtful).out
    assert call("review", "withdraw", same, workspace=doubtful).code == 0
    assert "(reviewer), zurückgenommen" in call("history", "x", workspace=doubtful).out
    assert [(row["project_id"], row["other_id"]) for row in reviews(doubtful, "--kind", "duplicate")] == [("x", "y")]
    assert call("history", "y", "--json", workspace=doubtful).json()["merged_into"] is None
    assert call("review", "withdraw", same, workspace=doubtful).code == 3


def test_a_project_whose_id_is_a_number_is_verified_itself(doubtful: Path, tmp_path: Path) -> None:
    (asked,) = (row["id"] for row in reviews(doubtful, "--kind", "claimed_x") if row["project_id"] == "x")
    numbered = [{"id": str(asked), "title": "Chor", "text": "Ein Chor singt dienstags im Rathaus."}]
    assert call("import", write_lines(tmp_path / "n.jsonl", numbered), workspace=doubtful).code == 0
    arguments = (str(asked), "https://example.org/studie", "--note", "gelesen")
    assert call("review", "verify", *arguments, "--json", workspace=doubtful).json()["project_id"] == str(asked)
    told = call("show", str(asked), "--json", workspace=doubtful).json()["statements"]
    (link,) = (item["original_value"] for item in told if item["property"] == "verified")
    assert link == "https://example.org/studie gelesen"
    assert asked in [row["id"] for row in reviews(doubtful, "--kind", "claimed_x")]


def sheet(path: Path) -> tuple[Any, Any, dict[str, int]]:
    from openpyxl import load_workbook

    book = load_workbook(path)
    page = book.active
    return book, page, {cell.value: cell.column for cell in page[1]}


def test_the_sheet_is_taken_over_as_a_whole_or_not_at_all(doubtful: Path, tmp_path: Path) -> None:
    drop_duplicate_questions(doubtful)
    asked = reviews(doubtful)
    assert len(asked) >= 2
    file = tmp_path / "liste.xlsx"
    assert call("review", "--xlsx", file, workspace=doubtful).code == 0
    book, page, column = sheet(file)
    page.cell(2, column["Entscheidung"]).value = "stimmt"
    page.cell(3, column["Entscheidung"]).value = "vielleicht"
    page.cell(4, column["Nr"]).value = "4711"
    page.cell(4, column["Entscheidung"]).value = "stimmt"
    book.save(file)
    got = call("review", "--apply", file, "--json", workspace=doubtful)
    assert got.code == 3
    faults = {(fault["row"], fault["cell"]) for fault in got.json()["faults"]}
    assert {(3, "Entscheidung"), (4, "Nr")} <= faults
    assert reviews(doubtful) == asked
    page.delete_rows(4, 99)
    page.cell(3, column["Entscheidung"]).value = "stimmt"
    page.cell(3, column["Wert 1"]).value = "etwas anderes"
    book.save(file)
    got = call("review", "--apply", file, "--json", workspace=doubtful)
    assert [(fault["row"], fault["cell"]) for fault in got.json()["faults"]] == [(3, "Wert 1")]
    assert reviews(doubtful) == asked
    assert call("review", "--xlsx", file, workspace=doubtful).code == 0
    book, page, column = sheet(file)
    for row in (2, 3):
        page.cell(row, column["Entscheidung"]).value = "Stimmt"
    book.save(file)
    got = call("review", "--apply", file, "--json", workspace=doubtful)
    assert (got.code, got.json()["applied"]) == (0, 2), got.err
    assert len(reviews(doubtful)) == len(asked) - 2
    again = call("review", "--apply", file, "--json", workspace=doubtful)
    assert (again.code, again.json()["applied"], again.json()["already"]) == (0, 0, 2)
    page.cell(2, column["Entscheidung"]).value = "berichtigen"
    page.cell(2, column["Neuer Wert"]).value = "1"
    book.save(file)
    late = call("review", "--apply", file, workspace=doubtful)
    assert late.code == 3
    assert "inzwischen entschieden" in late.err


def fill(workspace: Path, file: Path, decisions: dict[Any, tuple[str, str]]) -> Answer:
    """Apply a fresh sheet with these decisions and links by the questions' numbers."""
    assert call("review", "--xlsx", file, workspace=workspace).code == 0
    book, page, column = sheet(file)
    for row in range(2, page.max_row + 1):
        word, link = decisions.get(int(page.cell(row, column["Nr"]).value), ("", ""))
        page.cell(row, column["Entscheidung"]).value = word
        page.cell(row, column["Verweis"]).value = link
    book.save(file)
    return call("review", "--apply", file, "--json", workspace=workspace)


def test_a_sheet_whose_rows_contradict_each_other_writes_nothing(doubtful: Path, tmp_path: Path) -> None:
    from data.settings import load_settings
    from data.store import Store
    from data.store_curation import Changes, Question, write_changes

    drop_duplicate_questions(doubtful)
    pairs = [("arzt", "x"), ("arzt", "y"), ("x", "y")]
    with Store.open(load_settings(doubtful)) as store, store.writing("test"):
        write_changes(
            store, Changes(asked=[Question(project_id=a, other_id=b, score=0.8, detail="x") for a, b in pairs])
        )
    asked = [row["id"] for row in reviews(doubtful, "--kind", "duplicate")]
    words = zip(asked, ("gleich", "gleich", "verschieden"), strict=True)
    got = fill(doubtful, tmp_path / "l.xlsx", {number: (word, "") for number, word in words})
    assert got.code == 3
    (fault,) = got.json()["faults"]
    assert (fault["cell"], "„arzt“" in fault["reason"]) == ("Entscheidung", True)
    assert [row["id"] for row in reviews(doubtful, "--kind", "duplicate")] == asked
    assert call("history", "arzt", "--json", workspace=doubtful).json()["judgements"] == []
    got = fill(doubtful, tmp_path / "l.xlsx", dict.fromkeys(asked, ("gleich", "")))
    assert (got.code, got.json()["applied"]) == (0, 3), got.err


def test_a_sheet_with_a_wrong_link_or_a_number_twice_writes_nothing(doubtful: Path, tmp_path: Path) -> None:
    drop_duplicate_questions(doubtful)
    asked = reviews(doubtful)
    one, two = (row["id"] for row in asked if row["kind"] == "claimed_x")
    file = tmp_path / "l.xlsx"
    got = fill(doubtful, file, {one: ("stimmt", ""), two: ("geprüft", "https://a b")})
    assert [fault["cell"] for fault in got.json()["faults"]] == ["Verweis"]
    assert reviews(doubtful) == asked
    assert call("review", "--xlsx", file, workspace=doubtful).code == 0
    book, page, column = sheet(file)
    page.cell(2, column["Entscheidung"]).value = "stimmt"
    page.append([cell.value for cell in page[2]])
    book.save(file)
    got = call("review", "--apply", file, "--json", workspace=doubtful)
    assert (got.code, [fault["cell"] for fault in got.json()["faults"]]) == (3, ["Nr"])
    assert reviews(doubtful) == asked


def test_a_sheet_of_something_else_is_refused(doubtful: Path, tmp_path: Path) -> None:
    other = tmp_path / "projekte.xlsx"
    assert call("export", "--output", other, workspace=doubtful).code == 0
    got = call("review", "--apply", other, workspace=doubtful)
    assert got.code == 3
    assert "Entscheidung" in got.err
    other.write_bytes(b"PK\x03\x04kaputt")
    assert call("review", "--apply", other, workspace=doubtful).code == 3
    assert call("review", workspace=doubtful).code == 2


# --- feedback --------------------------------------------------------------------------------------------------------


def test_feedback_stands_beside_the_project_and_does_not_move_it(workspace: Path, tmp_path: Path) -> None:
    question = "Anerkannte Geflüchtete finden keine Wohnung."
    before = call("match", question, "--json", workspace=workspace).json()["matches"]
    for kind in ("adopted", "adopted", "adopted", "not_helpful"):
        assert call("feedback", "wohnlotsen", kind, "--note", "bei uns", workspace=workspace).code == 0
    assert call("feedback", "arzt", "failed", "--situation", question, workspace=workspace).code == 0
    after = call("match", question, "--json", workspace=workspace).json()["matches"]
    assert [(one["project_id"], one["score"]) for one in after] == [(one["project_id"], one["score"]) for one in before]
    told = {one["project_id"]: one["feedback"] for one in after}
    assert told["wohnlotsen"] == {"adopted": 3, "not_helpful": 1}
    assert told["sprachcafe"] == {}
    assert "In drei Kommunen übernommen" in call("match", question, workspace=workspace).out
    file = tmp_path / "paare.jsonl"
    assert call("feedback", "--export", file, workspace=workspace).code == 0
    pairs = Answer(0, file.read_text("utf-8"), "").lines()
    assert [pair["label"] for pair in pairs] == [1, 1, 1, 0, 0]
    assert (pairs[-1]["query"], pairs[-1]["note"], pairs[0]["query"], pairs[0]["note"]) == (
        question, None, None, "bei uns",
    )  # fmt: skip
    assert call("feedback", "wohnlotsen", "toll", workspace=workspace).code == 2
    assert call("feedback", "fehlt", "helpful", workspace=workspace).code == 3
    assert call("feedback", "wohnlotsen", workspace=workspace).code == 2
