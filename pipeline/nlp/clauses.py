"""Clauses by the topology of the sentence, and whether what a clause says is a result, a plan or a denial.

A comma, semicolon, dash or bracket ends a clause; `und` does where a verb stands on both sides, and so does in
English, where no comma need stand, a word that opens a clause (`because`, `who`). A main clause that a
relative clause interrupts is joined again. Scope of a trigger: its clause, and for `Ziel`, `gelingt nicht` … the
infinitive or `dass` clause that follows; a coordinated verb at the end shares the plan before it. What is told of
elsewhere stays so where it is denied, too. After ConText (Harkema et al. 2009, doi 10.1016/j.jbi.2009.05.002), with
the clause in place of its window of words.

Below: `pipeline.nlp.cues`, `pipeline.nlp.words`. Above: `pipeline.nlp.impact`, `pipeline.nlp.practice`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.corpus_files import Status
from pipeline.nlp.deadline import check_time
from pipeline.nlp.english_verbs import english_verbs, is_english_past, is_infinitive, opens_clause
from pipeline.nlp.lemmas import Words
from pipeline.nlp.rules import word_set
from pipeline.nlp.words import is_helping, is_participle, is_past, is_verb

if TYPE_CHECKING:
    from spacy.tokens import Doc


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
_THAT = frozenset({"dass", "that"})
_FUTURE = frozenset({"wird", "werden", "will"})
_AND = frozenset({"und", "oder"})
_ELSEWHERE = frozenset({"landesweit", "bundesweit", "deutschlandweit", "andernorts", "anderswo"})
_ARMS = frozenset({"kontrollgruppe", "vergleichsgruppe", "wartegruppe", "wartekontrollgruppe", "wartelistengruppe"})
_ASIDE = frozenset({"beim", "bei", "im", "in", "am", "an", "auf", "für", "mit", "nicht"})
_SPARES = {"not_negated": "negated", "not_planned": "planned", "not_elsewhere": "elsewhere"}
_REACH = 80
"""Words: so far is looked for the end of what a coordinator opens."""
_ARM_WORDS = 4
"""An arm of a study is what a clause is about where it stands among this many of its first words."""


@dataclass(frozen=True, slots=True)
class _Grammar:
    """What opens clauses in a language."""

    english: bool
    relatives: frozenset[str]
    subordinators: frozenset[str]

    def opens(self, forms: list[str], at: int, words: frozenset[str]) -> bool:
        """Whether one of some words stands at a position, or in English `in order to`."""
        return forms[at] in words or (self.english and forms[at : at + 2] == ["in", "order"])


def _grammar(language: str) -> _Grammar:
    if language == "en":
        return _Grammar(True, word_set("english", "relatives"), word_set("english", "subordinators"))
    return _Grammar(False, _RELATIVES, _SUBORDINATORS)


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
    ruled: Status = "result"
    """The status by the rules alone."""


def find_clauses(doc: "Doc") -> "Doc":
    """Component `checkup_clauses`: sets `doc._.clauses` (in text order) and `doc._.clause_of` (index per token)."""
    clauses: list[Clause] = []
    words: Words = doc._.words
    forms, lemmas = words.forms, words.lemmas
    verbs = _verbs(words, doc.lang_)
    grammar = _grammar(doc.lang_)
    for number, (start, end) in enumerate(doc._.sentences):
        check_time()
        frame = _Frame(words, verbs, grammar)
        clauses.extend(_joined(_pieces(frame, start, end), frame, number))
    owner = [0] * len(forms)
    for index, clause in enumerate(clauses):
        for start, end in clause.spans:
            owner[start:end] = [index] * (end - start)
    doc._.clauses, doc._.clause_of = clauses, owner
    for clause in clauses:
        _describe(clause, forms, lemmas, verbs, grammar)
    _judge(doc, clauses, owner, verbs)
    return doc


def _verbs(words: Words, language: str) -> list[bool]:
    if language == "en":
        return english_verbs(words.forms, words.lemmas)
    return [
        not text[0].isupper() and is_verb(form, lemma)
        for text, form, lemma in zip(words.texts, words.forms, words.lemmas, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The words of a text, which of them are verbs, and the grammar by which its sentences are cut."""

    words: Words
    verbs: list[bool]
    grammar: _Grammar

    def is_open(self, start: int, end: int) -> bool:
        """Whether what closes its verb is still to come: `sollen 200 Menschen Arbeit`, `hat die Hälfte einen Platz`."""
        last = next((at for at in range(end - 1, start - 1, -1) if self.verbs[at]), None)
        return not self.grammar.english and last is not None and is_helping(self.words.forms[last])

    def closes(self, start: int, end: int) -> bool:
        """Whether all verbs are ones that close another's: `in Ausbildung vermittelt werden`, no finite one."""
        said = [at for at in range(start, end) if self.verbs[at]]
        return bool(said) and all(
            self._is_nonfinite(at) or (place > 0 and is_helping(self.words.forms[at])) for place, at in enumerate(said)
        )

    def _is_nonfinite(self, at: int) -> bool:
        form, lemma = self.words.forms[at], self.words.lemmas[at]
        return is_participle(form, lemma) or (form == lemma and not is_helping(form))

    def next_mark(self, start: int, end: int) -> int:
        """The next comma or the like, or the end; no further than a clause reaches."""
        last = min(end, start + _REACH)
        return next((at for at in range(start, last) if self.words.forms[at] in _MARKS), last)


