"""Action fields and target groups of a text: scored by words and cues, with the sentences that carry them.

Below: `pipeline.nlp.cues`, `pipeline.nlp.label_weights`. Above: the component `checkup_labels`, `pipeline.nlp.extract`.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.person_names import MASK
from pipeline.nlp.cues import Cue
from pipeline.nlp.label_weights import Embedded, LabelWeights, shipped_weights
from pipeline.nlp.lemmas import Words
from pipeline.nlp.rules import load_rules
from pipeline.nlp.search_tokens import index_tokens
from pipeline.nlp.sentences import sentence_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

TABLES = {"fields": "action_fields", "groups": "target_groups"}
_QUOTES = 3
_IN_PASSING = -1.4
"""A situation names a group in passing where a project addresses one: F1 .56 instead of .50 (judged set, dev)."""
_NEAR = -1.0
"""Every project has a field: the best one counts even this far (in log odds) below its threshold."""
_DETERMINERS = frozenset({
    "eine", "einer", "die", "der", "jede", "jeder", "keine", "keiner", "diese", "dieser", "welche", "als", "meine",
    "seine",
})  # fmt: skip
"""Before `Frau` they name a woman, not how she is addressed."""
_LEAST_CUES = 0.5
"""A label without a cue of this weight has nothing to show for it and is left out, whatever the words say."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label with its score 0..1 and the sentences (token spans) that carry it, strongest first."""

    id: str
    score: float
    sentences: tuple[tuple[int, int], ...]


def label_names() -> tuple[str, ...]:
    """Every label as `property/id`, in the order of the rule files."""
    return tuple(f"{name}/{label}" for table, name in TABLES.items() for label in load_rules(table))


def find_labels(doc: "Doc") -> "Doc":
    """Component `checkup_labels`: sets `doc._.labels[property]` (best first) and `doc.cats`.

    And what they were read from: `doc._.search_tokens`, and `doc._.cue_sums`, the sum of cue weights by label.
    """
    words: Words = doc._.words
    lemmas, title_end = words.lemmas, doc._.title_tokens
    doc._.search_tokens = index_tokens(word for at, word in enumerate(lemmas) if not _is_address(words, at))
    doc._.cue_sums = {name: _weight(cues, lemmas, title_end) for name, cues in _by_label(doc).items()}
    decide_labels(doc, shipped_weights())
    return doc


def decide_labels(doc: "Doc", model: LabelWeights, embedded: Embedded | None = None) -> None:
    """Sets `doc._.labels` and `doc.cats` by words, cues and, where the weights know them, vectors and approaches."""
    by_label, distances = _by_label(doc), _distances(doc, model, embedded)
    doc.cats.update({name: 1 / (1 + math.exp(-distance)) for name, distance in distances.items()})
    told = _Teller(doc, model, distances, by_label, _LEAST_CUES if embedded is None else 0.0)
    near = told.told("action_fields", _NEAR)
    doc._.labels = {
        "action_fields": [
            label for place, label in enumerate(near) if place == 0 or distances[f"action_fields/{label.id}"] >= 0
        ],
        "target_groups": told.told("target_groups", 0.0),
    }


def groups_of_situation(doc: "Doc") -> list[Label]:
    """The target groups of a town's situation that went through the pipeline, best first."""
    model = shipped_weights()
    told = _Teller(doc, model, _distances(doc, model), _by_label(doc), _LEAST_CUES)
    return told.told("target_groups", _IN_PASSING)


def _distances(doc: "Doc", model: LabelWeights, embedded: Embedded | None = None) -> dict[str, float]:
    """Distance of every label from its threshold in log odds, best first."""
    distances = model.decide(doc._.search_tokens, doc._.cue_sums, embedded)
    return {
        name: float(distance)
        for name, distance in sorted(zip(model.labels, distances, strict=True), key=lambda item: (-item[1], item[0]))
    }


@dataclass(frozen=True, slots=True)
class _Teller:
    """What decides of one text which labels are told, and by which sentences."""

    doc: "Doc"
    model: LabelWeights
    distances: Mapping[str, float]
    by_label: Mapping[str, list[Cue]]
    least_cues: float
    """Labels with a smaller sum of cue weights are left out."""

    def told(self, table: str, least: float) -> list[Label]:
        """The labels of a table from a distance on, each with the sentences that carry it."""
        sums: Mapping[str, float] = self.doc._.cue_sums
        return [
            Label(name.partition("/")[2], round(self.doc.cats[name], 4), self._carriers(name))
            for name, distance in self.distances.items()
            if distance >= least and name.startswith(f"{table}/") and sums.get(name, 0.0) >= self.least_cues
        ]

    def _carriers(self, name: str) -> tuple[tuple[int, int], ...]:
        """The sentences with the greatest sum of cue weights, at most three; without any the one by its words."""
        weights: dict[tuple[int, int], float] = defaultdict(float)
        for cue in self.by_label.get(name, ()):
            weights[sentence_of(self.doc, cue.start)] += cue.weight
        ranked = sorted(weights, key=lambda span: (-weights[span], span))
        return tuple(span for span in ranked[:_QUOTES] if weights[span] > 0) or self._by_words(name)

    def _by_words(self, name: str) -> tuple[tuple[int, int], ...]:
        """The sentence whose words speak most for a label."""
        column, lemmas = self.model.labels.index(name), self.doc._.words.lemmas
        spans: list[tuple[int, int]] = [span for span in self.doc._.sentences if span[1] > span[0]]
        told = [float(self.model.by_words(index_tokens(lemmas[start:end]))[column]) for start, end in spans]
        return (spans[max(range(len(spans)), key=lambda at: told[at])],) if spans else ()


def _by_label(doc: "Doc") -> dict[str, list[Cue]]:
    found: dict[str, list[Cue]] = defaultdict(list)
    words: Words = doc._.words
    for cue in doc._.cues:
        if cue.table in TABLES and not _is_address(words, cue.start):
            found[f"{TABLES[cue.table]}/{cue.label}"].append(cue)
    return found


def _is_address(words: Words, at: int) -> bool:
    """Whether a token is `Frau` before a name or an office, which names no group: `Frau Müller`, `Frau Stadträtin`."""
    if words.texts[at] != "Frau" or at + 1 == len(words.texts):
        return False
    following = words.texts[at + 1][0]
    return (following.isupper() or following == MASK) and not (at and words.forms[at - 1] in _DETERMINERS)


def _weight(cues: list[Cue], lemmas: list[str], title_end: int) -> float:
    """Each wording counts once, and a little more where it is repeated; the title counts double."""
    places: dict[tuple[str, ...], list[Cue]] = defaultdict(list)
    for cue in cues:
        places[tuple(lemmas[cue.start : cue.end])].append(cue)
    total = 0.0
    for found in places.values():
        best = max(found, key=lambda cue: abs(cue.weight)).weight
        in_title = any(cue.start < title_end for cue in found)
        total += best * (2.0 if in_title else 1.0) * (1 + 0.25 * min(len(found) - 1, 4))
    return total
