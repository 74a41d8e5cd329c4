"""Registers every component of the pipeline with spaCy, in the order in which they run.

Below: the component modules. Above: `pipeline.nlp.language`.
"""

from collections.abc import Callable

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.nlp.clauses import find_clauses
from pipeline.nlp.counting import find_quantities
from pipeline.nlp.cues import find_cues
from pipeline.nlp.deadline import check_time
from pipeline.nlp.facts import find_facts
from pipeline.nlp.impact import find_impact
from pipeline.nlp.labels import find_labels
from pipeline.nlp.lemmas import set_lemmas
from pipeline.nlp.marks import find_marks
from pipeline.nlp.places import mark_places
from pipeline.nlp.practice import find_practice
from pipeline.nlp.scalars import find_scalars
from pipeline.nlp.sentences import mark_sentences
from pipeline.nlp.separable import join_separable
from pipeline.nlp.vector_labels import find_vector_labels

_STEPS: dict[str, Callable[[Doc], Doc]] = {
    "checkup_lemmas": set_lemmas,
    "checkup_sentences": mark_sentences,
    "checkup_separable": join_separable,
    "checkup_cues": find_cues,
    "checkup_labels": find_labels,
    "checkup_quantities": find_quantities,
    "checkup_clauses": find_clauses,
    "checkup_vector_labels": find_vector_labels,
    "checkup_marks": find_marks,
    "checkup_impact": find_impact,
    "checkup_scalars": find_scalars,
    "checkup_facts": find_facts,
    "checkup_practice": find_practice,
    "checkup_places": mark_places,
}
COMPONENTS = tuple(_STEPS)

_ATTRIBUTES: dict[str, object] = {
    "title_tokens": 0, "deep": False, "embed": None, "on_topic": None, "marks": None,
    "text": "", "words": None, "sentences": [], "cues": [], "search_tokens": [], "cue_sums": {}, "labels": {},
    "quantities": [],
    "clauses": [], "clause_of": [], "claims": [], "grade": None, "facts": [], "lessons": [], "awards": [],
    "transfers": [], "continuation": None, "clause_features": [],
    "places": [], "scope": None,
}  # fmt: skip
"""Attributes of a Doc (`doc._.NAME`): what the components leave for each other and for `pipeline.nlp.extract`."""


def _register(name: str, step: Callable[[Doc], Doc]) -> None:
    def in_time(doc: Doc) -> Doc:
        check_time()
        return step(doc)

    def make(nlp: Language, name: str) -> Callable[[Doc], Doc]:
        return in_time

    Language.factory(name, func=make)


for _name, _step in _STEPS.items():
    _register(_name, _step)
for _name, _default in _ATTRIBUTES.items():
    Doc.set_extension(_name, default=_default, force=True)
