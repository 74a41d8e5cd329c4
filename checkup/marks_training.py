"""Training the reader of spans on the marked texts: invented ones, shipped projects, the train part of the gold.

Below: `pipeline.nlp.marks_training`, `embeddings.span_training`. Above: `checkup train marks`.
"""

import hashlib
import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.corpus_files import FOLDER as CORPUS
from data.corpus_files import ReadText, Told, marked_projects, read_texts
from data.shipped import Shipped, iter_shipped
from embeddings.span_training import SpanSettings, SpanText, save_span_adapter, train_spans
from embeddings.word_states import ADAPTER
from pipeline.nlp.marks import HEADS, WEIGHTS_FILE, MarkWeights
from pipeline.nlp.marks_training import MarkedText, excerpts, span_texts

COMMAND = "checkup train marks"
LEARNED = (("readings", "[!h]"), ("markings", "[!pt]"), ("marked", "[a-e]"))
DEVELOPMENT = (("readings", "h"), ("markings", "[pt]"), ("marked", "f"), ("profiles", "*"))
"""Folders of the corpus with the files from which the reader learns, and those that are held back: on the first three
(one hand that misleads on purpose, two natural mixtures, one of shipped projects) the shares of rules and reader are
chosen. `profiles` and the later files of `marked` wait: what the reader became with them is told in docs/quality.md."""


def train_marks(
    gold: Path,
    settings: SpanSettings,
    *,
    adapter: Path = ADAPTER,
    weights: Path = WEIGHTS_FILE,
    corpus: Path = CORPUS,
    progress: Callable[[int, float], None] | None = None,
) -> int:
    """Trains and writes adapter and heads.

    Args:
        gold: `projects.jsonl` as in `tests/eval/gold_projects`; only what is on the topic in its part train is read.
        settings: kept in the card.
        adapter: gets the adapter as safetensors.
        weights: gets the heads as .npz with the card.
        corpus: its folders of LEARNED.
        progress: as in `train_spans`.

    Returns:
        How many texts were used.
    """
    texts = marked_texts(gold, corpus)
    model = train_spans(examples(texts, settings), HEADS, settings, progress=progress)
    save_span_adapter(model, adapter, settings)
    card = {"command": COMMAND, "texts": len(texts), "data_sha256": data_sha256(texts), "settings": asdict(settings)}
    MarkWeights(model.heads, model.attention).save(weights, card)
    return len(texts)


def examples(texts: Sequence[MarkedText], settings: SpanSettings) -> list[SpanText]:
    """The texts and excerpts of them, as they are learned from."""
    return list(span_texts([*texts, *excerpts(texts, settings.seed)]))


def marked_texts(gold: Path, corpus: Path = CORPUS) -> list[MarkedText]:
    """Everything that the reader learns from: no text of DEVELOPMENT and none of the gold's parts dev and test."""
    entries = [json.loads(line) for line in gold.read_text("utf-8").split("\n") if line.strip()]
    held_back = {entry["id"] for entry in entries}
    return [
        *(_from_reading(read) for read in read_marked(LEARNED, corpus, but=held_back)),
        *(_from_gold(entry) for entry in entries if entry["split"] == "train" and entry["gold"]["action_fields"]),
    ]


def read_marked(
    chosen: Iterable[tuple[str, str]], corpus: Path = CORPUS, *, but: Container[str] = ()
) -> Iterator[ReadText]:
    """The marked texts of some folders and files; shipped projects without those named."""
    for name, files in chosen:
        if name == "marked":
            stated = {entry.project.id: _stated(entry) for entry in iter_shipped()}
            yield from (read for found, read in marked_projects(stated, corpus, files) if found not in but)
        else:
            yield from read_texts(corpus, name, files)


def data_sha256(texts: Sequence[MarkedText]) -> str:
    """A hash over texts and marks, as the card keeps it."""
    told = json.dumps([asdict(text) for text in texts], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _stated(entry: Shipped) -> dict[str, Any]:
    """What an entry states beside what is marked in it."""
    told: dict[str, list[Any]] = {}
    for statement in entry.statements:
        told.setdefault(statement.property, []).append(statement.value)
    return {
        "title": entry.project.title, "text": entry.project.text, "level": told["level"][0],
        "evidence": told["evidence_grade"][0], "fields": told.get("action_fields", []),
        "groups": told.get("target_groups", []),
    }  # fmt: skip


def _place(told: Told, **more: Any) -> dict[str, Any]:
    return {"start": told.start, "end": told.end, **more}


def _number(told: Told | None) -> tuple[float, Mapping[str, Any]] | None:
    return (told.value, _place(told)) if told else None


def _from_reading(read: ReadText) -> MarkedText:
    went_on, budget = read.continuation, read.budget
    return MarkedText(
        title=read.title, text=read.text, level=read.level, grade=read.evidence,
        claims=[_place(claim, **claim.value) for claim in read.claims],
        lessons=[_place(lesson, kind=lesson.value) for lesson in read.lessons],
        continuation=_place(went_on, status=went_on.value) if went_on else None,
        reached=_number(read.reached), rate=_number(read.rate),
        budget=(*budget.value, _place(budget)) if budget else None,
        awards=[_place(award) for award in read.awards],
        transferred=[_place(transfer) for transfer in read.transferred],
    )  # fmt: skip


def _from_gold(entry: Mapping[str, Any]) -> MarkedText:
    gold = entry["gold"]

    def number(name: str) -> tuple[float, None] | None:
        return (gold[name], None) if gold[name] is not None else None

    return MarkedText(
        title=entry.get("title"), text=entry["text"], level=gold["wirkungstreppe"], grade=str(gold["evidence"]),
        claims=gold["claims"], lessons=gold["lessons"], continuation=gold["continuation"],
        reached=number("reached_persons"), rate=number("success_rate_percent"),
        budget=(gold["budget_eur"], gold["budget_kind"], None) if gold["budget_eur"] is not None else None,
        awards=bool(gold["awards"]), transferred=bool(gold["transferred"]),
    )  # fmt: skip
