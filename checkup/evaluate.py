"""`checkup evaluate DIR`: runs the product over a folder of cases and measures it, as CONTRACT defines the figures.

Below: `checkup.figures`, `matching`, `pipeline`. Above: `checkup.cli`.
The projects go into a fresh temporary workspace without the shipped ones; only the keys of Project are imported, so
that gold stays unseen (`with_labels` gives the separate figure with the editors' labels).
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkup import figures
from checkup.project_figures import exact, grade_of, level_of, project_figures
from data.errors import CheckupError
from data.records import PROJECT_KEYS, Project, Statement
from data.settings import Settings
from data.store import Store
from embeddings.shipped_vectors import load_shipped
from matching.query import Query
from pipeline.project_reading import ProjectReader

if TYPE_CHECKING:
    from matching.retrieve import Matcher

SCHEMA_VERSION = 1
Case = dict[str, Any]


def _lines(path: Path) -> list[Case]:
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
    except ValueError as error:
        raise CheckupError(f"{path} ist nicht lesbar: {error}") from error


def _of_split(cases: list[Case], split: str | None) -> list[Case]:
    return [case for case in cases if split is None or case.get("split", split) == split]


def evaluate(
    folder: Path, settings: Settings, *, split: str | None = None, needs: str | None = None, with_labels: bool = False
) -> dict[str, Any]:
    """All figures that the folder's files allow, as a JSON object; lists of misses included.

    Args:
        folder: holds projects.jsonl, situations.jsonl and qrels.jsonl, or some of them.
        settings: encoder, threads and the way of reading are taken from it, not its workspace.
        split: leave out cases of another `split`.
        needs: `structure` gives the true needs of structure_situations.jsonl to the matcher.
        with_labels: give the editors' labels of the projects to the matcher.

    Raises:
        CheckupError: if the folder holds none of the files.
    """
    projects = _of_split(_lines(folder / "projects.jsonl"), split)
    situations = _of_split(_lines(folder / "situations.jsonl"), split)
    if not projects and not situations:
        part = f" mit dem Teil „{split}“" if split else ""
        raise CheckupError(f"In {folder} steht weder projects.jsonl noch situations.jsonl{part}.")
    result: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "folder": folder.name, "split": split, "needs": needs,
                              "with_labels": with_labels, "encoder": settings.encoder}  # fmt: skip
    if labelled := [project for project in projects if "action_fields" in project.get("gold", {})]:
        result["projects"] = project_figures(labelled, read=ProjectReader(settings).read)
    if any("gold" in situation for situation in situations):
        result["situations"] = _situation_figures(situations, settings)
    qrels = {line["id"]: line for line in _lines(folder / "qrels.jsonl")}
    if projects and situations and qrels:
        structure = _structure(folder) if needs == "structure" else {}
        labels = _labels(folder, projects) if with_labels else []
        answers = _answers(projects, situations, settings, structure, labels)
        result["ranking"] = _ranking_figures(projects, situations, qrels, answers)
    return result


def _structure(folder: Path) -> dict[str, list[Case]]:
    """The true needs per situation: the highest grade is `need_id`, the others alternatives, weight / 3."""
    from data.vocabulary import load_vocabulary

    vocabulary = load_vocabulary()
    needs: dict[str, list[Case]] = {}
    for situation in _lines(folder / "structure_situations.jsonl"):
        needs[situation["id"]] = []
        for need in situation["needs"]:
            graded = [
                (grade, new) for old, grade in need["need_ids"].items() for new in vocabulary.resolve_need(old)
            ]  # fmt: skip
            graded.sort(key=lambda item: -item[0])
            if graded:
                needs[situation["id"]].append(
                    {
                        "need_id": graded[0][1], "start": need["start"], "end": need["end"], "confidence": 1.0,
                        "weight": need["weight"] / 3, "statement": need["span"],
                        "alternatives": [
                            {"need_id": i, "confidence": g / 3, "title": vocabulary.needs[i].title}
                            for g, i in graded[1:]
                        ],
                    }
                )  # fmt: skip
    return needs


def _labels(folder: Path, projects: list[Case]) -> list[Statement]:
    """The editors' labels as statements: fields, groups, impact of the gold, approaches of structure_projects.jsonl."""
    from data.impact import tier
    from data.vocabulary import load_vocabulary

    vocabulary = load_vocabulary()
    approaches = {line["id"]: line["approaches"] for line in _lines(folder / "structure_projects.jsonl")}
    statements = []
    for project in projects:
        gold = project.get("gold", {})
        given: list[tuple[str, Any, float | None]] = [
            (name, value, None) for name in ("action_fields", "target_groups") for value in gold.get(name, [])
        ]
        if gold:
            level, evidence = level_of(gold), grade_of(gold)
            read = (("level", level), ("evidence_grade", evidence), ("tier", tier(level, evidence)))
            given += [(name, value, None) for name, value in read]
        for old, grade in {**approaches.get(project["id"], {}), **gold.get("approaches", {})}.items():
            given += [("approaches", new, grade / 3) for new in vocabulary.resolve_approach(old)]
        statements += [
            Statement(
                project_id=project["id"], property=name, value=value, document_id=None, origin="editor",
                extractor_version="gold", score=score,
            )
            for name, value, score in given
        ]  # fmt: skip
    return statements


