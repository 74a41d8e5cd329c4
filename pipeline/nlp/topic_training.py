"""Training of the topic weights: one logistic regression over words and cues, projects against other texts.

Below: `pipeline.nlp.topic`, `pipeline.nlp.label_weights`, `pipeline.nlp.label_training`. Above: `checkup train`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.label_training import Seen, fit
from pipeline.nlp.label_weights import LabelWeights, cue_features
from pipeline.nlp.readings import Quoter, analyse
from pipeline.nlp.topic import TOPIC, topic_names, topic_sums

_LEAST_TEXTS = 3
PENALTY = 0.1
"""L2 penalty in units of one text; with .3, 1 or 4 more projects are lost for the same share of others found."""
LEAST = {"de": -0.35, "en": -2.9}
"""Thresholds in log odds by language: each left out once (English ones in twentieths), 1 % of the projects lie below,
and of the texts on something else 3 of 4, in English 71 %."""


@dataclass(frozen=True, slots=True)
class TopicExample:
    """A text and whether it is on topic; `weight` beside the others of its side."""

    title: str | None
    text: str
    on_topic: bool
    weight: float = 1.0


def train_topic(examples: Sequence[TopicExample], language: str = "de") -> LabelWeights:
    """Trains the weights of the one label TOPIC for texts of a language; both sides weigh the same in sum.

    Deterministic.
    """
    names = topic_names()
    seen = [_look(example, names, language) for example in examples]
    truth = np.asarray([example.on_topic for example in examples])
    weight = np.asarray([example.weight for example in examples], dtype=np.float32)
    weight[~truth] *= weight[truth].sum() / weight[~truth].sum()
    told = truth[:, None].astype(np.float32)
    found = fit(seen, told, weight, (TOPIC,), names, PENALTY, least_texts=_LEAST_TEXTS)
    return replace(found, thresholds=np.asarray([LEAST[language]], dtype=np.float32))


def _look(example: TopicExample, names: Sequence[str], language: str) -> Seen:
    with pipeline_zone(language) as nlp:
        doc = analyse(nlp, Quoter(example.title, example.text))
        return Seen(frozenset(doc._.search_tokens), cue_features(topic_sums(doc), names))
