"""Fields and groups with the vector of the text: when it is asked for, what it changes, what carries a label."""

import numpy as np
import pytest

from pipeline.nlp import extract as extraction
from pipeline.nlp import text_vectors
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.extract import extract, version_of
from pipeline.nlp.label_training import Example, train
from pipeline.nlp.label_weights import VECTOR_FILE, read_weights, shipped_weights
from pipeline.nlp.labels import decide_labels, label_names
from pipeline.nlp.readings import Quoter, analyse
from pipeline.nlp.text_vectors import NewVectors, RecentVectors, built_in, whole_vector

TITLE = "Wohnungslotsen"
TEXT = (
    "Die Lotsen begleiten Geflüchtete, die eine Wohnung suchen. Sie sprechen mit Vermietern und gehen mit zur "
    "Besichtigung. 2019 zogen 57 Personen ein, 40 von ihnen mit Kindern."
)
OFF_TOPIC = "Der Kegelclub gewann 2019 das Turnier vor 80 Gästen und feierte danach im Vereinsheim bis in die Nacht."
SPRACHE, WOHNEN = "action_fields/sprache", "action_fields/wohnen"
EXAMPLES = [
    Example(None, f"{text} {number}", frozenset({label}))
    for number in range(8)
    for text, label in [("Wir treffen uns am Dienstag", SPRACHE), ("Wir treffen uns am Mittwoch", WOHNEN)]
]


def by_day(_title, text):
    return np.asarray([1.0, 0.0] if "Dienstag" in text else [0.0, 1.0], np.float32)


def test_a_vector_tells_what_words_do_not_say():
    weights = train(EXAMPLES, penalty=0.25, folds=2, vector=by_day)
    column = weights.labels.index(SPRACHE)
    one, other = (weights.decide(["treffen"], {}, vector)[column] for vector in np.eye(2, dtype=np.float32))
    assert one > 0 > other
    assert weights.usual == pytest.approx([0.5, 0.5])


def test_weights_with_vectors_are_read_as_they_were_written(tmp_path):
    weights = train(EXAMPLES, penalty=0.25, folds=2, vector=by_day)
    weights.save(tmp_path / "w.npz", {"texts": 16})
    read = read_weights(tmp_path / "w.npz")
    vector = np.asarray([0.6, 0.8], np.float32)
    assert read.decide(["treffen"], {}, vector) == pytest.approx(weights.decide(["treffen"], {}, vector), abs=0.01)
    assert len(read_weights(tmp_path / "w.npz").usual) == 2
    assert len(shipped_weights().usual) == 0


def test_the_shipped_weights_fit_rules_and_encoder():
    weights = shipped_weights(VECTOR_FILE)
    assert weights.labels == label_names()
    assert weights.by_vector.shape == (built_in().dimension, len(weights.labels))


def test_only_texts_on_the_topic_are_embedded_and_none_by_rules(monkeypatch):
    asked = []

    def watched(title, text, kept):
        asked.append((title, text))
        return whole_vector(title, text, kept)

    monkeypatch.setattr(extraction, "whole_vector", watched)
    records = [("a", TITLE, TEXT), ("b", "Kegeln", OFF_TOPIC)]
    on, off = extract(records)
    assert (on["on_topic"], off["on_topic"]) == (True, False)
    assert asked == [(TITLE, TEXT)]
    list(extract(records, reading="rules"))
    assert len(asked) == 1


def test_a_label_without_a_cue_is_carried_by_the_sentence_that_speaks_most_for_it():
    model = shipped_weights(VECTOR_FILE)
    quoter = Quoter(TITLE, TEXT)
    with pipeline_zone() as nlp:
        doc = analyse(nlp, quoter)
        uncued = next(name for name in model.labels if name.startswith("target_groups/") and name not in doc._.cue_sums)
        sure = np.full_like(model.bias, -50.0)
        sure[model.labels.index(uncued)] = 50.0
        told = type(model)(
            model.labels, model.cues, model.tokens, model.idf, model.by_token, model.by_cue, sure, model.thresholds,
            model.by_vector, model.usual,
        )  # fmt: skip
        decide_labels(doc, told, whole_vector(TITLE, TEXT, RecentVectors()))
        (label,) = doc._.labels["target_groups"]
        assert uncued.endswith(label.id)
        assert len(label.sentences) == 1
        assert label.sentences[0] in doc._.sentences


def test_every_quote_of_a_label_stands_in_the_text():
    (found,) = extract([("a", TITLE, TEXT)])
    assert found["action_fields"][0]["id"] == "wohnen"
    assert "gefluechtete" in {group["id"] for group in found["target_groups"]}
    for label in [*found["action_fields"], *found["target_groups"]]:
        assert label["quotes"]
        for quote in label["quotes"]:
            where = TITLE if quote.get("where") == "title" else TEXT
            assert where[quote["start"] : quote["end"]] == quote["quote"]


def test_of_a_long_text_the_beginning_is_embedded():
    long = f"{TEXT} " * 400
    kept = NewVectors()
    vector = whole_vector(TITLE, long, kept)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    assert np.array_equal(vector, whole_vector(TITLE, long[:12_000], RecentVectors()))
    assert whole_vector(None, "", RecentVectors()).shape == vector.shape


def test_of_the_vectors_read_last_a_bounded_number_is_kept(monkeypatch):
    monkeypatch.setattr(text_vectors, "_MOST_KEPT", 3)
    recent, new = RecentVectors(), NewVectors()
    for cache in (recent, new):
        for number in range(5):
            cache.put_vectors("f", {str(number): b"x"})
    assert set(recent.get_vectors("f", map(str, range(5)))) == {"2", "3", "4"}
    assert recent.get_vectors("g", ["4"]) == {}
    assert set(new.found) == {"0", "1", "2", "3", "4"}
    assert new.fingerprint == "f"


def test_another_encoder_is_another_version(monkeypatch):
    before, by_rules = version_of(), version_of("rules")
    monkeypatch.setattr(extraction, "vectors_name", lambda: "another")
    assert version_of() != before
    assert version_of("rules") == by_rules
