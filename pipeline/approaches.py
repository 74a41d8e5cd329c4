"""Which approaches a project carries out, read from the vectors and words of its passages.

Below: `pipeline.approach_reader`. Above: `pipeline.publish`, `pipeline.project_reading`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embeddings.e5_file import Floats
from embeddings.linear import LinearReader
from pipeline.approach_reader import row_of

SHOWN = 0.3
"""A read approach is named if its strength is at least this, the best one always."""
MOST_SHOWN = 4


def strengths(
    reader: LinearReader | None,
    approaches: Sequence[str],
    cards: Sequence[Mapping[str, Any]],
    rows: npt.NDArray[np.int32],
    vectors: Floats,
    texts: Sequence[str],
    known: Mapping[str, Floats],
) -> Floats:
    """How far each project carries out each approach, float32[cards, approaches] in 0..1.

    A project whose approaches people have stated has those, the main one 1; of the others the highest probability over
    its passages and its whole text counts.

    Args:
        reader: None leaves projects without stated approaches at 0.
        approaches: the columns' ids.
        cards: as `pipeline.publish` makes them.
        rows: int32[n, 3], card and span of each vector.
        vectors: float32[n, d].
        texts: the n texts.
        known: rows that the same reader gave before, by document id; they are not read again.

    Returns:
        Values that float16 holds, so that rows read now and rows known from a generation are the same.
    """
    from pipeline.nlp.search_tokens import search_tokens

    column = {name: place for place, name in enumerate(approaches)}
    result = np.zeros((len(cards), len(approaches)), np.float32)
    stated = [bool(card["values"].get("approaches")) for card in cards]
    for row, card in zip(result, cards, strict=True):
        for place, name in enumerate(card["values"].get("approaches", [])):
            if name in column:
                row[column[name]] = max(1.0 - 0.2 * place, 0.4)
    if reader is None:
        return result
    for number, card in enumerate(cards):
        if not stated[number] and card["document_id"] in known:
            stated[number] = True
            result[number] = known[card["document_id"]]
    unread = [number for number, (card, _, _) in enumerate(rows.tolist()) if not stated[card]]
    for start in range(0, len(unread), 256):
        part = unread[start : start + 256]
        words = [search_tokens(texts[number]) for number in part]
        found = reader.probabilities(vectors[part], [texts[number] for number in part], words)
        for number, probabilities in zip(part, found, strict=True):
            row = result[rows[number, 0]]
            np.maximum(row, row_of(probabilities[None], reader.classes, approaches), out=row)
    return result.astype(np.float16).astype(np.float32)


def named(row: Floats, approaches: Sequence[str]) -> list[str]:
    """The approaches worth naming, strongest first."""
    order = np.argsort(-row, kind="stable")[:MOST_SHOWN]
    return [approaches[i] for n, i in enumerate(order) if row[i] >= SHOWN or (n == 0 and row[i] >= SHOWN / 2)]
