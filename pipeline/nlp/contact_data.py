"""Contact data in a text: private e-mail addresses, phone numbers, IBANs and account numbers, as spans.

Below: `pipeline.nlp.name_tables`. Above: `pipeline.nlp.privacy`.
"""

import re
from collections.abc import Iterator
from functools import cache

from pipeline.nlp.name_tables import fold, tables

_AT = (
    r"(?:@|＠|\s?[\[({<]\s?(?:at|ät|a|@)\s?[\])}>]\s?|\s@\s"
    r"|\s(?:at|ät)\s(?=[\w.-]{2,60}(?:\.|\s?(?:dot|punkt)\s)[a-z]{2,6}\b))"
)
_DOT = r"(?:\.|\s?[\[({]\s?(?:dot|punkt|\.)\s?[\])}]\s?|\s(?:dot|punkt)\s)"
_EMAIL = re.compile(
    rf"(?<![\w.+%-])(?P<local>[\w+%'-]{{1,64}}(?:{_DOT}[\w+%'-]{{1,64}}){{0,8}}){_AT}"
    rf"(?P<domain>[^\W_][\w-]{{0,62}}(?:{_DOT}[\w-]{{1,62}}){{1,8}})",
    re.IGNORECASE,
)
_MAY_BE_MAIL = re.compile(r"[@＠]|[\[({<]\s?(?:at|ät|a)\s?[\])}>]|\s(?:at|ät)\s", re.IGNORECASE)
_PARTS_OF_LOCAL = re.compile(r"[._+\d-]+|\s?[\[({]?(?:dot|punkt)[\])}]?\s?")
_GAP = r" \u00a0\u2007\u2009\u202f()/.\u2010-\u2015-"
_NUMBER = re.compile(
    rf"(?<![\w.,/–-])\(?(?:\+|0)(?:[\d{_GAP}]|(?<=[\d)][/–-])\r?\n){{4,40}}\d(?:\s?(?:oder|und|bis|,|/|sowie)\s?[-–]\s?\d{{1,5}}(?!\w))*"
)
_DATE_OR_TIME = re.compile(
    r"\d{1,2}[. ]{1,2}\d{1,2}(?:\.[ ]?(?:\d{4}|\d{2})\b|[ ]?[-–][ ]?\d{1,2}(?:\.\d\d)?$)|\d\d/\d{4}$"
    r"|(?:\d{1,2}\.){1,2}\s?(?:\d{4})?\s?[-–/]\s?(?:\d{1,2}\.){1,2}\s?(?:\d{2,4})?$|\d\d[./]\d{4}\s?[-–]\s?\d\d[./]\d{4}$"
    r"|\d\d\.\d\d\s?[-–]\s?\d\d\.\d\d"
)
_IBAN = re.compile(
    r"(?<![^\W_])[A-Z]{2}[ \u00a0]?\d{2}(?:[ \u00a0.-]?[A-Z\d]{4}){3,7}(?:[ \u00a0.-]?[A-Z\d]{1,3})?(?![^\W_])",
    re.IGNORECASE,
)
_GERMAN_IBAN = re.compile(r"(?<![^\W_])DE[ \u00a0]?\d(?:[ \u00a0.-]{0,2}\d){17,21}(?!\d)", re.IGNORECASE)
_ACCOUNT = re.compile(
    r"\b(?:Konto(?:nummer|-?Nr\.?)?|Kto\.?(?:-?Nr\.?)?)[ \u00a0:.]{1,3}(\d[\d \u00a0]{4,14}\d)", re.IGNORECASE
)
_BARE_EXTENSION = re.compile(r"\(([-–]\s?\d{2,5})\)")
_AFTER_A_PERSON = re.compile(r"[,:]?[ \u00a0(]{1,2}([-–]\s?\d{2,5})(?![\w.,]\d|\w)")
_BOOK = re.compile(r"ISBN(?:-1[03])?[ \u00a0:.]{0,3}$", re.IGNORECASE)
_AMOUNT = re.compile(r"\+?[1-9](?:\d{0,2}(?:[. \u00a0]\d{3}){1,3}|\d{0,9})")
_LEAST_DIGITS = 7
_DIGIT = re.compile(r"\d")


def number_spans(text: str) -> Iterator[tuple[int, int]]:
    """The spans of phone numbers and accounts; they may overlap."""
    if _DIGIT.search(text):
        yield from (match.span() for match in _IBAN.finditer(text) if _is_iban(match[0]))
        yield from (match.span() for match in _GERMAN_IBAN.finditer(text))
        phones = (match.span() for match in _NUMBER.finditer(text) if _is_phone(match[0]))
        told = (match.span(1) for match in _announced().finditer(text) if not _DATE_OR_TIME.match(match[1]))
        yield from (span for span in (*phones, *told) if not _counts(text, *span))
        yield from (match.span(1) for match in _extension().finditer(text))
        yield from (match.span(1) for match in _BARE_EXTENSION.finditer(text))
        yield from (match.span(1) for match in _ACCOUNT.finditer(text))


def mail_addresses(text: str) -> Iterator[re.Match[str]]:
    """The private mail addresses, as matches with the groups `local` and `domain`."""
    if not _MAY_BE_MAIL.search(text):
        return
    for match in _EMAIL.finditer(text):
        if not _is_mailbox(match["local"], match["domain"]):
            yield match


