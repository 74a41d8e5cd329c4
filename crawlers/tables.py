"""Files of rows as text: CSV, XLSX and JSON into one shape, with row numbers as a spreadsheet counts.

Below: `source`, `charset`, `documents` (zip bombs), pandas. Above: `lists` turns rows into records.
Everything is read as text: nothing is guessed from a cell's looks.
"""

import io
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crawlers.charset import decode
from crawlers.documents import check_zip
from crawlers.source import ListConfig
from crawlers.values import tidy
from crawlers.web import Refusal

SPARE_COLUMNS = 16
"""Columns beyond the widest of the first rows that are still told apart in a row with too many fields."""
DELIMITERS = (";", ",", "\t", "|")
LINE_ENDS = "\r\n"
END_MARK = "\x1eENDE"
"""Put behind a CSV: where it does not come out as a row of its own, a quotation mark swallowed the rest."""

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
    import pandas as pd

    delimiter = config.delimiter or sniff_delimiter(text, max(1, config.header_row))
    width = _width(text, delimiter, max(1, config.header_row)) + SPARE_COLUMNS
    try:
        frame = pd.read_csv(
            io.StringIO(f"{text.rstrip(LINE_ENDS)}\n{END_MARK}\n", newline=""),
            sep=delimiter,
            header=None,
            names=list(range(width)),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
            engine="python",
            on_bad_lines=lambda fields: fields[:width],
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise Refusal("list", f"Die Liste ist kein lesbares CSV ({str(error)[:120]}).") from error
    for row in frame.itertuples(index=False, name=None):
        if row[0] == END_MARK:
            return
        yield [cell if isinstance(cell, str) else None for cell in row]
    raise Refusal("quotes", f"Nach Zeile {len(frame)} wird ein Anführungszeichen nicht geschlossen; der Rest fehlt.")


def sniff_delimiter(text: str, header_row: int = 1) -> str:
    """The mark that separates the columns: the one that the header row has most of, outside quotation marks."""
    line = "\n".join(text.split("\n", header_row + 20)[: header_row + 5])
    bare = re.sub(r'"[^"]*"', "", line)
    counts = {mark: bare.count(mark) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: counts[mark]) if any(counts.values()) else ","


def _width(text: str, delimiter: str, header_row: int) -> int:
    head = "\n".join(text.split("\n", header_row + 50)[: header_row + 50])
    bare = re.sub(r'"[^"]*"', "", head)
    return max(line.count(delimiter) for line in bare.split("\n")) + 1


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
