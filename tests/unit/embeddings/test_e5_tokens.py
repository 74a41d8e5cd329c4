import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.e5_build import data_file, make_tokenizer
from embeddings.e5_file import E5File
from embeddings.e5_tokens import LONGEST_PIECE, PieceTokenizer
from embeddings.encoders import load_encoder
from embeddings.word_states import shipped_states

SIGNS = st.characters(blacklist_categories=("Cs",))
LETTERS = st.sampled_from("aäbeéinsßtuüxzAÖЖ語한ء1.,-:▁ \t\n\u00a0'’€😀<>")


@pytest.fixture(scope="module")
def source():
    return E5File(data_file())


@pytest.fixture(scope="module")
def whole(source):
    return make_tokenizer(source.pieces())


@pytest.fixture(scope="module")
def tokenizer(source):
    return PieceTokenizer(source)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "query: In unserer Kreisstadt fehlen 28.000 Sprachkursplätze.",
        "<s> a </s> <unk><mask><pad>",
        "ﬁ ｶﾞ ① a\u0308",
        "▁▁a▁b",
        "Donaudampfschifffahrtsgesellschaftskapitänsmützen" * 4,
        "\u200b\ufeff\ufffd\U0001f9ff",
    ],
)
def test_special_texts_get_the_ids_of_the_whole_tokenizer(tokenizer, whole, text):
    assert tokenizer.ids(text) == whole.encode(text).ids


@given(st.one_of(st.text(LETTERS, max_size=60), st.text(SIGNS, max_size=30)))
@settings(max_examples=200, deadline=None)
def test_any_text_gets_the_ids_of_the_whole_tokenizer(tokenizer, whole, text):
    assert tokenizer.ids(text) == whole.encode(text).ids


def test_no_piece_is_longer_than_what_is_looked_up(source):
    assert max(len(piece) for piece, _ in source.pieces().vocabulary) == LONGEST_PIECE


def test_parts_of_words_are_remembered_up_to_a_limit(source, whole, monkeypatch):
    monkeypatch.setattr("embeddings.e5_tokens._CACHED_PARTS", 20)
    tokenizer = PieceTokenizer(source)
    for text in ("Wohnungssuche und Wohnraum", "Sprachkurse in Wohnheimen", "Wohnungssuche und Sprachkurse"):
        assert tokenizer.ids(text) == whole.encode(text).ids
        assert len(tokenizer._parts) <= 20


def test_encoder_and_readers_share_their_words():
    assert load_encoder("e5")._tokenizer is shipped_states()._tokenizer
