"""What an entry of a vocabulary file must look like, as data; every finding names file and line.

Below: `data.vocabulary_files`. Above: `data.vocabulary`.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from data.vocabulary_files import Entry, Place, VocabularyError

SIZES = ("landgemeinde", "kleinstadt", "mittelstadt", "grossstadt", "kreis")
SETTINGS = ("land", "stadt")
COMPETENT = ("gemeinde", "kreis", "jobcenter", "land", "bund", "traeger")
DUTIES = ("pflichtig", "freiwillig")
LEGAL_STATUSES = ("gestattet", "geduldet", "anerkannt", "p24")
"""Permission to stay pending the procedure, suspension of deportation, recognised protection, § 24 AufenthG."""

_ID = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_CONDITIONS = ("setting", "size", "group", "stage")

Check = Callable[[Any], str | None]
"""Returns what is wrong with a value, in German, or None."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an entry."""

    check: Check
    required: bool = False


def text(value: Any) -> str | None:
    """A text that is not empty."""
    return None if isinstance(value, str) and value.strip() else "erwartet wird Text"


def texts(value: Any) -> str | None:
    """A list of texts."""
    if isinstance(value, list) and all(text(item) is None for item in value):
        return None
    return "erwartet wird eine Liste von Texten"


def some_texts(value: Any) -> str | None:
    """A list of at least one text."""
    return texts(value) if value else "erwartet wird eine Liste von mindestens einem Text"


def one_id(value: Any) -> str | None:
    """An id of small letters, digits, hyphens and underscores."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return None
    return f"„{value}“ ist keine id (Kleinbuchstaben, Ziffern, Binde- und Unterstriche)"


def choice(allowed: Collection[str]) -> Check:
    """One of the given ids."""

    def check(value: Any) -> str | None:
        if isinstance(value, str) and value in allowed:
            return None
        return f"„{value}“ ist unbekannt (erlaubt: {', '.join(allowed)})"

    return check


def choices(allowed: Collection[str], *, least: int = 0) -> Check:
    """A list of the given ids, none twice."""
    one = choice(allowed)

    def check(value: Any) -> str | None:
        if not isinstance(value, list) or len(value) < least:
            return "erwartet wird eine Liste von ids" + (f", mindestens {least}" if least else "")
        wrong = next((reason for item in value if (reason := one(item))), None)
        twice = next((item for item in value if value.count(item) > 1), None)
        return wrong or (f"„{twice}“ steht zweimal in der Liste" if twice else None)

    return check


def check_entry(entry: Entry, keys: Mapping[str, Key]) -> None:
    """Checks an entry's keys and values.

    Raises:
        VocabularyError: An unknown or missing key, or a wrong value.
    """
    for name, value in entry.values.items():
        if name not in keys:
            raise VocabularyError(
                entry.at(name), f"{_of(entry)}: Den Schlüssel „{name}“ gibt es nicht (bekannt: {', '.join(keys)})."
            )
        reason = keys[name].check(value)
        if reason:
            raise VocabularyError(entry.at(name), f"{_of(entry)}, „{name}“: {reason}.")
    for name, key in keys.items():
        if key.required and name not in entry.values:
            raise VocabularyError(entry.place, f"{_of(entry)}: Der Schlüssel „{name}“ fehlt.")


def check_twins(entries: Iterable[Entry]) -> None:
    """Raises VocabularyError where two entries have the same title but for case, spaces and punctuation."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        folded = unicodedata.normalize("NFKC", entry.values["title"]).casefold()
        title = "".join(character for character in folded if character.isalnum())
        twin = seen.setdefault(title, entry)
        if twin is not entry:
            raise VocabularyError(
                entry.at("title"),
                f"{_of(entry)}: Denselben Titel hat schon „{twin.id}“ "
                f"({twin.at('title').file.name}, Zeile {twin.at('title').line}).",
            )


def check_arrows(entry: Entry, known: Callable[[str], bool], groups: Collection[str]) -> None:
    """Checks a need's arrows: at least one, to known approaches, graded 1 to 3, conditions of known ids.

    Raises:
        VocabularyError: One of these does not hold.
    """
    arrows = entry.values["arrows"]
    if not isinstance(arrows, dict) or not arrows:
        raise VocabularyError(entry.at("arrows"), f"{_of(entry)}: Der Bedarf braucht mindestens einen Pfeil.")
    for approach, arrow in arrows.items():
        place = entry.at(f"arrows/{approach}")
        if not known(approach):
            raise VocabularyError(place, f"{_of(entry)}: Den Ansatz „{approach}“ gibt es nicht.")
        grade = arrow.get("grade") if isinstance(arrow, dict) else arrow
        if isinstance(grade, bool) or not isinstance(grade, int) or not 1 <= grade <= 3:
            raise VocabularyError(place, f"{_of(entry)}, „{approach}“: Die Stärke muss 1, 2 oder 3 sein.")
        if isinstance(arrow, dict):
            _check_condition(entry, approach, arrow, groups)


def _check_condition(entry: Entry, approach: str, arrow: Mapping[str, Any], groups: Collection[str]) -> None:
    path = f"arrows/{approach}"
    for name in arrow:
        if name not in {"grade", "if"}:
            raise VocabularyError(entry.at(f"{path}/{name}"), f"{_of(entry)}, „{approach}“: unbekannt ist „{name}“.")
    if "if" not in arrow:
        return
    condition = arrow["if"]
    if not isinstance(condition, dict) or not condition:
        raise VocabularyError(entry.at(f"{path}/if"), f"{_of(entry)}, „{approach}“: Die Bedingung „if“ ist leer.")
    checks: dict[str, Check] = {
        "setting": choices(SETTINGS, least=1), "size": choices(SIZES, least=1), "group": choices(groups, least=1),
        "stage": some_texts,
    }  # fmt: skip
    for name, value in condition.items():
        reason = checks[name](value) if name in checks else f"erlaubt sind {', '.join(_CONDITIONS)}"
        if reason:
            raise VocabularyError(entry.at(f"{path}/if/{name}"), f"{_of(entry)}, „{approach}“, „{name}“: {reason}.")


def fail(place: Place, entry: Entry, reason: str) -> VocabularyError:
    """An error about an entry, to be raised."""
    return VocabularyError(place, f"{_of(entry)}: {reason}")


def _of(entry: Entry) -> str:
    return f"„{entry.id}“"
