"""What a person should look at, and what becomes of the decision.

Below: `data.store_review`, `pipeline.curate` (duplicates).
Above: `checkup.commands.review`, `pipeline.review_table`. A decision is a statement of origin `reviewer`, which
outlives every reading by the machine, or a judgement about two projects; the question is closed after it is written.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from data.errors import CheckupError, UsageError
from data.impact import EVIDENCE_GRADES, tier
from data.records import MULTI_VALUED, ORIGIN_PRIORITY, Statement
from data.store import Store
from data.store_review import Review, Told, decide, doubtful_statements, get_review, refill, years_given

LOW_SCORE = 0.6
"""A label is given from 0.5 on; up to here it is worth a look."""
YEARS = ("start_year", "end_year")
COMPARED = (*YEARS, "budget_eur", "reached_persons", "success_rate_percent", "level", "evidence_grade")
"""Properties of which two origins must say the same."""
LABELS = ("action_fields", "target_groups")
_NUMBERS = frozenset({*YEARS, "budget_eur", "reached_persons", "success_rate_percent", "level"})
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
REVIEWER = "reviewer"


# --- asking ----------------------------------------------------------------------------------------------------------


def fill_queue(store: Store) -> int:
    """Ask about every doubt that the current statements leave; returns how many questions are new.

    The whole database is looked at, so that a run killed before this point loses no question.
    """
    return refill(store, questions(doubtful_statements(store, (*COMPARED, *LABELS, "verified")), years_given(store)))


def questions(told: Sequence[Told], years: Mapping[str, tuple[int | None, int | None]]) -> Iterator[Review]:
    """The doubts about current statements.

    Args:
        told: Statements in the order of projects and properties.
        years: First and last year that a project came with, by id.
    """
    for project_id, of_project in groupby(told, key=lambda item: item.project_id):
        by_property: dict[str, list[Told]] = {}
        for item in of_project:
            by_property.setdefault(item.property, []).append(item)
        for name, year in zip(YEARS, years.get(project_id, (None, None)), strict=True):
            if year is not None and name in by_property:
                given = Told(project_id=project_id, property=name, value=year, origin="source", score=None, quote=None)
                by_property[name].append(given)
        for name, items in by_property.items():
            if any(item.origin == REVIEWER for item in items):
                continue
            if name in LABELS:
                yield from _low_scores(items)
            elif name in COMPARED:
                yield from _conflict(items)
            if name == "evidence_grade" and "verified" not in by_property:
                yield from _claimed_x(items)


def _low_scores(items: Iterable[Told]) -> Iterator[Review]:
    told = list(items)
    if any(item.origin != "extractor" for item in told):
        return
    lowest = {item.value: item for item in sorted(told, key=lambda item: -(item.score or 0.0))}
    for item in lowest.values():
        if item.score is not None and item.score < LOW_SCORE:
            yield _question("low_score", [item])


def _conflict(items: Iterable[Told]) -> Iterator[Review]:
    """Two origins that say different things; the first side is the one that counts now."""
    first: dict[str, Told] = {}
    for item in items:
        first.setdefault(item.origin, item)
    ranked = sorted(first.values(), key=lambda item: ORIGIN_PRIORITY.index(item.origin))
    if len({str(item.value) for item in ranked}) > 1:
        other = next(item for item in ranked if str(item.value) != str(ranked[0].value))
        yield _question("conflict", [ranked[0], other])


def _claimed_x(items: Iterable[Told]) -> Iterator[Review]:
    for item in items:
        if item.value == "X":
            yield _question("claimed_x", [item])
            return


def _question(kind: str, sides: Sequence[Told]) -> Review:
    shown = [{"value": item.value, "origin": item.origin, "quote": item.quote} for item in sides]
    one = sides[0]
    return Review(kind=kind, project_id=one.project_id, property=one.property, score=one.score, detail={"sides": shown})


# --- deciding --------------------------------------------------------------------------------------------------------


def open_question(store: Store, number: int) -> Review:
    """An open question.

    Raises:
        CheckupError: There is none of that number, or it is decided.
    """
    item = get_review(store, number)
    if item is None:
        raise CheckupError(f"Eine Prüffrage {number} gibt es nicht. „checkup review list“ zeigt die offenen.")
    if item.decided_at is not None:
        raise CheckupError(f"Die Prüffrage {number} wurde am {item.decided_at[:10]} entschieden: {item.decision}.")
    return item


def accept(store: Store, item: Review, note: str | None = None) -> bool:
    """What counts now stays; of a conflict it becomes the reviewer's own statement.

    Returns:
        Whether a statement was written, so that the index is to be published anew.

    Raises:
        UsageError: A question about two projects, which is answered with `same` or `different`.
    """
    if item.kind == "duplicate":
        raise UsageError(f"Die Prüffrage {item.id} betrifft zwei Projekte: bitte mit same oder different entscheiden.")
    written = item.kind == "conflict"
    if written and item.property is not None:
        _state(store, item.project_id, {item.property: [item.detail["sides"][0]["value"]]}, note)
    decide(store, item.id, "accept", note)
    return written


def correct(store: Store, item: Review, value: str, note: str | None = None) -> None:
    """The reviewer's value counts from now on.

    Args:
        store: Held for writing.
        item: The question.
        value: As a person writes it; several labels with commas between them, `-` for "there is none".
        note: Kept with the decision.

    Raises:
        UsageError: A value that the property cannot have, or a question about two projects.
    """
    if item.property is None:
        raise UsageError(f"Die Prüffrage {item.id} nach zwei Projekten hat keinen Wert, der zu berichtigen wäre.")
    _state(store, item.project_id, {item.property: parse_value(item.property, value)}, note)
    decide(store, item.id, "correct", note)


def same_or_different(store: Store, item: Review, decision: str, note: str | None = None) -> None:
    """Judge two projects to be the same one, or different ones; holds for ever, until it is withdrawn.

    Raises:
        UsageError: The question is not about two projects.
    """
    from pipeline.curate import judge

    if item.other_id is None:
        raise UsageError(
            f"Die Prüffrage {item.id} betrifft nur ein Projekt: bitte mit accept oder correct entscheiden."
        )
    judge(store, decision, item.project_id, item.other_id, note=note, origin=REVIEWER)
    still = get_review(store, item.id)
    if still is not None and still.decided_at is None:
        decide(store, item.id, decision, note)


def verify(store: Store, project_id: str, link: str, item: Review | None = None, note: str | None = None) -> None:
    """A person has seen the evaluation: the project's impact counts as verified, with the link to it.

    The note stands beside the decision, without a question behind the link.

    Raises:
        UsageError: The link is no web address, or a question about two projects.
        CheckupError: There is no such project.
    """
    if item is not None and item.other_id is not None:
        raise UsageError(f"Die Prüffrage {item.id} betrifft zwei Projekte: bitte mit same oder different entscheiden.")
    check_link(link)
    if store.get_project(project_id) is None:
        raise CheckupError(f"Ein Projekt „{project_id}“ gibt es nicht.")
    _state(store, project_id, {"verified": [True]}, f"{link} {note}" if note and item is None else link)
    if item is not None:
        decide(store, item.id, "verify", note or link)


def check_link(link: str) -> None:
    """Whether a text can be the address of an evaluation.

    Raises:
        UsageError: It is no web address.
    """
    if not link.startswith(("http://", "https://")) or len(link.split()) != 1:
        raise UsageError(
            f"„{link}“ ist keine Internetadresse. Bitte den Verweis auf die Evaluation angeben (https://…)."
        )


def parse_value(name: str, text: str) -> list[Any]:
    """A reviewer's value of a property as its statements' values; None alone stands for "there is none".

    Raises:
        UsageError: Not a value of that property; the message names what is.
    """
    parts = [part.strip() for part in text.split(",")] if name in MULTI_VALUED else [text.strip()]
    if parts in (["-"], [""]):
        return [None]
    if name in LABELS:
        return [_label(name, part) for part in parts]
    if name == "evidence_grade":
        if parts[0] not in EVIDENCE_GRADES:
            raise UsageError(f"„{parts[0]}“ ist kein Evidenzgrad; möglich sind: {', '.join(EVIDENCE_GRADES)}.")
        return parts
    if name in _NUMBERS:
        return [_number(name, parts[0])]
    return list(parts)


def _number(name: str, text: str) -> int | float:
    german = "," in text or _THOUSANDS.fullmatch(text)
    try:
        value = float(text.replace(".", "").replace(",", ".") if german else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"„{text}“ ist keine Zahl; {name} braucht eine.")
    if name == "level" and value not in range(8):
        raise UsageError(f"„{text}“ ist keine Wirkungsstufe; möglich sind 0 bis 7.")
    return int(value) if value == int(value) else value


def _label(name: str, text: str) -> str:
    from data.vocabulary import load_vocabulary

    vocabulary = load_vocabulary()
    known = vocabulary.fields if name == "action_fields" else vocabulary.groups
    if text not in known:
        raise UsageError(f"„{text}“ gibt es unter {name} nicht. Bekannt sind: {', '.join(known)}.")
    return text


def _state(store: Store, project_id: str, values: Mapping[str, Sequence[Any]], original: str | None) -> None:
    """Writes reviewer statements, and with an axis of impact the tier that follows from it."""
    told = {name: list(items) for name, items in values.items()}
    if told.keys() & {"level", "evidence_grade", "verified"}:
        now = _current(store, project_id) | {name: items[0] for name, items in told.items()}
        grade, level = now.get("evidence_grade") or "0", now.get("level") or 0
        told["tier"] = [tier(int(level), str(grade), verified=bool(now.get("verified")))]
    store.add_statements(
        Statement(
            project_id=project_id, property=name, value=value, document_id=None, origin="reviewer",
            extractor_version=REVIEWER, original_value=original,
        )
        for name, items in told.items()
        for value in items
    )  # fmt: skip


def _current(store: Store, project_id: str) -> dict[str, Any]:
    """The current level, evidence grade and verification of a project."""
    values: dict[str, Any] = {}
    for name in ("level", "evidence_grade", "verified"):
        told = store.statements(project_id, property=name)
        ranked = sorted(told, key=lambda item: ORIGIN_PRIORITY.index(item.origin))
        values[name] = ranked[0].value if ranked else None
    return values
