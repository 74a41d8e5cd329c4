"""`python -m bench.facts [--misses]`: further facts of shipped projects against labels made by hand.

The labels (`tests/eval/facts/*.jsonl`, guideline in `tests/eval/guidelines.md`): `design`, which the rules were written
on; `second`, read once and mended on afterwards; `fresh`, read by the finished rules. Values that a text leaves open
count neither as found nor as missed. `text` holds the words that were labelled where the entry was mended since.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from data.shipped import iter_shipped
from pipeline.nlp.extract import extract
from pipeline.nlp.facts import FACTS

FOLDER = Path(__file__).parents[1] / "tests" / "eval" / "facts"
PARTS = ("design", "second", "fresh")
NAMES = {"organisation", "funder"}


def stems(name):
    words = str(name).lower().replace("(", " ").replace(")", " ").replace("-", " ").split()
    return {word.removesuffix("es").removesuffix("s").removesuffix("n").removesuffix("e") for word in words}


def same(name, told, gold):
    """Whether a value is the labelled one; of a name at least half of the words, without endings of case."""
    if name in NAMES:
        left, right = stems(told), stems(gold)
        return (left <= right and 2 * len(left) >= len(right)) or (right <= left and 2 * len(right) >= len(left))
    return str(told).lower() == str(gold).lower()


def measure(part):
    """Precision, recall and counts by property, and the misses of both kinds."""
    shipped = {entry.project.id: entry.project for entry in iter_shipped()}
    entries = [json.loads(line) for line in (FOLDER / f"{part}.jsonl").read_text("utf-8").splitlines()]
    projects = [shipped[entry["id"]] for entry in entries]
    texts = [entry.get("text", project.text) for entry, project in zip(entries, projects, strict=True)]
    given = ((project.id, project.title, text) for project, text in zip(projects, texts, strict=True))
    read = extract(given, reading="rules")
    hits, told, gold = Counter(), Counter(), Counter()
    misses = defaultdict(list)
    for entry, found in zip(entries, read, strict=True):
        for name in FACTS:
            values = [fact["value"] for fact in found["facts"] if fact["property"] == name]
            wanted, left_open = entry["facts"].get(name, []), entry["open"].get(name, [])
            counted = [v for v in values if any(same(name, v, g) for g in wanted)
                       or not any(same(name, v, o) for o in left_open)]  # fmt: skip
            right = [v for v in counted if any(same(name, v, g) for g in wanted)]
            met = [g for g in wanted if any(same(name, v, g) for v in values)]
            hits[name, "told"] += len(right)
            hits[name, "gold"] += len(met)
            told[name] += len(counted)
            gold[name] += len(wanted)
            misses[name] += [f"{entry['id']}: wrong {v!r}" for v in counted if v not in right]
            misses[name] += [f"{entry['id']}: missed {g!r}" for g in wanted if g not in met]
    figures = {
        name: {
            "precision": round(hits[name, "told"] / told[name], 3) if told[name] else None,
            "recall": round(hits[name, "gold"] / gold[name], 3) if gold[name] else None,
            "told": told[name],
            "gold": gold[name],
        }
        for name in FACTS
    }
    return figures, misses


def main():
    for part in PARTS:
        figures, misses = measure(part)
        for name, figure in figures.items():
            counts = f"({figure['told']} told, {figure['gold']} in gold)"
            print(f"{part:9}{name:16}P {figure['precision']}  R {figure['recall']}  {counts}")
        if "--misses" in sys.argv[1:]:
            for name, lines in misses.items():
                for line in lines:
                    print(f"  {name}: {line}")


if __name__ == "__main__":
    main()
