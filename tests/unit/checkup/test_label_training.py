"""What the reader of fields and groups learns from: never a project that the gold measures on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkup.label_training import data_sha256, examples, left_out
from data.corpus_files import load_corpus
from data.shipped import iter_shipped
from pipeline.nlp.label_training import Example
from pipeline.nlp.label_weights import VECTOR_FILE, WEIGHTS_FILE
from pipeline.nlp.labels import label_names
from pipeline.nlp.text_vectors import vectors_name

GOLD = Path("tests/eval/gold_projects/projects.jsonl")


@pytest.fixture(scope="module")
def found() -> list[Example]:
    return examples(GOLD, load_corpus())


def test_no_project_of_the_gold_s_dev_or_test_part_is_learned_from(found: list[Example]) -> None:
    gold = [json.loads(line) for line in GOLD.read_text("utf-8").splitlines()]
    texts = {example.text for example in found}
    for line in gold:
        if line["split"] != "train":
            assert line["id"] in left_out(GOLD)
            assert line["text"] not in texts
    by_id = {entry.project.id: entry.project.text for entry in iter_shipped()}
    assert sum(by_id[line["id"]] in texts for line in gold if line["split"] == "train" and line["id"] in by_id) > 50


def test_every_label_is_known_and_invented_projects_count_less(found: list[Example]) -> None:
    known = set(label_names())
    assert all(example.labels <= known for example in found)
    assert {example.weight for example in found if example.title is None} == {0.15}
    assert sum(example.weight == 1.0 for example in found) > 400


@pytest.mark.parametrize("file", [WEIGHTS_FILE, VECTOR_FILE])
def test_the_shipped_weights_were_trained_on_these_data(file: Path, found: list[Example]) -> None:
    card = card_of(file)
    assert card["data_sha256"] == data_sha256(found)
    assert card.get("encoder") in {None, vectors_name()}
    assert ("encoder" in card) == (file == VECTOR_FILE)


def card_of(file: Path) -> dict[str, Any]:
    with np.load(file, allow_pickle=False) as weights:
        card: dict[str, Any] = json.loads(weights["card"].tobytes())
    return card
