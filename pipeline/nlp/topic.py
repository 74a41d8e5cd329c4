"""Whether a text is about integration at all: by words of the topic, and by its fields and groups where none is said.

Below: `pipeline.nlp.labels`, `pipeline.nlp.cues`. Above: `pipeline.nlp.readings`.
"""

from typing import TYPE_CHECKING

from pipeline.nlp.labels import Label

if TYPE_CHECKING:
    from spacy.tokens import Doc

_NEWCOMERS = frozenset({"gefluechtete", "migranten"})
_EVERYWHERE = frozenset(
    {"kinder", "jugendliche", "junge_erwachsene", "aufnahmegesellschaft", "verwaltung", "unternehmen"}
)
"""Groups that any notice of a town hall, club or school speaks of."""
_CLEAR = 0.9
"""Score of a field that counts by itself where neither a word of the topic nor a group is found."""


def is_on_topic(doc: "Doc") -> bool:
    """Whether a text with its labels and cues is about integration.

    A word of the topic needs a field, or newcomers as a group. Without any, a field must be very clear, or a group
    stand there that is not in everybody's mouth.
    """
    said = any(cue.table == "topic" for cue in doc._.cues)
    fields: list[Label] = doc._.labels["action_fields"]
    groups = {label.id for label in doc._.labels["target_groups"]}
    if said:
        return bool(groups & _NEWCOMERS or fields)
    return bool(fields) and (bool(groups - _EVERYWHERE) or any(label.score >= _CLEAR for label in fields))
