"""The offline default encoder: multilingual E5-small with our adapter, run by ONNX Runtime, one text a run.

Below: `embeddings.e5_build`, `embeddings.e5_tokens`. Above: `embeddings.encoders` chooses it by name.
Method: Wang et al. 2024, "Multilingual E5 Text Embeddings" (prompts `query: ` and `passage: `, mean pooling). One text
a run keeps every vector independent of the batch it came in.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embeddings.e5_build import data_file, ensure_built
from embeddings.e5_file import E5File, Floats, dequantise
from embeddings.e5_tokens import shared_tokenizer

MAX_TOKENS = 512
PROMPTS = {"query": "query: ", "passage": "passage: "}


class E5Encoder:
    """Texts to float32[n, 384], L2-normalised; texts over 512 tokens are cut there (callers pass windows).

    Args:
        adapter: `default` (ours), `none`, or a safetensors file.
        exact: in float32; else in 8 bit where the adapter tells its ranges (`embeddings.e5_bytes`).
        threads: texts that are run at the same time, each by one thread; the vectors do not depend on it.
    """

    dimension = 384

    def __init__(self, *, adapter: str = "default", exact: bool = False, threads: int = 1) -> None:
        folder = ensure_built(adapter, exact=exact)
        self.fingerprint = f"{folder.name}-{MAX_TOKENS}"
        self._threads = threads
        source = E5File(data_file())
        self._tokenizer = shared_tokenizer(data_file())
        self._layers = E5Layers(source, folder / "model.onnx")

    def encode(
        self, sentences: Sequence[str], *, prompt_name: str = "query", normalize_embeddings: bool = True
    ) -> npt.NDArray[np.float32]:
        """Vectors float32[n, 384] in the order of `sentences` (as `SentenceTransformer.encode`).

        Args:
            sentences: any strings; an empty one gets the vector of the bare prompt.
            prompt_name: `query` for situations, `passage` for projects.
            normalize_embeddings: L2-normalise each row.
        """
        texts = [PROMPTS[prompt_name] + text for text in sentences]
        vectors = np.empty((len(texts), self.dimension), np.float32)
        if self._threads > 1 and len(texts) > 1:
            with ThreadPoolExecutor(self._threads) as pool:
                vectors[:] = list(pool.map(self._one, texts))
        else:
            for row, text in zip(vectors, texts, strict=True):
                row[:] = self._one(text)
        if normalize_embeddings:
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _one(self, text: str) -> Floats:
        # A token has at most some 20 characters; what lies far behind the last one kept is not tokenized.
        ids = self._tokenizer.ids(text[: MAX_TOKENS * 40])
        if len(ids) > MAX_TOKENS:
            ids = [*ids[: MAX_TOKENS - 1], ids[-1]]
        return np.asarray(self._layers.run(ids).mean(axis=0, dtype=np.float32))


class E5Layers:
    """A built graph and the embeddings that go into it."""

    def __init__(self, source: E5File, model: Path) -> None:
        shape = source.shape
        self._words = source.blocks("emb.word", shape.vocabulary, shape.hidden)
        positions = source.vector("emb.pos", shape.positions, shape.hidden)
        self._positions = positions + source.vector("emb.type", shape.types, shape.hidden)[0]
        self._session = _session(model)

    def run(self, ids: Sequence[int]) -> Floats:
        """The last hidden states float32[n, hidden] of at most MAX_TOKENS ids."""
        return self.outputs(ids, ["hidden"])[0]

    def outputs(self, ids: Sequence[int], names: Sequence[str]) -> list[Floats]:
        """Outputs of the graph by name, each float32[n, width]."""
        embedded = dequantise(self._words[list(ids)]) + self._positions[: len(ids)]
        return [np.asarray(found[0], np.float32) for found in self._session.run(names, {"embedded": embedded[None]})]


def _session(model: Path):  # type: ignore[no-untyped-def]
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Else sums of two products of 8 bit are cut off on processors without VNNI, and each kind has vectors of its own.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
