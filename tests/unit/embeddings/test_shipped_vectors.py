import numpy as np
import pytest

from embeddings.encoders import load_encoder, text_sha256
from embeddings.shipped_vectors import FILE, load_shipped, write_shipped
from pipeline.nlp.passages import passages
from pipeline.project_vectors import encoded_texts
from pipeline.publish import reference_texts


class Cache(dict):
    """A vector cache in memory."""

    def get_vectors(self, fingerprint, text_sha256s):
        return {key: self[key] for key in text_sha256s if key in self}

    def put_vectors(self, fingerprint, vectors):
        self.update(vectors)


def test_what_is_written_is_read_for_its_encoder_only(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((3, 8)).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = {text_sha256("passage", str(i)): row.tobytes() for i, row in enumerate(vectors)}
    write_shipped(tmp_path / "v.npz", "f1", given)
    cache = Cache()
    assert load_shipped(cache, "f2", tmp_path / "v.npz") == 0
    assert load_shipped(cache, "f1", tmp_path / "v.npz") == 3
    for key, value in given.items():
        np.testing.assert_allclose(np.frombuffer(cache[key], "<f4"), np.frombuffer(value, "<f4"), atol=1e-3)


def test_the_shipped_ones_are_those_of_the_shipped_encoder_and_projects():
    """Where projects, texts or adapter change, `checkup train vectors` must be run again."""
    from data.shipped import iter_shipped

    encoder = load_encoder("e5")
    cache = Cache()
    assert load_shipped(cache, encoder.fingerprint, FILE) > 400
    shipped = [entry.project for entry in iter_shipped()]
    texts = encoded_texts([{"title": p.title, "text": p.text, "passages": passages(p.text)} for p in shipped])
    keys = {text_sha256("passage", text): text for text in texts}
    assert set(keys) <= set(cache)
    assert {text_sha256("query", text) for text in reference_texts()[0]} <= set(cache)
    for key, text in list(keys.items())[::60]:
        cosine = float(np.frombuffer(cache[key], "<f4") @ encoder.encode([text], prompt_name="passage")[0])
        assert cosine == pytest.approx(1, abs=1e-3)
