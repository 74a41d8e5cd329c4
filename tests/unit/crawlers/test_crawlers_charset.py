"""Finding the encoding of bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.charset import decode

TEXT = "Flüchtlinge, Straße, „Übergang“ – größer"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT.encode(), "text/html; charset=utf-8"),
        (TEXT.encode("cp1252"), "text/html; charset=windows-1252"),
        (TEXT.encode("cp1252"), "text/html; charset=ISO-8859-1"),
        (TEXT.encode("cp1252"), "text/html; charset=utf-8"),  # the header lies
        (b"\xef\xbb\xbf" + TEXT.encode(), "text/html; charset=iso-8859-1"),
        (TEXT.encode("utf-16"), "text/html"),
        (b'<meta charset="windows-1252">' + TEXT.encode("cp1252"), "text/html"),
        (b'<?xml version="1.0" encoding="iso-8859-1"?>' + TEXT.encode("cp1252"), "text/xml"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=utf-8'>" + TEXT.encode(), ""),
        (TEXT.encode(), ""),
        (TEXT.encode(), "text/html; charset=gibt-es-nicht"),
        ((TEXT * 20).encode("cp1252"), ""),
    ],
)
def test_the_text_comes_out_right(body, content_type):
    assert TEXT in decode(body, content_type)[0]


def test_what_a_person_wrote_down_comes_first():
    assert decode(TEXT.encode("cp1252"), "text/csv; charset=utf-8", "cp1252")[0] == TEXT


def test_a_single_broken_byte_in_utf8_costs_only_itself():
    text, codec = decode((TEXT * 100).encode() + b"\xff", "")
    assert codec == "utf-8"
    assert text == TEXT * 100 + "\ufffd"


def test_a_binary_codec_is_never_used():
    assert decode(b"616263", "text/html; charset=hex")[0] == "616263"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "text/html; charset=utf-8", "text/html; charset=utf-16"]))
def test_any_bytes_become_text(body, content_type):
    assert isinstance(decode(body, content_type)[0], str)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=200))
def test_utf8_is_read_back_unchanged(text):
    assert decode(text.encode(), "text/plain; charset=utf-8")[0] == text.removeprefix("\ufeff")
