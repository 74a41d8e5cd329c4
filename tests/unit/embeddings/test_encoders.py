import numpy as np
import pytest

from data.errors import CheckupError
from embeddings import encoders
from embeddings.encoders import encode_cached, load_encoder, pooled, text_sha256

TEXTS = [
    "In unserem Dorf finden anerkannte Geflüchtete keine Wohnung.",
    "Ehrenamtliche begleiten Familien zu Ärzten.",
    "The volunteers are tired and nobody coordinates them.",
    "",
    "Bürger:innen \ufdfa \u0130 e\u0301 \U0001f600 \x00 \u202e",
    "Wort " * 900,
]


class Cache:
    """A vector cache in memory that counts what it is given."""

    def __init__(self):
        self.kept = {}
        self.puts = 0

    def get_vectors(self, fingerprint, text_sha256s):
        return {key: self.kept[fingerprint, key] for key in text_sha256s if (fingerprint, key) in self.kept}

    def put_vectors(self, fingerprint, vectors):
        self.puts += len(vectors)
        self.kept.update({(fingerprint, key): value for key, value in vectors.items()})


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("e5")


def test_vectors_are_normalised_and_of_the_text_alone(encoder):
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), encoder.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for i, text in reversed(list(enumerate(TEXTS))):
        np.testing.assert_array_equal(encoder.encode([text])[0], together[i])


def test_threads_do_not_change_a_vector(encoder):
    np.testing.assert_array_equal(load_encoder("e5", threads=2).encode(TEXTS[:3]), encoder.encode(TEXTS[:3]))


def test_meaning_orders_the_cosines(encoder):
    question = encoder.encode(["Es fehlt an bezahlbaren Wohnungen für Flüchtlinge."])
    answers = encoder.encode(
        ["Wohnlotsen helfen Geflüchteten bei der Wohnungssuche.", "Der Chor probt für das Weihnachtskonzert."],
        prompt_name="passage",
    )
    good, bad = (question @ answers.T)[0]
    assert good > bad + 0.03


def test_the_two_prompts_differ(encoder):
    assert not np.array_equal(encoder.encode(TEXTS[:1]), encoder.encode(TEXTS[:1], prompt_name="passage"))


def test_base_and_adapted_have_their_own_fingerprints(encoder):
    base = load_encoder("e5-base")
    assert (base.fingerprint == encoder.fingerprint) == np.array_equal(
        base.encode(TEXTS[:1]), encoder.encode(TEXTS[:1])
    )


def test_8_bit_tell_nearly_the_same_as_32(encoder):
    exact = load_encoder("e5-exact")
    assert exact.fingerprint != encoder.fingerprint
    for prompt in ("query", "passage"):
        cosines = (encoder.encode(TEXTS, prompt_name=prompt) * exact.encode(TEXTS, prompt_name=prompt)).sum(axis=1)
        assert cosines.min() >= 0.998


def test_cached_vectors_are_not_computed_again(encoder):
    cache = Cache()
    first = encode_cached(TEXTS + TEXTS[:2], encoder=encoder, cache=cache)
    assert cache.puts == len(TEXTS)
    np.testing.assert_array_equal(first[len(TEXTS) :], first[:2])
    second = encode_cached(TEXTS[::-1], encoder=encoder, cache=cache)
    assert cache.puts == len(TEXTS)
    np.testing.assert_array_equal(second[::-1], first[: len(TEXTS)])


def test_workers_give_the_same_vectors(encoder, monkeypatch):
    monkeypatch.setattr(encoders, "CHUNK", 2)
    seen = []
    alone = encode_cached(TEXTS, encoder=encoder, cache=Cache())
    shared = encode_cached(
        TEXTS, encoder=encoder, cache=Cache(), workers=2, progress=lambda done, total: seen.append((done, total))
    )
    np.testing.assert_array_equal(alone, shared)
    assert seen[-1] == (len(TEXTS), len(TEXTS))


def test_no_texts(encoder):
    assert encode_cached([], encoder=encoder, cache=Cache()).shape == (0, encoder.dimension)


def test_keys_tell_prompts_and_texts_apart():
    assert len({text_sha256(p, t) for p in ("query", "passage") for t in ("a", "b", "")}) == 6


def test_a_missing_adapter_is_said():
    with pytest.raises(CheckupError, match=r"nirgends\.safetensors"):
        load_encoder("e5:nirgends.safetensors")


def test_the_vector_of_a_text_lies_between_those_of_its_sentences():
    long, short = np.eye(2, dtype=np.float32)
    found = pooled(np.array([long, short]), [30, 10])
    np.testing.assert_allclose(found, np.array([3, 1]) / np.sqrt(10), atol=1e-6)
    np.testing.assert_allclose(pooled(long[None], [5]), long)
