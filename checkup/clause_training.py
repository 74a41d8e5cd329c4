"""Training the judges of clauses: of levels on the part train of the gold, of lessons on all texts learned from.

Below: `pipeline.nlp.clause_training`, `checkup.marks_training`. Above: `checkup train clauses`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from checkup.marks_training import marked_texts
from data.corpus_files import FOLDER as CORPUS
from pipeline.nlp.clause_training import LabelledText, train_lessons, train_levels
from pipeline.nlp.judge import LESSONS_FILE, WEIGHTS_FILE


def train_clause_weights(gold: Path, folder: Path = WEIGHTS_FILE.parent, corpus: Path = CORPUS) -> int:
    """Trains and writes the weights of levels and of lessons.

    Args:
        gold: `projects.jsonl` as for `checkup.marks_training.train_marks`.
        folder: Gets the two .npz; the same gold and corpus give the same bytes.
        corpus: Of its marked texts those are read that `checkup.marks_training.LEARNED` names.

    Returns:
        How many texts were used.
    """
    entries = [json.loads(line) for line in gold.read_text("utf-8").split("\n") if line.strip()]
    texts = [
        LabelledText(entry.get("title"), entry["text"], entry["gold"].get("claims") or [])
        for entry in entries
        if entry["split"] == "train" and entry["gold"]["action_fields"]
    ]
    marked = [LabelledText(told.title, told.text, (), told.lessons) for told in marked_texts(gold, corpus=corpus)]
    folder.mkdir(parents=True, exist_ok=True)
    train_levels(texts).save(folder / WEIGHTS_FILE.name, _card(texts))
    train_lessons(marked).save(folder / LESSONS_FILE.name, _card(marked))
    return len(marked)


def _card(texts: Sequence[LabelledText]) -> dict[str, Any]:
    told = json.dumps([asdict(text) for text in texts], ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()
    return {"texts": len(texts), "data_sha256": digest, "command": "checkup train clauses"}
