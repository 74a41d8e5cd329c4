"""Figures of the extraction: what `extract` reads in projects against gold.

Below: `pipeline.nlp.extract`, `pipeline.nlp.readings`, `checkup.figures`, `data.impact`. Above: `checkup.evaluate`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from checkup import figures
from data.impact import HIGH, tier
from pipeline.nlp.readings import overlap

Case = dict[str, Any]


Read = Callable[[Iterable[tuple[str, str | None, str]]], Iterable[Mapping[str, Any]]]
"""Reads projects: id, title and text."""


def project_figures(projects: Sequence[Case], *, reading: str = "deep", read: Read | None = None) -> dict[str, Any]:
    """What `extract` finds in projects against their gold, as a JSON object; misses included.

    Args:
        projects: `id`, `title`, `text`, `gold` (CONTRACT, "Figures of evaluate"); with no action field in its list a
            project is a distractor that must be refused.
        reading: as in `pipeline.nlp.extract.extract`, which reads without approaches.
        read: reads in its place.

    `lost` and `on_topic_refused` both count the real projects that were refused.
    """
    from pipeline.nlp.extract import extract

    given = [(p["id"], p.get("title"), p["text"]) for p in projects]
    told = zip(read(given) if read else extract(given, reading=reading), projects, strict=True)
    pairs = [(dict(found), p["gold"]) for found, p in told if "gold" in p]
    real = [(found, gold) for found, gold in pairs if gold["action_fields"]]
    refused = sum(not found["on_topic"] for found, _ in real)
    result: dict[str, Any] = {"count": len(pairs), "lost": refused}
    for name in ("action_fields", "target_groups", "approaches"):
        if any(name in gold for _, gold in real):
            result[name] = asdict(
                figures.micro_f1(([x["id"] for x in found[name]], gold.get(name, [])) for found, gold in real)
            )
    levels = [(found["impact"]["level"], level_of(gold)) for found, gold in real]
    result["level_exact"] = figures.share(a == b for a, b in levels)
    result["level_within_one"] = figures.share(abs(a - b) <= 1 for a, b in levels)
    result["level_confusion"] = _confusion(levels)
    grades = [(found["impact"]["evidence_grade"], grade_of(gold)) for found, gold in real]
    result["evidence_exact"] = figures.share(a == b for a, b in grades)
    for name, key in (("reached", "reached_persons"), ("rate", "success_rate_percent"), ("budget", "budget_eur")):
        result[name] = exact([(found[key], gold.get(key)) for found, gold in real])
    for name in ("awards", "transferred"):
        result[name] = exact([(bool(found[name]) or None, bool(gold.get(name)) or None) for found, gold in real])
    result["tier_high"] = _tier_high(real)
    if any("claims" in gold for _, gold in real):
        result["claims"] = _claims(real)
    if any("lessons" in gold for _, gold in real):
        result["lessons"] = _lessons(real)
    if any("continuation" in gold for _, gold in real):
        result["continuation"] = exact([(_status(found), _status(gold)) for found, gold in real])
    off = [found["on_topic"] for found, gold in pairs if not gold["action_fields"]]
    result["off_topic"] = {"found": sum(not on for on in off), "of": len(off)}
    result["on_topic_refused"] = refused
    result["misses"] = list(_misses(pairs))
    return result


def _tier_high(pairs: Sequence[tuple[Case, Case]]) -> dict[str, float]:
    """F1 of being of tier high or proven."""
    return exact(
        [
            (found["impact"]["tier"] in HIGH or None, tier(level_of(gold), grade_of(gold)) in HIGH or None)
            for found, gold in pairs
        ]
    )


def _claims(pairs: Sequence[tuple[Case, Case]]) -> dict[str, Any]:
    """Recall of gold's claims, status, level and count (value and whole) of those found, and precision of ours."""
    found_all = gold_all = met = right = level = true = counted = count = 0
    for found, gold in pairs:
        ours, theirs = found["impact"]["claims"], gold.get("claims", [])
        found_all, gold_all = found_all + len(ours), gold_all + len(theirs)
        true += sum(any(overlap(one, other) for other in theirs) for one in ours)
        for claim in theirs:
            same = [one for one in ours if overlap(one, claim)]
            met += bool(same)
            right += any(one["status"] == claim["status"] for one in same)
            level += any(one["level"] == claim["level"] for one in same)
            if same and (told := claim.get("quantity")):
                counted += 1
                count += any(_same_count(one["quantity"], told) for one in same)
    return {
        "recall": figures.ratio(met, gold_all), "precision": figures.ratio(true, found_all),
        "status": figures.ratio(right, met), "level": figures.ratio(level, met),
        "quantity": figures.ratio(count, counted), "gold": gold_all,
    }  # fmt: skip


