"""Practical experience: lessons by kind, awards won, transfer to or from another place, continuation.

Below: `pipeline.nlp.judge`, `pipeline.nlp.claim_rules`, `pipeline.nlp.clauses`. Above: `pipeline.nlp.readings`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.corpus_files import CONTINUATIONS, LESSONS, STATUSES, Status
from pipeline.nlp.claim_rules import cues_by_clause, tells_of_an_award
from pipeline.nlp.clauses import Clause
from pipeline.nlp.judge import judge_lessons
from pipeline.nlp.lemmas import Words
from pipeline.nlp.marks import Marks, log_odds, mixed, weighed
from pipeline.nlp.numerals import is_year
from pipeline.nlp.sentences import sentence_of
from pipeline.nlp.words import is_participle, is_past

if TYPE_CHECKING:
    from spacy.tokens import Doc

_DONE: frozenset[Status] = frozenset({"result", "other"})
"""Of clauses that tell of a transfer; elsewhere (`in anderen Städten`) is where it went or came from."""
_CONTINUATIONS: Mapping[str, tuple[str, frozenset[Status]]] = {
    "permanent": ("permanent", frozenset({"result"})),
    "open_end": ("unknown", _DONE | {"negated", "planned"}),
    "ended": ("ended", _DONE | {"negated"}),
    "running": ("running", _DONE | {"planned"}),
}
"""By label, in the order in which they count: the status told, and of which clauses: `soll verstetigt werden` lasts not
yet, `wird nicht verlängert` ends, `läuft nicht weiter` does not run."""
_MOST_LESSONS = 6
_LIKELY = 0.28
_LIKELY_READ = 0.4
"""From this chance a clause tells a lesson, by the linear model alone and with the reader of spans (found on texts that
the reader has not learned from)."""
_TRUST = {"award": 0.5, "transfer": 0.5}
_RELATIVES = frozenset({"wer", "dem", "denen", "den", "der", "die", "das", "deren"})
_TO_YEAR = 3
"""Words that may stand between `seit` and the year: `seit Anfang Mai 2016`."""
_PRIZES = ("preis", "award", "wettbewerb", "medaille", "auszeichnung")
"""What names of prizes end in."""
_SURE = {"award": 0.4, "transfer": 0.4, "continuation": 0.15}
"""Shares of the rules beside the reader of spans (of continuations see below), and from which chance a clause tells of
it."""
_THINKABLE = {"award": 0.0, "transfer": 0.001}
"""What the reader of spans holds for less likely is not told, though the rules see it (found on 906 texts that it has
not learned from; of awards it brought nothing)."""
_CONTINUATION_WEIGHTS = {
    "reader": 0.8, "ruled": 2.4, "since": 3.0, "planned": -0.6, "negated": 0.2, "bias": -1.0,
}  # fmt: skip
"""Of the reader's log odds that a clause tells of a continuation, of the rules' choice, of the chances that the clause
tells of a plan or denies, and of a present that has lasted since some time: a logistic regression, as that of lessons
in `pipeline.nlp.judge`."""
_SINCE = frozenset({"seither", "seitdem"})
_SUBJECTS = frozenset(
    {"sie", "er", "es", "die", "der", "das", "wir", "ihr", "ich", "ein", "eine", "man", "dort", "oben", "in", "im"}
)
"""After `seit` at the beginning they open a clause of time: `seit sie da ist`."""
_OF_OTHERS = frozenset({"leben", "wohnen", "hausen", "liegen", "steigen", "sinken", "zunehmen"})
"""What people, houses and numbers do since some time, not a project."""
_PERFECT = frozenset({"hat", "haben", "habe", "ist", "sind", "sei", "seien", "worden"})


@dataclass(frozen=True, slots=True)
class Practice:
    """One finding: its kind, the token span that carries it, and for a continuation the year it was true."""

    kind: str
    start: int
    end: int
    as_of: str | None = None


def find_practice(doc: "Doc") -> "Doc":
    """Component `checkup_practice`: sets `doc._.lessons`, `doc._.awards`, `doc._.transfers`, `doc._.continuation`."""
    labels = cues_by_clause(doc, "practice")
    doc._.awards = _told(doc, "award", _awards(doc, labels))
    doc._.transfers = _told(doc, "transfer", _transfers(doc, labels))
    doc._.lessons = _with_transfers(doc, _lessons(doc), [*doc._.transfers, *_copyable(doc, labels)])
    if doc._.marks is None:
        doc._.continuation = _ruled_continuation(doc, labels)
    else:
        doc._.continuation = _went_on(doc, doc._.marks, _continuation(doc, labels))
    return doc


def _told(doc: "Doc", name: str, ruled: list[Practice]) -> list[Practice]:
    """The clauses that tell of an award or a transfer, by the rules and the reader of spans."""
    marks: Marks | None = doc._.marks
    if marks is None:
        return ruled
    clauses: list[Clause] = doc._.clauses
    places = {found.start for found in ruled}
    verdict = np.asarray([[0.0, clause.spans[0][0] in places] for clause in clauses], np.float32)
    likely = mixed(verdict, marks, name, _TRUST[name])[:, 1]
    likely[marks.seen & (marks.of(name)[:, 1] < _THINKABLE[name])] = 0
    return [
        Practice(name, *_span(clause))
        for clause, chance in zip(clauses, likely, strict=True)
        if chance >= _SURE[name]
        and (clause.spans[0][0] >= doc._.title_tokens or (name == "award" and clause.spans[0][0] in places))
        and (clause.verbs or clause.spans[0][0] in places)
    ]


def _went_on(doc: "Doc", marks: Marks, ruled: Practice | None) -> Practice | None:
    """What the clauses say of how the project went on, by the rules and the reader of spans."""
    clauses: list[Clause] = doc._.clauses
    verdict = np.zeros((len(clauses), len(CONTINUATIONS)), np.float32)
    for clause, row in zip(clauses, verdict, strict=True):
        if ruled and clause.spans[0][0] == ruled.start:
            row[CONTINUATIONS.index(ruled.kind)] = 1.0
    since = np.zeros_like(verdict)
    since[:, CONTINUATIONS.index("running")] = [_lasts_since(doc, clause) for clause in clauses]
    told = {
        "reader": log_odds(marks.of("continuation")[:, 1:]),
        "ruled": verdict,
        "since": since,
        **{name: marks.of("status")[:, STATUSES.index(name)][:, None] for name in ("planned", "negated")},
    }
    likely = np.where(marks.seen[:, None], weighed(told, _CONTINUATION_WEIGHTS, doc.lang_), verdict)
    title_end: int = doc._.title_tokens
    for clause, row, ruling in zip(clauses, likely, verdict, strict=True):
        if clause.spans[0][0] < title_end or not (clause.verbs or ruling.any()):
            row[:] = 0.0
    at, kind = divmod(int(likely.argmax()), len(CONTINUATIONS))
    if likely[at, kind] < _SURE["continuation"]:
        return None
    start, end = _span(clauses[at])
    return Practice(CONTINUATIONS[kind], start, end, _year(doc, start, CONTINUATIONS[kind]))


def _lessons(doc: "Doc") -> list[Practice]:
    """The clauses that most likely tell a lesson, in text order; titles tell none, nor do plans that nobody read."""
    clauses: list[Clause] = doc._.clauses
    if not clauses:
        return []
    chances, kinds = judge_lessons(doc)
    marks: Marks | None = doc._.marks
    read = np.zeros(len(clauses), np.bool_) if marks is None else marks.seen
    title_end: int = doc._.title_tokens
    found = [
        index
        for index, clause in enumerate(clauses)
        if chances[index] >= (_LIKELY_READ if read[index] else _LIKELY)
        and (read[index] or clause.status != "planned")
        and clause.spans[0][0] >= title_end
    ]
    runs: list[list[int]] = []
    for index in found:
        if runs and _tell_together(clauses, kinds, runs[-1][-1], index):
            runs[-1].append(index)
        else:
            runs.append([index])
    surest = sorted(runs, key=lambda run: -max(chances[run]))[:_MOST_LESSONS]
    return [_lesson(LESSONS[kinds[run[0]]], [clauses[index] for index in run]) for run in sorted(surest)]


def _with_transfers(doc: "Doc", lessons: Sequence[Practice], transfers: Sequence[Practice]) -> list[Practice]:
    """Lessons in text order, with the transfers that no lesson covers: a transfer is a lesson, but not in a title.

    They are not counted among the `_MOST_LESSONS`.
    """
    told = list(lessons)
    for found in transfers:
        covered = any(found.start < lesson.end and lesson.start < found.end for lesson in told)
        if found.start >= doc._.title_tokens and not covered:
            told.append(found)
    return sorted(told, key=lambda found: found.start)


def _copyable(doc: "Doc", labels: Mapping[int, set[str]]) -> list[Practice]:
    """The clauses that offer or recommend the concept to others: `Ein Handbuch zum Nachbauen liegt vor`."""
    clauses: list[Clause] = doc._.clauses
    return [
        Practice("transfer", *_span(clauses[index]))
        for index in sorted(labels)
        if "copyable" in labels[index] and clauses[index].status != "negated"
    ]


def _tell_together(clauses: Sequence[Clause], kinds: NDArray[np.intp], before: int, index: int) -> bool:
    """Whether two clauses tell one lesson: neighbours of one sentence and kind (`Schwierig war, dass …`)."""
    return index == before + 1 and clauses[index].sentence == clauses[before].sentence and kinds[index] == kinds[before]


def _lesson(kind: str, clauses: Sequence[Clause]) -> Practice:
    spans = [_span(clause) for clause in clauses]
    return Practice(kind, min(start for start, _ in spans), max(end for _, end in spans))


def _span(clause: Clause) -> tuple[int, int]:
    return clause.spans[0][0], clause.spans[-1][1]


def _awards(doc: "Doc", labels: Mapping[int, set[str]]) -> list[Practice]:
    """The clauses that say that a prize was won; those of the text that only name one where no other says so."""
    clauses: list[Clause] = doc._.clauses
    found = [
        index
        for index in sorted(labels)
        if tells_of_an_award(labels[index])
        and clauses[index].status == "result"
        and not _is_custom(doc, clauses[index])
    ]
    won = [index for index in found if "award_verb" in labels[index]]
    named = [index for index in found if clauses[index].spans[0][0] >= doc._.title_tokens]
    return [Practice("award", *_span(clauses[index])) for index in _each_once(doc, won) or named]


def _each_once(doc: "Doc", won: Sequence[int]) -> list[int]:
    """Of clauses about one prize the first of the text, else that of the title; one that names none where none does."""
    prizes: dict[str, int] = {}
    for index in sorted(won, key=lambda index: doc._.clauses[index].spans[0][0] < doc._.title_tokens):
        start, end = _span(doc._.clauses[index])
        lemmas = doc._.words.lemmas[start:end]
        prizes.setdefault(
            next((lemma for lemma in lemmas if lemma.endswith(_PRIZES) and lemma not in _PRIZES), ""), index
        )
    if len(prizes) > 1:
        prizes.pop("", None)
    return sorted(prizes.values())


def _is_custom(doc: "Doc", clause: Clause) -> bool:
    """`ein Preis, mit dem Vereine ausgezeichnet werden`: what a prize is for, said in a relative clause."""
    start, end = _span(clause)
    forms: list[str] = doc._.words.forms
    relative = not _RELATIVES.isdisjoint(forms[start : start + 2])
    return relative and not clause.spans[1:] and any(form in {"wird", "werden"} for form in forms[end - 3 : end])


def _transfers(doc: "Doc", labels: Mapping[int, set[str]]) -> list[Practice]:
    """The clauses that say that another place took the concept over, or that it came from one.

    Only where the rules see it and the clause says that it is done: the judge's lesson of that kind may also tell of a
    transfer that others should make.
    """
    clauses: list[Clause] = doc._.clauses
    return [
        Practice("transfer", *_span(clauses[index]))
        for index in sorted(labels)
        if not labels[index].isdisjoint(("adopted", "transfer"))
        and "adopted_not" not in labels[index]
        and clauses[index].status in _DONE
        and not clauses[index].infinitive
    ]


def _continuation(doc: "Doc", labels: Mapping[int, set[str]]) -> Practice | None:
    """The last clause that says how the project went on; a lasting one before others.

    `permanent_not` and `running_not` name what looks alike: a request, a waiting list that grows longer.
    """
    clauses: list[Clause] = doc._.clauses
    for label, (status, told_of) in _CONTINUATIONS.items():
        found = [
            index
            for index in sorted(labels)
            if label in labels[index]
            and f"{label}_not" not in labels[index]
            and clauses[index].status in told_of
            and not (label == "permanent" and clauses[index].infinitive)
            and not (label == "ended" and clauses[index].first == "ob")
        ]
        if found:
            start, end = _span(clauses[found[-1]])
            return Practice(status, start, end, _year(doc, start, status))
    return None


def _ruled_continuation(doc: "Doc", labels: Mapping[int, set[str]]) -> Practice | None:
    """The continuation by the rules alone: what the cues say, else a present that has lasted since some time."""
    lasting = [clause for clause in doc._.clauses if clause.status in _DONE and _lasts_since(doc, clause)]
    found = _continuation(doc, labels)
    if found or not lasting:
        return found
    start, end = _span(lasting[-1])
    return Practice("running", start, end, _year(doc, start, "running"))


def _lasts_since(doc: "Doc", clause: Clause) -> bool:
    """Whether a clause tells in the present of what has gone on since some time: `Seit 2010 berät der Verein …`."""
    words: Words = doc._.words
    places = [at for start, end in clause.spans for at in range(start, end)]
    forms = [words.forms[at] for at in places]
    if doc.lang_ == "en":
        return _lasts_since_in_english(forms, clause)
    opens_a_clause = forms[0] == "seit" and forms[1:2] and forms[1] in _SUBJECTS
    if _SINCE.isdisjoint(forms) and forms.count("seit") <= bool(opens_a_clause):
        return False
    lemmas = [words.lemmas[at] for at in places]
    if not clause.verbs or not _OF_OTHERS.isdisjoint(lemmas) or any(map(is_past, forms, lemmas)):
        return False
    return _PERFECT.isdisjoint(forms) or not any(map(is_participle, forms, lemmas))


def _lasts_since_in_english(forms: Sequence[str], clause: Clause) -> bool:
    """`Since 2010 the club has taught …`, not `since they came` or `since it is full`: a time follows, and no past."""
    dated = any(
        form == "since" and any(word == "then" or word[0].isdigit() for word in forms[at + 1 : at + 1 + _TO_YEAR])
        for at, form in enumerate(forms)
    )
    return dated and clause.verbs > 0 and (not clause.past or not {"has", "have"}.isdisjoint(forms))


def _year(doc: "Doc", at: int, kind: str) -> str | None:
    """The last year named in the sentence; not one since when it runs, which says nothing of how long: `seit 2016`."""
    start, end = sentence_of(doc, at)
    words: Words = doc._.words
    years = [
        year
        for place, text in enumerate(words.texts[start:end], start)
        if is_year(year := text.removesuffix("."))
        and not (kind == "running" and "seit" in words.forms[max(start, place - _TO_YEAR) : place])
    ]
    return years[-1] if years else None
