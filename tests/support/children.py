"""The environment of every Python that a test starts: it reads this tree, and reaches this machine only."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
OFFLINE = Path(__file__).parent / "offline"
"""Holds the `sitecustomize` that keeps a process from reaching any other machine."""


def children_environment(tree: Path = ROOT) -> dict[str, str]:
    """The environment of this process, changed as said above; `tree` is what the child reads."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (OFFLINE, tree)))}
