import numpy as np
import pytest

from data.corpus_files import LESSONS
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.clause_features import clause_features
from pipeline.nlp.clause_training import LabelledText, train_lessons, train_levels
from pipeline.nlp.extract import extract
from pipeline.nlp.judge import read_clause_weights, rule_levels


def one(text):
    return next(iter(extract([("p", None, text)], reading="rules")))


@pytest.mark.parametrize(
    ("text", "on_topic"),
    [
        ("57 von 80 Geflüchteten fanden 2019 eine Arbeit.", True),
        ("Die Clearingstelle berät Menschen ohne Krankenversicherung, Ärzte behandeln sie.", True),
        ("Beim Mädchentreff helfen Ehrenamtliche im Stadtteil bei Hausaufgaben und Bewerbungen.", True),
        ("Im Wettbewerb der Schülerfirmen gewann ein Windrad, die internationale Jury war begeistert.", False),
        ("Die Systemintegration verbindet das Fachverfahren mit dem Archiv.", False),
        ("Der Gesangverein feiert sein hundertjähriges Bestehen mit einem Fest für Jugendliche.", False),
    ],
)
def test_what_is_about_integration(text, on_topic):
    assert one(text)["on_topic"] is on_topic


def test_a_share_tells_how_many_were_reached_and_how_many_succeeded():
    found = one("Nach dem Kurs fanden 57 von 80 Geflüchteten eine Arbeit. Das Projekt kostete 120.000 Euro.")
    assert (found["reached_persons"], found["success_rate_percent"], found["budget_eur"]) == (80, 71, 120000)


@pytest.mark.parametrize("text", ["Der Verein begleitet seit 2015 Geflüchtete.", "2013/14 gewann der Verein an Kraft."])
def test_a_year_counts_nobody(text):
    assert one(text)["reached_persons"] is None


def test_trained_weights_are_read_as_they_were_written(tmp_path):
    text = "Zwölf Frauen fanden Arbeit. Der Garten ist grün. Neun Frauen fanden Arbeit."
    claims = [{"start": 0, "end": 27, "level": 6, "status": "result"}]
    weights = train_levels([LabelledText(None, text, claims)] * 3)
    weights.save(tmp_path / "w.npz", {})
    read = read_clause_weights(tmp_path / "w.npz")
    given = ([["w frau", "w finden"], []], [6, 0])
    assert read.probabilities(*given) == pytest.approx(weights.probabilities(*given), abs=1e-2)
    assert np.allclose(read.probabilities(*given).sum(axis=1), 1)


def test_the_judge_learns_what_the_claims_say():
    claims = [{"start": 0, "end": 27, "level": 6, "status": "result"}]
    text = "Zwölf Frauen fanden Arbeit. Der Garten ist grün."
    weights = train_levels([LabelledText(None, text, claims)] * 5)
    with pipeline_zone() as nlp:
        doc = nlp("Frauen fanden Arbeit. Der Garten ist grün.")
        features = clause_features(doc, rule_levels(doc))
    work, garden = weights.probabilities(features, [0, 0])
    assert work[6] > work[0]
    assert garden[0] > garden[6]


def test_the_judge_of_lessons_learns_what_is_marked():
    text = "Es fehlten Räume für die Kurse. Der Garten ist grün."
    lessons = [{"start": 0, "end": 31, "kind": "obstacle"}]
    weights = train_lessons([LabelledText(None, text, [], lessons)] * 5)
    with pipeline_zone() as nlp:
        doc = nlp("Räume fehlten. Der Garten ist grün.")
        features = clause_features(doc, rule_levels(doc))
    rooms, garden = weights.probabilities(features, [0, 0])
    assert rooms[1 + LESSONS.index("obstacle")] > rooms[0]
    assert garden[0] > 0.5


def test_a_feature_is_named_once():
    with pipeline_zone() as nlp:
        (features,) = clause_features(nlp("Die Frauen sollen Deutsch lernen können wollen."), [0])
    assert features.count("t modal") == 1
    assert len(features) == len(set(features))
