"""Reads a PDF in a process of its own: standard input in, one JSON object out. Run by `documents`, never imported.

Runs by path, without the rest of the program: a PDF that crashes, hangs or swells takes only this process with it.
Arguments: largest number of pages, largest number of characters, largest memory in bytes.
"""

import json
import sys
import threading
from typing import Any

CHECK_SECONDS = 0.2


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


def read(data: bytes, max_pages: int, max_chars: int) -> dict[str, Any]:
    """The PDF's pages as text, or the name of what is wrong with it."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        return {"error": "password" if "password" in str(error).lower() else "broken"}
    count = len(document)
    if count > max_pages:
        return {"error": "pages", "pages": count}
    texts: list[str] = []
    size = 0
    for index in range(count):
        page = document[index]
        text_page = page.get_textpage()
        texts.append(text_page.get_text_bounded())
        text_page.close()
        page.close()
        size += len(texts[-1])
        if size > max_chars:
            return {"error": "chars"}
    return {"texts": texts, "title": document.get_metadata_dict().get("Title", ""), "pages": count}


def main() -> None:
    """Read standard input, write the answer."""
    max_pages, max_chars, max_memory = (int(argument) for argument in sys.argv[1:4])
    data = sys.stdin.buffer.read()
    guard_memory(max_memory)
    try:
        answer = read(data, max_pages, max_chars)
    except MemoryError:
        sys.exit(77)
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


if __name__ == "__main__":
    main()
