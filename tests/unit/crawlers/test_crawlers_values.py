"""Reading amounts, dates and years as they stand in real lists."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.values import is_empty, parse_amount, parse_date, parse_year, tidy, tidy_block, typed


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("€ 162859.78", 162859.78),
        ("100.715,41", 100715.41),
        ("9.000,00", 9000.0),
        ("0,00", 0.0),
        ("1.484.400,00 €", 1484400.0),
        ("1,484,400.00", 1484400.0),
        ("75,453.00", 75453.0),
        ("684.12", 684.12),
        ("12.000", 12000.0),
        ("12,5 Mio. Euro", 12_500_000.0),
        ("3,2 Tsd. €", 3200.0),
        ("EUR 1 200,50", 1200.5),
        ("1'200.50", 1200.5),
        ("500,- €", 500.0),
        ("500,-- Euro", 500.0),
        ("\u00a017\u202f000 €", 17000.0),
        ("-5,25", -5.25),
        ("42", 42.0),
    ],
)
def test_amounts(text, amount):
    assert parse_amount(text) == pytest.approx(amount)


@pytest.mark.parametrize(
    "text", ["", "k. A.", "1.2.3,4,5", "ca. 500", "12-15", "10.000 bis 20.000 €", "1.23.456", "€", "12a", "1..2"]
)
def test_what_is_no_single_amount(text):
    assert parse_amount(text) is None


def test_the_sources_own_decimal_mark_settles_doubt():
    assert parse_amount("1.234", ".") == pytest.approx(1.23)  # rounded to cents
    assert parse_amount("1,234", ",") == pytest.approx(1.23)
    assert parse_amount("1.234", ",") == pytest.approx(1234)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**11), st.integers(0, 99))
def test_german_notation_is_read_back(euros, cents):
    grouped = f"{euros:,}".replace(",", ".")
    assert parse_amount(f"{grouped},{cents:02d} €") == pytest.approx(euros + cents / 100)
    assert parse_amount(f"€ {euros}.{cents:02d}") == pytest.approx(euros + cents / 100)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31.03.2016", date(2016, 3, 31)),
        ("1.3.16", date(2016, 3, 1)),
        ("2016-03-31", date(2016, 3, 31)),
        ("2016-03-31T10:15:00Z", date(2016, 3, 31)),
        ("20160331", date(2016, 3, 31)),
        ("31. März 2016", date(2016, 3, 31)),
        ("Sept. 2017", date(2017, 9, 1)),
        ("03/2016", date(2016, 3, 1)),
        ("2016", date(2016, 1, 1)),
        ("1459382400", date(2016, 3, 31)),
        ("1459382400000", date(2016, 3, 31)),
        ("42460", date(2016, 3, 31)),
        ("2016-03-31 00:00:00", date(2016, 3, 31)),
    ],
)
def test_dates(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    "text", ["", "31.02.2016", "bald", "99999999999999", "31.03.0016", "-1", "5", "30. Quark 2016"]
)
def test_what_is_no_date(text):
    assert parse_date(text) is None


def test_only_the_sources_own_formats_count_where_it_names_some():
    assert parse_date("12/31/2012", ["%m/%d/%Y"]) == date(2012, 12, 31)
    assert parse_date("31/12/2012", ["%m/%d/%Y"]) is None
    assert parse_year("seit 2012", ["%m/%d/%Y"]) is None


@settings(max_examples=100, deadline=None)
@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_written_dates_are_read_back(day):
    assert parse_date(day.strftime("%d.%m.%Y")) == day
    assert parse_date(day.isoformat()) == day


def test_years():
    assert parse_year("Laufzeit seit 2015") == 2015
    assert parse_year("2015-2017") is None
    assert parse_year("01.09.2015") == 2015


def test_types_follow_the_fields_name():
    assert typed("start_year", "01.09.2015") == 2015
    assert typed("end_date", "31.08.2016") == "2016-08-31"
    assert typed("cost", "9.000,00") == pytest.approx(9000.0)
    assert typed("funding_eur", "x") is None
    assert typed("organisation", "  AWO \u00ad\n Karlsruhe\u200b ") == "AWO Karlsruhe"


def test_tidy_keeps_paragraphs_only_where_wanted():
    assert tidy("a\r\n b\u00a0c") == "a b c"
    assert tidy_block("a  b \r\n\r\n\r\n\r\n c\t") == "a b\n\nc"
    assert tidy("u\u0308ber") == "über"


@pytest.mark.parametrize("text", ["", " ", ".", ",", "-", "k.A.", "N/A", "\ufeff"])
def test_marks_for_nothing(text):
    assert is_empty(text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_named_unreadable(text):
    for name in ("cost", "start_year", "start_date", "title", "text"):
        typed(name, text)
