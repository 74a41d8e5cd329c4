"""Exact dense retrieval over passage vectors with FAISS.

Below: FAISS. Above: `embeddings.published` writes and opens it as part of a published generation.
Flat inner product (exact) up to 200,000 rows, a half-precision scalar quantiser above.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from embeddings.e5_file import Floats

FLAT_UP_TO = 200_000


class DenseIndex:
    """Rows float32[n, d], L2-normalised, searched by cosine.

    Not safe for use by several threads at once; a process opens its own.
    """

    def __init__(self, index: Any) -> None:
        self._index = index
        self.rows = int(index.ntotal)
        self.dimension = int(index.d)

    @classmethod
    def build(cls, vectors: Floats) -> Self:
        """The index over float32[n, d], row i of the index being row i of the array; n may be 0."""
        import faiss

        faiss.omp_set_num_threads(1)
        dimension = vectors.shape[1]
        if len(vectors) <= FLAT_UP_TO:
            index: Any = faiss.IndexFlatIP(dimension)
        else:
            index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
            index.train(vectors)
        index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index)

    def write(self, path: Path) -> None:
        """Write to a file (through memory: FAISS itself cannot open non-ASCII paths everywhere)."""
        import faiss

        path.write_bytes(faiss.serialize_index(self._index).tobytes())

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The index whose bytes `write` wrote; the caller has checked their hash."""
        import faiss

        faiss.omp_set_num_threads(1)
        return cls(faiss.deserialize_index(np.frombuffer(content, np.uint8)))

    def scores(self, queries: Floats, rows: Sequence[int] | None = None) -> Floats:
        """Cosines float32[queries, rows]: of every row, or of the given ones in their order.

        All are returned, not the nearest only: the ranking mixes them with other parts on fixed scales.
        """
        if not self.rows or not len(queries):
            return np.zeros((len(queries), self.rows if rows is None else len(rows)), np.float32)
        similarity, ids = self._index.search(np.ascontiguousarray(queries, np.float32), self.rows)
        result = np.empty((len(queries), self.rows), np.float32)
        np.put_along_axis(result, ids, similarity, axis=1)
        return result if rows is None else result[:, list(rows)]
