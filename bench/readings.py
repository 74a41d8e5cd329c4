"""`python -m bench.readings`: the extraction on the marked texts that the reader of spans has not learned from.

Each file of `checkup.marks_training.DEVELOPMENT` is read by rules alone and with the reader. The shares of rules and
reader were chosen on them and on the gold's part dev.
"""

import json

from checkup.marks_training import DEVELOPMENT, read_marked
from checkup.project_figures import project_figures
from data.corpus_files import ReadText


def value(told):
    return told.value if told else None


def span(told):
    return {"start": told.start, "end": told.end}


def case(number: int, read: ReadText):
    """A marked text in the form of `tests/eval/gold_projects`."""
    went_on = read.continuation
    return {
        "id": f"reading-{number}",
        "title": read.title,
        "text": read.text,
        "gold": {
            "action_fields": read.fields, "target_groups": read.groups, "level": read.level, "evidence": read.evidence,
            "reached_persons": value(read.reached), "success_rate_percent": value(read.rate),
            "budget_eur": read.budget.value[0] if read.budget else None,
            "awards": read.awards, "transferred": read.transferred,
            "claims": [span(claim) | claim.value for claim in read.claims],
            "lessons": [span(lesson) | {"kind": lesson.value} for lesson in read.lessons],
            "continuation": span(went_on) | {"status": went_on.value} if went_on else None,
        },
    }  # fmt: skip


def short(figure):
    """The one number that a figure is quoted by."""
    if isinstance(figure, dict):
        figure = figure.get("f1", figure.get("value", figure))
    return round(figure, 3) if isinstance(figure, float) else figure


def main():
    for folder, files in DEVELOPMENT:
        for file in files.strip("[]"):
            cases = [case(number, read) for number, read in enumerate(read_marked([(folder, file)]))]
            for reading in ("rules", "deep"):
                found = project_figures(cases, reading=reading)
                told = {key: short(figure) for key, figure in found.items() if key not in {"misses", "level_confusion"}}
                told["claims"] = {key: round(share, 3) for key, share in found["claims"].items()}
                print(f"{folder}/{file}", reading, json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
