from collections.abc import Callable

import pytest

from data.records import Extraction, Project
from data.store import Store
from data.store_events import event_row, label_changes, replace_events


@pytest.mark.parametrize("ends_well", [True, False])
def test_labels_that_another_finished_run_has_told_are_not_told_again(
    store: Store, put: Callable[..., None], extraction: Callable[..., Extraction], ends_well: bool
) -> None:
    def read(word: str, version: str, seen_at: str) -> None:
        fresh = [extraction(document, word) for document in store.documents_to_extract(version)]
        store.save_extractions(fresh, extractor_version=version, seen_at=seen_at)

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
