import json
from pathlib import Path

import pytest

from data.corpus_files import FOLDER, held_situations, load_corpus, marked_projects, read_texts, situation
from data.errors import CheckupError
from data.shipped import iter_shipped
from data.vocabulary import load_vocabulary

GOLD = Path(__file__).parents[2] / "eval" / "gold_projects" / "projects.jsonl"


def lines(path, *entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")


def test_the_shipped_corpus_names_only_what_the_vocabulary_knows():
    corpus, vocabulary = load_corpus(), load_vocabulary()
    needs = {text.need for text in (*corpus.statements, *corpus.calibration)}
    for graded in (*corpus.answers.values(), *(project.needs for project in corpus.projects)):
        needs |= set(graded)
    for text in corpus.approaches:
        needs |= set(text.needs or ())
        assert {text.approach, *text.also} <= set(vocabulary.approaches)
    for one in (*corpus.situations, *held_situations()):
        needs |= {need for segment in one.segments if segment.need for need in (segment.need, *segment.also)}
    assert needs == set(vocabulary.needs)


def test_projects_whose_needs_were_only_named_are_not_graded_ones():
    corpus = load_corpus()
    assert len(corpus.named) > 40
    assert not corpus.named.keys() & corpus.answers.keys()
    vocabulary = load_vocabulary()
    assert all(grades.keys() <= vocabulary.needs.keys() for grades in corpus.named.values())
    told = {statement.property for entry in iter_shipped() for statement in entry.statements}
    assert {"need_grades", "need_names"} <= told


def test_calibration_texts_are_no_training_texts():
    corpus = load_corpus()
    assert not {text.text for text in corpus.calibration} & {text.text for text in corpus.statements}


def test_held_back_situations_are_no_training_texts():
    known = {segment for one in load_corpus().situations for segment in texts_of(one)}
    held = held_situations()
    assert len(held) == len(held_situations(name="situations")) + len(held_situations(name="consultants"))
    assert sum(len(texts_of(one)) for one in held) > 300
    assert not known & {segment for one in held for segment in texts_of(one)}


def texts_of(told):
    return {told.text[segment.start : segment.end] for segment in told.segments if segment.need}


def test_a_segment_may_state_several_needs():
    segments = [["Eins.", "background", None, None], ["Zwei.", "need", "a", 3, ["b"]]]
    told = situation("x:1", {"id": "s", "segments": segments})
    assert [(segment.need, segment.also) for segment in told.segments] == [(None, ()), ("a", ("b",))]
    assert told.text == "Eins. Zwei."


READ = {
    "title": "Werkstatt", "text": "46 kamen. 39 bestanden.", "level": 4, "evidence": "1",
    "claims": [["39 bestanden", "result", 4, None]], "lessons": [], "continuation": None, "reached": [46, "46 kamen"],
    "rate": [85, "39 bestanden"], "budget": None, "awards": [], "transferred": [], "fields": ["arbeit"], "groups": [],
}  # fmt: skip


def test_what_is_marked_in_a_text_gets_its_place(tmp_path):
    lines(tmp_path / "readings" / "a.jsonl", READ)
    (read,) = read_texts(tmp_path)
    assert read.reached
    assert (read.reached.start, read.reached.end, read.reached.value) == (0, 8, 46)
    assert read.claims[0].value == {"status": "result", "level": 4, "quantity": None}
    assert (read.budget, read.continuation, read.awards) == (None, None, ())


@pytest.mark.parametrize(
    "changed",
    [
        {"rate": [85, "40 bestanden"]},
        {"claims": [["39 bestanden", "hoped", 4, None]]},
        {"lessons": [["luck", "46 kamen"]]},
        {"continuation": ["paused", None, "46 kamen"]},
        {"budget": [500, "prize", "46 kamen"]},
    ],
)
def test_a_wrong_mark_is_named_with_its_line(tmp_path, changed):
    lines(tmp_path / "readings" / "a.jsonl", READ, READ | changed)
    with pytest.raises(CheckupError, match=r"a\.jsonl:2"):
        list(read_texts(tmp_path))


def test_the_marked_texts_hold_every_level_and_kind():
    read = load_corpus().readings
    assert len({text.text for text in read}) == len(read) >= 600
    assert {text.level for text in read} == set(range(8))
    assert {text.evidence for text in read} >= {"0", "1", "2", "3", "4", "X"}
    assert all(text.level == 0 or any(claim.value["status"] == "result" for claim in text.claims) for text in read)
    for some, least in ((lambda t: t.reached, 250), (lambda t: t.rate, 80), (lambda t: t.transferred, 80)):
        assert sum(bool(some(text)) for text in read) >= least


def test_the_further_marked_texts_are_other_texts():
    further = list(read_texts(name="markings"))
    assert len({text.text for text in further} - {text.text for text in read_texts()}) == len(further) >= 1_100
    assert sum(bool(text.rate) for text in further) >= 200


def test_the_profiles_of_real_projects_are_other_texts_and_name_their_pages():
    profiles = list(read_texts(name="profiles"))
    shipped = list(iter_shipped())
    assert len({text.text for text in profiles} - {entry.project.text for entry in shipped}) == len(profiles) >= 400
    assert {text.level for text in profiles} == set(range(8))
    told = [line for path in sorted((FOLDER / "profiles").glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    pages = [json.loads(line)["after"] for line in told]
    assert len(set(pages)) == len(pages)
    assert all(page.startswith(("http://", "https://")) for page in pages)
    held_back = {entry["id"] for entry in map(json.loads, GOLD.open(encoding="utf-8")) if entry["split"] != "train"}
    assert not {entry.project.url for entry in shipped if entry.project.id in held_back} & set(pages)


def test_marks_in_a_shipped_project_lie_in_its_text(tmp_path):
    marks = {key: READ[key] for key in READ if key not in {"title", "text", "level", "evidence", "fields", "groups"}}
    stated = {key: READ[key] for key in READ if key not in marks}
    lines(tmp_path / "marked" / "a.jsonl", {"id": "p", **marks})
    assert list(marked_projects({"p": stated}, tmp_path)) == [("p", one_read(tmp_path))]
    with pytest.raises(CheckupError, match=r"a\.jsonl:1: Das Projekt „p“"):
        list(marked_projects({}, tmp_path))


@pytest.mark.parametrize("name", ["readings", "markings", "profiles", "marked"])
def test_what_is_marked_cuts_no_word(name):
    if name == "marked":
        stated = {
            entry.project.id: {
                "title": entry.project.title, "text": entry.project.text, "level": 0, "evidence": "0",
                "fields": [], "groups": [],
            }
            for entry in iter_shipped()
        }  # fmt: skip
        reads = [read for _, read in marked_projects(stated)]
    else:
        reads = list(read_texts(name=name))
    assert len(reads) > 600
    for read in reads:
        places = [*read.lessons, *read.claims, *([read.continuation] if read.continuation else [])]
        for place in places:
            before, after = read.text[: place.start][-1:], read.text[place.end : place.end + 1]
            assert not (before.isalnum() and read.text[place.start].isalnum()), (read.text, place)
            assert not (after.isalnum() and read.text[place.end - 1].isalnum()), (read.text, place)


def one_read(folder):
    lines(folder / "readings" / "a.jsonl", READ)
    (read,) = read_texts(folder)
    return read


def test_a_wrong_grade_is_named_with_its_line(tmp_path):
    lines(tmp_path / "projects" / "a.jsonl", {"title": "T", "text": "x", "needs": {"n": 4}})
    with pytest.raises(CheckupError, match=r"a\.jsonl:1: Stufe 4"):
        load_corpus(tmp_path)


def test_a_wrong_lesson_is_named_with_its_line(tmp_path):
    lines(tmp_path / "readings" / "a.jsonl", {**READ, "lessons": [["luck", "46 kamen"]]})
    with pytest.raises(CheckupError, match=r"a\.jsonl:1"):
        list(read_texts(tmp_path))
