import json

from sqlalchemy import update

from data.records import Project, Statement
from data.store_digest import last_reported, note_reported, tiers_of, unconfirmed
from data.store_situations import (
    Best,
    Told,
    delete_situation,
    get_situation,
    note_best,
    save_situation,
    saved_situations,
)
from data.tables import situations

BEST = (Best(project_id="b", score=0.5), Best(project_id="a", score=0.25))


def test_a_situation_comes_back_as_it_was_given(store):
    text = "Frau Müller, 0151 23456789\u2028\x00Ende\ud800"
    assert save_situation(store, "ort", text, BEST) is False
    saved = get_situation(store, "ort")
    assert saved.text == text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert (saved.best, saved.told) == (BEST, ("b", "a"))
    assert save_situation(store, "ort", "anders", []) is True
    assert [(one.name, one.text, one.best) for one in saved_situations(store)] == [("ort", "anders", ())]
    assert delete_situation(store, "ort") is True
    assert delete_situation(store, "ort") is False
    assert get_situation(store, "ort") is None


def test_situations_can_be_saved_while_a_run_writes(store):
    with store.writing("refresh"):
        save_situation(store, "ort", "x", [])
        note_best(store, dict.fromkeys(["ort", "vergessen"], Told(best=BEST, told=("c",))))
    saved = get_situation(store, "ort")
    assert (saved.best, saved.told) == (BEST, ("c",))
    assert get_situation(store, "vergessen") is None


def test_a_situation_of_an_older_version_counts_its_best_as_told(store):
    save_situation(store, "ort", "x", [])
    with store._engine.begin() as connection:
        old = json.dumps([{"project_id": "b", "score": 0.5}, {"project_id": "a", "score": 0.25}])
        connection.execute(update(situations).values(best=old))
    saved = get_situation(store, "ort")
    assert (saved.best, saved.told) == (BEST, ("b", "a"))


def test_what_nobody_confirmed_for_long_is_listed_longest_first(store, put):
    put(Project(id="alt", text="x"), fetched_at="2020-01-01")
    put(Project(id="älter", text="x", title="T", url="https://example.org/"), fetched_at="2019-01-01")
    put(Project(id="neu", text="x"))
    assert [one.id for one in unconfirmed(store, "2025-11-25T00:00:00.000Z")] == ["älter", "alt"]
    put(Project(id="alt", text="x"))  # seen again
    assert [one.id for one in unconfirmed(store, "2025-11-25T00:00:00.000Z")] == ["älter"]


def test_tiers_are_the_current_ones(store, put):
    put(*(Project(id=f"p{number}", text="x") for number in range(3)))
    common = {"property": "tier", "document_id": None, "extractor_version": "x-1"}
    with store.writing("test"):
        store.add_statements(
            [
                Statement(project_id="p0", value="high", origin="editor", **common),
                Statement(project_id="p1", value="open", origin="editor", **common),
                Statement(project_id="p1", value="proven", origin="reviewer", **common),
            ]
        )
    assert tiers_of(store, ["p0", "p1", "p2", "fehlt"]) == {"p0": "high", "p1": "proven"}


def test_the_last_reported_run_is_remembered(store):
    assert last_reported(store) is None
    note_reported(store, "r1")
    note_reported(store, "r2")
    assert last_reported(store) == "r2"
