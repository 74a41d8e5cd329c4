"""`python -m bench.places`: places and scope on the shipped projects that are not in the gold's part test.

The editors' columns (municipality, state, scope) are compared with what is read in title and text by rules. The rules
were written on 478 of these projects; docs/quality.md tells how well they read those that came later.
"""

import json
import re
from pathlib import Path

from data.places import TAIL
from pipeline.nlp.extract import extract

SEED = Path(__file__).parents[1] / "data" / "seed"
_KIND = re.compile(r"^(?:Landkreis|Kreis|Region|StädteRegion|Samtgemeinde) ")


def entries():
    """The shipped projects without those of the gold's part test."""
    hidden = set(json.loads((SEED / "gold_test_ids.json").read_text("utf-8")))
    for file in sorted(SEED.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            entry = json.loads(line)
            if entry["id"] not in hidden:
                yield entry


def short(name: str) -> str:
    """A name without its kind and what tells it from others: `Kreis Unna`, `Halle (Saale)` -> `Unna`, `Halle`."""
    return TAIL.sub("", _KIND.sub("", name))


def figures() -> dict[str, float]:
    told = list(entries())
    read = extract(((entry["id"], entry["title"], entry["text"]) for entry in told), reading="rules")
    stands = found = state = named = own = scopes = 0
    for entry, reading in zip(told, read, strict=True):
        scopes += reading["scope"] == entry.get("scope")
        town = short(entry.get("municipality", ""))
        same = [place for place in reading["places"] if town and short(place["name"]) == town]
        if town and town in f"{entry['title']}\n{entry['text']}":
            stands += 1
            found += bool(same)
            state += any(place["state"] == entry.get("state") for place in same)
        towns = [place for place in reading["places"] if place["kind"] == "gemeinde"]
        named += len(towns)
        own += sum(place in same for place in towns)
    return {
        "projects": len(told),
        "municipality stands in the text": stands,
        "municipality found": round(found / stands, 3),
        "with the right state": round(state / stands, 3),
        "municipalities named": named,
        "of these the editors' own": round(own / named, 3),
        "scope as the editors say": round(scopes / len(told), 3),
    }


def main():
    for name, value in figures().items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
