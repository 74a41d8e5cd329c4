"""Training the judge of clauses on the train part of the gold for extraction.

Below: `pipeline.nlp.clause_training`. Above: `checkup train clauses`.
"""

import hashlib
import json
from pathlib import Path

from pipeline.nlp.clause_training import LabelledText, train_clauses
from pipeline.nlp.judge import WEIGHTS_FILE


def train_clause_weights(gold: Path, output: Path = WEIGHTS_FILE) -> int:
    """Trains and writes the weights.

    Args:
        gold: `projects.jsonl` with `title`, `text`, `split` and `gold.claims`; off-topic texts are left out.
        output: The .npz to write; the same gold gives the same bytes.

    Returns:
        How many texts were used.
    """
    entries = [json.loads(line) for line in gold.read_text("utf-8").split("\n") if line.strip()]
    texts = [
        LabelledText(entry.get("title"), entry["text"], entry["gold"].get("claims", []))
        for entry in entries
        if entry["split"] == "train" and entry["gold"]["action_fields"]
    ]
    told = [[text.title, text.text, list(text.claims)] for text in texts]
    digest = hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    weights = train_clauses(texts)
    output.parent.mkdir(parents=True, exist_ok=True)
    weights.save(output, {"texts": len(texts), "data_sha256": digest, "command": "checkup train clauses"})
    return len(texts)
