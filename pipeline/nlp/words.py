"""Small facts about single words that several components need: is it a verb, a past form, a noun.

Below: `pipeline.nlp.rules`. Above: `pipeline.nlp.quantities`, `pipeline.nlp.clauses`.
"""

from functools import cache, lru_cache

from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.rules import load_rules

_PRESENT_PARTICIPLE = ("end", "ende", "enden", "ender", "endes", "endem")


@lru_cache(maxsize=KEPT_WORDS)
def is_verb(form: str, lemma: str) -> bool:
    """Whether a lower-case form can be a finite verb, by its lemma: `hatten` (haben), not `alten` (alt).

    Args:
        form: The token in lower case.
        lemma: Its lemma.
    """
    if form in _words("auxiliaries") or form in _words("modals"):
        return True
    if form in _words("no_verbs") or (form.endswith(_PRESENT_PARTICIPLE) and not lemma.endswith("enden")):
        return False
    return lemma.endswith(("en", "eln", "ern", "tun")) and len(lemma) > 3


def is_helping(form: str) -> bool:
    """Whether a form is one of an auxiliary or modal verb, which another verb may close."""
    return form in _words("auxiliaries") or form in _words("modals")


@lru_cache(maxsize=KEPT_WORDS)
def is_past(form: str, lemma: str) -> bool:
    """Whether a form is a German preterite: of an auxiliary, `-te`/`-ten` of a verb, or a listed strong form."""
    if form in _words("past_auxiliaries") or form in _words("strong_past"):
        return True
    if form == lemma or not is_verb(form, lemma) or form in _words("modals"):
        return False
    stem = lemma.removesuffix("n").removesuffix("e")
    return form in {f"{stem}te", f"{stem}ten", f"{stem}ete", f"{stem}eten"} or _is_split_past(form, lemma)


def _is_split_past(form: str, lemma: str) -> bool:
    """Weak forms whose stem differs from the lemma's: `brachte`, `dachten`, `kannte`, `lud`."""
    irregular = form.endswith(("chte", "chten", "nnte", "nnten", "ndte", "ndten"))
    return irregular and not lemma.startswith(form.removesuffix("n").removesuffix("e"))


@lru_cache(maxsize=KEPT_WORDS)
def is_participle(form: str, lemma: str) -> bool:
    """Whether a form can be a past participle: `vermittelt`, `gefunden`, `ausgebildet`."""
    if not is_verb(form, lemma) or (form == lemma and not form.startswith("ge")):
        return form in _words("participles")
    if form in _words("participles"):
        return True
    middle = "ge" in form[:8]
    if form.endswith("t"):
        return (
            middle
            or form.startswith(("be", "er", "ver", "zer", "ent", "miss", "über", "unter"))
            or form.endswith("iert")
        )
    return form.endswith("en") and middle and form != lemma


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(load_rules("verbs")[name])
