"""One size of database, measured by `python -m bench` in processes of their own, so that each peak is of one job.

    python -m bench.size fill FOLDER COUNT --real     import and index COUNT projects into FOLDER
    python -m bench.size answer FOLDER                warm answers over it

Without `--real` the projects are read by rules and a stand-in makes their vectors: stored random unit vectors around
one real vector. The exact index takes the same time whatever the vectors mean; the answer says that they mean nothing.
"""

import argparse
import json
import random
import shutil
import time
from pathlib import Path

import numpy as np

from bench.clock import HUNDRED, SHORT, peak_mib, summary, timed

WORDS = 110
REAL = {"vectors": "encoded", "reading": "deep"}
DRAWN = {"vectors": "random unit vectors: no encoding in these figures", "reading": "rules"}


class Drawn:
    """Stands in for the encoder while a database is filled."""

    def __init__(self, real):
        self.fingerprint, self.dimension = real.fingerprint, real.dimension
        self._center = real.encode([HUNDRED], prompt_name="passage")[0]
        self._rng = np.random.default_rng(0)

    def encode(self, sentences, *, prompt_name="query", normalize_embeddings=True):
        made = self._center + 0.02 * self._rng.standard_normal((len(sentences), self.dimension)).astype(np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


def projects_of(count):
    """Projects of some 110 words, made of sentences of the shipped ones, no two alike."""
    from data.records import Project
    from data.shipped import iter_shipped

    shipped = [entry.project for entry in iter_shipped()]
    pool = [sentence.strip() for project in shipped for sentence in project.text.split(". ") if sentence.strip()]
    draw = random.Random(0)
    for number in range(count):
        told = []
        while sum(len(sentence.split()) for sentence in told) < WORDS:
            told.append(draw.choice(pool).rstrip("."))
        title = f"{shipped[number % len(shipped)].title} {number}"
        yield Project(id=f"p{number:05}", title=title, text=". ".join(told) + ".")


def fill(folder, count, threads, real):
    """Import `count` projects, then make the index anew from the database: all of it, and FAISS and bm25 alone."""
    from data.settings import load_settings
    from data.store import Store
    from embeddings.encoders import load_encoder
    from embeddings.published import index_folder
    from pipeline.nlp.extract import version_of
    from pipeline.publish import publish_index
    from pipeline.refresh import Report, Worker, import_projects

    how = REAL if real else DRAWN
    settings = load_settings(folder, threads=threads, reading=how["reading"])
    encoder = load_encoder(settings.encoder, threads=threads)
    encoder = encoder if real else Drawn(encoder)
    projects = list(projects_of(count))
    with Store.open(settings, create=True) as store, store.writing("import"):
        start = time.perf_counter()
        import_projects(store, projects, Worker(encoder), Report(), source="bench")
        import_s = time.perf_counter() - start
        shutil.rmtree(index_folder(folder))
        version = version_of(settings.reading)
        start = time.perf_counter()
        publish_index(store, encoder, encoder_name=settings.encoder, extractor_version=version)
        index_s = time.perf_counter() - start
    told = {"projects": count, **how, "import_s": import_s, "index_s": index_s, "fill_peak_mib": peak_mib()}
    return told | build_times(index_folder(folder))


def build_times(index):
    """Seconds that the two indexes take alone, over as many rows and the same words as the published ones."""
    from embeddings.index import DenseIndex
    from embeddings.lexical import LexicalIndex
    from embeddings.published import open_published

    dense = open_published(index).dense
    made = np.random.default_rng(0).standard_normal((dense.rows, dense.dimension)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    (generation,) = index.glob("g-*")
    tokens = list(json.loads((generation / "tokens.json").read_text("utf-8")).values())
    return {
        "rows": dense.rows,
        "index_faiss_s": timed(lambda: DenseIndex.build(made).write(index / "bench.faiss"), 1)[0],
        "index_bm25_s": timed(lambda: LexicalIndex.build(tokens).write(index / "bench.zip"), 1)[0],
    }


def answer(folder, threads):
    """Warm answers, the exact search against NumPy's product and sort, and the memory of a process that answers."""
    from data.settings import load_settings
    from matching.query import Query
    from matching.retrieve import Matcher

    matcher = Matcher(load_settings(folder, threads=threads), rebuild=False)
    result = {}
    for label, text in (("match_short", SHORT), ("match_100_words", HUNDRED)):
        query = Query(text=text)
        assert matcher.match(query)["matches"]
        result[label] = summary(timed(lambda query=query: matcher.match(query), 20))
    result["match_peak_mib"] = peak_mib()
    dense, rng = matcher.index.dense, np.random.default_rng(0)
    vector = rng.standard_normal((1, dense.dimension)).astype(np.float32)
    matrix = rng.standard_normal((dense.rows, dense.dimension)).astype(np.float32)
    faiss_s = min(timed(lambda: dense.scores(vector), 20))
    numpy_s = min(timed(lambda: np.argsort(-(matrix @ vector[0])), 20))
    return result | {"numpy_over_faiss": numpy_s / faiss_s}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=["fill", "answer"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int, nargs="?")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--real", action="store_true")
    given = parser.parse_args()
    if given.job == "fill":
        result = fill(given.folder, given.count, given.threads, given.real)
    else:
        result = answer(given.folder, given.threads)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
