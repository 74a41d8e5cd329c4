"""Texts as they stand on pages and in lists, read as what they mean: amounts, dates, years, tidy text.

Below: nothing. Above: `page` and `lists`. Every function gives None for what it cannot read: the caller names it.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

YEAR_FIELDS = frozenset({"start_year", "end_year", "year"})
DATE_FIELDS = frozenset({"start_date", "end_date", "date", "published", "updated"})
AMOUNT_FIELDS = frozenset({"cost", "funding", "budget", "amount"})
DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%Y%m%d", "%d/%m/%Y", "%m/%Y", "%m.%Y", "%Y-%m", "%Y")
MONTHS = {
    "januar": 1, "jänner": 1, "februar": 2, "märz": 3, "maerz": 3, "april": 4, "mai": 5, "juni": 6, "juli": 7,
    "august": 8, "september": 9, "oktober": 10, "november": 11, "dezember": 12,
    "jan": 1, "feb": 2, "mär": 3, "mrz": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "okt": 10,
    "nov": 11, "dez": 12,
}  # fmt: skip
FIRST_YEAR, LAST_YEAR = 1900, 2100
EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's calendar as it counts after its false 29 February 1900."""

BLANKS = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
LONE_HALF = re.compile("[\ud800-\udfff]")
"""Half of a letter beyond the first 65,536, as JSON may name one by `\\ud83d` alone: no file or hash takes it."""
WORD_DATE = re.compile(r"^(?:(\d{1,2})\.?\s+)?([A-Za-zäöüÄÖÜ]{3,9})\.?\s+(\d{4})$")
AMOUNT = re.compile(
    r"^(?:EUR|Euro|€)?\s*(-?\d[\d.,'\u2019\u00a0\u202f ]*?)\s*(Tsd\.?|Tausend|T€|TEUR|Mio\.?|Millionen|Mrd\.?)?\s*"
    r"(?:,-{1,2}|,–)?\s*(?:EUR|Euro|€)?\.?$",
    re.I,
)
FACTORS = {"tsd": 1e3, "tausend": 1e3, "t€": 1e3, "teur": 1e3, "mio": 1e6, "millionen": 1e6, "mrd": 1e9}
EMPTY_MARKS = frozenset(
    {"", "-", "–", "—", ".", ",", "/", "k.a.", "k. a.", "n/a", "n.a.", "null", "none", "nan", "#n/a"}
)


def tidy(text: str) -> str:
    """One line of text: composed letters, no invisible marks, every run of blanks and line breaks one space."""
    return " ".join(_plain(text).split())


def tidy_block(text: str) -> str:
    """Text with its paragraphs: as `tidy`, but line breaks stay, and no more than one empty line stands in a row."""
    unified = _plain(text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [BLANKS.sub(" ", line).strip() for line in unified.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _plain(text: str) -> str:
    """Composed letters, no invisible marks, U+FFFD for half of a letter."""
    return LONE_HALF.sub("\ufffd", INVISIBLE.sub("", unicodedata.normalize("NFC", text)))


def is_empty(text: str) -> bool:
    """Whether a cell stands for "nothing stated"."""
    return tidy(text).lower() in EMPTY_MARKS


def parse_amount(text: str, decimal: str | None = None) -> float | None:
    """An amount of money in euros.

    Args:
        text: E.g. `€ 162859.78`, `100.715,41`, `1.100.000 €`, `12,5 Mio. Euro`, `9.000,00`, `1'200.50`.
        decimal: The decimal mark where the source states it; else the text decides: the last of two kinds of marks,
            a comma before one or two digits, a point that does not stand before exactly three digits.

    Returns:
        The amount, or None where the text is no single amount.
    """
    match = AMOUNT.match(tidy(text).replace("\u2212", "-"))
    if match is None:
        return None
    digits = re.sub(r"['\u2019\u00a0\u202f ]", "", match.group(1))
    mark = decimal or _decimal_mark(digits)
    other = "," if mark == "." else "."
    whole, _, fraction = digits.rpartition(mark) if mark and mark in digits else (digits, "", "")
    groups = whole.split(other)
    if (mark and mark in whole) or any(len(group) != 3 for group in groups[1:]) or not groups[0].lstrip("-").isdigit():
        return None
    if fraction and not fraction.isdigit():
        return None
    unit = (match.group(2) or "").lower().rstrip(".")
    return round(float("".join(groups) + "." + (fraction or "0")) * FACTORS.get(unit, 1.0), 2)


def _decimal_mark(digits: str) -> str:
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and point >= 0:
        return "," if comma > point else "."
    mark, at = (",", comma) if comma >= 0 else (".", point)
    if at < 0:
        return ""
    if digits.count(mark) > 1 or len(digits) - at - 1 == 3:
        return "." if mark == "," else ","
    return mark


def parse_date(text: str, formats: Sequence[str] = ()) -> date | None:
    """A day, from any usual German, ISO, epoch or Excel form; a month or year means its first day.

    Args:
        text: E.g. `31.03.2016`, `2016-03-31T10:00:00Z`, `März 2017`, `1459382400` (seconds), `1459382400000`
            (milliseconds), `42460` (Excel's day number).
        formats: The source's own formats (strptime); where given, only they count.
    """
    cleaned = tidy(text)
    for form in formats or DATE_FORMATS:
        try:
            found = datetime.strptime(cleaned, form).date()
        except ValueError:
            continue
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
    if formats:
        return None
    return _iso_date(cleaned) or _word_date(cleaned) or _numeric_date(cleaned)


def _iso_date(text: str) -> date | None:
    try:
        found = datetime.fromisoformat(text).date()
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def _word_date(text: str) -> date | None:
    match = WORD_DATE.match(text)
    month = MONTHS.get(match.group(2).lower()) if match else None
    if match is None or month is None:
        return None
    try:
        return date(int(match.group(3)), month, int(match.group(1) or 1))
    except ValueError:
        return None


def _numeric_date(text: str) -> date | None:
    match = re.fullmatch(r"(\d{5,13})(?:\.0*)?", text)
    if match is None:
        return None
    number = int(match.group(1))
    if 10_000 <= number < 80_000:
        return EXCEL_EPOCH + timedelta(days=number)
    seconds = number / 1000 if number >= 100_000_000_000 else number
    found = datetime.fromtimestamp(seconds, UTC).date()
    return found if FIRST_YEAR <= found.year <= LAST_YEAR and seconds >= 10_000_000 else None


def parse_year(text: str, formats: Sequence[str] = ()) -> int | None:
    """The year of a date, or the only year that stands in the text."""
    found = parse_date(text, formats)
    if found is not None:
        return found.year
    if formats:
        return None
    years = {int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", text)}
    return years.pop() if len(years) == 1 else None


def typed(name: str, text: str, *, decimal: str | None = None, date_formats: Sequence[str] = ()) -> Any:
    """A field's value in the type that its name asks for.

    Returns:
        An int for years, ISO text for dates, a float for amounts (`cost`, `…_eur`), tidy text for all others; None
        where the text cannot be read as that.
    """
    if name in YEAR_FIELDS or name.endswith("_year"):
        return parse_year(text, date_formats)
    if name in DATE_FIELDS or name.endswith("_date"):
        found = parse_date(text, date_formats)
        return found.isoformat() if found else None
    if name in AMOUNT_FIELDS or name.endswith("_eur"):
        return parse_amount(text, decimal)
    return tidy_block(text) if name == "text" else tidy(text)
