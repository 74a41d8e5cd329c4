"""Between a record as a file gives it (a mapping) and a `Project`: checks in, key order out.

Below: `data.records`, `data.normalise`. Above: `data.exchange` and `data.exchange_tables`.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from data.normalise import sanitise, sanitise_value
from data.records import PROJECT_KEYS, Project

YEAR_KEYS = ("start_year", "end_year")
_YEAR = re.compile(r"(\d{4})(?:[.,]0+)?")
_FIRST_YEAR, _LAST_YEAR = 1800, 2200
UNDECODED = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as Python's `surrogateescape` keeps them."""


class RecordError(ValueError):
    """Why a record is not accepted, in plain German."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it stands in a file: its 1-based line or row, and its values or the reason why there are none."""

    line: int
    values: Mapping[str, Any] | None = None
    reason: str = ""


def project_from(values: Mapping[str, Any], *, undecoded: bool = False) -> Project:
    """The project of a record.

    Args:
        values: Keys and JSON values in the order of the file; cells of a table as text, empty ones left out.
        undecoded: The file has bytes that are no UTF-8, now U+DC80 to U+DCFF: a record with such is refused.

    Raises:
        RecordError: `id` or `text` missing, or a value of the wrong type.
    """
    if undecoded and UNDECODED.search(json.dumps(values, ensure_ascii=False)):
        raise RecordError("Der Eintrag enthält Bytes, die kein UTF-8 sind. Bitte die Datei als UTF-8 speichern.")
    clean: dict[str, Any] = sanitise_value(dict(values))
    fields = {key: _field(key, clean[key]) for key in PROJECT_KEYS if key in clean}
    for key in ("id", "text"):
        if not (fields.get(key) or "").strip():
            raise RecordError(f"„{key}“ fehlt oder ist leer.")
    extra = {key: value for key, value in clean.items() if key not in fields}
    return Project(**fields, extra=extra, keys=tuple(clean))


def _field(key: str, value: Any) -> Any:
    if key in YEAR_KEYS:
        return _year(key, value)
    if key == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise RecordError(f"„{key}“ muss Text sein, ist aber {json.dumps(value, ensure_ascii=False)[:60]}.")
    return value


def _year(key: str, value: Any) -> int | None:
    """A year given as number or text; `2019,0` and `2019.0` are 2019, the empty text is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    match = _YEAR.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool) or not _FIRST_YEAR <= int(match[1]) <= _LAST_YEAR:
        shown = json.dumps(value, ensure_ascii=False)[:60]
        raise RecordError(f"„{key}“ muss eine Jahreszahl von {_FIRST_YEAR} bis {_LAST_YEAR} sein, ist aber {shown}.")
    return int(match[1])


def record_from(project: Project) -> dict[str, Any]:
    """The record of a project, its keys in the order in which they were given, new ones after them.

    A key that was given as null stays null; without `keys` absent values are left out.
    """
    held: dict[str, Any] = {
        key: getattr(project, key) for key in PROJECT_KEYS if key in project.keys or getattr(project, key) is not None
    }
    held |= {key: value for key, value in project.extra.items() if key not in PROJECT_KEYS}
    order = [key for key in dict.fromkeys(project.keys) if key in held]
    ordered: dict[str, Any] = {key: held[key] for key in order} | held
    return {sanitise(key): sanitise_value(value) for key, value in ordered.items()}


def dump_json(value: Any) -> str:
    """A JSON value on one line, umlauts as they are.

    Raises:
        RecordError: It holds something JSON has no form for (a date, infinity, …).
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"Der Eintrag enthält einen Wert, den JSON nicht kennt ({error}).") from error


class JsonReader:
    """Reads JSON values strictly: no repeated keys, no NaN or infinity."""

    def __init__(self) -> None:
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite, strict=True
        )

    def value(self, text: str, start: int = 0) -> tuple[Any, int]:
        """The JSON value that begins at `start`, and where it ends.

        Raises:
            RecordError: There is none.
        """
        try:
            return self._decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            where = f"Zeile {error.lineno}, " if error.lineno > 1 else ""
            raise RecordError(f"Kein gültiges JSON ({where}Spalte {error.colno}: {error.msg}).") from error
        except RecursionError as error:
            raise RecordError("Das JSON ist zu tief verschachtelt.") from error
        except RecordError:
            raise
        except ValueError as error:
            raise RecordError(f"Kein gültiges JSON ({error}).") from error

    def whole(self, text: str) -> Any:
        """The one JSON value that a text consists of.

        Raises:
            RecordError: It is something else.
        """
        stripped = text.strip(" \t\r\n")
        value, end = self.value(stripped)
        if end != len(stripped):
            raise RecordError(f"Kein gültiges JSON (nach Spalte {end} steht noch etwas).")
        return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise RecordError("Ein Schlüssel steht zweimal im selben Eintrag.")
    return values


def _no_constant(name: str) -> NoReturn:
    raise RecordError(f"Kein gültiges JSON („{name}“ ist keine Zahl).")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RecordError(f"Die Zahl {text[:40]} ist zu groß.")
    return number
