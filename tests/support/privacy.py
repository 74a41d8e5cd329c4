"""Recall, precision and damage of the mask on the labelled texts in `tests/eval/privacy/`."""

import json
import sys
from collections import defaultdict
from pathlib import Path

from pipeline.nlp.privacy import MASK, mask, personal_spans

HERE = Path(__file__).parents[1] / "eval" / "privacy"


def load(name, split):
    rows = [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text("utf-8").splitlines()]
    return [row for row in rows if row["split"] == split]


def recall(split):
    """Per kind: (mentions masked from end to end, mentions, those missed)."""
    found, total, missed = defaultdict(int), defaultdict(int), defaultdict(list)
    for row in load("texts", split):
        masked = mask(row["text"])
        for mention in row["mentions"]:
            if mention["kind"] == "keep":
                continue
            total[mention["kind"]] += 1
            piece = masked[mention["start"] : mention["end"]]
            if all(point == MASK or not point.isalnum() for point in piece):
                found[mention["kind"]] += 1
            else:
                missed[mention["kind"]].append((row["id"], mention["quote"], piece))
    return {kind: (found[kind], total[kind], missed[kind]) for kind in total}


def precision(split):
    """(spans of which more than half is a labelled mention, spans, the others)."""
    right, wrong = 0, []
    for row in [*load("texts", split), *load("keep", split)]:
        secret = {
            at
            for mention in row["mentions"]
            if mention["kind"] != "keep"
            for at in range(mention["start"], mention["end"])
        }
        for start, end in personal_spans(row["text"]):
            if 2 * sum(at in secret for at in range(start, end)) > end - start:
                right += 1
            else:
                wrong.append((row["id"], row["text"][start:end]))
    return right, right + len(wrong), wrong


def damaged(split):
    """(names of institutions, those of which a code point is masked)."""
    names = [
        (row, m)
        for name in ("texts", "keep")
        for row in load(name, split)
        for m in row["mentions"]
        if m["kind"] == "keep"
    ]
    masks = {row["id"]: mask(row["text"]) for row, _ in names}
    return len(names), [
        (row["id"], m["quote"], masks[row["id"]][m["start"] : m["end"]])
        for row, m in names
        if masks[row["id"]][m["start"] : m["end"]] != m["quote"]
    ]


def main():
    """Print the figures of every split: `PYTHONPATH=tests python -m support.privacy`."""
    for split in ("dev", "seen", "test", "other", "blind"):
        found = {kind: f"{hit} of {total}" for kind, (hit, total, _) in recall(split).items()}
        right, total, _ = precision(split)
        names, harmed = damaged(split)
        sys.stdout.write(f"{split}: masked {found}, right {right} of {total}, damaged {len(harmed)} of {names}\n")


if __name__ == "__main__":
    main()
