from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import CheckupError
from data.records import Project, Statement
from data.settings import load_settings
from data.store import Store
from data.store_curation import Changes, Question, write_changes
from data.store_events import event_row, replace_events
from pipeline.digest import (
    MOST_ITEMS,
    Digest,
    Item,
    Section,
    as_html,
    as_text,
    build,
    note_told,
    runs_to_report,
    write,
)
from pipeline.remarks import Remarks
from pipeline.staging import Attempt, _write

NOW = "2026-11-25T12:00:00.000Z"


@pytest.fixture
def store(tmp_path: Path):
    seconds = iter(range(60))
    clock = lambda: f"2026-11-25T11:00:{next(seconds):02}.000Z"  # noqa: E731
    with Store.open(load_settings(tmp_path / "ws"), create=True, clock=clock) as opened:
        with opened.writing("import"):
            records = [
                Project(id="gut", text="x", title="Lotsen <b>", url="https://example.org/gut?a=1&b=2"),
                Project(id="neu", text="x", title="Chor"),
                Project(id="alt", text="x", title="Garten", url="javascript:alert(1)"),
            ]
            store_it(opened, records, fetched_at="2026-11-25")
            store_it(opened, [Project(id="staub", text="x", title="Staubig")], fetched_at="2025-11-20")
            common = {"property": "tier", "document_id": None, "extractor_version": "x", "origin": "editor"}
            opened.add_statements([Statement(project_id="gut", value="high", **common)])
        yield opened


def store_it(store: Store, records: list[Project], *, fetched_at: str) -> None:
    store.upsert_projects(records, origin="import", source="liste", kind="original", fetched_at=fetched_at)


def refresh(store: Store, *events: tuple, status: str = "done", **summary: object) -> str:
    try:
        with store.writing("refresh") as run:
            run.summary.update(summary)
            rows = [
                event_row(run.id, kind, store._clock(), project_id=project_id, source="quelle", detail=detail)
                for kind, project_id, detail in events
            ]
            replace_events(store, run.id, (), rows)
            if status == "failed":
                raise CheckupError("Der Datenträger ist voll.")
            if status == "interrupted":
                raise KeyboardInterrupt
    except (CheckupError, KeyboardInterrupt):
        pass
    return run.id


def sections(store: Store, **options: object) -> dict[str, Section]:
    digest = build(store, runs_to_report(store), now=NOW, **options)
    return {section.id: section for section in digest.sections if section.total}


def test_new_projects_of_high_tier_come_first_and_once(store):
    refresh(store, ("new", "neu", {"title": "Chor", "url": None}), ("new", "gut", {"title": "Lotsen <b>", "url": None}))
    told = sections(store)
    assert [item.title for item in told["high_impact"].items] == ["Lotsen <b>"]
    assert told["high_impact"].items[0].lines == ("hohe Wirkung (laut Quelle)",)
    assert [item.title for item in told["new"].items] == ["Chor"]


def test_a_known_project_that_has_become_better_is_told(store):
    labels = {"labels": {"tier": ["open", "proven"], "level": [1, 6]}}
    worse = {"labels": {"tier": ["proven", "high"]}}
    refresh(store, ("label_changed", "alt", labels), ("label_changed", "neu", worse))
    (item,) = sections(store)["high_impact"].items
    assert (item.title, item.lines) == ("Garten", ("nachgewiesen wirksam (laut Quelle)", "bisher: Wirkung offen"))


def test_a_change_tells_the_new_wording(store):
    passages = [{"old": "bis 2024", "new": "bis 2027"}, {"old": "", "new": "Auch abends."}, {"old": "Frei.", "new": ""}]
    detail = {"title": "Chor", "url": None, "passages": passages, "fields": {"end_year": [2024, None]}}
    refresh(store, ("changed", "neu", detail))
    assert sections(store)["changed"].items[0].lines == (
        "Ende jetzt „ohne Angabe“, bisher „2024“",
        "Jetzt: „bis 2027“ Bisher: „bis 2024“",
        "Neu: „Auch abends.“",
        "Entfallen: „Frei.“",
    )


