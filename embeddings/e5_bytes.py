"""The encoder's matrices in whole numbers of 8 bit: twice as fast, vectors as good as the same.

Below: `embeddings.e5_graph` (names only). Above: `embeddings.e5_build` writes them, `embeddings.e5_ranges` measures how
far each channel of their inputs reaches.
Method: SmoothQuant (Xiao et al. 2023). One step of 8 bit is as wide for all channels of an input as its widest asks;
so each channel is divided by a factor first, and the matrix's row multiplied by it; the widest channels of all are
taken out and multiplied in float32 (LLM.int8(), Dettmers et al. 2022). Channels differ fortyfold in this model:
without, vectors have a cosine of .996 to those in float32, with it .999.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.e5_file import Floats
from embeddings.e5_graph import WIDE_CHANNELS

INPUTS = {"qkv": "output", "attention": "context", "up": "middle", "down": "active"}
"""What each matrix of a layer is multiplied by (for `qkv` the output of the layer below)."""
_SHARE = {"qkv": 0.5, "attention": 0.5, "up": 0.5, "down": 0.7}
"""How much of a channel's reach the factor takes out of the input; the rest it puts into the matrix's row."""
_MOST = 127


def input_name(layer: int, short: str) -> str:
    """Names the input of a matrix in the graph."""
    if short != "qkv":
        return f"layer{layer}.{INPUTS[short]}"
    return f"layer{layer - 1}.output" if layer else "normalised"


def byte_tensor(name: str, ranges: Mapping[str, Floats], tensor: Callable[[str], Floats]) -> NDArray[Any]:
    """A weight of the 8-bit graph.

    Args:
        name: as in `embeddings.e5_graph.initializers`.
        ranges: by the names of `input_name` how far each channel reaches, float32[in] (`embeddings.e5_ranges`).
        tensor: gives a weight of the graph in float32.
    """
    *of, short, kind = name.split(".")
    if not of or short not in INPUTS:
        return tensor(name)
    layer = int(of[0].removeprefix("layer"))
    if kind == "bias":
        bias = tensor(name)
        return _folded(bias, _factor(layer, "attention", ranges, tensor)) if short == "qkv" else bias
    return _matrix(layer, short, ranges, tensor)[kind]


def _matrix(
    layer: int, short: str, ranges: Mapping[str, Floats], tensor: Callable[[str], Floats]
) -> dict[str, NDArray[Any]]:
    """All that the graph needs of a matrix beside its bias."""
    weight, wide = tensor(f"layer{layer}.{short}.weight"), _wide(layer, short, ranges)
    factor = _factor(layer, short, ranges, tensor)
    smooth = 1 / factor
    smooth[wide] = 0
    beside = weight[wide]
    if short == "qkv":
        weight = _folded(weight, _factor(layer, "attention", ranges, tensor))
    weight = weight * factor[:, None]
    weight[wide] = 0
    steps, scale = _in_bytes(weight)
    zero = np.zeros(weight.shape[1], np.int8)
    return {
        "weight": steps, "scale": scale, "zero": zero, "smooth": smooth, "wide": wide, "wide_weight": beside,
    }  # fmt: skip


def _wide(layer: int, short: str, ranges: Mapping[str, Floats]) -> NDArray[np.int64]:
    """The channels that stay in float32, widest first; none but of what the last matrix is multiplied by."""
    widest = ranges[input_name(layer, short)]
    return np.argsort(-widest, kind="stable")[: WIDE_CHANNELS if short == "down" else 0].astype(np.int64)


def _folded(values: Floats, factor: Floats) -> Floats:
    """Weight or bias of `qkv` with the part of the values divided.

    What `attention` is multiplied by is a mean of the values, so that nothing is to be divided at run time.
    """
    values = values.copy()
    values[..., -len(factor) :] /= factor
    return values


def _factor(layer: int, short: str, ranges: Mapping[str, Floats], tensor: Callable[[str], Floats]) -> Floats:
    """By what each channel of a matrix's input is divided: float32[in], their geometric mean is 1."""
    weight, widest, share = tensor(f"layer{layer}.{short}.weight"), ranges[input_name(layer, short)], _SHARE[short]
    given = np.maximum(widest.astype(np.float64), 1e-5) ** share
    row = np.maximum(np.abs(weight).max(axis=1), 1e-5).astype(np.float64) ** (1 - share)
    found = given / row
    return np.asarray(found / np.exp(np.log(found).mean()), np.float32)


def _in_bytes(weight: Floats) -> tuple[NDArray[np.int8], Floats]:
    """A matrix [in, out] as int8, and what one step of each column is worth: float32[out]."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / _MOST
    return np.rint(weight / scale).astype(np.int8), np.asarray(scale, np.float32)
