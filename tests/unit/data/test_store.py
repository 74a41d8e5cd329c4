from collections.abc import Callable
from dataclasses import replace

import pytest

from data.records import Document, Extraction, Project, Statement, Upserted
from data.store import Store, document_id

ONE = Project(
    id="a", title="Sprachcafé", text="Deutsch lernen in Neustadt.", url="https://example.org/a", start_year=2019
)


def said(value: object, origin: str = "reviewer", name: str = "action_fields", **more: object) -> Statement:
    common = {"project_id": "a", "document_id": None, "extractor_version": "hand"}
    return Statement(property=name, value=value, origin=origin, **{**common, **more})  # type: ignore[arg-type]


def current(store: Store, project_id: str = "a") -> Document:
    return next(doc for doc in store.documents_to_extract("never") if doc.project_id == project_id)


def test_project_comes_back_as_given(store: Store, put: Callable[..., None]) -> None:
    given = replace(
        ONE,
        extra={"z": [1, {"ä": None}], "kosten": "5,5"},
        keys=("text", "z", "id", "title", "kosten", "url", "start_year", "state"),
    )
    put(given)
    assert store.get_project("a") == given
    assert list(store.iter_projects()) == [given]
    assert store.get_project("b") is None


def test_upsert_counts_new_updated_unchanged(store: Store) -> None:
    with store.writing("import"):
        args = {"origin": "import", "source": "x", "kind": "original"}
        first = store.upsert_projects([ONE, replace(ONE, id="b")], fetched_at="2026-01-01", **args)  # type: ignore[arg-type]
        again = store.upsert_projects(
            [ONE, replace(ONE, id="b", organisation="Verein"), replace(ONE, id="c")],
            fetched_at="2026-02-01",
            **args,  # type: ignore[arg-type]
        )
    assert first == Upserted(new=2)
    assert again == Upserted(new=1, updated=1, unchanged=1)
    assert store.count() == 3


def test_changed_text_makes_a_new_version_and_the_old_one_stays(store: Store, put: Callable[..., None]) -> None:
    put(ONE, fetched_at="2026-01-01")
    put(replace(ONE, text="Deutsch lernen in Altstadt."), fetched_at="2026-02-01T10:00:00+01:00")
    versions = store.documents("a")
    assert [version.text for version in versions] == [ONE.text, "Deutsch lernen in Altstadt."]
    assert versions[1].fetched_at == "2026-02-01T09:00:00.000Z"
    assert versions[0].id == document_id("a", ONE.url, ONE.title, ONE.text)
    put(ONE, fetched_at="2026-03-01")
    assert store.get_project("a") == ONE
    assert len(store.documents("a")) == 2


def test_changed_organisation_makes_no_new_version(store: Store, put: Callable[..., None]) -> None:
    put(ONE)
    put(replace(ONE, organisation="Verein"))
    assert len(store.documents("a")) == 1


def test_an_id_twice_in_one_call_ends_with_the_last(store: Store, put: Callable[..., None]) -> None:
    put(ONE, replace(ONE, text="Anders."))
    project = store.get_project("a")
    assert project is not None
    assert project.text == "Anders."


def test_unstorable_characters_become_replacement_characters(store: Store, put: Callable[..., None]) -> None:
    put(replace(ONE, text="a\x00b\ud800c", title="\x00", extra={"k\x00": ["\udfff"]}))
    project = store.get_project("a")
    assert project is not None
    assert (project.text, project.title, project.extra) == ("a\ufffdb\ufffdc", "\ufffd", {"k\ufffd": ["\ufffd"]})


@pytest.mark.parametrize("broken", [replace(ONE, id="b", text=" "), replace(ONE, id="")])
def test_a_project_without_id_or_text_is_refused_and_nothing_written(store: Store, broken: Project) -> None:
    with pytest.raises(ValueError, match="needs an id and a text"), store.writing("import"):
        store.upsert_projects([ONE, broken], origin="import", source="x", kind="original", fetched_at="2026-01-01")
    assert store.count() == 0


