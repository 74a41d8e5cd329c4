"""Fits the weights of duplicate detection on the part "train"; run: `python tests/eval/duplicates/fit.py`;
with `--test` it prints the figures on the part "test" instead.

Logistic regression by gradient descent (ridge 0.3, weights kept at or above 0 so that each stays readable) of "same"
against "family" and "different", without the pairs in two towns, which a rule decides. It writes out the weights and
the scores nearest to the thresholds; what it writes goes into pipeline/weights/duplicates.yaml by hand, so that nobody
changes them in passing.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[2]))

from data.store_curation import CurationRecord  # noqa: E402
from pipeline.candidates import candidates  # noqa: E402
from pipeline.duplicates import FEATURES, Prepared, compare, load_rules  # noqa: E402

OUTCOMES = ("certain", "doubtful", "family", "different")
KEYS = ("id", "title", "organisation", "municipality", "url", "text")


def lines(name):
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def prepared():
    """The records in the order of their ids."""
    told = sorted(lines("records.jsonl"), key=lambda line: line["id"])
    return [Prepared(CurationRecord(**{key: line[key] for key in KEYS}), load_rules()) for line in told]


def outcomes(records):
    """Outcomes per label over the part "test", as `curate` comes to them: no candidate counts as different."""
    chosen = {(records[a].record.id, records[b].record.id) for a, b in candidates(records)}
    by_id = {item.record.id: item for item in records}
    found = {}
    for line in lines("pairs.jsonl"):
        if line["split"] == "test":
            pair = tuple(sorted((line["a"], line["b"])))
            outcome = compare(by_id[pair[0]], by_id[pair[1]]).outcome if pair in chosen else "different"
            found.setdefault(line["label"], Counter())[outcome] += 1
    return found


def labelled(split):
    """Pairs of a part: label, comparison, ids."""
    records = {item.record.id: item for item in prepared()}
    return [
        (line["label"], compare(records[line["a"]], records[line["b"]]), line["a"], line["b"])
        for line in lines("pairs.jsonl")
        if line["split"] == split
    ]


def fit(pairs, *, ridge=0.3, rounds=20_000, rate=0.5):
    x = np.array([[1.0, *(found.features[name] for name in FEATURES)] for _, found, *_ in pairs])
    y = np.array([label == "same" for label, *_ in pairs], float)
    weights = np.zeros(x.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (chance - y) / len(y)
        slope[1:] += ridge / len(y) * weights[1:]
        weights -= rate * slope
        weights[1:] = np.maximum(weights[1:], 0)
    return weights, 1 / (1 + np.exp(-x @ weights))


def print_figures():
    sys.stdout.write(f"{'':10}" + "".join(f"{name:>11}" for name in OUTCOMES) + "\n")
    for label, counts in outcomes(prepared()).items():
        sys.stdout.write(f"{label:10}" + "".join(f"{counts[name]:11}" for name in OUTCOMES) + "\n")


def main():
    pairs = [item for item in labelled("train") if item[1].features["place"] or item[0] == "same"]
    weights, chances = fit(pairs)
    for name, weight in zip(("bias", *FEATURES), weights, strict=True):
        sys.stdout.write(f"  {name}: {weight:.2f}\n")
    rest = sorted(((c, *p[2:]) for c, p in zip(chances, pairs, strict=True) if p[0] != "same"), reverse=True)
    same = sorted((c, *p[2:]) for c, p in zip(chances, pairs, strict=True) if p[0] == "same")
    for title, found in (("highest that are not the same", rest), ("lowest that are the same", same)):
        sys.stdout.write(f"{title}:\n" + "".join(f"  {c:.3f} {a} {b}\n" for c, a, b in found[:8]))


if __name__ == "__main__":
    if sys.argv[1:] == ["--test"]:
        print_figures()
    else:
        main()
