import re
import time

import pytest
from support.short_texts import EMOJI, OTHER_LANGUAGES, REAL, UNREADABLE

from data.corpus_files import held_situations
from data.shipped import iter_shipped
from data.vocabulary import SHIPPED
from pipeline.nlp.readable import unreadable, without_pictures
from pipeline.nlp.rules import load_rules, word_set

_CAPITALISED = re.compile(r"\b[A-ZÄÖÜ][^\W\d_]+")


@pytest.mark.parametrize(("why", "text"), [(why, text) for why, texts in UNREADABLE.items() for text in texts])
def test_what_nobody_can_read_is_told(why, text):
    assert unreadable(text) == why


@pytest.mark.parametrize("text", REAL)
def test_what_people_really_write_is_read(text):
    assert unreadable(text) is None


def test_no_situation_and_no_project_of_ours_is_unreadable():
    texts = [item.text for item in held_situations()] + [entry.project.text for entry in iter_shipped()]
    assert len(texts) > 1000
    assert [text for text in texts if unreadable(text)] == []


def test_each_word_of_our_vocabulary_is_read_alone():
    words = {word for file in SHIPPED.rglob("*.yaml") for word in _CAPITALISED.findall(file.read_text("utf-8"))}
    assert len(words) > 5000
    assert words >= {"Elternsprechtag", "Neuzugewanderte", "Streetwork", "Problemimmobilien"}
    own = word_set("stopwords", "de") | word_set("stopwords", "en")
    assert [word for word in sorted(words) if word.lower() not in own and unreadable(word)] == []


@pytest.mark.parametrize(
    "word", ["ÖPNV", "VHS", "GU", "UMA", "Berufssprachkurse", "Gesundheitskiosk", "Neuankömmlinge"]
)
def test_a_word_alone_is_read(word):
    assert unreadable(word) is None


def test_a_real_sentence_among_another_script_is_read():
    assert unreadable("لا توجد شقق Bei uns fehlen Wohnungen für Geflüchtete. אין דירות") is None


GERMAN = "In unserer Gemeinde finden anerkannte Geflüchtete keine Wohnung, die Vermieter winken ab. "
UKRAINIAN = "Ми живемо в гуртожитку вже два роки і не можемо знайти квартиру для своєї родини. "


@pytest.mark.parametrize(
    "text",
    [
        UKRAINIAN * 3 + GERMAN,
        "Unsere ukrainischen Mütter schreiben: " + UKRAINIAN * 2,
        UKRAINIAN * 20 + GERMAN * 20,
        "Nous cherchons des logements pour les réfugiés, mais les propriétaires refusent. " * 15 + GERMAN * 20,
        "12 34 56 78 Tabelle " * 150 + GERMAN * 80,
    ],
)
def test_german_beside_another_language_is_read(text):
    assert unreadable(text) is None


def test_a_long_text_in_another_language_is_told():
    assert unreadable(UKRAINIAN * 40) == "other_language"
    assert unreadable("Jobcenter Berlin: " + UKRAINIAN * 40) == "other_language"
    assert unreadable(OTHER_LANGUAGES[2] * 30) == "other_language"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Wohnung", None),
        ("Wohnung Wohnung", None),
        ("Wohnung Wohnung Wohnung", "repeated"),
        ("Wohnung, Arbeit, Sprache", None),
        ("Ratsuchende 2021: 1.120. Ratsuchende 2024: 2.670.", None),
        ("Bei uns fehlen Wohnungen. " * 40, None),
        ("Kinder 12 13", None),
        ("Kinder 12 13 14", "fragments"),
        ("VHS voll", None),
        ("VHS", None),
        ("VVV", "unknown_words"),
        ("der die das und oder aber", "unknown_words"),
        ("Die VHS", None),
        ("aber sdkfjh und oder", "unknown_words"),
        ("", "fragments"),
    ],
)
def test_where_the_rule_begins(text, why):
    assert unreadable(text) == why


def test_the_tables_behind_a_long_text_do_not_make_fragments_of_it():
    text = "Bei uns finden anerkannte Geflüchtete keine Wohnung. " * 22
    assert unreadable(text + "12 34 56 78 " * 200) is None
    assert unreadable("12 34 56 78 " * 200 + "Tabelle") == "fragments"


@pytest.mark.parametrize("text", ["qx" * 2000, "qwrtz " * 400, " ".join(f"{'x' * n}qwk{'z' * n}" for n in range(150))])
def test_noise_of_any_length_is_told_at_once(text):
    begun = time.process_time()
    assert unreadable(text) in {"unknown_words", "repeated"}
    assert time.process_time() - begun < 2


def test_emoji_go_and_every_offset_stays():
    for text in EMOJI:
        plain = without_pictures(text)
        assert len(plain) == len(text)
        assert plain != text
        assert all(ord(letter) < 0x2190 or letter == " " for letter in plain.replace("\u200d", " "))


def test_marks_before_items_and_signs_of_measure_stay():
    text = "● eins\n✓ zwei\n➢ drei\n• vier 5 °C © § – …"
    assert without_pictures(text) == text


def test_no_word_of_another_language_is_a_german_or_english_function_word():
    own = word_set("stopwords", "de") | word_set("stopwords", "en")
    assert {word for words in load_rules("other_languages").values() for word in words} & own == set()
