"""The records every layer speaks: frozen, typed, without behaviour beyond their own invariants.

Below: nothing. Above: `data.store` keeps them, `pipeline` makes them, `matching` reads them.
Offsets everywhere are half-open and count Unicode code points of the stored text (which has as many as the given one).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Origin = Literal["extractor", "editor", "reviewer", "source"]
TextKind = Literal["summary", "original"]
ProjectOrigin = Literal["seed", "import", "crawl"]
Where = Literal["text", "title"]
ReadingWay = Literal["deep", "rules"]

PROJECT_KEYS = ("id", "title", "text", "organisation", "municipality", "state", "start_year", "end_year", "url")
"""The keys of a project as imported and exported, in file order; others are kept as `extra`."""

STATES = (
    "Baden-Württemberg", "Bayern", "Berlin", "Brandenburg", "Bremen", "Hamburg", "Hessen", "Mecklenburg-Vorpommern",
    "Niedersachsen", "Nordrhein-Westfalen", "Rheinland-Pfalz", "Saarland", "Sachsen", "Sachsen-Anhalt",
    "Schleswig-Holstein", "Thüringen",
)  # fmt: skip
"""The sixteen German states, names in full."""


MULTI_VALUED = frozenset(
    {
        "action_fields", "target_groups", "approaches", "modules", "places", "awards", "lessons", "claims", "ratings",
        "organisation", "funder", "languages",
    }
)  # fmt: skip
"""Properties of which a project can have several values at once: one statement per value and span."""

ORIGIN_PRIORITY: tuple[Origin, ...] = ("reviewer", "editor", "source", "extractor")
"""Whose statement counts: the first origin that says anything about a property decides it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project as it is imported and exported: `id` and `text` are required, unknown keys live in `extra`.

    `extra` values are JSON values; key order is kept, so that an export repeats the imported line.
    """

    id: str
    text: str
    title: str | None = None
    organisation: str | None = None
    municipality: str | None = None
    state: str | None = None
    start_year: int | None = None
    end_year: int | None = None
    url: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    """The keys in the order in which the record was given (empty: PROJECT_KEYS, absent ones left out)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that was not accepted: where it stood (source file, 1-based line or row) and why, in plain German."""

    source: str
    line: int | None
    reason: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An immutable version of a project's text: `id` is derived from project, address, title and content."""

    id: str
    project_id: str
    url: str | None
    source: str
    title: str | None
    text: str
    kind: TextKind
    sha256: str
    fetched_at: str
    """ISO 8601 in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One derived or given value of a project, with the place it was read from.

    `value` is a JSON value. `start`/`end` are None where the value does not come from a span of the text
    (an imported column). A statement of origin `reviewer` outlives every re-extraction.
    """

    project_id: str
    property: str
    value: Any
    document_id: str | None
    origin: Origin
    extractor_version: str
    original_value: str | None = None
    start: int | None = None
    end: int | None = None
    quote: str | None = None
    where: Where = "text"
    score: float | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    closed_at: str | None = None
    """ISO 8601 in UTC: since when it no longer belongs to the current view; None while it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A contiguous piece of a document's text that is embedded and can be shown as a reason."""

    project_id: str
    document_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What one extractor version read from one document: its statements (origin `extractor`) and its passages."""

    document: Document
    statements: tuple[Statement, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    """How many projects were new, updated and unchanged."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A page or list row as a crawler hands it over: raw, in memory, not yet masked and not yet stored."""

    source: str
    url: str
    title: str | None
    text: str
    facts: Mapping[str, Any]
    """Further fields named in the source's YAML (organisation, municipality, state, start_year, cost, …)."""
    sha256: str
    """Hash of the bytes the page was read from (of the row's JSON for lists)."""
    fetched_at: str
    language: str = "de"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run that wrote to the workspace (seed, import, refresh, …) and what came of it."""

    id: str
    kind: str
    started_at: str
    ended_at: str | None
    status: Literal["running", "done", "failed", "interrupted"]
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A person's decision about one or two projects; withdrawn ones stay with their date."""

    kind: Literal["same", "different", "helpful", "not_helpful", "adopted", "adapted", "failed"]
    project_id: str
    other_id: str | None = None
    note: str | None = None
    created_at: str = ""
    withdrawn_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A project as a reader of the published index sees it: record, current text and current values."""

    project: Project
    document_id: str
    text_kind: TextKind
    values: Mapping[str, Any]
    """Current value per property, e.g. action_fields (list of ids), target_groups, level, evidence_grade, …"""
    passages: tuple[tuple[int, int], ...]
