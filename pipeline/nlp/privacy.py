"""Personal data masked at the door: private e-mail addresses, phone numbers, IBANs; one code point for one.

Below: `pipeline.nlp.rules`. Above: `pipeline.ingest`, `pipeline.nlp.extract`.
"""

import re
from collections.abc import Iterator
from functools import cache

from pipeline.nlp.rules import load_rules

MASK = "\u2588"
"""FULL BLOCK: stands for each masked code point."""

_AT = r"(?:@|\s?[\[({]\s?(?:at|ät|@)\s?[\])}]\s?)"
_EMAIL = re.compile(
    rf"(?<![\w.+%-])(?P<local>[\w+%-]{{1,64}}(?:\.[\w+%-]{{1,64}}){{0,8}}){_AT}"
    r"(?P<domain>[^\W_][\w-]{0,62}(?:(?:\.|\s?[\[(]\s?(?:dot|punkt)\s?[\])]\s?)[\w-]{1,62}){1,8})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,/–-])\(?(?:\+|0)[\d \u00a0()/.–-]{4,40}\d")
_DATE_OR_TIME = re.compile(
    r"\d{1,2}[. ]{1,2}\d{1,2}(?:\.[ ]?(?:\d{4}|\d{2})\b|[ ]?[-–][ ]?\d{1,2}(?:\.\d\d)?$)|\d\d/\d{4}$"
)
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z\d]{4}){3,7}(?:[ \u00a0]?[A-Z\d]{1,3})?(?![^\W_])")
_LEAST_DIGITS = 7


def personal_spans(text: str) -> list[tuple[int, int]]:
    """The spans of personal data in a text, in order, not overlapping.

    Function mailboxes (`info@`, `poststelle@`) are none. Every phone number is one.

    Args:
        text: Any text.

    Returns:
        Half-open offsets in code points.
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(_found(text)):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def mask(text: str) -> str:
    """The text with every code point of personal data replaced by U+2588; length and offsets stay."""
    pieces = []
    at = 0
    for start, end in personal_spans(text):
        pieces += [text[at:start], MASK * (end - start)]
        at = end
    return "".join([*pieces, text[at:]]) if pieces else text


def _found(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        if not _is_mailbox(match["local"], match["domain"]):
            yield match.span()
    if any(character.isdigit() for character in text):
        yield from (match.span() for match in _IBAN.finditer(text) if _is_iban(match[0]))
        yield from (match.span() for match in _NUMBER.finditer(text) if _is_phone(match[0]))
        yield from (match.span(1) for match in _announced().finditer(text) if not _DATE_OR_TIME.match(match[1]))


def _is_mailbox(local: str, domain: str) -> bool:
    """Whether an address belongs to a function: its first word says so, or it repeats the name of its domain."""
    words = [word for word in re.split(r"[._+\d-]+", local.lower()) if word]
    if not words:
        return False
    mailboxes = _mailboxes()
    return (
        words[0] in mailboxes or local.lower() in mailboxes or local.lower() == re.split(r"[.\s\[(]", domain.lower())[0]
    )


def _is_phone(number: str) -> bool:
    """Whether a run of digits that begins with 0 or + is a phone number: no date, no times, no row of a table."""
    groups = re.findall(r"\d+", number)
    if sum(map(len, groups)) < _LEAST_DIGITS or _DATE_OR_TIME.match(number.lstrip("(")):
        return False
    return sum(len(group) == 1 for group in groups) <= 2


def _is_iban(text: str) -> bool:
    """German ones always (a misspelt one is still somebody's), others if the check digits are right (ISO 13616)."""
    packed = re.sub(r"\s", "", text)
    if packed.startswith("DE"):
        return len(packed) >= 20 and packed[2:].isdigit()
    if not 15 <= len(packed) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in packed[4:] + packed[:4])) % 97 == 1


@cache
def _announced() -> re.Pattern[str]:
    """A number that a word such as `Tel.` announces may be short and written in any way."""
    words = "|".join(map(re.escape, load_rules("privacy")["phone_words"]))
    return re.compile(
        rf"(?<![^\W_])(?:{words})(?:nummer)?\.?[ \u00a0]{{0,2}}[:.]?[ \u00a0]{{0,2}}"
        r"(\(?\+?\d[\d \u00a0()/.–-]{3,40}\d)",
        re.IGNORECASE,
    )


@cache
def _mailboxes() -> frozenset[str]:
    return frozenset(load_rules("privacy")["mailboxes"])
