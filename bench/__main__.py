"""`python -m bench`: prints one table; figures are of this machine, ratios travel further.

Measured in one run: start, encoding, indexing and matching at 1,000 and 10,000 projects with synthetic vectors drawn
around real ones (the ranking is exact whatever they mean), memory; beside it the plain road a user would take instead
(Sentence Transformers and FAISS over 500 texts, where the extra is installed) and NumPy brute force.
"""

import argparse
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SHORT = "Bei uns finden anerkannte Geflüchtete keine Wohnung."
PARTS = (
    "In unserer Kreisstadt wohnen viele anerkannte Geflüchtete weiter in der Sammelunterkunft.",
    "Private Vermieter sagen ab, sobald sie den Namen hören.",
    "Die Sprachkurse laufen gut, aber nach dem Kurs haben die jungen Männer weder Ausbildung noch Arbeit.",
    "Die Betriebe sagen, sie wüssten nicht, wen sie ansprechen sollen.",
    "Der Helferkreis ist auf vier Personen geschrumpft und am Ende seiner Kräfte.",
    "Für Neues stehen höchstens 60.000 Euro im Jahr bereit.",
    "Im Stadtteil am Bahnhof häufen sich Beschwerden über Lärm und Müll.",
)
HUNDRED = " ".join(PARTS[:6])


def timed(call, repeats):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def summary(seconds):
    ordered = sorted(seconds)
    return {"p50_ms": 1000 * statistics.median(ordered), "p95_ms": 1000 * ordered[int(0.95 * (len(ordered) - 1))]}


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def start_times():
    def run(*arguments):
        subprocess.run([sys.executable, "-m", "checkup", *arguments], capture_output=True, check=False)

    return {
        "help_s": min(timed(lambda: run("--help"), 3)),
        "match_help_s": min(timed(lambda: run("match", "--help"), 3)),
    }


def workspace_of(count, folder):
    """A workspace whose projects are the shipped ones, repeated under other ids with one changed word."""
    from data.exchange import write_projects
    from data.records import Project
    from data.shipped import iter_shipped

    shipped = [entry.project for entry in iter_shipped()]
    projects = [
        Project(
            id=f"p{i:05}", title=shipped[i % len(shipped)].title, text=f"{shipped[i % len(shipped)].text} Nummer {i}."
        )
        for i in range(count)
    ]
    path = folder / "projects.jsonl"
    write_projects(projects, path)
    return path


def match_times(count, threads):
    """Import with vectors drawn around the shipped ones' (encoding is measured apart), then warm answers."""
    from data.settings import load_settings
    from data.store import Store
    from embeddings import encoders
    from matching.query import Query
    from matching.retrieve import Matcher
    from pipeline import refresh

    rng = np.random.default_rng(0)

    class Drawn:
        """Stands in for the encoder while filling the database only."""

        def __init__(self, real):
            self.fingerprint, self.dimension = real.fingerprint, real.dimension
            self.center = real.encode([HUNDRED], prompt_name="passage")[0]

        def encode(self, sentences, *, prompt_name="query", normalize_embeddings=True):
            made = self.center + 0.02 * rng.standard_normal((len(sentences), self.dimension)).astype(np.float32)
            return made / np.linalg.norm(made, axis=1, keepdims=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        from data.exchange import read_projects

        projects = read_projects(workspace_of(count, folder)).projects
        settings = load_settings(folder / "ws", threads=threads)
        real = encoders.load_encoder(settings.encoder, threads=threads)
        start = time.perf_counter()
        with Store.open(settings, create=True) as store, store.writing("import"):
            report = refresh.Report()
            refresh.import_projects(store, projects, refresh.Worker(Drawn(real)), report, source="bench")
        import_s = time.perf_counter() - start
        matcher = Matcher(settings)
        result = {"import_without_encoding_s": import_s}
        for label, text in (("short", SHORT), ("hundred_words", HUNDRED)):
            query = Query(text=text)
            matcher.match(query)
            result[label] = summary(timed(lambda query=query: matcher.match(query), 20))
        dense = matcher.index.dense
        vectors = rng.standard_normal((1, dense.dimension)).astype(np.float32)
        matrix = rng.standard_normal((dense.rows, dense.dimension)).astype(np.float32)
        faiss_s = min(timed(lambda: dense.scores(vectors), 20))
        numpy_s = min(timed(lambda: np.argsort(-(matrix @ vectors[0])), 20))
        result["rows"] = dense.rows
        result["numpy_over_faiss"] = numpy_s / faiss_s
        result["peak_mib"] = peak_mib()
        return result


def encode_rate(threads):
    from embeddings.encoders import load_encoder

    encoder = load_encoder("e5", threads=threads)
    texts = [f"{HUNDRED} Fall {i}." for i in range(40)]
    encoder.encode(texts[:2])
    seconds = timed(lambda: encoder.encode(texts), 1)[0]
    short = summary(timed(lambda: encoder.encode([SHORT]), 20))
    return {"texts_per_s_100_words": len(texts) / seconds, "short": short}


def plain_road(count=500):
    """Sentence Transformers and FAISS as a user would write it, over the same weights."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return {"skipped": "extra transformers is not installed"}
    import faiss
    import torch
    from sentence_transformers import SentenceTransformer

    from embeddings.export import write_folder

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        write_folder(Path(name) / "model")
        model = SentenceTransformer(str(Path(name) / "model"), device="cpu")
        texts = [f"{HUNDRED} Fall {i}." for i in range(count)]
        start = time.perf_counter()
        vectors = model.encode(texts, prompt_name="passage", normalize_embeddings=True, batch_size=32)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        seconds = time.perf_counter() - start
        one = summary(timed(lambda: index.search(model.encode([HUNDRED], prompt_name="query"), 10), 10))
        return {"texts_per_s": count / seconds, "hundred_words": one}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10000])
    parser.add_argument("--without-plain-road", action="store_true")
    given = parser.parse_args()
    result = {"threads": given.threads, "start": start_times(), "encode": encode_rate(given.threads)}
    for size in given.sizes:
        result[f"match_{size}"] = match_times(size, given.threads)
    if not given.without_plain_road:
        result["plain_road_500_texts"] = plain_road()
        if "texts_per_s" in result["plain_road_500_texts"]:
            result["ours_over_plain_road"] = (
                result["encode"]["texts_per_s_100_words"] / result["plain_road_500_texts"]["texts_per_s"]
            )
    print(json.dumps(result, indent=2, default=lambda value: round(float(value), 4)))


if __name__ == "__main__":
    main()
