"""Training the reader of the topic: projects of integration against municipal and other texts.

Below: `pipeline.nlp.topic_training`, `checkup.label_training`, `data.corpus_files`. Above: `checkup train labels`.

Shipped projects that a test or development part of the gold holds are left out.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from checkup.label_training import examples as labelled
from data.corpus_files import Corpus
from pipeline.nlp.label_weights import TOPIC_FILES
from pipeline.nlp.topic_training import LEAST, PENALTY, TopicExample, train_topic

INVENTED = 0.5
"""Weight of an invented project or description beside a shipped one."""
DISTRACTOR = 3.0
"""Weight of a text that looks like a project beside a town's message."""


def train_topic_weights(gold: Path, corpus: Corpus, files: Mapping[str, Path] = TOPIC_FILES) -> int:
    """Trains and writes the weights of each language.

    Args:
        gold: `projects.jsonl` with `split` and `gold`; only its part `train` is learned from.
        corpus: holds the invented projects and the texts off the topic.
        files: by language the .npz to write; the same data give the same bytes.

    Returns:
        How many texts were used.
    """
    found = topic_examples(gold, corpus)
    for language, file in files.items():
        texts = found[language]
        card = {
            "texts": len(texts), "data_sha256": topic_sha256(texts), "penalty": PENALTY, "least": LEAST[language],
            "command": "checkup train labels",
        }  # fmt: skip
        file.parent.mkdir(parents=True, exist_ok=True)
        train_topic(texts, language).save(file, card)
    return sum(map(len, found.values()))


def topic_examples(gold: Path, corpus: Corpus) -> dict[str, list[TopicExample]]:
    """By language everything that is learned from; in German projects, then texts on something else."""
    lines = [json.loads(line) for line in gold.read_text("utf-8").split("\n") if line.strip()]
    off = [line for line in lines if line["split"] == "train" and not line["gold"]["action_fields"]]
    german = [
        *(TopicExample(e.title, e.text, True, 1.0 if e.weight == 1.0 else INVENTED) for e in labelled(gold, corpus)),
        *(TopicExample(None, item.text, False) for item in corpus.negatives if item.kind == "off_topic"),
        *(TopicExample(item.title, item.text, False, DISTRACTOR) for item in corpus.distractors),
        *(TopicExample(line["title"], line["text"], False, DISTRACTOR) for line in off),
    ]
    return {"de": german, "en": [TopicExample(item.title, item.text, item.on_topic) for item in corpus.english]}


def topic_sha256(found: Sequence[TopicExample]) -> str:
    """A hash over everything that is learned from."""
    told = json.dumps([[e.title, e.text, e.on_topic, e.weight] for e in found], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()
