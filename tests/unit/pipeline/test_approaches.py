import numpy as np

from pipeline.approaches import strengths

ROWS = np.array([[0, -1, -1], [1, -1, -1]], np.int32)
VECTORS = np.eye(2, 4, dtype=np.float32)


class Reader:
    """Says what it was asked, and that everything is the second approach."""

    classes = ("a", "b")

    def __init__(self):
        self.asked = []

    def probabilities(self, vectors, texts, tokens):
        self.asked += texts
        return np.tile(np.array([[0.1, 0.7]], np.float32), (len(texts), 1))


def cards(*values):
    return [{"document_id": f"d{number}", "values": value} for number, value in enumerate(values)]


def test_what_a_generation_knows_is_not_read_again():
    first, second = Reader(), Reader()
    fresh = strengths(first, ["a", "b"], cards({}, {}), ROWS, VECTORS, ["eins", "zwei"], {})
    again = strengths(second, ["a", "b"], cards({}, {}), ROWS, VECTORS, ["eins", "zwei"], {"d0": fresh[0]})
    assert (first.asked, second.asked) == (["eins", "zwei"], ["zwei"])
    np.testing.assert_array_equal(fresh, again)


def test_what_people_state_outranks_what_was_known():
    known = {"d0": np.array([0.0, 0.9], np.float32)}
    found = strengths(Reader(), ["a", "b"], cards({"approaches": ["a"]}, {}), ROWS, VECTORS, ["x", "y"], known)
    np.testing.assert_allclose(found[0], [1.0, 0.0])
