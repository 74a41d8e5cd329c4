"""Verbs and joints of English sentences: which words are verbs, and where a clause ends without a comma.

Below: `pipeline.nlp.rules`. Above: `pipeline.nlp.clauses`, `pipeline.nlp.english_quantities`.
"""

from collections.abc import Sequence
from functools import partial

from pipeline.nlp.rules import word_set

english_words = partial(word_set, "english")
"""A list of `rules/english.yaml`, by its name, as a set."""
_SHORTEST = 4
"""Forms in `-ed` that are shorter are no verbs (`bed`, `red`)."""


def english_verbs(forms: Sequence[str], lemmas: Sequence[str]) -> list[bool]:
    """Which tokens of a text can be verbs; a word that may be a noun too is told by its neighbours.

    Args:
        forms: The tokens in lower case.
        lemmas: Their lemmas.
    """
    return [_is_verb(forms, lemmas, at) for at in range(len(forms))]


def is_english_past(form: str, lemma: str) -> bool:
    """Whether a verb's form is a past or a past participle."""
    listed = english_words("past_auxiliaries") | english_words("irregular")
    return form in listed or (form.endswith("ed") and form != lemma)


def opens_clause(forms: Sequence[str], verbs: Sequence[bool], at: int) -> bool:
    """Whether a word opens a clause without a mark before it: `because`, `who`, `that` (no pronoun), `so that`."""
    form, following = forms[at], forms[at + 1] if at + 1 < len(forms) else ""
    before = forms[at - 1] if at else ""
    if form in {"in", "so"}:
        return (form, following) in {("in", "order"), ("so", "that"), ("so", "as")}
    if form == "not":
        return following == "least" and forms[at + 2 : at + 3] == ["because"]
    if form not in english_words("cuts") or (before, form) in {("so", "that"), ("least", "because")}:
        return False
    if form in {"that", "which", "whom", "whose"} and before in english_words("determiners"):
        return False
    return form != "that" or (following.isalpha() and following not in {"as", "in", "of", "for"})


def is_infinitive(forms: Sequence[str], lemmas: Sequence[str], at: int) -> bool:
    """Whether `to` and a verb stand at a position."""
    if forms[at] != "to" or at + 1 >= len(forms):
        return False
    following = forms[at + 1]
    return following == lemmas[at + 1] and _is_listed(following)


def _is_listed(lemma: str) -> bool:
    return lemma in english_words("verbs") or lemma in english_words("verbs_or_nouns")


def _is_verb(forms: Sequence[str], lemmas: Sequence[str], at: int) -> bool:
    form, lemma = forms[at], lemmas[at]
    before = forms[at - 1] if at else ""
    if form in english_words("auxiliaries"):
        return True
    if form in english_words("no_verbs") or before in {"-", "’s", "'s"}:
        return False
    past = form in english_words("irregular") or (form.endswith("ed") and lemma != form and len(form) > _SHORTEST)
    listed = lemma in english_words("verbs") and form in {lemma, f"{lemma}s", f"{lemma}es", f"{lemma[:-1]}ies"}
    if past or listed:
        return before not in english_words("determiners")
    return lemma in english_words("verbs_or_nouns") and not form.endswith("ing") and _is_used_as_verb(forms, lemma, at)


def _is_used_as_verb(forms: Sequence[str], lemma: str, at: int) -> bool:
    """Whether a word that may be a noun is a verb by its neighbours."""
    before = forms[at - 1] if at else ""
    if forms[at] == lemma:
        return before in english_words("verb_leads") or (len(before) > _SHORTEST and before.endswith("s"))
    return _is_third_person(forms, at, before)


def _is_third_person(forms: Sequence[str], at: int, before: str) -> bool:
    """Whether a form in `-s` is a verb: after a noun or pronoun, not before a verb or a mark."""
    following = forms[at + 1] if at + 1 < len(forms) else ""
    if before in english_words("verb_leads") - {"to"}:
        return True
    named = before.isalpha() and before not in english_words("determiners") and not before.endswith(("s", "ed", "ing"))
    return named and (following in english_words("determiners") or following in {"to", "on", "people", "women"})
