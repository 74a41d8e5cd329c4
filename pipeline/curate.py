"""Curation: the same project on several pages and in several sources becomes one, or a question to a person.

Below: `pipeline.candidates` (which pairs), `pipeline.duplicates` (how alike), `pipeline.bonds` (what follows),
`data.store_curation`. Above: `pipeline.refresh`, the review commands.

    with store.writing("refresh") as run:
        report = curate(store, run.id)

Two crawled records that are certainly one are merged at once, by a judgement of origin `machine`; where an imported or
shipped one takes part, and where it is doubtful, a row in `reviews` asks. A person's judgement outranks the machine's.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from data.errors import CheckupError, UsageError
from data.store import Store
from data.store_curation import (
    MACHINE,
    Changes,
    CurationRecord,
    Question,
    StoredJudgement,
    duplicate_questions,
    iter_records,
    stored_judgements,
    write_changes,
)
from data.store_review import FEEDBACK
from pipeline.bonds import Member, answers, contradiction, ends, merged_into
from pipeline.candidates import candidates
from pipeline.compared import Different
from pipeline.duplicates import Comparison, Prepared, compare, load_rules

Pair = tuple[str, str]
"""Two project ids, the smaller first."""

__all__ = ["CurateReport", "curate", "judge", "refusals", "settle", "withdraw"]

PAIRED = ("same", "different")
LAPSED = "lapsed"
"""The decision of a question that no longer arises because the records now differ."""
STATE = "curation"
"""Key in `meta`: a hash of all that the last curation read, so that the next one without changes costs nothing."""
VERSION = 1
"""Part of that hash; to be raised when the code comes to other outcomes."""


@dataclass(slots=True)
class CurateReport:
    """What a curation did."""

    merged: int = 0
    """Merges that the machine made."""
    asked: int = 0
    """Pairs that a person is asked about and was not before."""


def curate(store: Store, run_id: str) -> CurateReport:
    """Finds records of the same project, merges what is certain and asks about what is doubtful.

    Everything is written in one transaction. A pair that a person judged is not looked at again; one that was merged by
    the machine and parted later, by a person or because the pages now differ, is asked about and never merged unasked.

    Args:
        store: held for writing.
        run_id: stands beside the judgements made.
    """
    records = list(iter_records(store))
    every = stored_judgements(store, withdrawn=True)
    if store.get_meta(STATE) == _state(records, every):
        return CurateReport()
    questions = duplicate_questions(store)
    found = _compared(records, every, questions, Different(store.settings.workspace, _rules(), records))
    plan = _settled(_plan(found, every, records, run_id), found, every, records, questions)
    write_changes(store, plan)
    store.set_meta(STATE, _state(records, stored_judgements(store, withdrawn=True)))
    return CurateReport(merged=len(plan.made), asked=len(plan.asked))


def judge(
    store: Store,
    kind: str,
    project_id: str,
    other_id: str | None = None,
    note: str | None = None,
    origin: str = "reviewer",
) -> int:
    """Records what a person says about one project (`helpful` …) or two (`same`, `different`); returns its id.

    What was said before of the same pair is replaced: the older judgement is withdrawn. Open questions about the pair
    are closed and `merged_into` is brought up to date.

    Raises:
        UsageError: An unknown kind, a missing or superfluous second project, or twice the same one.
        CheckupError: A project that does not exist, or a judgement that contradicts others; the chain is named.
    """
    _check_call(kind, project_id, other_id)
    for key in (project_id, *([other_id] if other_id else [])):
        if store.get_project(key) is None:
            raise CheckupError(f"Ein Projekt „{key}“ gibt es nicht. „checkup list“ zeigt die Kennungen.")
    new = StoredJudgement(
        id=0, kind=kind, project_id=project_id, other_id=other_id, note=note, origin=origin  # type: ignore[arg-type]
    )  # fmt: skip
    valid = stored_judgements(store)
    older = _replaced(valid, new)
    if refused := _contradicted(valid, new):
        raise CheckupError(refused)
    closed = {ends(new): kind} if other_id else {}
    (made,) = write_changes(store, Changes(made=[new], withdrawn=[item.id for item in older], closed=closed, note=note))
    if other_id:
        settle(store)
    return made


def refusals(store: Store, told: Iterable[tuple[str, str, str]]) -> list[str | None]:
    """Why `judge` would refuse each of several judgements given one after the other; None: it would not.

    Args:
        store: read only.
        told: `same` or `different` and two projects that exist.
    """
    valid = list(stored_judgements(store))
    found = []
    for kind, one, other in told:
        new = StoredJudgement(id=0, kind=kind, project_id=one, other_id=other)  # type: ignore[arg-type]
        found.append(_contradicted(valid, new))
        if found[-1] is None:
            older = _replaced(valid, new)
            valid = [*(item for item in valid if item not in older), new]
    return found


def withdraw(store: Store, judgement_id: int) -> StoredJudgement:
    """Takes a judgement back and returns it; what it had merged is apart again, unless others still join it.

    Raises:
        CheckupError: No such judgement, or withdrawn already.
    """
    taken = next((item for item in stored_judgements(store) if item.id == judgement_id), None)
    if taken is None:
        raise CheckupError(
            f"Ein gültiges Urteil {judgement_id} gibt es nicht (vielleicht ist es schon zurückgenommen). "
            "„checkup history PROJEKT“ zeigt die Nummern."
        )
    write_changes(store, Changes(withdrawn=[judgement_id]))
    settle(store)
    return taken


def settle(store: Store) -> dict[str, str]:
    """Brings `merged_into` up to date with the valid judgements and returns it.

    Open questions whose answer follows from the judgements are closed.
    """
    valid = stored_judgements(store)
    merged = merged_into(valid, _members(list(iter_records(store))))
    answer = answers(valid, merged)
    waiting = [pair for pair, decision in duplicate_questions(store).items() if decision is None]
    closed = {pair: said for pair in waiting if (said := answer(*pair))}
    write_changes(store, Changes(merged=merged, closed=closed))
    return merged


def _compared(
    records: Sequence[CurationRecord],
    every: Sequence[StoredJudgement],
    questions: Mapping[Pair, str | None],
    different: Different,
) -> dict[Pair, Comparison]:
    """Candidates, pairs that the machine merged before and open questions, compared.

    Those that a person judged, and those that are different, are left out; what is known to be different is not
    compared again.
    """
    rules = load_rules()
    prepared = [Prepared(record, rules) for record in records]
    places = {record.id: number for number, record in enumerate(records)}
    settled = {ends(item) for item in every if item.kind in PAIRED and item.origin != MACHINE and _valid(item)}
    pairs = {(records[a].id, records[b].id) for a, b in candidates(prepared)}
    pairs |= {ends(item) for item in every if item.origin == MACHINE and _valid(item)}
    pairs |= {pair for pair, decision in questions.items() if decision is None}
    found: dict[Pair, Comparison] = {}
    wanted = sorted(pairs - settled)
    for one, other in different.unknown(wanted):
        result = compare(prepared[places[one]], prepared[places[other]])
        if result.outcome != "different":
            found[one, other] = result
    different.keep(pair for pair in wanted if pair not in found)
    return found


def _plan(
    found: Mapping[Pair, Comparison],
    every: Sequence[StoredJudgement],
    records: Sequence[CurationRecord],
    run_id: str,
) -> Changes:
    """What the comparisons change: judgements of the machine to make and to withdraw, pairs to ask about."""
    origins = {record.id: record.origin for record in records}
    mine = [item for item in every if item.origin == MACHINE]
    purged = _purged(records)
    loose = [
        item.id for item in mine if _valid(item) and not purged & set(ends(item)) and not _still(item, found, origins)
    ]
    in_force = {ends(item) for item in mine if _valid(item)} - {ends(item) for item in mine if item.id in set(loose)}
    parted = {ends(item) for item in mine} - in_force
    made, asked = [], []
    for (one, other), result in found.items():
        if result.outcome == "family" or (one, other) in in_force:
            continue
        crawled = origins[one] == origins[other] == "crawl"
        if result.outcome == "certain" and crawled and (one, other) not in parted:
            made.append(
                StoredJudgement(
                    id=0, kind="same", project_id=one, other_id=other, note="; ".join(result.reasons), origin=MACHINE,
                    score=result.score, run_id=run_id,
                )
            )  # fmt: skip
        else:
            asked.append(Question(project_id=one, other_id=other, score=result.score, detail="; ".join(result.reasons)))
    return Changes(made=made, withdrawn=loose, asked=asked)


def _settled(
    plan: Changes,
    found: Mapping[Pair, Comparison],
    every: Sequence[StoredJudgement],
    records: Sequence[CurationRecord],
    questions: Mapping[Pair, str | None],
) -> Changes:
    """The plan with what follows from it: merged projects, and questions only where no judgement answers them.

    A pair that was asked about is not asked again, unless the answer was taken back or the question had lapsed.
    """
    valid = [item for item in every if _valid(item) and item.id not in set(plan.withdrawn)] + list(plan.made)
    merged = merged_into(valid, _members(records))
    answer = answers(valid, merged)
    again = (*PAIRED, LAPSED)
    asked = [
        item
        for item in plan.asked
        if questions.get(pair := (item.project_id, item.other_id), LAPSED) in again and not answer(*pair)
    ]
    closed: dict[Pair, str] = {}
    purged = _purged(records)
    for pair in (pair for pair, decision in questions.items() if decision is None):
        if said := answer(*pair):
            closed[pair] = said
        elif not purged & set(pair) and (pair not in found or found[pair].outcome == "family"):
            closed[pair] = LAPSED
    return replace(plan, asked=asked, closed=closed, merged=merged)


def _still(item: StoredJudgement, found: Mapping[Pair, Comparison], origins: Mapping[str, str]) -> bool:
    """A merge by the machine stays while the two are at least doubtful and both crawled."""
    one, other = ends(item)
    result = found.get((one, other))
    return result is not None and result.outcome != "family" and origins[one] == origins[other] == "crawl"


def _state(records: Sequence[CurationRecord], every: Sequence[StoredJudgement]) -> str:
    """A hash of all that decides a curation's outcome."""
    digest = hashlib.sha256(_rules().encode())
    for record in records:
        line = (record.id, record.document_id, record.organisation, record.municipality, record.origin)
        digest.update(json.dumps(line).encode())
    for item in every:
        if item.kind in PAIRED:
            digest.update(json.dumps((item.id, item.withdrawn_at)).encode())
    return digest.hexdigest()


