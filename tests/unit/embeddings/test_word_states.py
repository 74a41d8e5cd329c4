import numpy as np
import pytest

from embeddings.e5_build import data_file
from embeddings.e5_file import E5File
from embeddings.e5_tokens import PieceTokenizer
from embeddings.word_states import MOST_TOKENS, pieces_of, shipped_states, windows

SENTENCE = "57 Frauen fanden 2019 eine eigene Wohnung."


@pytest.fixture(scope="module")
def tokenizer():
    return PieceTokenizer(E5File(data_file()))


def test_every_word_has_its_own_tokens(tokenizer):
    words = SENTENCE.split()
    pieces, spans = pieces_of(tokenizer, words)
    assert tokenizer.around(pieces) == tokenizer.ids(SENTENCE)
    assert [first for first, _ in spans] == [0, *(end for _, end in spans[:-1])]
    assert spans[-1][1] == len(pieces)


def test_words_behind_the_limit_have_no_tokens(tokenizer):
    pieces, spans = pieces_of(tokenizer, ["Wohnung"] * (MOST_TOKENS * 2))
    assert len(pieces) == MOST_TOKENS
    assert len(spans) == MOST_TOKENS * 2
    assert spans[0] != spans[-1] == (MOST_TOKENS, MOST_TOKENS)


@pytest.mark.parametrize("tokens", [0, 1, 509, 510, 511, 925, MOST_TOKENS])
def test_windows_cover_every_token_once(tokens):
    covered = [token for _, start, end in windows(tokens) for token in range(start, end)]
    assert covered == list(range(tokens))
    assert all(end - first <= 510 for first, _, end in windows(tokens))


def test_states_depend_on_what_stands_around():
    states = shipped_states()
    found, spans = states.read(SENTENCE.split())
    other, _ = states.read(SENTENCE.replace("fanden", "suchten").split())
    assert found.shape == (spans[-1][1], 384)
    assert np.isfinite(found).all()
    at = slice(*spans[-1])
    assert not np.allclose(found[at], other[at])
    again, _ = states.read(SENTENCE.split())
    assert np.array_equal(found, again)


def test_a_text_of_nothing_has_no_states():
    found, spans = shipped_states().read([])
    assert (found.size, spans) == (0, [])
