"""How far each channel of the encoder's activations reaches: measured once after a training, kept in the adapter.

Below: `embeddings.e5`, `embeddings.e5_build`. Above: `checkup train encoder`, `train ranges` and `train marks`.
Without ranges an adapter runs in float32 (`embeddings.e5_bytes` says what they are for). Needs the package `onnx`,
which users do not have.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embeddings.adapter import RANGES
from embeddings.e5 import MAX_TOKENS, E5Layers
from embeddings.e5_build import data_file, ensure_built
from embeddings.e5_bytes import INPUTS, input_name
from embeddings.e5_file import E5File, Floats
from embeddings.e5_tokens import PieceTokenizer

MOST_TEXTS = 240


def add_ranges(adapter: Path, texts: Sequence[str]) -> None:
    """Measures the ranges on texts and writes them into the adapter's file.

    Args:
        adapter: a safetensors file as `embeddings.adapter` reads it; ranges that it has are replaced.
        texts: as they are encoded, with their prompts; of more than MOST_TEXTS evenly spread ones.
    """
    from safetensors import safe_open
    from safetensors.numpy import save_file

    step = max(1, len(texts) // MOST_TEXTS)
    found = _measured(str(adapter), texts[::step])
    with safe_open(str(adapter), framework="np") as file:
        metadata = file.metadata()
        kept = {name: file.get_tensor(name) for name in file.keys() if not name.startswith(RANGES)}  # noqa: SIM118
    told = {RANGES + name: value.astype(np.float16) for name, value in found.items()}
    part = adapter.with_suffix(".part")
    save_file({**kept, **told}, str(part), metadata)
    os.replace(part, adapter)


def _measured(adapter: str, texts: Sequence[str]) -> dict[str, Floats]:
    """By the names of the graph's inputs the widest absolute value of each channel in a text, mean of the texts.

    The mean tells more than the widest of all texts: the factors are for the usual text (cosines .9995 and .9994).
    """
    import onnx
    from onnx import TensorProto, helper

    source, folder = E5File(data_file()), ensure_built(adapter, exact=True)
    names = sorted({input_name(layer, short) for layer in range(source.shape.layers) for short in INPUTS})
    model = onnx.load(str(folder / "model.onnx"), load_external_data=False)
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    probe = folder / "probe.onnx"
    try:
        probe.write_bytes(model.SerializeToString())
        run, tokenizer = E5Layers(source, probe), PieceTokenizer(source)
        widest = {name: np.zeros(1, np.float32) for name in names}
        for text in texts:
            for name, value in zip(names, run.outputs(tokenizer.ids(text)[:MAX_TOKENS], names), strict=True):
                widest[name] = widest[name] + np.abs(value).max(axis=0) / len(texts)
    finally:
        probe.unlink(missing_ok=True)
    return widest