def _rules() -> str:
    """Names the rules and this code."""
    return hashlib.sha256(json.dumps([VERSION, asdict(load_rules())], default=sorted).encode()).hexdigest()


def _purged(records: Sequence[CurationRecord]) -> set[str]:
    """Records whose text is no longer kept: they cannot be compared, so what was found out about them stays."""
    return {record.id for record in records if not record.text.strip()}


def _members(records: Sequence[CurationRecord]) -> dict[str, Member]:
    return {item.id: Member(id=item.id, origin=item.origin, length=len(item.text)) for item in records}


def _valid(item: StoredJudgement) -> bool:
    return item.withdrawn_at is None


def _replaced(valid: Iterable[StoredJudgement], new: StoredJudgement) -> list[StoredJudgement]:
    """Judgements of the same pair, which a new one takes the place of."""
    return [item for item in valid if new.other_id and item.kind in PAIRED and ends(item) == ends(new)]


def _contradicted(valid: Sequence[StoredJudgement], new: StoredJudgement) -> str | None:
    """Why a new judgement does not fit those of other pairs; None: it does."""
    if new.other_id is None:
        return None
    older = _replaced(valid, new)
    others = [item for item in valid if item not in older]
    way = contradiction(others, new.kind, new.project_id, new.other_id)
    return _refusal(new.kind, new.project_id, new.other_id, way) if way else None


