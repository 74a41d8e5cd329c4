"""Who works for a project and in which languages: posts, volunteers, languages of the offer.

Below: `pipeline.nlp.quantities`, `pipeline.nlp.numerals`. Above: `pipeline.nlp.facts`.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pipeline.nlp.lemmas import Words
from pipeline.nlp.numerals import parse_number
from pipeline.nlp.rules import word_set
from pipeline.nlp.scalars import Fact
from pipeline.nlp.sentences import sentence_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

_words = partial(word_set, "facts_words")
_HALVES = frozenset({"halbe", "halben", "halber", "halbes"})
_PARTS = {"dreiviertelstelle": 0.75, "halbtagsstelle": 0.5, "viertelstelle": 0.25}
_REACH = 3
_MOST_POSTS = 500
_LEAST_VOLUNTEERS = 3
_JOINS = frozenset({",", "und", "oder", "/", "sowie", "bis"})


def staff(doc: "Doc") -> Iterator[Fact]:
    """`staff`: the largest number of posts of the project, a half one as 0.5; posts for others count not."""
    words: Words = doc._.words
    found: list[Fact] = []
    posts = _words("posts")
    for at, lemma in enumerate(words.lemmas):
        if (lemma not in posts and words.forms[at] not in _PARTS) or not words.texts[at][0].isupper():
            continue
        count = _count_before(doc, at)
        if count is not None and 0 < count[0] <= _MOST_POSTS and not _is_for_others(doc, at):
            found.append(Fact("staff", _whole(count[0]), count[1], at + 1))
    if found:
        yield max(found, key=lambda fact: (fact.value, -fact.start))


def _count_before(doc: "Doc", at: int) -> tuple[float, int] | None:
    """The number before a post over up to two adjectives, with its first token."""
    words: Words = doc._.words
    if words.forms[at] in _PARTS:
        return _PARTS[words.forms[at]], at
    factor = 1.0
    first = sentence_of(doc, at)[0]
    for step in range(at - 1, max(first - 1, at - 1 - _REACH), -1):
        form = words.forms[step]
        if form in _HALVES:
            factor = 0.5
            continue
        number = parse_number(form, doc.lang_)
        if number is not None:
            if factor == 1.0 and form in _ONE:
                return (1.0, step) if words.lemmas[at] != "stelle" else None
            return number * factor, step
        if not words.texts[step][0].islower() or not form.endswith(("e", "en", "er", "es")):
            return None
    return None


_ONE = frozenset({"ein", "eine", "einer", "einen", "einem", "eins"})


def _is_for_others(doc: "Doc", at: int) -> bool:
    """Whether the sentence speaks of posts that participants or employers have, or of offices in places."""
    first, last = sentence_of(doc, at)
    words: Words = doc._.words
    if words.forms[at + 1 : at + 2] == ["in"] and words.lemmas[at] == "stelle":
        return True
    clause = doc._.clauses[doc._.clause_of[at]]
    if clause.ruled in {"negated", "other"}:
        return True
    said = set(words.lemmas[first:last]) | set(words.forms[first:last])
    return not said.isdisjoint(_words("no_post"))


def volunteers(doc: "Doc", labels: Mapping[int, set[str]]) -> Iterator[Fact]:
    """`volunteers`: the largest number of volunteers who take part; those who only answer a survey do not count."""
    words: Words = doc._.words
    found: list[Fact] = []
    for quantity in doc._.quantities:
        if quantity.unit not in {"helpers", "persons"} or quantity.most < _LEAST_VOLUNTEERS or quantity.each:
            continue
        index = doc._.clause_of[quantity.start]
        clause = doc._.clauses[index]
        some = not {"darunter", "davon"}.isdisjoint(doc._.words.forms[max(0, quantity.start - 4) : quantity.start])
        if some or "survey" in labels.get(index, set()) or not _is_unpaid(doc, quantity.start, quantity.end):
            continue
        inside = {*words.lemmas[quantity.start : quantity.end + 1], *words.forms[quantity.start : quantity.end + 1]}
        if clause.ruled == "result" and quantity.of is None and not inside.isdisjoint(_words("volunteers")):
            found.append(Fact("volunteers", _whole(quantity.most), quantity.start, quantity.end))
    if found:
        yield max(found, key=lambda fact: (fact.value, -fact.start))


def _is_unpaid(doc: "Doc", start: int, end: int) -> bool:
    """Guides (`Lotsen`) can be paid: the text must say that they are volunteers."""
    lemmas = doc._.words.lemmas
    if any(lemma.endswith("lotse") for lemma in lemmas[start : end + 1]):
        return not _words("unpaid").isdisjoint(doc._.words.forms)
    return True


def languages(doc: "Doc") -> Iterator[Fact]:
    """`languages` of the offer: `auf Arabisch, Dari und Englisch`; German alone is what everybody learns."""
    words: Words = doc._.words
    known = word_set("organisations", "languages")
    spans = [at for at, form in enumerate(words.forms) if form in known and words.texts[at][0].isupper()]
    told: dict[str, Fact] = {}
    for row in _rows(spans, words):
        names = [words.forms[at] for at in row]
        if set(names) <= {"deutsch", "deutsche", "deutschen"} or not _is_offered(doc, row):
            continue
        for at in row:
            told.setdefault(words.forms[at], Fact("languages", words.texts[at], at, at + 1))
    yield from told.values()


def _rows(spans: list[int], words: Words) -> Iterator[list[int]]:
    """Languages that stand in one row, with commas and `und` between them."""
    row: list[int] = []
    for at in spans:
        if row and all(form in _JOINS for form in words.forms[row[-1] + 1 : at]) and at - row[-1] <= 2:
            row.append(at)
            continue
        if row:
            yield row
        row = [at]
    if row:
        yield row


def _is_offered(doc: "Doc", row: list[int]) -> bool:
    words: Words = doc._.words
    if doc._.clauses[doc._.clause_of[row[0]]].ruled == "negated":
        return False
    if words.forms[row[0] - 1 : row[0]] == ["auf"]:
        return True
    first, last = sentence_of(doc, row[0])
    return len(row) > 1 and not word_set("organisations", "offered").isdisjoint(words.forms[first:last])


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number
