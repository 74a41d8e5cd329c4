"""The shipped projects: `data/seed/*.jsonl`, summaries in our own words with the editors' labels.

Below: `data.records`, `data.impact`. Above: `pipeline.refresh.seed`. `data/seed/README.md` says how entries are made.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.impact import tier
from data.records import PROJECT_KEYS, Project, Statement

FOLDER = Path(__file__).parent / "seed"
KEPT = ("scope", "pages", "facts_year", "cost", "checked_by")
"""Keys of a shipped entry that stay with the project beside the columns."""
EDITOR = "editor-1"
"""Version under which the editors' statements are kept."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A shipped project and what its editors state about it."""

    project: Project
    statements: tuple[Statement, ...]


def iter_shipped(folder: Path = FOLDER) -> Iterator[Shipped]:
    """Every shipped project, file by file in the order of names."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").split("\n"):
            if line.strip():
                yield shipped(json.loads(line))


def shipped(entry: Mapping[str, Any]) -> Shipped:
    """One entry of a seed file as project and statements.

    Raises:
        ValueError: if a quote does not stand in the text.
    """
    columns = {key: entry[key] for key in PROJECT_KEYS if entry.get(key) is not None}
    extra = {key: entry[key] for key in KEPT if entry.get(key) is not None}
    project = Project(**columns, extra=extra)
    return Shipped(project, tuple(_statements(entry)))


def _statements(entry: Mapping[str, Any]) -> Iterator[Statement]:
    labels = entry["labels"]
    def state(name: str, value: Any, quote: str | None = None, score: float | None = None) -> Statement:
        start = entry["text"].find(quote) if quote else -1
        if quote and start < 0:
            raise ValueError(f"{entry['id']}: {name}: quote not in the text: {quote!r}")
        return Statement(
            project_id=entry["id"], property=name, value=value, document_id=None, origin="editor",
            extractor_version=EDITOR, start=start if quote else None, end=start + len(quote) if quote else None,
            quote=quote, score=score,
        )  # fmt: skip

    for name in ("action_fields", "target_groups"):
        for position, value in enumerate(labels.get(name, [])):
            yield state(name, value, score=1 - position / 100)
    for approach, grade in sorted(labels.get("approaches", {}).items(), key=lambda item: (-item[1], item[0])):
        yield state("approaches", approach, score=grade / 3)
    level, grade = int(labels.get("level") or 0), str(labels.get("evidence") or "0")
    verified = bool(labels.get("verified"))
    yield state("level", level, labels.get("level_quote"))
    yield state("evidence_grade", grade, labels.get("evidence_quote"))
    yield state("tier", tier(level, grade, verified=verified))
    yield state("verified", verified)
    scalars = {"reached_persons": "reached", "success_rate_percent": "rate", "budget_eur": "budget_eur",
               "budget_kind": "budget_kind"}  # fmt: skip
    for name, key in scalars.items():
        if labels.get(key) is not None:
            yield state(name, labels[key])
    for award in labels.get("awards", []):
        yield state("awards", award, award)
    if labels.get("transferred"):
        yield state("transferred", True)
    for lesson in labels.get("lessons", []):
        yield state("lessons", lesson["kind"], lesson["quote"])
    continuation = labels.get("continuation")
    if continuation:
        value = {"status": continuation["status"], "as_of": continuation.get("as_of")}
        yield state("continuation", value, continuation.get("quote"))
    if entry.get("scope"):
        yield state("scope", entry["scope"])
    if entry.get("cost"):
        yield state("cost_eur", entry["cost"]["eur"])
        yield state("cost_kind", entry["cost"]["kind"])
