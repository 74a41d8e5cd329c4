"""What a command takes for its text."""

import pytest

from checkup.inputs import read_text
from data.errors import UsageError


def test_the_name_of_a_file_is_not_taken_for_its_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "projekt.txt").write_text("Sprachcafé für Geflüchtete", "utf-8")
    for argument, option in (("projekt.txt", None), (None, str(tmp_path / "projekt.txt"))):
        with pytest.raises(UsageError, match="--file"):
            read_text(argument, option, None)
    assert read_text(None, None, tmp_path / "projekt.txt").text == "Sprachcafé für Geflüchtete"


@pytest.mark.parametrize("text", ["anderes.txt", "Wir suchen Wohnungen.", "x." * 5000, "Ein\0Zeichen.txt"])
def test_any_other_text_is_taken_as_it_is(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_text(text, None, None).text == text