def test_what_is_gone_what_is_old_and_what_ends_is_told(store):
    with store.writing("import"):
        store_it(store, [Project(id="ende", text="x", title="Bald", end_year=2026)], fetched_at="2026-11-25")
    gone = {"title": "Garten", "url": None, "last_seen": "2026-10-01T00:00:00.000Z"}
    refresh(store, ("gone", "alt", gone), ("back", "neu", {}))
    told = sections(store)
    assert "zuletzt gesehen am 01.10.2026" in told["gone"].items[0].lines[0]
    assert told["back"].items[0].title == "Chor"
    assert [item.title for item in told["unconfirmed"].items] == ["Staubig"]
    assert told["unconfirmed"].items[0].lines == ("zuletzt bestätigt am 20.11.2025 (liste)",)
    assert told["ending"].items[0].lines == ("endet am 31.12.2026",)


def test_doubts_are_the_open_questions_and_the_extractors_drift(store):
    with store.writing("curate"):
        write_changes(store, Changes(asked=[Question(project_id="alt", other_id="neu", score=0.8, detail="")]))
    refresh(store, ("drift", None, {"label": "tier/high", "before": 0.1, "now": 0.3, "texts": 60}))
    drift, question = sections(store)["doubts"].items
    assert "30%" in drift.lines[0].replace(" ", "")
    assert question.title == "Garten / Chor"
    assert "desselben Projekts?" in question.lines[0]


def test_failed_runs_held_sources_and_failed_pages_are_named(store):
    finding = {"gate": "drop", "reason": "held: nur noch 1 Datensatz.", "holds": True}
    common = {"run_id": "r", "began": NOW, "fingerprint": "f", "token": "t"}
    held = Attempt(**common, state="held", good_at="2026-10-01T00:00:00.000Z", findings=[finding])
    failed = [[f"https://example.org/{number}", None, "gibt es nicht"] for number in range(7)]
    refresh(store)
    note_told(store, runs_to_report(store))
    with store.writing("refresh") as run:
        _write(store, "held", held)
        _write(store, "pages", replace(held, state="done", findings=[], failed=failed))
        _write(store, "other", replace(held, state="done", findings=[], failed=failed))
        run.summary["sources"] = ["held", "pages"]
    refresh(store, status="failed")
    with_broken = sections(store, failures=["x.yaml ist kein YAML."])["failed"].items
    without = {item.title: item.lines for item in with_broken}
    assert "x.yaml ist kein YAML." in without
    assert without["Lauf vom 25.11.2026 gescheitert"] == ("Der Datenträger ist voll.",)
    assert without["held: zurückgehalten"] == (finding["reason"], "Es gilt weiter der Stand vom 01.10.2026.")
    assert without["pages: 7 Seiten oder Zeilen ohne Ergebnis"][-1] == "… und 2 weitere"
    assert not any(title.startswith("other") for title in without)


def test_unread_values_and_what_was_passed_over_stand_with_their_source(store):
    common = {"run_id": "r", "began": NOW, "fingerprint": "f", "token": "t", "state": "done"}
    notes = [
        ["https://example.org/l.csv", 4, "cost: „viel“ lässt sich nicht lesen."],
        ["https://example.org/a", None, "x"],
    ]
    remarks = {"liste": Remarks(notes, 61, {"not_selected": 7, "status": 1}), "leer": Remarks(reasons={"status": 3}),
               "andere": Remarks(notes, 2)}  # fmt: skip
    with store.writing("refresh") as run:
        for name, told in remarks.items():
            _write(store, name, Attempt(**common, remarks=asdict(told)))
        run.summary["sources"] = ["liste", "leer"]
    section = sections(store)["remarks"]
    (item,) = section.items
    assert item.title == "liste: 61 Werte nicht zu lesen; übergangen: nicht ausgewählt (not_selected) 7"
    assert item.lines == (
        "ohne Datensatz insgesamt: nicht ausgewählt (not_selected) 7, Absage des Servers (status) 1",
        "https://example.org/l.csv, Zeile 4: cost: „viel“ lässt sich nicht lesen.",
        "https://example.org/a: x",
        "… und 59 weitere Werte",
    )