def test_ids_are_in_code_point_order(store: Store, put: Callable[..., None]) -> None:
    put(*(replace(ONE, id=given) for given in ("b", "a10", "ä", "a9", "B")))
    assert [project.id for project in store.iter_projects()] == ["B", "a10", "a9", "b", "ä"]


def test_extraction_runs_once_per_version_of_text_and_extractor(
    store: Store, put: Callable[..., None], extraction: Callable[..., Extraction]
) -> None:
    put(ONE, replace(ONE, id="b"))
    with store.writing("refresh"):
        waiting = list(store.documents_to_extract("x-1"))
        assert [document.project_id for document in waiting] == ["a", "b"]
        count = store.save_extractions(
            (extraction(document, "Deutsch") for document in store.documents_to_extract("x-1")),
            extractor_version="x-1",
            seen_at="2026-01-01",
        )
    assert count == 2
    assert list(store.documents_to_extract("x-1")) == []
    assert len(list(store.documents_to_extract("x-2"))) == 2
    put(replace(ONE, id="b", text="Deutsch und mehr."))
    assert [document.project_id for document in store.documents_to_extract("x-1")] == ["b"]
    put(replace(ONE, id="b"))
    assert list(store.documents_to_extract("x-1")) == []


def test_same_statement_keeps_first_seen_and_a_gone_one_is_closed(
    store: Store, put: Callable[..., None], extraction: Callable[..., Extraction]
) -> None:
    put(ONE)
    document = current(store)
    with store.writing("refresh"):
        for version, words, day in (("x-1", ["Deutsch", "lernen"], "2026-01-01"), ("x-2", ["Deutsch"], "2026-02-01")):
            one = extraction(document, *words, version=version)
            store.save_extraction(document, one.statements, one.passages, version, day)
    (kept,) = store.statements("a")
    assert (kept.value, kept.extractor_version) == ("deutsch", "x-2")
    assert (kept.first_seen, kept.last_seen) == ("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z")
    gone = [item for item in store.statements("a", closed=True) if item.closed_at]
    assert [(item.value, item.closed_at) for item in gone] == [("lernen", "2026-02-01T00:00:00.000Z")]


def test_reviewer_outlives_reextraction_and_update(
    store: Store, put: Callable[..., None], extraction: Callable[..., Extraction]
) -> None:
    put(ONE)
    with store.writing("review"):
        store.add_statements([said("wohnen"), said("arbeit")])
    put(replace(ONE, text="Deutsch für alle."))
    with store.writing("refresh"):
        store.save_extractions([extraction(current(store), "Deutsch")], extractor_version="x-1", seen_at="2026-02-01")
    assert [item.value for item in store.statements("a", origin="reviewer")] == ["wohnen", "arbeit"]
    (card,) = store.iter_cards()
    assert card.values["action_fields"] == ["wohnen", "arbeit"]


def test_values_by_origin_score_and_position(store: Store, put: Callable[..., None]) -> None:
    put(ONE)
    with store.writing("seed"):
        store.add_statements(
            [
                said("wohnen", "source"),
                said("arbeit", "editor", score=0.2),
                said("sprache", "editor", score=0.9),
                said("arbeit", "editor", score=0.2, start=0, end=3, quote="Deu"),
                said(3, "source", "level"),
                said(5, "editor", "level"),
                said(1000, "source", "budget_eur"),
                said(None, "reviewer", "budget_eur"),
                said(None, "reviewer", "awards"),
            ]
        )
    (card,) = store.iter_cards()
    assert card.values == {"action_fields": ["sprache", "arbeit"], "level": 5, "awards": []}


def test_added_statements_replace_those_of_the_same_property_and_origin(store: Store, put: Callable[..., None]) -> None:
    put(ONE)
    with store.writing("seed"):
        store.add_statements([said("wohnen", "editor"), said(4, "editor", "level")], seen_at="2026-01-01")
        store.add_statements([said("arbeit", "editor"), said("wohnen", "editor")], seen_at="2026-02-01")
    (card,) = store.iter_cards()
    assert card.values == {"action_fields": ["arbeit", "wohnen"], "level": 4}
    assert {item.value: item.first_seen for item in store.statements("a", property="action_fields")} == {
        "arbeit": "2026-02-01T00:00:00.000Z",
        "wohnen": "2026-01-01T00:00:00.000Z",
    }
    with store.writing("seed"):
        store.add_statements([said("arbeit", "editor")], whole=True)
    (card,) = store.iter_cards()
    assert card.values == {"action_fields": ["arbeit"]}


