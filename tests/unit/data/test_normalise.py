import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.normalise import normalise, sanitise, sanitise_value, sha256_text

CHARACTERS = st.sampled_from("aäuOe \n\t\r-\u0308\u00ad\u200b\u00a0\u2009„“’«ﬁﬃ\u2010\u2028\x00\ud800😀é\u0323ا1.und")
TEXTS = st.one_of(st.text(CHARACTERS, max_size=60), st.text(max_size=60))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("u\u0308ber O\u0308l", "über Öl"),
        ("ﬁnanzielle Oﬃzin", "finanzielle Offizin"),
        ("Sprach\u00adkurs\u200b", "Sprachkurs"),
        ("50\u202f000\u00a0Euro", "50 000 Euro"),
        ("Inte-\ngration", "Integration"),
        ("Inte\u00ad\r\ngration", "Integration"),
        ("Kinder-\nund Jugendhilfe", "Kinder- und Jugendhilfe"),
        ("Baden-\r\nWürttemberg", "Baden-Württemberg"),
        ("1990-\n1995", "1990-\n1995"),
        ("„Brücke“ und ‚Steg‘ «Pont»", '"Brücke" und \'Steg\' "Pont"'),
        ("a  \t b\r\nc\n \n\n d", "a b\nc\n\nd"),
        ("Deutsch\u2011Kurs", "Deutsch-Kurs"),
        ("Bürger:innen, Lehrer*innen – 5–6", "Bürger:innen, Lehrer*innen – 5–6"),
        ("Er wurde geführt.Die Stadt half.“Seit 2013", 'Er wurde geführt. Die Stadt half." Seit 2013'),
        ("maria.Huber@web.de, stadt.Ulm/rat, z.B.Ulm, Nr.Eins", "maria.Huber@web.de, stadt.Ulm/rat, z.B.Ulm, Nr.Eins"),
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
        ("", ""),
    ],
)
def test_forms(given: str, expected: str) -> None:
    assert normalise(given).text == expected


def test_span_leads_back_to_the_given_text() -> None:
    given = "Die „Bru\u0308cke“ bietet Inte-\ngration und ﬁnanzielle Hilfe."
    normalised = normalise(given)

    def source(words: str) -> str:
        start = normalised.text.index(words)
        begin, end = normalised.span(start, start + len(words))
        return given[begin:end]

    assert source('"Brücke"') == "„Bru\u0308cke“"
    assert source("Integration") == "Inte-\ngration"
    assert source("finanzielle Hilfe") == "ﬁnanzielle Hilfe"
    assert source(" bietet ") == " bietet "


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.data())
def test_spans_are_inside_ordered_and_true_where_nothing_changed(given: str, data: st.DataObject) -> None:
    normalised = normalise(given)
    length = len(normalised.text)
    start = data.draw(st.integers(0, length))
    end = data.draw(st.integers(start, length))
    begin, stop = normalised.span(start, end)
    assert 0 <= begin <= stop <= len(given)
    assert (begin == stop) == (start == end)
    if end < length:
        assert normalised.span(end, length)[0] >= normalised.span(start, length)[0]
        assert normalised.span(start, end + 1)[1] >= stop
    if sanitise(given)[begin:stop] == normalised.text[start:end]:
        assert stop - begin == end - start
    if normalised.text == given:
        assert (begin, stop) == (start, end)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_normalising_again_changes_nothing(given: str) -> None:
    once = normalise(given).text
    assert normalise(once).text == once
    assert unicodedata.is_normalized("NFC", once)


def test_span_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        normalise("abc").span(1, 4)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(), max_size=30))
def test_sanitised_text_can_be_stored_and_keeps_its_length(given: str) -> None:
    clean = sanitise(given)
    assert len(clean) == len(given)
    assert "\x00" not in clean
    assert clean.encode("utf-8").decode("utf-8") == clean


def test_sanitise_reaches_every_string_of_a_value() -> None:
    assert sanitise_value({"a\x00": ["\ud800", 1, None, {"b": ("x\x00",)}]}) == {
        "a\ufffd": ["\ufffd", 1, None, {"b": ["x\ufffd"]}]
    }


def test_hash_is_that_of_the_stored_text() -> None:
    assert sha256_text("ä\x00") == sha256_text("ä\ufffd")
    assert sha256_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
