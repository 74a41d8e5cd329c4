"""What the reader of spans says of a text: of every clause, every number and the whole, how likely each answer is.

Below: `embeddings.word_states`, `pipeline.nlp.clauses`, `pipeline.nlp.topic`. Above: `pipeline.nlp.judge`,
`pipeline.nlp.impact`, `pipeline.nlp.marked_numbers` and `pipeline.nlp.practice` decide by it, together with the rules.
Its heads lie in `weights/marks.npz`, made by `checkup.marks_training`; the answers for the shipped projects in
`weights/shipped-marks.npz`, so that a first `seed` need not read hundreds of texts.
"""

import hashlib
import io
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.cache_files import write_atomically
from data.corpus_files import BUDGETS, CONTINUATIONS, LESSONS, STATUSES
from data.impact import EVIDENCE_GRADES
from embeddings.e5_file import file_sha256
from embeddings.word_states import Head, shipped_states, states_name
from pipeline.nlp.clauses import Clause
from pipeline.nlp.lemmas import Words
from pipeline.nlp.topic import is_on_topic

if TYPE_CHECKING:
    from spacy.tokens import Doc

_WEIGHTS = Path(__file__).parent / "weights"
HEADS_FILE = _WEIGHTS / "marks.npz"
SHIPPED_FILE = _WEIGHTS / "shipped-marks.npz"
GRADES = (*EVIDENCE_GRADES[1:], EVIDENCE_GRADES[0])
"""In the order of the head's classes: X last."""
LEVELS = 8
"""Classes: 0 is no statement of an impact, 1-7 the levels."""
HEADS = (
    Head("level", LEVELS, 1.0),
    Head("status", len(STATUSES), 0.5),
    Head("lesson", 1 + len(LESSONS), 0.8),
    Head("continuation", 1 + len(CONTINUATIONS), 1.0),
    Head("transfer", 2, 1.5),
    Head("award", 2, 1.5),
    Head("reached", 2, 1.0, "number"),
    Head("rate", 2, 1.5, "number"),
    Head("base", 2, 1.0, "number"),
    Head("budget", 1 + len(BUDGETS), 0.4, "number"),
    Head("text_level", LEVELS, 1.2, "text"),
    Head("text_grade", len(GRADES), 0.8, "text"),
)
"""The questions. Of a number: do so many people count as reached, is it (the numerator of) the success rate, or its
denominator, is it the budget and of which kind. Class 0 is none, but for the status."""
_STATUS_TRUST = 0.3
ENGLISH = {"ruled": 1.5, "bias": -0.5}
"""What is added in English to the weights by which people reached and continuations are found: the reader has learned
from German texts, so the rules count more there (found on the half of the English projects that is for mending)."""
_STEPS = 1000
"""Likelihoods are told in thousandths, the kept ones as the computed ones."""
_WORD = re.compile(r"\S+")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spans:
    """A text's words between spaces, and by their places its clauses and numbers (with the clause each stands in)."""

    words: list[str]
    clauses: list[list[int]]
    numbers: list[tuple[list[int], int]]

    def key(self) -> str:
        """A hash that names the question: the same spans of the same words get the same answers."""
        told = json.dumps([self.words, self.clauses, self.numbers], ensure_ascii=False)
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """By head the likelihood of every answer: float32[clauses, classes], [numbers, classes] or [1, classes].

    Clauses behind the words that are read (`embeddings.word_states.MOST_TOKENS`) have `seen` False.
    """

    likely: Mapping[str, Floats]
    seen: NDArray[np.bool_]

    def of(self, name: str) -> Floats:
        """The likelihood of each answer of a head."""
        return self.likely[name]


