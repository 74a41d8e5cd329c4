import json
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from checkup.marks_training import (
    ANEW,
    DEVELOPMENT,
    SETTINGS,
    TEACHERS,
    data_sha256,
    examples,
    marked_texts,
    read_card,
    read_marked,
    train_anew,
    train_marks,
    unmarked,
)
from data.corpus_files import FOLDER as CORPUS
from data.shipped import iter_shipped
from embeddings.adapter import read_adapter
from embeddings.span_network import SpanModel
from embeddings.span_training import read_span_adapter, span_answers
from embeddings.word_states import SPAN_ADAPTER, WordStates
from pipeline.nlp.marks import HEADS, HEADS_FILE, read_mark_weights

GOLD = Path(__file__).parents[2] / "eval" / "gold_projects" / "projects.jsonl"


def test_the_shipped_reader_learned_from_the_present_texts():
    texts, card = marked_texts(GOLD), read_card(HEADS_FILE)
    assert (card["texts"], card["data_sha256"]) == (len(texts), data_sha256(texts))
    assert card["settings"] == asdict(ANEW)
    assert card["anew"] == ["continuation", "lesson", "status"]
    assert len(texts) >= 1_900


def test_before_it_learned_some_questions_anew_it_learned_all_from_as_many_texts():
    texts, card = marked_texts(GOLD), read_card(HEADS_FILE)["before"]
    assert card["texts"] == len(texts)
    assert card["settings"] == asdict(SETTINGS)
    assert card["unmarked"] == len(list(unmarked()))


@pytest.mark.parametrize("name", TEACHERS)
def test_its_teachers_learned_from_as_many_texts(name):
    texts, card = marked_texts(GOLD, TEACHERS[name].learned), read_card(HEADS_FILE)["before"]["teachers"][name]
    assert card["texts"] == len(texts)
    assert card["settings"] == asdict(TEACHERS[name].settings)


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


def few(tmp_path):
    """A folder with six marked texts, a few unmarked ones and a gold that teaches nothing; the gold."""
    gold = tmp_path / "projects.jsonl"
    entries = [line for line in GOLD.read_text("utf-8").split("\n") if line]
    gold.write_text("\n".join(line for line in entries if json.loads(line)["split"] != "train"), "utf-8")
    lines = (CORPUS / "readings" / "a.jsonl").read_text("utf-8").splitlines()[:6]
    (tmp_path / "readings").mkdir()
    (tmp_path / "readings" / "a.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "readings" / "h.jsonl").write_text("held back, and so not even read", "utf-8")
    for name in ("projects", "approaches"):
        (tmp_path / name).mkdir()
        lines = (CORPUS / name / ("a.jsonl" if name == "projects" else "arbeit.jsonl")).read_text("utf-8").splitlines()
        (tmp_path / name / "a.jsonl").write_text("\n".join(lines[-4:]), "utf-8")
    return gold


@pytest.mark.transformers
def test_training_writes_adapter_heads_and_their_card(tmp_path):
    pytest.importorskip("torch")
    gold = few(tmp_path)
    adapter, weights = tmp_path / "new" / "adapter.safetensors", tmp_path / "marks.npz"
    given = {name: replace(teacher, settings=replace(teacher.settings, epochs=1)) for name, teacher in TEACHERS.items()}
    told = []

    def train():
        return train_marks(
            gold, adapter=adapter, heads=weights, teachers=tmp_path / "new", settings=replace(SETTINGS, epochs=1),
            given=given, corpus=tmp_path, progress=lambda *step: told.append(step[:2]),
        )  # fmt: skip

    assert train() == 6
    assert told == [("lower", 1), ("whole", 1), ("reader", 1)]
    card = read_card(weights)
    assert (card["texts"], card["settings"]["epochs"]) == (6, 1)
    assert card["unmarked"] == len(list(unmarked(tmp_path))) >= 4
    assert card["data_sha256"] == data_sha256(marked_texts(gold, corpus=tmp_path))
    assert card["teachers"]["lower"]["settings"] == asdict(given["lower"].settings)
    assert set(read_mark_weights(weights).heads) == {head.name for head in HEADS}
    del told[:]
    assert train() == 6
    assert told == [("reader", 1)], "teachers that were kept are asked again"
    ranges = read_adapter(adapter).ranges
    assert bool(ranges) == (find_spec("onnx") is not None)
    assert all((reach > 0).all() for reach in ranges.values())
    assert WordStates(adapter).read(["Geflüchtete", "fanden", "Arbeit."])[0].shape[1] == 384


@pytest.mark.transformers
def test_questions_learned_anew_change_and_the_others_hardly(tmp_path):
    pytest.importorskip("torch")
    gold = few(tmp_path)
    adapter, weights = tmp_path / "adapter.safetensors", tmp_path / "marks.npz"
    adapter.write_bytes(SPAN_ADAPTER.read_bytes())
    weights.write_bytes(HEADS_FILE.read_bytes())
    path = tmp_path / "readings" / "a.jsonl"
    mended = [{**json.loads(line), "lessons": []} for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(json.dumps(read, ensure_ascii=False) for read in mended), "utf-8")

    def answers():
        told = read_mark_weights(weights)
        model = SpanModel(read_span_adapter(adapter), told.heads, told.attention)
        found = list(span_answers(model, examples(marked_texts(gold, corpus=tmp_path), ANEW), HEADS, ANEW))
        return {head.name: np.concatenate([said[head.name] for said in found]) for head in HEADS}

    before = answers()
    settings = replace(ANEW, epochs=4, dropout=0.0)
    assert train_anew(gold, ["lesson"], adapter=adapter, heads=weights, settings=settings, corpus=tmp_path) == 6
    after = answers()
    moved = {name: float(np.abs(after[name] - said).mean()) for name, said in before.items()}
    assert after["lesson"][:, 0].mean() > before["lesson"][:, 0].mean(), "no clause tells a lesson any more"
    assert moved["level"] < moved["lesson"]
    card = read_card(weights)
    assert (card["texts"], card["anew"], card["before"]) == (6, ["lesson"], read_card(HEADS_FILE))
    assert card["data_sha256"] == data_sha256(marked_texts(gold, corpus=tmp_path))
