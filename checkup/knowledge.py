"""A need or an approach as a card that can be printed or given as JSON.

Below: `data.vocabulary`. Above: `checkup explain`.
"""

from collections.abc import Container
from dataclasses import asdict
from typing import Any

from data.errors import UsageError
from data.vocabulary import Condition, Vocabulary


def _condition(condition: Condition | None) -> dict[str, list[str]]:
    """An arrow's condition without its empty parts."""
    parts = asdict(condition) if condition else {}
    return {key: list(value) for key, value in parts.items() if value}


def _one(kind: str, given: str, ids: tuple[str, ...], present: Container[str]) -> str:
    """The one id that is meant: a present one as it is (part of it may have been split off), an old one's heir."""
    if given in present:
        return given
    if not ids:
        raise UsageError(f"{kind} „{given}“ gibt es nicht.")
    if len(ids) > 1:
        raise UsageError(f"{kind} „{given}“ wurde geteilt in: {', '.join(ids)}. Bitte eines davon angeben.")
    return ids[0]


def need_card(vocabulary: Vocabulary, given: str) -> dict[str, Any]:
    """What a need is and which approaches answer it, best first.

    Raises:
        UsageError: if no such need exists, or an old id was split into several.
    """
    need = vocabulary.needs[_one("Einen Bedarf", given, vocabulary.resolve_need(given), vocabulary.needs)]
    arrows = sorted(need.arrows, key=lambda arrow: -arrow.grade)
    return {
        "schema_version": 1, "kind": "need", "id": need.id, "title": need.title, "what": need.what,
        "reword": need.reword, "field": need.field, "module": vocabulary.module_of_need(need.id),
        "groups": list(need.groups),
        "approaches": [
            {"id": a.approach, "title": vocabulary.approaches[a.approach].title, "grade": a.grade,
             "if": _condition(a.condition)}
            for a in arrows
        ],
    }  # fmt: skip


def approach_card(vocabulary: Vocabulary, given: str) -> dict[str, Any]:
    """What an approach is, what it takes, and which needs it answers, best first.

    Raises:
        UsageError: if no such approach exists, or an old id was split into several.
    """
    ids = vocabulary.resolve_approach(given)
    approach = vocabulary.approaches[_one("Einen Ansatz", given, ids, vocabulary.approaches)]
    needs = [
        {"id": need.id, "title": need.title, "grade": arrow.grade}
        for need in vocabulary.needs.values()
        for arrow in need.arrows
        if arrow.approach == approach.id
    ]
    return {
        "schema_version": 1, "kind": "approach", "id": approach.id, "title": approach.title, "what": approach.what,
        "fields": list(approach.fields), "module": vocabulary.module_of_approach(approach.id),
        "groups": list(approach.groups), "wordings": list(approach.wordings),
        "preconditions": list(approach.preconditions), "obstacles": list(approach.obstacles),
        "success_factors": list(approach.success_factors), "competent": list(approach.competent),
        "duty": approach.duty, "legal_status": list(approach.legal_status),
        "needs": sorted(needs, key=lambda item: -int(str(item["grade"]))),
    }  # fmt: skip
