from collections.abc import Callable
from contextlib import suppress

import pytest

from data.records import Extraction, Project
from data.store import Store
from data.store_events import event_row, events_of, label_changes, replace_events
from pipeline.refresh import note_label_changes

Read = Callable[[str, str, str], None]


@pytest.fixture
def read(store: Store, extraction: Callable[..., Extraction]) -> Read:
    """Reads every project by a word, with a version of the extractor, at a moment."""

    def read_by(word: str, version: str, seen_at: str) -> None:
        fresh = [extraction(document, word) for document in store.documents_to_extract(version)]
        store.save_extractions(fresh, extractor_version=version, seen_at=seen_at)

    return read_by


@pytest.mark.parametrize("ends_well", [True, False])
def test_labels_that_another_finished_run_has_told_are_not_told_again(
    store: Store, put: Callable[..., None], read: Read, ends_well: bool
) -> None:
    put(Project(id="a", text="Deutsch lernen und arbeiten."))
    with store.writing("refresh"):
        read("Deutsch", "x-1", "2026-11-01")
    since = "2026-11-02"
    try:
        with store.writing("refresh") as run:
            read("lernen", "x-2", "2026-11-03")
            (change,) = label_changes(store, since)
            assert change.changed == {"action_fields": (["deutsch"], ["lernen"])}
            row = event_row(run.id, "label_changed", "2026-11-04T00:00:00.000Z", project_id="a")
            replace_events(store, run.id, ["label_changed"], [row])
            if not ends_well:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert label_changes(store, since) == ([] if ends_well else [change])
    with store.writing("refresh"):
        read("arbeiten", "x-3", "2026-11-05")
    (later,) = label_changes(store, since)
    assert later.changed == {"action_fields": (["lernen" if ends_well else "deutsch"], ["arbeiten"])}


def test_what_an_interrupted_run_told_is_told_once_by_the_run_that_ends_its_work(
    store: Store, put: Callable[..., None], read: Read
) -> None:
    put(Project(id="a", text="Deutsch lernen und arbeiten."))
    with store.writing("refresh") as done:
        read("Deutsch", "x-1", "2026-11-01")
        replace_events(store, done.id, ["drift"], [event_row(done.id, "drift", "2026-11-03")], since="2026-11-02")
    with suppress(KeyboardInterrupt), store.writing("refresh") as killed:
        read("lernen", "x-2", "2026-11-03")
        note_label_changes(store, killed.id, "2026-11-02")
        raise KeyboardInterrupt
    assert [event.run_id for event in events_of(store)] == [done.id, killed.id]
    with store.writing("refresh") as run:
        note_label_changes(store, run.id, "2026-11-02")
    assert [(event.run_id, event.kind) for event in events_of(store)] == [(done.id, "drift"), (run.id, "label_changed")]
