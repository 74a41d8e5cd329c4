import json

import numpy as np

from checkup.clause_training import train_clause_weights
from checkup.project_figures import project_figures

COURSE = {
    "id": "kurs",
    "title": "Sprachkurs für Geflüchtete",
    "text": (
        "Am Sprachkurs nahmen 2019 rund 80 Geflüchtete teil. 40 Geflüchtete fanden danach Arbeit. "
        "Das Land förderte ihn mit 30.000 Euro."
    ),
    "gold": {
        "action_fields": ["sprache", "wohnen"],
        "target_groups": ["gefluechtete"],
        "level": 7,
        "evidence_grade": "1",
        "reached_persons": 80,
        "budget_eur": 30_000,
        "awards": True,
        "claims": [
            {"start": 0, "end": 51, "level": 2, "status": "result", "quantity": {"value": 80, "of": None}},
            {"start": 52, "end": 88, "level": 5, "status": "planned", "quantity": {"value": 40, "of": 80}},
            {"start": 89, "end": 128, "level": 7, "status": "result"},
        ],
    },
}
REFUSED = {
    "id": "garten",
    "title": "Garten",
    "text": "Der Garten ist grün.",
    "gold": {"action_fields": ["zusammenleben"], "target_groups": [], "level": 1},
}
DISTRACTOR = {
    "id": "kegeln",
    "title": "Kegelclub",
    "text": "Der Kegelclub gewann das Turnier.",
    "gold": {"action_fields": [], "target_groups": []},
}
UNLABELLED = {"id": "ohne", "title": None, "text": "Ein Sprachkurs für Geflüchtete."}


def test_figures_of_a_case_counted_by_hand():
    found = project_figures([COURSE, REFUSED, DISTRACTOR, UNLABELLED, UNLABELLED], reading="rules")
    assert (found["count"], found["lost"], found["on_topic_refused"]) == (3, 1, 1)
    assert found["off_topic"] == {"found": 1, "of": 1}
    fields = found["action_fields"]
    assert fields["recall"] == 1 / 3
    assert found["target_groups"]["f1"] == 1
    assert (found["level_exact"], found["level_within_one"]) == (0, 1)
    assert found["level_confusion"] == {"1->0": 1, "7->6": 1}
    assert found["evidence_exact"] == 1
    assert found["reached"]["f1"] == found["budget"]["f1"] == 1
    assert found["awards"]["recall"] == 0
    assert (found["claims"]["recall"], found["claims"]["gold"]) == (2 / 3, 3)
    assert (found["claims"]["status"], found["claims"]["level"]) == (1 / 2, 1 / 2)
    assert found["claims"]["quantity"] == 1 / 2
    misses = {miss["id"]: miss for miss in found["misses"]}
    assert set(misses) == {"kurs", "garten"}
    assert misses["kurs"]["level"] == {"found": 6, "gold": 7}


def card_of(folder, level):
    claims = [{"start": 52, "end": 88, "level": level, "status": "result"}]
    untold = dict.fromkeys(("continuation", "reached_persons", "success_rate_percent", "budget_eur"))
    gold = {"action_fields": ["sprache"], "wirkungstreppe": level, "evidence": 1, "claims": claims, "lessons": []}
    entry = COURSE | {"split": "train", "gold": {**gold, "awards": False, "transferred": False, **untold}}
    left_out = [COURSE | {"split": "test"}, DISTRACTOR | {"split": "train"}]
    lines = [json.dumps(line, ensure_ascii=False) for line in [entry, *left_out]]
    (folder / "gold.jsonl").write_text("\n".join(lines), "utf-8")
    assert train_clause_weights(folder / "gold.jsonl", folder, folder / "corpus") == 1
    with np.load(folder / "clauses.npz") as file:
        return json.loads(file["head"].tobytes())["card"]


def test_the_card_of_the_weights_tells_other_claims_apart(tmp_path):
    first = card_of(tmp_path, 6)
    assert first["texts"] == 1
    assert card_of(tmp_path, 6) == first
    assert card_of(tmp_path, 4)["data_sha256"] != first["data_sha256"]
