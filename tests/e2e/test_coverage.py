"""`coverage` from the outside: the page, the long table, the answer for programs."""

from pathlib import Path

import pandas as pd
from support.cli import call


def test_page_and_long_table_beside_the_answer(home: Path, tmp_path: Path) -> None:
    page, table = tmp_path / "abdeckung.html", tmp_path / "lang.csv"
    answer = call("coverage", "--json", "--html", page, "--csv", table, workspace=home)
    assert answer.code == 0, answer.err
    told = answer.json()
    assert told["projects"] == 4
    assert str(page) in answer.err
    assert all(gap in page.read_text("utf-8").replace("&amp;", "&") for gap in told["gaps"])
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    assert set(rows["Projekt"]) == {"wohnlotsen", "sprachcafe", "ausbildung", "arzt"}
    assert len(rows) == sum(cell["Einträge"] for cell in told["cells"])


def test_a_place_that_cannot_be_written_is_named(home: Path, tmp_path: Path) -> None:
    for option in ("--html", "--csv"):
        answer = call("coverage", option, tmp_path / "fehlt" / "abdeckung", workspace=home)
        assert answer.code == 3
        assert "abdeckung" in answer.err
