"""Action fields and target groups read once more, with vectors and approaches of the text beside its words and cues.

Below: `pipeline.nlp.labels`, `pipeline.nlp.topic`, `pipeline.nlp.label_weights`. Above: the component
`checkup_vector_labels`.
"""

from typing import TYPE_CHECKING

from pipeline.nlp.label_weights import VECTOR_FILE, shipped_weights
from pipeline.nlp.labels import decide_labels
from pipeline.nlp.topic import is_on_topic

if TYPE_CHECKING:
    from spacy.tokens import Doc


def find_vector_labels(doc: "Doc") -> "Doc":
    """Component `checkup_vector_labels`: decides `doc._.labels` and `doc.cats` anew, where `doc._.embed` is given.

    Of a text off the topic nothing is told, so it is not embedded.
    """
    if doc._.embed is not None and is_on_topic(doc):
        decide_labels(doc, shipped_weights(VECTOR_FILE), doc._.embed())
    return doc