def _pieces(frame: _Frame, start: int, end: int) -> list[tuple[int, int]]:
    forms, verbs, grammar = frame.words.forms, frame.verbs, frame.grammar
    cuts = [start]
    for at in range(start, end):
        mark = forms[at] in _MARKS
        opens = forms[at] in _COORDINATORS or (grammar.english and opens_clause(forms, verbs, at))
        joins = opens and any(verbs[cuts[-1] : at]) and not _is_one_part(frame, cuts[-1], at, end)
        if (mark or joins) and at > cuts[-1]:
            cuts.append(at + mark)
    spans = list(zip(cuts, [*cuts[1:], end], strict=True))
    return [(first, last) for first, last in spans if last > first]


def _is_one_part(frame: _Frame, start: int, at: int, end: int) -> bool:
    """Whether a coordinator joins words, not clauses.

    No verb follows it, half a word stands before it (`Ausbildungs- oder Arbeitsplatz`), or what follows only closes the
    verb before it: `… sollen in Arbeit oder Ausbildung vermittelt werden`.
    """
    last = frame.next_mark(at + 1, end)
    if not any(frame.verbs[at + 1 : last]) or (at > start and frame.words.texts[at - 1].endswith("-")):
        return True
    return frame.is_open(start, at) and frame.closes(at + 1, last)


def _joined(pieces: list[tuple[int, int]], frame: _Frame, sentence: int) -> list[Clause]:
    """Clauses of a sentence; the parts of a main clause around a relative clause become one, lists stay together."""
    clauses: list[Clause] = []
    forms, verbs, grammar = frame.words.forms, frame.verbs, frame.grammar
    for start, end in pieces:
        own_verbs = sum(verbs[start:end])
        if clauses and _continues_main(clauses, frame, start, end):
            clauses[-2].spans.append((start, end))
            clauses[-2].verbs += own_verbs
        elif clauses and _closes_last(clauses[-1], frame, start, end):
            clauses[-1].spans.append((start, end))
            clauses[-1].verbs += own_verbs
        elif clauses and not own_verbs and _is_contrast(forms, start, end):
            clauses.append(Clause([(start, end)], sentence, forms[start]))
        elif (clauses and not own_verbs and not grammar.opens(forms, start, grammar.subordinators)) or (
            clauses
            and not clauses[-1].verbs
            and not grammar.opens(forms, start, grammar.relatives | grammar.subordinators)
        ):
            clauses[-1].spans.append((start, end))
            clauses[-1].verbs += own_verbs
        else:
            clauses.append(Clause([(start, end)], sentence, forms[start], verbs=own_verbs))
    return clauses


def _is_contrast(forms: list[str], start: int, end: int) -> bool:
    """Whether a piece without a verb tells of others: `in der Kontrollgruppe 38 Prozent`, `landesweit 16 Prozent`."""
    opening = forms[start] in {"in", "bei"} and not _ARMS.isdisjoint(forms[start : start + _ARM_WORDS])
    return (opening or forms[start] in _ELSEWHERE) and end - start > 2


