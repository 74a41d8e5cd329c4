"""Training the readers of spans on the marked texts: invented ones, shipped projects, the train part of the gold.

Below: `pipeline.nlp.marks_training`, `embeddings.span_training`. Above: `checkup train marks`.
"""

import hashlib
import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from data.corpus_files import FOLDER as CORPUS
from data.corpus_files import ReadText, Told, marked_projects, read_texts
from data.shipped import Shipped, iter_shipped
from embeddings.e5_graph import LOWER_LAYERS
from embeddings.span_training import SpanSettings, SpanText, save_span_adapter, train_spans
from embeddings.word_states import LOWER, WHOLE
from pipeline.nlp.marks import HEADS, READERS, MarkWeights
from pipeline.nlp.marks_training import MarkedText, excerpts, span_texts

COMMAND = "checkup train marks"
LEARNED = (("readings", "[!h]"), ("markings", "[!pt]"), ("marked", "[!f]"), ("profiles", "[!ci]"))
LEARNED_BY_LOWER = (("readings", "[!h]"), ("markings", "[!pt]"), ("marked", "[a-e]"))
DEVELOPMENT = (("readings", "h"), ("markings", "[pt]"), ("marked", "f"), ("profiles", "[ci]"))
"""Folders of the corpus with the files from which the reader upon all layers learns, those from which the one upon the
lowest does, and those that are held back: on them (one hand that misleads on purpose, two natural mixtures, one of
shipped projects, two of real ones told anew) the shares of rules and readers are chosen."""


@dataclass(frozen=True, slots=True)
class Member:
    """A reader that is trained: how, from which files, and where its adapter and its heads go."""

    settings: SpanSettings
    learned: tuple[tuple[str, str], ...]
    adapter: Path
    heads: Path


MEMBERS = {
    "lower": Member(
        SpanSettings(layers=LOWER_LAYERS, rank=16, alpha=32, learning_rate=8e-4, half=False),
        LEARNED_BY_LOWER, LOWER, READERS[LOWER],
    ),
    "whole": Member(SpanSettings(), LEARNED, WHOLE, READERS[WHOLE]),
}  # fmt: skip
"""The one upon the lowest layers tells numbers better when it has learned from fewer texts; together they tell most."""


def train_marks(
    gold: Path,
    member: Member,
    *,
    corpus: Path = CORPUS,
    progress: Callable[[int, float], None] | None = None,
) -> int:
    """Trains and writes adapter and heads; where the package onnx is installed the adapter gets its ranges (8 bit).

    Args:
        gold: `projects.jsonl` as in `tests/eval/gold_projects`; only what is on the topic in its part train is read.
        member: its settings are kept in the card, which stands in the file of the heads.
        corpus: its folders that the member names.
        progress: as in `train_spans`.

    Returns:
        How many texts were used.
    """
    settings, texts = member.settings, marked_texts(gold, member.learned, corpus)
    model = train_spans(examples(texts, settings), HEADS, settings, progress=progress)
    save_span_adapter(model, member.adapter, settings)
    if find_spec("onnx"):
        from embeddings.e5_ranges import add_ranges

        add_ranges(member.adapter, [" ".join(text.text.split()) for text in texts])
    card = {"command": COMMAND, "texts": len(texts), "data_sha256": data_sha256(texts), "settings": asdict(settings)}
    MarkWeights(model.heads, model.attention).save(member.heads, card)
    return len(texts)


def examples(texts: Sequence[MarkedText], settings: SpanSettings) -> list[SpanText]:
    """The texts and excerpts of them, as they are learned from."""
    return list(span_texts([*texts, *excerpts(texts, settings.seed)]))


def marked_texts(gold: Path, learned: Iterable[tuple[str, str]] = LEARNED, corpus: Path = CORPUS) -> list[MarkedText]:
    """Everything that a reader learns from: no text of DEVELOPMENT and none of the gold's parts dev and test."""
    entries = [json.loads(line) for line in gold.read_text("utf-8").split("\n") if line.strip()]
    held_back = {entry["id"] for entry in entries}
    return [
        *(_from_reading(read) for read in read_marked(learned, corpus, but=held_back)),
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
