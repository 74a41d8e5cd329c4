"""Reads a PDF in a process of its own: standard input in, JSON lines out. Run by `documents`, never imported.

Runs by path, without the rest of the program: a PDF that crashes, hangs or swells takes only this process with it.
Arguments: largest number of pages, largest number of characters, largest memory in bytes.

The first line holds the running text of the pages (pdfium). Where ruled tables are found (pdfplumber), a second line
holds the pages with them; looking for tables may fail or be ended without harm to the first. A page is a list of
blocks: a string, or a table as rows of cells.
"""

import io
import json
import sys
import threading
import time
from typing import Any

CHECK_SECONDS = 0.2
TABLE_SECONDS = 20.0
"""How long tables are looked for in one file."""
RULES = range(3, 1000)
"""Drawn paths of a page on which tables are looked for: a table has a few rules, a map has thousands."""
MIN_FILLED = 0.5
"""Share of cells with text below which a grid is a frame or a form, no table."""

Block = str | list[list[str]]
Box = tuple[float, float, float, float]


def peak_bytes() -> int:
    """Memory that this process took at most so far, in bytes; 0 where the system does not tell."""
    if sys.platform == "win32":
        return _windows_peak_bytes()
    if sys.platform == "linux":
        # ru_maxrss outlives exec: a child would be charged with what the process that started it had taken.
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            peaks = [line.split()[1] for line in status if line.startswith("VmHWM:")]
        if peaks:
            return int(peaks[0]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows_peak_bytes() -> int:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("WorkingSetSize", ctypes.c_size_t),
            ("QuotaPeakPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPeakNonPagedPoolUsage", ctypes.c_size_t),
            ("QuotaNonPagedPoolUsage", ctypes.c_size_t),
            ("PagefileUsage", ctypes.c_size_t),
            ("PeakPagefileUsage", ctypes.c_size_t),
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    libraries: Any = ctypes
    process = libraries.windll.kernel32.GetCurrentProcess()
    process_query = libraries.windll.psapi.GetProcessMemoryInfo
    process_query.argtypes = [wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD]
    return int(counters.PeakWorkingSetSize) if process_query(process, ctypes.byref(counters), counters.cb) else 0


def guard_memory(max_bytes: int) -> None:
    """End the process as soon as it takes more memory than allowed (exit code 77)."""
    import os

    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(CHECK_SECONDS):
            if peak_bytes() > max_bytes:
                os._exit(77)

    if sys.platform.startswith("linux"):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (max_bytes * 4, max_bytes * 4))
    threading.Thread(target=watch, daemon=True).start()


def read(document: Any, max_pages: int, max_chars: int) -> dict[str, Any]:
    """The PDF's pages as text, or the name of what is wrong with it."""
    count = len(document)
    if count > max_pages:
        return {"error": "pages"}
    pages: list[list[Block]] = []
    size = 0
    for index in range(count):
        page = document[index]
        pages.append([page.get_textpage().get_text_bounded()])
        page.close()
        size += len(str(pages[-1][0]))
        if size > max_chars:
            return {"error": "chars"}
    return {"pages": pages, "title": document.get_metadata_dict().get("Title", "")}


def with_tables(data: bytes, document: Any, pages: list[list[Block]]) -> list[list[Block]] | None:
    """The pages with their ruled tables as blocks of their own; None where there are none."""
    until = time.monotonic() + TABLE_SECONDS
    found = list(pages)
    for number, blocks in enumerate(pages):
        if time.monotonic() > until:
            break
        page = document[number]
        if blocks[0] and _is_ruled(page):
            found[number] = _blocks(data, page, number) or blocks
        page.close()
    return found if found != pages else None


def _is_ruled(page: Any) -> bool:
    """Whether tables can be on a page, and its coordinates are those that pdfplumber counts in."""
    from pypdfium2.raw import FPDF_PAGEOBJ_PATH

    width, height = page.get_size()
    upright = page.get_rotation() == 0 and tuple(page.get_cropbox()) == tuple(page.get_mediabox()) == (
        0,
        0,
        width,
        height,
    )
    return upright and sum(1 for _ in page.get_objects(filter=[FPDF_PAGEOBJ_PATH], max_depth=3)) in RULES


def _blocks(data: bytes, page: Any, number: int) -> list[Block] | None:
    """A page from top to bottom, its tables in place; None without tables, or with some side by side."""
    tables = _tables(data, number)
    width, height = page.get_size()
    text = page.get_textpage()
    blocks: list[Block] = []
    above = 0.0
    for (left, top, right, bottom), rows in tables:
        if top < above:
            return None
        boxes = ((0, above, width, top), (0, top, left, bottom), (right, top, width, bottom))
        before, *beside = (text.get_text_bounded(x0, height - y1, x1, height - y0) for x0, y0, x1, y1 in boxes)
        blocks += [before, rows, *beside]
        above = bottom
    return [*blocks, text.get_text_bounded(0, 0, width, height - above)] if tables else None


def _tables(data: bytes, number: int) -> list[tuple[Box, list[list[str]]]]:
    """The ruled tables of a page from top to bottom; boxes count from the upper left corner."""
    import pdfplumber

    with pdfplumber.open(io.BytesIO(data), pages=[number + 1]) as document:
        page = document.pages[0]
        found = [
            (table.bbox, [[cell or "" for cell in row] for row in table.extract()]) for table in page.find_tables()
        ]
        page.close()
    return sorted((one for one in found if _is_table(one[1])), key=lambda one: one[0][1])


def _is_table(rows: list[list[str]]) -> bool:
    """Whether a grid has two rows and columns and is filled."""
    cells = [cell for row in rows for cell in row]
    return len(rows) > 1 and len(rows[0]) > 1 and sum(map(bool, cells)) >= MIN_FILLED * len(cells)


def main() -> None:
    """Read standard input, write the answer."""
    import pypdfium2

    max_pages, max_chars, max_memory = (int(argument) for argument in sys.argv[1:4])
    data = sys.stdin.buffer.read()
    guard_memory(max_memory)
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        _say({"error": "password" if "password" in str(error).lower() else "broken"})
        return
    answer = read(document, max_pages, max_chars)
    _say(answer)
    if "pages" in answer and (pages := with_tables(data, document, answer["pages"])) is not None:
        _say({**answer, "pages": pages})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
