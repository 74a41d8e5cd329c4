"""Further facts of projects keep the precision and recall that they reached (`python -m bench.facts` prints them)."""

import pytest

from bench.facts import measure

FLOORS = {
    "design": {
        "organisation": (0.92, 0.88), "funder": (0.95, 0.95), "start_year": (0.95, 0.95), "end_year": (0.95, 0.75),
    },
    "second": {
        "organisation": (0.88, 0.77), "funder": (0.95, 0.91), "start_year": (0.89, 0.73), "end_year": (0.95, 0.95),
    },
    "fresh": {
        "organisation": (0.83, 0.57), "funder": (0.95, 0.60), "start_year": (0.95, 0.87), "end_year": (0.95, 0.50),
    },
}  # fmt: skip


@pytest.mark.parametrize("part", FLOORS)
def test_facts_stay_above_their_floors(part):
    figures, _ = measure(part)
    reached = {name: (figures[name]["precision"], figures[name]["recall"]) for name in FLOORS[part]}
    below = {
        name: (reached[name], floors)
        for name, floors in FLOORS[part].items()
        if reached[name][0] < floors[0] or reached[name][1] < floors[1]
    }
    assert not below, below
