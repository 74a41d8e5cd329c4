"""Whether a text is about integration at all: by its words, and by the cues of fields, groups and the topic itself.

Below: `pipeline.nlp.labels`, `pipeline.nlp.cues`, `pipeline.nlp.label_weights`. Above: `pipeline.nlp.readings`,
`pipeline.nlp.topic_training`.
"""

from typing import TYPE_CHECKING

from pipeline.nlp.label_weights import TOPIC_FILES, shipped_weights
from pipeline.nlp.labels import label_names

if TYPE_CHECKING:
    from spacy.tokens import Doc

TOPIC = "topic"
_REFUGEES = "gefluechtete"
_FEW_WORDS = 25
"""A text of fewer words is no description of a project, which the weights know: to name refugees is enough there."""


def topic_names() -> tuple[str, ...]:
    """The sums of cue weights that decide: those of every label, and the topic's own."""
    return (*label_names(), TOPIC)


def topic_sums(doc: "Doc") -> dict[str, float]:
    """The sum of cue weights by label, and that of the words of the topic, each wording counted once."""
    lemmas = doc._.words.lemmas
    said = {tuple(lemmas[cue.start : cue.end]): cue.weight for cue in doc._.cues if cue.table == TOPIC}
    return {**doc._.cue_sums, TOPIC: sum(said.values())}


def is_on_topic(doc: "Doc") -> bool:
    """Whether a text with its labels and cues is about integration; what was found first stands (`doc._.on_topic`).

    It must have a field or a group: of a text without any, nothing could be told.
    """
    if doc._.on_topic is None:
        doc._.on_topic = _decide(doc)
    return bool(doc._.on_topic)


def _decide(doc: "Doc") -> bool:
    labels = doc._.labels
    if not any(labels.values()):
        return False
    if len(doc._.words.lemmas) < _FEW_WORDS and any(label.id == _REFUGEES for label in labels["target_groups"]):
        return True
    return bool(shipped_weights(TOPIC_FILES[doc.lang_]).decide(doc._.search_tokens, topic_sums(doc))[0] > 0)
