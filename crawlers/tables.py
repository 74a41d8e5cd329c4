"""Files of rows as text: CSV, XLSX and JSON into one shape, with row numbers as a spreadsheet counts.

Below: `source`, `charset`, `documents` (zip bombs), csv, pandas (XLSX). Above: `lists` turns rows into records.
Everything is read as text: nothing is guessed from a cell's looks.
"""

import csv
import io
import json
import math
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crawlers.charset import decode
from crawlers.documents import check_zip
from crawlers.source import ListConfig
from crawlers.values import tidy
from crawlers.web import Refusal

DELIMITERS = (";", ",", "\t", "|")
LINE_ENDS = "\r\n"
MAX_CELL_CHARS = 10_000_000
MAX_CHARS_AGAIN = 50_000_000
"""Of the lines of a CSV that are read again because a quotation mark before them is not closed."""

Cell = str | None
"""None: the row ended before this column."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as text: names of the columns and the rows below them, with their numbers as a spreadsheet counts."""

    header: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[Cell]]]


def read_table(body: bytes, config: ListConfig, content_type: str = "") -> Table:
    """Read a file into a table of text (see `read_list` for what is raised)."""
    if config.format == "xlsx":
        return _with_header(_xlsx_rows(body, config), config)
    text, _ = decode(body, content_type, config.encoding)
    if config.format == "json":
        return _json_table(text, config)
    return _with_header(_csv_rows(text.replace("\x00", "\ufffd"), config), config)


def _with_header(rows: Iterator[Sequence[Cell]], config: ListConfig) -> Table:
    numbered = enumerate(rows, start=1)
    if config.header_row == 0:
        first = next(numbered, None)
        if first is None:
            raise Refusal("list", "Die Liste ist leer.")
        width = max((index for index, cell in enumerate(first[1], 1) if cell is not None), default=0)
        header = tuple(str(index + 1) for index in range(width))
        return Table(header, _chain(first, numbered))
    for number, cells in numbered:
        if number == config.header_row:
            names = [tidy(cell or "") for cell in cells]
            while names and not names[-1]:
                names.pop()
            return Table(tuple(names), numbered)
    raise Refusal("list", f"Die Liste hat keine Zeile {config.header_row} mit Spaltennamen.")


def _chain(first: tuple[int, Sequence[Cell]], rest: Iterator[tuple[int, Sequence[Cell]]]) -> Iterator[Any]:
    yield first
    yield from rest


def _csv_rows(text: str, config: ListConfig) -> Iterator[Sequence[Cell]]:
    text = text.rstrip(LINE_ENDS)
    delimiter = config.delimiter or sniff_delimiter(text, max(1, config.header_row))
    try:
        reader = _CsvReader(text, delimiter)
    except (TypeError, ValueError) as error:
        raise Refusal("list", f"Mit dem Trennzeichen „{delimiter}“ lässt sich kein CSV lesen.") from error
    lines = 0
    while (cells := reader.next_row()) is not None:
        lines += 1 + _breaks("\x1f".join(cells))
        if reader.number == max(1, config.header_row):
            named = [at for at, cell in enumerate(cells, start=1) if config.header_row == 0 or tidy(cell)]
            reader.width = named[-1] if named else 0
        yield [*cells, *[None] * (reader.width - len(cells))]
    if text and lines != 1 + _breaks(text):
        raise Refusal("list", f"Die Datei hat {1 + _breaks(text)} Zeilen, gelesen wurden {lines}.")


