from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.passages import passages, sentences

TEXTS = st.lists(
    st.sampled_from(
        [
            "Der Kurs läuft.",
            "z. B.",
            "am 3. Mai",
            "\n\n",
            "- Punkt",
            "Wort",
            "und weiter,",
            "Ende!",
            "\n",
            "  ",
            "e. V. Die",
            "🙂",
            "a" * 300,
        ]
    ),
    max_size=120,
).map(" ".join)


def cut(text):
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Der Verein Hilfe e. V. hilft z. B. in St. Peter ca. 20 Familien.", 1),
        ("Am 3. Mai kamen 1.200 Gäste. Am 12. Januar keiner.", 2),
        ("Das war 2018. Danach kam nichts.", 2),
        ("Träger ist der Hilfe e. V. Der Kurs läuft.", 2),
        ("Wir helfen bei Miete, Strom usw. Die Stadt zahlt.", 2),
        ("Das kostet 3 Mio. Euro.", 1),
        ("Dr. Weiß sagt: Das geht! Wirklich? Ja.", 3),
        ("Ziele\nDas Projekt hilft.", 2),
        ("Ein umbrochener Satz, der in der nächsten\nZeile weitergeht.", 1),
        ("- Beratung\n- Kurse\n- Feste", 3),
        ("1. Beratung\n2. Kurse", 2),
        ("Absatz eins\n\nabsatz zwei", 2),
        ("wir suchen wohnungen. es gibt keine.", 2),
        ("Er sagte „Das reicht.“ Dann ging er.", 2),
        ("", 0),
        (" \n ", 0),
    ],
)
def test_sentences(text, count):
    assert len(cut(text)) == count, cut(text)


def covered(text, spans):
    return "".join(character for start, end in spans for character in text[start:end] if not character.isspace())


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_passages_cover_the_text_once_in_order(text):
    spans = passages(text)
    assert covered(text, spans) == "".join(text.split())
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_short_text_is_one_passage():
    text = " Ein Satz. " * 20
    assert passages(text) == [(1, len(text) - 1)]


def test_passages_have_one_to_four_sentences_and_about_fifty_words():
    text = "Dieser Satz hat genau acht Wörter zu bieten. " * 40
    lengths = [len(text[start:end].split()) for start, end in passages(text)]
    assert set(lengths) <= {24, 32}


def test_passages_keep_to_paragraphs():
    paragraph = "Dieser Satz hat genau acht Wörter zu bieten. " * 6
    text = f"{paragraph}\n\n{paragraph}"
    assert all("\n" not in text[start:end] for start, end in passages(text))


def test_a_long_sentence_is_cut_near_a_comma():
    text = "Wort " * 99 + "Wort, " + "Wort " * 50 + "Ende."
    spans = passages(text)
    assert all(len(text[start:end].split()) <= 120 for start, end in spans)
    assert len(spans) == 2


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "." * 200_000, "\n" * 200_000, "1. " * 70_000, "( " * 70_000, "A\n" * 70_000]
)
def test_no_text_makes_cutting_slow(text, benchmark_seconds):
    with benchmark_seconds(3):
        passages(text)


@pytest.mark.parametrize(
    "piece",
    [
        "Ministerium für Arbeit, Soziales, ", "A-, Verein ", "hat und ", "Verein Arbeit ", "von 60 davon 30 ",
        "900 Euro je Kind ",
    ],
)  # fmt: skip
def test_no_list_makes_reading_slow(piece, benchmark_seconds):
    text = f"Geflüchtete. {piece * (60_000 // len(piece))}"
    with pipeline_zone("de") as nlp:
        nlp("Ein Sprachkurs für Geflüchtete.")
        with benchmark_seconds(4):
            nlp(text)
