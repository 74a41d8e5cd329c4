"""Action fields and target groups of a text: scored by words and cues, with the sentences that carry them.

Below: `pipeline.nlp.cues`, `pipeline.nlp.label_weights`. Above: the component `checkup_labels`, `pipeline.nlp.extract`.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.nlp.cues import Cue
from pipeline.nlp.label_weights import shipped_weights
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
    by_label = _by_label(doc)
    doc._.search_tokens = index_tokens(doc._.words.lemmas)
    lemmas, title_end = doc._.words.lemmas, doc._.title_tokens
    doc._.cue_sums = {name: _weight(cues, lemmas, title_end) for name, cues in by_label.items()}
    distances = _distances(doc)
    doc.cats.update({name: 1 / (1 + math.exp(-distance)) for name, distance in distances.items()})
    near = _told(doc, "action_fields", distances, by_label, _NEAR)
    doc._.labels = {
        "action_fields": [
            label for place, label in enumerate(near) if place == 0 or distances[f"action_fields/{label.id}"] >= 0
        ],
        "target_groups": _told(doc, "target_groups", distances, by_label, 0.0),
    }
    return doc


def groups_of_situation(doc: "Doc") -> list[Label]:
    """The target groups of a town's situation that went through the pipeline, best first."""
    return _told(doc, "target_groups", _distances(doc), _by_label(doc), _IN_PASSING)


def _distances(doc: "Doc") -> dict[str, float]:
    """Distance of every label from its threshold in log odds, best first."""
    model = shipped_weights()
    distances = model.decide(doc._.search_tokens, doc._.cue_sums)
    return {
        name: float(distance)
        for name, distance in sorted(zip(model.labels, distances, strict=True), key=lambda item: (-item[1], item[0]))
    }


def _told(
    doc: "Doc", table: str, distances: Mapping[str, float], by_label: Mapping[str, list[Cue]], least: float
) -> list[Label]:
    """The labels of a table from a distance on, each with the sentences that carry it."""
    sums: Mapping[str, float] = doc._.cue_sums
    return [
        Label(name.partition("/")[2], round(doc.cats[name], 4), _carriers(doc, by_label[name]))
        for name, distance in distances.items()
        if distance >= least and name.startswith(f"{table}/") and sums.get(name, 0.0) >= _LEAST_CUES
    ]


def _by_label(doc: "Doc") -> dict[str, list[Cue]]:
    found: dict[str, list[Cue]] = defaultdict(list)
    for cue in doc._.cues:
        if cue.table in TABLES:
            found[f"{TABLES[cue.table]}/{cue.label}"].append(cue)
    return found


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


def _carriers(doc: "Doc", cues: list[Cue]) -> tuple[tuple[int, int], ...]:
    """The sentences with the greatest sum of cue weights, at most three."""
    weights: dict[tuple[int, int], float] = defaultdict(float)
    for cue in cues:
        weights[sentence_of(doc, cue.start)] += cue.weight
    ranked = sorted(weights, key=lambda span: (-weights[span], span))
    return tuple(span for span in ranked[:_QUOTES] if weights[span] > 0)