def test_extractor_values_of_an_old_text_do_not_count(
    store: Store, put: Callable[..., None], extraction: Callable[..., Extraction]
) -> None:
    put(ONE)
    with store.writing("refresh"):
        store.save_extractions([extraction(current(store), "Deutsch")], extractor_version="x", seen_at="2026-01-01")
    (card,) = store.iter_cards()
    assert (card.values, card.passages) == ({"action_fields": ["deutsch"]}, ((0, len(ONE.text)),))
    assert store.passages("a")[0].text == ONE.text
    put(replace(ONE, text="Neu."))
    (card,) = store.iter_cards()
    assert (card.values, card.passages, card.project.text) == ({}, (), "Neu.")


def test_cards_join_each_project_with_its_own(store: Store, put: Callable[..., None]) -> None:
    ids = ["a", "b", "c", "d"]
    put(*(replace(ONE, id=given) for given in ids), kind="summary")
    with store.writing("seed"):
        store.add_statements([said(given, "editor", "title_of", project_id=given) for given in ("b", "d")])
    cards = list(store.iter_cards())
    assert [card.project.id for card in cards] == ids
    assert [card.values for card in cards] == [{}, {"title_of": "b"}, {}, {"title_of": "d"}]
    assert {card.text_kind for card in cards} == {"summary"}


def test_what_is_not_in_the_document_is_refused(
    store: Store, put: Callable[..., None], extraction: Callable[..., Extraction]
) -> None:
    put(ONE)
    good = extraction(current(store), "Deutsch")
    wrong_quote = replace(good, statements=(replace(good.statements[0], quote="Deutsche"),))
    wrong_passage = replace(good, passages=(replace(good.passages[0], end=3),))
    foreign = replace(good, statements=(replace(good.statements[0], origin="reviewer"),))
    for broken in (wrong_quote, wrong_passage, foreign):
        with store.writing("refresh"), pytest.raises(ValueError, match=r"not what stands|does not belong"):
            store.save_extractions([broken], extractor_version="x", seen_at="2026-01-01")
    with store.writing("refresh"), pytest.raises(ValueError, match="save_extractions"):
        store.add_statements(good.statements)


def test_vectors_and_meta(store: Store) -> None:
    with store.writing("embed"):
        store.put_vectors("f", {"h1": b"\x00\x01", "h2": b"z"})
        store.put_vectors("f", {"h1": b"other", "h3": b"y"})
        store.set_meta("index", "1")
        store.set_meta("index", "2")
    assert store.get_vectors("f", ["h1", "h3", "h9"]) == {"h1": b"\x00\x01", "h3": b"y"}
    assert store.get_vectors("g", ["h1"]) == {}
    assert (store.get_meta("index"), store.get_meta("fehlt")) == ("2", None)


def test_more_hashes_than_a_query_takes(store: Store) -> None:
    many = {f"h{number}": b"v" for number in range(1200)}
    with store.writing("embed"):
        store.put_vectors("f", many)
    assert store.get_vectors("f", iter(many)) == many


def test_writing_needs_a_run(store: Store) -> None:
    with pytest.raises(RuntimeError, match="writing"):
        store.set_meta("k", "v")


def test_runs_end_done_failed_or_interrupted(store: Store) -> None:
    with store.writing("import") as run:
        run.summary["new"] = 3
    with pytest.raises(ZeroDivisionError), store.writing("refresh"):
        raise ZeroDivisionError("durch null")
    with pytest.raises(KeyboardInterrupt), store.writing("refresh"):
        raise KeyboardInterrupt
    done, failed, interrupted = store.runs()
    assert (done.kind, done.status, done.summary) == ("import", "done", {"new": 3})
    assert done.ended_at is not None
    assert done.started_at < done.ended_at
    assert (failed.status, failed.summary) == ("failed", {"error": "durch null"})
    assert interrupted.status == "interrupted"
