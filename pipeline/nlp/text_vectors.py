"""The vector of a text as a whole, by the built-in encoder: fields and groups are read from it too.

Below: `embeddings.encoders`, `pipeline.project_vectors`, `pipeline.nlp.passages`. Above: `pipeline.nlp.extract`.
It is put together from the same texts that the database embeds, so that a cache saves doing that twice.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from embeddings.e5_build import build_name, load_adapter
from embeddings.e5_file import Floats
from embeddings.encoders import Encoder, VectorCache, load_encoder
from embeddings.shipped_vectors import load_shipped
from pipeline.nlp.passages import passages
from pipeline.project_vectors import project_vectors

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
    """Names all that the vectors depend on beside the text."""
    return build_name(load_adapter("default"))


def whole_vector(title: str | None, text: str, kept: VectorCache) -> Floats:
    """The vector float32[d] of a project as a whole, of length one.

    Args:
        title: The title or None.
        text: The text; the first 12,000 characters count.
        kept: is asked for the vectors of title and passages, and gets them.
    """
    read = text[:_MOST_CHARACTERS]
    card = {"title": title, "text": read, "passages": passages(read) or [(0, len(read))]}
    found: Floats = project_vectors([card], encoder=built_in(), cache=kept).wholes()[0]
    return found


@cache
def _shipped(fingerprint: str) -> Mapping[str, bytes]:
    shipped = NewVectors()
    load_shipped(shipped, fingerprint)
    return shipped.found
