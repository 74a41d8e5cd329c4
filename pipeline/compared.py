"""Pairs of records that were compared before and are different, so that a curation costs what changed.

Below: `data.store_curation`. Above: `pipeline.curate`. Kept as hashes of both contents in WORKSPACE/curation.npy; where
the file is missing, damaged or of other rules, the next curation only compares everything again.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.store_curation import CurationRecord

FILE = "curation.npy"
Hashes = npt.NDArray[np.uint64]
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth's multiplicative hashing


class Different:
    """The pairs known to be different.

    Args:
        workspace: where the file lies.
        rules: names rules and code; pairs that others compared are not known.
        records: those that are curated now.
    """

    def __init__(self, workspace: Path, rules: str, records: Sequence[CurationRecord]) -> None:
        self._path = workspace / FILE
        self._hashes = {record.id: _hash(rules, record) for record in records}
        self._known = self._read()

    def unknown(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of the pairs (smaller id first) that must be compared, in their order."""
        told = list(pairs)
        known = np.isin(self._of(told), self._known)
        return [pair for pair, is_known in zip(told, known.tolist(), strict=True) if not is_known]

    def keep(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Make these the pairs known to be different; where the file cannot be written, the next time costs more."""
        hashes = np.unique(self._of(list(pairs)))
        if np.array_equal(hashes, self._known):
            return
        content = io.BytesIO()
        np.save(content, hashes, allow_pickle=False)
        fresh = self._path.with_suffix(".part")
        with suppress(OSError):
            fresh.write_bytes(content.getvalue())
            os.replace(fresh, self._path)

    def _of(self, pairs: Sequence[tuple[str, str]]) -> Hashes:
        one, other = (np.array([self._hashes[pair[side]] for pair in pairs], np.uint64) for side in (0, 1))
        return np.asarray((one * _ODD) ^ (other + _ODD), np.uint64)

    def _read(self) -> Hashes:
        try:
            found = np.load(self._path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            found = None
        usable = isinstance(found, np.ndarray) and found.dtype == np.uint64 and found.ndim == 1
        return found if usable else np.empty(0, np.uint64)


def _hash(rules: str, record: CurationRecord) -> int:
    """Of all that a comparison reads; the document's id stands for title, text and address."""
    line = json.dumps((rules, record.id, record.document_id, record.organisation, record.municipality))
    return int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big")
