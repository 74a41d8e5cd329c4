import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.numerals import parse_number

UNITS = ["", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
TEENS = ["zehn", "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"]
TENS = ["", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]


def in_words(number):
    if number >= 1000:
        return in_words(number // 1000) + "tausend" + (in_words(number % 1000) if number % 1000 else "")
    if number >= 100:
        return UNITS[number // 100] + "hundert" + (in_words(number % 100) if number % 100 else "")
    if number >= 20:
        return (UNITS[number % 10] + "und" if number % 10 else "") + TENS[number // 10]
    return TEENS[number - 10] if number >= 10 else UNITS[number]


def read(text, language="de"):
    with pipeline_zone(language) as nlp:
        return [(q.value, q.upper, q.unit, q.of) for q in nlp(text)._.quantities]


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 999_999))
def test_number_words_are_read_again(number):
    assert parse_number(in_words(number)) == number


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 999_999_999))
def test_digits_with_separators_are_read_again(number):
    grouped = f"{number:,}"
    assert parse_number(grouped, "en") == number
    assert parse_number(grouped.replace(",", ".")) == number
    assert parse_number(str(number)) == number


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 99_999), st.integers(0, 99))
def test_decimal_commas_are_read_again(whole, cents):
    assert parse_number(f"{whole:,}".replace(",", ".") + f",{cents:02}") == float(f"{whole}.{cents:02}")


@settings(max_examples=60, deadline=None)
@given(st.integers(1900, 9_999_999))
def test_money_is_read_again(amount):
    grouped = f"{amount:,}".replace(",", ".")
    assert read(f"Das Land fördert das mit {grouped} Euro.") == [(amount, None, "money", None)]
    assert read(f"Das Land fördert das mit {grouped.replace('.', ' ')} Euro.") == [(amount, None, "money", None)]
    assert read(f"Das Land fördert das mit {amount} Euro.") == [(amount, None, "money", None)]


