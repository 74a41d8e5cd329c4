import numpy as np
import pytest

from data.vocabulary import load_vocabulary
from embeddings.linear import hashed_tokens
from pipeline.answers import LEAST_WORDS, WORD_BITS, AnswerReader, Read, answers, arrow_values, noisy_or, shared_groups

VOCABULARY = load_vocabulary()
NEEDS = tuple(list(VOCABULARY.needs)[:3])


def f32(*rows):
    return np.array(rows, np.float32)


def read(vectors, strengths=None, approaches=("x",), texts=None):
    count = len(vectors)
    return Read(
        vectors=vectors, strengths=np.zeros((count, 1), np.float32) if strengths is None else strengths,
        approaches=approaches, groups=[()] * count,
        words=np.stack([reader().words(text.lower().split()) for text in texts or [""] * count]),
    )  # fmt: skip


def reader(weights=(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)):
    words = np.zeros((1 << WORD_BITS, 3), np.float32)
    places, values = hashed_tokens(["sprachkurs"], WORD_BITS)
    words[places, 2] = values
    unit = f32([1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0])
    return AnswerReader(
        needs=NEEDS, need_vectors=unit, center=np.zeros(4, np.float32), graded=unit[:2],
        grades=f32([1, 0, 0], [0, 3 / 7, 0]), word_weights=words, weights=np.array(weights, np.float32),
        scale=(0.0, 1.0), fingerprint="f", card={},
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
    chances = reader().chances(read(f32([0, 0, 0, 1], [0, 0, 0, 1]), f32([1.0], [0.0]), names), VOCABULARY)
    assert chances[0, 0] > chances[1, 0] + 0.1


def test_neighbours_count_but_never_the_text_itself():
    own, near = f32([1, 0, 0, 0]), f32([0.98, 0.02, 0, 0])
    near /= np.linalg.norm(near)
    of_neighbours = reader((0.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    found = of_neighbours.chances(read(np.vstack([own, near])), VOCABULARY)
    assert found[1, 0] > 0.4
    assert found[0, 0] < 0.1


def test_words_that_graded_projects_shared_count():
    texts = ["Sprachkurs", "Fußball"]
    features = reader().features(read(f32([0, 0, 0, 1], [0, 0, 0, 1]), texts=texts), VOCABULARY)
    assert features[0, 2, -1] == pytest.approx(np.log(1 + LEAST_WORDS), abs=1e-4)
    assert features[1, 2, -1] < features[0, 2, -1] - 1
    assert features[0, 0, -1] == pytest.approx(np.log(LEAST_WORDS))


def test_what_a_person_graded_stands():
    cards = [{"values": {"need_grades": {NEEDS[1]: 3, "unbekannt": 2}}}, {"values": {}}]
    vectors = f32([0, 0, 0, 1], [0, 0, 0, 1])
    needs, found = answers(reader(), VOCABULARY, read(vectors), cards)
    assert tuple(needs) == NEEDS
    assert found[0, 1] == 1
    assert found[0, 0] < found[1, 0]


def test_where_people_only_named_some_needs_the_machine_goes_on():
    cards = [{"values": {told: {NEEDS[1]: 3}}} for told in ("need_names", "need_grades")] + [{"values": {}}]
    _, found = answers(reader(), VOCABULARY, read(f32(*[[0, 0, 0, 1]] * 3)), cards)
    assert found[0, 1] == found[1, 1] == 1
    assert 0 < found[1, 0] < 0.5 * found[0, 0] < 0.5 * found[2, 0]


def test_without_a_reader_only_grades_count():
    cards = [{"values": {"need_grades": {NEEDS[0]: 2}}}]
    needs, found = answers(None, VOCABULARY, read(f32([0, 0, 0, 1])), cards)
    assert found[0, needs.index(NEEDS[0])] == pytest.approx(3 / 7)
    assert np.count_nonzero(found) == 1


def test_a_written_reader_reads_the_same(tmp_path):
    path = tmp_path / "answers.npz"
    reader().write(path)
    again = AnswerReader.read("f", path)
    assert again is not None
    np.testing.assert_allclose(again.grades, reader().grades, atol=1e-3)
    np.testing.assert_allclose(again.word_weights, reader().word_weights, atol=5e-3)
    assert again.needs == NEEDS
    assert AnswerReader.read("other", path) is None
    assert AnswerReader.read("f", tmp_path / "missing.npz") is None
    with np.load(path) as file:
        older = {name: file[name] for name in file.files if name != "words"}
    np.savez(path, **older)
    assert AnswerReader.read("f", path) is None
    path.write_bytes(b"broken")
    assert AnswerReader.read("f", path) is None
