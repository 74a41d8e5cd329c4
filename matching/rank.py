"""Scores to order: parts on fixed scales, mixed with few weights, each project once. Pure functions of arrays.

Below: NumPy. Above: `matching.retrieve`. The weights lie in `matching/weights/ranking.yaml`.

A project is worth showing if it answers *one* of the needs well. So each sentence s that leaves a need open (with
weight w_s, how likely it does) gives every project p a chance r_s(p), a logistic function of how similar sentence
and passage are, of how far the project's approaches lead to the needs the sentence may state, and of how far the
project answers those very needs; the chances are joined by noisy-or, 1 - prod(1 - w_s r_s(p)) (Pearl 1988), and mixed
with the similarity of the situation as a whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

Floats = npt.NDArray[np.float32]
WEIGHTS_FILE = Path(__file__).parent / "weights" / "ranking.yaml"
_STEP = 1e-5
GAINS = {3: 1.0, 2: 0.6, 1: 0.25}
"""What an arrow of each grade is worth."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Few numbers on fixed scales (standard deviations, or shares 0-1); fitted as the file says."""

    whole: float
    lexical: float
    tier: float
    """Added per step of the impact tier: decides among equals only."""
    needs: float
    """Of the noisy-or over sentences (0-1)."""
    sentence_bias: float
    sentence_similarity: float
    sentence_approach: float
    sentence_answer: float
    """Of how far the project answers the very needs the sentence may state (`pipeline.answers`)."""
    relevant: float
    """From this chance of answering a need (0-1) a project counts as relevant: only such ones are highlighted."""


def load_weights(path: Path = WEIGHTS_FILE) -> Weights:
    """The weights that lie beside the code.

    Raises:
        ValueError: a weight is missing, or one is not known.
    """
    given = yaml.safe_load(path.read_text("utf-8"))
    known = {field.name for field in fields(Weights)}
    if set(given) != known:
        raise ValueError(f"{path}: {sorted(set(given) ^ known)} missing or unknown")
    return Weights(**{name: float(value) for name, value in given.items()})


def standardised(similarity: Floats, scale: Mapping[str, float]) -> Floats:
    """Cosines as standard deviations above those of unrelated texts (`mean`, `sd`)."""
    return np.asarray((similarity - np.float32(scale["mean"])) / np.float32(scale["sd"]), np.float32)


def best_of_project(z: Floats, owner: npt.NDArray[np.int32], projects: int) -> Floats:
    """float32[queries, projects]: the best row of each project, for float32[queries, rows]; -inf without rows."""
    best = np.full((len(z), projects), -np.inf, np.float32)
    for scores, row in zip(z, best, strict=True):
        np.maximum.at(row, owner, scores)
    return best


def whole_of_project(z: Floats, rows: npt.NDArray[np.int32], projects: int) -> Floats:
    """float32[projects]: the first query against each project's whole text (rows with start < 0, one per project)."""
    whole = np.zeros(projects, np.float32)
    of_whole = rows[:, 1] < 0
    whole[rows[of_whole, 0]] = z[0, of_whole]
    return whole


def demand(needs: Floats, arrows: Floats) -> Floats:
    """How much each sentence asks for each approach, float32[sentences, approaches] in 0..1.

    Args:
        needs: float32[sentences, needs], probabilities per row.
        arrows: float32[needs, approaches], the arrows' gains 0..1.
    """
    wanted: Floats = np.asarray(np.minimum(needs @ arrows, 1.0), np.float32)
    return wanted


def supply(wanted: Floats, strengths: Floats) -> Floats:
    """How far each project's approaches answer each sentence, float32[sentences, projects]: the best approach counts.

    Args:
        wanted: float32[sentences, approaches] of `demand`.
        strengths: float32[projects, approaches].
    """
    answered = np.zeros((len(wanted), len(strengths)), np.float32)
    for row, want in zip(answered, wanted, strict=True):
        asked = np.flatnonzero(want > 0.01)
        if len(asked) and len(strengths):
            row[:] = (strengths[:, asked] * want[asked]).max(axis=1)
    return answered


def answer(needs: Floats, answers: Floats) -> Floats:
    """How far each project answers the needs each sentence may state, float32[sentences, projects] in 0..1.

    Args:
        needs: float32[sentences, needs], probabilities per row.
        answers: float32[projects, needs] in 0..1.
    """
    return np.asarray(np.minimum(needs @ answers.T, 1.0), np.float32)


@dataclass(frozen=True, slots=True)
class SentenceParts:
    """What speaks for each project as an answer to each sentence, float32[sentences, projects] each."""

    similarity: Floats
    """In standard deviations."""
    supplied: Floats
    """Of `supply`."""
    answered: Floats
    """Of `answer`."""


def need_chance(parts: SentenceParts, urgency: Floats, weights: Weights) -> tuple[Floats, Floats]:
    """The chance that a project answers one of the needs, and the chances sentence by sentence.

    Args:
        parts: what speaks for the projects.
        urgency: float32[sentences], how likely each leaves a need open.
        weights: of the logistic function.

    Returns:
        float32[projects] in 0..1 and float32[sentences, projects].
    """
    inner = (
        weights.sentence_bias
        + weights.sentence_similarity * parts.similarity
        + weights.sentence_approach * parts.supplied
        + weights.sentence_answer * parts.answered
    )
    chances = np.asarray(urgency[:, None] / (1 + np.exp(-np.clip(inner, -30, 30))), np.float32)
    joined = 1 - np.prod(1 - chances.astype(np.float64), axis=0)
    return np.asarray(joined, np.float32), chances


def mix(parts: Mapping[str, Floats], weights: Weights, tiers: Sequence[int]) -> Floats:
    """The score float32[projects] of each project; rounded to 1e-5, so that noise in the last bit decides nothing."""
    score = (
        weights.whole * parts["whole"]
        + weights.lexical * parts["lexical"]
        + weights.needs * parts["needs"]
        + weights.tier * np.asarray(tiers, np.float32)
    )
    return np.asarray(np.round(score, 5), np.float32)


def order(scores: Floats, ids: Sequence[str], keep: npt.NDArray[np.bool_], top: int) -> list[int]:
    """The places of the best `top` kept projects, best first; equals in the order of their ids."""
    candidates: list[Any] = [i for i in range(len(ids)) if keep[i]]
    candidates.sort(key=lambda i: (-float(scores[i]), ids[i]))
    return candidates[:top]


def covering(ranked: Sequence[int], serves: npt.NDArray[np.bool_], within: int) -> list[int]:
    """The ranked projects, so moved that for each need one that answers it is among the first `within`.

    A project moves up only where the places left are as many as the needs that still wait: the first ones stay where
    their scores put them. A need that none of them answers does not wait.

    Args:
        ranked: places of projects, best first.
        serves: bool[needs, projects], which project answers which need.
        within: how many places.
    """
    left = list(ranked)
    waiting = [need for need in range(len(serves)) if serves[need, left].any()]
    found: list[int] = []
    while left and len(found) < within:
        pressing = 0 < within - len(found) <= len(waiting)
        best = next(one for one in left if serves[waiting, one].any()) if pressing else left[0]
        left.remove(best)
        found.append(best)
        waiting = [need for need in waiting if not serves[need, best]]
    return [*found, *left]


def falling(scores: Sequence[float]) -> list[float]:
    """The scores of a list in its order, so that none is below a later one: what was moved up gets just enough more.

    Args:
        scores: of the projects as they stand.
    """
    shown: list[float] = []
    for score in reversed(scores):
        shown.append(round(shown[-1] + _STEP if shown and score < shown[-1] else score, 5))
    return shown[::-1]