def _continues_main(clauses: list[Clause], frame: _Frame, start: int, end: int) -> bool:
    """Whether a piece goes on with the main clause before the relative clause.

    It begins with the finite verb that the main clause lacks, or closes the one that it has: `konnten 117 Menschen, die
    …, in Arbeit vermittelt werden`.
    """
    if len(clauses) < 2 or clauses[-2].sentence != clauses[-1].sentence:
        return False
    if clauses[-1].first not in frame.grammar.relatives:
        return False
    if not clauses[-2].verbs:
        return frame.verbs[start]
    return frame.closes(start, end) and frame.is_open(*clauses[-2].spans[-1])


def _closes_last(clause: Clause, frame: _Frame, start: int, end: int) -> bool:
    """Whether a piece closes the verb of the clause before it, after a list or a bracket.

    `wird vom Bundesministerium für Familie, Frauen und Jugend (BMFSFJ) gefördert`.
    """
    forms, grammar = frame.words.forms, frame.grammar
    if forms[start] in _COORDINATORS or grammar.opens(forms, start, grammar.relatives | grammar.subordinators):
        return False
    if forms[start + 1 : start + 2] and forms[start + 1] in grammar.relatives and frame.is_open(start, end):
        return False  # `ein Preis, mit dem Vereine ausgezeichnet werden`
    return frame.closes(start, end) and frame.is_open(clause.spans[0][0], clause.spans[-1][1])


def _describe(clause: Clause, forms: list[str], lemmas: list[str], verbs: list[bool], grammar: _Grammar) -> None:
    positions = [at for start, end in clause.spans for at in range(start, end)]
    spoken = [at for at in positions if verbs[at]]
    clause.verbs = len(spoken)
    if grammar.english:
        clause.past = any(is_english_past(forms[at], lemmas[at]) for at in spoken)
        clause.infinitive = any(is_infinitive(forms, lemmas, at) for at in positions)
        return
    inside = frozenset(positions)
    clause.past = any(is_past(forms[at], lemmas[at]) or is_participle(forms[at], lemmas[at]) for at in spoken)
    clause.infinitive = any(
        (at - 1 in inside and forms[at - 1] == "zu" and forms[at] == lemmas[at])
        or ("zu" in forms[at][2:-3] and lemmas[at] == forms[at].replace("zu", "", 1))
        for at in spoken
    )


def _judge(doc: "Doc", clauses: list[Clause], owner: list[int], verbs: list[bool]) -> None:
    """Sets the status of every clause from the triggers of `rules/status.yaml`."""
    labels = _labels(doc, clauses, owner, verbs)
    nothing: set[str] = set()
    for index, clause in enumerate(clauses):
        before = labels[index - 1] if index and clauses[index - 1].sentence == clause.sentence else nothing
        follows = index + 1 < len(clauses) and clauses[index + 1].sentence == clause.sentence
        after = labels[index + 1] if follows else nothing
        if follows and len(clause.spans) > 1 and clauses[index + 1].spans[0][0] < clause.spans[-1][0]:
            labels[index] |= after & {"elsewhere", "other"}
        clause.status = _status(doc, clause, labels[index], before, after)
        if clause.status == "result" and _hangs_on_plan(doc, clauses, index):
            clause.status = "planned"
        clause.ruled = clause.status


def _labels(doc: "Doc", clauses: list[Clause], owner: list[int], verbs: list[bool]) -> list[set[str]]:
    """The triggers of every clause, those left out that a longer phrase takes back."""
    cues = [cue for cue in doc._.cues if cue.table == "status"]
    spared = {
        (label, at) for cue in cues if (label := _SPARES.get(cue.label)) for at in range(cue.start, cue.end)
    }  # fmt: skip
    labels: list[set[str]] = [set() for _ in clauses]
    forms: list[str] = doc._.words.forms
    for cue in cues:
        clause = clauses[owner[cue.start]]
        if (cue.label, cue.start) in spared:
            continue
        if cue.label == "arm" and cue.start - clause.spans[0][0] >= _ARM_WORDS:
            continue
        if cue.label in {"negated", "elsewhere"} and _is_afterthought(forms, clause, cue.start, verbs):
            continue
        if cue.label == "negated" and _denies_attribute(doc._.words, cue.start):
            continue
        labels[owner[cue.start]].add("denied" if cue.label == "negated" else cue.label)
    return labels


