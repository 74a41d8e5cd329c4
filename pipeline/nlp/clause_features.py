"""What is known of a clause before it is judged: words, cues, tense, counts, the verdict of the rules, its place.

Below: `pipeline.nlp.claim_rules`, `pipeline.nlp.search_tokens`. Above: `pipeline.nlp.judge`,
`pipeline.nlp.clause_training`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.nlp.claim_rules import cues_by_clause, quantities_by_clause
from pipeline.nlp.clauses import Clause
from pipeline.nlp.lemmas import Words
from pipeline.nlp.numerals import is_year
from pipeline.nlp.quantities import Quantity
from pipeline.nlp.search_tokens import index_tokens

if TYPE_CHECKING:
    from spacy.tokens import Doc

_TABLES = ("impact", "status", "practice", "money")
_AUXILIARIES = {
    "sein": "be", "haben": "have", "werden": "become", "sollen": "modal", "können": "modal", "müssen": "modal",
    "wollen": "modal", "dürfen": "modal",
}  # fmt: skip
_REPORTED = frozenset({"sei", "seien", "habe", "hätte", "hätten", "könne", "werde", "komme", "gebe", "müsse", "solle"})
_SMALL = 6
_LARGE = 100


def clause_features(doc: "Doc", levels: Sequence[int]) -> list[list[str]]:
    """The features of every clause of a document, by name; a feature is there or not.

    Args:
        doc: A document whose cues, quantities and clauses are set.
        levels: The level that the rules give every clause.
    """
    own = _own(doc, levels)
    told_beside = [[name for name in names if name[0] != "w"] for names in own]
    clauses: list[Clause] = doc._.clauses
    found = []
    for index, clause in enumerate(clauses):
        features = own[index].copy()
        for step, mark in ((-1, "<"), (1, ">")):
            other = index + step
            if 0 <= other < len(clauses):
                front = f"{mark}s " if clauses[other].sentence == clause.sentence else f"{mark}d "
                features += [front + name for name in told_beside[other]]
        found.append(features)
    return found


def _own(doc: "Doc", levels: Sequence[int]) -> list[list[str]]:
    tables = {table: cues_by_clause(doc, table) for table in _TABLES}
    counts = quantities_by_clause(doc)
    clauses: list[Clause] = doc._.clauses
    title_end, last = doc._.title_tokens, clauses[-1].sentence if clauses else 0
    found = []
    words: Words = doc._.words
    for index, (clause, level) in enumerate(zip(clauses, levels, strict=True)):
        features = _words(words, clause)
        for table, labels in tables.items():
            if index in labels:
                features += [f"c {table} {label}" for label in sorted(labels[index])]
        features.append(f"l {level}")
        features.append(f"l {level} {clause.past}")
        features.append(f"s {clause.status}")
        features.append(f"t past {clause.past}")
        features.append(f"t verbs {min(clause.verbs, 2)}")
        features.append(f"t first {clause.first}")
        if clause.infinitive:
            features.append("t infinitive")
        features.extend(_of_counts(counts.get(index, [])))
        features.extend(_of_place(clause, title_end, last))
        found.append(features)
    return found


def _words(words: Words, clause: Clause) -> list[str]:
    lemmas = [lemma for start, end in clause.spans for lemma in words.lemmas[start:end]]
    forms = [form for start, end in clause.spans for form in words.forms[start:end]]
    features = [f"w {token}" for token in dict.fromkeys(index_tokens(lemmas))]
    features += dict.fromkeys([f"t {_AUXILIARIES[lemma]}" for lemma in lemmas if lemma in _AUXILIARIES])
    if not _REPORTED.isdisjoint(forms):
        features.append("t reported")
    if any(map(is_year, forms)):
        features.append("t year")
    size = len(forms)
    features.append("t short" if size < 6 else "t long" if size > 16 else "t middle")
    return features


def _of_counts(counts: list[Quantity]) -> list[str]:
    features = ["q some" if counts else "q none"]
    for quantity in counts:
        features.append(f"q {quantity.unit}")
        size = "few" if quantity.most < _SMALL else "many" if quantity.most < _LARGE else "masses"
        features.append(f"q {quantity.unit} {size}")
        if quantity.of is not None:
            features.append("q of")
        if quantity.each:
            features.append("q each")
        if quantity.bare:
            features.append("q bare")
    return list(dict.fromkeys(features))


def _of_place(clause: Clause, title_end: int, last: int) -> list[str]:
    if clause.spans[0][0] < title_end:
        return ["p title"]
    if clause.sentence == last:
        return ["p last"]
    first = 1 if title_end else 0
    return ["p first"] if clause.sentence == first else ["p inner"]
