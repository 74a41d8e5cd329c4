"""What a crawl hands over: records (`data.records.Fetched`), refusals, records that did not change, and the counts.

Below: `data.records`. Above: `lists` and `walk` make these, `crawl` counts them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from data.records import Fetched

MAX_NOTES = 200
EXPECTED = frozenset({"not_selected", "duplicate", "robots", "opt_out"})
REASONS = {
    "address": "Adresse nicht erlaubt", "bomb": "übermäßig gepackt", "budget": "Budget aufgebraucht",
    "columns": "Spalte fehlt", "content_coding": "unbekannt gepackt", "content_type": "anderer Dateityp",
    "duplicate": "Kopie", "elsewhere": "andere Website", "feed": "kein Feed", "file": "Datei nicht lesbar",
    "format": "Datei nicht lesbar", "list": "Liste nicht lesbar", "max_pages": "max_pages erreicht",
    "no_record": "kein Datensatz", "no_text": "kein Text", "not_archived": "nicht im Archiv",
    "not_selected": "nicht ausgewählt", "opt_out": "Widerspruch", "overview": "Übersichtsseite",
    "password": "Kennwort nötig", "quotes": "Anführungszeichen offen", "ragged": "falsche Zahl von Feldern",
    "redirects": "leitet im Kreis", "required": "Pflichtfeld leer", "retry_after": "Server bittet um Pause",
    "robots": "robots.txt", "server": "Fehler des Servers", "sitemap": "keine Sitemap", "status": "Absage des Servers",
    "timeout": "zu langsam", "tls": "Zertifikat", "too_big": "zu groß", "trap": "endlose Adressen",
    "truncated": "abgeschnitten", "unreachable": "nicht erreichbar", "xml": "XML nicht lesbar",
}  # fmt: skip
"""What the codes of refusals mean, in a few words; a code that is not among them stands for itself."""


def reason_title(code: str) -> str:
    """A refusal's code for people, e.g. `nicht ausgewählt (not_selected)`."""
    return f"{REASONS[code]} ({code})" if code in REASONS else code


def counted(reasons: Mapping[str, int]) -> str:
    """Refusals by their codes in one line, most first: `nicht ausgewählt (not_selected) 12, Kopie (duplicate) 3`."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason_title(code)} {count}" for code, count in ordered)


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
    """Pages whose content, or nearly all of it (`copies`), was already read under another address.

    Those meant as records are refused as well.
    """
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

    def fill_rates(self, wanted: Iterable[str] = ()) -> dict[str, float]:
        """Share of the records read in this crawl in which each field is filled, by name; empty without records.

        Args:
            wanted: Fields that are named even if no record has them.
        """
        names = sorted({*self.filled, *wanted})
        return {name: self.filled[name] / self.records for name in names} if self.records else {}

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
