"""Training the judges of clauses on the train part of the gold, that of lessons on marked shipped projects as well.

Below: `pipeline.nlp.clause_training`. Above: `checkup train clauses`.
"""

import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.corpus_files import FOLDER as CORPUS
from data.corpus_files import told_lessons
from data.shipped import iter_shipped
from pipeline.nlp.clause_training import LabelledText, train_lessons, train_levels
from pipeline.nlp.judge import LESSONS_FILE, WEIGHTS_FILE


def train_clause_weights(gold: Path, folder: Path = WEIGHTS_FILE.parent, corpus: Path = CORPUS) -> int:
    """Trains and writes the weights of levels and of lessons.

    Args:
        gold: `projects.jsonl` with `id`, `title`, `text`, `split`, `gold.claims` and `gold.lessons`; off-topic texts
            are left out.
        folder: Gets the two .npz; the same gold and corpus give the same bytes.
        corpus: Holds the lessons marked in shipped projects; those that the gold holds are left out.

    Returns:
        How many texts were used.
    """
    entries = [json.loads(line) for line in gold.read_text("utf-8").split("\n") if line.strip()]
    texts = [
        LabelledText(
            entry.get("title"), entry["text"], entry["gold"].get("claims") or [], entry["gold"].get("lessons") or []
        )
        for entry in entries
        if entry["split"] == "train" and entry["gold"]["action_fields"]
    ]
    shipped = _shipped(told_lessons(corpus), but={entry["id"] for entry in entries})
    folder.mkdir(parents=True, exist_ok=True)
    train_levels(texts).save(folder / WEIGHTS_FILE.name, _card(texts))
    train_lessons([*texts, *shipped]).save(folder / LESSONS_FILE.name, _card([*texts, *shipped]))
    return len(texts) + len(shipped)


def _card(texts: Sequence[LabelledText]) -> dict[str, Any]:
    told = json.dumps([asdict(text) for text in texts], ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()
    return {"texts": len(texts), "data_sha256": digest, "command": "checkup train clauses"}


def _shipped(lessons: Mapping[str, Sequence[Mapping[str, Any]]], but: Container[str]) -> list[LabelledText]:
    """Shipped projects whose lessons were marked, without those that a gold set holds."""
    projects = [e.project for e in iter_shipped() if e.project.id in lessons and e.project.id not in but]
    return [LabelledText(project.title, project.text, (), lessons[project.id]) for project in projects]
