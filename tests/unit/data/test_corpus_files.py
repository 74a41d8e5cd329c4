import json

import pytest

from data.corpus_files import load_corpus, told_lessons
from data.errors import CheckupError
from data.shipped import iter_shipped
from data.vocabulary import load_vocabulary


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
    needs |= {segment.need for situation in corpus.situations for segment in situation.segments if segment.need}
    assert needs == set(vocabulary.needs)


def test_calibration_texts_are_no_training_texts():
    corpus = load_corpus()
    assert not {text.text for text in corpus.calibration} & {text.text for text in corpus.statements}


def test_lessons_lie_in_the_texts_of_shipped_projects_and_cut_no_word():
    texts = {entry.project.id: entry.project.text for entry in iter_shipped()}
    for name, lessons in told_lessons().items():
        for lesson in lessons:
            start, end = lesson["start"], lesson["end"]
            assert 0 <= start < end <= len(texts[name])
            assert not texts[name][max(start - 1, 0) : start + 1].isalnum() or start == 0
            assert not texts[name][end - 1 : end + 1].isalnum() or end == len(texts[name])


def test_a_wrong_grade_is_named_with_its_line(tmp_path):
    lines(tmp_path / "projects" / "a.jsonl", {"title": "T", "text": "x", "needs": {"n": 4}})
    with pytest.raises(CheckupError, match=r"a\.jsonl:1: Stufe 4"):
        load_corpus(tmp_path)


def test_a_wrong_lesson_is_named_with_its_line(tmp_path):
    lines(tmp_path / "lessons" / "a.jsonl", {"id": "p", "lessons": [{"start": 0, "end": 1, "kind": "luck"}]})
    with pytest.raises(CheckupError, match=r"a\.jsonl:1"):
        told_lessons(tmp_path)
