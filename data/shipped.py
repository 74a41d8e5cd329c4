"""The shipped projects: `data/seed/*.jsonl`, summaries in our own words with the editors' labels.

Below: `data.records`, `data.impact`. Above: `pipeline.refresh.seed`. `data/seed/README.md` says how entries are made.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.corpus_files import graded_projects, named_projects
from data.impact import tier
from data.records import PROJECT_KEYS, Project, Statement

FOLDER = Path(__file__).parent / "seed"
KEPT = ("scope", "pages", "facts_year", "cost", "checked_by")
"""Keys of a shipped entry that stay with the project beside the columns."""
SCALARS = {
    "reached_persons": ("reached", "reached_quote"), "success_rate_percent": ("rate", "rate_quote"),
    "budget_eur": ("budget_eur", "budget_quote"), "budget_kind": ("budget_kind", "budget_quote"),
}  # fmt: skip
"""Our property -> keys of the labels: the value, and the words that carry it."""
EDITOR = "editor-1"
"""Version under which the editors' statements are kept."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A shipped project and what its editors state about it."""

    project: Project
    statements: tuple[Statement, ...]


def iter_shipped(folder: Path = FOLDER) -> Iterator[Shipped]:
    """Every shipped project, file by file in the order of names."""
    grades, named = graded_projects(), named_projects()
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").split("\n"):
            if line.strip():
                entry = json.loads(line)
                yield shipped(entry, grades.get(entry["id"]), named.get(entry["id"]))


def shipped(
    entry: Mapping[str, Any], grades: Mapping[str, int] | None = None, named: Mapping[str, int] | None = None
) -> Shipped:
    """One entry of a seed file as project and statements.

    Args:
        entry: the JSON object.
        grades: the needs it answers, grade 1-3 each, where a person graded it need by need.
        named: those that came to its readers' minds, graded likewise, where nobody did.

    Raises:
        ValueError: if a quote does not stand in the text.
    """
    columns = {key: entry[key] for key in PROJECT_KEYS if entry.get(key) is not None}
    extra = {key: entry[key] for key in KEPT if entry.get(key) is not None}
    project = Project(**columns, extra=extra)
    statements = tuple(_statements(entry))
    if grades:
        statements += (_statement(entry, _Told("need_grades", dict(grades))),)
    if named:
        statements += (_statement(entry, _Told("need_names", dict(named))),)
    return Shipped(project, statements)


@dataclass(frozen=True, slots=True)
class _Told:
    """What an entry's labels say, before it is tied to the entry."""

    name: str
    value: Any
    quote: str | None = None
    score: float | None = None


def _statements(entry: Mapping[str, Any]) -> Iterator[Statement]:
    told = [*_lists(entry["labels"]), *_impact(entry["labels"]), *_practice(entry)]
    for item in told:
        yield _statement(entry, item)


def _statement(entry: Mapping[str, Any], item: _Told) -> Statement:
    start = entry["text"].find(item.quote) if item.quote else -1
    if item.quote and start < 0:
        raise ValueError(f"{entry['id']}: {item.name}: quote not in the text: {item.quote!r}")
    return Statement(
        project_id=entry["id"], property=item.name, value=item.value, document_id=None, origin="editor",
        extractor_version=EDITOR, start=start if item.quote else None,
        end=start + len(item.quote) if item.quote else None, quote=item.quote, score=item.score,
    )  # fmt: skip


def _lists(labels: Mapping[str, Any]) -> Iterator[_Told]:
    for name in ("action_fields", "target_groups"):
        for place, value in enumerate(labels.get(name, [])):
            yield _Told(name, value, score=1 - place / 100)
    for approach, grade in sorted(labels.get("approaches", {}).items(), key=lambda item: (-item[1], item[0])):
        yield _Told("approaches", approach, score=grade / 3)


def _impact(labels: Mapping[str, Any]) -> Iterator[_Told]:
    level, grade = int(labels.get("level") or 0), str(labels.get("evidence") or "0")
    verified = bool(labels.get("verified"))
    yield _Told("level", level, labels.get("level_quote"))
    yield _Told("evidence_grade", grade, labels.get("evidence_quote"))
    yield _Told("tier", tier(level, grade, verified=verified))
    yield _Told("verified", verified)
    for name, (key, quote) in SCALARS.items():
        if labels.get(key) is not None:
            yield _Told(name, labels[key], labels.get(quote))
    for award in labels.get("awards", []):
        yield _Told("awards", award, award)
    if labels.get("transferred"):
        yield _Told("transferred", True, labels.get("transferred_quote"))


def _practice(entry: Mapping[str, Any]) -> Iterator[_Told]:
    for lesson in entry["labels"].get("lessons", []):
        yield _Told("lessons", lesson["kind"], lesson["quote"])
    continuation = entry["labels"].get("continuation")
    if continuation:
        value = {"status": continuation["status"], "as_of": continuation.get("as_of")}
        yield _Told("continuation", value, continuation.get("quote"))
    if entry.get("scope"):
        yield _Told("scope", entry["scope"])
    if entry.get("cost"):
        yield _Told("cost_eur", entry["cost"]["eur"])
        yield _Told("cost_kind", entry["cost"]["kind"])
