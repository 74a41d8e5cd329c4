"""Unreadable texts are refused with a question that says what to do; short real ones are answered."""

import numpy as np
import pytest
from support.short_texts import REAL, UNREADABLE

from data.vocabulary import load_vocabulary
from embeddings.encoders import load_encoder
from matching.reading import ASK, ASK_UNREADABLE, Reading, questions, verdict
from matching.situation import SituationReader, checked_text

OFF_TOPIC = (
    "Der Borkenkäfer frisst den Stadtwald", "Windräder werden abgelehnt", "Neue Feuerwehrautos kosten 400.000 Euro",
    "Das Hallenbad ist zu teuer geworden", "Die Grundsteuer steigt", "Die Kita braucht ein neues Dach.",
)  # fmt: skip


@pytest.fixture(scope="module")
def reader():
    return SituationReader(load_encoder("e5", threads=1), load_vocabulary())


@pytest.mark.parametrize("text", REAL)
def test_no_short_real_text_is_refused(reader, text):
    assert verdict(reader.read(checked_text(text))) is None


@pytest.mark.parametrize("text", OFF_TOPIC)
def test_a_short_text_off_the_topic_still_is(reader, text):
    assert verdict(reader.read(checked_text(text))) == "off_topic"


@pytest.mark.parametrize("why", UNREADABLE)
def test_an_unreadable_text_is_refused_whatever_its_readers_say(reader, why):
    for text in UNREADABLE[why][:3]:
        reading = reader.read(text)
        assert verdict(reading) == "vague"
        assert questions(reading) == (ASK_UNREADABLE[why], *ASK)


def test_a_long_text_off_the_topic_may_name_refugees(reader):
    text = (
        "Der Kranichzug hat begonnen: Rund 7.000 Vögel rasten auf den Feldern am See. Die Naturschützer bitten um "
        "Abstand. Die alte Unterkunft für Geflüchtete am Ufer dient ihnen in diesem Jahr als Beobachtungsstation."
    )
    assert verdict(reader.read(text)) == "off_topic"


def test_emoji_change_neither_needs_nor_offsets(reader):
    plain, adorned = "Kein Kitaplatz", "😭😭 Kein Kitaplatz 🙏"
    one, two = reader.read(plain), reader.read(adorned)
    assert np.array_equal(one.vector, two.vector)
    (sentence,) = two.sentences
    assert adorned[sentence.start : sentence.end] == plain


def test_a_readable_text_gets_the_usual_questions():
    assert questions(Reading("x", (), 0.0, 1.0, np.zeros(2, np.float32))) == ASK
