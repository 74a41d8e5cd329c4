import pytest

from data.settings import Settings
from embeddings.encoders import load_encoder
from pipeline.nlp.text_vectors import built_in
from pipeline.project_reading import ProjectReader

TITLE = "Sprachpaten im Landkreis"
TEXT = (
    "Im Landkreis begleiten Ehrenamtliche geflüchtete Familien im Alltag: Je eine Patin oder ein Pate trifft sich "
    "einmal in der Woche mit einer Familie, übt Deutsch, hilft bei Briefen und geht mit zum Amt. Das "
    "Freiwilligenzentrum schult und begleitet die Paten.\n\n"
    "Seit 2020 hilft außerdem ein Pool geschulter Dolmetscherinnen in Kitas, Schulen und Arztpraxen bei Gesprächen; "
    "320 Einsätze zählte der Kreis 2022. Rückfragen beantwortet Frau Petra Musterfrau unter 0170 1234567."
)


@pytest.fixture
def reader(tmp_path):
    return ProjectReader(Settings(workspace=tmp_path))


def test_approaches_are_read_with_the_passage_that_tells_of_them(reader):
    found = next(reader.read([("p", TITLE, TEXT)]))
    told = {label["id"]: label for label in found["approaches"]}
    assert {"patenschaften", "sprachmittlerpool"} <= set(told)
    masked = told["sprachmittlerpool"]["quotes"][0]["quote"]
    assert "Frau ████" in masked
    for label in told.values():
        assert 0 < label["score"] <= 1
        for quote in label["quotes"]:
            assert TEXT[quote["start"] : quote["end"]][:20] == quote["quote"][:20]
            assert "0170" not in quote["quote"]
            assert "Musterfrau" not in quote["quote"]
    scores = [label["score"] for label in found["approaches"]]
    assert scores == sorted(scores, reverse=True)
    assert found["modules"]


def test_the_encoder_is_loaded_once_for_labels_and_approaches(reader, monkeypatch):
    loaded = []

    def watched(*args, **options):
        loaded.append(args)
        return load_encoder(*args, **options)

    for module in ("pipeline.project_reading", "pipeline.nlp.text_vectors"):
        monkeypatch.setattr(f"{module}.load_encoder", watched)
    built_in.cache_clear()
    assert all(found["approaches"] for found in reader.read([("p", TITLE, TEXT), ("q", TITLE, TEXT)]))
    assert len(loaded) == 1


def test_no_word_is_encoded_twice(reader, monkeypatch):
    seen = []
    encoder = built_in()
    encode = type(encoder).encode

    def watched(self, texts, **options):
        seen.extend(texts)
        return encode(self, texts, **options)

    monkeypatch.setattr(type(encoder), "encode", watched)
    (found,) = reader.read([("p", TITLE, f"{TEXT} {TEXT}")])
    assert found["approaches"]
    assert sum(map(len, seen)) <= len(TITLE) + len(f"{TEXT} {TEXT}")
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("settings", [{"threads": 2}, {"encoder": "e5-exact"}])
def test_another_encoder_is_the_one_that_the_settings_name(tmp_path, settings):
    reader = ProjectReader(Settings(workspace=tmp_path, **settings))
    assert reader._encoder is not built_in()


def test_a_text_off_the_topic_has_none(reader):
    text = "Der Kegelclub gewann 2019 das Turnier vor 80 Gästen und feierte bis in die Nacht."
    found = next(reader.read([("p", "Kegelclub", text)]))
    assert (found["on_topic"], found["approaches"]) == (False, [])


def test_rules_alone_ask_no_encoder(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.project_reading.load_encoder", None)
    found = next(ProjectReader(Settings(workspace=tmp_path, reading="rules")).read([("p", TITLE, TEXT)]))
    assert found["on_topic"]
    assert found["approaches"] == []


def test_an_encoder_of_which_no_reader_learned_tells_none(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.project_reading.load_reader", lambda _: None)
    assert next(ProjectReader(Settings(workspace=tmp_path)).read([("p", TITLE, TEXT)]))["approaches"] == []
