import pytest

from data.records import Project
from data.store_curation import (
    Changes,
    Question,
    StoredJudgement,
    duplicate_questions,
    iter_records,
    merged_projects,
    stored_judgements,
    write_changes,
)


@pytest.fixture
def three(put):
    put(*(Project(id=key, title=f"Titel {key}", text=f"Text {key}", url=f"https://{key}.example") for key in "abc"))


def test_records_come_in_order_with_their_current_text(store, put, three):
    put(Project(id="b", title="Neu", text="Neuer Text"))
    assert [(item.id, item.title, item.text, item.origin) for item in iter_records(store)] == [
        ("a", "Titel a", "Text a", "import"),
        ("b", "Neu", "Neuer Text", "import"),
        ("c", "Titel c", "Text c", "import"),
    ]


def test_judgements_are_kept_and_withdrawn_softly(store, three):
    made = [
        StoredJudgement(id=0, kind="same", project_id="a", other_id="b", origin="machine", score=0.97, run_id="r"),
        StoredJudgement(id=0, kind="helpful", project_id="c", note="gut"),
    ]
    with store.writing("review"):
        first, second = write_changes(store, Changes(made=made))
        write_changes(store, Changes(withdrawn=[second]))
    (kept,) = stored_judgements(store)
    assert (kept.id, kept.kind, kept.origin, kept.score, kept.run_id) == (first, "same", "machine", 0.97, "r")
    assert stored_judgements(store, "c") == ()
    (gone,) = stored_judgements(store, "c", withdrawn=True)
    assert gone.withdrawn_at > gone.created_at
    assert stored_judgements(store, "b") == (kept,)


def test_merged_projects_are_exactly_the_ones_named(store, three):
    with store.writing("review"):
        write_changes(store, Changes(merged={"a": "c", "b": "c"}))
        assert merged_projects(store) == {"a": "c", "b": "c"}
        write_changes(store, Changes())
        assert merged_projects(store) == {"a": "c", "b": "c"}
        write_changes(store, Changes(merged={"b": "a"}))
    assert merged_projects(store) == {"b": "a"}
    assert [card.project.id for card in store.iter_cards()] == ["a", "c"]
    assert [card.values.get("sources") for card in store.iter_cards()] == [
        ["https://a.example", "https://b.example"],
        None,
    ]


def test_statements_and_passages_of_merged_projects_do_not_slip_to_others(store, three, extraction):
    with store.writing("import"):
        store.save_extractions(
            [extraction(document, "Text") for key in "abc" for document in store.documents(key)],
            extractor_version="x-1",
            seen_at="2026-11-25",
        )
        write_changes(store, Changes(merged={"b": "a"}))
    cards = list(store.iter_cards())
    assert [(card.project.id, len(card.passages), card.values["action_fields"]) for card in cards] == [
        ("a", 1, ["text"]),
        ("c", 1, ["text"]),
    ]


def test_a_re_crawl_leaves_a_merged_project_merged(store, put, three):
    with store.writing("review"):
        write_changes(store, Changes(merged={"b": "a"}))
    put(Project(id="b", title="Neu", text="Neuer Text"))
    assert merged_projects(store) == {"b": "a"}


def test_questions_are_closed_in_either_order(store, three):
    with store.writing("review"):
        asked = [Question(project_id=a, other_id=b, score=0.5, detail="gleicher Ort") for a, b in ("ab", "bc")]
        write_changes(store, Changes(asked=asked))
        assert duplicate_questions(store) == {("a", "b"): None, ("b", "c"): None}
        write_changes(store, Changes(closed={("b", "a"): "same"}, note="geprüft"))
    assert duplicate_questions(store) == {("a", "b"): "same", ("b", "c"): None}


def test_a_change_that_fails_leaves_nothing_behind(store, three):
    bad = Changes(
        made=[StoredJudgement(id=0, kind="same", project_id="a", other_id="b")],
        asked=[Question(project_id="a", other_id="gibt-es-nicht", score=0.5, detail="x")],
    )
    with store.writing("review"), pytest.raises(Exception):  # noqa: B017, PT011 - the database's own error
        write_changes(store, bad)
    assert stored_judgements(store) == ()
