import random
import time

import pytest
from sqlalchemy import update

from data.errors import CheckupError, UsageError
from data.records import Project
from data.settings import load_settings
from data.store import Store
from data.store_curation import MACHINE, duplicate_questions, iter_records, merged_projects, stored_judgements
from data.tables import documents, projects, reviews
from pipeline import curate as curation
from pipeline.candidates import candidates
from pipeline.compared import Different
from pipeline.curate import curate, judge, refusals, settle, withdraw
from pipeline.duplicates import Prepared, compare, load_rules

PAGE = Project(
    id="a-seite", title="Lernbrücke Auental", organisation="Volkshochschule Auental", municipality="Auental",
    url="https://vhs-auental.example/lernbruecke",
    text="In der Lernbrücke üben 64 Jugendliche nach der Schule Mathematik und Deutsch. Studierende begleiten sie zwei "
    "Jahre lang, 41 Jugendliche schafften den Sprung in eine Ausbildung.",
)  # fmt: skip
PRESS = Project(
    id="b-presse", title="Lernbrücke: 41 Jugendliche in Ausbildung", organisation="VHS Auental",
    municipality="Auental", url="https://auental.example/presse/41",
    text="Die Lernbrücke der Volkshochschule wirkt: 64 Jugendliche übten nach der Schule Mathematik und Deutsch, 41 "
    "schafften den Sprung in eine Ausbildung. Studierende begleiten sie zwei Jahre lang.",
)  # fmt: skip
COPY = Project(
    id="c-liste", title="Lernbruecke Auental", organisation="Volkshochschule Auental", municipality="Auental",
    url="https://foerderliste.example/17", text=PRESS.text + " Gefördert vom Land.",
)  # fmt: skip
BRANCH = Project(
    id="d-zweig", title="Lernbrücke Bergen", organisation="Volkshochschule Bergen", municipality="Bergen",
    text="Auch in Bergen gibt es nun eine Lernbrücke: Zehn Jugendliche lernen dienstags mit Ehrenamtlichen im Rathaus "
    "und bereiten sich auf Klassenarbeiten vor, ein Verein bezahlt Bücher und Brote.",
)  # fmt: skip
OTHER = Project(
    id="e-anders", title="Radwerkstatt am Bahnhof", organisation="Helferkreis Auental", municipality="Auental",
    text="Donnerstags reparieren Geflüchtete und Nachbarn gespendete Fahrräder. Drei Rentner leiten an, Werkzeug kam "
    "von einem Händler, zweimal im Jahr wird der Verkehr geübt.",
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with Store.open(load_settings(tmp_path / "w"), create=True) as opened:
        yield opened


def put(store, *projects, origin="crawl"):
    with store.writing("import"):
        store.upsert_projects(projects, origin=origin, source="q", kind="original", fetched_at="2026-11-25")


def run(store):
    with store.writing("refresh") as active:
        return curate(store, active.id)


def say(store, *arguments, **options):
    with store.writing("review"):
        return judge(store, *arguments, **options)


def open_questions(store):
    return {pair for pair, decision in duplicate_questions(store).items() if decision is None}


def merged(store):
    """(kept, gone) of all that are merged."""
    return [(kept, gone) for gone, kept in merged_projects(store).items()]


def shown(store):
    return [card.project.id for card in store.iter_cards()]


def test_certain_pairs_of_crawled_records_become_one_with_all_addresses(store):
    put(store, PAGE, PRESS, COPY, BRANCH, OTHER)
    run(store)
    assert merged(store) == [("c-liste", "a-seite"), ("c-liste", "b-presse")]  # the longest text
    judged = stored_judgements(store)
    assert all(item.score >= 0.9 and item.origin == MACHINE for item in judged)
    assert all(item.project_id != item.other_id for item in judged)
    assert shown(store) == ["c-liste", "d-zweig", "e-anders"]
    assert store.count() == 3
    (card,) = (card for card in store.iter_cards() if card.project.id == "c-liste")
    assert card.values["sources"] == [COPY.url, PAGE.url, PRESS.url]
    assert store.get_project("a-seite") == PAGE
    assert len(list(store.iter_projects())) == 5


def test_a_branch_is_family_and_neither_merged_nor_asked_about(store):
    put(store, PAGE, BRANCH)
    one, other = (Prepared(record, load_rules()) for record in iter_records(store))
    assert compare(one, other).outcome == "family"
    report = run(store)
    assert (report.merged, report.asked, merged(store), open_questions(store)) == (0, 0, [], set())


@pytest.mark.parametrize("origin", ["import", "seed"])
def test_imported_and_shipped_records_are_only_proposed(store, origin):
    put(store, PAGE, origin=origin)
    put(store, PRESS)
    report = run(store)
    assert (report.merged, report.asked, len(open_questions(store))) == (0, 1, 1)
    assert merged(store) == []
    assert store.count() == 2
    say(store, "same", "b-presse", "a-seite")
    assert shown(store) == ["a-seite"]
    assert not open_questions(store)


def test_the_question_gives_its_reasons_in_german(store):
    put(store, PAGE, origin="import")
    put(store, PRESS)
    run(store)
    with store._engine.connect() as connection:
        (row,) = connection.execute(reviews.select()).all()
    assert (row.kind, row.project_id, row.other_id) == ("duplicate", "a-seite", "b-presse")
    assert "gleicher Ort (Auental)" in row.detail
    assert "gleiche Zahlen im Text (41, 64)" in row.detail


def test_a_second_curation_changes_and_asks_nothing(store):
    put(store, PAGE, PRESS, COPY, BRANCH, OTHER)
    put(store, PAGE.__class__(id="f", title="Lernbrücke", municipality="Auental", text=PAGE.text), origin="import")
    first = run(store)
    before = merged(store), open_questions(store)
    again = run(store)
    assert first.asked == len(before[1]) > 0
    assert first.merged > 0
    assert (merged(store), open_questions(store)) == before
    assert (again.merged, again.asked) == (0, 0)


def test_what_was_compared_is_compared_again_only_after_something_that_matters(store, monkeypatch):
    put(store, PAGE, PRESS)
    run(store)
    with store.writing("test"), store._transaction() as connection:
        connection.execute(update(projects).values(merged_into=None))  # to be set right by the next comparison alone
    say(store, "helpful", "a-seite")
    run(store)
    assert merged(store) == []
    monkeypatch.setattr(curation, "VERSION", curation.VERSION + 1)
    run(store)
    assert merged(store) == [("b-presse", "a-seite")]


@pytest.mark.parametrize("origin", ["import", "seed"])
def test_a_merge_by_the_machine_of_which_one_is_then_imported_becomes_a_question(store, origin):
    put(store, PAGE, PRESS)
    run(store)
    put(store, PRESS, origin=origin)
    run(store)
    assert (store.count(), open_questions(store)) == (2, {("a-seite", "b-presse")})


def test_different_said_by_a_person_parts_a_merge_and_holds_after_a_re_crawl(store):
    put(store, PAGE, PRESS)
    run(store)
    assert store.count() == 1
    say(store, "different", "a-seite", "b-presse", note="zwei Jahrgänge")
    assert store.count() == 2
    put(store, PAGE, Project(id="b-presse", title=PAGE.title, municipality="Auental", text=PAGE.text, url=PRESS.url))
    run(store)
    assert store.count() == 2
    assert not open_questions(store)


def test_same_said_by_a_person_holds_although_the_pages_now_differ(store):
    put(store, PAGE, OTHER)
    say(store, "same", "a-seite", "e-anders")
    put(store, Project(id="a-seite", title="Ganz neu", text="Eine Seite mit völlig anderem Inhalt über Wohnungen."))
    run(store)
    assert store.count() == 1


def test_a_judgement_that_is_taken_back_has_no_effect_any_more(store):
    put(store, PAGE, OTHER, origin="import")
    key = say(store, "same", "a-seite", "e-anders")
    assert store.count() == 1
    with store.writing("review"):
        withdraw(store, key)
        with pytest.raises(CheckupError, match="zurückgenommen"):
            withdraw(store, key)
    assert store.count() == 2
    assert stored_judgements(store) == ()


def test_a_question_whose_answer_was_taken_back_is_asked_again(store):
    put(store, PAGE, PRESS, origin="import")
    run(store)
    key = say(store, "different", "a-seite", "b-presse")
    assert not open_questions(store)
    with store.writing("review"):
        withdraw(store, key)
    run(store)
    assert open_questions(store) == {("a-seite", "b-presse")}


def test_a_merge_by_the_machine_that_was_taken_back_is_asked_about_and_not_made_again(store):
    put(store, PAGE, PRESS)
    run(store)
    (mine,) = stored_judgements(store, "a-seite")
    with store.writing("review"):
        assert withdraw(store, mine.id) == mine
    run(store)
    assert (merged(store), len(open_questions(store)), store.count()) == ([], 1, 2)


def test_a_merge_by_the_machine_ends_when_the_pages_differ(store):
    put(store, PAGE, PRESS)
    run(store)
    put(store, Project(id="b-presse", title="Haushalt beschlossen", municipality="Auental", text=OTHER.text))
    run(store)
    assert (merged(store), open_questions(store), store.count()) == ([], set(), 2)


def test_what_was_found_out_stays_when_a_text_is_no_longer_kept(store):
    put(store, PAGE, PRESS)
    put(store, COPY, origin="import")
    run(store)
    before = open_questions(store)
    assert (len(merged(store)), len(before)) == (1, 2)
    with store.writing("care"), store._transaction() as connection:
        connection.execute(update(documents).values(text=""))
        connection.execute(update(projects).values(organisation="Neuer Name"))
    run(store)
    assert len(merged(store)) == 1
    assert open_questions(store) == before


def test_an_open_question_lapses_when_the_pages_differ(store):
    put(store, PAGE, PRESS, origin="import")
    run(store)
    put(store, Project(id="b-presse", title="Haushalt", municipality="Bergen", text=OTHER.text), origin="import")
    run(store)
    assert not open_questions(store)


def test_a_contradiction_is_refused_and_names_the_chain(store):
    put(store, PAGE, PRESS, OTHER, BRANCH)
    say(store, "same", "a-seite", "b-presse")
    say(store, "same", "b-presse", "d-zweig")
    with pytest.raises(CheckupError, match="„a-seite“ = „b-presse“ = „d-zweig“"):
        say(store, "different", "a-seite", "d-zweig")
    say(store, "different", "d-zweig", "e-anders")
    with pytest.raises(CheckupError, match="verschieden beurteilt") as refused:
        say(store, "same", "e-anders", "a-seite")
    assert "„e-anders“" in str(refused.value)
    assert "review withdraw" in str(refused.value)
    assert store.count() == 2


def test_judgements_are_tried_one_after_the_other_without_writing(store):
    put(store, PAGE, PRESS, COPY, OTHER, origin="import")
    say(store, "different", "a-seite", "e-anders")
    told = [
        ("same", "a-seite", "b-presse"), ("same", "b-presse", "c-liste"), ("different", "c-liste", "a-seite"),
        ("same", "c-liste", "e-anders"), ("same", "e-anders", "a-seite"),
    ]  # fmt: skip
    refused = refusals(store, told)
    assert [reason is not None for reason in refused] == [False, False, True, True, False]
    assert "„c-liste“ = „b-presse“ = „a-seite“" in refused[2]
    assert len(stored_judgements(store)) == 1


def test_no_record_is_a_candidate_for_itself(store):
    twice = "Lotsenhaus und Lotsendienst"  # two words under one key
    put(store, PAGE, Project(id="z", title=twice, municipality="Auental", text=PAGE.text))
    pairs = candidates([Prepared(record, load_rules()) for record in iter_records(store)])
    assert pairs == [(0, 1)]
    run(store)
    assert all(item.project_id != item.other_id for item in stored_judgements(store))


def test_a_new_judgement_of_a_pair_replaces_the_old_one(store):
    put(store, PAGE, PRESS, origin="import")
    say(store, "same", "a-seite", "b-presse")
    say(store, "different", "b-presse", "a-seite")
    assert [item.kind for item in stored_judgements(store)] == ["different"]
    assert store.count() == 2


def test_answers_that_follow_close_other_questions(store):
    put(store, PAGE, PRESS, COPY, origin="import")
    run(store)
    assert len(open_questions(store)) == 3
    say(store, "same", "a-seite", "b-presse")
    say(store, "different", "b-presse", "c-liste")
    assert not open_questions(store)


@pytest.mark.parametrize(
    "arguments",
    [("same", "a-seite"), ("same", "a-seite", "a-seite"), ("helpful", "a-seite", "b-presse"), ("toll", "a-seite")],
)
def test_a_wrong_call_is_refused(store, arguments):
    put(store, PAGE, PRESS)
    with pytest.raises(UsageError):
        say(store, *arguments)


def test_an_unknown_project_is_refused(store):
    put(store, PAGE)
    with pytest.raises(CheckupError, match="„nie“"):
        say(store, "helpful", "nie")


def test_feedback_about_one_project_merges_nothing(store):
    put(store, PAGE, PRESS, origin="import")
    say(store, "helpful", "a-seite", note="gut")
    assert [(item.kind, item.note, item.origin) for item in stored_judgements(store, "a-seite")] == [
        ("helpful", "gut", "reviewer")
    ]
    assert store.count() == 2


def test_settling_repairs_what_was_merged(store):
    put(store, PAGE, PRESS)
    run(store)
    with store.writing("restore"):
        with store._transaction() as connection:
            connection.execute(update(projects).values(merged_into=None))
        assert settle(store) == {"a-seite": "b-presse"}
    assert store.count() == 1


def synthetic(count):
    """Records of invented projects, every tenth of them twice in other words' order."""
    chance = random.Random(5)
    syllables = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u", "au", "ei")]
    words = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(6000)]
    weights = [1 / rank for rank in range(1, 6001)]
    towns = ["".join(chance.choices(syllables, k=3)).title() for _ in range(400)]
    told = []
    while len(told) < count:
        body = chance.choices(words, weights, k=90) + [str(chance.randint(11, 900)) for _ in range(3)]
        title = " ".join(chance.choices(words[200:], k=3)).title()
        town = chance.choice(towns)
        for _ in range(2 if chance.random() < 0.1 else 1):
            chance.shuffle(body)
            told.append(
                Project(
                    id=f"p{len(told):05}", title=title, organisation=f"Verein {town}", municipality=town,
                    text=" ".join(body),
                )
            )  # fmt: skip
    return told[:count]


