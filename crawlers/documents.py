"""Reads a person's or a site's document as text: .txt .md .html .docx .pdf.

Below: `charset`, `page`, `pdf_worker` (a process of its own), python-docx. Above: `crawl`, the command line's `--file`.
"""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawlers.charset import decode
from crawlers.values import tidy, tidy_block
from crawlers.web import MIB, Refusal
from data.errors import CheckupError
from data.system_errors import in_german

MAX_FILE_BYTES = 50 * MIB
MAX_TEXT_CHARS = 5_000_000
MAX_PDF_PAGES = 2000
PDF_SECONDS = 60.0
PDF_MEMORY_BYTES = 1024 * MIB
MAX_UNZIPPED_BYTES = 400 * MIB
MAX_ZIP_ENTRIES = 10_000
FORMATS = (".txt", ".md", ".docx", ".pdf", ".html")
WORKER = Path(__file__).parent / "pdf_worker.py"

SAVE_AS = "Bitte speichern Sie das Dokument als .docx oder kopieren Sie den Text in eine .txt-Datei."


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedText:
    """A document's text."""

    text: str
    title: str | None
    format: str
    """`txt`, `md`, `html`, `docx` or `pdf`."""
    pages: int | None = None
    """Number of pages of a PDF."""


def read_document(source: Path | bytes, name: str | None = None) -> ExtractedText:
    """Read a document.

    Args:
        source: A file, or its bytes.
        name: File name, whose ending tells the format; needed with bytes.

    Returns:
        The text with at least one visible character.

    Raises:
        CheckupError: (exit code 3) Missing or unreadable file, unknown format, too big, password-protected, a PDF
            without text, a file that is not what its ending says, no text at all. The message says what to do.
    """
    label = name or (source.name if isinstance(source, Path) else "Eingabe")
    data = source if isinstance(source, bytes) else _read_file(source)
    if len(data) > MAX_FILE_BYTES:
        raise CheckupError(f"{label} ist größer als {MAX_FILE_BYTES // MIB} MiB. Bitte kürzen oder aufteilen.")
    ending = Path(label).suffix.lower()
    try:
        found = _by_format(data, {".htm": ".html", ".markdown": ".md", ".text": ".txt"}.get(ending, ending))
    except Refusal as refusal:
        raise CheckupError(f"{label}: {refusal.reason}") from refusal
    if not found.text.strip():
        raise CheckupError(f"{label} enthält keinen Text. Bitte prüfen Sie, ob es die richtige Datei ist.")
    return found


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise CheckupError(f"{path} ist ein Ordner. Bitte geben Sie eine Datei an.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CheckupError(f"{path.name} ist größer als {MAX_FILE_BYTES // MIB} MiB. Bitte kürzen oder aufteilen.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CheckupError(f"Die Datei {path} gibt es nicht. Bitte den Pfad prüfen.") from error
    except OSError as error:
        raise CheckupError(f"{path} lässt sich nicht lesen: {in_german(error)}.") from error


def _by_format(data: bytes, ending: str) -> ExtractedText:
    if ending in (".txt", ".md"):
        return _plain(data, ending)
    if ending == ".html":
        return read_html(data)
    if ending == ".docx":
        return read_docx(data)
    if ending == ".pdf":
        return read_pdf(data)
    if ending in (".doc", ".odt", ".rtf", ".pages"):
        raise Refusal("format", f"Das Format „{ending}“ wird nicht gelesen. {SAVE_AS}")
    known = " ".join(FORMATS)
    raise Refusal("format", f"Das Format „{ending or 'ohne Endung'}“ ist unbekannt. Gelesen werden: {known}.")


def _plain(data: bytes, ending: str) -> ExtractedText:
    if data.startswith((b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Refusal(
            "format", f"Die Datei ist kein Text, obwohl sie auf {ending} endet. Bitte die Endung berichtigen."
        )
    return ExtractedText(text=decode(data)[0].replace("\r\n", "\n"), title=None, format=ending[1:])


def read_html(data: bytes, content_type: str = "") -> ExtractedText:
    """The main text of an HTML file; where none is found, all visible text."""
    from crawlers.fields import block_text, parse_html
    from crawlers.page import main_text, page_title

    html, _ = decode(data, content_type)
    soup = parse_html(html)
    text = main_text(html) or block_text(soup)
    return ExtractedText(text=text, title=page_title(soup), format="html")


def check_zip(data: bytes, member: str, what: str) -> None:
    """Refuse a file that is no zip with this member, or one that swells beyond reason.

    Raises:
        Refusal: With what to do about it.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refusal(
            "format", f"Die Datei ist verschlüsselt oder in einem alten Office-Format, keine {what}. {SAVE_AS}"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Refusal("format", f"Die Datei ist keine {what}, obwohl sie so heißt. {SAVE_AS}") from None
    if member not in {entry.filename for entry in entries}:
        raise Refusal("format", f"Die Datei ist ein Zip-Archiv, aber keine {what}. {SAVE_AS}")
    if len(entries) > MAX_ZIP_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNZIPPED_BYTES:
        raise Refusal("bomb", "Die Datei bläht sich beim Entpacken übermäßig auf und wird nicht gelesen.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refusal("password", "Die Datei ist mit einem Kennwort geschützt. Bitte ohne Kennwort speichern.")


def read_docx(data: bytes) -> ExtractedText:
    """Paragraphs and tables of a Word file in their order; a table's row is one line, cells parted by ` | `.

    Raises:
        Refusal: Not a Word file, damaged, or too big.
    """
    check_zip(data, "word/document.xml", "Word-Datei (.docx)")
    import docx
    from docx.table import Table

    try:
        document = docx.Document(io.BytesIO(data))
        lines: list[str] = []
        for block in document.iter_inner_content():
            lines.extend(_table_lines(block) if isinstance(block, Table) else [block.text])
        title = tidy(document.core_properties.title or "") or None
    except Exception as error:  # python-docx raises nearly anything on a damaged file
        raise Refusal("format", f"Die Word-Datei ist beschädigt ({type(error).__name__}). {SAVE_AS}") from error
    return ExtractedText(text=_bounded(tidy_block("\n".join(lines))), title=title, format="docx")


def _table_lines(table: Any) -> list[str]:
    lines = []
    for row in table.rows:
        cells: list[str] = []
        seen: set[int] = set()
        for cell in row.cells:
            if id(cell._tc) not in seen:  # a merged cell is listed once for every column it spans
                seen.add(id(cell._tc))
                cells.append(tidy(cell.text))
        lines.append(" | ".join(cell for cell in cells if cell))
    return lines


def read_pdf(data: bytes, *, seconds: float = PDF_SECONDS, memory_bytes: int = PDF_MEMORY_BYTES) -> ExtractedText:
    """The text of a PDF with its ruled tables, read by pdfium and pdfplumber in a process of its own.

    Args:
        data: The file.
        seconds: Time after which the process is ended.
        memory_bytes: Memory at which it ends itself.

    Raises:
        Refusal: Not a PDF, damaged, password-protected, without text, too big, too slow.
    """
    if b"%PDF-" not in data[:1024]:
        raise Refusal("format", f"Die Datei ist kein PDF, obwohl sie so heißt. {SAVE_AS}")
    answer = _read_apart(data, seconds, [MAX_PDF_PAGES, MAX_TEXT_CHARS, memory_bytes])
    if "error" in answer:
        raise _pdf_refusal(answer["error"], seconds)
    text = pdf_text(answer["pages"])
    if not text:
        raise Refusal(
            "no_text",
            "Das PDF enthält keinen Text, vermutlich ist es eingescannt. Bitte mit Texterkennung (OCR) speichern "
            "oder den Text als .txt oder .docx angeben.",
        )
    return ExtractedText(text=text, title=tidy(answer["title"]) or None, format="pdf", pages=len(answer["pages"]))


def _read_apart(data: bytes, seconds: float, limits: list[int]) -> dict[str, Any]:
    """The last whole line of the worker's answer: it may be ended while it looks for tables, the text then stands."""
    command = [sys.executable, "-P", str(WORKER), *map(str, limits)]
    try:
        said = subprocess.run(command, input=data, capture_output=True, timeout=seconds, check=False).stdout
        ended = "crash"
    except subprocess.TimeoutExpired as error:
        said, ended = error.stdout or b"", "timeout"
    lines = said.split(b"\n")[:-1]
    answer: dict[str, Any] = json.loads(lines[-1]) if lines else {"error": ended}
    return answer


def _pdf_refusal(error: str, seconds: float) -> Refusal:
    messages = {
        "timeout": f"Das PDF ließ sich nicht in {seconds:g} Sekunden lesen. {SAVE_AS}",
        "password": "Das PDF ist mit einem Kennwort geschützt. Bitte ohne Kennwort speichern.",
        "broken": f"Das PDF ist beschädigt. {SAVE_AS}",
        "pages": f"Das PDF hat mehr als {MAX_PDF_PAGES} Seiten. Bitte den wichtigen Teil auswählen.",
        "chars": f"Das PDF enthält mehr als {MAX_TEXT_CHARS} Zeichen. Bitte den wichtigen Teil auswählen.",
        "crash": f"Das PDF lässt sich nicht lesen: Es ist beschädigt oder braucht zu viel Speicher. {SAVE_AS}",
    }
    return Refusal(error if error in ("password", "timeout") else "pdf_" + error, messages[error])


def pdf_text(pages: Sequence[Sequence[str | list[list[str]]]]) -> str:
    """Pages as running text: hyphenated words and wrapped lines joined, paragraphs kept.

    Args:
        pages: Each as its blocks in their order: running text, or a table, whose rows become lines as in `read_docx`.
    """
    blocks = [[_running(block) if isinstance(block, str) else _row_lines(block) for block in page] for page in pages]
    return _bounded(tidy_block("\n\n".join("\n".join(filter(None, page)) for page in blocks)))


def _running(text: str) -> str:
    joined = text.replace("\r\n", "\n").replace("\r", "\n")
    joined = re.sub(r"[\ufffe\x02]\n?", "", joined)
    joined = re.sub(r"(?<=[a-zäöüß])[-\u2010\u00ad] ?\n(?=[a-zäöüß])", "", joined)
    joined = re.sub(r"(?<=[a-zäöüß,;]) ?\n(?=[a-zäöüß(])", " ", joined)
    return joined.replace("\x00", "\ufffd")


def _row_lines(rows: list[list[str]]) -> str:
    cells = [[tidy(_running(cell)) for cell in row] for row in rows]
    return "\n".join(" | ".join(filter(None, row)) for row in cells)


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT_CHARS:
        raise Refusal("too_big", f"Das Dokument enthält mehr als {MAX_TEXT_CHARS} Zeichen. Bitte kürzen.")
    return text
