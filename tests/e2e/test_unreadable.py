"""No text, or one that cannot be read, gets advice through the real command line, and emoji change nothing."""

from pathlib import Path

import pytest
from support.cli import call


@pytest.mark.parametrize(
    "text", ["asdf qwer lkjh", "Wohnung Wohnung Wohnung Wohnung", "12 34 | 56 m 78 w", "Nel nostro comune"]
)
def test_what_nobody_can_read_gets_no_projects_but_a_question(home: Path, text: str) -> None:
    matched = call("match", text, "--json", workspace=home)
    assert matched.code == 0, matched.err
    answer = matched.json()
    assert (answer["matches"], answer["needs"], answer["highlights"]) == ([], [], [])
    assert (answer["abstained"], answer["abstained_because"]) == (True, "vague")
    assert "beschreiben" in answer["ask"][0] or "Sätzen" in answer["ask"][0]
    analysed = call("analyse", text, "--json").json()
    assert (analysed["answerable"], analysed["unanswerable_because"]) == (False, "vague")
    assert analysed["ask"] == answer["ask"]
    shown = call("match", text, workspace=home)
    assert shown.code == 0
    assert "Keine Empfehlung" in shown.out
    assert "Können Sie die Lage" in shown.out or "Sätzen" in shown.out


def test_emoji_change_no_answer(home: Path) -> None:
    plain = call("match", "Wir suchen Paten für junge Geflüchtete", "--json", workspace=home).json()
    other = call("match", "🙏 Wir suchen Paten für junge Geflüchtete 🙏🙏", "--json", workspace=home).json()
    assert plain["matches"]
    scores = [[(match["project_id"], match["score"]) for match in answer["matches"]] for answer in (plain, other)]
    assert scores[0] == scores[1]


@pytest.mark.parametrize(("given", "advice"), [([], "--file"), (["a", "--text", "b"], "genau einen Text")])
def test_no_text_or_two_are_a_wrong_call(home: Path, given: list[str], advice: str) -> None:
    answer = call("match", *given, workspace=home)
    assert answer.code == 2, answer.err
    assert advice in answer.err
    assert not any(english in answer.err for english in ("Traceback", "Missing", "Usage", "Error:"))
