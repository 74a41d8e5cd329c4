from pathlib import Path

import pytest
import yaml

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.cues import TABLES
from pipeline.nlp.rules import load_rules

EXAMPLES = yaml.safe_load((Path(__file__).parent / "pattern_examples.yaml").read_text(encoding="utf-8"))
ENGLISH = yaml.safe_load((Path(__file__).parent / "pattern_examples_english.yaml").read_text(encoding="utf-8"))
CASES = [(table, label) for table in TABLES for label in load_rules(table)]

ENGLISH_CASES = [(table, label) for table, rows in load_rules("english_cues").items() for label in rows]


def labels(text, language="de"):
    with pipeline_zone(language) as nlp:
        return {(cue.table, cue.label) for cue in nlp(text)._.cues}


@pytest.mark.parametrize(("table", "label"), ENGLISH_CASES)
def test_each_list_of_english_patterns_meets_its_example_and_not_the_near_one(table, label):
    example = ENGLISH[table][label]
    assert (table, label) in labels(example["hit"], "en")
    assert (table, label) not in labels(example["miss"], "en")


def test_english_patterns_are_left_out_of_german_texts():
    assert ("practice", "obstacle") in labels("It was a hurdle.", "en")
    assert ("practice", "obstacle") not in labels("Das Hurdle heißt nur so.", "de")


@pytest.mark.parametrize(("table", "label"), CASES)
def test_each_list_of_patterns_meets_its_example_and_not_the_near_one(table, label):
    example = EXAMPLES[table][label]
    assert (table, label) in labels(example["hit"])
    assert (table, label) not in labels(example["miss"])
