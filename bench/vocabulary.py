"""`python -m bench.vocabulary [REAL_DEV]`: how well people find their way in the vocabulary, and the ceiling it allows.

Prints, from `tests/eval/vocabulary/`: two readers' naming of needs and core approaches (neither had seen the
vocabulary's making, its editors never saw the cases), and a second hand's blind grades of 300 arrows. With a folder in
the form of real_dev that has structure files: what it scores when needs, or approaches, are read perfectly (situations
are their labelled needs over the arrows, projects their labelled approaches, the score is the inner product).
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from checkup.figures import ndcg
from data.vocabulary import load_vocabulary
from matching.rank import GAINS

CASES = Path(__file__).parent.parent / "tests" / "eval" / "vocabulary"


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def readers(kind, key):
    one, two = ({key(line): line for line in lines(CASES / f"reader_{n}_{kind}.jsonl")} for n in (1, 2))
    pairs = [(one[name]["best"], two[name]["best"]) for name in one]
    return {
        "cases": len(pairs),
        "found": [round(sum(pair[n] is not None for pair in pairs) / len(pairs), 3) for n in (0, 1)],
        "same": round(sum(a == b and a is not None for a, b in pairs) / len(pairs), 3),
    }


def arrows():
    pairs = [(line["editor"], line["second"]) for line in lines(CASES / "arrow_pairs.jsonl")]
    count, left, right = len(pairs), Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    seen = sum((a - b) ** 2 for a, b in pairs) / count
    chance = sum(left[a] * right[b] * (a - b) ** 2 for a in left for b in right) / count**2
    return {
        "pairs": count,
        "exact": round(sum(a == b for a, b in pairs) / count, 3),
        "within_one": round(sum(abs(a - b) <= 1 for a, b in pairs) / count, 3),
        "quadratic_kappa": round(1 - seen / chance, 3),
    }


class Reading:
    """Labels of older material as rows over the present approaches."""

    def __init__(self):
        self.vocabulary = load_vocabulary()
        self.column = {name: place for place, name in enumerate(sorted(self.vocabulary.approaches))}

    def row(self, gains):
        row = np.zeros(len(self.column))
        for name, gain in gains:
            row[self.column[name]] = max(row[self.column[name]], gain)
        return row

    def approaches(self, graded):
        resolve = self.vocabulary.resolve_approach
        return self.row((new, GAINS[grade]) for old, grade in graded.items() for new in resolve(old))

    def needs(self, graded):
        resolve, needs = self.vocabulary.resolve_need, self.vocabulary.needs
        return self.row(
            (arrow.approach, GAINS[grade] * GAINS[arrow.grade])
            for old, grade in graded.items()
            for new in resolve(old)
            for arrow in needs[new].arrows
        )


def ceiling(folder):
    reading = Reading()
    projects = lines(folder / "structure_projects.jsonl")
    offered = np.array([reading.approaches(project["approaches"]) for project in projects])
    relevance = {line["id"]: line["rel"] for line in lines(folder / "qrels.jsonl")}
    scores = {"needs": [], "approaches": []}
    for situation in lines(folder / "structure_situations.jsonl"):
        if not relevance[situation["id"]]:
            continue
        rows = {
            "needs": [reading.needs(need["need_ids"]) for need in situation["needs"]],
            "approaches": [reading.approaches(need["approaches"]) for need in situation["needs"]],
        }
        weights = [need["weight"] / 3 for need in situation["needs"]]
        for name, values in scores.items():
            order = np.argsort(-(offered @ np.average(rows[name], axis=0, weights=weights)), kind="stable")
            values.append(ndcg([projects[i]["id"] for i in order], relevance[situation["id"]]))
    return {f"{name} by hand": round(float(np.mean(values)), 3) for name, values in scores.items()}


def main():
    result = {
        "needs": readers("needs", lambda line: (line["id"], line["n"])),
        "core approaches": readers("projects", lambda line: line["id"]),
        "arrows": arrows(),
    }
    if len(sys.argv) > 1:
        result["ceiling"] = ceiling(Path(sys.argv[1]))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
