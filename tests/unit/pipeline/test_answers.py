import numpy as np
import pytest

from data.vocabulary import load_vocabulary
from pipeline.answers import AnswerReader, answers, arrow_values, noisy_or, shared_groups

VOCABULARY = load_vocabulary()
NEEDS = tuple(list(VOCABULARY.needs)[:3])


def f32(*rows):
    return np.array(rows, np.float32)


def reader(weights=(0.0, 1.0, 0.0, 0.0, 0.0)):
    unit = f32([1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0])
    return AnswerReader(
        needs=NEEDS, need_vectors=unit, center=np.zeros(4, np.float32), graded=unit[:2],
        grades=f32([1, 0, 0], [0, 3 / 7, 0]), weights=np.array(weights, np.float32), scale=(0.0, 1.0),
        fingerprint="f", card={},
    )  # fmt: skip


def approaches_of(need):
    return [arrow.approach for arrow in VOCABULARY.needs[need].arrows if arrow.grade == 3][:1]


def test_arrows_and_strengths_are_joined_by_noisy_or():
    np.testing.assert_allclose(noisy_or(f32([0.5, 1.0]), f32([0.9, 0.5], [0.0, 0.5])), [[0.725, 0.5]], atol=1e-6)


def test_groups_are_shared_by_share():
    found = shared_groups([("frauen", "senioren"), ()], [("frauen", "kinder"), ()])
    np.testing.assert_allclose(found, [[0.5, 0.0], [0.0, 0.0]])


def test_a_fitting_approach_raises_the_chance():
    names = approaches_of(NEEDS[0])
    assert arrow_values(VOCABULARY, NEEDS, names)[0, 0] == pytest.approx(0.95)
    chances = reader().chances(f32([0, 0, 0, 1], [0, 0, 0, 1]), f32([1.0], [0.0]), names, [(), ()], VOCABULARY)
    assert chances[0, 0] > chances[1, 0] + 0.1


def test_neighbours_count_but_never_the_text_itself():
    own, near = f32([1, 0, 0, 0]), f32([0.98, 0.02, 0, 0])
    near /= np.linalg.norm(near)
    of_neighbours = reader((0.0, 0.0, 0.0, 0.0, 1.0))
    found = of_neighbours.chances(np.vstack([own, near]), np.zeros((2, 1), np.float32), ["x"], [(), ()], VOCABULARY)
    assert found[1, 0] > 0.4
    assert found[0, 0] < 0.1


def test_what_a_person_graded_stands():
    cards = [{"values": {"need_grades": {NEEDS[1]: 3, "unbekannt": 2}}}, {"values": {}}]
    vectors = f32([0, 0, 0, 1], [0, 0, 0, 1])
    needs, found = answers(reader(), VOCABULARY, ["x"], np.zeros((2, 1), np.float32), vectors, cards)
    assert tuple(needs) == NEEDS
    assert found[0, 1] == 1
    assert found[0, 0] < found[1, 0]


def test_without_a_reader_only_grades_count():
    cards = [{"values": {"need_grades": {NEEDS[0]: 2}}}]
    needs, found = answers(None, VOCABULARY, ["x"], np.zeros((1, 1), np.float32), f32([0, 0, 0, 1]), cards)
    assert found[0, needs.index(NEEDS[0])] == pytest.approx(3 / 7)
    assert np.count_nonzero(found) == 1


def test_a_written_reader_reads_the_same(tmp_path):
    path = tmp_path / "answers.npz"
    reader().write(path)
    again = AnswerReader.read("f", path)
    assert again is not None
    np.testing.assert_allclose(again.grades, reader().grades, atol=1e-3)
    assert again.needs == NEEDS
    assert AnswerReader.read("other", path) is None
    assert AnswerReader.read("f", tmp_path / "missing.npz") is None
    path.write_bytes(b"broken")
    assert AnswerReader.read("f", path) is None
