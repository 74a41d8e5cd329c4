import numpy as np
import pytest

from embeddings.index import DenseIndex
from embeddings.lexical import LexicalIndex


@pytest.fixture
def vectors():
    made = np.random.default_rng(3).standard_normal((40, 16)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_scores_are_cosines_of_every_row(vectors, tmp_path):
    index = DenseIndex.build(vectors)
    index.write(tmp_path / "dense")
    again = DenseIndex.read((tmp_path / "dense").read_bytes())
    expected = vectors[:3] @ vectors.T
    np.testing.assert_allclose(index.scores(vectors[:3]), expected, atol=1e-6)
    np.testing.assert_array_equal(again.scores(vectors[:3]), index.scores(vectors[:3]))
    np.testing.assert_allclose(index.scores(vectors[:3], rows=[7, 2]), expected[:, [7, 2]], atol=1e-6)


def test_a_query_scores_the_same_alone_and_in_company(vectors):
    index = DenseIndex.build(vectors)
    together = index.scores(vectors[:9])
    for i in range(9):
        np.testing.assert_array_equal(index.scores(vectors[i : i + 1])[0], together[i])


def test_empty_dense_index():
    index = DenseIndex.build(np.empty((0, 8), np.float32))
    assert index.scores(np.ones((2, 8), np.float32)).shape == (2, 0)


def test_lexical_prefers_the_rare_word_and_survives_writing(tmp_path):
    documents = [["wohnung", "stadt"], ["stadt", "kurs"], ["stadt", "kurs", "wohnungslotse"], []]
    index = LexicalIndex.build(documents)
    scores = index.scores(["stadt", "wohnungslotse", "nirgends"])
    assert scores.argmax() == 2
    assert scores[3] == 0
    index.write(tmp_path / "lexical")
    again = LexicalIndex.read((tmp_path / "lexical").read_bytes())
    np.testing.assert_array_equal(again.scores(["stadt", "wohnungslotse"]), index.scores(["stadt", "wohnungslotse"]))


def test_lexical_scale_does_not_grow_with_repetition():
    index = LexicalIndex.build([["a", "b"], ["c", "d"]])
    np.testing.assert_array_equal(index.scores(["a", "a", "a"]), index.scores(["a"]))


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_lexical_without_words(documents, tmp_path):
    index = LexicalIndex.build(documents)
    index.write(tmp_path / "lexical")
    again = LexicalIndex.read((tmp_path / "lexical").read_bytes())
    assert again.scores(["a"]).tolist() == [0.0] * len(documents)
