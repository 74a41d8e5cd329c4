"""Separable verbs put together again: in `stellte zehn von ihnen ein` the lemma of `stellte` becomes `einstellen`.

Below: `pipeline.nlp.words`, `pipeline.nlp.rules`, `pipeline.nlp.dictionary`. Above: the component
`checkup_separable` of the pipeline.
"""

from functools import cache
from typing import TYPE_CHECKING

from pipeline.nlp.dictionary import is_known
from pipeline.nlp.rules import load_rules
from pipeline.nlp.words import is_verb

if TYPE_CHECKING:
    from spacy.tokens import Doc

_REACH = 25
_ENDS = frozenset(".,;:!?)–—") | {"und", "oder", "aber", "\n", "\n\n"}


def join_separable(doc: "Doc") -> "Doc":
    """Component `checkup_separable`: changes the lemma of a finite verb whose prefix closes the clause."""
    if doc.lang_ != "de":
        return doc
    prefixes = _prefixes()
    forms = doc._.words.forms
    for start, end in doc._.sentences:
        for at in range(start + 1, end):
            if forms[at] in prefixes and (at + 1 == end or forms[at + 1] in _ENDS):
                _join(doc, forms, start, at)
    return doc


def _join(doc: "Doc", forms: list[str], start: int, at: int) -> None:
    """Looks back for the verb, not beyond the clause's beginning."""
    for before in range(at - 1, max(start, at - _REACH) - 1, -1):
        if forms[before] in {",", ";", ":"}:
            return
        words = doc._.words
        lemma = words.lemmas[before]
        if (before == start or words.texts[before][0].islower()) and is_verb(forms[before], lemma):
            joined = forms[at] + lemma
            if is_known(joined):
                doc[before].lemma_ = words.lemmas[before] = joined
            return


@cache
def _prefixes() -> frozenset[str]:
    return frozenset(load_rules("verbs")["prefixes"])
