"""What follows from judgements: which projects are one, which speaks for them, and whether a new judgement fits.

Below: `data.store_curation`. Above: `pipeline.curate`. Pure functions; the order of the judgements never matters.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data.records import ProjectOrigin
from data.store_curation import MACHINE, StoredJudgement

BEST_ORIGIN: tuple[ProjectOrigin, ...] = ("seed", "import", "crawl")
"""Of several records that are one project, the first of these speaks for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What decides which record is kept."""

    id: str
    origin: ProjectOrigin
    length: int
    """Code points of its text."""


def merged_into(judgements: Iterable[StoredJudgement], members: Mapping[str, Member]) -> dict[str, str]:
    """The kept project's id by each merged one's, from the valid judgements (union-find).

    People's `same` count first, then the machine's from the highest score down; one that would join two projects that
    a person called different has no effect. Kept is the best origin, then the longest text, then the smallest id.

    Args:
        judgements: not withdrawn ones, in any order.
        members: every project by id; judgements about others are passed over.
    """
    told = [item for item in judgements if item.project_id in members and item.other_id in members]
    parent = {key: key for item in told for key in ends(item)}
    apart = {ends(item) for item in told if item.kind == "different"}
    for item in sorted((item for item in told if item.kind == "same"), key=_strength):
        one, other = (_root(parent, key) for key in ends(item))
        if one != other and not any({_root(parent, a), _root(parent, b)} == {one, other} for a, b in apart):
            parent[max(one, other)] = min(one, other)
    groups: dict[str, list[Member]] = defaultdict(list)
    for key in parent:
        groups[_root(parent, key)].append(members[key])
    kept: dict[str, str] = {}
    for group in groups.values():
        best = min(group, key=lambda member: (BEST_ORIGIN.index(member.origin), -member.length, member.id))
        kept |= {member.id: best.id for member in group if member.id != best.id}
    return dict(sorted(kept.items()))


def answers(
    judgements: Iterable[StoredJudgement], merged: Mapping[str, str]
) -> Callable[[str, str], Literal["same", "different"] | None]:
    """What the judgements say about a pair, by itself or through what each is merged with; None: nothing."""
    apart = set()
    for item in judgements:
        if item.kind == "different":
            one, other = ends(item)
            apart.add(frozenset((merged.get(one, one), merged.get(other, other))))

    def answer(one: str, other: str) -> Literal["same", "different"] | None:
        kept = frozenset((merged.get(one, one), merged.get(other, other)))
        return "same" if len(kept) == 1 else "different" if kept in apart else None

    return answer


def chain(judgements: Iterable[StoredJudgement], one: str, other: str) -> list[str]:
    """The shortest way from one project to another over people's `same`, both ends named; empty if there is none."""
    near: dict[str, set[str]] = defaultdict(set)
    for item in judgements:
        if item.kind == "same" and item.origin != MACHINE:
            a, b = ends(item)
            near[a].add(b)
            near[b].add(a)
    came: dict[str, str] = {one: one}
    waiting = deque([one])
    while waiting and other not in came:
        at = waiting.popleft()
        for key in sorted(near[at] - came.keys()):
            came[key] = at
            waiting.append(key)
    if other not in came:
        return []
    way = [other]
    while way[-1] != one:
        way.append(came[way[-1]])
    return way[::-1]


def contradiction(judgements: Sequence[StoredJudgement], kind: str, one: str, other: str) -> list[str]:
    """The projects over which a new judgement contradicts what people said, in order; empty if it fits.

    For `different`: the chain of `same` between the two. For `same`: the chain that would lead from a project to one
    that a person called different from it.
    """
    if kind == "different":
        return chain(judgements, one, other)
    if kind != "same":
        return []
    new = StoredJudgement(id=-1, kind="same", project_id=one, other_id=other)
    for item in judgements:
        if item.kind == "different" and (way := chain([*judgements, new], *ends(item))):
            return way
    return []


def ends(item: StoredJudgement) -> tuple[str, str]:
    """The projects that a judgement is about, the smaller id first; twice the same one where it is about one."""
    other = item.other_id or item.project_id
    return min(item.project_id, other), max(item.project_id, other)


def _strength(item: StoredJudgement) -> tuple[bool, float, tuple[str, str]]:
    return item.origin == MACHINE, -(item.score or 0.0), ends(item)


def _root(parent: dict[str, str], key: str) -> str:
    while parent[key] != key:
        parent[key] = parent[parent[key]]
        key = parent[key]
    return key
