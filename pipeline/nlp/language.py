"""The one spaCy pipeline: blank German or English, a mended tokenizer, and our components, each a registered factory.

Below: the components (`sentences`, `lemmas`, …) through `pipeline.nlp.factories`. Above: everything that reads a text.
"""

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.language import Language

LANGUAGES = ("de", "en")
MAX_CHARACTERS = 50_000_000

_loaded: dict[str, "Language"] = {}
_lock = Lock()


def load_nlp(language: str = "de", *, components: bool = True) -> "Language":
    """The pipeline of a language: made at the first call, the same object afterwards.

    Args:
        language: `de` or `en`.
        components: Whether more than the tokenizer is wanted; the components are added when they are first.

    Returns:
        A pipeline whose components are all registered by `pipeline.nlp.factories`; results do not depend on which
        spaCy models happen to be installed.

    Raises:
        ValueError: Another language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
    with _lock:
        if language not in _loaded:
            _loaded[language] = _blank(language)
        nlp = _loaded[language]
        if components and not nlp.pipe_names:
            _add_components(nlp)
        return nlp


def _blank(language: str) -> "Language":
    import spacy
    from spacy.attrs import LANG

    from pipeline.nlp.tokenizer import CALLBACK

    nlp = spacy.blank(language, config={"nlp": {"after_creation": {"@callbacks": CALLBACK}}})
    nlp.max_length = MAX_CHARACTERS
    # Of a word nobody asks its shape, or whether it is like a number: to find out takes most of reading the tokens.
    vocab: Any = nlp.vocab
    vocab.lex_attr_getters = {LANG: vocab.lex_attr_getters[LANG]}
    return nlp


def _add_components(nlp: "Language") -> None:
    from pipeline.nlp.factories import COMPONENTS

    for name in COMPONENTS:
        nlp.add_pipe(name)
