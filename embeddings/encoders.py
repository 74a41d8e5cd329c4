"""Choosing an encoder by one explicit setting, and encoding many texts through a cache and workers.

Below: `embeddings.e5` (offline default), Sentence Transformers (extra `transformers`). Above: `pipeline.publish`
encodes projects, `matching.retrieve` situations. The protocol is the `encode(...)` of Sentence Transformers.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np

from data.errors import CheckupError
from embeddings.e5_file import Floats

CHUNK = 64


class Encoder(Protocol):
    """What both roads offer: vectors that depend on the text alone, never on its neighbours in the call."""

    dimension: int
    fingerprint: str
    """Names weights and settings: vectors of another fingerprint are never mixed."""

    def encode(
        self, sentences: Sequence[str], *, prompt_name: str = "query", normalize_embeddings: bool = True
    ) -> Floats:
        """Vectors float32[n, dimension], L2-normalised, in the order of `sentences`."""
        ...


class VectorCache(Protocol):
    """Where vectors are kept by fingerprint and text hash (the store; tests use a dictionary of their own)."""

    def get_vectors(self, fingerprint: str, text_sha256s: Iterable[str]) -> Mapping[str, bytes]:
        """The known ones of these hashes."""
        ...

    def put_vectors(self, fingerprint: str, vectors: Mapping[str, bytes]) -> None:
        """Keep these; float32 little-endian bytes by hash."""
        ...


class TransformersEncoder:
    """Any Sentence Transformers model by name or folder (extra `transformers`).

    Texts run one by one, so that padding cannot change a vector. A model without the prompts `query` and `passage`
    (or `document`) gets the bare text.
    """

    def __init__(self, name: str, *, threads: int = 1) -> None:
        if find_spec("sentence_transformers") is None:
            raise CheckupError(
                f"Das Sprachmodell »{name}« braucht den Zusatz »transformers«: make setup-full "
                "(oder die Einstellung encoder auf »e5« setzen)."
            )
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        try:
            self._model = SentenceTransformer(name, device="cpu", local_files_only=Path(name).exists())
        except (OSError, ValueError) as error:
            raise CheckupError(
                f"Das Sprachmodell »{name}« lässt sich nicht laden. "
                f"Bitte den Namen oder Ordner in settings.toml prüfen ({error})."
            ) from error
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.fingerprint = _model_fingerprint(name, self._model)
        self._prompts = {name: prompt or "" for name, prompt in self._model.prompts.items()}

    def encode(
        self, sentences: Sequence[str], *, prompt_name: str = "query", normalize_embeddings: bool = True
    ) -> Floats:
        """Vectors float32[n, dimension] in the order of `sentences`."""
        alternatives = {"passage": ("passage", "document"), "query": ("query",)}[prompt_name]
        prompt = next((self._prompts[name] for name in alternatives if self._prompts.get(name)), "")
        vectors = np.empty((len(sentences), self.dimension), np.float32)
        for row, text in zip(vectors, sentences, strict=True):
            row[:] = self._model.encode(
                text, prompt=prompt, normalize_embeddings=normalize_embeddings, show_progress_bar=False
            )
        return vectors


def _model_fingerprint(name: str, model: object) -> str:
    """A hash over the model's weights, so that the same folder name with other weights is another encoder."""
    digest = hashlib.sha256(name.encode())
    for key, value in sorted(model.state_dict().items()):  # type: ignore[attr-defined]
        digest.update(key.encode())
        digest.update(value.numpy().tobytes())
    return f"transformers-{digest.hexdigest()[:16]}"


