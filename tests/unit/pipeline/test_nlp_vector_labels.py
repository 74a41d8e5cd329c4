"""Fields and groups with what the encoder says of a text: when it is asked, what it changes, what carries a label."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.nlp import extract as extraction
from pipeline.nlp import text_vectors
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.extract import extract, version_of
from pipeline.nlp.label_training import Example, train
from pipeline.nlp.label_weights import VECTOR_FILE, Embedded, read_weights, shipped_weights, vector_features
from pipeline.nlp.labels import decide_labels, label_names
from pipeline.nlp.passages import passages
from pipeline.nlp.readings import Quoter, analyse
from pipeline.nlp.text_vectors import NewVectors, RecentVectors, built_in, embed
from pipeline.project_vectors import project_vectors

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
    vector = [1.0, 0.0] if "Dienstag" in text else [0.0, 1.0]
    return Embedded(np.asarray([vector], np.float32), {})


def by_approach(_title, text):
    return Embedded(np.zeros((1, 2), np.float32), {"sprachkurs": float("Dienstag" in text), "lotsen": 0.5})


def test_a_vector_tells_what_words_do_not_say():
    weights = train(EXAMPLES, penalty=0.25, folds=2, embed=by_day)
    columns = [weights.labels.index(SPRACHE), weights.labels.index(WOHNEN)]
    told = [weights.decide(["treffen"], {}, Embedded(vector[None], {}))[columns] for vector in np.eye(2, dtype="f4")]
    assert told[0][0] > told[0][1] + 1
    assert told[1][1] > told[1][0] + 1
    assert weights.usual[0] == pytest.approx([0.5, 0.5])


def test_an_approach_tells_what_words_do_not_say():
    weights = train(EXAMPLES, penalty=0.25, folds=2, embed=by_approach)
    assert weights.approaches == ("sprachkurs", "lotsen")
    columns, nothing = [weights.labels.index(SPRACHE), weights.labels.index(WOHNEN)], np.zeros((1, 2), np.float32)
    course, none, unknown = (
        weights.decide(["treffen"], {}, Embedded(nothing, told))[columns]
        for told in ({"lotsen": 0.5, "sprachkurs": 1.0}, {"lotsen": 0.5}, {"lotsen": 0.5, "another": 1.0})
    )
    assert course[0] > course[1] + 1
    assert none[1] > none[0] + 1
    assert unknown == pytest.approx(none)


def test_a_text_without_a_title_has_nothing_in_its_place():
    vectors = np.asarray([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]], np.float32)
    usual = np.asarray([[0.5, 0.5], [0.5, 0.5]], np.float32)
    looked = vector_features(vectors, usual).reshape(2, 2, 2)
    assert np.linalg.norm(looked, axis=2)[0] == pytest.approx([0.75, 0.75])
    assert np.linalg.norm(looked, axis=2)[1] == pytest.approx([0.75, 0.0])


def test_weights_with_vectors_are_read_as_they_were_written(tmp_path):
    for look in (by_day, by_approach):
        weights = train(EXAMPLES, penalty=0.25, folds=2, embed=look)
        weights.save(tmp_path / "w.npz", {"texts": 16})
        read = read_weights(tmp_path / "w.npz")
        told = Embedded(np.asarray([[0.6, 0.8]], np.float32), {"lotsen": 0.7, "sprachkurs": 0.2})
        assert read.decide(["treffen"], {}, told) == pytest.approx(weights.decide(["treffen"], {}, told), abs=0.01)
        assert (read.approaches, read.usual.shape) == (weights.approaches, (1, 2))
    assert len(shipped_weights().usual) == 0


def test_the_shipped_weights_fit_rules_encoder_and_approaches():
    weights = shipped_weights(VECTOR_FILE)
    assert weights.labels == label_names()
    assert weights.usual.shape == (3, built_in().dimension)
    assert weights.by_vector.shape == (weights.usual.size, len(weights.labels))
    assert set(weights.approaches) == set(embed(TITLE, TEXT, RecentVectors()).approaches)


def test_only_texts_on_the_topic_are_embedded_and_none_by_rules(monkeypatch):
    asked = []

    def watched(title, text, kept):
        asked.append((title, text))
        return embed(title, text, kept)

    monkeypatch.setattr(extraction, "embed", watched)
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
        decide_labels(doc, replace(model, bias=sure), embed(TITLE, TEXT, RecentVectors()))
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
    found, short = embed(TITLE, long, kept), embed(TITLE, long[:12_000], RecentVectors())
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-4)
    assert np.array_equal(found.vectors, short.vectors)
    assert found.approaches == short.approaches
    assert sum(found.approaches.values()) > 0.5


def test_a_text_without_words_or_title_is_embedded_all_the_same():
    for title, text in ((None, ""), (None, TEXT), (TITLE, "")):
        found = embed(title, text, RecentVectors())
        assert found.vectors.shape == (3, built_in().dimension)
        assert found.vectors[2].any() == (title is not None)


def test_what_is_embedded_for_the_database_is_not_embedded_again():
    kept = NewVectors()
    long = f"{TEXT} " * 12
    embed(TITLE, long, kept)
    before = dict(kept.found)
    spans = passages(long)
    assert len(spans) > 1
    project_vectors([{"title": TITLE, "text": long, "passages": spans}], encoder=built_in(), cache=kept)
    assert kept.found == before


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