def is_function_mailbox(address: str) -> bool:
    """Whether a string is a mail address that belongs to a function: `info@…`, `integration@…`."""
    match = _EMAIL.fullmatch(address)
    return match is not None and _is_mailbox(match["local"], match["domain"])


def _is_mailbox(local: str, domain: str) -> bool:
    """Whether an address belongs to a function: its first word says so and no given name follows it.

    So does an address that repeats the name of its domain. In a domain that is a person's name nothing is a function.
    """
    words = [word for word in _PARTS_OF_LOCAL.split(local.lower()) if word]
    label = re.split(r"[.\s\[(]", domain.lower())[0]
    if not words or _is_personal(label):
        return False
    if any(tables().is_given(word) for word in words[1:]):
        return False
    if not tables().has("freemail", label) and all(map(_is_no_name, words)):
        return True
    return _is_function(words[0]) or local.lower() in _mailboxes() or (fold(local) == fold(label) and len(local) > 3)


def _is_no_name(word: str) -> bool:
    """Whether a part of an address is a word of the language and nobody's name: `rückkehr`, `asylblg`."""
    known = tables()
    if len(word) < 3 or known.is_given(word) or known.is_ambiguous(word) or known.is_surname(word):
        return False
    forms = (word, word.replace("ae", "ä").replace("oe", "ö").replace("ue", "ü"))
    return any(known.is_common(form) or known.is_head(form) or known.is_lead(form) for form in forms) or any(
        word[:cut] in _mailboxes() and not known.is_surname(word[:cut]) for cut in range(4, min(len(word), 16))
    )


def _is_function(word: str) -> bool:
    if word in _mailboxes():
        return True
    return any(len(word) - cut >= 5 and word[cut:] in _mailboxes() for cut in range(3, len(word) - 4))


def _is_personal(label: str) -> bool:
    """Whether the label of a domain is a given name and a family name: `maria-huber`."""
    parts = label.split("-")
    known = tables()
    return (
        len(parts) == 2 and known.is_given(parts[0]) and not known.is_common(parts[1]) and not known.is_head(parts[1])
    )


def _is_phone(number: str) -> bool:
    """Whether a run of digits that begins with 0 or + is a phone number: no date, no times, no row of a table."""
    groups = re.findall(r"\d+", number)
    if sum(map(len, groups)) < _LEAST_DIGITS or _DATE_OR_TIME.match(number.lstrip("(")):
        return False
    return number.lstrip("(").startswith("+") or sum(len(group) == 1 for group in groups) <= 2


def _counts(text: str, start: int, end: int) -> bool:
    """Whether a number says how many or names a book: `+1.200.000 Menschen`, `ISBN 0-19-852663-6`."""
    if _BOOK.search(text, max(0, start - 12), start):
        return True
    return bool(_AMOUNT.fullmatch(text, start, end) and _counted().match(text, end))


@cache
def _counted() -> re.Pattern[str]:
    words = "|".join(map(re.escape, tables().words("counted")))
    return re.compile(rf"[ \u00a0]{{0,2}}(?:{words})(?![^\W_])", re.IGNORECASE)


def _is_iban(text: str) -> bool:
    """German ones always (a misspelt one is still somebody's), others if the check digits are right (ISO 13616)."""
    packed = re.sub(r"[\s.-]", "", text).upper()
    if packed.startswith("DE"):
        return len(packed) >= 20 and packed[2:].isdigit()
    if not 15 <= len(packed) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in packed[4:] + packed[:4])) % 97 == 1


def extension_after(text: str, at: int) -> tuple[int, int] | None:
    """The last digits of a number right after a person: `Herr Pfeifer, -416`."""
    match = _AFTER_A_PERSON.match(text, at, at + 16)
    return match.span(1) if match else None


@cache
def _announced() -> re.Pattern[str]:
    """A number that a word such as `Tel.` announces may be short and written in any way."""
    words = "|".join(map(re.escape, tables().words("phone_words")))
    glue = (
        r"(?:[ \u00a0/.:,-]|\([^()\d\n]{1,15}\)|(?:fax|telefax|mobil|whatsapp|nummern|nummer|nr|lautet|unter|privat"
        r"|dienstlich|geschäftlich|abends|tagsüber|vormittags|nachmittags|direkt|zentrale|büro)\b){0,8}"
    )
    return re.compile(
        rf"(?<![^\W_])(?:{words})(?:nummer)?(?![^\W_]){glue}(\(?\+?\d(?:[\d{_GAP}]|(?<=[\d)][/–-])\r?\n){{3,40}}\d"
        r"(?:\s?(?:oder|und|bis|,|/|sowie)\s?[-–]\s?\d{1,5}(?!\w))*)",
        re.IGNORECASE,
    )


@cache
def _extension() -> re.Pattern[str]:
    """The last digits alone: `Durchwahl -34`, `App. 2208`, `Fax -119`."""
    words = "|".join(map(re.escape, tables().words("extension_words")))
    strict = r"durchwahl|dw|apparat|app\.|nebenstelle|nst"
    return re.compile(
        rf"(?<![^\W_])(?:(?:{words})[ \u00a0.:]{{0,3}}(?=[-–])|(?:{strict})[ \u00a0.:]{{1,3}})"
        r"([-–]?\s?\d{1,5}(?:\s?(?:oder|und|bis|,|/|sowie)\s?[-–]\s?\d{1,5})*)(?![\w])",
        re.IGNORECASE,
    )


@cache
def _mailboxes() -> frozenset[str]:
    return frozenset(tables().words("mailboxes"))