def load_encoder(name: str = "e5", *, threads: int = 1) -> Encoder:
    """The encoder that a setting names.

    Args:
        name: `e5` (the offline default with our adapter), `e5-exact` (the same in float32: half as fast), `e5-base`
            (without adapter), `e5:FILE` (with another adapter in safetensors), else a Sentence Transformers model's
            name or folder.
        threads: texts run at the same time (`e5`), or of the numerical library; results do not depend on it.

    Raises:
        CheckupError: if it cannot be loaded; nothing else is used in its place.
    """
    if name in {"e5", "e5-exact", "e5-base"} or name.startswith("e5:"):
        from embeddings.e5 import E5Encoder

        adapter = {"e5": "default", "e5-exact": "default", "e5-base": "none"}.get(name, name.removeprefix("e5:"))
        return E5Encoder(adapter=adapter, exact=name == "e5-exact", threads=threads)
    return TransformersEncoder(name, threads=threads)


def pooled(vectors: Floats, lengths: Sequence[int]) -> Floats:
    """The vector float32[d] of a text from those of its sentences, weighted by their lengths; L2-normalised.

    Args:
        vectors: float32[sentences, d], at least one.
        lengths: of the sentences, in characters.
    """
    joined = np.asarray(lengths, np.float32) @ vectors
    return np.asarray(joined / max(float(np.linalg.norm(joined)), 1e-9), np.float32)


def text_sha256(prompt_name: str, text: str) -> str:
    """The key under which a text's vector is cached."""
    return hashlib.sha256(f"{prompt_name}\0{text}".encode("utf-8", "replace")).hexdigest()


_worker_encoder: Encoder | None = None


def _start_worker(name: str) -> None:
    global _worker_encoder  # noqa: PLW0603 - the one object a worker process lives for
    _worker_encoder = load_encoder(name, threads=1)


def _encode_chunk(prompt_name: str, texts: list[str]) -> Floats:
    if _worker_encoder is None:
        raise RuntimeError("worker without encoder")
    return _worker_encoder.encode(texts, prompt_name=prompt_name)


def _pool(name: str, workers: int) -> Executor:
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(name,))


def encode_cached(
    texts: Sequence[str],
    *,
    encoder: Encoder,
    cache: VectorCache,
    prompt_name: str = "passage",
    workers: int = 1,
    encoder_name: str = "e5",
    progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Vectors float32[n, d] of many texts; what the cache knows is not computed again, what is new is kept in it.

    Vectors are kept chunk by chunk, so that a killed run loses at most one. The result does not depend on `workers`.

    Args:
        texts: in any order, repeats allowed.
        encoder: used in this process where `workers` is 1 or little is to be done.
        cache: asked and filled under `encoder.fingerprint`.
        prompt_name: as in `Encoder.encode`.
        workers: spawned processes; each loads `encoder_name` itself.
        encoder_name: the setting that gave `encoder`.
        progress: called with (done, total) of the texts to compute.
    """
    keys = [text_sha256(prompt_name, text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    known = dict(cache.get_vectors(encoder.fingerprint, unique))
    missing = [(key, text) for key, text in unique.items() if key not in known]
    chunks = [missing[i : i + CHUNK] for i in range(0, len(missing), CHUNK)]
    done = 0

    def keep(chunk: list[tuple[str, str]], vectors: Floats) -> None:
        nonlocal done
        fresh = {key: vector.astype("<f4").tobytes() for (key, _), vector in zip(chunk, vectors, strict=True)}
        cache.put_vectors(encoder.fingerprint, fresh)
        known.update(fresh)
        done += len(chunk)
        if progress:
            progress(done, len(missing))

    if workers > 1 and len(chunks) > workers:
        with _pool(encoder_name, min(workers, os.cpu_count() or 1)) as pool:
            pending = [pool.submit(_encode_chunk, prompt_name, [text for _, text in chunk]) for chunk in chunks]
            for chunk, future in zip(chunks, pending, strict=True):
                keep(chunk, future.result())
    else:
        for chunk in chunks:
            keep(chunk, encoder.encode([text for _, text in chunk], prompt_name=prompt_name))
    if not keys:
        return np.empty((0, encoder.dimension), np.float32)
    return np.frombuffer(b"".join(known[key] for key in keys), "<f4").reshape(len(keys), -1).astype(np.float32)
