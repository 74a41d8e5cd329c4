"""The figures by which everything is judged: pure functions from answers and gold to numbers (CONTRACT, "Figures").

Below: NumPy. Above: `checkup.evaluate`.
nDCG: Järvelin & Kekäläinen 2002, gain 2^rel - 1, log2 discount; intervals: percentile bootstrap (Efron 1979) over
situations with a fixed seed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RELEVANT = 2.0
BOOTSTRAPS = 2000


def ndcg(ranking: Sequence[str], relevance: Mapping[str, float], depth: int = 10) -> float:
    """NDCG at `depth`; the ideal is taken over all judged projects, of which at least one must be relevant."""
    gains = [2.0 ** relevance.get(project, 0.0) - 1 for project in ranking[:depth]]
    ideal = sorted((2.0**grade - 1 for grade in relevance.values()), reverse=True)[:depth]
    return _discounted(gains) / _discounted(ideal)


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def hit(ranking: Sequence[str], relevance: Mapping[str, float], depth: int = 3) -> float:
    """1.0 if a project of grade 2 or better is among the first `depth`, else 0.0."""
    return float(any(relevance.get(project, 0.0) >= RELEVANT for project in ranking[:depth]))


def served(ranking: Sequence[str], by_need: Sequence[Mapping[str, float]], depth: int = 10) -> tuple[int, int]:
    """Needs with a project of grade 2 or better among the first `depth`, and needs that have such a project at all."""
    answerable = [grades for grades in by_need if any(grade >= RELEVANT for grade in grades.values())]
    met = sum(hit(ranking, grades, depth) > 0 for grades in answerable)
    return met, len(answerable)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over situations with its 95 % bootstrap interval; all NaN without values."""

    value: float
    low: float
    high: float
    count: int


def mean(values: Sequence[float], *, seed: int = 0) -> Mean:
    """The mean with its interval."""
    if not values:
        return Mean(math.nan, math.nan, math.nan, 0)
    array = np.asarray(values, np.float64)
    draws = np.random.default_rng(seed).integers(0, len(array), (BOOTSTRAPS, len(array)))
    low, high = np.percentile(array[draws].mean(axis=1), [2.5, 97.5])
    return Mean(float(array.mean()), float(low), float(high), len(array))


@dataclass(frozen=True, slots=True)
class F1:
    """Micro precision, recall and F1 over ids; an empty denominator counts as 0 unless nothing was wrong (then 1)."""

    precision: float
    recall: float
    f1: float
    gold: int


def micro_f1(pairs: Iterable[tuple[Iterable[str], Iterable[str]]]) -> F1:
    """Over pairs of (found, gold)."""
    right = found_count = gold_count = 0
    for found, gold in pairs:
        found_set, gold_set = set(found), set(gold)
        right += len(found_set & gold_set)
        found_count += len(found_set)
        gold_count += len(gold_set)
    precision = right / found_count if found_count else float(not gold_count)
    recall = right / gold_count if gold_count else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return F1(precision, recall, f1, gold_count)


def ratio(part: int, whole: int) -> float | None:
    """The share, or None where there is nothing."""
    return part / whole if whole else None


def share(flags: Iterable[bool]) -> float | None:
    """The share of true ones; None for none."""
    values = list(flags)
    return sum(values) / len(values) if values else None
