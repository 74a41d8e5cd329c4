"""Training the reader of the needs that projects answer (`pipeline.answers`) on graded projects, shipped and invented.

Below: `pipeline.answers`, `pipeline.approaches`, `embeddings.linear_training`, scikit-learn (extra).
Above: `checkup train answers`.

Neighbours and words are learned from the invented projects and the shipped ones outside the test part of the gold set
that were graded need by need (of the others a need that nobody named may be answered all the same).
The six weights are fitted on the test part's projects, which neither the encoder nor the reader of approaches has seen:
on seen ones similarity would look better than it is. The figure is cross-validated by needs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from checkup.figures import ndcg
from checkup.training import held_back
from data.corpus_files import Corpus
from data.errors import CheckupError
from data.shipped import Shipped
from data.vocabulary import Vocabulary
from embeddings.e5_file import Floats
from embeddings.encoders import Encoder, VectorCache, encode_cached
from embeddings.linear import centred
from embeddings.linear_training import ridge_weights
from pipeline.answers import FEATURES, GRADE_VALUES, WORD_BITS, AnswerReader, Read
from pipeline.approach_reader import load_reader
from pipeline.approaches import strengths
from pipeline.nlp.passages import passages
from pipeline.nlp.search_tokens import search_tokens
from pipeline.project_vectors import project_vectors, whole_text

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
    held = set(held_back())
    graded = [entry for entry in shipped if entry.project.id in corpus.answers]
    known = [entry for entry in graded if entry.project.id not in held]
    unseen = [entry for entry in graded if entry.project.id in held]
    invented = list(_invented(corpus))
    vectors = project_vectors([_card(*_told(entry)) for entry in known], encoder=encoder, cache=cache).wholes()
    own = project_vectors([_card(title, text) for title, text, _ in invented], encoder=encoder, cache=cache).wholes()
    center = vectors.mean(axis=0)
    words = [f"{vocabulary.needs[n].title}. {vocabulary.needs[n].reword}" for n in needs]
    need_vectors = encode_cached(words, encoder=encoder, cache=cache, prompt_name="query")
    cosines = need_vectors @ vectors.T
    told = [corpus.answers.get(entry.project.id, {}) for entry in known] + [graded for _, _, graded in invented]
    grades = _gains(told, needs)
    written = [*(_told(entry) for entry in known), *((title, text) for title, text, _ in invented)]
    tokens = [search_tokens(whole_text(title, text)) for title, text in written]
    reader = AnswerReader(
        needs=needs, need_vectors=need_vectors, center=center, graded=centred(np.vstack([vectors, own]), center),
        grades=grades, word_weights=ridge_weights(tokens, grades, WORD_BITS),
        weights=np.zeros(1 + len(FEATURES), np.float32),
        scale=(round(float(cosines.mean()), 4), round(float(cosines.std()), 4)),
        fingerprint=encoder.fingerprint, card={},
    )  # fmt: skip
    gains = _gains([corpus.answers.get(entry.project.id, {}) for entry in unseen], needs)
    features = reader.features(_read(unseen, reader, vocabulary, encoder, cache, groups), vocabulary)
    weights, figures = _fit(features.transpose(1, 0, 2), gains.T)
    say(f"Antworten auf Bedarfe: {figures}, Gewichte {dict(zip(('bias', *FEATURES), weights.round(3), strict=True))}")
    card = {"command": "checkup train answers", "neighbours": len(grades), "figures": figures}
    return replace(reader, weights=weights, card=card)


def _told(entry: Shipped) -> tuple[str | None, str]:
    return entry.project.title, entry.project.text


def _card(title: str | None, text: str) -> dict[str, Any]:
    """A text in the form of a card whose approaches nobody stated."""
    return {"title": title, "text": text, "passages": passages(text), "document_id": "", "values": {}}


def _read(
    shipped: Sequence[Shipped], reader: AnswerReader, vocabulary: Vocabulary, encoder: Encoder, cache: VectorCache,
    groups: Mapping[str, Sequence[str]],
) -> Read:  # fmt: skip
    """Shipped projects as the machine reads them, the editors' labels unseen."""
    cards = [_card(*_told(entry)) for entry in shipped]
    embedded = project_vectors(cards, encoder=encoder, cache=cache)
    approaches = list(vocabulary.approaches)
    carried = strengths(
        load_reader(encoder.fingerprint), approaches, cards, embedded.rows, embedded.directions(), embedded.texts, {}
    )
    return Read(
        vectors=embedded.wholes(),
        strengths=carried,
        approaches=approaches,
        groups=[groups.get(entry.project.id, ()) for entry in shipped],
        words=np.stack([reader.words(search_tokens(whole_text(*_told(entry)))) for entry in shipped]),
    )


def _invented(corpus: Corpus) -> Iterator[tuple[str | None, str, Mapping[str, int]]]:
    """Titles and texts of invented projects, and the needs they answer, graded 1-3."""
    for item in corpus.approaches:
        if item.needs is not None:
            yield None, item.text, item.needs
    for project in corpus.projects:
        yield project.title, project.text, project.needs


def _gains(graded: Sequence[Mapping[str, int]], needs: Sequence[str]) -> Floats:
    """float32[texts, needs]: what the grades are worth."""
    place = {name: column for column, name in enumerate(needs)}
    gains = np.zeros((len(graded), len(needs)), np.float32)
    for row, grades in zip(gains, graded, strict=True):
        for need, grade in grades.items():
            if need not in place:
                raise CheckupError(f"Der Bedarf „{need}“ in data/corpus steht nicht im Vokabular.")
            row[place[need]] = GRADE_VALUES[grade]
    return gains


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
