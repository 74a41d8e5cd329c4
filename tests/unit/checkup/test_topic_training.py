"""What the reader of the topic learns from: both sides, and never a text that is measured on."""

import json
from pathlib import Path

import numpy as np
import pytest

from checkup.topic_training import topic_examples, topic_sha256
from data.corpus_files import FOLDER, load_corpus
from data.shipped import iter_shipped
from pipeline.nlp.label_weights import TOPIC_FILES, read_weights
from pipeline.nlp.topic_training import TopicExample, train_topic

GOLD = Path("tests/eval/gold_projects/projects.jsonl")
ENGLISH = Path("tests/eval/english/projects.jsonl")


@pytest.fixture(scope="module")
def by_language() -> dict[str, list[TopicExample]]:
    return topic_examples(GOLD, load_corpus())


@pytest.fixture(scope="module")
def found(by_language: dict[str, list[TopicExample]]) -> list[TopicExample]:
    return by_language["de"]


def test_nothing_of_the_gold_s_dev_or_test_part_is_learned_from(found: list[TopicExample]) -> None:
    texts = {example.text for example in found}
    gold = [json.loads(line) for line in GOLD.read_text("utf-8").splitlines()]
    assert not texts & {line["text"] for line in gold if line["split"] != "train"}
    distractors = {line["text"] for line in gold if line["split"] == "train" and not line["gold"]["action_fields"]}
    assert distractors <= {example.text for example in found if not example.on_topic}


def test_both_sides_are_there(found: list[TopicExample]) -> None:
    sides = [example.on_topic for example in found]
    assert sum(sides) > 2500
    assert len(sides) - sum(sides) > 450


def test_english_has_both_sides_and_nothing_that_is_measured_on(by_language: dict[str, list[TopicExample]]) -> None:
    english = by_language["en"]
    assert 200 <= sum(example.on_topic for example in english) <= len(english) - 200
    measured = [json.loads(line)["text"] for line in ENGLISH.read_text("utf-8").splitlines()]
    assert not {example.text for example in english} & set(measured)


def test_the_english_texts_that_retell_a_shipped_project_name_it_and_leave_the_gold_out() -> None:
    lines = [line for path in sorted((FOLDER / "english").glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    retold = {told["of"] for told in map(json.loads, lines) if "of" in told}
    assert len(retold) == 120
    assert retold <= {entry.project.id for entry in iter_shipped()}
    gold = {json.loads(line)["id"] for line in GOLD.read_text("utf-8").splitlines()}
    assert not retold & (gold | set(json.loads(Path("data/seed/gold_test_ids.json").read_text("utf-8"))))


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_shipped_weights_were_trained_on_these_data(
    by_language: dict[str, list[TopicExample]], language: str
) -> None:
    with np.load(TOPIC_FILES[language], allow_pickle=False) as file:
        card = json.loads(file["card"].tobytes())
    assert card["data_sha256"] == topic_sha256(by_language[language])


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    texts = [("Deutschkurs für Geflüchtete", True), ("Kurs für Migranten", True), ("Der Windpark geht ans Netz", False)]
    model = train_topic([TopicExample(None, text, side) for text, side in texts * 3])
    model.save(tmp_path / "topic.npz", {})
    read = read_weights(tmp_path / "topic.npz")
    for words in (["sprachkurs", "migrant"], ["windpark", "netz"], []):
        assert read.decide(words, {"topic": 3.0}) == pytest.approx(model.decide(words, {"topic": 3.0}), abs=0.02)
    assert model.decide(["migrant"], {"topic": 3.0}) > model.decide(["windpark", "netz"], {})
