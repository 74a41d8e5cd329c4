"""`python -m bench`: prints one table as JSON; figures are of this machine, ratios travel further.

Start, encoding, and for each size (`--sizes`): import, indexing (all of it; FAISS and bm25 alone), warm answers, and
the peak memory of the process that fills and of the one that answers. Up to `--real-up-to` projects (1,000) everything
is read and encoded as for a user; above, vectors are random and projects read by rules, and the size says so. In the
same run the plain road a user would take instead (`bench.plain_road`), as ratios: `ours_over_plain_road`, of texts
encoded a second (more is better) and of the time of a match (less is better; ours reads sentences, needs and reasons).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.clock import HUNDRED, SHORT, summary, timed


def child(module, *arguments):
    """What a part says that runs as a process of its own; its messages go through."""
    command = [sys.executable, "-m", f"bench.{module}", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True)
    return json.loads(done.stdout.splitlines()[-1])


def start_times():
    def run(*arguments):
        subprocess.run([sys.executable, "-m", "checkup", *arguments], capture_output=True, check=False)

    return {
        "help_s": min(timed(lambda: run("--help"), 3)),
        "match_help_s": min(timed(lambda: run("match", "--help"), 3)),
    }


def encode_rate(threads, count):
    from embeddings.encoders import load_encoder

    encoder = load_encoder("e5", threads=threads)
    texts = [f"{HUNDRED} Fall {i}." for i in range(count)]
    encoder.encode(texts[:2])
    seconds = timed(lambda: encoder.encode(texts), 1)[0]
    short = summary(timed(lambda: encoder.encode([SHORT]), 20))
    return {"texts": count, "texts_per_s_100_words": count / seconds, "short": short}


def size_figures(count, threads, *, real):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ws"
        filled = child("size", "fill", folder, count, "--threads", threads, *(["--real"] if real else []))
        return filled | child("size", "answer", folder, "--threads", threads)


def ratios(result):
    """Ours over the plain road's: encoding, and the median time of a match at each size."""
    plain = result["plain_road"]
    matches = {
        size: result["sizes"][size]["match_100_words"]["p50_ms"] / told["p50_ms"]
        for size, told in plain["match_100_words"].items()
    }
    return {
        "texts_per_s": result["encode"]["texts_per_s_100_words"] / plain["texts_per_s"],
        "match_100_words_p50": matches,
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def measure(sizes, threads, *, real_up_to, texts, plain_texts):
    """Everything; `plain_texts` 0: without the plain road."""
    result = {"threads": threads, "start": start_times(), "encode": encode_rate(threads, texts)}
    result["sizes"] = {str(size): size_figures(size, threads, real=size <= real_up_to) for size in sizes}
    if plain_texts:
        result["plain_road"] = child("plain_road", *sizes, "--threads", threads, "--texts", plain_texts)
        if "skipped" not in result["plain_road"]:
            result["ours_over_plain_road"] = ratios(result)
    return rounded(result)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10000])
    parser.add_argument("--real-up-to", type=int, default=1000)
    parser.add_argument("--texts", type=int, default=40, help="texts whose encoding is timed")
    parser.add_argument("--plain-texts", type=int, default=500)
    parser.add_argument("--without-plain-road", action="store_true")
    given = parser.parse_args()
    plain = 0 if given.without_plain_road else given.plain_texts
    result = measure(
        given.sizes, given.threads, real_up_to=given.real_up_to, texts=given.texts, plain_texts=plain
    )  # fmt: skip
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
