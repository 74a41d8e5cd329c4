"""Quality floors: what was reached once is not lost again. Floors only rise (`tests/eval/floors.json`)."""

import json
from pathlib import Path

import pytest
from support.float32 import spans_in_float32

from checkup.evaluate import evaluate
from checkup.project_figures import project_figures
from data.settings import load_settings

FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text("utf-8"))


def measured(result, name):
    """A figure by its path, e.g. `ranking/ndcg@10 all/value`."""
    value = result
    for step in name.split("/"):
        value = value[step]
    return value


def check(result, floors):
    below = {name: (measured(result, name), floor) for name, floor in floors.items() if measured(result, name) < floor}
    assert not below, below


def test_english_projects_stay_above_their_floors():
    lines = (Path(__file__).parent / "english" / "projects.jsonl").read_text("utf-8").splitlines()
    projects = [project for project in map(json.loads, lines) if project["split"] == "dev"]
    result = project_figures(projects, reading="rules")
    assert result["lost"] == 0
    check(result, FLOORS["english"])


@pytest.mark.dev_data
def test_real_cases_stay_above_their_floors(dev_data, tmp_path):
    with spans_in_float32():
        result = evaluate(dev_data / "eval" / "real_dev", load_settings(tmp_path))
    assert result["ranking"]["ndcg@10 all"]["count"] == 28
    assert result["projects"]["lost"] == 0
    check(result, FLOORS["real_dev"])


@pytest.mark.dev_data
def test_true_needs_rank_better_than_read_ones(dev_data, tmp_path):
    result = evaluate(dev_data / "eval" / "real_dev", load_settings(tmp_path), needs="structure")
    check(result, FLOORS["real_dev with true needs"])


@pytest.mark.dev_data
def test_older_labels_load_through_the_aliases(dev_data):
    from data.vocabulary import load_vocabulary

    vocabulary = load_vocabulary()
    lost = set()
    folder = dev_data / "eval" / "real_dev"
    for line in (folder / "structure_situations.jsonl").read_text("utf-8").splitlines():
        for need in json.loads(line)["needs"]:
            lost |= {i for i in need["need_ids"] if not vocabulary.resolve_need(i)}
            lost |= {i for i in need["approaches"] if not vocabulary.resolve_approach(i)}
    for line in (folder / "structure_projects.jsonl").read_text("utf-8").splitlines():
        lost |= {i for i in json.loads(line)["approaches"] if not vocabulary.resolve_approach(i)}
    assert not lost