@pytest.mark.parametrize(
    "word", ["", "und", "hundertund", "einsund", "tausendund", "3.", "1.2.3", "12a", "²", "٣", "in", "der"]
)
def test_what_is_no_number(word):
    assert parse_number(word) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rund 1.200 Menschen kamen.", [(1200, None, "persons", None)]),
        ("40 bis 50 Frauen kamen.", [(40, 50, "persons", None)]),
        ("40-50 Frauen kamen.", [(40, 50, "persons", None)]),
        ("Es kamen zwischen 40 und 50 Frauen.", [(40, 50, "persons", None)]),
        ("Acht von zehn Jugendlichen blieben.", [(8, None, "persons", 10)]),
        ("74 der 80 Teilnehmenden blieben.", [(74, None, "persons", 80)]),
        ("Gut zwei Drittel blieben.", [(66.67, None, "percent", None)]),
        ("Jeder Fünfte blieb.", [(20, None, "percent", None)]),
        ("Die Hälfte blieb.", [(50, None, "percent", None)]),
        ("94 Prozent blieben.", [(94, None, "percent", None)]),
        ("12% blieben.", [(12, None, "percent", None)]),
        ("Ein Dutzend Helfer kam.", [(12, None, "helpers", None)]),
        ("23 und 22 Frauen blieben.", [(45, None, "persons", None)]),
        ("1500 anerkannte Flüchtlinge kamen.", [(1500, None, "persons", None)]),
        ("15 syrische und afghanische Familien kamen.", [(15, None, "households", None)]),
        ("Es gibt 2,5 Millionen Euro.", [(2_500_000, None, "money", None)]),
        ("57 hatten Arbeit.", [(57, None, "persons", None)]),
        ("Es kamen mehr als 2000 Geflüchtete.", [(2000, None, "persons", None)]),
        (
            "Bis zu 1950 Frauen und ca. 2050 Kinder kamen.",
            [(1950, None, "persons", None), (2050, None, "persons", None)],
        ),
        ("Das Land fördert das mit 2000 Euro.", [(2000, None, "money", None)]),
        ("Nur 2015 Geflüchtete zu beraten, war zu wenig.", []),
        ("Seit 2018 geht das so.", []),
        ("Der Turnverein 1860 zahlte 6.000,- Euro.", [(6000, None, "money", None)]),
        ("1850 Menschen kamen zweieinhalb Jahre lang.", [(1850, None, "persons", None), (2.5, None, "time", None)]),
        ("Am 3. Mai 2017 nach § 24 und SGB II.", []),
        ("Kinder der Klasse 5 mit Niveau B1 um 9 Uhr.", []),
    ],
)
def test_quantities(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Von 60 Teilnehmenden fanden 35 eine Arbeit.", [(60, "persons", None), (35, "persons", 60)]),
        ("Von den rund 40 Helfern machten noch zehn weiter.", [(40, "helpers", None), (10, "helpers", 40)]),
        ("Es gab 370 Plätze, davon rund 112 in Neukölln.", [(370, "places", None), (112, "places", 370)]),
        ("180 Frauen begannen. 97 davon blieben.", [(180, "persons", None), (97, "persons", 180)]),
        ("300 Menschen kamen, darunter 120 Frauen.", [(300, "persons", None), (120, "persons", 300)]),
        ("Von 20 auf 35 stieg die Zahl.", [(20, "things", None), (35, "persons", None)]),
        ("Von 12 Helfern werden acht Kinder betreut.", [(12, "helpers", None), (8, "persons", None)]),
        ("Von acht Helfern blieben zwölf Jahre lang alle.", [(8, "helpers", None), (12, "time", None)]),
        ("Von 60 Frauen war die Rede. Es kamen 35.", [(60, "persons", None), (35, "persons", None)]),
        ("60 Frauen kamen, 35 Männer blieben.", [(60, "persons", None), (35, "persons", None)]),
    ],
)
def test_parts_of_a_whole_that_stands_before_them(text, expected):
    assert [(value, unit, of) for value, _, unit, of in read(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("About 1,200 people came.", [(1200, None, "persons", None)]),
        ("The state paid €6.5 million.", [(6_500_000, None, "money", None)]),
        ("They got EUR 35,000 and 2,000 euros.", [(35_000, None, "money", None), (2000, None, "money", None)]),
        ("They got $500.", [(500, None, "things", None)]),
        ("Forty-nine people came.", [(49, None, "persons", None)]),
        ("Two hundred and fifty Syrian women came.", [(250, None, "persons", None)]),
        ("A hundred people came.", [(100, None, "persons", None)]),
        ("Only ten to 15 active members came.", [(10, 15, "persons", None)]),
        ("Between 20 and 25 volunteers help.", [(20, 25, "helpers", None)]),
        ("Some 70 per cent stayed.", [(70, None, "percent", None)]),
        ("One in five left, eight in ten stayed.", [(20, None, "percent", None), (80, None, "percent", None)]),
        (
            "Two thirds passed, and so did a quarter of them.",
            [(66.67, None, "percent", None), (25, None, "percent", None)],
        ),
        ("Half of the women passed.", [(50, None, "percent", None)]),
        ("In the second half of the year it rained.", []),
        ("Work was found by 186 of the 2,069 participants.", [(186, None, "persons", 2069)]),
        ("Of them, 57 had work.", [(57, None, "persons", None)]),
        ("Five members of staff learned.", [(5, None, "persons", None)]),
        ("It helped 300 language course participants.", [(300, None, "persons", None)]),
        ("Pupils aged 16 to 25 met on 14 April 2016 at 11 a.m.", []),
        ("These 16-year-olds are under 18.", []),
        ("It is one of the best.", []),
        ("Around 2000 refugees came in around 2016.", [(2000, None, "persons", None)]),
    ],
)
def test_english_quantities(text, expected):
    assert read(text, "en") == expected


@pytest.mark.parametrize(
    ("word", "number"), [("anderthalb", 1.5), ("eineinhalb", 1.5), ("dreieinhalb", 3.5), ("einhalb", None)]
)
def test_halves(word, number):
    assert parse_number(word) == number


def test_the_longest_number_words_are_read():
    assert parse_number("siebenhundertsiebenundsiebzigtausendsiebenhundertsiebenundsiebzig") == 777_777
