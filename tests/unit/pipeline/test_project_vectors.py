import numpy as np
import pytest

from pipeline.project_vectors import encoded_keys, encoded_texts, project_vectors, whole_key, whole_text


class Encoder:
    """A direction for each text, told by its letters; remembers what it was asked for."""

    dimension = 8
    fingerprint = "letters"

    def __init__(self):
        self.asked = []

    def encode(self, sentences, *, prompt_name="query", normalize_embeddings=True):
        self.asked.extend(sentences)
        rows = [np.random.default_rng(sum(map(ord, text))).normal(size=self.dimension) for text in sentences]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(len(rows), self.dimension)


class Cache(dict):
    def get_vectors(self, fingerprint, text_sha256s):
        return {key: self[key] for key in text_sha256s if key in self}

    def put_vectors(self, fingerprint, vectors):
        self.update(vectors)


TEXT = "Frauen lernen Rad fahren. Danach fahren sie allein zur Arbeit."
SHORT = {"title": "Lesepaten", "text": "Sie lesen vor.", "passages": [(0, 14)]}
LONG = {"title": "Radkurs", "text": TEXT, "passages": [(0, 25), (26, len(TEXT))]}


def test_no_word_is_encoded_twice():
    encoder = Encoder()
    project_vectors([SHORT, LONG], encoder=encoder, cache=Cache())
    assert encoder.asked == ["Lesepaten. Sie lesen vor.", "Radkurs", TEXT[:25], TEXT[26:]]
    assert encoder.asked == encoded_texts([SHORT, LONG])


def test_a_whole_is_the_mean_of_title_and_passages_by_their_lengths():
    found = project_vectors([SHORT, LONG], encoder=Encoder(), cache=Cache())
    assert found.rows.tolist() == [[0, -1, -1], [1, -1, -1], [1, 0, 25], [1, 26, len(TEXT)]]
    assert found.texts[1] == whole_text("Radkurs", TEXT)
    title, first, second = Encoder().encode(["Radkurs", TEXT[:25], TEXT[26:]])
    second_length = len(TEXT) - 26
    mean = (7 * title + 25 * first + second_length * second) / (7 + 25 + second_length)
    assert found.vectors[1] == pytest.approx(mean, abs=1e-6)
    assert np.linalg.norm(found.vectors[1]) < 1
    assert np.linalg.norm(found.directions(), axis=1) == pytest.approx(1, abs=1e-6)
    assert found.wholes()[1] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_without_a_title_the_passages_alone_count():
    found = project_vectors([{**LONG, "title": None}], encoder=Encoder(), cache=Cache())
    first, second = found.vectors[1:]
    assert found.vectors[0] == pytest.approx((25 * first + (len(TEXT) - 26) * second) / (len(TEXT) - 1), abs=1e-6)


def test_wholes_are_kept_and_nothing_is_computed_again():
    cache = Cache()
    first = project_vectors([SHORT, LONG], encoder=Encoder(), cache=cache)
    assert {whole_key("Lesepaten", SHORT["text"]), whole_key("Radkurs", TEXT)} <= cache.keys()
    assert encoded_keys([SHORT, LONG]) <= cache.keys()
    again = Encoder()
    assert (project_vectors([SHORT, LONG], encoder=again, cache=cache).vectors == first.vectors).all()
    assert again.asked == []


def test_no_projects():
    assert project_vectors([], encoder=Encoder(), cache=Cache()).vectors.shape == (0, 8)