@dataclass(frozen=True, slots=True, eq=False)
class MarkWeights:
    """By head weights float32[width, classes] and bias float32[classes]; `attention` float32[hidden] for the text."""

    heads: Mapping[str, tuple[Floats, Floats]]
    attention: Floats

    def answers(self, states: Floats, tokens: Sequence[tuple[int, int]], spans: Spans) -> Marks:
        """What the heads say of spans whose words have these tokens."""
        clauses, seen = _pooled(states, tokens, spans.clauses)
        numbers, _ = _pooled(states, tokens, [words for words, _ in spans.numbers])
        counts = clauses @ self.attention
        weights = np.exp(counts - counts.max()) * seen
        given = {
            "span": clauses,
            "number": np.concatenate([numbers, clauses[[own for _, own in spans.numbers]]], axis=1),
            "text": (weights / max(float(weights.sum()), 1e-9))[None] @ clauses,
        }
        return Marks({head.name: _likely(given[head.of], *self.heads[head.name]) for head in HEADS}, seen)

    def save(self, path: Path, card: Mapping[str, Any]) -> None:
        """Writes weights and card into one file; the same weights give the same bytes."""
        arrays: dict[str, Any] = {"attention": self.attention}
        for name, (weight, bias) in self.heads.items():
            arrays[f"{name}.weight"], arrays[f"{name}.bias"] = weight, bias
        told = json.dumps(dict(card), ensure_ascii=False, sort_keys=True).encode()
        halves = {name: value.astype(np.float16) for name, value in arrays.items()}
        np.savez_compressed(path, card=np.frombuffer(told, np.uint8), **halves)


def read_mark_weights(path: Path) -> MarkWeights:
    """Reads a file that `MarkWeights.save` wrote; nothing in it is executed."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        heads = {
            head.name: (file[f"{head.name}.weight"].astype(np.float32), file[f"{head.name}.bias"].astype(np.float32))
            for head in HEADS
        }
        return MarkWeights(heads, file["attention"].astype(np.float32))


@cache
def shipped_mark_weights() -> MarkWeights:
    """The heads that are shipped beside the code, read once a process."""
    return read_mark_weights(HEADS_FILE)


def find_marks(doc: "Doc") -> "Doc":
    """Component `checkup_marks`: sets `doc._.marks` where `doc._.deep` asks for it, and each clause's status anew.

    Without, and of what it has not learned (a text off the topic), the rules decide alone. English it reads as well as
    a multilingual encoder does that was trained on German.
    """
    clauses: list[Clause] = doc._.clauses
    if not doc._.deep or not clauses or not is_on_topic(doc):
        return doc
    doc._.marks = marks = mark(spans_of(doc))
    ruled = np.eye(len(STATUSES), dtype=np.float32)[[STATUSES.index(clause.status) for clause in clauses]]
    for clause, likely in zip(clauses, mixed(ruled, marks, "status", _STATUS_TRUST), strict=True):
        clause.status = STATUSES[int(likely.argmax())]
    return doc


def mixed(ruled: Floats, marks: Marks | None, name: str, trust: float) -> Floats:
    """The likelihoods of a head's answers and those of the rules (of the same shape), which have the share `trust`.

    Where the reader did not come so far, or was not asked, those of the rules alone.
    """
    if marks is None:
        return ruled
    found = trust * ruled + (1 - trust) * marks.of(name)
    return np.asarray(np.where(marks.seen[:, None], found, ruled), np.float32)


def log_odds(chances: Floats) -> Floats:
    """The logarithms of the odds; of 0 and 1 those of a thousandth and of all but a thousandth."""
    kept = np.clip(chances, 1 / _STEPS, 1 - 1 / _STEPS)
    return np.asarray(np.log(kept / (1 - kept)), np.float32)


def weighed(told: Mapping[str, Any], weights: Mapping[str, float], language: str = "de") -> Floats:
    """The chances that evidence adds up to (a logistic regression).

    Args:
        told: by name numbers, or arrays that NumPy broadcasts to one shape.
        weights: of each of them, and `bias`.
        language: with `en` those of ENGLISH are added.
    """
    more = ENGLISH if language == "en" else {}
    odds = weights["bias"] + more.get("bias", 0.0)
    for name, value in told.items():
        odds = odds + (weights[name] + more.get(name, 0.0)) * value
    return np.asarray(1 / (1 + np.exp(-np.asarray(odds))), np.float32)


def mark(spans: Spans) -> Marks:
    """What the shipped reader says of spans: looked up where they are a shipped project's, else computed."""
    kept = _shipped_marks()
    if kept and (row := kept.get(spans.key())) is not None:
        return _unpacked(row, spans)
    states, tokens = shipped_states().read(spans.words)
    return shipped_mark_weights().answers(states, tokens, spans)


