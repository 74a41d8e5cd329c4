"""Projects as tables: CSV and XLSX, cell by cell.

Below: `data.exchange_records`. Above: `data.exchange`.

What a cell means, in both formats:
- An empty cell and an absent value are the same; an empty text in one of the project's own fields becomes absent.
- A column whose header begins with `json:` holds JSON values of an unknown key. It is used where a plain text column
  would lose something: numbers, truth values, lists, objects, null, empty texts.
- CSV: a text that a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, tab or carriage return first) has an
  apostrophe before it, as spreadsheets themselves mark text; reading takes one such apostrophe away again.
- XLSX: every cell but the years is typed as text, so nothing is ever computed; carriage returns are written as
  `_x000D_`, and a literal `_xHHHH_` as `_x005F_xHHHH_` (ECMA-376, ST_Xstring).

CSV is read with Python's own reader: pandas pads short rows silently and knows no line numbers.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from data.errors import CheckupError
from data.exchange_records import YEAR_KEYS, JsonReader, RawRecord, RecordError, dump_json, record_from
from data.records import PROJECT_KEYS, Project, Rejected

JSON_MARK = "json:"
CELL_LIMIT = 32_767
"""Characters (UTF-16 units) in an XLSX cell, rows and columns of a sheet: Excel specifications and limits."""
ROW_LIMIT, COLUMN_LIMIT = 1_048_576, 16_384
UNPACKED_LIMIT_BYTES = 256 * 1024 * 1024
"""An XLSX file that unpacks to more is refused unread (the densest honest tables stay far below)."""

_FIELD_LIMIT = 256 * 1024 * 1024
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED_FORMULA = re.compile(r"'+[=+\-@\t\r]")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


# --- reading ---------------------------------------------------------------------------------------------------------


def read_csv(text: str, source: str) -> Iterator[RawRecord]:
    """The records of a CSV text; the line is the one a record begins in.

    The delimiter is whichever of `;`, `,` and tab splits the header into the most columns.

    Raises:
        CheckupError: No usable header.
    """
    before = csv.field_size_limit(_FIELD_LIMIT)
    try:
        rows = list(_csv_rows(text, _delimiter(text)))
    finally:
        csv.field_size_limit(before)
    if not rows or isinstance(rows[0][1], str):
        raise CheckupError(f"{source}: Die Kopfzeile ist nicht lesbar. Erwartet werden die Spalten „id“ und „text“.")
    names = [_plain(name) for name in rows[0][1]]
    return _records(names, rows[1:], source, _plain)


def _csv_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Line and cells of each row, or line and reason of one that is malformed; empty lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if "unexpected end" in str(error):
                yield line, "Ein Anführungszeichen wird bis zum Ende der Datei nicht geschlossen."
                return
            yield line, f"Die Zeile ist kein gültiges CSV ({error})."
            continue
        if cells is None:
            return
        if cells:
            yield line, cells


def _delimiter(text: str) -> str:
    header = next(iter(io.StringIO(text)), "")
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=bare.count)


def read_xlsx(stream: BinaryIO, source: str) -> Iterator[RawRecord]:
    """The records of the first sheet of an XLSX file; the line is the row.

    Raises:
        CheckupError: No XLSX file, one that unpacks to more than UNPACKED_LIMIT_BYTES, or no usable header.
    """
    content = stream.read()
    check_zip(content, source)
    import pandas as pd

    try:
        frame = pd.read_excel(
            io.BytesIO(content), header=None, dtype=str, keep_default_na=False, na_filter=False, engine="openpyxl"
        )
    except (
        ValueError, KeyError, TypeError, AttributeError, IndexError, SyntaxError, EOFError, OSError, MemoryError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise CheckupError(f"{source}: Die XLSX-Datei ist beschädigt ({error}). Bitte neu speichern.") from error
    rows: list[tuple[int, list[str] | str]] = [
        (number, ["" if cell is None else str(cell) for cell in cells])
        for number, cells in enumerate(frame.itertuples(index=False, name=None), 1)
        if any(cells)
    ]
    if not rows:
        raise CheckupError(f"{source}: Das erste Tabellenblatt ist leer.")
    names = [_unescape(name) for name in rows[0][1]]
    return _records(names, rows[1:], source, _unescape)


def check_zip(content: bytes, source: str) -> None:
    """Refuses what is no XLSX file, or one that would unpack to more than UNPACKED_LIMIT_BYTES.

    Raises:
        CheckupError: Says what the file is instead.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise CheckupError(
            f"{source}: Die Datei ist mit einem Kennwort geschützt oder im alten XLS-Format. "
            "Bitte ohne Kennwort als XLSX speichern."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise CheckupError(f"{source}: Das ist keine XLSX-Datei. Bitte in Excel als XLSX speichern.") from error
    if unpacked > UNPACKED_LIMIT_BYTES:
        raise CheckupError(
            f"{source}: Die XLSX-Datei würde entpackt {unpacked // 2**20} MB groß (erlaubt sind "
            f"{UNPACKED_LIMIT_BYTES // 2**20} MB) und wird nicht gelesen. Bitte auf mehrere Dateien verteilen."
        )
    if "[Content_Types].xml" not in names:
        raise CheckupError(f"{source}: Das ist ein ZIP-Archiv, aber keine XLSX-Datei.")


def _records(
    header: list[str], rows: Iterable[tuple[int, list[str] | str]], source: str, plain: Any
) -> Iterator[RawRecord]:
    names = _column_names(header, source)
    reader = JsonReader()

    def records() -> Iterator[RawRecord]:
        for line, cells in rows:
            if isinstance(cells, str):
                yield RawRecord(line, reason=cells)
            elif len(cells) != len(names):
                yield RawRecord(
                    line, reason=f"Die Zeile hat {len(cells)} Felder, die Kopfzeile {len(names)}. Bitte angleichen."
                )
            else:
                yield _record(line, names, [plain(cell) for cell in cells], reader)

    return records()


def _record(line: int, names: list[str], cells: list[str], reader: JsonReader) -> RawRecord:
    values: dict[str, Any] = {}
    try:
        for name, cell in zip(names, cells, strict=True):
            if cell and _is_marked(name):
                values[name.removeprefix(JSON_MARK)] = reader.whole(cell)
            elif cell:
                values[name] = cell
    except RecordError as error:
        return RawRecord(line, reason=f"Spalte „{name}“: {error}")
    return RawRecord(line, values)


def _is_marked(name: str) -> bool:
    return name.startswith(JSON_MARK) and name.removeprefix(JSON_MARK) not in PROJECT_KEYS


def _column_names(header: list[str], source: str) -> list[str]:
    """The columns' keys; the project's own are recognised whatever their case and outer spaces."""
    names = [
        name.strip().lower() if name.strip().lower() in PROJECT_KEYS and name.strip().lower() not in header else name
        for name in header
    ]
    missing = [key for key in ("id", "text") if key not in names]
    if missing:
        raise CheckupError(
            f"{source}: Es fehlt die Spalte „{'“ und „'.join(missing)}“. Gefunden: {', '.join(names)[:300]}."
        )
    for name in names:
        if names.count(name) > 1:
            raise CheckupError(f"{source}: Die Spalte „{name}“ steht zweimal in der Kopfzeile. Bitte umbenennen.")
    return names


# --- writing ---------------------------------------------------------------------------------------------------------


def write_csv(projects: Iterable[Project], stream: BinaryIO, source: str) -> tuple[int, tuple[Rejected, ...]]:
    """Writes UTF-8 CSV by RFC 4180: commas, CRLF between rows.

    Returns:
        How many projects were written, and those that were refused.
    """
    import pandas as pd

    header, rows, rejected = _table(projects, source, check=lambda _: None)
    frame = pd.DataFrame(
        [[marked_text(cell) for cell in row] for row in rows], columns=[marked_text(name) for name in header]
    )
    text = frame.to_csv(index=False, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    stream.write(text.encode("utf-8"))
    return len(rows), rejected


def write_xlsx(projects: Iterable[Project], stream: BinaryIO, source: str) -> tuple[int, tuple[Rejected, ...]]:
    """Writes one sheet, header first.

    Returns:
        How many projects were written, and those that were refused.
    """
    import pandas as pd

    header, rows, rejected = _table(projects, source, check=_check_cell, rows=ROW_LIMIT - 1, columns=COLUMN_LIMIT)
    years = {header.index(key) for key in YEAR_KEYS}
    cells: list[list[Any]] = [[_escape(name) for name in header]]
    cells += [
        [(int(cell) if at in years else _escape(cell)) if cell else None for at, cell in enumerate(row)] for row in rows
    ]
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        pd.DataFrame(cells, dtype=object).to_excel(writer, sheet_name="Projekte", header=False, index=False)
        for line in writer.sheets["Projekte"].iter_rows():
            for cell in line:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
                    cell.quotePrefix = bool(_FORMULA.match(cell.value))
    stream.write(buffer.getvalue())
    return len(rows), rejected


def _table(
    projects: Iterable[Project], source: str, *, check: Any, rows: int | None = None, columns: int | None = None
) -> tuple[list[str], list[list[str]], tuple[Rejected, ...]]:
    """Header and rows of text cells: the project's own keys, then unknown ones in the order of their first use."""
    records: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    marked: dict[str, bool] = {}
    for project in projects:
        record = record_from(project)
        extra = {key: value for key, value in record.items() if key not in PROJECT_KEYS}
        try:
            if rows is not None and len(records) == rows:
                raise RecordError(f"Das Format fasst nur {rows} Einträge.")
            if columns is not None and len(PROJECT_KEYS) + len(marked.keys() | extra.keys()) > columns:
                raise RecordError(f"Das Format fasst nur {columns} Spalten.")
            for key, value in record.items():
                check(_header(key, marked=True))
                check(value if isinstance(value, str) else dump_json(value))
                check(dump_json(value) if key in extra else "")
        except RecordError as error:
            rejected.append(Rejected(source=source, line=None, id=project.id, reason=str(error)))
            continue
        records.append(record)
        for key, value in extra.items():
            marked[key] = (
                marked.get(key, not key or key.startswith(JSON_MARK)) or value == "" or not isinstance(value, str)
            )
    header = [*PROJECT_KEYS, *(_header(key, marked=mark) for key, mark in marked.items())]
    table = [
        [_own_cell(record.get(key)) for key in PROJECT_KEYS]
        + [(dump_json(record[key]) if mark else record[key]) if key in record else "" for key, mark in marked.items()]
        for record in records
    ]
    return header, table, tuple(rejected)


def _header(key: str, *, marked: bool) -> str:
    return f"{JSON_MARK}{key}" if marked else key


def _own_cell(value: Any) -> str:
    return "" if value is None else str(value)


def _check_cell(cell: str) -> None:
    """Refuses what an XLSX cell cannot hold."""
    if len(_escape(cell).encode("utf-16-le")) // 2 > CELL_LIMIT:
        raise RecordError(f"Ein Feld ist länger als die {CELL_LIMIT} Zeichen, die eine XLSX-Zelle fasst.")
    if _NO_XML.search(cell):
        raise RecordError("Ein Feld enthält Steuerzeichen, die XLSX nicht aufnehmen kann.")


def marked_text(cell: str) -> str:
    """A CSV cell that a spreadsheet shows as it is: one that it would take for a formula has an apostrophe in front."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if _MARKED_FORMULA.match(cell) else cell


def _escape(cell: str) -> str:
    return _ESCAPE_LIKE.sub("_x005F_", cell).replace("\r", "_x000D_")


def _unescape(cell: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), cell)
