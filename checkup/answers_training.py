"""Training the reader of the needs that projects answer (`pipeline.answers`) on graded shipped projects.

Below: `pipeline.answers`, `pipeline.approaches`, scikit-learn (extra `transformers`). Above: `checkup train answers`.

The neighbours are the projects outside the test part of the gold set. The five weights are fitted on the test part's
projects, which neither the encoder nor the reader of approaches has seen: on seen ones similarity would look better
than it is. The figure is cross-validated by needs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from checkup.figures import ndcg
from checkup.training import held_back
from data.corpus_files import Corpus
from data.shipped import Shipped
from data.vocabulary import Vocabulary
from embeddings.e5_file import Floats
from embeddings.encoders import Encoder, VectorCache, encode_cached
from pipeline.answers import FEATURES, GRADE_VALUES, AnswerReader
from pipeline.approaches import load_reader, strengths
from pipeline.publish import whole_text

FOLDS = 5


def train_answers(
    corpus: Corpus, vocabulary: Vocabulary, shipped: Sequence[Shipped], encoder: Encoder, cache: VectorCache,
    *, groups: Mapping[str, Sequence[str]], say: Callable[[str], None] = lambda _: None,
) -> AnswerReader:  # fmt: skip
    """The reader, with its figures in the card.

    Args:
        corpus: holds the grades.
        vocabulary: needs and arrows.
        shipped: the shipped projects.
        encoder: whose vectors are compared.
        cache: keeps vectors.
        groups: target groups per project id, as the machine reads them.
        say: told what was reached.
    """
    needs = tuple(vocabulary.needs)
    words = [f"{vocabulary.needs[n].title}. {vocabulary.needs[n].reword}" for n in needs]
    need_vectors = encode_cached(words, encoder=encoder, cache=cache, prompt_name="query")
    ids = [entry.project.id for entry in shipped]
    texts = [whole_text(entry.project.title, entry.project.text) for entry in shipped]
    vectors = encode_cached(texts, encoder=encoder, cache=cache)
    graded = np.zeros((len(ids), len(needs)), np.float32)
    for row, name in zip(graded, ids, strict=True):
        for need, grade in corpus.answers.get(name, {}).items():
            row[needs.index(need)] = GRADE_VALUES[grade]
    held = np.isin(ids, held_back())
    center = vectors[~held].mean(axis=0)
    moved = vectors[~held] - center
    cosines = need_vectors @ vectors.T
    reader = AnswerReader(
        needs=needs, need_vectors=need_vectors, center=center,
        graded=moved / np.linalg.norm(moved, axis=1, keepdims=True), grades=graded[~held],
        weights=np.zeros(1 + len(FEATURES), np.float32),
        scale=(round(float(cosines.mean()), 4), round(float(cosines.std()), 4)),
        fingerprint=encoder.fingerprint, card={},
    )  # fmt: skip
    carried = _carried(encoder, vocabulary, shipped, vectors, texts)
    served = [groups.get(name, ()) for name in ids]
    features = reader.features(vectors, carried, list(vocabulary.approaches), served, vocabulary)[held]
    weights, figures = _fit(features.transpose(1, 0, 2), graded[held].T)
    say(f"Antworten auf Bedarfe: {figures}, Gewichte {dict(zip(('bias', *FEATURES), weights.round(3), strict=True))}")
    card = {"command": "checkup train answers", "neighbours": int((~held).sum()), "figures": figures}
    return AnswerReader(
        needs, need_vectors, center, reader.graded, reader.grades, weights, reader.scale, encoder.fingerprint, card
    )


def _carried(
    encoder: Encoder, vocabulary: Vocabulary, shipped: Sequence[Shipped], vectors: Floats, texts: Sequence[str]
) -> Floats:
    """Approaches as the machine reads them from the whole texts, the editors' labels unseen."""
    cards: list[dict[str, Any]] = [{"document_id": "", "values": {}} for _ in shipped]
    rows = np.array([(number, -1, -1) for number in range(len(shipped))], np.int32)
    return strengths(load_reader(encoder.fingerprint), list(vocabulary.approaches), cards, rows, vectors, texts, {})


def _fit(features: Floats, gains: Floats) -> tuple[Floats, dict[str, float]]:
    """Weights of a logistic regression on graded targets, and nDCG@10 per need, cross-validated by needs.

    Args:
        features: float32[needs, projects, features].
        gains: float32[needs, projects] in 0..1.
    """
    reached, plain = [], []
    fold = np.arange(len(gains)) % FOLDS
    for k in range(FOLDS):
        weights = _logistic(features[fold != k], gains[fold != k])
        for own, wanted in zip(features[fold == k], gains[fold == k], strict=True):
            if wanted.max() >= GRADE_VALUES[2]:
                reached.append(_ndcg(own @ weights[1:], wanted))
                plain.append(_ndcg(own[:, 0] + 1e-3 * own[:, 1], wanted))
    figures = {"needs": len(reached), "ndcg_at_10": round(float(np.mean(reached)), 4),
               "by_approaches_alone": round(float(np.mean(plain)), 4)}  # fmt: skip
    return _logistic(features, gains), figures


def _logistic(features: Floats, gains: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression

    x, y = features.reshape(-1, features.shape[-1]), gains.ravel()
    model = LogisticRegression(C=10.0, max_iter=500)
    model.fit(np.vstack([x, x]), np.repeat([1, 0], len(x)), sample_weight=np.r_[y + 1e-6, 1 - y + 1e-6])
    return np.asarray(np.r_[model.intercept_, model.coef_[0]], np.float32)


def _ndcg(scores: Floats, gains: Floats) -> float:
    names = [str(place) for place in range(len(scores))]
    order = [names[place] for place in np.argsort(-scores, kind="stable")]
    grade = {round(value, 4): key for key, value in GRADE_VALUES.items()}
    relevance = {names[p]: float(grade[round(float(gains[p]), 4)]) for p in np.flatnonzero(gains)}
    return ndcg(order, relevance)