def _same_count(found: Case | None, gold: Case) -> bool:
    """Whether two counts are of the same value, to the whole number, out of the same whole."""
    return found is not None and all(round(found[key] or 0) == round(gold.get(key) or 0) for key in ("value", "of"))


def _lessons(pairs: Sequence[tuple[Case, Case]]) -> dict[str, Any]:
    """F1 of lessons by overlapping spans, and the share of the found ones with the right kind."""
    found_all = gold_all = met = true = kind = 0
    for found, gold in pairs:
        ours, theirs = found["lessons"], gold.get("lessons", [])
        found_all, gold_all = found_all + len(ours), gold_all + len(theirs)
        true += sum(any(overlap(one, other) for other in theirs) for one in ours)
        for lesson in theirs:
            same = [one for one in ours if overlap(one, lesson)]
            met += bool(same)
            kind += any(one["kind"] == lesson["kind"] for one in same)
    precision, recall = figures.ratio(true, found_all), figures.ratio(met, gold_all)
    f1 = 2 * precision * recall / (precision + recall) if precision and recall else 0.0
    return {"f1": f1, "precision": precision, "recall": recall, "kind": figures.ratio(kind, met), "gold": gold_all}


def _status(case: Case) -> str | None:
    continuation = case.get("continuation")
    return continuation["status"] if continuation else None


def level_of(gold: Case) -> int:
    """Gold's result level 0-7; real_dev calls it `wirkungstreppe`."""
    return int(gold.get("level", gold.get("wirkungstreppe", 0)) or 0)


def grade_of(gold: Case) -> str:
    """Gold's evidence grade as `extract` writes it."""
    return str(gold.get("evidence_grade", gold.get("evidence", "0")) or "0")


def _confusion(levels: list[tuple[int, int]]) -> dict[str, int]:
    table: dict[str, int] = {}
    for found, gold in sorted(levels, key=lambda pair: (pair[1], pair[0])):
        table[f"{gold}->{found}"] = table.get(f"{gold}->{found}", 0) + 1
    return table


def exact(pairs: list[tuple[Any, Any]]) -> dict[str, float]:
    """F1 over exact values: a value where gold has none, or another, is false; a missing one is missed."""
    return asdict(figures.micro_f1(([str(a)] if a is not None else [], [str(b)] if b is not None else [])
                                   for a, b in ((_number(a), _number(b)) for a, b in pairs)))  # fmt: skip


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _misses(pairs: list[tuple[Case, Case]]) -> Iterator[Case]:
    for found, gold in pairs:
        wrong = {}
        for name in ("action_fields", "target_groups"):
            ids = sorted(x["id"] for x in found[name])
            if set(ids) != set(gold.get(name, [])):
                wrong[name] = {"found": ids, "gold": sorted(gold.get(name, []))}
        scalars: dict[str, tuple[Any, Any]] = {"level": (found["impact"]["level"], level_of(gold)),
                   "evidence": (found["impact"]["evidence_grade"], grade_of(gold))}  # fmt: skip
        for key in ("reached_persons", "success_rate_percent", "budget_eur"):
            scalars[key] = (_number(found[key]), _number(gold.get(key)))
        wrong.update({key: {"found": a, "gold": b} for key, (a, b) in scalars.items() if a != b})
        if wrong:
            yield {"id": found["id"], **wrong}
