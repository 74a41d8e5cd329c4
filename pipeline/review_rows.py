"""The open questions as people and programs see them: one flat record each, both sides next to each other.

Below: `data.store_review`, `pipeline.staging` (gates). Above: `pipeline.review_table`, `checkup.commands.review`.
"""

from typing import Any

from data.errors import CheckupError
from data.store import Store
from data.store_review import Review, get_review, reviews_of, titles_of
from pipeline.review import open_question
from pipeline.staging import Attempt, held_sources

GATE = "quelle:"
"""A source that a gate holds is the question `quelle:NAME`."""
MOST_QUOTE = 1000
MOST_DIGITS = 18
"""Of a number, so that it fits the database's 64 bits."""
QUESTIONS = {
    "claimed_x": "Nennt der Text eine Studie, die keinen Nutzen fand?",
    "conflict": "Welche der beiden Angaben stimmt?",
    "low_score": "Trifft diese knapp vergebene Angabe zu?",
    "duplicate": "Sind das zwei Einträge desselben Projekts?",
    "gate": "Soll übernommen werden, was dieser Abruf gebracht hat?",
}


def question_rows(store: Store, *, decided: bool = False, kind: str | None = None) -> list[dict[str, Any]]:
    """Open questions (`decided`: all of them): held sources first, then by number; shape of review-list.schema.json."""
    titles = titles_of(store)
    rows = [_gate_row(name, attempt) for name, attempt in sorted(held_sources(store).items())]
    rows += [_row(store, item, titles) for item in reviews_of(store, decided=decided)]
    return [row for row in rows if kind is None or row["kind"] == kind]


def question_row(store: Store, number: str) -> dict[str, Any]:
    """One question, decided or not.

    Raises:
        CheckupError: There is none of that number or name.
    """
    if number.startswith(GATE):
        attempt = held_sources(store).get(number.removeprefix(GATE))
        if attempt is None:
            raise CheckupError(f"Von der Quelle „{number.removeprefix(GATE)}“ wird nichts zurückgehalten.")
        return _gate_row(number.removeprefix(GATE), attempt)
    item = get_review(store, number_of(number)) or open_question(store, number_of(number))
    return _row(store, item, titles_of(store, [item.project_id, item.other_id or item.project_id]))


def number_of(text: str) -> int:
    """The number of a question.

    Raises:
        CheckupError: It is none.
    """
    if not text.isdecimal() or len(text) > MOST_DIGITS:
        raise CheckupError(f"„{text}“ ist keine Nummer einer Prüffrage. „checkup review list“ zeigt die offenen.")
    return int(text)


def _row(store: Store, item: Review, titles: dict[str, str | None]) -> dict[str, Any]:
    sides = [{"value": None, "quote": None, **side} for side in item.detail.get("sides", [])]
    if item.kind == "duplicate":
        sides = [_project_side(store, item.project_id), _project_side(store, str(item.other_id))]
    question = QUESTIONS.get(item.kind, "")
    if item.detail.get("text"):
        question = f"{question} ({item.detail['text']})"
    return {
        "id": item.id, "kind": item.kind, "project_id": item.project_id, "other_id": item.other_id,
        "title": titles.get(item.project_id), "other_title": titles.get(item.other_id or ""),
        "property": item.property, "score": item.score, "created_at": item.created_at,
        "decided_at": item.decided_at, "decision": item.decision, "note": item.note, "question": question,
        "sides": sides,
    }  # fmt: skip


def _project_side(store: Store, project_id: str) -> dict[str, Any]:
    project = store.get_project(project_id)
    if project is None:
        return {"value": project_id, "origin": "", "quote": None}
    facts = (project.organisation, project.municipality, project.state, project.url)
    text = project.text if len(project.text) <= MOST_QUOTE else project.text[:MOST_QUOTE] + " …"
    return {"value": project_id, "origin": " · ".join(fact for fact in facts if fact), "quote": text}


def _gate_row(name: str, attempt: Attempt) -> dict[str, Any]:
    reasons = " ".join(finding["reason"] for finding in attempt.findings)
    return {
        "id": f"{GATE}{name}", "kind": "gate", "project_id": None, "other_id": None, "title": name,
        "other_title": None, "property": None, "score": None, "created_at": attempt.began, "decided_at": None,
        "decision": None, "note": None, "question": f"{QUESTIONS['gate']} {reasons}", "sides": [],
    }  # fmt: skip
