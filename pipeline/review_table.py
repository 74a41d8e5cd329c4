"""The open questions as an XLSX sheet that is filled in and read back: all of it, or nothing.

Below: `pipeline.review_rows`, `pipeline.review`, openpyxl. Above: `checkup.commands.review`.
A row is one question. Only the last four columns are for the person; every other cell is compared with what stands in
the database, so that nobody decides about something else than what was shown.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import CheckupError, UsageError
from data.exchange_tables import check_zip
from data.store import Store
from data.store_review import Review, get_review
from data.system_errors import in_german
from pipeline.curate import refusals
from pipeline.review import accept, check_link, correct, parse_value, same_or_different, verify
from pipeline.review_rows import GATE, question_row, question_rows

SHEET = "Prüfliste"
SHOWN = ("Nr", "Art", "Projekt", "Titel", "Angabe", "Frage", "Wert 1", "Herkunft 1", "Beleg 1", "Wert 2",
         "Herkunft 2", "Beleg 2")  # fmt: skip
ANSWERS = ("Entscheidung", "Neuer Wert", "Verweis", "Bemerkung")
DECISIONS = {
    "stimmt": "accept", "berichtigen": "correct", "gleich": "same", "verschieden": "different", "geprüft": "verify",
}  # fmt: skip
KINDS = {
    "claimed_x": "Studie ohne Nutzen", "conflict": "Widerspruch", "low_score": "knappe Angabe",
    "duplicate": "gleiches Projekt?", "gate": "Quelle angehalten",
}  # fmt: skip
WIDTHS = (8, 18, 24, 32, 16, 40, 24, 16, 60, 24, 16, 60, 16, 24, 32, 32)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]")
_CELL_CHARACTERS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row or cell that cannot be taken over, and why."""

    row: int
    cell: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Decision:
    number: str
    decision: str
    value: str
    link: str
    note: str | None


@dataclass(slots=True)
class Applied:
    """What reading a sheet back came to; with faults nothing was applied."""

    applied: int = 0
    already: int = 0
    """Rows whose very decision is in the database."""
    skipped: int = 0
    """Rows without a decision."""
    faults: list[Fault] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    """Sources whose held records are to be let through."""
    written: bool = False
    """Whether statements or judgements were written."""


