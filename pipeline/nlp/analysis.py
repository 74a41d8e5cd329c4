"""Running the pipeline so that memory stays flat and threads do not meet: one text at a time per process.

Below: `pipeline.nlp.language`. Above: `pipeline.nlp.search_tokens`, `pipeline.nlp.extract`, `pipeline.nlp.privacy`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from pipeline.nlp.language import load_nlp

if TYPE_CHECKING:
    from spacy.language import Language

_lock = RLock()
_entered: set[str] = set()
"""Languages whose zone the thread that holds the lock is in."""


@contextmanager
def pipeline_zone(language: str = "de", *, components: bool = True) -> Iterator["Language"]:
    """The pipeline for the time of a `with` block: new strings are forgotten at its end, other threads wait.

    Nothing of a Doc may be used after the block; entered again inside, it is the outer one. Arguments as in `load_nlp`.
    """
    nlp = load_nlp(language, components=components)
    with _lock:
        if language in _entered:
            yield nlp
            return
        _entered.add(language)
        try:
            with nlp.memory_zone():
                yield nlp
        finally:
            _entered.discard(language)


def tokens(text: str) -> list[str]:
    """The tokens of a text as the pipeline's tokenizer cuts them, whitespace left out."""
    with pipeline_zone(components=False) as nlp:
        return [token.text for token in nlp.make_doc(text) if not token.text.isspace()]