def _breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class _CsvReader:
    """Reads a CSV row by row, so that each line of the file is part of exactly one row.

    Quotation marks in odd places are read as Python's csv reads them: `"Die Brücke" e. V.` is `Die Brücke e. V.`. One
    that is not closed in its own row would join that with the rows below: its line becomes a row by itself, and the
    lines that it swallowed are read again.
    """

    def __init__(self, text: str, delimiter: str) -> None:
        self.delimiter = delimiter
        self.number = 0
        """Of the last row."""
        self.width = 0
        """Columns, once they are known."""
        self._file = io.StringIO(text, newline="")
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        """The lines of the last row."""
        self._spare = MAX_CHARS_AGAIN
        self._ended = False
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_CHARS))  # csv knows it for the whole process only
        self._rows = csv.reader(self._lines(), delimiter=delimiter)

    def _lines(self) -> Iterator[str]:
        while line := self._again.popleft() if self._again else self._file.readline():
            self._taken.append(line)
            yield line
        self._ended = True

    def next_row(self) -> list[str] | None:
        """The cells of the next row, None where no line is left.

        Raises:
            Refusal: A quotation mark is not closed to the end of the file, or a cell is too long.
        """
        self._taken = []
        try:
            cells = next(self._rows, None)
        except csv.Error as error:
            reason = f"Nach Zeile {self.number} hat ein Feld mehr als {MAX_CELL_CHARS} Zeichen; der Rest fehlt."
            raise Refusal("too_big", reason) from error
        if cells is None:
            return None
        if self._ended:
            reason = f"Nach Zeile {self.number} wird ein Anführungszeichen nicht geschlossen; der Rest fehlt."
            raise Refusal("quotes", reason)
        self.number += 1
        return self._first_line() if len(self._taken) > 1 and self._is_several(cells) else cells

    def _is_several(self, cells: Sequence[str]) -> bool:
        """Whether what was read as one row of several lines are several rows.

        Either a cell with line breaks goes on behind its closing mark, and there are delimiters for two rows; or these
        are not the cells of a row, and each line has the delimiters of one.
        """
        counts = [line.count(self.delimiter) for line in self._taken]
        if not self._are_closed(cells):
            return sum(counts) >= 2 * (self.width - 1)
        fits = len(cells) >= self.width and not any(cells[self.width :])
        return not fits and set(counts) == {self.width - 1}

    def _are_closed(self, cells: Sequence[str]) -> bool:
        """Whether each cell with line breaks stands between two quotation marks and two delimiters."""
        row = self.delimiter + "".join(self._taken).rstrip(LINE_ENDS) + self.delimiter
        at = 0
        for cell in cells:
            if _breaks(cell):
                marked = '"' + cell.replace('"', '""') + '"'
                at = row.find(self.delimiter + marked + self.delimiter, at)
                if at < 0:
                    return False
                at += len(marked) + 1
        return True

    def _first_line(self) -> list[str]:
        first, *others = self._taken
        self._spare -= sum(map(len, others))
        if self._spare < 0:
            reason = (
                f"Nach Zeile {self.number - 1} verbinden Anführungszeichen die Zeilen immer wieder; der Rest fehlt."
            )
            raise Refusal("quotes", reason)
        self._again.extendleft(reversed(others))
        return next(csv.reader([first.rstrip(LINE_ENDS)], delimiter=self.delimiter), [])


def sniff_delimiter(text: str, header_row: int = 1) -> str:
    """The mark that separates the columns: the one that the header row has most of, outside quotation marks."""
    line = "\n".join(text.split("\n", header_row + 20)[: header_row + 5])
    bare = re.sub(r'"[^"]*"', "", line)
    counts = {mark: bare.count(mark) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: counts[mark]) if any(counts.values()) else ","


def _xlsx_rows(body: bytes, config: ListConfig) -> Iterator[Sequence[Cell]]:
    import pandas as pd

    check_zip(body, "xl/workbook.xml", "Excel-Datei (.xlsx)")
    sheet: str | int = config.sheet if config.sheet is not None else 0
    if isinstance(sheet, int) and sheet > 0:
        sheet -= 1
    try:
        frame = pd.read_excel(
            io.BytesIO(body), sheet_name=sheet, header=None, dtype=object, keep_default_na=False, engine="openpyxl"
        )
    except Exception as error:  # openpyxl raises nearly anything on a damaged file
        raise Refusal("list", f"Die Excel-Datei lässt sich nicht lesen ({str(error)[:120]}).") from error
    for row in frame.itertuples(index=False, name=None):
        yield [cell_text(cell, config.decimal) for cell in row]


def cell_text(value: Any, decimal: str | None) -> str:
    """A spreadsheet's or JSON's value in the notation of the list: whole numbers without point, days as ISO text."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "ja", False: "nein"}[value]
    if isinstance(value, int | float):
        return _number_text(value, decimal)
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "; ".join(text for item in value if (text := cell_text(item, decimal)))
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)


def _number_text(value: float, decimal: str | None) -> str:
    if math.isnan(value):
        return ""
    text = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return text.replace(".", decimal or ".")


def _json_table(text: str, config: ListConfig) -> Table:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Refusal("list", f"Die Liste ist kein gültiges JSON ({error}).") from error
    for key in (config.path or "").split(".") if config.path else ():
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise Refusal("list", f"Unter „{config.path or 'der obersten Ebene'}“ steht im JSON keine Liste von Zeilen.")
    names = [name for columns in config.columns.values() for name in columns]
    header = tuple(dict.fromkeys(str(name) for name in names))
    present = {name for row in found for name in header if _dig(row, name)[0]}
    known = tuple(name for name in header if name in present or not found)
    rows = (
        (number, [cell_text(_dig(row, name)[1], config.decimal) for name in known])
        for number, row in enumerate(found, 1)
    )
    return Table(known, rows)


def _dig(row: Any, path: str) -> tuple[bool, Any]:
    if isinstance(row, dict) and path in row:
        return True, row[path]
    for key in path.split("."):
        if not isinstance(row, dict) or key not in row:
            return False, None
        row = row[key]
    return True, row
