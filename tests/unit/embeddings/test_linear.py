import numpy as np
import pytest

from data.errors import CheckupError
from embeddings.linear import Context, LinearReader, hashed_features, hashed_tokens

TOPICS = {"wohnen": ("Wohnung", "Miete", "Vermieter"), "arbeit": ("Arbeit", "Betrieb", "Ausbildung")}


def examples(count=30):
    rng = np.random.default_rng(0)
    texts, labels, vectors = [], [], []
    for number in range(count):
        label = sorted(TOPICS)[number % 2]
        words = [TOPICS[label][number % 3], "Gemeinde", "fehlt", str(number)]
        texts.append(" ".join(words))
        labels.append(label)
        vectors.append(np.array([1.0, 0.3 if label == "arbeit" else -0.3, 0, 0]) + 0.05 * rng.standard_normal(4))
    return np.array(vectors, np.float32), texts, [text.lower().split() for text in texts], labels


@pytest.fixture(params=[40, 2], ids=["words by logistic regression", "words by ridge regression"])
def reader(request, monkeypatch):
    pytest.importorskip("sklearn")
    from embeddings import linear_training

    monkeypatch.setattr(linear_training, "RIDGE_CLASSES", request.param)
    vectors, texts, tokens, labels = examples()
    groups = [str(number) for number in range(len(texts))]
    return linear_training.train_reader(
        vectors, texts, tokens, labels, groups=groups, fingerprint="f", bits=8,
        judge=[number % 2 == 0 or number > 20 for number in range(len(texts))],
    )  # fmt: skip


@pytest.mark.transformers
def test_probabilities_sum_to_one_and_find_the_class(reader):
    vectors, texts, tokens, labels = examples()
    found = reader.probabilities(vectors, texts, tokens)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert [reader.classes[i] for i in found.argmax(axis=1)] == labels
    assert reader.card["figures"]["top1"] > 0.9
    assert reader.card["figures"]["hashed_only_top1"] > 0.9
    assert reader.card["figures"]["judged_on"] == 20


@pytest.mark.transformers
def test_what_is_written_is_read(reader, tmp_path):
    vectors, texts, tokens, _ = examples()
    reader.write(tmp_path / "r.npz")
    again = LinearReader.read(tmp_path / "r.npz", "f")
    difference = np.abs(again.probabilities(vectors, texts, tokens) - reader.probabilities(vectors, texts, tokens))
    assert difference.max() < 0.02
    with pytest.raises(CheckupError, match="anderes Sprachmodell"):
        LinearReader.read(tmp_path / "r.npz", "g")


@pytest.mark.transformers
def test_no_texts(reader):
    assert reader.probabilities(np.zeros((0, 4), np.float32), [], []).shape == (0, 2)


def test_a_damaged_file_is_said(tmp_path):
    (tmp_path / "r.npz").write_bytes(b"PK nothing")
    with pytest.raises(CheckupError, match="nicht lesbar"):
        LinearReader.read(tmp_path / "r.npz", "f")


def test_features_are_of_unit_length_and_of_the_text_alone():
    places, values = hashed_features("Ja", ["wohnung"], bits=8)
    assert sorted(places.tolist()) == [17, 27, 202, 250]
    assert float((values**2).sum()) == pytest.approx(1, abs=1e-5)
    assert places.max() < 2**8
    one, other = (hashed_features("", tokens)[0].tolist() for tokens in (["a", "b"], ["b", "a"]))
    assert sorted(one) != sorted(other)
    assert hashed_features("", [])[0].tolist() == []


@pytest.mark.transformers
def test_ridge_weights_tell_which_words_go_with_which_target():
    pytest.importorskip("scipy")
    from embeddings.linear_training import ridge_weights

    tokens = [["wohnung", "suchen"], ["wohnung", "finden"], ["arbeit", "suchen"], ["arbeit", "finden"]] * 5
    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 1]] * 5, np.float32)
    weights = ridge_weights(tokens, targets, 10)
    assert weights.shape == (1024, 2)
    places, values = hashed_tokens(["wohnung", "kaufen"], 10)
    housing, work = values @ weights[places]
    assert housing > work + 0.3


def test_hashed_tokens_have_length_one_and_none_is_no_error():
    places, values = hashed_tokens(["kurs", "kind", "kurs"], 6)
    assert np.linalg.norm(values) == pytest.approx(1, abs=1e-5)
    assert places.max() < 64
    assert len(hashed_tokens([], 6)[0]) == 0


def test_what_surrounds_a_text_tells_where_it_tells_nothing_itself():
    weights = np.array([[6, -6], [-6, 6], [0, 0], [0, 0], [0, 0]], np.float32)
    plain = LinearReader(
        ("arbeit", "wohnen"), weights, np.zeros((9, 2), np.float32), np.zeros(4, np.float32), (1.0, 0.0), "f", {}
    )
    clear, open_ = np.array([0, 1, 0, 0], np.float32), np.array([0.05, 0, 1, 0], np.float32)
    vectors, texts, tokens = np.stack([clear, open_, clear]), ["a", "b", "c"], [["a"], ["b"], ["c"]]
    alone = plain.probabilities(vectors, texts, tokens)
    context = Context(neighbours=0.6, words=0.0)
    among = plain.probabilities(vectors, texts, tokens, context=context)
    assert alone[1, 0] > 0.5
    assert among[1, 1] > 0.9
    assert among[[0, 2]].argmax(axis=1).tolist() == [1, 1]
    by_itself = plain.probabilities(vectors[1:2], texts[1:2], tokens[1:2], context=context)
    assert (by_itself == alone[1:2]).all()


def test_the_words_of_the_neighbours_count_as_a_share_of_their_scores():
    scores = np.array([[1, 0], [0, 0], [0, 2]], np.float32)
    mixed = Context(neighbours=0.0, words=0.5).of_words(scores)
    np.testing.assert_allclose(mixed, [[1, 0], [0.5, 1], [0, 2]])
