"""Reads a table (CSV, XLSX, JSON) into records by its source's YAML alone; every row is a record or named.

Below: `tables` (pandas), `fields` (rules). Above: `crawl`. Pure: `bytes → records`.
Everything is read as text; a type comes only from a field's name (`values.typed`).
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from crawlers.fields import apply_rule, block_text, parse_html
from crawlers.outcome import Refused
from crawlers.source import FieldRule, ListConfig, SourceConfig
from crawlers.tables import Cell, read_table
from crawlers.values import is_empty, tidy
from crawlers.web import Refusal
from data.records import Fetched

HTML_CELL = re.compile(r"<(?:p|br|div|ul|ol|li|b|strong|em|i|a|span|h[1-6])\b[^<>]*>", re.I)
KEY_FIELDS = ("title", "organisation", "start_date", "start_year", "municipality")
MAX_ROWS = 1_000_000
CUT_SHARE = 0.05
CUT_MIN_CHARS = 100


@dataclass(slots=True)
class ListReading:
    """What is learnt about a list as a whole while its rows are read."""

    rows: int = 0
    empty_rows: int = 0
    notes: list[Refused] = field(default_factory=list)
    """Values that could not be read; their rows are records without them."""
    text_lengths: dict[int, int] = field(default_factory=dict)

    def cut_at(self) -> int | None:
        """The length at which suspiciously many texts end (cut by whoever made the list), or None."""
        longest = max(self.text_lengths, default=0)
        count = self.text_lengths.get(longest, 0)
        enough = count >= 3 and count >= CUT_SHARE * sum(self.text_lengths.values())
        return longest if enough and longest >= CUT_MIN_CHARS else None


def read_list(
    body: bytes, source: SourceConfig, *, fetched_at: str, content_type: str = "", reading: ListReading | None = None
) -> Iterator[Fetched | Refused]:
    """Read a list's rows.

    Args:
        body: The file.
        source: A source of kind `list`.
        fetched_at: When the file was fetched, ISO 8601 in UTC.
        content_type: The Content-Type header, for the charset.
        reading: Filled with what is learnt about the list as a whole.

    Yields:
        For each row that is not empty a record, or the reason why it is none, in the order of the file.

    Raises:
        Refusal: Where the file as a whole cannot be read, or a column that the source names is missing.
    """
    config = source.list
    if config is None:
        raise ValueError("read_list needs a source of kind list")
    reading = reading if reading is not None else ListReading()
    table = read_table(body, config, content_type)
    columns = _columns(table.header, config)
    rows = _Rows(source, config, columns, table.header, fetched_at, reading)
    for number, cells in table.rows:
        if all(cell is None or not cell.strip() for cell in cells):
            reading.empty_rows += 1
            continue
        reading.rows += 1
        if reading.rows > MAX_ROWS:
            raise Refusal("too_big", f"Die Liste hat mehr als {MAX_ROWS} Zeilen.")
        yield rows.read(number, cells)


def _columns(header: tuple[str, ...], config: ListConfig) -> dict[str, tuple[int, ...]]:
    return {name: tuple(_column(header, column) for column in columns) for name, columns in config.columns.items()}


def _column(header: tuple[str, ...], column: str | int) -> int:
    if isinstance(column, int):
        if not 1 <= column <= len(header):
            raise Refusal("columns", f"Eine Spalte {column} gibt es nicht; die Liste hat {len(header)} Spalten.")
        return column - 1
    wanted = tidy(column).casefold()
    matching = [index for index, name in enumerate(header) if name.casefold() == wanted]
    if len(matching) == 1:
        return matching[0]
    if matching:
        numbers = ", ".join(str(index + 1) for index in matching)
        raise Refusal("columns", f"„{column}“ heißen mehrere Spalten ({numbers}); bitte die Nummer angeben.")
    raise Refusal("columns", f"Eine Spalte „{column}“ gibt es nicht. Vorhanden: {' | '.join(header)[:1000]}.")


class _Rows:
    """Turns rows into records and remembers what stood before (duplicates, keys)."""

    def __init__(
        self,
        source: SourceConfig,
        config: ListConfig,
        columns: Mapping[str, tuple[int, ...]],
        header: tuple[str, ...],
        fetched_at: str,
        reading: ListReading,
    ) -> None:
        self.source = source
        self.config = config
        self.columns = columns
        self.header = header
        self.fetched_at = fetched_at
        self.reading = reading
        self.base = config.url or source.homepage
        self._first_row: dict[str, int] = {}
        self._keys: dict[str, int] = {}

    def read(self, number: int, cells: Sequence[Cell]) -> Fetched | Refused:
        problem = self._ragged(cells)
        if problem is not None:
            return self._refuse(number, "ragged", problem)
        present = [cell or "" for cell in cells[: len(self.header)]]
        row = {name or str(index + 1): present[index] for index, name in enumerate(self.header)}
        digest = hashlib.sha256(json.dumps(row, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
        first = self._first_row.setdefault(digest, number)
        if first != number:
            return self._refuse(number, "duplicate", f"Die Zeile ist Wort für Wort gleich der Zeile {first}.")
        values, notes = self._values(present)
        for note in notes:
            self.reading.notes.append(Refused(url=self.base, reason=note, code="value", line=number))
        reason = self._reason(values)
        if reason is not None:
            return self._refuse(number, *reason)
        return self._record(values, digest)

    def _ragged(self, cells: Sequence[Cell]) -> str | None:
        if any(cell for cell in cells[len(self.header) :]):
            return (
                f"Die Zeile hat mehr Felder als die {len(self.header)} Spalten (Trennzeichen oder Anführungszeichen?)."
            )
        if any(cell is None for cell in cells[: len(self.header)]):
            count = sum(cell is not None for cell in cells)
            return f"Die Zeile hat nur {count} von {len(self.header)} Feldern."
        return None

    def _values(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        values: dict[str, Any] = {}
        notes: list[str] = []
        for name, places in self.columns.items():
            rule = self._rule(name)
            texts = [_plain(cells[place]) for place in places if place < len(cells)]
            texts = [text for text in texts if not is_empty(text)]
            texts = [
                text for at, text in enumerate(texts) if not any(_repeats(later, text) for later in texts[at + 1 :])
            ]
            if not texts:
                continue
            glue = rule.join if rule.join is not None else ("\n" if name == "text" else ", ")
            value, problem = apply_rule(
                name, glue.join(texts), rule, decimal=self.config.decimal, date_formats=self.config.date_formats
            )
            if problem is not None:
                notes.append(problem)
            if value is not None:
                values[name] = value
        for name, rules in self.source.fields.items():
            if rules[0].const is not None:
                values.setdefault(name, rules[0].const)
        return values, notes

    def _rule(self, name: str) -> FieldRule:
        rules = self.source.fields.get(name)
        return rules[0] if rules and rules[0].const is None else FieldRule()

    def _reason(self, values: Mapping[str, Any]) -> tuple[str, str] | None:
        for name, pattern in self.config.only.items():
            if not pattern.search(str(values.get(name, ""))):
                return "not_selected", f"Nicht ausgewählt: „{name}“ enthält nichts von „{pattern.pattern[:60]}“."
        for name, rules in self.source.fields.items():
            if any(rule.required for rule in rules) and name not in values:
                return "required", f"Das Pflichtfeld „{name}“ ist leer."
        if not values.get("text") and ("text" in self.columns or not values.get("title")):
            return "no_text", "Die Zeile enthält keinen Text."
        return None

    def _record(self, values: dict[str, Any], digest: str) -> Fetched:
        url = self._address(values)
        title = values.pop("title", None)
        text = values.pop("text", None) or str(title)
        values.pop("id", None)
        self.reading.text_lengths[len(text)] = self.reading.text_lengths.get(len(text), 0) + 1
        return Fetched(
            source=self.source.name,
            url=url,
            title=title,
            text=text,
            facts=values,
            sha256=digest,
            fetched_at=self.fetched_at,
            language=self.source.language,
        )

    def _address(self, values: dict[str, Any]) -> str:
        """An address that stays the record's own when rows move: the row's id, else a hash of what names it."""
        own = values.get("url")
        if isinstance(own, str) and own.startswith(("http://", "https://")) and own not in self._keys:
            self._keys[own] = 1
            values.pop("url")
            return own
        named = values.get("id")
        names = [str(values.get(name, "")) for name in KEY_FIELDS]
        if not any(names):
            names = [str(values.get("text", ""))]
        key = quote(str(named), safe="") if named else hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:16]
        count = self._keys[key] = self._keys.get(key, 0) + 1
        return f"{self.base}#{key}" + (f"-{count}" if count > 1 else "")

    def _refuse(self, number: int, code: str, reason: str) -> Refused:
        return Refused(url=self.base, reason=reason, code=code, line=number)


def _repeats(later: str, text: str) -> bool:
    """Whether a later column begins with all of an earlier one (a summary that begins with the title)."""
    return tidy(later).startswith(tidy(text))


def _plain(cell: str) -> str:
    """A cell's text; where it holds HTML, the visible text of it."""
    if not HTML_CELL.search(cell):
        return cell
    try:
        return block_text(parse_html(cell))
    except Refusal:
        return cell
