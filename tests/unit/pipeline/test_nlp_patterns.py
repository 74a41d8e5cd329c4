from pathlib import Path

import pytest
import yaml

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.cues import TABLES
from pipeline.nlp.rules import load_rules

EXAMPLES = yaml.safe_load((Path(__file__).parent / "pattern_examples.yaml").read_text(encoding="utf-8"))
CASES = [(table, label) for table in TABLES for label in load_rules(table)]


def labels(text):
    with pipeline_zone() as nlp:
        return {(cue.table, cue.label) for cue in nlp(text)._.cues}


@pytest.mark.parametrize(("table", "label"), CASES)
def test_each_list_of_patterns_meets_its_example_and_not_the_near_one(table, label):
    example = EXAMPLES[table][label]
    assert (table, label) in labels(example["hit"])
    assert (table, label) not in labels(example["miss"])
