import json
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from checkup.marks_training import DEVELOPMENT, MEMBERS, data_sha256, marked_texts, read_marked, train_marks
from data.corpus_files import FOLDER as CORPUS
from data.shipped import iter_shipped
from embeddings.adapter import read_adapter
from embeddings.word_states import WordStates
from pipeline.nlp.marks import HEADS, read_mark_weights

GOLD = Path(__file__).parents[2] / "eval" / "gold_projects" / "projects.jsonl"


@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
def test_a_shipped_reader_learned_from_the_present_texts(member):
    texts = marked_texts(GOLD, member.learned)
    with np.load(member.heads) as file:
        card = json.loads(file["card"].tobytes())
    assert (card["texts"], card["data_sha256"]) == (len(texts), data_sha256(texts))
    assert card["settings"] == asdict(member.settings)
    assert len(texts) >= 1_900


def test_no_text_of_the_golds_development_and_test_parts_is_learned_from():
    entries = [json.loads(line) for line in GOLD.read_text("utf-8").split("\n") if line]
    learned = {text.text for text in marked_texts(GOLD)}
    assert not learned & {entry["text"] for entry in entries if entry["split"] != "train"}
    held_back = set(json.loads((Path("data") / "seed" / "gold_test_ids.json").read_text("utf-8")))
    assert not learned & {entry.project.text for entry in iter_shipped() if entry.project.id in held_back}


def test_what_is_held_back_for_choosing_is_not_learned_from():
    held_back = [read.text for read in read_marked(DEVELOPMENT)]
    assert len(held_back) > 250
    assert not {text.text for text in marked_texts(GOLD)} & set(held_back)


@pytest.mark.transformers
def test_training_writes_adapter_heads_and_their_card(tmp_path):
    pytest.importorskip("torch")
    gold = tmp_path / "projects.jsonl"
    entries = [line for line in GOLD.read_text("utf-8").split("\n") if line]
    gold.write_text("\n".join(line for line in entries if json.loads(line)["split"] != "train"), "utf-8")
    lines = (CORPUS / "readings" / "a.jsonl").read_text("utf-8").splitlines()[:6]
    (tmp_path / "readings").mkdir()
    (tmp_path / "readings" / "a.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "readings" / "h.jsonl").write_text("held back, and so not even read", "utf-8")
    adapter, weights = tmp_path / "new" / "adapter.safetensors", tmp_path / "marks.npz"
    told = []
    shipped = MEMBERS["lower"]
    member = replace(shipped, settings=replace(shipped.settings, epochs=1), adapter=adapter, heads=weights)
    count = train_marks(gold, member, corpus=tmp_path, progress=lambda *step: told.append(step))
    assert (count, [epoch for epoch, _ in told]) == (6, [1])
    with np.load(weights) as file:
        card = json.loads(file["card"].tobytes())
    assert (card["texts"], card["settings"]["epochs"]) == (6, 1)
    assert card["data_sha256"] == data_sha256(marked_texts(gold, corpus=tmp_path))
    assert set(read_mark_weights(weights).heads) == {head.name for head in HEADS}
    ranges = read_adapter(adapter).ranges
    assert bool(ranges) == (find_spec("onnx") is not None)
    assert all((reach > 0).all() for reach in ranges.values())
    assert WordStates(adapter).read(["Geflüchtete", "fanden", "Arbeit."])[0].shape[1] == 384
