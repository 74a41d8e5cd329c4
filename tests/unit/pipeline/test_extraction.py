import pytest

from data.records import Document
from pipeline import extraction

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
    assert [len(batch) for batch in alone] == [3, 3, 3, 3, 3, 1]
    assert [one.document.id for batch in alone for one in batch] == [document.id for document in documents(16)]
    assert all(one.statements and one.passages for batch in alone for one in batch)
    assert list(extraction.read_all(documents(16), reading="deep", workers=2)) == alone


def test_few_documents_start_no_process(monkeypatch):
    monkeypatch.setattr(extraction, "ProcessPoolExecutor", None)
    assert len(list(extraction.read_all(documents(6), reading="rules", workers=2))) == 2
    assert list(extraction.read_all([], reading="rules", workers=2)) == []


def test_documents_are_not_all_taken_at_once():
    taken = []

    def watched():
        for document in documents(60):
            taken.append(document.id)
            yield document

    next(extraction.read_all(watched(), reading="rules"))
    assert len(taken) <= 3 * 3
