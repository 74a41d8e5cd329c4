"""Due sources, the report after them, the mail, and saved situations, from the outside."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cli import Answer, call
from support.crawling import YAML, links, project
from support.site import Site
from support.smtp import MailServer

from data.settings import load_settings
from data.store import Store
from e2e.conftest import SITUATION

NAMES = ("Chor", "Nähstube", "Lotsen", "Garten")
PATHS = [f"/projekt/{number}" for number in range(len(NAMES))]
WORKS = (
    "<p>Wohnungslotsen begleiten anerkannte Geflüchtete bei der Wohnungssuche; 2023 zogen 57 von 80 Personen aus der "
    "Unterkunft in eine eigene Wohnung, wie eine Befragung vorher und nachher zeigt.</p>"
)


class Due:
    """A workspace with one source of its own, and nothing else that could be due."""

    def __init__(self, site: Site, workspace: Path) -> None:
        self.site, self.workspace = site, workspace
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        file = workspace / "sources" / "probe.yaml"
        file.parent.mkdir()
        file.write_text(yaml.replace("max_records: 5", "max_records: 90").replace(", state: 0.5", ""), "utf-8")

    def run(self, *arguments: object) -> Answer:
        return call("schedule", "run-due", *arguments, workspace=self.workspace)

    def reports(self) -> list[str]:
        return [path.read_text("utf-8") for path in sorted((self.workspace / "reports").glob("*.txt"))]


@pytest.fixture
def due(workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Due]:
    (tmp_path / "none-shipped").mkdir()
    monkeypatch.setattr("crawlers.source.SHIPPED", tmp_path / "none-shipped")
    pages = dict(zip(PATHS, map(project, NAMES), strict=True))
    with Site({"/": links(*PATHS), **pages}) as site:
        yield Due(site, workspace)


def sources(due: Due) -> dict[str, Any]:
    shown = call(
        "schedule", "show", "--system", "cron", "--crontab", "gibt-es-nicht", "--json", workspace=due.workspace
    )
    return {one["source"]: one for one in shown.json()["sources"]}


def test_what_is_due_is_done_once_and_reported(due: Due) -> None:
    assert sources(due)["probe"]["why"] == "never"
    first = due.run("--json")
    assert (first.code, first.json()["new"]) == (0, len(NAMES)), first.err
    assert (sources(due)["probe"]["due"], sources(due)["probe"]["why"]) == (False, "interval")
    (text,) = due.reports()
    assert "Weitere neue Projekte (4)" in text
    assert first.json()["report"]["text"].endswith(".txt")
    assert first.json()["report"]["mailed"] == []
    asked = len(due.site.log)
    second = due.run("--quiet")
    assert (second.code, second.out, second.err) == (0, "", "")
    assert "Keine Quelle ist fällig" in due.run().err
    assert due.run("--json").json()["report"] is None
    assert (len(due.site.log), len(due.reports())) == (asked, 1)


def test_the_report_after_a_refresh_tells_the_new_wording(due: Due) -> None:
    due.run()
    due.site.pages["/projekt/0"] = project("Chor", "<p>Der Chor gab 2024 zwölf Konzerte.</p>")
    del due.site.pages["/projekt/3"]
    answer = call("refresh", "--source", "probe", workspace=due.workspace)
    assert "Bericht: " in answer.err
    text = due.reports()[-1]
    assert "Neu: „Der Chor gab 2024 zwölf Konzerte.“" in text
    assert "Nicht mehr gefunden (1)" in text
    assert "ohne Ergebnis" in text  # the page that is not there any more


def test_a_failed_gate_is_exit_4_and_stands_in_the_report(due: Due) -> None:
    due.site.pages["/"] = links()
    answer = due.run()
    assert answer.code == 4
    assert "probe: zurückgehalten" in due.reports()[-1]
    assert sources(due)["probe"]["why"] == "retry"
    assert due.run().code == 0  # tried again after a pause, not at once


def test_a_broken_source_file_is_exit_4_and_stops_no_other(due: Due) -> None:
    (due.workspace / "sources" / "kaputt.yaml").write_text("name: [", "utf-8")
    answer = due.run()
    assert answer.code == 4
    assert "kaputt" in answer.err
    assert "kaputt" in due.reports()[-1]
    assert "Weitere neue Projekte (4)" in due.reports()[-1]


def test_a_report_is_mailed_and_a_mail_that_fails_loses_nothing(
    due: Due, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECKUP_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("CHECKUP_MAIL_FROM", "checkup@example.org")
    monkeypatch.setenv("CHECKUP_MAIL_TO", "stadt@example.org")
    with MailServer(tmp_path) as server:
        monkeypatch.setenv("CHECKUP_SMTP_PORT", str(server.port))
        answer = due.run()
    assert answer.code == 0, answer.err
    assert "gemailt an stadt@example.org" in answer.err
    (mail,) = server.mails
    assert mail.message["Subject"].startswith("Check-Up Integration, ")
    assert "Nähstube" in mail.message.get_body(("plain",)).get_content()
    assert "<h2>" in mail.message.get_body(("html",)).get_content()
    again = call("refresh", "--source", "probe", workspace=due.workspace)
    assert again.code == 4
    assert "nicht gemailt" in again.err
    assert len(due.reports()) == 2


def test_a_running_refresh_is_exit_3_and_says_who(due: Due) -> None:
    with Store.open(load_settings(due.workspace)) as store, store.writing("refresh") as run:
        answer = due.run("--quiet")
        assert answer.code == 3
        assert "„refresh“" in answer.err
        assert f"Prozess {os.getpid()}" in answer.err
        assert f"seit {run.started_at}" in answer.err
    assert due.site.log == []
    assert due.run().code == 0


def test_without_a_workspace_nothing_is_made(tmp_path: Path) -> None:
    answer = call("schedule", "run-due", workspace=tmp_path / "ws")
    assert (answer.code, "checkup seed" in answer.err) == (3, True)
    shown = call("schedule", "show", "--system", "windows", "--json", workspace=tmp_path / "ws")
    assert (shown.code, {one["why"] for one in shown.json()["sources"]}) == (0, {"never"})
    assert not (tmp_path / "ws").exists()


def test_saved_situations_are_told_of_better_matches_once(due: Due) -> None:
    saved = call("situations", "save", "musterstadt", SITUATION, "--json", workspace=due.workspace)
    assert saved.code == 0, saved.err
    before = {one["project_id"] for one in saved.json()["best"]}
    assert "wohnlotsen" in before
    due.site.pages["/projekt/0"] = project("Wohnungslotsen Neustadt", WORKS)
    assert due.run().code == 0
    text = due.reports()[-1]
    assert "Gespeicherte Lagen mit besseren Treffern (1)" in text
    assert "musterstadt" in text
    assert "Wohnungslotsen Neustadt" in text.split("Gespeicherte Lagen")[1].split("Weitere neue")[0]
    after = call("situations", "show", "musterstadt", "--json", workspace=due.workspace).json()["best"]
    assert {one["project_id"] for one in after} - before
    assert any(one["title"] == "Wohnungslotsen Neustadt" for one in after)
    due.site.pages["/projekt/1"] = project("Nähstube", "<p>Neu ab Mai.</p>")
    call("refresh", "--source", "probe", workspace=due.workspace)
    assert "Gespeicherte Lagen mit besseren Treffern (" not in due.reports()[-1]


def test_situations_are_kept_listed_replaced_and_forgotten(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "lage.txt"
    file.write_text(SITUATION + " Fragen an 0151 23456789.", "utf-8")
    assert call("situations", "save", "Ort 1", "--file", file, workspace=workspace).code == 0
    shown = call("situations", "show", "Ort 1", workspace=workspace)
    assert "0151 23456789" in shown.out  # the consultant's own text stays as it is
    assert "[wohnlotsen]" in shown.out
    again = call("situations", "save", "Ort 1", "--text", SITUATION, workspace=workspace)
    assert (again.code, "Ersetzt" in again.err) == (0, True)
    assert "Ort 1" in call("situations", "list", workspace=workspace).out
    assert call("situations", "save", "leer", "--text", "  ", workspace=workspace).code == 3
    assert call("situations", "delete", "Ort 1", workspace=workspace).code == 0
    missing = call("situations", "delete", "Ort 1", workspace=workspace)
    assert (missing.code, "situations list" in missing.err) == (3, True)
    assert call("situations", "list", "--json", workspace=workspace).json()["situations"] == []
