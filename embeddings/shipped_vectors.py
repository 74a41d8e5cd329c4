"""The shipped projects' vectors, computed beforehand: a first `seed` need not embed hundreds of texts.

Below: NumPy. Above: `pipeline.refresh.seed` puts them into the vector cache, `checkup train vectors` writes them.
They are a cache only, used where fingerprint and text hash are the same; float16: the test compares them
with computed ones (cosine within 1e-3).
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from embeddings.encoders import VectorCache

FILE = Path(__file__).parent / "weights" / "shipped-vectors.npz"


def write_shipped(path: Path, fingerprint: str, vectors: Mapping[str, bytes]) -> None:
    """Write vectors (float32 bytes by text hash) of one encoder."""
    keys = sorted(vectors)
    matrix = np.stack([np.frombuffer(vectors[key], "<f4") for key in keys]).astype(np.float16)
    hashes = np.array([list(bytes.fromhex(key)) for key in keys], np.uint8)
    head = np.frombuffer(json.dumps({"fingerprint": fingerprint}).encode(), np.uint8)
    np.savez(path, head=head, hashes=hashes, vectors=matrix)


def load_shipped(cache: VectorCache, fingerprint: str, path: Path = FILE) -> int:
    """Put the shipped vectors into a cache; returns how many (0 where they are another encoder's)."""
    if not path.is_file():
        return 0
    with np.load(path, allow_pickle=False) as file:
        if json.loads(file["head"].tobytes())["fingerprint"] != fingerprint:
            return 0
        matrix = file["vectors"].astype("<f4")
        keys = [bytes(row).hex() for row in file["hashes"]]
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    cache.put_vectors(fingerprint, {key: row.tobytes() for key, row in zip(keys, matrix, strict=True)})
    return len(keys)
