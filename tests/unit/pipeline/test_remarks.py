"""What a crawl remarks beside its records: masked, the first notes only, and the same after a kill."""

from dataclasses import asdict

import pytest

from crawlers.outcome import Counts, Refused
from data.store_erase import Door, made_for, page_key
from pipeline.remarks import MOST_NOTES, Collector, Remarks, sentence, without_cut_word


def note(url: str, reason: str = "cost: „ca. 500 €“ lässt sich nicht lesen.", line: int | None = None) -> Refused:
    return Refused(url=url, reason=reason, code="value", line=line)


def crawl(
    remarks: Remarks, pages: list[list[Refused]], *, door: Door | None = None, stop: int | None = None
) -> Remarks:
    """Go through pages with what is noted of each, up to a kill that comes before page `stop` is remembered."""
    counts = Counts()
    collector = Collector(remarks, counts, door or Door([]))
    for number, notes in enumerate(pages):
        counts.note(notes)
        collector.take(notes[0].url if notes else f"https://e.org/{number}")
        if number == stop:
            return Remarks(**asdict(remarks))
    remarks.finish([])
    return remarks


def test_the_first_notes_are_kept_and_all_are_counted() -> None:
    remarks = crawl(Remarks(), [[note(f"https://e.org/{page}", line=row) for row in range(9)] for page in range(30)])
    assert (len(remarks.notes), remarks.note_count) == (MOST_NOTES, 270)
    assert remarks.notes[0] == ["https://e.org/0", 0, "cost: „ca. 500 €“ lässt sich nicht lesen."]
    assert remarks.notes[-1][:2] == ["https://e.org/5", 4]


@pytest.mark.parametrize("stop", range(0, 12, 3))
@pytest.mark.parametrize("remembered", [False, True])
def test_a_kill_costs_nothing_and_counts_nothing_twice(stop: int, remembered: bool) -> None:
    pages = [[note(f"https://e.org/{page}", str(row)) for row in range(page)] for page in range(13)]
    expected = crawl(Remarks(), pages)
    killed = crawl(Remarks(), pages, stop=stop)
    assert crawl(killed, pages[stop + remembered :]) == expected


def test_several_records_of_one_page_are_one_page() -> None:
    items = [[note(f"https://e.org/a#{number}", str(number))] for number in range(4)]
    killed = crawl(Remarks(), items, stop=2)
    assert crawl(killed, items) == crawl(Remarks(), items)


def test_personal_data_and_erased_people_are_masked_and_erased_pages_left_out() -> None:
    door = Door([*made_for("page", "https://e.org/weg", "x"), *made_for("person", "Xaloni Trebürow", "x")])
    contact = "contact: „Frau Anna Weber, 0511 123456, anna.weber@example.org“ passt nicht zum Muster."
    named = "organisation: „Xaloni Trebürow“ passt nicht zum Muster."
    remarks = crawl(
        Remarks(), [[note("https://e.org/weg")], [note("https://e.org/a", contact), note("https://e.org/a", named)]],
        door=door,
    )  # fmt: skip
    assert remarks.note_count == 2
    for words in ("Weber", "123456", "anna.", "Xaloni", "Trebürow"):
        assert words not in str(remarks.notes)
    assert "passt nicht zum Muster" in remarks.notes[0][2]


def test_half_an_address_at_the_end_of_a_cut_value_is_not_kept() -> None:
    value = "Fragen beantwortet das Büro der Werkstatt am alten Bahnhof gern unter sabine.mueller@example.org"
    reason = f"contact: „{value[:80]}“ passt nicht zum Muster."
    assert without_cut_word(reason).endswith("Bahnhof gern unter …“ passt nicht zum Muster.")
    assert without_cut_word(f"contact: „{'x' * 80}“ passt nicht.") == "contact: „ …“ passt nicht."
    assert (
        without_cut_word("cost: „ca. 8.000 €“ lässt sich nicht lesen.") == "cost: „ca. 8.000 €“ lässt sich nicht lesen."
    )
    assert without_cut_word("ohne Anführung") == "ohne Anführung"


def test_refusals_are_counted_by_their_reason() -> None:
    remarks = crawl(Remarks(), [[note("https://e.org/a")]])
    codes = ["not_selected", "duplicate", "not_selected", "status", "neu"]
    remarks.finish(Refused(url="https://e.org/b", reason="…", code=code) for code in codes)
    assert remarks.reasons == {"duplicate": 1, "neu": 1, "not_selected": 2, "status": 1}
    assert remarks.passed_over == 3
    told = sentence("probe", remarks)
    assert told == "probe: 1 Wert nicht zu lesen; übergangen: nicht ausgewählt (not_selected) 2, Kopie (duplicate) 1"
    assert not Remarks(reasons={"status": 3})  # such pages are named one by one elsewhere
    assert remarks


def test_notes_are_forgotten_by_page_and_by_list() -> None:
    remarks = crawl(
        Remarks(), [[note("https://e.org/a")], [note("https://e.org/B/")], [note("https://e.org/l.csv", line=3)]]
    )
    assert remarks.forget(lambda url: page_key(url) == page_key("https://E.org/B"), rows=False)
    assert [one[0] for one in remarks.notes] == ["https://e.org/a", "https://e.org/l.csv"]
    assert not remarks.forget(lambda url: False, rows=False)
    assert remarks.forget(lambda url: False, rows=True)
    assert ([one[0] for one in remarks.notes], remarks.note_count) == (["https://e.org/a"], 1)
