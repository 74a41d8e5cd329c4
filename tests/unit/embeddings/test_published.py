import json
import os

import numpy as np
import pytest

from embeddings import published
from embeddings.published import WHOLE, IndexUnusableError, current_name, open_published, publish


def make(folder, names=("a", "b"), fingerprint="f1"):
    cards = [{"project_id": name, "text": f"Text {name}"} for name in names]
    rows = np.array([[i, WHOLE, WHOLE] for i in range(len(names))], np.int32).reshape(len(names), 3)
    vectors = np.eye(8, dtype=np.float32)[: len(names)].reshape(len(names), 8)
    tokens = {name: ["text", name] for name in names}
    return publish(
        folder,
        cards=cards,
        rows=rows,
        vectors=vectors,
        strengths=np.zeros((len(names), 2)),
        answers=np.full((len(names), 3), 0.5),
        words=np.zeros((len(names), 3)),
        tokens=tokens,
        manifest={"fingerprint": fingerprint},
    )


def test_a_reader_sees_what_was_published(tmp_path):
    make(tmp_path)
    opened = open_published(tmp_path, fingerprint="f1")
    assert [card["project_id"] for card in opened.cards] == ["a", "b"]
    assert opened.manifest["projects"] == 2
    assert opened.dense.rows == 2
    assert opened.answers.shape == (2, 3)
    assert opened.lexical.scores(["b"]).argmax() == 1


def test_the_same_content_is_the_same_generation_and_not_written_again(tmp_path):
    name = make(tmp_path)
    before = (tmp_path / name / "dense.faiss").stat().st_mtime_ns
    assert make(tmp_path) == name
    assert (tmp_path / name / "dense.faiss").stat().st_mtime_ns == before


def test_a_reader_keeps_the_old_generation_while_a_new_one_is_published(tmp_path):
    make(tmp_path)
    old = open_published(tmp_path)
    make(tmp_path, ("a", "b", "c"))
    assert len(old.cards) == 2
    assert len(open_published(tmp_path).cards) == 3


def test_old_generations_and_leftovers_are_removed(tmp_path):
    (tmp_path / "part-left").mkdir()
    for number in range(5):
        make(tmp_path, tuple("abcde"[: number + 1]))
    kept = sorted(path.name for path in tmp_path.iterdir() if path.name != "CURRENT")
    assert len(kept) == published.KEPT
    assert current_name(tmp_path) in kept


@pytest.mark.parametrize("file", published.FILES)
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_file_is_never_half_read(tmp_path, file, damage):
    name = make(tmp_path)
    path = tmp_path / name / file
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-3] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(IndexUnusableError, match=name):
        open_published(tmp_path)
    assert make(tmp_path) == name
    assert len(open_published(tmp_path).cards) == 2


@pytest.mark.parametrize("manifest", ["", "[]", "{}", json.dumps({"schema": 99, "sha256": {}})])
def test_a_broken_manifest_is_refused(tmp_path, manifest):
    name = make(tmp_path)
    (tmp_path / name / "manifest.json").write_text(manifest, "utf-8")
    with pytest.raises(IndexUnusableError):
        open_published(tmp_path)


def test_a_manifest_that_is_well_formed_but_changed_is_refused(tmp_path):
    name = make(tmp_path)
    path = tmp_path / name / "manifest.json"
    path.write_text(path.read_text().replace('"f1"', '"f2"'))
    with pytest.raises(IndexUnusableError, match=r"manifest\.json: beschädigt"):
        open_published(tmp_path)
    assert make(tmp_path) == name
    assert open_published(tmp_path).manifest["fingerprint"] == "f1"


def test_another_encoder_is_refused(tmp_path):
    make(tmp_path)
    with pytest.raises(IndexUnusableError, match="anderen Sprachmodell"):
        open_published(tmp_path, fingerprint="f2")


def test_nothing_published(tmp_path):
    with pytest.raises(IndexUnusableError, match="noch keinen Index"):
        open_published(tmp_path)
    (tmp_path / "CURRENT").write_text("g-nowhere", "utf-8")
    with pytest.raises(IndexUnusableError):
        open_published(tmp_path)


def test_no_projects_at_all(tmp_path):
    make(tmp_path, ())
    assert open_published(tmp_path).cards == ()


def test_a_kill_before_the_swap_leaves_the_old_generation(tmp_path, monkeypatch):
    name = make(tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(published, "_point_to", killed)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, ("a", "b", "c"))
    assert current_name(tmp_path) == name
    assert len(open_published(tmp_path).cards) == 2
    assert os.listdir(tmp_path)
