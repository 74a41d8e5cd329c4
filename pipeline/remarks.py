"""What a crawl remarks about a source beside its records: values that could not be read, and what gave no record, why.

Below: `crawlers.outcome`, `data.store_erase`, `pipeline.nlp.privacy`. Above: `pipeline.staging` keeps it with the
source's attempt; `pipeline.digest` and `checkup.commands.sources` tell it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from crawlers.outcome import EXPECTED, Counts, Refused, counted
from data.store_erase import Door
from data.store_staging import page_address

MOST_NOTES = 50
_LONGEST_QUOTE = 80
"""Code points of a value that a note of the crawler quotes (`crawlers.fields`)."""


@dataclass(slots=True)
class Remarks:
    """What was remarked about one source in its last crawl; pages that did not change since are not remarked again."""

    notes: list[list[Any]] = field(default_factory=list)
    """Address, line and reason of the first MOST_NOTES values that could not be read, personal data masked."""
    note_count: int = 0
    """All of them."""
    reasons: dict[str, int] = field(default_factory=dict)
    """How many pages or rows gave no record, by the code of the reason, in alphabetical order."""
    page: str | None = None
    """While the crawl is under way: the address of the last page that something was noted about."""
    before: int = 0
    """How many values were noted before that page."""

    @property
    def passed_over(self) -> int:
        """Pages and rows that were left out on purpose."""
        return sum(count for code, count in self.reasons.items() if code in EXPECTED)

    def __bool__(self) -> bool:
        return bool(self.note_count or self.passed_over)

    def finish(self, refused: Iterable[Refused]) -> None:
        """Count what gave no record; the crawl has come to its end."""
        codes = sorted(one.code for one in refused)
        self.reasons = {code: codes.count(code) for code in dict.fromkeys(codes)}
        self.page, self.before = None, 0

    def forget(self, chosen: Callable[[str], bool], *, rows: bool) -> bool:
        """Drop the notes about chosen addresses, and about a list's rows where asked; returns whether any went."""
        kept = [[url, line, reason] for url, line, reason in self.notes if not (chosen(url) or (rows and line))]
        gone = len(self.notes) - len(kept)
        self.notes, self.note_count = kept, self.note_count - gone
        return gone > 0

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        notes = [{"url": url, "line": line, "reason": reason} for url, line, reason in self.notes]
        return {"note_count": self.note_count, "notes": notes, "reasons": self.reasons}


class Collector:
    """Takes over what a crawl notes while it goes on, so that a kill costs nothing of it and counts nothing twice.

    Args:
        remarks: Filled; may hold what an interrupted crawl of the same attempt has noted.
        counts: Of the crawl.
        door: Knows what was erased.
    """

    def __init__(self, remarks: Remarks, counts: Counts, door: Door) -> None:
        self.remarks = remarks
        self._counts = counts
        self._door = door
        self._seen = self._told = 0
        self._again = remarks.page
        """The page whose notes may come again, because the kill came before it was remembered."""

    def take(self, url: str) -> bool:
        """Take over what was noted about the page of an outcome; returns whether there was anything."""
        count, notes = self._counts.note_count - self._seen, self._counts.notes[self._told :]
        self._seen += count
        self._told += len(notes)
        if not count or self._door.leaves_no_trace(url):
            return False
        page, remarks = page_address(url), self.remarks
        if page == self._again:
            remarks.notes = [note for note in remarks.notes if page_address(note[0]) != page]
            remarks.note_count = remarks.before
        elif page != remarks.page:
            remarks.page, remarks.before = page, remarks.note_count
        self._again = None
        remarks.note_count += count
        remarks.notes += [self._masked(note) for note in notes[: MOST_NOTES - len(remarks.notes)]]
        return True

    def _masked(self, note: Refused) -> list[Any]:
        from pipeline.nlp.privacy import mask

        return [note.url, note.line, self._door.names.mask(mask(without_cut_word(note.reason)))]


def without_cut_word(reason: str) -> str:
    """A note without the last word of a value that was cut: half an address would not be known for one, and masked."""
    start, end = reason.find("„") + 1, reason.rfind("“")
    if not start or end - start < _LONGEST_QUOTE:
        return reason
    words, _, _ = reason[start:end].rpartition(" ")
    return f"{reason[:start]}{words} …{reason[end:]}"


def sentence(source: str, remarks: Remarks) -> str:
    """One line about a source that something was remarked about, without a full stop."""
    count = remarks.note_count
    parts = [f"{count} {'Wert' if count == 1 else 'Werte'} nicht zu lesen"] if count else []
    expected = {code: number for code, number in remarks.reasons.items() if code in EXPECTED}
    parts += [f"übergangen: {counted(expected)}"] if expected else []
    return f"{source}: {'; '.join(parts)}"
