"""Training the readers of needs, roles, topic and approaches on corpus, vocabulary and shipped projects.

Below: `embeddings.linear_training`, `matching.situation`, `checkup.training`. Above: `checkup train readers`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from checkup.training import NEED_ROLES, shipped_texts
from data.corpus_files import Corpus
from data.vocabulary import Vocabulary
from embeddings.e5_file import Floats
from embeddings.encoders import Encoder, VectorCache, encode_cached, pooled
from embeddings.linear import LinearReader
from embeddings.linear_training import train_reader
from matching.situation import sentence_spans

MATCHING = Path(__file__).parent.parent / "matching" / "weights"
_SHORT = 6
"""Words of a short statement."""
READERS = ("needs", "roles", "topic", "approaches")
PIPELINE = Path(__file__).parent.parent / "pipeline" / "weights"


Cut = Callable[[str], list[tuple[int, int]]]
"""From a text to the pieces whose vectors are pooled."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text, its class, and the group that must stay on one side of a fold."""

    text: str
    label: str
    group: str
    weight: float = 1.0
    unseen: bool = False
    """Whether the encoder's own training left it out."""


def need_examples(corpus: Corpus, vocabulary: Vocabulary) -> Iterator[Example]:
    """Statements, the needs' own words, and the segments of situations that leave a need open."""
    for number, statement in enumerate(corpus.statements):
        yield Example(statement.text, statement.need, f"statement {number}")
    for number, statement in enumerate(corpus.calibration):
        yield Example(statement.text, statement.need, f"calibration {number}", unseen=True)
    for need in vocabulary.needs.values():
        for text in (need.title, need.what.split(" Nicht:")[0], need.reword):
            yield Example(text, need.id, f"need {need.id}", 0.7)
    for situation in corpus.situations:
        for segment in situation.segments:
            if segment.role in NEED_ROLES and segment.need in vocabulary.needs:
                yield Example(situation.text[segment.start : segment.end], str(segment.need), situation.id)


def role_examples(corpus: Corpus) -> Iterator[Example]:
    """Segments of situations; statements as needs; sentences of negatives as background."""
    for situation in corpus.situations:
        for segment in situation.segments:
            yield Example(situation.text[segment.start : segment.end], segment.role, situation.id)
    for number, statement in enumerate(corpus.statements):
        yield Example(statement.text, "need", f"statement {number}", 0.15)
    for number, negative in enumerate(corpus.negatives):
        if not negative.works:
            yield Example(negative.text, "background", f"negative {number}")


def topic_examples(corpus: Corpus, vocabulary: Vocabulary) -> Iterator[Example]:
    """Real situations, a third of the statements, the needs' titles and every short statement against those to refuse.

    A sixth of the vague texts are short; without short ones that are real what is short looks vague.
    """
    for situation in corpus.situations:
        yield Example(situation.text, "real", situation.id)
    for number, statement in enumerate(corpus.statements):
        short = len(statement.text.split()) <= _SHORT
        if short or number % 3 == 0:
            yield Example(statement.text, "real", f"statement {number}", 1.0 if short else 0.6)
    for need in vocabulary.needs.values():
        yield Example(need.title, "real", f"need {need.id}", 1.0)
    for number, negative in enumerate(corpus.negatives):
        yield Example(negative.text, negative.kind, f"negative {number}", 2.0)


def approach_examples(corpus: Corpus, vocabulary: Vocabulary) -> Iterator[Example]:
    """Wordings, definitions, descriptions, and shipped projects by their main approaches.

    Projects whose needs were only named have approaches that only came to mind, too: with them it reads less well.
    """
    for approach in vocabulary.approaches.values():
        yield Example(f"{approach.title}. {approach.what}", approach.id, f"approach {approach.id}")
        for wording in approach.wordings:
            yield Example(wording, approach.id, wording)
    for item in corpus.approaches:
        yield Example(item.text, item.approach, item.text)
    for project, text, labels in shipped_texts():
        if project in corpus.named:
            continue
        for name, grade in labels.items():
            if grade >= 2 and name in vocabulary.approaches:
                yield Example(text, name, project, 1.0 if grade == 3 else 0.5)


def train_readers(
    corpus: Corpus,
    vocabulary: Vocabulary,
    encoder: Encoder,
    cache: VectorCache,
    *,
    matching: Path = MATCHING,
    pipeline: Path = PIPELINE,
    only: str | None = None,
    workers: int = 1,
    encoder_name: str = "e5",
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Train and write every reader (or one of them), with its cross-validated figures in its card.

    Args:
        corpus: statements, situations, negatives, approach texts.
        vocabulary: the classes.
        encoder: whose vectors the readers will read; its fingerprint is kept with them.
        cache: keeps vectors between runs.
        matching: folder for needs, roles and topic.
        pipeline: folder for approaches.
        only: name of one reader.
        workers: processes that encode `encoder_name`.
        encoder_name: the setting that gave `encoder`.
        say: told what was reached.
    """
    plans: dict[str, tuple[Path, str, Cut, list[Example]]] = {
        "needs": (matching, "query", whole_span, list(need_examples(corpus, vocabulary))),
        "roles": (matching, "query", whole_span, list(role_examples(corpus))),
        "topic": (matching, "query", sentence_spans, list(topic_examples(corpus, vocabulary))),
        "approaches": (pipeline, "passage", whole_span, list(approach_examples(corpus, vocabulary))),
    }
    for name, (folder, prompt, spans_of, examples) in plans.items():
        if only in (None, name) and len({example.label for example in examples}) > 1:
            texts = [example.text for example in examples]
            pieces = [[text[start:end] for start, end in spans_of(text)] for text in texts]
            vectors = encode_cached(
                [piece for group in pieces for piece in group],
                encoder=encoder, cache=cache, prompt_name=prompt, workers=workers, encoder_name=encoder_name,
            )  # fmt: skip
            reader = _train(name, examples, _of_texts(vectors, pieces), encoder.fingerprint)
            folder.mkdir(parents=True, exist_ok=True)
            reader.write(folder / f"{name}.npz")
            say(f"{name}: {reader.card['figures']}, Mischung {reader.mix}")


def whole_span(text: str) -> list[tuple[int, int]]:
    """The text as one piece."""
    return [(0, len(text))]


def _of_texts(vectors: Floats, pieces: Sequence[Sequence[str]]) -> Floats:
    """float32[texts, d] from the vectors of all their pieces, as `matching.situation` pools those of sentences."""
    ends = np.cumsum([len(group) for group in pieces]).tolist()
    return np.array(
        [
            pooled(vectors[end - len(group) : end], [len(piece) for piece in group])
            for group, end in zip(pieces, ends, strict=True)
        ]
    )


def _train(name: str, examples: list[Example], vectors: Floats, fingerprint: str) -> LinearReader:
    from pipeline.nlp.search_tokens import search_tokens

    texts = [example.text for example in examples]
    digest = hashlib.sha256("\n".join(f"{e.label}\t{e.text}" for e in examples).encode()).hexdigest()
    return train_reader(
        vectors,
        texts,
        [search_tokens(text) for text in texts],
        [example.label for example in examples],
        groups=[example.group for example in examples],
        fingerprint=fingerprint,
        sample_weights=[example.weight for example in examples],
        judge=[example.unseen for example in examples],
        bits=14 if name in ("needs", "approaches") else 12,
        strengths=(5.0, 20.0),
        card={"reader": name, "data_sha256": digest, "command": f"checkup train readers --only {name}"},
    )
