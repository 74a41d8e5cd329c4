"""Timing and memory for every part of `python -m bench`, and the texts that it asks with."""

import statistics
import sys
import time
from pathlib import Path

SHORT = "Bei uns finden anerkannte Geflüchtete keine Wohnung."
HUNDRED = " ".join((
    "In unserer Kreisstadt wohnen viele anerkannte Geflüchtete weiter in der Sammelunterkunft.",
    "Private Vermieter sagen ab, sobald sie den Namen hören.",
    "Die Sprachkurse laufen gut, aber nach dem Kurs haben die jungen Männer weder Ausbildung noch Arbeit.",
    "Die Betriebe sagen, sie wüssten nicht, wen sie ansprechen sollen.",
    "Der Helferkreis ist auf vier Personen geschrumpft und am Ende seiner Kräfte.",
    "Für Neues stehen höchstens 60.000 Euro im Jahr bereit.",
))  # fmt: skip


def timed(call, repeats):
    """Seconds of each of `repeats` calls."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def summary(seconds):
    ordered = sorted(seconds)
    return {"p50_ms": 1000 * statistics.median(ordered), "p95_ms": 1000 * ordered[int(0.95 * (len(ordered) - 1))]}


def peak_mib():
    """The most memory that this process held at a time, in MiB.

    Linux's `ru_maxrss` begins with what the parent held when it forked; `VmHWM` counts this program alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