def spans_of(doc: "Doc") -> Spans:
    """The words, clauses and numbers of a document, whose components before this one have run."""
    text = doc.text
    found = [match.span() for match in _WORD.finditer(text)]
    starts, ends = [start for start, _ in found], [end for _, end in found]
    words: Words = doc._.words

    def places(start: int, end: int) -> range:
        first, last = words.offsets[start], words.end_of(end - 1)
        return range(bisect_right(ends, first), bisect_left(starts, last))

    clauses = [
        sorted({place for start, end in clause.spans for place in places(start, end)}) for clause in doc._.clauses
    ]
    numbers = [
        (list(places(quantity.start, quantity.end)), doc._.clause_of[quantity.start]) for quantity in doc._.quantities
    ]
    return Spans([text[start:end] for start, end in found], clauses, numbers)


def write_shipped_marks(told: Mapping[str, Marks], path: Path = SHIPPED_FILE) -> None:
    """Keeps the answers to shipped texts, by the keys of their spans; they hold for the present weights only."""
    keys = sorted(told)
    rows = [_packed(told[key]) for key in keys]
    head = json.dumps({"weights": weights_name()}).encode()
    content = io.BytesIO()
    np.savez_compressed(
        content,
        head=np.frombuffer(head, np.uint8),
        keys=np.array([list(bytes.fromhex(key)) for key in keys], np.uint8),
        lengths=np.array([len(row) for row in rows], np.int32),
        values=np.concatenate(rows),
    )
    write_atomically(path, [content.getvalue()])


def forget_loaded() -> None:
    """Read weights and kept answers anew at the next call: their files have changed."""
    for kept in (shipped_states, shipped_mark_weights, _shipped_marks):
        kept.cache_clear()


@cache
def _shipped_marks(path: Path = SHIPPED_FILE) -> Mapping[str, NDArray[np.uint16]]:
    """The kept answers in thousandths; none where they are those of other weights."""
    if not path.is_file():
        return {}
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        if json.loads(file["head"].tobytes())["weights"] != weights_name():
            return {}
        ends = file["lengths"].cumsum()
        rows = np.split(file["values"], ends[:-1])
        return {bytes(key).hex(): row for key, row in zip(file["keys"], rows, strict=True)}


def weights_name() -> str:
    """Names adapter and heads: with others the answers are others."""
    return f"{states_name()}-{file_sha256(HEADS_FILE)[:16]}"


def _packed(marks: Marks) -> NDArray[np.uint16]:
    parts = [np.rint(marks.of(head.name) * _STEPS).astype(np.uint16).ravel() for head in HEADS]
    return np.concatenate([*parts, marks.seen.astype(np.uint16)])


def _unpacked(row: NDArray[np.uint16], spans: Spans) -> Marks:
    counts = {"span": len(spans.clauses), "number": len(spans.numbers), "text": 1}
    found, start = {}, 0
    for head in HEADS:
        size = counts[head.of] * head.classes
        found[head.name] = (row[start : start + size].reshape(-1, head.classes) / _STEPS).astype(np.float32)
        start += size
    return Marks(found, row[start:].astype(np.bool_))


def _pooled(
    states: Floats, tokens: Sequence[tuple[int, int]], spans: Iterable[Sequence[int]]
) -> tuple[Floats, NDArray[np.bool_]]:
    """The mean of the states of each span's tokens, and whether it has any."""
    rows, seen = [], []
    for words in spans:
        own = [token for word in words for token in range(*tokens[word])]
        seen.append(bool(own))
        rows.append(states[own].mean(axis=0) if own else np.zeros(states.shape[1], np.float32))
    shape = (len(rows), states.shape[1])
    return np.asarray(rows, np.float32).reshape(shape), np.asarray(seen, np.bool_)


def _likely(given: Floats, weight: Floats, bias: Floats) -> Floats:
    """The softmax of the scores, in thousandths."""
    scores = given @ weight + bias
    odds = np.exp(scores - scores.max(axis=1, keepdims=True)) if len(scores) else scores
    found = odds / odds.sum(axis=1, keepdims=True)
    return np.asarray(np.rint(found * _STEPS) / _STEPS, np.float32)
