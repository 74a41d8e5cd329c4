"""Saved situations: answered when they are saved, and compared with that answer after a refresh.

Below: `matching`, `data.store_situations`. Above: `checkup.commands.situations`, `checkup.reporting`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data.errors import CheckupError
from data.impact import HIGH
from data.store_situations import Best, SavedSituation, Told

if TYPE_CHECKING:
    from data.settings import Settings
    from data.store import Store
    from matching.retrieve import Matcher
    from pipeline.digest import Item

KEPT = 10
"""So many projects are kept with a situation and compared."""
FIRST = 3
"""A project that is new among so many is better than before, whatever its tier."""
MOST_NAME = 100


def checked_name(name: str) -> str:
    """The name without blanks at its ends.

    Raises:
        CheckupError: Empty, longer than 100 characters, or with control characters.
    """
    given = name.strip()
    if not given or len(given) > MOST_NAME or not given.isprintable():
        raise CheckupError(f"Ein Name hat 1 bis {MOST_NAME} Zeichen ohne Zeilenumbruch.")
    return given


def answer_to(matcher: "Matcher", text: str) -> dict[str, Any]:
    """What `match` says to a text, with as many projects as are kept."""
    from matching.query import Query

    return matcher.match(Query(text=text), top=KEPT)


def best_of(answer: Mapping[str, Any]) -> tuple[Best, ...]:
    """Of an answer what is kept with a situation, best first."""
    return tuple(Best(project_id=one["project_id"], score=one["score"]) for one in answer["matches"][:KEPT])


def better_matches(
    before: Collection[str], matches: Sequence[Mapping[str, Any]]
) -> list[tuple[int, Mapping[str, Any]]]:
    """Matches that were not told before and are worth telling, with their rank from 1.

    Args:
        before: Ids of the projects that were told.
        matches: Of an answer, best first.

    Returns:
        Those among the first three, and those of tier high or proven among the first ten.
    """
    return [
        (rank, match)
        for rank, match in enumerate(matches[:KEPT], 1)
        if match["project_id"] not in before and (rank <= FIRST or match["impact"]["tier"] in HIGH)
    ]


def tell(
    situation: SavedSituation, answer: Mapping[str, Any], merged: Mapping[str, str]
) -> tuple[list[tuple[int, Mapping[str, Any]]], Told]:
    """The matches that are worth telling (`better_matches`), and what is to be kept once they are told.

    Args:
        situation: As it was kept.
        answer: To its text, now.
        merged: Projects that another one speaks for since, and that one.
    """
    better = better_matches({merged.get(one, one) for one in situation.told}, answer["matches"])
    named = [str(match["project_id"]) for _, match in better]
    return better, Told(best=best_of(answer), told=(*situation.told, *named))


def compare(settings: "Settings", store: "Store") -> tuple[list["Item"], dict[str, Told], list[str]]:
    """Every saved situation against what was told about it before.

    Returns:
        An item for each with better matches; what is to be kept now, by name; what failed, as sentences.
    """
    from data.store_curation import merged_projects
    from data.store_situations import saved_situations

    saved = saved_situations(store)
    if not saved:
        return [], {}, []
    from matching.retrieve import Matcher

    try:
        matcher = Matcher(settings)
    except CheckupError as error:
        return [], {}, [f"Die gespeicherten Lagen konnten nicht verglichen werden: {error.message}"]
    merged = merged_projects(store)
    items: list[Item] = []
    told: dict[str, Told] = {}
    failed: list[str] = []
    for situation in saved:
        try:
            answer = answer_to(matcher, situation.text)
        except CheckupError as error:
            failed.append(f"Lage „{situation.name}“: {error.message}")
            continue
        better, told[situation.name] = tell(situation, answer, merged)
        if better:
            items.append(_item(situation, better))
    return items, told, failed


def _item(situation: SavedSituation, better: Sequence[tuple[int, Mapping[str, Any]]]) -> "Item":
    from data.impact import TIER_TITLES
    from pipeline.digest import Item

    lines = []
    for rank, match in better:
        where = f" {match['url']}" if match["url"] else ""
        title = match["title"] or match["project_id"]
        lines.append(f"Platz {rank}: {title} ({TIER_TITLES[match['impact']['tier']]}){where}")
    return Item(title=situation.name, lines=tuple(lines))
