"""`python -m bench.readings`: the extraction on the 640 marked texts of `data/corpus/readings`, by halves.

The rules of status, transfer and continuation were mended by what they missed in the first half (files a-d); the misses
of the second (e-h) were looked at by nobody. Fields, groups and the topic have learned from both.
"""

import json

from checkup.project_figures import project_figures
from data.corpus_files import ReadText, read_texts


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
            "budget_eur": value(read.budget), "awards": read.awards, "transferred": read.transferred,
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
    cases = [case(number, read) for number, read in enumerate(read_texts())]
    half = len(cases) // 2
    for name, some in (("first half", cases[:half]), ("second half", cases[half:])):
        found = {key: short(figure) for key, figure in project_figures(some).items() if key != "misses"}
        found["claims"] = {key: round(share, 3) for key, share in found["claims"].items()}
        print(name, json.dumps({key: found[key] for key in found if key != "level_confusion"}, ensure_ascii=False))


if __name__ == "__main__":
    main()
