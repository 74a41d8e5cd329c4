"""Clauses by the topology of the German sentence, and whether what a clause says is a result, a plan or a denial.

A comma, semicolon, dash or bracket ends a clause; `und` does where a verb stands on both sides. A main clause that a
relative clause interrupts is joined again. Scope of a trigger: its clause, and for `Ziel`, `gelingt nicht` … the
infinitive or `dass` clause that follows. After ConText (Harkema et al. 2009, doi 10.1016/j.jbi.2009.05.002), with the
clause in place of its window of words.

Below: `pipeline.nlp.cues`, `pipeline.nlp.words`. Above: `pipeline.nlp.impact`, `pipeline.nlp.practice`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.nlp.lemmas import Words
from pipeline.nlp.words import is_participle, is_past, is_verb

if TYPE_CHECKING:
    from spacy.tokens import Doc

Status = Literal["result", "planned", "negated", "other"]

_MARKS = frozenset(",;:()–—/\n")
_COORDINATORS = frozenset({"und", "oder", "aber", "sondern", "doch", "and", "but"})
_RELATIVES = frozenset(
    {"der", "die", "das", "den", "dem", "deren", "dessen", "denen", "welche", "welcher", "welches", "wo", "wobei"}
)
_SUBORDINATORS = frozenset(
    {
        "dass",
        "weil",
        "da",
        "damit",
        "um",
        "ob",
        "wenn",
        "falls",
        "obwohl",
        "nachdem",
        "bevor",
        "sodass",
        "indem",
        "ohne",
        "statt",
        "anstatt",
        "während",
        "als",
        "bis",
        "seit",
        "wie",
        "wo",
        "was",
        "wer",
        "sofern",
        "solange",
        "so",
    }
)
_QUESTIONS = frozenset({"ob", "inwieweit", "inwiefern", "whether"})
_FUTURE = frozenset({"wird", "werden", "will"})


@dataclass(slots=True)
class Clause:
    """A clause: its token spans (two where a relative clause interrupts it) and what its words say about it."""

    spans: list[tuple[int, int]]
    sentence: int
    first: str = ""
    past: bool = False
    verbs: int = 0
    infinitive: bool = False
    status: Status = "result"


def find_clauses(doc: "Doc") -> "Doc":
    """Component `checkup_clauses`: sets `doc._.clauses` (in text order) and `doc._.clause_of` (index per token)."""
    clauses: list[Clause] = []
    words: Words = doc._.words
    forms, lemmas = words.forms, words.lemmas
    verbs = [
        not text[0].isupper() and is_verb(form, lemma)
        for text, form, lemma in zip(words.texts, forms, lemmas, strict=True)
    ]
    for number, (start, end) in enumerate(doc._.sentences):
        pieces = _pieces(forms, verbs, start, end)
        clauses.extend(_joined(pieces, forms, verbs, number))
    owner = [0] * len(forms)
    for index, clause in enumerate(clauses):
        for start, end in clause.spans:
            owner[start:end] = [index] * (end - start)
    doc._.clauses, doc._.clause_of = clauses, owner
    for clause in clauses:
        _describe(clause, forms, lemmas, verbs)
    _judge(doc, clauses, owner)
    return doc


def _pieces(forms: list[str], verbs: list[bool], start: int, end: int) -> list[tuple[int, int]]:
    cuts = [start]
    for at in range(start, end):
        mark = forms[at] in _MARKS
        joins = forms[at] in _COORDINATORS and any(verbs[cuts[-1] : at]) and _verb_ahead(forms, verbs, at + 1, end)
        if (mark or joins) and at > cuts[-1]:
            cuts.append(at + mark)
    spans = list(zip(cuts, [*cuts[1:], end], strict=True))
    return [(first, last) for first, last in spans if last > first]


def _verb_ahead(forms: list[str], verbs: list[bool], start: int, end: int) -> bool:
    """Whether a verb stands between a coordinator and the next mark."""
    for at in range(start, end):
        if forms[at] in _MARKS:
            return False
        if verbs[at]:
            return True
    return False


def _joined(pieces: list[tuple[int, int]], forms: list[str], verbs: list[bool], sentence: int) -> list[Clause]:
    """Clauses of a sentence; the parts of a main clause around a relative clause become one, lists stay together."""
    clauses: list[Clause] = []
    for start, end in pieces:
        own_verb = any(verbs[start:end])
        if clauses and _continues_main(clauses, forms, verbs, start):
            clauses[-2].spans.append((start, end))
        elif (clauses and not own_verb and forms[start] not in _SUBORDINATORS) or (
            clauses and not clauses[-1].verbs and forms[start] not in _RELATIVES | _SUBORDINATORS
        ):
            clauses[-1].spans.append((start, end))
        else:
            clauses.append(Clause([(start, end)], sentence, forms[start]))
        clauses[-1].verbs = sum(sum(verbs[first:last]) for first, last in clauses[-1].spans)
    return clauses


def _continues_main(clauses: list[Clause], forms: list[str], verbs: list[bool], start: int) -> bool:
    """Whether a piece goes on with the main clause before the relative clause: it begins with the finite verb."""
    if len(clauses) < 2 or clauses[-2].sentence != clauses[-1].sentence:
        return False
    return clauses[-1].first in _RELATIVES and verbs[start] and not clauses[-2].verbs


def _describe(clause: Clause, forms: list[str], lemmas: list[str], verbs: list[bool]) -> None:
    positions = [at for start, end in clause.spans for at in range(start, end)]
    clause.verbs = sum(verbs[at] for at in positions)
    clause.past = any(verbs[at] and is_past(forms[at], lemmas[at]) for at in positions) or any(
        verbs[at] and is_participle(forms[at], lemmas[at]) for at in positions
    )
    clause.infinitive = any(
        forms[at] == "zu" and at + 1 in positions and verbs[at + 1] and forms[at + 1] == lemmas[at + 1]
        for at in positions
    ) or any("zu" in forms[at][2:-3] and verbs[at] and lemmas[at] == forms[at].replace("zu", "", 1) for at in positions)


def _judge(doc: "Doc", clauses: list[Clause], owner: list[int]) -> None:
    """Sets the status of every clause from the triggers of `rules/status.yaml`."""
    labels: list[set[str]] = [set() for _ in clauses]
    spared: set[int] = set()
    for cue in doc._.cues:
        if cue.table == "status":
            labels[owner[cue.start]].add(cue.label)
            if cue.label == "not_negated":
                spared.update(range(cue.start, cue.end))
    for cue in doc._.cues:
        if cue.table == "status" and cue.label == "negated" and cue.start not in spared:
            labels[owner[cue.start]].add("denied")
    for index, clause in enumerate(clauses):
        before = labels[index - 1] if index and clauses[index - 1].sentence == clause.sentence else set()
        after = (
            labels[index + 1] if index + 1 < len(clauses) and clauses[index + 1].sentence == clause.sentence else set()
        )
        clause.status = _status(doc, clause, labels[index], before, after)


def _status(doc: "Doc", clause: Clause, own: set[str], before: set[str], after: set[str]) -> Status:
    open_question = clause.first in _QUESTIONS or (clause.first == "wie" and "failed" in after)
    if "denied" in own or open_question or ("failed" in before and (clause.infinitive or clause.first == "dass")):
        return "negated"
    purpose = clause.infinitive and (clause.first == "um" or "goal" in before or "goal" in own)
    if "planned" in own or purpose or clause.first == "damit" or _is_future(doc, clause):
        return "planned"
    if clause.infinitive and "planned" in before:
        return "planned"
    return "other" if "other" in own or "other" in before else "result"


def _is_future(doc: "Doc", clause: Clause) -> bool:
    """`wird … beginnen`: a form of werden, no participle, an infinitive at the end."""
    words: Words = doc._.words
    start, end = clause.spans[0][0], clause.spans[-1][1]
    spoken = [at for at in range(start, end) if words.texts[at][0].isalnum()]
    if not spoken or not any(words.forms[at] in _FUTURE for at in spoken):
        return False
    form, lemma = words.forms[spoken[-1]], words.lemmas[spoken[-1]]
    infinitive = form == lemma and form.endswith(("en", "ern", "eln")) and form not in _FUTURE
    return infinitive and not is_participle(form, lemma)
