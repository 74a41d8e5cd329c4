"""Lexical retrieval: BM25 (Robertson & Zaragoza 2009, Lucene's variant) over ready tokens, by bm25s.

Below: bm25s. Above: `embeddings.published`. Tokens come from the spaCy pipeline (lemmas, parts of compounds).
"""

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from embeddings.e5_file import Floats

PARTS = ("data", "indices", "indptr")


class LexicalIndex:
    """BM25 scores of every document, divided by the query's own weight, so that queries of any length compare."""

    def __init__(self, retriever: Any, documents: int, idf: dict[str, float]) -> None:
        self._retriever = retriever
        self.documents = documents
        self._idf = idf

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> Self:
        """The index over token lists; document i keeps its place i. No document at all is allowed."""
        import bm25s

        frequency: dict[str, int] = {}
        for tokens in documents:
            for token in set(tokens):
                frequency[token] = frequency.get(token, 0) + 1
        count = len(documents)
        idf = {t: math.log(1 + (count - f + 0.5) / (f + 0.5)) for t, f in sorted(frequency.items())}
        if not idf:
            return cls(None, count, {})
        # Given ready numbers: bm25s's own depend on the process, and the same documents should give the same file.
        numbers = {token: number for number, token in enumerate(idf)}
        retriever = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        retriever.index(([[numbers[token] for token in tokens] for tokens in documents], numbers), show_progress=False)
        return cls(retriever, count, idf)

    def scores(self, tokens: Sequence[str]) -> Floats:
        """float32[documents]: BM25 over the distinct query tokens, divided by the root of their squared idf's sum."""
        known = sorted({token for token in tokens if token in self._idf})
        if not known or self._retriever is None:
            return np.zeros(self.documents, np.float32)
        weight = math.sqrt(sum(self._idf[token] ** 2 for token in known))
        return np.asarray(self._retriever.get_scores(known), np.float32) / np.float32(weight)

    def write(self, path: Path) -> None:
        """Write to one file (an uncompressed zip of arrays and JSON)."""
        with ZipFile(path, "w", ZIP_STORED) as archive:
            archive.writestr(
                "idf.json", json.dumps({"documents": self.documents, "idf": self._idf}, ensure_ascii=False)
            )
            if self._retriever is None:
                return
            archive.writestr("vocabulary.json", json.dumps(self._retriever.vocab_dict, ensure_ascii=False))
            for name in PARTS:
                buffer = io.BytesIO()
                np.save(buffer, self._retriever.scores[name], allow_pickle=False)
                archive.writestr(f"{name}.npy", buffer.getvalue())

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The index whose bytes `write` wrote; the caller has checked their hash."""
        import bm25s

        with ZipFile(io.BytesIO(content)) as archive:
            head = json.loads(archive.read("idf.json"))
            if "vocabulary.json" not in archive.namelist():
                return cls(None, head["documents"], {})
            retriever = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
            retriever.vocab_dict = json.loads(archive.read("vocabulary.json"))
            retriever.unique_token_ids_set = set(retriever.vocab_dict.values())
            retriever.nonoccurrence_array = None  # Lucene's variant has none
            parts = {n: np.load(io.BytesIO(archive.read(f"{n}.npy")), allow_pickle=False) for n in PARTS}
            retriever.scores = {**parts, "num_docs": head["documents"]}
        return cls(retriever, head["documents"], head["idf"])
