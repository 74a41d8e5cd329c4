"""The one spaCy pipeline: blank German or English, a mended tokenizer, and our components, each a registered factory.

Below: the components (`sentences`, `lemmas`, …) through `pipeline.nlp.factories`. Above: everything that reads a text.
"""

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

LANGUAGES = ("de", "en")
MAX_CHARACTERS = 50_000_000

_loaded: dict[str, "Language"] = {}
_lock = Lock()


def load_nlp(language: str = "de") -> "Language":
    """The pipeline of a language: made at the first call, the same object afterwards.

    Args:
        language: `de` or `en`.

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
            _loaded[language] = _make(language)
        return _loaded[language]


def _make(language: str) -> "Language":
    import spacy

    from pipeline.nlp import factories

    nlp = spacy.blank(language, config={"nlp": {"after_creation": {"@callbacks": factories.TOKENIZER_CALLBACK}}})
    nlp.max_length = MAX_CHARACTERS
    for name in factories.COMPONENTS:
        nlp.add_pipe(name)
    return nlp
