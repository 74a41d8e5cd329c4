"""Floors of places and scope on the shipped projects (`python -m bench.places`); they only rise."""

import json
from pathlib import Path

from bench.places import figures

FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text("utf-8"))["places"]


def test_places_and_scope_stay_above_their_floors():
    found = figures()
    assert found["projects"] >= 478
    below = {name: (found[name], floor) for name, floor in FLOORS.items() if found[name] < floor}
    assert not below, below
