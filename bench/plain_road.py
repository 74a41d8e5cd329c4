"""`python -m bench.plain_road [SIZE …]`: Sentence Transformers and FAISS as a user writes it, over the same weights.

A process of its own, so that torch's memory is counted with nobody else's. Texts a second and indexing over 500 texts;
a match (encode 100 words, search the ten nearest) over as many random unit vectors as each size has projects.
"""

import argparse
import importlib.util
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.clock import HUNDRED, peak_mib, summary, timed

COUNT = 500


def measure(sizes, threads, count=COUNT):
    """The figures; `skipped` where the extra is not installed."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return {"skipped": "extra transformers is not installed"}
    import faiss
    import torch
    from sentence_transformers import SentenceTransformer

    from embeddings.export import write_folder

    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    with tempfile.TemporaryDirectory() as name:
        write_folder(Path(name) / "model")
        model = SentenceTransformer(str(Path(name) / "model"), device="cpu")
    texts = [f"{HUNDRED} Fall {i}." for i in range(count)]
    start = time.perf_counter()
    vectors = model.encode(texts, prompt_name="passage", normalize_embeddings=True, batch_size=32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    result = {"texts": count, "texts_per_s": count / (time.perf_counter() - start), "match_100_words": {}}
    rng = np.random.default_rng(0)
    for size in sizes:
        rows = rng.standard_normal((size, vectors.shape[1])).astype(np.float32)
        found = faiss.IndexFlatIP(vectors.shape[1])
        found.add(rows / np.linalg.norm(rows, axis=1, keepdims=True))

        def match(found=found):
            asked = model.encode([HUNDRED], prompt_name="query", normalize_embeddings=True)
            found.search(asked, 10)

        match()
        result["match_100_words"][str(size)] = summary(timed(match, 20))
    return result | {"peak_mib": peak_mib()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--texts", type=int, default=COUNT)
    given = parser.parse_args()
    print(json.dumps(measure(given.sizes, given.threads, given.texts)))


if __name__ == "__main__":
    main()
