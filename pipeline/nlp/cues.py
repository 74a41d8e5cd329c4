"""Finding what rule files list: word patterns over lemmas and forms, all of them in one pass over a text.

A pattern is a row of words: `sprachkurs`, `-kurs` (any word ending so), `sprach-`, `-lehr-`, `job|stelle|arbeit`.
`~3` lets up to three other words stand between its neighbours; `wort?` may be missing; `=Form` takes the written form
only, lower case. A word meets its pattern by its lemma or its form, both in lower case (`pipeline.nlp.lemmas`).

Below: `pipeline.nlp.rules`. Above: the components that read labels, impact and practice.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from data.errors import CheckupError
from pipeline.nlp.deadline import check_time
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.lemmas import lemma
from pipeline.nlp.rules import load_rules

if TYPE_CHECKING:
    from spacy.tokens import Doc

WEIGHTS = {"strong": 3.0, "medium": 1.5, "weak": 0.6, "against": -2.0}
TABLES = ("fields", "groups", "status", "impact", "practice", "money", "topic", "facts")
"""The rule files whose content is `label: {strong|medium|weak|against: [patterns]}`."""


Tables = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]
"""Patterns by table, label and strength."""


class Cue(NamedTuple):
    """A place where a pattern was found: half-open token indices."""

    table: str
    label: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Step:
    """One word of a pattern: the id of its alternatives, and what may stand before it."""

    word: int
    gap: int
    optional: bool


@dataclass(frozen=True, slots=True)
class _Pattern:
    table: str
    label: str
    weight: float
    steps: tuple[_Step, ...]
    needed: frozenset[int]
    """The ids of the words after the first that must not be missing."""


@dataclass(frozen=True, slots=True)
class _Word:
    """What is known of a token by itself: the pattern words it meets, and the patterns that these begin."""

    numbers: frozenset[int]
    patterns: tuple[_Pattern, ...]


class CueIndex:
    """All patterns of several tables, found in one pass."""

    def __init__(self, tables: Tables, english: Tables | None = None) -> None:
        """Compiles the patterns.

        Args:
            tables: By table and label.
            english: Further ones of the same tables, whose words are not reduced to German lemmas; one that stands in
                `tables` too takes that one's place.

        Raises:
            CheckupError: A pattern that is empty, begins with a gap or has an empty part.
        """
        self._words: dict[tuple[str, bool], int] = {}
        self._exact: dict[str, set[int]] = defaultdict(set)
        self._form: dict[str, set[int]] = defaultdict(set)
        self._prefix: dict[str, set[int]] = defaultdict(set)
        self._suffix: dict[str, set[int]] = defaultdict(set)
        self._infix: dict[str, set[int]] = defaultdict(set)
        self._by_first: dict[int, list[_Pattern]] = defaultdict(list)
        self._memo: dict[tuple[str, str], _Word] = {}
        own = list(_patterns(english or {}))
        anew = {(table, label, pattern) for table, label, _, pattern in own}
        for table, label, strength, pattern in _patterns(tables):
            if (table, label, pattern) not in anew:
                self._add(table, label, WEIGHTS[strength], pattern, german=True)
        for table, label, strength, pattern in own:
            self._add(table, label, WEIGHTS[strength], pattern, german=False)
        self._prefix_lengths = sorted({len(part) for part in self._prefix})
        self._suffix_lengths = sorted({len(part) for part in self._suffix})

    def _add(self, table: str, label: str, weight: float, pattern: str, *, german: bool) -> None:
        steps: list[_Step] = []
        gap = 0
        for part in pattern.lower().split():
            if part[0] == "~" and part[1:].isdigit():
                gap = int(part[1:])
                continue
            optional = part.endswith("?")
            steps.append(_Step(self._word(part.removesuffix("?"), pattern, german=german), gap, optional))
            gap = 0
        if not steps or steps[0].gap or steps[0].optional or gap:
            raise CheckupError(f"Das Muster „{pattern}“ ({table}, {label}) muss mit einem Wort beginnen und enden.")
        needed = frozenset(step.word for step in steps[1:] if not step.optional)
        self._by_first[steps[0].word].append(_Pattern(table, label, weight, tuple(steps), needed))

    def _word(self, word: str, pattern: str, *, german: bool) -> int:
        if (word, german) in self._words:
            return self._words[word, german]
        number = self._words[word, german] = len(self._words)
        for part in word.split("|"):
            core = part.strip("-=")
            if not core:
                raise CheckupError(f"Das Muster „{pattern}“ hat einen leeren Teil. Bitte ein Wort einsetzen.")
            if part[0] == "=":
                target = self._form
            elif part[0] == "-":
                target = self._infix if part[-1] == "-" else self._suffix
            else:
                target = self._prefix if part[-1] == "-" else self._exact
            target[core].add(number)
            if target is self._exact and german:
                target[lemma(core)].add(number)
        return number

    def _known(self, form: str, lemma: str) -> _Word:
        """What its lower-case form and its lemma tell of a token."""
        key = (form, lemma)
        found = self._memo.get(key)
        if found is None:
            if len(self._memo) >= KEPT_WORDS:
                self._memo.clear()
            numbers = frozenset(self._find_classes(form, lemma))
            patterns = tuple(pattern for number in numbers for pattern in self._by_first.get(number, ()))
            found = self._memo[key] = _Word(numbers, patterns)
        return found

    def _find_classes(self, form: str, lemma: str) -> Iterator[int]:
        yield from self._form.get(form, ())
        for word in {form, lemma}:
            size = len(word)
            yield from self._exact.get(word, ())
            for length in self._prefix_lengths:
                if length > size:
                    break
                if (front := word[:length]) in self._prefix:
                    yield from self._prefix[front]
            for length in self._suffix_lengths:
                if length > size:
                    break
                if (back := word[-length:]) in self._suffix:
                    yield from self._suffix[back]
            for part, numbers in self._infix.items():
                if part in word:
                    yield from numbers

    def find(self, forms: Sequence[str], lemmas: Sequence[str], offset: int = 0) -> list[Cue]:
        """All cues of a text, by start, then table and label; one label may be found at one place several times.

        Args:
            forms: The tokens in lower case.
            lemmas: Their lemmas.
            offset: Added to the indices of the tokens.
        """
        known = [self._known(form, lemma) for form, lemma in zip(forms, lemmas, strict=True)]
        words = [word.numbers for word in known]
        said = frozenset().union(*words)
        cues = set()
        for start, word in enumerate(known):
            for pattern in word.patterns:
                if pattern.needed <= said and (end := _match(words, start + 1, pattern.steps, 1)):
                    cues.add(Cue(pattern.table, pattern.label, pattern.weight, start + offset, end + offset))
        return sorted(cues, key=lambda cue: (cue.start, cue.table, cue.label, cue.end, -cue.weight))


def _patterns(tables: Tables) -> Iterator[tuple[str, str, str, str]]:
    for table, labels in tables.items():
        for label, groups in labels.items():
            for strength, patterns in groups.items():
                yield from ((table, label, strength, pattern) for pattern in patterns)


def _match(words: Sequence[frozenset[int]], at: int, steps: Sequence[_Step], step: int) -> int:
    """The end of the shortest match of the remaining steps from `at` on; 0 if there is none."""
    if step == len(steps):
        return at
    wanted = steps[step]
    for position in range(at, min(at + wanted.gap + 1, len(words))):
        if wanted.word in words[position]:
            end = _match(words, position + 1, steps, step + 1)
            if end:
                return end
    return _match(words, at, steps, step + 1) if wanted.optional else 0


@cache
def cue_index(language: str = "de") -> CueIndex:
    """The index over all tables of `TABLES`; for English texts with the patterns of `rules/english_cues.yaml`."""
    english = load_rules("english_cues") if language == "en" else None
    return CueIndex({table: load_rules(table) for table in TABLES}, english)


def find_cues(doc: "Doc") -> "Doc":
    """Component `checkup_cues`: sets `doc._.cues`, a list of `Cue` that never reach over a sentence's end."""
    found: list[Cue] = []
    forms, lemmas = doc._.words.forms, doc._.words.lemmas
    index = cue_index("en" if doc.lang_ == "en" else "de")
    for start, end in doc._.sentences:
        check_time()
        found.extend(index.find(forms[start:end], lemmas[start:end], start))
    doc._.cues = found
    return doc