def write_table(store: Store, path: Path) -> int:
    """Writes the open questions; returns how many.

    Raises:
        CheckupError: The file cannot be written.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    rows = [table_row(row) for row in question_rows(store)]
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    for number, cells in enumerate([[*SHOWN, *ANSWERS], *rows], 1):
        for column, text in enumerate(cells, 1):
            cell = sheet.cell(number, column)
            cell.value, cell.data_type = text, "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for column, width in enumerate(WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.cell(1, column).font = Font(bold=True)
    sheet.freeze_panes = "B2"
    choice = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True)
    sheet.add_data_validation(choice)
    choice.add(f"{get_column_letter(len(SHOWN) + 1)}2:{get_column_letter(len(SHOWN) + 1)}{len(rows) + 2}")
    buffer = io.BytesIO()
    book.save(buffer)
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise CheckupError(f"{path} lässt sich nicht schreiben: {in_german(error)}.") from error
    return len(rows)


def table_row(row: Mapping[str, Any]) -> list[str]:
    """The cells of the columns SHOWN for one question."""
    sides = [*row["sides"], *[{"value": None, "origin": "", "quote": None}] * 2][:2]
    cells = [str(row["id"]), KINDS.get(row["kind"], row["kind"]), row["project_id"] or "", row["title"] or "",
             row["property"] or "", row["question"]]  # fmt: skip
    for side in sides:
        value = side["value"]
        cells += ["" if value is None else str(value), side["origin"], side["quote"] or ""]
    return [_clean(cell) for cell in cells]


def apply_table(store: Store, path: Path) -> Applied:
    """Takes a sheet's decisions over, if every row that holds one is as it was written out; else none.

    Raises:
        CheckupError: The file is no sheet of ours.
    """
    done = Applied()
    decisions: dict[int, _Decision] = {}
    numbers: set[str] = set()
    for row, cells in _read(path):
        if not any(cells):
            continue
        found = _decision(store, row, cells, done)
        if found is not None:
            decisions[row] = found
            if found.number in numbers:
                done.faults.append(Fault(row=row, cell="Nr", reason=f"Die Nummer {found.number} steht zweimal da."))
            numbers.add(found.number)
    if not done.faults:
        done.faults += _contradictions(store, decisions)
    if done.faults:
        done.already = done.skipped = 0
        return done
    for one in decisions.values():
        _apply(store, one, done)
        done.applied += 1
    return done


def _read(path: Path) -> list[tuple[int, list[str]]]:
    """Row numbers and cells in the order of SHOWN and ANSWERS."""
    from openpyxl import load_workbook

    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckupError(f"{path} lässt sich nicht lesen: {in_german(error)}.") from error
    check_zip(content, str(path))
    try:
        book = load_workbook(io.BytesIO(content), data_only=True)
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, SyntaxError, EOFError, OSError) as error:
        raise CheckupError(f"{path}: Die XLSX-Datei ist beschädigt ({error}). Bitte neu speichern.") from error
    header = [_text(cell) for cell in rows[0]] if rows else []
    missing = [name for name in (*SHOWN, *ANSWERS) if name not in header]
    if missing:
        raise CheckupError(
            f"{path}: Es fehlt die Spalte „{'“, „'.join(missing)}“. Bitte die Liste mit „checkup review --xlsx DATEI“ "
            "neu schreiben und nur die letzten vier Spalten ausfüllen."
        )
    places = [(header.index(name), "," if name in ANSWERS else ".") for name in (*SHOWN, *ANSWERS)]
    return [(number, [_text(row[place], point) for place, point in places]) for number, row in enumerate(rows[1:], 2)]


def _decision(store: Store, row: int, cells: Sequence[str], done: Applied) -> _Decision | None:
    """The decision of a row; None where there is none, where it is made already, or with a fault."""
    shown, (word, value, link, note) = cells[: len(SHOWN)], cells[len(SHOWN) :]
    if not word:
        if value or link or note:
            done.faults.append(Fault(row=row, cell="Entscheidung", reason="fehlt, obwohl die Zeile ausgefüllt ist."))
        done.skipped += 1
        return None
    decision = DECISIONS.get(word.lower(), word.lower())
    one = _Decision(shown[0], decision, value, link, note or None)
    faults = _faults(store, row, shown, one, word)
    if faults is None:
        done.already += 1
        return None
    done.faults += faults
    return one if not faults else None


def _faults(store: Store, row: int, shown: Sequence[str], one: _Decision, word: str) -> list[Fault] | None:
    """What is wrong with a row; None where this very decision was made already."""
    if one.decision not in DECISIONS.values():
        reason = f"„{word}“ gibt es nicht; möglich sind: {', '.join(DECISIONS)}."
        return [Fault(row=row, cell="Entscheidung", reason=reason)]
    if not shown[0]:
        return [Fault(row=row, cell="Nr", reason="Die Nummer fehlt.")]
    try:
        expected = question_row(store, shown[0])
    except CheckupError as error:
        return [Fault(row=row, cell="Nr", reason=error.message)]
    if expected["decided_at"] is not None:
        if expected["decision"] == one.decision:
            return None
        reason = f"Die Frage {shown[0]} wurde inzwischen entschieden ({expected['decision']})."
        return [Fault(row=row, cell="Nr", reason=reason)]
    return _changed_cells(row, shown, table_row(expected)) or _unusable(row, expected, one)


def _changed_cells(row: int, shown: Sequence[str], expected: Sequence[str]) -> list[Fault]:
    faults = []
    for name, cell, wanted in zip(SHOWN, shown, expected, strict=True):
        if _folded(cell) != _folded(wanted):
            what = "fehlt" if not cell else "ist anders als in der Datenbank"
            reason = f"Die Zelle {what}; dort steht: „{wanted[:120]}“."
            faults.append(Fault(row=row, cell=name, reason=reason))
    return faults


def _unusable(row: int, expected: Mapping[str, Any], one: _Decision) -> list[Fault]:
    """Whether the decision fits the question, and has what it needs."""
    fitting = {"duplicate": ("same", "different"), "gate": ("accept",)}.get(
        expected["kind"], ("accept", "correct", "verify")
    )
    if one.decision not in fitting:
        words = ", ".join(word for word, decision in DECISIONS.items() if decision in fitting)
        return [Fault(row=row, cell="Entscheidung", reason=f"passt nicht zu dieser Frage; möglich sind: {words}.")]
    if one.decision == "verify":
        try:
            check_link(one.link)
        except UsageError as error:
            return [Fault(row=row, cell="Verweis", reason=error.message)]
    if one.decision == "correct":
        if not one.value:
            return [Fault(row=row, cell="Neuer Wert", reason="Hier fehlt der neue Wert („-“: keiner).")]
        try:
            parse_value(expected["property"], one.value)
        except UsageError as error:
            return [Fault(row=row, cell="Neuer Wert", reason=error.message)]
    return []


def _contradictions(store: Store, decisions: Mapping[int, _Decision]) -> list[Fault]:
    """Rows whose judgement contradicts what was judged before or what the rows above say."""
    rows, told = [], []
    for row, one in decisions.items():
        item = get_review(store, int(one.number)) if one.decision in ("same", "different") else None
        if item is not None and item.other_id is not None:
            rows.append(row)
            told.append((one.decision, item.project_id, item.other_id))
    return [
        Fault(row=row, cell="Entscheidung", reason=reason)
        for row, reason in zip(rows, refusals(store, told), strict=True)
        if reason
    ]


def _apply(store: Store, one: _Decision, done: Applied) -> None:
    if one.number.startswith(GATE):
        done.gates.append(one.number.removeprefix(GATE))
        return
    item = get_review(store, int(one.number))
    assert isinstance(item, Review)
    if one.decision == "accept":
        done.written |= accept(store, item, one.note)
        return
    if one.decision == "correct":
        correct(store, item, one.value, one.note)
    elif one.decision == "verify":
        verify(store, item.project_id, one.link, item, one.note)
    else:
        same_or_different(store, item, one.decision, one.note)
    done.written = True


def _text(cell: object, point: str = ".") -> str:
    """A cell as text; a number that is no whole one with this decimal sign."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else str(cell).replace(".", point)
    return "" if cell is None else str(cell).strip()


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)[:_CELL_CHARACTERS]


def _folded(text: str) -> str:
    return " ".join(text.split())
