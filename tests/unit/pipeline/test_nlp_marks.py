import numpy as np
import pytest
from support.float32 import spans_in_float32

from data.shipped import iter_shipped
from pipeline.nlp import marks as module
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.extract import extract, marks_of
from pipeline.nlp.marks import (
    HEADS,
    Marks,
    MarkWeights,
    Spans,
    mixed,
    read_mark_weights,
    shipped_mark_weights,
    spans_of,
    write_shipped_marks,
)
from pipeline.nlp.readings import Quoter, analyse

TITLE = "Wohnungslotsen"
TEXT = "Die Lotsen begleiten Geflüchtete, die eine Wohnung suchen. 2019 zogen 57 Personen ein; 80 sollen es werden."


@pytest.fixture
def spans():
    with pipeline_zone() as nlp:
        return spans_of(analyse(nlp, Quoter(TITLE, TEXT)))


def test_clauses_and_numbers_are_places_of_words(spans):
    assert spans.words == [TITLE, *TEXT.split()]
    told = [" ".join(spans.words[place] for place in clause) for clause in spans.clauses]
    assert told[0] == TITLE
    assert "2019 zogen 57 Personen ein;" in told
    counted = {" ".join(spans.words[place] for place in words): told[own] for words, own in spans.numbers}
    assert counted["57 Personen"] == "2019 zogen 57 Personen ein;"
    assert sorted(place for clause in spans.clauses for place in clause) == list(range(len(spans.words)))


def test_the_key_names_words_and_spans(spans):
    assert spans.key() == Spans(spans.words, spans.clauses, spans.numbers).key()
    assert spans.key() != Spans([*spans.words[:-1], "x"], spans.clauses, spans.numbers).key()
    assert spans.key() != Spans(spans.words, spans.clauses[:-1], spans.numbers).key()


def test_every_head_gives_likelihoods_in_thousandths(spans):
    marks = module.mark(spans)
    for head in HEADS:
        likely = marks.of(head.name)
        rows = {"span": len(spans.clauses), "number": len(spans.numbers), "text": 1}[head.of]
        assert likely.shape == (rows, head.classes)
        assert np.allclose(likely.sum(axis=1), 1, atol=0.01)
        assert np.allclose(likely * 1000, np.rint(likely * 1000), atol=1e-3)


def test_clauses_that_were_not_read_are_left_to_the_rules():
    ruled = np.asarray([[1, 0], [0, 1]], np.float32)
    marks = Marks({"award": np.asarray([[0, 1], [1, 0]], np.float32)}, np.asarray([True, False]))
    assert mixed(ruled, marks, "award", 0.4) == pytest.approx(np.asarray([[0.4, 0.6], [0, 1]]))
    assert mixed(ruled, None, "award", 0.4) is ruled


def test_a_text_longer_than_what_is_read_is_read_to_its_end():
    found = next(iter(extract([("p", None, f"{TEXT} " * 400)])))
    assert found["impact"]["claims"][-1]["end"] > len(TEXT) * 390


def test_weights_are_read_as_they_were_written(tmp_path):
    weights = shipped_mark_weights()
    weights.save(tmp_path / "w.npz", {"texts": 1})
    read = read_mark_weights(tmp_path / "w.npz")
    assert isinstance(read, MarkWeights)
    assert np.array_equal(read.attention, weights.attention)
    assert all(np.array_equal(read.heads[head.name][0], weights.heads[head.name][0]) for head in HEADS)
    weights.save(tmp_path / "again.npz", {"texts": 1})
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "w.npz").read_bytes()


def test_kept_answers_are_those_that_are_computed(spans, tmp_path, monkeypatch):
    computed = module.mark(spans)
    write_shipped_marks({spans.key(): computed}, tmp_path / "kept.npz")
    kept = module._shipped_marks(tmp_path / "kept.npz")
    again = module._unpacked(kept[spans.key()], spans)
    assert all(np.array_equal(again.of(head.name), computed.of(head.name)) for head in HEADS)
    assert np.array_equal(again.seen, computed.seen)
    monkeypatch.setattr(module, "weights_name", lambda: "another")
    module._shipped_marks.cache_clear()
    assert module._shipped_marks(tmp_path / "kept.npz") == {}
    module._shipped_marks.cache_clear()


def _agree(ours, theirs, least):
    """Whether two readings of the same texts say nearly the same, and choose the same answer in such a share."""
    told = [(ours[key].of(head.name), theirs[key].of(head.name)) for key in theirs for head in HEADS]
    assert np.mean(np.concatenate([np.abs(one - other).ravel() for one, other in told])) <= 0.005
    same = np.concatenate([one.argmax(axis=1) == other.argmax(axis=1) for one, other in told])
    assert len(same) > 1_000
    assert same.mean() >= least


def test_the_answers_to_shipped_projects_are_kept_and_true(monkeypatch):
    """Where projects, the cutting of clauses or weights change, they must be computed again: `write_marks`.

    They are compared in float32 and with what this processor makes in 8 bit: another kind rounds another way.
    """
    shipped = [(entry.project.title, entry.project.text) for entry in iter_shipped()][::60]
    kept = dict(marks_of(shipped))
    known = module._shipped_marks()
    assert sum(key in known for key in kept) == len(kept)
    monkeypatch.setattr(module, "_shipped_marks", dict)
    in_bytes = dict(marks_of(shipped))
    with spans_in_float32():
        exact = dict(marks_of(shipped))
    _agree(kept, exact, 0.99)
    _agree(in_bytes, exact, 0.99)


def test_an_off_topic_text_is_left_to_the_rules(monkeypatch):
    monkeypatch.setattr(module, "mark", None)
    found = next(iter(extract([("p", "Kegelclub", "Der Kegelclub gewann 2019 das Turnier vor 80 Gästen.")])))
    assert found["on_topic"] is False


def test_english_is_read_too(monkeypatch):
    asked = []
    computed = module.mark
    monkeypatch.setattr(module, "mark", lambda spans: asked.append(spans) or computed(spans))
    text = (
        "In 2019 the mentors helped refugees to find work. 57 refugees found a job, and the city paid for the project."
    )
    assert next(iter(extract([("p", "Mentors for refugees", text)])))["language"] == "en"
    assert len(asked) == 1