def test_five_thousand_records_are_curated_within_twenty_seconds(store):
    put(store, *synthetic(5000))
    begin = time.process_time()
    run(store)
    assert time.process_time() - begin < 20
    before = merged(store)
    assert 300 < len(before) < 700
    begin = time.process_time()
    run(store)
    assert time.process_time() - begin < 2
    assert merged(store) == before


def test_only_pairs_of_what_changed_are_compared_again_and_nothing_else_comes_out(store, tmp_path, monkeypatch):
    from support.varied import varied

    many = [Project(**varied(number)) for number in range(60)]
    put(store, PAGE, PRESS, COPY, BRANCH, OTHER, *many)
    told = {}

    def watched(one, other):
        result = compare(one, other)
        told[one.record.id, other.record.id] = result.outcome
        return result

    monkeypatch.setattr(curation, "compare", watched)
    run(store)
    first = dict(told)
    told.clear()
    put(store, Project(**varied(7, edition=1)))
    run(store)
    assert any("v7" in pair for pair in told)
    assert [pair for pair in told if "v7" not in pair and first.get(pair) == "different"] == []
    assert len(told) < len(first) / 2
    kept = tmp_path / "w" / "curation.npy"
    for edition, damage in enumerate((b"", b"no array", kept.read_bytes()[:200], None), 1):
        put(store, Project(**varied(8, edition=edition)))
        kept.unlink() if damage is None else kept.write_bytes(damage)
        told.clear()
        run(store)
        assert len(told) > len(first) / 2
    read = list(iter_records(store)), stored_judgements(store), duplicate_questions(store)
    known, unknown = (Different(folder, curation._rules(), read[0]) for folder in (tmp_path / "w", tmp_path))
    assert curation._compared(*read, known) == curation._compared(*read, unknown)
