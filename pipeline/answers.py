"""Which needs each project answers: what its approaches promise, made finer by similarity, groups, neighbours, words.

Below: NumPy, `data.vocabulary`, `embeddings.linear`. Above: `pipeline.publish`. Trained by `checkup train answers`.

A need and an approach are coarse: of ten projects that carry out a fitting approach perhaps three work on this very
need. So the chance that project p answers need n is a logistic function of five things: the noisy-or of arrows and
approaches; the similarity of the need's own words and the project; the share of the need's groups that the project
serves; what people said about similar texts (grades of shipped and invented projects in `data/corpus`, a kernel average
over their vectors); and a ridge regression of those grades on hashed words.
Projects that a person graded need by need have those grades; of others people named the needs that came to mind.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

from data.vocabulary import Vocabulary
from embeddings.e5_file import Floats
from embeddings.linear import hashed_tokens

WEIGHTS = Path(__file__).parent / "weights" / "answers.npz"
GRADE_VALUES = {3: 1.0, 2: 3 / 7, 1: 1 / 7}
"""What a person's grade is worth: (2^grade - 1) / 7, the gain that rankings are measured with."""
ARROW_VALUES = {3: 0.95, 2: 0.57, 1: 0.24}
ELSEWHERE = {"need_grades": 0.15, "need_names": 0.7}
"""How much the machine's chance counts where people gave no grade: they went through all needs, or named some."""
KERNEL = 0.07
SAME_TEXT = 0.9999
WORD_BITS = 13
LEAST_WORDS = 0.03
"""Added to what the words say of a need (0-1) before its logarithm is taken."""
FEATURES = ("approaches", "similarity", "groups", "neighbours", "words")


@dataclass(frozen=True, slots=True)
class Read:
    """Projects as they were read: what the chances are computed from; all in the same order."""

    vectors: Floats
    """float32[projects, d] of title and text together."""
    strengths: Floats
    """float32[projects, approaches] as `pipeline.approaches` read them."""
    approaches: Sequence[str]
    """The columns of `strengths`."""
    groups: Sequence[Sequence[str]]
    """Target groups."""
    words: Floats
    """float32[projects, needs]: what title and text say of each need (`AnswerReader.words`)."""


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """The model; arrays beside their names."""

    needs: tuple[str, ...]
    need_vectors: Floats
    """float32[needs, d]: title and rewording as a query."""
    center: Floats
    """float32[d], mean of the shipped neighbours' vectors."""
    graded: Floats
    """float32[projects, d], their vectors less `center`, at unit length."""
    grades: Floats
    """float32[projects, needs] in 0..1."""
    word_weights: Floats
    """float32[2^WORD_BITS, needs]; inverse document frequencies are multiplied in."""
    weights: Floats
    """float32[1 + len(FEATURES)], the bias first."""
    scale: tuple[float, float]
    """Mean and standard deviation of cosines between needs and projects."""
    fingerprint: str
    card: Mapping[str, Any]

    def chances(self, read: Read, vocabulary: Vocabulary) -> Floats:
        """float32[projects, needs] in 0..1.

        Args:
            read: the projects.
            vocabulary: whose arrows and groups count.
        """
        inner = self.features(read, vocabulary) @ self.weights[1:] + self.weights[0]
        return np.asarray(1 / (1 + np.exp(-inner)), np.float32)

    def features(self, read: Read, vocabulary: Vocabulary) -> Floats:
        """float32[projects, needs, len(FEATURES)], arguments as for `chances`."""
        wanted = [vocabulary.needs[n].groups if n in vocabulary.needs else () for n in self.needs]
        parts = (
            noisy_or(read.strengths, arrow_values(vocabulary, self.needs, read.approaches)),
            (read.vectors @ self.need_vectors.T - self.scale[0]) / self.scale[1],
            shared_groups(read.groups, wanted),
            self._neighbours(read.vectors),
            np.log(np.maximum(read.words, 0) + np.float32(LEAST_WORDS)),
        )
        return np.asarray(np.stack(parts, axis=-1), np.float32)

    def words(self, tokens: Sequence[str]) -> Floats:
        """float32[needs]: what a project's search tokens say of each need; the same whatever else is read beside."""
        places, values = hashed_tokens(tokens, WORD_BITS)
        return np.asarray(values @ self.word_weights[places], np.float32)

    @property
    def words_sha256(self) -> str:
        """Names the weights on which `words` depends."""
        return hashlib.sha256(" ".join(self.needs).encode() + self.word_weights.tobytes()).hexdigest()

    def _neighbours(self, vectors: Floats) -> Floats:
        """Logarithm of the kernel average of the graded projects' grades; a project is no neighbour of itself."""
        if not len(self.graded):
            return np.full((len(vectors), len(self.needs)), np.log(1e-3), np.float32)
        moved = vectors - self.center
        moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
        cosines = moved @ self.graded.T
        cosines[cosines > SAME_TEXT] = -np.inf
        kernel = np.exp((cosines - cosines.max(axis=1, keepdims=True)) / KERNEL)
        average = (kernel / kernel.sum(axis=1, keepdims=True)) @ self.grades
        return np.asarray(np.log(average + 1e-3), np.float32)

    def write(self, path: Path) -> None:
        """Write as .npz: vectors in float16, grades and the words' weights in 8 bit (these per need)."""
        scale = np.maximum(np.abs(self.word_weights).max(axis=0), 1e-9) / 127
        head = {"needs": self.needs, "scale": self.scale, "fingerprint": self.fingerprint, "card": dict(self.card)}
        np.savez_compressed(
            path, head=np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), np.uint8),
            need_vectors=self.need_vectors.astype(np.float16), center=self.center.astype(np.float32),
            graded=self.graded.astype(np.float16), grades=np.round(self.grades * 7).astype(np.int8),
            weights=self.weights.astype(np.float32), word_scale=scale.astype(np.float32),
            words=np.round(self.word_weights / scale).astype(np.int8),
        )  # fmt: skip

    @classmethod
    def read(cls, fingerprint: str, path: Path = WEIGHTS) -> Self | None:
        """The shipped model, or None where it is missing, of an older form or trained for another encoder."""
        try:
            with np.load(path, allow_pickle=False) as file:
                head = json.loads(file["head"].tobytes())
                arrays = {name: file[name].astype(np.float32) for name in file.files if name != "head"}
            if head["fingerprint"] != fingerprint:
                return None
            return cls(
                needs=tuple(head["needs"]), need_vectors=arrays["need_vectors"], center=arrays["center"],
                graded=arrays["graded"], grades=arrays["grades"] / 7, weights=arrays["weights"],
                word_weights=arrays["words"] * arrays["word_scale"],
                scale=tuple(head["scale"]), fingerprint=fingerprint, card=head["card"],
            )  # fmt: skip
        except (OSError, ValueError, KeyError, BadZipFile):
            return None


