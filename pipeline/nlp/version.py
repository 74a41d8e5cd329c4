"""The extractor's version: a hash over its code and its rules, so that any change re-reads the stored documents.

Below: nothing. Above: `pipeline.nlp.extract`.
"""

import hashlib
from functools import cache
from pathlib import Path

_TEXT = {".py", ".yaml", ".json"}
_BINARY = {".npz"}
_OF_THE_READER = {"marks.npz", "shipped-marks.npz"}
"""Weights of the reader of spans, which is named beside (`pipeline.nlp.marks.weights_name`), and its kept answers."""


@cache
def extractor_version() -> str:
    """Sixteen hexadecimal digits over every module, rule file and weight file of this package, line ends unified."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.suffix in _TEXT | _BINARY and path.is_file() and path.name not in _OF_THE_READER:
            content = path.read_bytes()
            if path.suffix in _TEXT:
                content = content.replace(b"\r\n", b"\n")
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]
