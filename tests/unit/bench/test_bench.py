"""`python -m bench` tells what it promises, each size from processes of its own."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import ratios
from bench.clock import peak_mib
from bench.size import projects_of

ROOT = Path(__file__).parents[3]
HOLD = "import sys; from bench.clock import peak_mib; held = bytearray(int(sys.argv[1]) << 20); print(peak_mib())"


def told(*arguments):
    command = [sys.executable, "-m", "bench", "--texts", "3", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def figures():
    plain = ["--plain-texts", "3"] if importlib.util.find_spec("sentence_transformers") else ["--without-plain-road"]
    return told("--sizes", "5", "60", "--real-up-to", "5", *plain)


def test_every_size_tells_import_indexing_memory_and_answers(figures):
    assert set(figures["sizes"]) == {"5", "60"}
    for size, found in figures["sizes"].items():
        assert found["projects"] == int(size) <= found["rows"]
        assert found["index_s"] > found["index_faiss_s"] > 0
        assert found["index_s"] > found["index_bm25_s"] > 0
        assert 0 < found["match_short"]["p50_ms"] < found["match_100_words"]["p95_ms"]
        assert 100 < found["match_peak_mib"] < 3000
        assert 100 < found["fill_peak_mib"] < 3000


def test_a_size_says_where_its_vectors_mean_nothing(figures):
    assert figures["sizes"]["5"]["vectors"] == "encoded"
    assert figures["sizes"]["5"]["reading"] == "deep"
    assert "random" in figures["sizes"]["60"]["vectors"]
    assert figures["sizes"]["60"]["reading"] == "rules"


@pytest.mark.transformers
def test_the_plain_road_matches_at_every_size(figures):
    pytest.importorskip("sentence_transformers")
    for size in ("5", "60"):
        plain = figures["plain_road"]["match_100_words"][size]["p50_ms"]
        ours = figures["sizes"][size]["match_100_words"]["p50_ms"]
        assert figures["ours_over_plain_road"]["match_100_words_p50"][size] == pytest.approx(ours / plain, rel=0.01)


def test_ratios_compare_ours_with_the_plain_road():
    result = {
        "encode": {"texts_per_s_100_words": 30.0},
        "sizes": {"7": {"match_100_words": {"p50_ms": 50.0}}},
        "plain_road": {"texts_per_s": 10.0, "match_100_words": {"7": {"p50_ms": 25.0}}},
    }
    assert ratios(result) == {"texts_per_s": 3.0, "match_100_words_p50": {"7": 2.0}}


def test_the_memory_of_a_child_is_its_own():
    held = bytearray(400 << 20)
    peaks = []
    for size in ("1", "120"):
        done = subprocess.run([sys.executable, "-c", HOLD, size], capture_output=True, text=True, check=True, cwd=ROOT)
        peaks.append(float(done.stdout))
    assert len(held) < peak_mib() * 2**20
    assert peaks[0] < 100
    assert 100 < peaks[1] - peaks[0] < 140


def test_projects_are_as_many_as_asked_for_of_some_110_words_and_no_two_alike():
    projects = list(projects_of(300))
    assert len({project.text for project in projects}) == len({project.id for project in projects}) == 300
    words = [len(project.text.split()) for project in projects]
    assert min(words) >= 110
    assert max(words) < 250