def arrow_values(
    vocabulary: Vocabulary, needs: Sequence[str], approaches: Sequence[str], worth: Mapping[int, float] = ARROW_VALUES
) -> Floats:
    """float32[needs, approaches]: the worth of each arrow's grade, 0 without an arrow; conditions count as met.

    Args:
        vocabulary: whose arrows.
        needs: ids of the rows.
        approaches: ids of the columns.
        worth: per grade; by default how likely a project that carries out the approach answers the need.
    """
    column = {name: place for place, name in enumerate(approaches)}
    values = np.zeros((len(needs), len(approaches)), np.float32)
    for row, name in zip(values, needs, strict=True):
        for arrow in vocabulary.needs[name].arrows if name in vocabulary.needs else ():
            if arrow.approach in column:
                row[column[arrow.approach]] = worth[arrow.grade]
    return values


def noisy_or(strengths: Floats, arrows: Floats) -> Floats:
    """float32[projects, needs]: 1 - prod over approaches of (1 - strength * arrow)."""
    left = np.zeros((len(strengths), len(arrows)), np.float32)
    for need, row in enumerate(arrows):
        asked = np.flatnonzero(row)
        left[:, need] = 1 - np.prod(1 - strengths[:, asked] * row[asked], axis=1)
    return left


def shared_groups(groups: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> Floats:
    """float32[projects, needs]: the share of a need's groups that a project serves; 0 where the need names none."""
    names = sorted({group for row in wanted for group in row})
    serves = np.array([[name in set(row) for name in names] for row in groups], np.float32).reshape(-1, len(names))
    asks = np.array([[name in row for name in names] for row in wanted], np.float32).reshape(-1, len(names))
    return np.asarray(serves @ (asks / np.maximum(asks.sum(axis=1, keepdims=True), 1)).T, np.float32)


def answers(
    reader: AnswerReader | None, vocabulary: Vocabulary, read: Read, cards: Sequence[Mapping[str, Any]]
) -> tuple[list[str], Floats]:
    """Ids of the needs, and how far each project answers each of them, float32[cards, needs] in 0..1.

    Args:
        reader: None leaves everything at 0 but what people graded.
        vocabulary: of the workspace.
        read: the projects of the cards.
        cards: as `pipeline.publish` makes them.
    """
    needs = list(reader.needs) if reader else list(vocabulary.needs)
    if reader and len(cards):
        found = reader.chances(read, vocabulary)
    else:
        found = np.zeros((len(cards), len(needs)), np.float32)
    place = {name: column for column, name in enumerate(needs)}
    for number, card in enumerate(cards):
        for told in ELSEWHERE.keys() & card["values"].keys():
            found[number] *= ELSEWHERE[told]
            for name, grade in card["values"][told].items():
                if name in place:
                    found[number, place[name]] = GRADE_VALUES[grade]
    return needs, found