def test_every_run_is_reported_once_and_none_is_lost(store):
    assert runs_to_report(store) == []  # an import alone is no occasion
    first = refresh(store)
    assert [run.id for run in runs_to_report(store)] == [first]
    note_told(store, runs_to_report(store))
    assert runs_to_report(store) == []
    with store.writing("review") as between:
        pass
    assert runs_to_report(store) == []
    second = refresh(store, status="failed")
    third = refresh(store)
    assert [run.id for run in runs_to_report(store)] == [between.id, second, third]
    with store.writing("refresh"):
        assert len(runs_to_report(store)) == 3  # one that is under way is not told yet


def test_an_interrupted_run_is_named_until_another_has_finished_it(store):
    broken = refresh(store, ("new", "neu", {"title": "Chor", "url": None}), status="interrupted")
    assert "unterbrochen" in sections(store)["failed"].items[0].title
    last = refresh(store)
    assert [run.id for run in runs_to_report(store)] == [broken, last]
    told = sections(store)
    assert "failed" not in told
    assert [item.title for item in told["new"].items] == ["Chor"]


def test_a_run_is_reported_although_the_clock_was_set_back(store):
    refresh(store)
    note_told(store, runs_to_report(store))
    store._clock = lambda: "2001-01-01T00:00:00.000Z"
    early = refresh(store)
    assert [run.id for run in runs_to_report(store, early)] == [early]
    note_told(store, runs_to_report(store, early))
    assert runs_to_report(store) == []


def test_a_long_section_is_cut_and_says_so():
    items = tuple(Item(title=f"P{number}") for number in range(MOST_ITEMS))
    long = Section(id="new", title="Neu", items=items, total=99, where="checkup diff --last")
    empty = Section(id="gone", title="Weg", items=(), total=0, where="")
    digest = Digest(at=NOW, runs=("r",), sections=(long, empty))
    assert "… und 69 weitere („checkup diff --last“)." in as_text(digest)
    assert "… und 69 weitere" in as_html(digest)
    assert "Nichts zu melden bei: Weg." in as_text(digest)
    assert digest.subject == "Check-Up Integration, 25.11.2026: nichts Neues"


def test_a_page_links_web_addresses_only_and_escapes_everything(store):
    refresh(
        store,
        *(("new", one, {"title": p.title, "url": p.url}) for one in ("gut", "alt") if (p := store.get_project(one))),
    )
    page = as_html(build(store, runs_to_report(store), now=NOW))
    assert '<a href="https://example.org/gut?a=1&amp;b=2">Lotsen &lt;b&gt;</a>' in page
    assert 'href="javascript' not in page
    assert "<script" not in page


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text())
def test_no_text_of_a_source_becomes_markup(title: str, line: str):
    section = Section(id="new", title="Neu", items=(Item(title=title, url=title, lines=(line,)),), total=1, where="")
    page = as_html(Digest(at=NOW, runs=("r",), sections=(section,)))
    plain = as_html(Digest(at=NOW, runs=("r",), sections=(replace(section, items=(Item(title="", lines=("",)),)),)))
    links = 2 if title.startswith(("http://", "https://")) else 0
    assert page.count("<") == plain.count("<") + links


def test_reports_appear_as_a_whole_under_the_runs_name(store, tmp_path):
    run = refresh(store)
    digest = build(store, runs_to_report(store), now=NOW)
    text, page = write(digest, tmp_path / "reports")
    assert (text.name, page.name) == (f"bericht-{run}.txt", f"bericht-{run}.html")
    assert text.read_text("utf-8") == as_text(digest)
    write(digest, tmp_path / "reports")
    assert len(list((tmp_path / "reports").iterdir())) == 2
    (tmp_path / "datei").write_text("", "utf-8")
    with pytest.raises(CheckupError, match="lässt sich nicht schreiben"):
        write(digest, tmp_path / "datei")
