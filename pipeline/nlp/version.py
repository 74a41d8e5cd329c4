"""The extractor's version: a hash over its code, its rules and the table of places: any change re-reads the documents.

Below: `data.places`. Above: `pipeline.nlp.extract`.
"""

import hashlib
from functools import cache
from pathlib import Path

from data.places import FOLDER

_TEXT = {".py", ".yaml", ".json", ".csv"}
_BINARY = {".npz"}
_OF_THE_READER = {"marks.npz", "shipped-marks.npz"}
"""Weights of the readers of spans, which are named beside (`pipeline.nlp.marks.weights_name`), and its kept answers."""


@cache
def extractor_version() -> str:
    """Sixteen hexadecimal digits over this package's modules, rules and weights and the table, line ends unified."""
    digest = hashlib.sha256()
    for folder in (Path(__file__).parent, FOLDER):
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if path.suffix in _TEXT | _BINARY and path.is_file() and path.name not in _OF_THE_READER:
                content = path.read_bytes()
                if path.suffix in _TEXT:
                    content = content.replace(b"\r\n", b"\n")
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]
