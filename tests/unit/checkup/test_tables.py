"""Ids in tables can be copied at any width: neither cut nor broken."""

import pytest

from checkup.console import print_list, print_rows

LONG = "integrationsfoerderung-und-deutschkurse-im-landkreis"
COLUMNS = ("id", "kind", "project_id", "property", "value")


def question(number, project_id):
    return {
        "id": f"quelle:eine-lange-quelle-{number}", "kind": "conflict", "project_id": project_id,
        "property": "start_year", "value": "2015 / 2019, wie es in der Überschrift und im Text steht",
    }  # fmt: skip


def card(project_id):
    return {
        "project_id": project_id, "title": "Deutschkurse für Frauen und Mütter im Treffpunkt Känguruh",
        "municipality": "Mühlenbecker Land", "state": "Mecklenburg-Vorpommern",
        "values": {"tier": "promising", "action_fields": ["sprache", "zusammenleben", "gesundheit"]},
    }  # fmt: skip


@pytest.fixture(params=[40, 80, 100, 200])
def width(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


@pytest.mark.parametrize("project_id", ["kurz", LONG, LONG * 3])
def test_review_shows_both_ids_whole(width, capsys, project_id):
    print_rows(COLUMNS, [question(1, project_id), question(22, "anderes")], whole=("id", "project_id"))
    lines = capsys.readouterr().out.splitlines()
    for told in ("quelle:eine-lange-quelle-1", "quelle:eine-lange-quelle-22", project_id, "anderes"):
        assert any(told in line.split() for line in lines), told
    words = " ".join(" ".join(lines).split())
    assert "conflict" in words
    assert "…" not in words


@pytest.mark.parametrize("project_id", ["kurz", LONG, LONG * 3])
def test_list_shows_every_id_whole(width, capsys, project_id):
    print_list([card(project_id), card("anderes")], total=2)
    lines = capsys.readouterr().out.splitlines()
    assert any(project_id in line.split() for line in lines)
    assert "…" not in "".join(lines)
    assert "2 von 2 Projekten" in "\n".join(lines)


def test_what_fits_stays_a_table(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    print_list([card("kurz")], total=1)
    first = capsys.readouterr().out.splitlines()[0]
    assert first.split() == ["id", "Titel", "Ort", "Handlungsfelder", "Wirkung"]


def test_no_line_of_a_table_is_wider_than_the_terminal(width, capsys):
    print_rows(COLUMNS, [question(1, "kurz")], whole=("id", "project_id"))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width


def test_marks_of_rich_in_ids_are_shown(capsys):
    print_rows(("id", "x"), [{"id": "[bold]a", "x": "[red]b"}], whole=("id",))
    out = capsys.readouterr().out
    assert "[bold]a" in out
    assert "[red]b" in out
