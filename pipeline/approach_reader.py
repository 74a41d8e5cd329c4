"""The reader that tells from the vector and words of a passage which approaches it describes.

Below: `embeddings.linear`. Above: `pipeline.approaches`, `pipeline.nlp.text_vectors`, `pipeline.project_reading`.
`checkup train readers` makes its weights.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.errors import CheckupError
from embeddings.e5_file import Floats
from embeddings.linear import LinearReader

WEIGHTS = Path(__file__).parent / "weights" / "approaches.npz"


def load_reader(fingerprint: str, path: Path = WEIGHTS) -> LinearReader | None:
    """The shipped reader, or None where it was trained for another encoder (projects then have labels only)."""
    try:
        return LinearReader.read(path, fingerprint)
    except CheckupError:
        return None


def row_of(probabilities: Floats, classes: Sequence[str], approaches: Sequence[str]) -> Floats:
    """float32[approaches]: the highest probability over passages, float32[n, classes]; 0 for what no class is."""
    place = {name: number for number, name in enumerate(classes)}
    most = probabilities.max(axis=0)
    return np.array([most[place[name]] if name in place else 0.0 for name in approaches], np.float32)
