import numpy as np
import pytest

from data.records import Document, Project
from data.settings import load_settings
from data.store import Store
from embeddings.encoders import load_encoder, text_sha256
from pipeline import extraction, refresh
from pipeline.nlp.passages import passages
from pipeline.project_vectors import encoded_keys, encoded_texts

TEXT = "{number} Frauen besuchten 2022 den Sprachkurs für Geflüchtete. Danach fanden {half} von ihnen eine Arbeit."


def documents(count):
    for number in range(2, count + 2):
        yield Document(
            id=f"d{number}", project_id=f"p{number}", url=None, source="probe", title=f"Kurs {number}",
            text=TEXT.format(number=10 * number, half=5 * number), sha256=str(number), kind="summary",
            fetched_at="2026-01-01T00:00:00Z",
        )  # fmt: skip


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(extraction, "BATCH", 3)


@pytest.mark.long  # what `import --workers` leaves is compared in tests/e2e/test_main_road.py every time
def test_the_number_of_processes_changes_nothing():
    alone = list(extraction.read_all(documents(16), reading="deep"))
    assert [len(batch.found) for batch in alone] == [3, 3, 3, 3, 3, 1]
    assert [one.document.id for batch in alone for one in batch.found] == [document.id for document in documents(16)]
    assert all(one.statements and one.passages for batch in alone for one in batch.extractions)
    assert list(extraction.read_all(documents(16), reading="deep", workers=2)) == alone


def test_few_documents_start_no_process(monkeypatch):
    monkeypatch.setattr(extraction, "ProcessPoolExecutor", None)
    assert len(list(extraction.read_all(documents(6), reading="rules", workers=2))) == 2
    assert list(extraction.read_all([], reading="rules", workers=2)) == []


def test_what_is_embedded_on_the_way_is_handed_over_under_the_index_s_keys():
    encoder = load_encoder()
    (batch,) = extraction.read_all(documents(2), reading="deep")
    cards = [
        {"title": one.title, "text": one.text, "passages": passages(one.text)} for one in documents(2)
    ]  # fmt: skip
    assert encoded_keys(cards) <= batch.vectors.keys()
    assert batch.fingerprint == encoder.fingerprint
    given = np.frombuffer(batch.vectors[text_sha256("passage", encoded_texts(cards)[0])], "<f4")
    np.testing.assert_array_equal(given, encoder.encode(encoded_texts(cards)[:1], prompt_name="passage")[0])


def test_what_was_embedded_while_reading_is_not_embedded_again_for_the_index(tmp_path, monkeypatch):
    told = [Project(id=f"p{at}", title=f"Kurs {at}", text=TEXT.format(number=10 * at, half=at)) for at in (3, 4)]
    with Store.open(load_settings(tmp_path), create=True) as store:
        worker = refresh.worker_for(store)
        encode, seen = worker.encoder.encode, []

        def watched(texts, **options):
            seen.extend(text for text in texts if options.get("prompt_name") == "passage")
            return encode(texts, **options)

        monkeypatch.setattr(worker.encoder, "encode", watched)
        with store.writing("import"):
            refresh.import_projects(store, told, worker, refresh.Report(), source="probe")
    assert not [text for text in seen if "Sprachkurs" in text]


def test_by_rules_nothing_is_embedded():
    (batch,) = extraction.read_all(documents(2), reading="rules")
    assert batch.vectors == {}
    assert batch.fingerprint is None


def test_documents_are_not_all_taken_at_once():
    taken = []

    def watched():
        for document in documents(60):
            taken.append(document.id)
            yield document

    next(extraction.read_all(watched(), reading="rules"))
    assert len(taken) <= 3 * 3