@contextmanager
def _workspace(projects: list[Case], settings: Settings, labels: list[Statement]) -> Iterator[Settings]:
    """A fresh workspace that holds these projects only; its settings."""
    from data.settings import load_settings
    from pipeline.refresh import Report, import_projects, worker_for

    with tempfile.TemporaryDirectory(prefix="checkup-evaluate-") as name:
        fresh = load_settings(Path(name), encoder=settings.encoder, threads=settings.threads)
        with Store.open(fresh, create=True) as store, store.writing("import"):
            records = [Project(**{k: p[k] for k in PROJECT_KEYS if p.get(k) is not None}) for p in projects]
            worker = worker_for(store)
            load_shipped(store, worker.encoder.fingerprint)
            report = Report()
            import_projects(store, records, worker, report, source="evaluate")
            if labels:
                store.add_statements(labels)
                import_projects(store, [], worker, report, source="evaluate")
        yield fresh


def _answers(
    projects: list[Case],
    situations: list[Case],
    settings: Settings,
    structure: Mapping[str, list[Case]],
    labels: list[Statement],
) -> dict[str, Case]:
    """The matcher's answer to each situation, over these projects only."""
    from matching.retrieve import Matcher, match_all

    with _workspace(projects, settings, labels) as fresh:
        queries = [
            Query(id=s["id"], text=s["text"], needs=tuple(structure[s["id"]]) if s["id"] in structure else None)
            for s in situations
        ]  # fmt: skip
        return {answer["id"]: answer for answer in match_all(Matcher(fresh), queries)}


@contextmanager
def judged_matcher(folder: Path, settings: Settings) -> Iterator[tuple["Matcher", list[Case], dict[str, Case]]]:
    """A matcher over a judged folder's projects, with its situations and qrels."""
    from matching.retrieve import Matcher

    projects, situations = _lines(folder / "projects.jsonl"), _lines(folder / "situations.jsonl")
    qrels = {line["id"]: line for line in _lines(folder / "qrels.jsonl")}
    with _workspace(projects, settings, []) as fresh:
        yield Matcher(fresh), situations, qrels


def _situation_figures(situations: list[Case], settings: Settings) -> dict[str, Any]:
    from matching.situation import Analyser

    analyser = Analyser(settings)
    pairs = [(analyser.analyse(s["text"]), s["gold"], s.get("kind")) for s in situations if "gold" in s]
    real = [(found, gold) for found, gold, _ in pairs if gold["needs"]]
    other = [found for found, gold, _ in pairs if not gold["needs"]]
    return {
        "count": len(pairs),
        "fields_needed": asdict(
            figures.micro_f1((f["action_fields"]["needed"], g["action_fields_needed"]) for f, g in real)
        ),
        "fields_covered": asdict(
            figures.micro_f1((f["action_fields"]["covered"], g["action_fields_covered"]) for f, g in real)
        ),
        "target_groups": asdict(
            figures.micro_f1(([x["id"] for x in f["target_groups"]], g["target_groups"]) for f, g in real)
        ),
        "population": exact([(f["population"], g["population"]) for f, g in real]),
        "state": exact([(f["state"], g["state"]) for f, g in real]),
        "budget_limit": figures.share(f["budget_limit"] == g["budget_limit"] for f, g in real),
        "refused": sum(not f["answerable"] for f, _ in real),
        "off_topic_or_vague": {"refused": sum(not f["answerable"] for f in other), "of": len(other)},
    }


def _ranking_figures(
    projects: list[Case], situations: list[Case], qrels: Mapping[str, Case], answers: Mapping[str, Case]
) -> dict[str, Any]:
    from data.impact import HIGH, tier

    high = {
        p["id"] for p in projects
        if "gold" in p and tier(level_of(p["gold"]), grade_of(p["gold"])) in HIGH
    }  # fmt: skip
    values: dict[str, list[float]] = {}
    met = answerable = 0
    highlight = [0, 0, 0]
    per_situation = {}
    for situation in situations:
        relevance = qrels.get(situation["id"], {}).get("rel", {})
        if not any(grade > 0 for grade in relevance.values()):
            continue
        answer = answers[situation["id"]]
        ranking = [match["project_id"] for match in answer.get("matches", [])]
        score = figures.ndcg(ranking, relevance)
        per_situation[situation["id"]] = round(score, 4)
        for name in dict.fromkeys(("all", situation.get("kind", "all"))):
            values.setdefault(f"ndcg@10 {name}", []).append(score)
        values.setdefault("hit@3", []).append(figures.hit(ranking, relevance))
        relevant_high = {p for p, grade in relevance.items() if grade >= figures.RELEVANT and p in high}
        if relevant_high:
            values.setdefault("high-impact@3", []).append(float(bool(relevant_high & set(ranking[:3]))))
            shown = set(ranking[:3]) | set(answer.get("highlights", []))
            values.setdefault("high-impact shown", []).append(float(bool(relevant_high & shown)))
        chosen = set(answer.get("highlights", []))
        highlight = [a + b for a, b in zip(highlight, (len(chosen & relevant_high), len(chosen), len(relevant_high)), strict=True)]  # fmt: skip  # noqa: E501
        one_met, one_answerable = figures.served(ranking, qrels[situation["id"]].get("by_need", []))
        met, answerable = met + one_met, answerable + one_answerable
    result: dict[str, Any] = {name: asdict(figures.mean(scores)) for name, scores in values.items()}
    chosen_known = highlight[1] if any("gold" in project for project in projects) else 0
    result["highlights"] = {
        "precision": figures.ratio(highlight[0], chosen_known), "recall": figures.ratio(highlight[0], highlight[2]),
    }  # fmt: skip
    result["needs_served@10"] = figures.ratio(met, answerable)
    result["refused"] = sum(bool(answers[i].get("abstained")) for i in per_situation)
    others = [s["id"] for s in situations if s["id"] not in per_situation]
    result["without_relevant"] = {
        "abstained": sum(bool(answers[i].get("abstained")) for i in others),
        "of": len(others),
    }
    result["per_situation"] = per_situation
    return result
