"""Training the reader of action fields and target groups on shipped and invented projects.

Below: `pipeline.nlp.label_training`, `data.corpus_files`, `data.shipped`. Above: `checkup train labels`.

Shipped projects that a test or development part of the gold holds are left out, like those of `held_back`.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from checkup.training import held_back
from data.corpus_files import Corpus
from data.shipped import iter_shipped
from pipeline.nlp.label_training import Example, train
from pipeline.nlp.label_weights import VECTOR_FILE, WEIGHTS_FILE
from pipeline.nlp.text_vectors import RecentVectors, embed, vectors_name

INVENTED = 0.15
"""Weight of an invented project beside a shipped one."""
PENALTY = 0.1
VECTOR_PENALTY = 0.25
"""Where vectors and approaches are learned from as well."""
TABLES = ("action_fields", "target_groups")


def train_label_weights(
    gold: Path, corpus: Corpus, output: Path = WEIGHTS_FILE, with_vectors: Path = VECTOR_FILE
) -> int:
    """Trains and writes the weights, by words and cues alone and with vectors and approaches.

    Args:
        gold: `projects.jsonl` with `id` and `split`; of its projects only those of the part `train` are learned from.
        corpus: holds the invented projects.
        output: the .npz to write; the same data give the same bytes.
        with_vectors: the one that knows vectors and approaches; on another machine it differs within rounding.

    Returns:
        How many texts were used.
    """
    found = examples(gold, corpus)
    card = {"texts": len(found), "data_sha256": data_sha256(found), "command": "checkup train labels"}
    output.parent.mkdir(parents=True, exist_ok=True)
    train(found, penalty=PENALTY).save(output, {**card, "penalty": PENALTY})
    kept = RecentVectors()
    weights = train(found, penalty=VECTOR_PENALTY, embed=lambda title, text: embed(title, text, kept))
    weights.save(with_vectors, {**card, "penalty": VECTOR_PENALTY, "encoder": vectors_name()})
    return len(found)


def examples(gold: Path, corpus: Corpus) -> list[Example]:
    """Everything that is learned from: shipped projects, then invented ones."""
    return [*_of_shipped(left_out(gold)), *_invented(corpus)]


def data_sha256(found: Sequence[Example]) -> str:
    """A hash over everything that is learned from."""
    told = json.dumps([[e.title, e.text, sorted(e.labels), e.weight] for e in found], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def left_out(gold: Path) -> frozenset[str]:
    """Ids of shipped projects that no reader of projects learns from: the gold's parts `dev` and `test`."""
    lines = [json.loads(line) for line in gold.read_text("utf-8").split("\n") if line.strip()]
    return frozenset({line["id"] for line in lines if line["split"] != "train"} | set(held_back()))


def _of_shipped(but: Collection[str]) -> Iterator[Example]:
    for entry in iter_shipped():
        if entry.project.id not in but:
            labels = {f"{told.property}/{told.value}" for told in entry.statements if told.property in TABLES}
            yield Example(entry.project.title, entry.project.text, frozenset(labels))


def _invented(corpus: Corpus) -> Iterator[Example]:
    for item in corpus.approaches:
        if item.fields:
            yield Example(None, item.text, _labels(item.fields, item.groups), INVENTED)
    for project in corpus.projects:
        if project.fields:
            yield Example(project.title, project.text, _labels(project.fields, project.groups), INVENTED)
    for read in corpus.readings:
        yield Example(read.title, read.text, _labels(read.fields, read.groups), INVENTED)


def _labels(fields: Collection[str], groups: Collection[str]) -> frozenset[str]:
    return frozenset({f"action_fields/{name}" for name in fields} | {f"target_groups/{name}" for name in groups})
