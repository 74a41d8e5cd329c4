import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.nlp.analysis import pipeline_zone, tokens
from pipeline.nlp.compounds import compound_parts
from pipeline.nlp.language import load_nlp
from pipeline.nlp.language_id import identify_language
from pipeline.nlp.lemmas import lemma
from pipeline.nlp.search_tokens import search_tokens


@pytest.mark.parametrize(
    "word", ["Mentor:innen", "Bürger/innen", "Schüler*innen", "Lehrer_innen", "Bürger/-innen", "Mentor:innenprogramm"]
)
def test_gender_forms_are_one_token(word):
    assert tokens(f"Die {word}, sie kamen.") == ["Die", word, ",", "sie", "kamen", "."]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Mentor:innen", "mentor"), ("Bürger/innen", "bürger"), ("Schüler*innen", "schüler"), ("LehrerInnen", "lehrer"),
        ("Lehrerinnen", "lehrer"), ("Mentor:innenprogramm", "mentorprogramm"), ("Sprachkurse", "sprachkurs"),
        ("fanden", "finden"), ("Abschluß", "abschluss"), ("Geflüchteten", "geflüchtete"), ("WOHNUNGEN", "wohnung"),
        ("Berlin", "berlin"), ("Termin", "termin"), ("Medizin", "medizin"), ("Spaß", "spaß"), ("1.200", "1.200"),
        ("Fluechtlinge", "flüchtling"),
    ],
)  # fmt: skip
def test_lemmas(word, expected):
    assert lemma(word) == expected


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("sprachkurs", ("sprache", "kurs")),
        ("wohnungsvermittlung", ("wohnung", "vermittlung")),
        ("sprachkursangebot", ("sprache", "kurs", "angebot")),
        ("kitaplatz", ("kita", "platz")),
        ("ausländerbehörde", ("ausländer", "behörde")),
        ("flüchtlingshilfe", ("flüchtling", "hilfe")),
        ("sprachcafé-team", ("sprache", "café", "team")),
        ("gesellschaft", ()), ("landkreis", ()), ("beratung", ()), ("vertrag", ()), ("arbeiten", ()), ("wohnung", ()),
    ],
)  # fmt: skip
def test_compounds(word, parts):
    assert compound_parts(word) == parts


def test_search_tokens_hold_lemmas_and_parts_without_stop_words():
    assert search_tokens("Die Mentor:innen der Sprachkurse und 20 Gäste!") == [
        "mentor",
        "sprachkurs",
        "sprache",
        "kurs",
        "20",
        "gast",
    ]


def test_composed_and_decomposed_umlauts_give_the_same_tokens():
    assert search_tokens("Gefu\u0308chtete Mu\u0308tter") == search_tokens("Gefüchtete Mütter")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_search_tokens(text):
    assert all(token and token == token.lower() for token in search_tokens(text))


@pytest.mark.parametrize("text", ["." * 100_000, "a:innen" * 20_000, "http://" + "a." * 50_000, "1. " * 30_000])
def test_no_text_makes_tokens_slow(text, benchmark_seconds):
    search_tokens("warm")
    with benchmark_seconds(4):
        search_tokens(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wir brauchen mehr Wohnungen für Familien.", "de"),
        ("We need more flats for the families in our town.", "en"),
        ("Nous avons besoin de logements pour les réfugiés dans la ville.", "other"),
        ("Ми потребуємо житла", "other"),
        ("نحتاج إلى شقق", "other"),
        ("Sprachkurs Wohnung", "de"),
        ("", "de"),
    ],
)
def test_languages(text, language):
    assert identify_language(text) == language


def test_the_pipeline_is_made_once_and_only_in_known_languages():
    assert load_nlp("de") is load_nlp("de")
    with pytest.raises(ValueError, match="language"):
        load_nlp("fr")


def test_memory_stays_flat_over_new_words():
    with pipeline_zone() as nlp:
        before = len(nlp.vocab.strings)
    for number in range(200):
        tokens(f"Wort{number} neu{number}")
    with pipeline_zone() as nlp:
        assert len(nlp.vocab.strings) - before < 50


def test_a_zone_entered_again_is_the_outer_one():
    with pipeline_zone() as outer:
        doc = outer.make_doc("Quuxlinge wohnen hier")
        with pipeline_zone() as inner:
            assert inner is outer
        assert tokens("Und Wort9 auch") == ["Und", "Wort9", "auch"]
        assert doc[0].text == "Quuxlinge"
    with pipeline_zone("en") as english, pipeline_zone("de") as german:
        assert english is not german
        assert german.make_doc("Wort10")[0].text == "Wort10"
        assert english.make_doc("word11")[0].text == "word11"


def test_a_zone_that_was_left_by_an_error_can_be_entered_again():
    with pytest.raises(ZeroDivisionError), pipeline_zone():
        _ = 1 / 0
    assert tokens("Noch ein Wort") == ["Noch", "ein", "Wort"]
