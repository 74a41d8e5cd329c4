"""From the database to a published generation: texts embedded, indexes built, everything a reader needs in one folder.

Below: `data.store`, `embeddings`, `pipeline.nlp.search_tokens`. Above: `pipeline.refresh` and the commands that write.
Only what changed is embedded and tokenized; the rest comes from the vector cache and the generation before.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data.places import load_places
from data.records import STATES, Card
from data.store import Store
from data.store_review import feedback_counts
from data.vocabulary import load_vocabulary
from embeddings.e5_file import Floats
from embeddings.encoders import Encoder, encode_cached
from embeddings.published import WHOLE, IndexUnusableError, index_folder, publish, taken_over
from pipeline.answers import AnswerReader, Read, answers
from pipeline.approach_reader import load_reader
from pipeline.approaches import named, strengths
from pipeline.project_vectors import POOLING, project_vectors, whole_text
from pipeline.retention import recall

Progress = Callable[[str, int, int], None]
CARD_VALUES = (
    "action_fields", "target_groups", "approaches", "level", "evidence_grade", "tier", "verified", "cost_eur",
    "cost_kind", "budget_eur", "budget_kind", "price_year", "reached_persons", "success_rate_percent", "places",
    "scope", "contact", "continuation", "lessons", "setting", "need_grades", "need_names", "sources",
)  # fmt: skip
"""Properties of a project that readers of the index need."""


def card_json(card: Card, feedback: Mapping[str, int] | None = None) -> dict[str, Any]:
    """A card as the generation keeps it; JSON values only.

    Args:
        card: the project.
        feedback: how often consultants gave each kind of feedback; shown, and without weight in the ranking.
    """
    project = card.project
    values = {name: card.values[name] for name in CARD_VALUES if name in card.values}
    if project.municipality:
        values["places"] = [_column_place(project.municipality, project.state)]
    if feedback:
        values["feedback"] = dict(feedback)
    return {
        "project_id": project.id, "title": project.title, "text": project.text, "url": project.url,
        "organisation": project.organisation, "municipality": project.municipality, "state": project.state,
        "start_year": project.start_year, "end_year": project.end_year, "text_kind": card.text_kind,
        "document_id": card.document_id, "passages": [list(span) for span in card.passages], "values": values,
    }  # fmt: skip


def _column_place(municipality: str, state: str | None) -> dict[str, Any]:
    """The place that a project's columns give, which counts before those of its text, with its size from the table."""
    found = load_places().find(municipality, state=state if state in STATES else None)
    if len(found) != 1:
        return {
            "name": municipality,
            "state": state,
            "kind": "kreis" if "kreis" in municipality.lower() else "gemeinde",
        }
    place: dict[str, Any] = {"name": municipality, "state": state or found[0].state, "kind": found[0].kind}
    return place | ({"size": found[0].size} if found[0].size else {})


