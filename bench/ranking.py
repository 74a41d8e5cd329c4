"""Each part of the ranking switched off: what it is worth, with interval, on the judged set's development part.

    python -m bench.ranking [--folder tests/eval/judged] [--split dev]

Twice: over the projects that encoder and readers were not trained on, and over all. A difference is the mean over
situations of nDCG@10 without the part minus with it; 95 % bootstrap. Below: `checkup.ranking_training`.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from checkup.evaluate import judged_matcher
from checkup.figures import mean, ndcg
from checkup.ranking_training import Cases
from checkup.training import held_back
from data.settings import load_settings
from matching.rank import Weights, load_weights
from matching.situation import checked_text

PARTS = ("whole", "lexical", "needs", "sentence_similarity", "sentence_approach", "sentence_answer")


def scores(cases: Cases, weights: Weights) -> list[float]:
    """nDCG@10 of every situation."""
    rankings = cases.rankings(weights, 10)
    return [ndcg([cases.ids[place] for place in places], relevance) for places, _, relevance in rankings]


def table(cases: Cases, name: str) -> str:
    """The losses as lines to read."""
    weights = load_weights()
    whole = np.array(scores(cases, weights))
    lines = [f"{name}: {len(whole)} situations, {int(cases.keep.sum())} projects, nDCG@10 {whole.mean():.3f}"]
    for part in PARTS:
        lost = mean((whole - scores(cases, replace(weights, **{part: 0.0}))).tolist())
        lines.append(f"  without {part:20} {-lost.value:+.3f} [{-lost.high:+.3f}; {-lost.low:+.3f}]")
    return "\n".join(lines)


def main() -> None:
    """Open the judged set once, print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", type=Path, default=Path("tests/eval/judged"))
    arguments.add_argument("--split", default="dev")
    given = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory() as empty,
        judged_matcher(given.folder, load_settings(Path(empty))) as (matcher, situations, qrels),
    ):
        pairs = [
            (matcher.features(checked_text(case["text"])), qrels[case["id"]]["rel"])
            for case in situations
            if case.get("split") == given.split and any(qrels.get(case["id"], {}).get("rel", {}).values())
        ]
        for name, unseen in (("unseen projects", held_back()), ("all projects", [])):
            print(table(Cases(matcher, pairs, unseen), name))


if __name__ == "__main__":
    main()
