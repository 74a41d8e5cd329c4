import json
from pathlib import Path

import numpy as np

from checkup.marks_training import DEVELOPMENT, data_sha256, marked_texts, read_marked
from data.shipped import iter_shipped
from pipeline.nlp.marks import WEIGHTS_FILE

GOLD = Path(__file__).parents[2] / "eval" / "gold_projects" / "projects.jsonl"


def test_the_shipped_reader_learned_from_the_present_texts():
    texts = marked_texts(GOLD)
    with np.load(WEIGHTS_FILE) as file:
        card = json.loads(file["card"].tobytes())
    assert (card["texts"], card["data_sha256"]) == (len(texts), data_sha256(texts))
    assert len(texts) >= 1_900


def test_no_text_of_the_golds_development_and_test_parts_is_learned_from():
    entries = [json.loads(line) for line in GOLD.read_text("utf-8").split("\n") if line]
    learned = {text.text for text in marked_texts(GOLD)}
    assert not learned & {entry["text"] for entry in entries if entry["split"] != "train"}
    held_back = set(json.loads((Path("data") / "seed" / "gold_test_ids.json").read_text("utf-8")))
    assert not learned & {entry.project.text for entry in iter_shipped() if entry.project.id in held_back}


def test_what_is_held_back_for_choosing_is_not_learned_from():
    held_back = [read.text for _, read in read_marked(DEVELOPMENT)]
    assert len(held_back) > 250
    assert not {text.text for text in marked_texts(GOLD)} & set(held_back)
