"""Fitting the few weights of the ranking on the development part of a judged set.

Below: `matching.retrieve`, `matching.rank`, `checkup.figures`. Above: `checkup train ranking`.
Method: coordinate search over multiplicative and additive steps, which maximises mean nDCG@10; the features are
computed once. Only the projects of the gold set's test part are candidates: encoder and readers have not seen them, so
that similarity looks no better than it is. Nothing else is fitted, and no other part of the set is read.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from checkup.evaluate import judged_matcher
from checkup.figures import RELEVANT, ndcg
from checkup.training import held_back
from data.settings import Settings
from matching.rank import WEIGHTS_FILE, Floats, Weights, mix, order
from matching.retrieve import Features, Matcher
from matching.situation import checked_text

FACTORS = (0.0, 0.5, 0.75, 0.9, 1.1, 1.33, 2.0)
SHIFTS = (-1.0, -0.4, 0.4, 1.0)
LEAST_GAIN = 0.002
"""A step that gains less is taken for chance: what fits gain on resampled situations they lose on the others."""
ROUNDS = 6
START = Weights(
    whole=0.1, lexical=0.5, tier=0.02, needs=3.0, sentence_bias=-4.0, sentence_similarity=0.35, sentence_approach=2.5,
    sentence_answer=5.0, relevant=1.0,
)  # fmt: skip
"""Every fit begins here, so that it depends on the data alone and not on the fits before."""
FIXED = ("tier", "needs", "relevant")
"""Only ratios of the parts matter: `needs` sets the scale, on which `tier` stays the last word among equals."""
HIGHLIGHT_PRECISION = 0.9
MIN_PAIRS = 15


class Cases:
    """The judged situations with their features; what depends on no weight is computed once.

    Args:
        matcher: opened over the judged projects.
        pairs: features and relevance of each situation.
        unseen: if given, only these projects are ranked: those that encoder and readers were not trained on.
    """

    def __init__(
        self, matcher: Matcher, pairs: Sequence[tuple[Features, Mapping[str, float]]], unseen: Collection[str] = ()
    ) -> None:
        self.matcher = matcher
        self.ids = [card["project_id"] for card in matcher.index.cards]
        self.keep = np.isin(self.ids, list(unseen)) if unseen else np.ones(len(self.ids), bool)
        candidates = {name for name, kept in zip(self.ids, self.keep, strict=True) if kept}
        restricted = [
            (features, {name: grade for name, grade in relevance.items() if name in candidates})
            for features, relevance in pairs
        ]
        self.pairs = [pair for pair in restricted if any(grade > 0 for grade in pair[1].values())]
        self._sentences = [matcher.sentence_parts(features) for features, _ in self.pairs]

    def rankings(
        self, weights: Weights, depth: int
    ) -> Iterator[tuple[list[int], dict[str, Floats], Mapping[str, float]]]:
        """For each situation: the best projects' places, the parts of the score, the relevance."""
        tiers = [0] * len(self.ids)
        for (features, relevance), sentences in zip(self.pairs, self._sentences, strict=True):
            parts, _ = self.matcher.combine(features, sentences, weights)
            yield order(mix(parts, weights, tiers), self.ids, self.keep, depth), parts, relevance

    def score(self, weights: Weights, *, smooth: float = 0.0) -> float:
        """Mean nDCG@10 of these weights; `smooth` adds a little of nDCG@25, which moves in smaller steps."""
        total = 0.0
        for places, _, relevance in self.rankings(weights, 25):
            ranking = [self.ids[place] for place in places]
            total += ndcg(ranking, relevance) + smooth * ndcg(ranking, relevance, 25)
        return total / len(self.pairs) / (1 + smooth)


def _neighbours(weights: Weights, name: str) -> list[Weights]:
    value = getattr(weights, name)
    if name == "sentence_bias":
        return [replace(weights, **{name: round(value + shift, 4)}) for shift in SHIFTS]
    floor = [0.05, 1.0] if value == 0 else [round(value * factor, 4) for factor in FACTORS]
    return [replace(weights, **{name: item}) for item in floor]


def fit(
    matcher: Matcher,
    situations: Sequence[Mapping[str, Any]],
    qrels: Mapping[str, Mapping[str, float]],
    *,
    say: Callable[[str], None] = lambda _: None,
) -> Weights:
    """The best weights found from `START`.

    Args:
        matcher: opened over the judged projects.
        situations: of the development part.
        qrels: relevance per situation and project.
        say: told what each round reached.
    """
    pairs = [
        (matcher.features(checked_text(s["text"])), qrels[s["id"]])
        for s in situations
        if any(grade > 0 for grade in qrels.get(s["id"], {}).values())
    ]
    cases = Cases(matcher, pairs, held_back())
    best = START
    reached = cases.score(best, smooth=0.5)
    say(f"Beginn: {cases.score(best):.4f} über {len(cases.pairs)} Lagen und {int(cases.keep.sum())} Projekte")
    for number in range(ROUNDS):
        before = reached
        for name in (name for name in asdict(best) if name not in FIXED):
            for candidate in _neighbours(best, name):
                value = cases.score(candidate, smooth=0.5)
                if value > reached + LEAST_GAIN:
                    best, reached = candidate, value
        say(f"Runde {number + 1}: {cases.score(best):.4f} {asdict(best)}")
        if reached == before:
            break
    best = replace(best, relevant=relevant_from(cases, best))
    say(f"relevant ab {best.relevant}")
    return best


def relevant_from(cases: Cases, weights: Weights) -> float:
    """The least chance from which nine of ten projects among the first ten are relevant (grade 2 or better)."""
    pairs = [
        (float(parts["needs"][place]), relevance.get(cases.ids[place], 0.0) >= RELEVANT)
        for places, parts, relevance in cases.rankings(weights, 10)
        for place in places
    ]
    pairs.sort(reverse=True)
    chosen, right = 1.0, 0
    for count, (chance, good) in enumerate(pairs, 1):
        right += good
        if count >= MIN_PAIRS and right / count >= HIGHLIGHT_PRECISION:
            chosen = chance
    return round(chosen, 4)


def write_weights(weights: Weights, comment: str, path: Path = WEIGHTS_FILE) -> None:
    """Write the weights with a comment that says where they come from."""
    lines = "".join(f"# {line}\n" for line in comment.split("\n"))
    path.write_text(lines + yaml.safe_dump(asdict(weights), sort_keys=False), "utf-8")


def fit_folder(folder: Path, split: str, settings: Settings, *, say: Callable[[str], None]) -> None:
    """Fit on one part of a judged folder and write the weights beside the ranking's code."""
    with judged_matcher(folder, settings) as (matcher, situations, qrels):
        chosen = [situation for situation in situations if situation.get("split") == split]
        weights = fit(matcher, chosen, {name: line["rel"] for name, line in qrels.items()}, say=say)
    write_weights(
        weights,
        f"Fitted on {folder.name}, part {split} ({len(chosen)} situations), by `checkup train ranking`;\n"
        f"encoder {matcher.encoder.fingerprint}. Scales: standard deviations, or shares 0-1.",
    )
