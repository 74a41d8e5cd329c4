"""What the built-in encoder says of a text: fields and groups are read from it too.

Below: `embeddings.encoders`, `pipeline.project_vectors`, `pipeline.approach_reader`, `pipeline.nlp.passages`,
`pipeline.nlp.search_tokens`. Above: `pipeline.nlp.extract`.
The vectors are those that the database embeds, so that a cache saves doing that twice.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from embeddings.e5_build import build_name, load_adapter
from embeddings.e5_file import Floats, file_sha256
from embeddings.encoders import Encoder, VectorCache, encode_cached, load_encoder
from embeddings.linear import LinearReader
from embeddings.shipped_vectors import load_shipped
from pipeline.approach_reader import WEIGHTS, load_reader
from pipeline.nlp.label_weights import Embedded
from pipeline.nlp.passages import passages
from pipeline.nlp.search_tokens import search_tokens
from pipeline.project_vectors import ProjectVectors, project_vectors

_MOST_CHARACTERS = 12_000
"""Of a text; what follows does not change what it is about, and a long one must not take minutes."""
_MOST_KEPT = 2_000
"""Vectors that one process keeps of the texts it read last."""


class RecentVectors:
    """The vectors of the texts that were read last, and those of the shipped projects; nothing is written anywhere."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get_vectors(self, fingerprint: str, text_sha256s: Iterable[str]) -> Mapping[str, bytes]:
        """The known ones of these hashes."""
        shipped = _shipped(fingerprint)
        told = ((key, self._kept.get(_key(fingerprint, key)) or shipped.get(key)) for key in text_sha256s)
        return {key: vector for key, vector in told if vector is not None}

    def put_vectors(self, fingerprint: str, vectors: Mapping[str, bytes]) -> None:
        """Keeps these; the oldest go."""
        self._kept.update({_key(fingerprint, key): vector for key, vector in vectors.items()})
        for key in list(self._kept)[: max(0, len(self._kept) - _MOST_KEPT)]:
            del self._kept[key]


class NewVectors(RecentVectors):
    """The vectors that were computed since it was made, to be kept elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, bytes] = {}
        self.fingerprint: str | None = None
        """Of the encoder that computed them."""

    def put_vectors(self, fingerprint: str, vectors: Mapping[str, bytes]) -> None:
        """Keeps these, all of them."""
        super().put_vectors(fingerprint, vectors)
        self.found.update(vectors)
        self.fingerprint = fingerprint


def _key(fingerprint: str, key: str) -> str:
    return f"{fingerprint} {key}"


@cache
def built_in() -> Encoder:
    """The offline encoder with our adapter, loaded with the first text; whatever the setting is."""
    return load_encoder()


@cache
def vectors_name() -> str:
    """Names all that `embed` depends on beside the text."""
    return f"{build_name(load_adapter('default'))} {file_sha256(WEIGHTS)[:16]}"


def embed(title: str | None, text: str, kept: VectorCache) -> Embedded:
    """Three vectors of a text: of all its passages, of the first one and of the title; and the approaches read from it.

    A title of its own says more of the field than as a part of the whole, however short it is (docs/quality.md).

    Args:
        title: The title or None.
        text: The text; the first 12,000 characters count.
        kept: is asked for the vectors of title and passages, and gets them.
    """
    read = text[:_MOST_CHARACTERS]
    spans = passages(read) or [(0, len(read))]
    found = project_vectors([{"title": title, "text": read, "passages": spans}], encoder=built_in(), cache=kept)
    vectors = found.directions()
    parts = vectors[1:] if len(vectors) > 1 else vectors
    body = np.asarray([end - start for start, end in spans], np.float32) @ parts
    heading = np.zeros_like(body)
    if title:
        heading = encode_cached([title], encoder=built_in(), cache=kept)[0]
    told = np.asarray([body / max(float(np.linalg.norm(body)), 1e-9), parts[0], heading], np.float32)
    return Embedded(told, _approaches(found, vectors))


def _approaches(found: ProjectVectors, vectors: Floats) -> dict[str, float]:
    """By approach its highest probability over the whole and its passages."""
    reader = _reader()
    if reader is None:
        return {}
    told = reader.probabilities(vectors, found.texts, [search_tokens(text) for text in found.texts])
    return dict(zip(reader.classes, told.max(axis=0).tolist(), strict=True))


@cache
def _reader() -> LinearReader | None:
    return load_reader(built_in().fingerprint)


@cache
def _shipped(fingerprint: str) -> Mapping[str, bytes]:
    shipped = NewVectors()
    load_shipped(shipped, fingerprint)
    return shipped.found
