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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

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
    merged_projects,
    stored_judgements,
    write_changes,
)
from pipeline.bonds import Member, answers, contradiction, merged_into
from pipeline.candidates import Floats, candidates
from pipeline.duplicates import Comparison, Prepared, compare, load_rules

Pair = tuple[str, str]
"""Two project ids, the smaller first."""

__all__ = ["CurateReport", "curate", "judge", "judgements", "settle", "withdraw"]

PAIRED = ("same", "different")
SINGLE = ("helpful", "not_helpful", "adopted", "adapted", "failed")
LAPSED = "lapsed"
"""The decision of a question that no longer arises because the records now differ."""
STATE = "curation"
"""Key in `meta`: a hash of all that the last curation read, so that the next one without changes costs nothing."""


@dataclass(slots=True)
class CurateReport:
    """The state after a curation, so that a run that was interrupted and taken up again reports the same."""

    merged: list[tuple[str, str, float]] = field(default_factory=list)
    """(kept, gone, score) of every merge that the machine made and that is in force."""
    queued: int = 0
    """Open questions about duplicates."""
    families: list[tuple[str, str, float]] = field(default_factory=list)
    """Pairs that are kept apart as programme, branch or phase; noted, never merged."""
    new_merged: int = 0
    new_queued: int = 0


def curate(store: Store, run_id: str, *, vectors: Mapping[str, Floats] | None = None) -> CurateReport:
    """Finds records of the same project, merges what is certain and asks about what is doubtful.

    Everything is written in one transaction. A pair that a person judged is not looked at again; one that was merged by
    the machine and parted later, by a person or because the pages now differ, is asked about and never merged unasked.

    Args:
        store: held for writing.
        run_id: stands beside the judgements made.
        vectors: float32[d] per project id, L2-normalised, to find more candidates; None: keys alone.
    """
    records = list(iter_records(store))
    every = stored_judgements(store, withdrawn=True)
    state = _state(records, every, vectors)
    if (known := json.loads(store.get_meta(STATE) or "{}")).get("hash") == state:
        return _report(store, [(one, other, score) for one, other, score in known["families"]])
    questions = duplicate_questions(store)
    found = _compared(records, every, questions, vectors)
    plan = _settled(_plan(found, every, records, run_id), found, every, records, questions)
    write_changes(store, plan)
    families = [(*pair, result.score) for pair, result in found.items() if result.outcome == "family"]
    after = _state(records, stored_judgements(store, withdrawn=True), vectors)
    store.set_meta(STATE, json.dumps({"hash": after, "families": families}))
    report = _report(store, families)
    report.new_merged, report.new_queued = len(plan.made), len(plan.asked)
    return report


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
    valid = stored_judgements(store)
    older = [
        item for item in valid if other_id and item.kind in PAIRED and _pair(item) == _ordered(project_id, other_id)
    ]
    if other_id:
        others = [item for item in valid if item not in older]
        if way := contradiction(others, kind, project_id, other_id):
            raise CheckupError(_refusal(kind, project_id, other_id, way))
    new = StoredJudgement(id=0, kind=kind, project_id=project_id, other_id=other_id, note=note, origin=origin)  # type: ignore[arg-type]
    closed = {_pair(new): kind} if other_id else {}
    (made,) = write_changes(store, Changes(made=[new], withdrawn=[item.id for item in older], closed=closed, note=note))
    if other_id:
        settle(store)
    return made


def withdraw(store: Store, judgement_id: int) -> None:
    """Takes a judgement back; what it had merged is apart again, unless others still join it.

    Raises:
        CheckupError: No such judgement, or withdrawn already.
    """
    if all(item.id != judgement_id for item in stored_judgements(store)):
        raise CheckupError(
            f"Ein gültiges Urteil {judgement_id} gibt es nicht (vielleicht ist es schon zurückgenommen)."
        )
    write_changes(store, Changes(withdrawn=[judgement_id]))
    settle(store)


