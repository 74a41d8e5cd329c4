"""Personal data masked at the door: names, home addresses, private mail, phone numbers, IBANs; one code point for one.

Below: `pipeline.nlp.person_names`, `pipeline.nlp.contact_data`, `pipeline.nlp.home_addresses`.
Above: `pipeline.ingest`, `pipeline.nlp.readings`.
"""

from collections.abc import Iterable

from pipeline.nlp.contact_data import extension_after, mail_addresses, number_spans
from pipeline.nlp.home_addresses import home_addresses
from pipeline.nlp.person_names import person_names

MASK = "\u2588"
"""FULL BLOCK: stands for each masked code point."""


def personal_spans(text: str) -> list[tuple[int, int]]:
    """The spans of personal data in a text, in order, not overlapping.

    Function mailboxes (`info@`, `poststelle@`), names of organisations, schools, streets and prizes, and offices
    without a name are none. Every phone number is one. Street and number count where they belong to a person.

    Args:
        text: Any text.

    Returns:
        Half-open offsets in code points.
    """
    mails = list(mail_addresses(text))
    contacts = _merged([*(match.span() for match in mails), *number_spans(text)])
    persons = _merged(person_names(text, contacts, [match["local"] for match in mails]))
    extensions = [found for _, end in persons if (found := extension_after(text, end))]
    return _merged([*contacts, *persons, *extensions, *home_addresses(text, persons)])


def mask(text: str) -> str:
    """The text with every code point of personal data replaced by U+2588; length and offsets stay."""
    pieces = []
    at = 0
    for start, end in personal_spans(text):
        pieces += [text[at:start], MASK * (end - start)]
        at = end
    return "".join([*pieces, text[at:]]) if pieces else text


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
