"""What `sources check` shows of a source."""

import pytest
from rich.console import Console

from checkup import check_console
from crawlers.outcome import Counts

ANSWER = {
    "source": "probe", "refused": [], "unread": [], "missed": [], "hints": [],
    "fill": {"cost": 0.5, "state": 0.0, "title": 1.0},
    "records": [
        {"title": "Chor [alt]", "text": "Singen für alle.", "characters": 16, "facts": {"cost": 500.0, "ort": "x [y]"}},
        {"title": None, "text": "Ohne.", "characters": 5, "facts": {}},
    ],
}  # fmt: skip


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> str:
    terminal = {"width": 100, "force_terminal": True, "color_system": "standard", "legacy_windows": False}
    console = Console(highlight=False, **terminal)  # type: ignore[arg-type]
    monkeypatch.setattr(check_console, "Console", lambda **_: console)
    counts = Counts(pages=7, records=2, aliases=1, identical=3)
    counts.reasons.update(duplicate=3, status=1, ganz_neu=1)
    with console.capture() as captured:
        check_console.print_check(ANSWER, counts, kind="site")
    return captured.get()


def test_what_is_never_filled_comes_first_and_in_red(shown: str) -> None:
    lines = [line for line in shown.splitlines() if "gefüllt: " in line]
    assert ["state" in lines[0], "cost 50 %" in lines[1], "title 100 %" in lines[2]] == [True] * 3
    assert [line.startswith("\x1b[31m") for line in lines] == [True, False, False]


def test_records_stand_in_a_table_as_they_are(shown: str) -> None:
    for words in ("Titel und Anfang des Textes", "Zeichen", "Angaben", "Chor [alt]", "cost: 500.0", "ort: x [y]", "16",
                  "ohne Titel", "Singen für alle."):  # fmt: skip
        assert words in shown


def test_the_last_line_is_the_sum(shown: str) -> None:
    assert shown.splitlines()[-1] == (
        "Summe: gelesene Seiten 7, Datensätze 2, weitere Adressen derselben Seite 1, Kopien 3; "
        "ohne Datensatz: Kopie (duplicate) 3, ganz_neu 1, Absage des Servers (status) 1."
    )
