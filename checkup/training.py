"""From corpus, vocabulary and shipped projects to what the encoder and the readers are trained on.

Below: `data.corpus_files`, `data.vocabulary`, `data.shipped`, `embeddings.training`. Above: `checkup train`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from data.corpus_files import Corpus, SituationText, load_corpus
from data.shipped import FOLDER as SHIPPED
from data.shipped import iter_shipped
from data.vocabulary import Vocabulary
from embeddings.e5 import PROMPTS
from embeddings.training import Answer, Query
from pipeline.project_vectors import whole_text

NEED_ROLES = ("need", "unfit")
_OF_EACH_KIND = 80


def arrows(vocabulary: Vocabulary, need: str) -> dict[str, int]:
    """The approaches that answer a need, with their grades."""
    return {arrow.approach: arrow.grade for arrow in vocabulary.needs[need].arrows}


def range_texts() -> list[str]:
    """Situations, statements and projects with their prompts, on which an adapter's ranges are measured."""
    corpus = load_corpus()
    kinds = {
        "query": [[one.text for one in corpus.situations], [one.text for one in corpus.statements]],
        "passage": [[whole_text(entry.project.title, entry.project.text) for entry in iter_shipped()]],
    }
    return [
        PROMPTS[prompt] + text
        for prompt, lists in kinds.items()
        for texts in lists
        for text in texts[:: max(1, len(texts) // _OF_EACH_KIND)]
    ]


def queries(corpus: Corpus, vocabulary: Vocabulary) -> Iterator[Query]:
    """Statements, the needs' own titles and rewordings, the need segments of situations, and whole situations."""
    for statement in corpus.statements:
        need = vocabulary.needs[statement.need]
        yield Query(statement.text, need.id, need.field, arrows(vocabulary, need.id), (need.id,))
    for need in vocabulary.needs.values():
        for text in (need.title, need.reword):
            yield Query(text, need.id, need.field, arrows(vocabulary, need.id), (need.id,))
    for situation in corpus.situations:
        yield from _of_situation(situation, vocabulary)


def _of_situation(situation: SituationText, vocabulary: Vocabulary) -> Iterator[Query]:
    answers: dict[str, int] = {}
    needs: list[str] = []
    field = ""
    for segment in sorted(situation.segments, key=lambda segment: -(segment.weight or 0)):
        if segment.role not in NEED_ROLES or segment.need is None:
            continue
        need = vocabulary.needs[segment.need]
        field = field or need.field
        text = situation.text[segment.start : segment.end]
        yield Query(text, need.id, need.field, arrows(vocabulary, need.id), (need.id,))
        needs.append(need.id)
        for approach, grade in arrows(vocabulary, need.id).items():
            answers[approach] = max(answers.get(approach, 0), grade)
    if answers:
        yield Query(situation.text, f"situation:{situation.id}", field, answers, tuple(dict.fromkeys(needs)))


def answers(corpus: Corpus, vocabulary: Vocabulary, shipped: Path = SHIPPED) -> Iterator[Answer]:
    """Wordings and descriptions of approaches, definitions, invented projects, and shipped ones with their labels."""
    for approach in vocabulary.approaches.values():
        for text in (f"{approach.title}. {approach.what}", *approach.wordings):
            yield Answer(text, {approach.id: 3})
    for item in corpus.approaches:
        yield Answer(item.text, {item.approach: 3, **dict.fromkeys(item.also, 2)}, item.needs)
    for project in corpus.projects:
        yield Answer(whole_text(project.title, project.text), {}, project.needs)
    for name, text, labels in shipped_texts(shipped):
        if labels:
            graded = bool(corpus.answers) and name not in corpus.named
            yield Answer(text, labels, corpus.answers.get(name, {}) if graded else None)


def shipped_texts(folder: Path = SHIPPED) -> Iterator[tuple[str, str, Mapping[str, int]]]:
    """Id, title with text, and approaches (grade 1-3) of shipped projects that no test part of a gold set holds."""
    held = set(held_back(folder))
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").split("\n"):
            entry = json.loads(line) if line.strip() else None
            if entry and entry["id"] not in held:
                text = whole_text(entry["title"], entry["text"])
                yield entry["id"], text, entry["labels"].get("approaches", {})


def held_back(folder: Path = SHIPPED) -> list[str]:
    """Ids of shipped projects that encoder and readers never see (the gold's test)."""
    path = folder / "gold_test_ids.json"
    ids: list[str] = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return ids


def data_sha256(query_list: list[Query], answer_list: list[Answer]) -> str:
    """A hash over everything the encoder is trained on."""
    digest = hashlib.sha256()
    for query in query_list:
        digest.update(json.dumps([query.text, query.group, sorted(query.answers.items()), query.needs]).encode())
    for answer in answer_list:
        needs = None if answer.needs is None else sorted(answer.needs.items())
        digest.update(json.dumps([answer.text, sorted(answer.approaches.items()), needs]).encode())
    return digest.hexdigest()