def _denies_attribute(words: Words, at: int) -> bool:
    """Whether `nicht` stands before a participle that is an attribute: `die Bildung nicht gebundener Reste`."""
    if words.forms[at] != "nicht" or at + 2 >= len(words.forms) or not words.texts[at + 2][0].isupper():
        return False
    form = words.forms[at + 1]
    stem = next((form.removesuffix(end) for end in ("em", "en", "er", "es", "e") if form.endswith(end)), "")
    return "ge" in stem[:6] and stem.endswith(("t", "en"))


def _is_afterthought(forms: list[str], clause: Clause, at: int, verbs: list[bool]) -> bool:
    """Whether a word stands in a piece without a verb that follows one with a verb: `…, beim Schreiben kaum`."""
    said = False
    for start, end in clause.spans:
        own = any(verbs[start:end])
        if start <= at < end:
            return said and not own and (forms[start] in _ASIDE or forms[start][0].isdigit())
        said = said or own
    return False


def _status(doc: "Doc", clause: Clause, own: set[str], before: set[str], after: set[str]) -> Status:
    if "elsewhere" in own or ("elsewhere" in before and clause.first == "wo"):
        return "other"
    if _is_negated(clause, own, before, after):
        return "negated"
    if _is_planned(doc, clause, own, before):
        return "planned"
    return "other" if own & {"other", "arm"} or before & {"other", "elsewhere"} else "result"


def _is_negated(clause: Clause, own: set[str], before: set[str], after: set[str]) -> bool:
    open_question = clause.first in _QUESTIONS or (clause.first == "wie" and "failed" in after)
    missed = clause.infinitive and "goal" in before and "failed" in after
    failed = "failed" in before and (clause.infinitive or clause.first in _THAT)
    return open_question or missed or failed or "same" in own or ("denied" in own) != ("dropped" in own)


def _is_planned(doc: "Doc", clause: Clause, own: set[str], before: set[str]) -> bool:
    purpose = clause.infinitive and (clause.first in {"um", "to"} or "goal" in before or "goal" in own)
    wished = (clause.infinitive and "planned" in before) or (
        clause.first in _THAT and bool(before & {"planned", "wish"})
    )
    return "planned" in own or purpose or wished or clause.first == "damit" or _is_future(doc, clause)


def _hangs_on_plan(doc: "Doc", clauses: list[Clause], index: int) -> bool:
    """A verb at the end, after `und` or `so hofft sie`: `… sollen lernen und ihre Kinder begleiten`."""
    clause = clauses[index]
    back = 1 if clause.first in _AND else 2
    if index < back or clause.past or clause.verbs != 1 or not _ends_in_infinitive(doc, clause):
        return False
    if back == 2 and clauses[index - 1].first != "so":
        return False
    return clauses[index - back].sentence == clause.sentence and clauses[index - back].status == "planned"


def _ends_in_infinitive(doc: "Doc", clause: Clause) -> bool:
    words: Words = doc._.words
    start, end = clause.spans[0][0], clause.spans[-1][1]
    last = next((at for at in range(end - 1, start - 1, -1) if words.texts[at][0].isalnum()), start)
    form, lemma = words.forms[last], words.lemmas[last]
    infinitive = form == lemma and form.endswith(("en", "ern", "eln")) and form not in _FUTURE
    return infinitive and words.texts[last][0].islower() and not is_participle(form, lemma)


def _is_future(doc: "Doc", clause: Clause) -> bool:
    """`wird … beginnen`: a form of werden, no participle, an infinitive at the end."""
    forms: list[str] = doc._.words.forms
    said = not _FUTURE.isdisjoint(forms[clause.spans[0][0] : clause.spans[-1][1]])
    return said and _ends_in_infinitive(doc, clause)
