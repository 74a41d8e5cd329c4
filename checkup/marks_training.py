"""Training the reader of spans on the marked texts: invented ones, shipped projects, the train part of the gold.

Below: `pipeline.nlp.marks_training`, `embeddings.span_training`. Above: `checkup train marks`.
Two teachers learn from what people marked; the reader that is shipped learns from them as well, also in texts that
nobody marked. Together the teachers read better than either; one reader takes three fifths of their time.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from data.cache_files import cache_folder
from data.corpus_files import FOLDER as CORPUS
from data.corpus_files import ReadText, Told, approach_texts, marked_projects, project_texts, read_texts
from data.shipped import Shipped, iter_shipped
from embeddings.span_network import SpanModel, SpanSettings, SpanText
from embeddings.span_training import read_span_adapter, save_span_adapter, span_answers, train_spans
from embeddings.word_states import SPAN_ADAPTER
from pipeline.nlp.marks import HEADS, HEADS_FILE, MarkWeights, read_mark_weights
from pipeline.nlp.marks_training import MarkedText, excerpts, span_texts, unmarked_texts

COMMAND = "checkup train marks"
LEARNED = (("readings", "[!h]"), ("markings", "[!pt]"), ("marked", "[!f]"), ("profiles", "[abd-h]"))
DEVELOPMENT = (("readings", "h"), ("markings", "[pt]"), ("marked", "f"), ("profiles", "[cijklmnopqrsu]"))
"""Folders of the corpus with the files that are learned from, and those that are held back: on them (one hand that
misleads on purpose, two natural mixtures, one of shipped projects, real ones told anew by 13 hands) the shares of rules
and reader are chosen."""
SETTINGS = SpanSettings(epochs=3, learning_rate=4e-4, head_rate=1.2e-3)
ANEW = SpanSettings(epochs=2, learning_rate=2e-4, head_rate=1.2e-3)
"""Of the reader that learns some questions anew."""
_SHORTEST = 40
"""Words of an unmarked text."""

Progress = Callable[[str, int, float], None]


@dataclass(frozen=True, slots=True)
class Teacher:
    """A reader that is only asked while another learns: how and from which files it is trained."""

    settings: SpanSettings
    learned: tuple[tuple[str, str], ...]


TEACHERS = {
    "lower": Teacher(
        SpanSettings(layers=6, rank=16, alpha=32, learning_rate=8e-4, half=False),
        (("readings", "[!h]"), ("markings", "[!pt]"), ("marked", "[a-e]")),
    ),
    "whole": Teacher(SpanSettings(), LEARNED),
}
"""The one upon the lowest layers tells numbers better when it has learned from fewer texts. The reader begins as the
last one."""


def train_marks(
    gold: Path,
    *,
    adapter: Path = SPAN_ADAPTER,
    heads: Path = HEADS_FILE,
    teachers: Path | None = None,
    settings: SpanSettings = SETTINGS,
    given: Mapping[str, Teacher] = TEACHERS,
    corpus: Path = CORPUS,
    progress: Progress | None = None,
) -> int:
    """Trains and writes adapter and heads; where the package onnx is installed the adapter gets its ranges (8 bit).

    Args:
        gold: `projects.jsonl` as in `tests/eval/gold_projects`; only what is on the topic in its part train is read.
        adapter: where it is written.
        heads: where they are written; settings and teachers stand in their card.
        teachers: folder in which trained teachers lie and are kept, in the user's cache where none is named.
        settings: of the reader.
        given: the teachers, of whom the last one has the reader's sizes.
        corpus: its folders that are read.
        progress: called after each epoch with what is trained (`reader` or a teacher), epoch and mean loss.

    Returns:
        How many marked texts were used.
    """
    kept = teachers or cache_folder() / "span-teachers"
    marked = marked_texts(gold, LEARNED, corpus)
    texts = [*examples(marked, settings), *unmarked_texts(unmarked(corpus))]
    models = {
        name: (_taught(name, teacher, kept, gold, corpus, progress), teacher.settings)
        for name, teacher in given.items()
    }
    answers = zip(*(span_answers(model, texts, HEADS, how) for model, how in models.values()), strict=True)
    told = [
        replace(text, likely={head.name: np.mean([one[head.name] for one in said], axis=0) for head in HEADS})
        for text, said in zip(texts, answers, strict=True)
    ]
    start = list(models.values())[-1][0]
    model = train_spans(told, HEADS, settings, start=start, progress=_step(progress, "reader"))
    _write(model, adapter, settings, marked)
    card = {
        "command": COMMAND, "texts": len(marked), "unmarked": sum(not text.targets for text in texts),
        "data_sha256": data_sha256(marked), "settings": asdict(settings),
        "teachers": {name: read_card(kept / f"{name}.npz") for name in given},
    }  # fmt: skip
    MarkWeights(model.heads, model.attention).save(heads, card)
    return len(marked)


def train_anew(
    gold: Path,
    questions: Collection[str],
    *,
    adapter: Path = SPAN_ADAPTER,
    heads: Path = HEADS_FILE,
    settings: SpanSettings = ANEW,
    corpus: Path = CORPUS,
    progress: Progress | None = None,
) -> int:
    """Lets the reader that lies in two files learn some questions anew, whose labels were mended since; writes both.

    It begins as it is. Of these questions it is told only what people marked, of all others its own answers as well.

    Args:
        gold: as for `train_marks`.
        questions: names of heads.
        adapter: as it was trained; it is written anew, with ranges as in `train_marks`.
        heads: as they were trained, of the adapter's sizes; their card is kept in the new one (`before`).
        settings: of the reader; sizes as before.
        corpus: its folders that are read.
        progress: called after each epoch with `reader`, epoch and mean loss.

    Returns:
        How many marked texts were used.
    """
    marked = marked_texts(gold, LEARNED, corpus)
    texts = examples(marked, settings)
    card, weights = read_card(heads), read_mark_weights(heads)
    before = SpanModel(read_span_adapter(adapter), weights.heads, weights.attention)
    kept = [head for head in HEADS if head.name not in questions]
    told = [
        replace(text, likely={head.name: said[head.name] for head in kept})
        for text, said in zip(texts, span_answers(before, texts, HEADS, settings), strict=True)
    ]
    model = train_spans(told, HEADS, settings, start=before, progress=_step(progress, "reader"))
    _write(model, adapter, settings, marked)
    found = {
        "command": f"{COMMAND} --anew", "anew": sorted(questions), "texts": len(marked),
        "data_sha256": data_sha256(marked), "settings": asdict(settings), "before": card,
    }  # fmt: skip
    MarkWeights(model.heads, model.attention).save(heads, found)
    return len(marked)


def _write(model: SpanModel, adapter: Path, settings: SpanSettings, marked: Sequence[MarkedText]) -> None:
    """The adapter, where the package onnx is installed with its ranges (8 bit)."""
    save_span_adapter(model, adapter, settings)
    if find_spec("onnx"):
        from embeddings.e5_ranges import add_ranges

        add_ranges(adapter, [" ".join(text.text.split()) for text in marked])


def _taught(
    name: str, teacher: Teacher, folder: Path, gold: Path, corpus: Path, progress: Progress | None
) -> SpanModel:
    """A teacher as it lies in the folder, or trained and put there if there is none of the same texts and settings."""
    adapter, heads = folder / f"{name}.safetensors", folder / f"{name}.npz"
    marked = marked_texts(gold, teacher.learned, corpus)
    card = {"texts": len(marked), "data_sha256": data_sha256(marked), "settings": asdict(teacher.settings)}
    if not heads.is_file() or read_card(heads) != card:
        model = train_spans(examples(marked, teacher.settings), HEADS, teacher.settings, progress=_step(progress, name))
        save_span_adapter(model, adapter, teacher.settings)
        MarkWeights(model.heads, model.attention).save(heads, card)
    weights = read_mark_weights(heads)
    return SpanModel(read_span_adapter(adapter), weights.heads, weights.attention)


def _step(progress: Progress | None, name: str) -> Callable[[int, float], None] | None:
    return (lambda epoch, loss: progress(name, epoch, loss)) if progress else None


def read_card(heads: Path) -> dict[str, Any]:
    """The card of a file of heads: from which texts and how they were trained."""
    with np.load(heads, allow_pickle=False) as file:
        card: dict[str, Any] = json.loads(file["card"].tobytes())
    return card


def unmarked(corpus: Path = CORPUS) -> Iterator[tuple[str | None, str]]:
    """Texts of projects that nobody marked (title or None, text): the corpus's invented projects and descriptions."""
    told: list[tuple[str | None, str]] = [(project.title, project.text) for project in project_texts(corpus)]
    told += [(None, approach.text) for approach in approach_texts(corpus)]
    yield from ((title, text) for title, text in told if len(text.split()) >= _SHORTEST)


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
