"""Fits the weights of duplicate detection on the part "train"; run: `python tests/eval/duplicates/fit.py`.

Logistic regression by gradient descent (ridge 0.3, weights kept at or above 0 so that each stays readable) of "same"
against "family" and "different", without the pairs in two towns, which a rule decides. It writes out the weights and
the scores nearest to the thresholds; what it writes goes into pipeline/weights/duplicates.yaml by hand, so that nobody
changes them in passing.
"""

import json
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[2]))

from data.store_curation import CurationRecord  # noqa: E402
from pipeline.duplicates import FEATURES, Prepared, compare, load_rules  # noqa: E402

KEYS = ("id", "title", "organisation", "municipality", "url", "text")


def lines(name):
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def labelled(split):
    """Pairs of a part: label, comparison, ids."""
    rules = load_rules()
    records = {
        line["id"]: Prepared(CurationRecord(**{key: line[key] for key in KEYS}), rules)
        for line in lines("records.jsonl")
    }
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
    main()