def publish_index(
    store: Store,
    encoder: Encoder,
    *,
    encoder_name: str,
    extractor_version: str,
    workers: int = 1,
    progress: Progress | None = None,
) -> str:
    """Publish the database's present state; returns the generation's name.

    Args:
        store: read as one consistent view; new vectors are kept in it.
        encoder: as the settings name it.
        encoder_name: that name, for worker processes.
        extractor_version: tokens of another version are made anew.
        workers: processes that embed; the result does not depend on it.
        progress: called with (stage, done, total).
    """
    told = feedback_counts(store)
    cards = [card_json(card, told.get(card.project.id)) for card in store.iter_cards()]
    embedded = project_vectors(
        cards, encoder=encoder, cache=store, workers=workers, encoder_name=encoder_name,
        progress=(lambda done, total: progress("einbetten", done, total)) if progress else None,
    )  # fmt: skip
    rows, texts, vectors = embedded.rows, embedded.texts, embedded.vectors
    recall(store, encoder.fingerprint, cards, rows, vectors)
    directions = embedded.directions()
    vocabulary = load_vocabulary(store.settings.workspace)
    approaches = list(vocabulary.approaches)
    reads, answering = load_reader(encoder.fingerprint), AnswerReader.read(encoder.fingerprint)
    folder = index_folder(store.settings.workspace)
    same = {
        "fingerprint": encoder.fingerprint, "pooling": POOLING, "extractor_version": extractor_version,
        "approaches": approaches,
        "approach_reader": reads.card["data_sha256"] if reads else None,
        "answer_reader": answering.words_sha256 if answering else None,
    }  # fmt: skip
    known = _known(folder, same)
    carried = strengths(reads, approaches, cards, rows, directions, texts, known.strengths)
    tokens = _tokens(cards, known.tokens, progress)
    words = _words(answering, tokens, known.words)
    read = Read(
        vectors=directions[rows[:, 1] == WHOLE], strengths=carried, approaches=approaches, words=words,
        groups=[card["values"].get("target_groups", []) for card in cards],
    )  # fmt: skip
    needs, answered = answers(answering, vocabulary, read, cards)
    for card, row in zip(cards, carried, strict=True):
        for graded in ("need_grades", "need_names"):
            card["values"].pop(graded, None)
        card["approaches_stated"] = bool(card["values"].setdefault("approaches", []))
        card["values"]["approaches"] = card["values"]["approaches"] or named(row, approaches)
    manifest = {
        **same,
        "encoder": encoder_name,
        "scale": reference_scale(encoder, store),
        "needs": needs,
    }
    return publish(
        folder,
        cards=cards,
        rows=rows,
        vectors=vectors,
        strengths=carried,
        answers=answered,
        words=words,
        tokens=tokens,
        manifest=manifest,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What the current generation knows of projects that did not change, by document id."""

    tokens: Mapping[str, list[str]] = field(default_factory=dict)
    strengths: Mapping[str, Floats] = field(default_factory=dict)
    """Without projects whose approaches people had stated: without their word these must be read."""
    words: Mapping[str, Floats] = field(default_factory=dict)


def _known(folder: Path, same: Mapping[str, Any]) -> Known:
    """What can be taken over: nothing where the generation is missing, damaged, or made with other than `same`."""
    try:
        manifest, files = taken_over(folder)
        if any(manifest.get(key) != value for key, value in same.items()):
            return Known()
        cards = [json.loads(line) for line in files["cards.jsonl"].decode("utf-8", "surrogatepass").split("\n") if line]
        strengths = np.load(io.BytesIO(files["strengths.npy"]), allow_pickle=False).astype(np.float32)
        words = np.load(io.BytesIO(files["words.npy"]), allow_pickle=False)
        return Known(
            tokens=json.loads(files["tokens.json"]),
            strengths={
                c["document_id"]: row for c, row in zip(cards, strengths, strict=True) if not c["approaches_stated"]
            },
            words={card["document_id"]: row for card, row in zip(cards, words, strict=True)},
        )
    except (IndexUnusableError, ValueError, KeyError, TypeError):
        return Known()


def _tokens(
    cards: Sequence[Mapping[str, Any]], known: Mapping[str, list[str]], progress: Progress | None
) -> dict[str, list[str]]:
    """Search tokens by document id, in the order of the cards."""
    from pipeline.nlp.search_tokens import search_tokens

    tokens: dict[str, list[str]] = {}
    for number, card in enumerate(cards, 1):
        key = card["document_id"]
        tokens[key] = known[key] if key in known else search_tokens(whole_text(card["title"], card["text"]))
        if progress and number % 50 == 0:
            progress("indexieren", number, len(cards))
    return tokens


def _words(reader: AnswerReader | None, tokens: Mapping[str, list[str]], known: Mapping[str, Floats]) -> Floats:
    """float32[cards, needs]: what the words of each project say of each need, in the order of `tokens`."""
    if reader is None:
        return np.zeros((len(tokens), 0), np.float32)
    found = np.zeros((len(tokens), len(reader.needs)), np.float32)
    for row, (key, words) in zip(found, tokens.items(), strict=True):
        row[:] = known[key] if key in known else reader.words(words)
    return found


def reference_texts() -> tuple[list[str], list[str]]:
    """Titles of needs and descriptions of approaches between which the reference scale is measured."""
    vocabulary = load_vocabulary()
    needs = [need.title for need in vocabulary.needs.values()][::4]
    return needs, [approach.what for approach in vocabulary.approaches.values()][::4]


def reference_scale(encoder: Encoder, store: Store) -> dict[str, float]:
    """Mean and standard deviation of this encoder's cosines between unrelated texts: the fixed scale of the ranking.

    Measured over our own vocabulary (titles of needs against descriptions of approaches), so that it depends on the
    encoder alone, never on a query or on the projects; kept with the vectors.
    """
    needs, approaches = reference_texts()
    left = encode_cached(needs, encoder=encoder, cache=store, prompt_name="query")
    right = encode_cached(approaches, encoder=encoder, cache=store, prompt_name="passage")
    cosines: Floats = left @ right.T
    # Rounded, so that the last bits of another machine's arithmetic do not make another generation.
    return {"mean": round(float(cosines.mean()), 4), "sd": round(float(cosines.std()), 4)}
