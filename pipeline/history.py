"""What became of a project, what runs changed, whose funding ends, and feedback as training pairs.

Below: `data.store_events`, `data.store_review`, `data.store_curation`. Above: `checkup.commands.history`, the digest.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from data.errors import CheckupError
from data.records import Run
from data.store import Store
from data.store_curation import StoredJudgement, merged_projects, stored_judgements
from data.store_events import events_of, not_seen
from data.store_review import FEEDBACK, end_dates, get_presence, reviews_of, titles_of
from pipeline.review_rows import question_row

SOON = timedelta(days=183)
"""Funding that ends within six months is listed."""
POSITIVE = ("helpful", "adopted", "adapted")
_SITUATION = "\n\nLage: "
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def history_of(store: Store, project_id: str, *, today: date | None = None) -> dict[str, Any]:
    """A project's versions, statements (closed ones too), judgements, events and questions, oldest first.

    Raises:
        CheckupError: There is no such project.
    """
    project = store.get_project(project_id)
    if project is None:
        raise CheckupError(f"Ein Projekt „{project_id}“ gibt es nicht. „checkup list“ zeigt die Kennungen.")
    ending = {row["project_id"]: row["ends"] for row in funding_ends(store, today=today)}
    told = [item for item in stored_judgements(store, withdrawn=True) if project_id in (item.project_id, item.other_id)]
    return {
        "project_id": project_id,
        "title": project.title,
        **get_presence(store, project_id),
        "not_seen_since": not_seen(store).get(project_id),
        "merged_into": merged_projects(store).get(project_id),
        "funding_ends": ending.get(project_id),
        "documents": [asdict(one) for one in store.documents(project_id)],
        "statements": [asdict(one) for one in store.statements(project_id, closed=True)],
        "judgements": [_judgement(one) for one in told],
        "events": [asdict(one) for one in events_of(store, project_id=project_id)],
        "reviews": [question_row(store, str(one.id)) for one in reviews_of(store, decided=True, project_id=project_id)],
    }


def _judgement(item: StoredJudgement) -> dict[str, Any]:
    return asdict(item)


def between(store: Store, first: str | None, until: str, *, today: date | None = None) -> dict[str, Any]:
    """What the runs after `first` (None: from the beginning) up to and including `until` changed.

    Raises:
        CheckupError: There is no such run, or the first is not before the last.
    """
    runs = store.runs()
    names = [run.id for run in runs]
    for name in (first, until):
        if name is not None and name not in names:
            known = ", ".join(names[-5:])
            raise CheckupError(f"Einen Lauf „{name}“ gibt es nicht. Die letzten: {known}.")
    begin = -1 if first is None else names.index(first)
    end = names.index(until)
    if begin >= end:
        raise CheckupError("Der erste Lauf muss vor dem zweiten liegen. „checkup status“ zeigt die Läufe.")
    chosen = names[begin + 1 : end + 1]
    events = events_of(store, run_ids=chosen)
    titles = titles_of(store)
    gone = not_seen(store)
    return {
        "from": first,
        "to": until,
        "runs": chosen,
        "counts": dict(Counter(event.kind for event in events)),
        "events": [asdict(event) for event in events],
        "not_seen": [{"project_id": one, "title": titles.get(one), "since": gone[one]} for one in sorted(gone)],
        "funding_ends": funding_ends(store, today=today),
    }


def last_refresh(store: Store) -> tuple[str | None, str]:
    """The last refresh that ended and the run before it.

    Raises:
        CheckupError: There was none.
    """
    runs = store.runs()
    places = [place for place, run in enumerate(runs) if _is_refresh(run)]
    if not places:
        raise CheckupError("Es gab noch keinen refresh, der zu Ende ging.")
    last = places[-1]
    return (runs[last - 1].id if last else None), runs[last].id


def _is_refresh(run: Run) -> bool:
    return run.kind == "refresh" and run.status == "done"


def funding_ends(store: Store, *, today: date | None = None) -> list[dict[str, Any]]:
    """Projects whose running time ends within six months, the soonest first; a year alone ends on 31 December."""
    now = today or date.today()
    found = []
    for row in end_dates(store):
        ends = _date(row["extra"].get("end_date")) or date(row["end_year"], 12, 31)
        if now <= ends <= now + SOON:
            found.append({"project_id": row["id"], "title": row["title"], "url": row["url"], "ends": ends.isoformat()})
    return sorted(found, key=lambda item: (item["ends"], item["project_id"]))


def _date(value: Any) -> date | None:
    """A date as sources write them; None where it is none."""
    text = str(value or "")
    german = _GERMAN_DATE.search(text)
    try:
        if german:
            return date(int(german[3]), int(german[2]), int(german[1]))
        iso = _ISO_DATE.search(text)
        return date.fromisoformat(iso[0]) if iso else None
    except ValueError:
        return None


# --- feedback --------------------------------------------------------------------------------------------------------


def feedback_note(note: str | None, situation: str | None) -> str | None:
    """Note and situation as one text, which `training_pairs` takes apart again."""
    return note if situation is None else f"{note or ''}{_SITUATION}{situation}"


def training_pairs(store: Store) -> Iterator[dict[str, Any]]:
    """Every piece of feedback that was not withdrawn as a pair of a situation and a project, oldest first.

    `query` is the situation it was about, None where nobody gave it; `label` 1 for helpful, adopted and adapted.
    """
    for item in stored_judgements(store):
        project = store.get_project(item.project_id) if item.kind in FEEDBACK else None
        if project is None:
            continue
        note, _, situation = (item.note or "").partition(_SITUATION)
        yield {
            "schema_version": 1,
            "query": situation or None, "project_id": item.project_id, "title": project.title, "text": project.text,
            "label": int(item.kind in POSITIVE), "kind": item.kind, "note": note or None,
            "created_at": item.created_at,
        }  # fmt: skip
