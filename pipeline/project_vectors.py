"""Vectors of projects: of each passage, and of each project as a whole, the mean of those of its title and passages.

Below: `embeddings.encoders`. Above: `pipeline.publish`, `pipeline.retention`, `checkup.answers_training`.
No word is encoded twice: a run over the whole text beside its passages would take as long again (docs/quality.md).
The mean is weighted by characters and not brought to unit length, so that a text is as similar to a project of many
passages as it is to these on average; else projects of many passages would come before those of one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embeddings.e5_file import Floats
from embeddings.encoders import Encoder, VectorCache, encode_cached, text_sha256
from embeddings.published import WHOLE

POOLING = "title-and-passages"
"""Names how the vector of a whole is made: what was computed otherwise is not mixed with it."""
_UNIT = 0.999
"""Of at least this length a vector is one that was encoded; its last bits are left alone."""


@dataclass(frozen=True, slots=True)
class ProjectVectors:
    """Of each project as a whole, then of its passages where it has several."""

    rows: npt.NDArray[np.int32]
    """int32[n, 3]: card, start, end (WHOLE twice for title and text together)."""
    texts: list[str]
    vectors: Floats
    """float32[n, d]; wholes that are a mean are shorter than one."""

    def directions(self) -> Floats:
        """The vectors at unit length: what readers have learned from."""
        found = self.vectors.copy()
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        short = lengths[:, 0] < _UNIT
        found[short] /= np.maximum(lengths[short], 1e-9)
        return found

    def wholes(self) -> Floats:
        """float32[cards, d]: each project as a whole, at unit length."""
        return np.asarray(self.directions()[self.rows[:, 1] == WHOLE], np.float32)


def whole_text(title: str | None, text: str) -> str:
    """What stands for a project as a whole: its title, a full stop, its text."""
    return f"{title.rstrip('.')}. {text}" if title else text


def whole_key(title: str | None, text: str) -> str:
    """The cache key of a project's vector as a whole."""
    return text_sha256(POOLING, whole_text(title, text))


def project_vectors(
    cards: Sequence[Mapping[str, Any]],
    *,
    encoder: Encoder,
    cache: VectorCache,
    workers: int = 1,
    encoder_name: str = "e5",
    progress: Callable[[int, int], None] | None = None,
) -> ProjectVectors:
    """Embeds projects.

    Args:
        cards: with `title` (may be None), `text` and `passages` (half-open spans of the text).
        encoder: as the settings name it.
        cache: keeps the vectors, those of the wholes too.
        workers: processes that embed; the result does not depend on it.
        encoder_name: the setting that gave `encoder`.
        progress: called with (done, total) of the texts to encode.
    """
    rows, texts = rows_and_texts(cards)
    vectors = encode_cached(
        _encoded(cards, rows, texts), encoder=encoder, cache=cache, workers=workers, encoder_name=encoder_name,
        progress=progress,
    )  # fmt: skip
    starts = np.flatnonzero(rows[:, 1] == WHOLE)
    for start, card in zip(starts, cards, strict=True):
        if len(card["passages"]) > 1:
            lengths = [len(card["title"] or ""), *(end - begin for begin, end in card["passages"])]
            weights = np.asarray(lengths, np.float32) / np.float32(sum(lengths))
            vectors[start] = weights @ vectors[start : start + len(lengths)]
    _keep(cards, vectors[starts], encoder.fingerprint, cache)
    return ProjectVectors(rows, texts, vectors)


def _keep(cards: Sequence[Mapping[str, Any]], wholes: Floats, fingerprint: str, cache: VectorCache) -> None:
    """Keeps the vectors of the wholes: where a text must go, its vector stays (`pipeline.retention`)."""
    told = {whole_key(card["title"], card["text"]): row for card, row in zip(cards, wholes, strict=True)}
    new = told.keys() - cache.get_vectors(fingerprint, told).keys()
    cache.put_vectors(fingerprint, {key: told[key].astype("<f4").tobytes() for key in sorted(new)})


def rows_and_texts(cards: Sequence[Mapping[str, Any]]) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Dense rows int32[n, 3] and the texts that they stand for."""
    rows: list[tuple[int, int, int]] = []
    texts: list[str] = []
    for number, card in enumerate(cards):
        rows.append((number, WHOLE, WHOLE))
        texts.append(whole_text(card["title"], card["text"]))
        if len(card["passages"]) > 1:
            for start, end in card["passages"]:
                rows.append((number, start, end))
                texts.append(card["text"][start:end])
    return np.array(rows, np.int32).reshape(len(rows), 3), texts


def encoded_texts(cards: Sequence[Mapping[str, Any]]) -> list[str]:
    """Everything that is encoded of projects, as passages."""
    return _encoded(cards, *rows_and_texts(cards))


def encoded_keys(cards: Sequence[Mapping[str, Any]]) -> set[str]:
    """The cache keys of these texts; of the wholes there is `whole_key`."""
    return {text_sha256("passage", text) for text in encoded_texts(cards)}


def _encoded(cards: Sequence[Mapping[str, Any]], rows: npt.NDArray[np.int32], texts: Sequence[str]) -> list[str]:
    """What is encoded for each row: for a whole with several passages its title, else the row's text."""
    return [
        (cards[number]["title"] or "") if start == WHOLE and len(cards[number]["passages"]) > 1 else text
        for (number, start, _), text in zip(rows.tolist(), texts, strict=True)
    ]