def judgements(store: Store, project_id: str | None = None) -> tuple[StoredJudgement, ...]:
    """The valid judgements, oldest first, of all projects or of one."""
    return stored_judgements(store, project_id)


def settle(store: Store) -> dict[str, str]:
    """Brings `merged_into` up to date with the valid judgements (after an erasure or restore, too) and returns it.

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
    vectors: Mapping[str, Floats] | None,
) -> dict[Pair, Comparison]:
    """Candidates, pairs that the machine merged before and open questions, compared.

    Those that a person judged, and those that are different, are left out.
    """
    rules = load_rules()
    prepared = [Prepared(record, rules) for record in records]
    places = {record.id: number for number, record in enumerate(records)}
    settled = {_pair(item) for item in every if item.kind in PAIRED and item.origin != MACHINE and _valid(item)}
    pairs = {(records[a].id, records[b].id) for a, b in candidates(prepared, vectors)}
    pairs |= {_pair(item) for item in every if item.origin == MACHINE and _valid(item)}
    pairs |= {pair for pair, decision in questions.items() if decision is None}
    found: dict[Pair, Comparison] = {}
    for one, other in sorted(pairs - settled):
        result = compare(prepared[places[one]], prepared[places[other]])
        if result.outcome != "different":
            found[one, other] = result
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
    in_force = {_pair(item) for item in mine if _valid(item)}
    parted = {_pair(item) for item in mine} - in_force
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
    purged = _purged(records)
    loose = [
        item.id for item in mine if _valid(item) and not purged & set(_pair(item)) and not _still(item, found, origins)
    ]
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
    one, other = _pair(item)
    result = found.get((one, other))
    return result is not None and result.outcome != "family" and origins[one] == origins[other] == "crawl"


def _report(store: Store, families: list[tuple[str, str, float]]) -> CurateReport:
    merged = merged_projects(store)
    mine = [item for item in stored_judgements(store) if item.origin == MACHINE]
    best: dict[str, float] = {}
    for item in mine:
        for key in _pair(item):
            best[key] = max(best.get(key, 0.0), item.score or 0.0)
    return CurateReport(
        merged=[(kept, gone, best[gone]) for gone, kept in merged.items() if gone in best],
        queued=sum(decision is None for decision in duplicate_questions(store).values()),
        families=families,
    )


def _state(
    records: Sequence[CurationRecord], every: Sequence[StoredJudgement], vectors: Mapping[str, Floats] | None
) -> str:
    """A hash of all that decides a curation's outcome."""
    digest = hashlib.sha256(json.dumps(asdict(load_rules()), default=sorted).encode())
    for record in records:
        line = (record.id, record.document_id, record.organisation, record.municipality, record.origin)
        digest.update(json.dumps(line).encode())
    for item in every:
        digest.update(json.dumps((item.id, item.withdrawn_at)).encode())
    digest.update(b"".join(key.encode() for key in sorted(vectors or ())))
    return digest.hexdigest()


def _purged(records: Sequence[CurationRecord]) -> set[str]:
    """Records whose text is no longer kept: they cannot be compared, so what was found out about them stays."""
    return {record.id for record in records if not record.text.strip()}


def _members(records: Sequence[CurationRecord]) -> dict[str, Member]:
    return {item.id: Member(id=item.id, origin=item.origin, length=len(item.text)) for item in records}


def _valid(item: StoredJudgement) -> bool:
    return item.withdrawn_at is None


def _ordered(one: str, other: str) -> Pair:
    return min(one, other), max(one, other)


def _pair(item: StoredJudgement) -> Pair:
    return _ordered(item.project_id, item.other_id or item.project_id)


def _check_call(kind: str, project_id: str, other_id: str | None) -> None:
    if kind not in (*PAIRED, *SINGLE):
        raise UsageError(f"Ein Urteil „{kind}“ gibt es nicht; möglich sind: {', '.join((*PAIRED, *SINGLE))}.")
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
        "Nehmen Sie zuerst eines dieser Urteile zurück."
    )
