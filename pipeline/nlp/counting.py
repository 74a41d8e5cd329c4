"""The component that finds counted things, in German and in English sentences.

Below: `pipeline.nlp.quantities`, `pipeline.nlp.english_quantities`, `pipeline.nlp.wholes`.
Above: `pipeline.nlp.factories`.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.nlp.deadline import check_time
from pipeline.nlp.english_quantities import english_quantities
from pipeline.nlp.lemmas import Words
from pipeline.nlp.quantities import Quantity, Sentence, german_quantities
from pipeline.nlp.wholes import with_wholes

if TYPE_CHECKING:
    from spacy.tokens import Doc


def find_quantities(doc: "Doc") -> "Doc":
    """Component `checkup_quantities`: sets `doc._.quantities`, in text order."""
    found: list[Quantity] = []
    words: Words = doc._.words
    read = english_quantities if doc.lang_ == "en" else german_quantities
    for start, end in doc._.sentences:
        check_time()
        sentence = Sentence(words.forms[start:end], words.lemmas[start:end], words.texts[start:end], doc.lang_)
        found.extend(
            replace(quantity, start=quantity.start + start, end=quantity.end + start) for quantity in read(sentence)
        )
    doc._.quantities = with_wholes(words, found)
    return doc
