import time

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from data.records import Document, Extraction, Project, Rejected
from data.settings import load_settings
from data.store import Store
from pipeline import extraction, refresh
from pipeline.nlp import deadline, language
from pipeline.nlp.deadline import TextTooLongError, check_time, within
from pipeline.nlp.extract import TOO_LONG, extract

SLOW = "Zeitfresser"
GOOD = "2019 fanden im Sprachkurs 57 Geflüchtete eine Arbeit."
HUNG_S = 120


@Language.component("test_slow_in_steps")
def slow_in_steps(doc: Doc) -> Doc:
    """Reckons in steps for minutes where the text says so, as a component over its sentences would."""
    end = time.thread_time() + HUNG_S if SLOW in doc.text else 0
    while time.thread_time() < end:
        check_time()
    return doc


@pytest.fixture
def slow_pipeline(monkeypatch):
    monkeypatch.setattr(language, "_loaded", {})
    language.load_nlp().add_pipe("test_slow_in_steps", after="checkup_cues")
    list(extract([("warm", None, GOOD)], reading="rules"))  # rules and words are loaded at the first text


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(deadline.time, "thread_time", lambda: now[0])
    return now


def test_time_is_bounded_only_inside_the_block(clock):
    check_time()
    with within(5):
        clock[0] = 5.0
        check_time()
        clock[0] = 5.1
        with pytest.raises(TextTooLongError):
            check_time()
    check_time()


def test_an_inner_block_lasts_no_longer_than_the_outer_one(clock):
    with within(5), within(100):
        clock[0] = 6.0
        with pytest.raises(TextTooLongError):
            check_time()
    with within(None):
        clock[0] = 1e9
        check_time()


def test_the_message_names_the_limit_and_the_setting(clock):
    def too_slow():
        with within(2.5):
            clock[0] = 3.0
            check_time()

    with pytest.raises(TextTooLongError, match=r"2\.5 Sekunden.*text_seconds"):
        too_slow()


def test_a_text_over_the_bound_is_named_and_the_others_are_read(slow_pipeline):
    records = [("a", None, GOOD), ("b", None, f"{SLOW}. {GOOD}"), ("c", None, GOOD)]
    first, slow, last = extract(records, reading="rules", seconds=1.5)
    assert first["impact"]["level"] == last["impact"]["level"] == 6
    assert slow["id"] == "b"
    assert slow["error"]["code"] == TOO_LONG
    assert "1.5 Sekunden" in slow["error"]["message"]


def test_every_component_looks_at_the_clock(clock):
    nlp = language.load_nlp()
    with within(5):
        doc = nlp.make_doc(GOOD)
        clock[0] = 6.0
        for name, step in nlp.pipeline:
            if name.startswith("checkup_"):
                with pytest.raises(TextTooLongError):
                    step(doc)


def document(name, text):
    return Document(
        id=f"d-{name}", project_id=name, url=None, source="probe", title=f"Kurs {name}", text=text, kind="summary",
        sha256=name, fetched_at="2026-01-01T00:00:00Z",
    )  # fmt: skip


def test_a_document_over_the_bound_is_reported_with_its_name(slow_pipeline):
    documents = [document("p1", GOOD), document("p2", f"{SLOW}. {GOOD}")]
    read, refused = next(iter(extraction.read_all(documents, reading="rules", seconds=1.5))).found
    assert isinstance(read, Extraction)
    assert isinstance(refused, Rejected)
    assert refused.id == "p2"
    assert "„Kurs p2“ (p2)" in refused.reason


def test_a_project_over_the_bound_keeps_what_was_read_before_and_the_run_goes_on(slow_pipeline, tmp_path):
    def imported(store, *projects):
        report = refresh.Report()
        with store.writing("import"):
            refresh.import_projects(store, projects, refresh.worker_for(store), report, source="probe")
        return report

    with Store.open(load_settings(tmp_path, reading="rules", text_seconds=1.5), create=True) as store:
        assert imported(store, Project(id="p1", title="Kurs", text=GOOD)).failed == []
        before = store.statements("p1", property="level", origin="extractor")
        report = imported(store, Project(id="p1", title="Kurs", text=f"{SLOW}. {GOOD}"), Project(id="p2", text=GOOD))
        assert [item.id for item in report.failed] == ["p1"]
        assert [one.value for one in store.statements("p1", property="level", origin="extractor")] == [
            one.value for one in before
        ]
        assert store.statements("p2", property="level", origin="extractor")
        assert [document.project_id for document in store.documents_to_extract("anything")] == ["p1", "p2"]