def _check_call(kind: str, project_id: str, other_id: str | None) -> None:
    if kind not in (*PAIRED, *FEEDBACK):
        raise UsageError(f"Ein Urteil „{kind}“ gibt es nicht; möglich sind: {', '.join((*PAIRED, *FEEDBACK))}.")
    if (kind in PAIRED) != bool(other_id):
        needs = "zwei Projekte" if kind in PAIRED else "genau ein Projekt"
        raise UsageError(f"Das Urteil „{kind}“ braucht {needs}.")
    if project_id == other_id:
        raise UsageError("Ein Projekt kann nicht mit sich selbst verglichen werden; nennen Sie zwei Kennungen.")


def _refusal(kind: str, one: str, other: str, way: Sequence[str]) -> str:
    said = "dasselbe" if kind == "same" else "verschieden"
    links = " = ".join(f"„{key}“" for key in way)
    because = (
        f"Sie gelten bereits als dasselbe Projekt: {links}."
        if kind == "different"
        else f"Dann wären auch „{way[0]}“ und „{way[-1]}“ dasselbe ({links}), die als verschieden beurteilt sind."
    )
    return (
        f"„{one}“ und „{other}“ können nicht als {said} gelten. {because} "
        "Nehmen Sie zuerst eines dieser Urteile zurück: „checkup history PROJEKT“ zeigt ihre Nummern, "
        "„checkup review withdraw NUMMER“ nimmt eines zurück."
    )
