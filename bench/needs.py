"""`python -m bench.needs`: how well the needs of single sentences are read in situations that nothing has learned from.

`data/corpus/held`: `situations`, written after real council papers, press and reports, and `consultants`, written by
four hands before they knew the vocabulary and labelled by two others; every segment that leaves a need open has the
need that it states, and others that it states as well. A segment is read as the sentence that shares most of it.
"""

import json

import numpy as np

from data.corpus_files import held_situations
from data.settings import load_settings
from data.vocabulary import load_vocabulary
from embeddings.encoders import load_encoder
from matching.reading import NEED_ROLES
from matching.situation import NEED, SituationReader


def figures(reader: SituationReader, name: str) -> dict[str, float]:
    """Shares of the segments of one file, and the mean chance that the reader gives its first guess."""
    classes = reader.needs.classes if reader.needs else ()
    ranks, sure, seen, roles = [], [], [], []
    for situation in held_situations(name=name):
        read = reader.read(situation.text)
        for segment in situation.segments:
            sentence = max(read.sentences, key=lambda one: min(one.end, segment.end) - max(one.start, segment.start))
            roles.append(max(sentence.roles, key=lambda role: sentence.roles[role]) == segment.role)
            if segment.role in NEED_ROLES:
                order = [classes[place] for place in np.argsort(-sentence.needs, kind="stable")]
                ranks.append(min(order.index(need) for need in (segment.need, *segment.also)))
                sure.append(float(sentence.needs.max()))
                seen.append(sentence.need >= NEED)
    told = np.array(ranks)
    return {
        "segments": len(told), "first": float((told < 1).mean()), "among 5": float((told < 5).mean()),
        "among 10": float((told < 10).mean()), "mean chance of the first": float(np.mean(sure)),
        "told as a need": float(np.mean(seen)), "role right (of all segments)": float(np.mean(roles)),
    }  # fmt: skip


if __name__ == "__main__":
    settings = load_settings()
    reader = SituationReader(load_encoder(settings.encoder, threads=settings.threads), load_vocabulary())
    for name in ("situations", "consultants"):
        found = {figure: round(value, 3) for figure, value in figures(reader, name).items()}
        print(json.dumps({name: found}, indent=1))
