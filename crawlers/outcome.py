"""What a crawl hands over: records (`data.records.Fetched`), refusals, records that did not change, and the counts.

Below: `data.records`. Above: `lists` and `walk` make these, `crawl` counts them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from data.records import Fetched

MAX_NOTES = 200
EXPECTED = frozenset({"not_selected", "duplicate", "robots", "opt_out"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An address or row that gave no record, as a crawl reports it; every one is exactly one of these."""

    url: str
    reason: str
    code: str = ""
    line: int | None = None
    """Row of a list, counted from 1 as a spreadsheet does."""

    @property
    def expected(self) -> bool:
        """Whether there is nothing to mend: rows left out on purpose, copies, what its owner keeps for himself."""
        return self.code in EXPECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """A record that is still there and as it was: fresh in memory, or the server said 304."""

    url: str
    sha256: str
    seen_at: str


Outcome = Fetched | Refused | Unchanged


@dataclass(slots=True)
class Counts:
    """What a crawl has come to so far."""

    pages: int = 0
    """Addresses visited, whatever came of them (for a list: rows)."""
    records: int = 0
    unchanged: int = 0
    refused: int = 0
    aliases: int = 0
    """Addresses that turned out to be another page's (redirect, meta refresh, rel=canonical)."""
    identical: int = 0
    """Pages whose content was already read under another address; those meant as records are refused as well."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Refusals by their code."""
    filled: Counter[str] = field(default_factory=Counter)
    """Records in which a field is filled."""
    elsewhere: Counter[str] = field(default_factory=Counter)
    """Hosts outside the source that its pages link to."""
    notes: list[Refused] = field(default_factory=list)
    """Values that could not be read in pages or rows that are records all the same (the first 200)."""
    note_count: int = 0
    hints: list[str] = field(default_factory=list)
    """What whoever wrote the source should look at."""

    def fill_rates(self) -> dict[str, float]:
        """Share of the records read in this crawl in which each field is filled, by name."""
        return {name: count / self.records for name, count in sorted(self.filled.items())} if self.records else {}

    def note(self, notes: Iterable[Refused]) -> None:
        """Count values that could not be read, and keep the first of them."""
        for note in notes:
            self.note_count += 1
            if len(self.notes) < MAX_NOTES:
                self.notes.append(note)

    def count(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if isinstance(outcome, Fetched):
            self.records += 1
            named = {"title": outcome.title, "text": outcome.text, **outcome.facts}
            self.filled.update(name for name, value in named.items() if value not in (None, "", [], {}))
        elif isinstance(outcome, Unchanged):
            self.unchanged += 1
        else:
            self.refused += 1
            self.reasons[outcome.code] += 1
