"""A low-rank adapter of ours (LoRA, Hu et al. 2021): read from safetensors, merged into weights.

Below: NumPy, safetensors. Above: `embeddings.e5_build` merges it once; `embeddings.training` writes it.
Keys follow PEFT's names for a BertModel: `encoder.layer.N.attention.self.query.lora_A.weight` float[r, in] and
`…lora_B.weight` float[out, r]; the file's metadata holds `alpha` and `r` (scale = alpha / r). `ranges.NAME`
float[in], where they are told, say how far each channel of an input of the graph reaches (`embeddings.e5_ranges`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from embeddings.e5_file import Floats, file_sha256

RANGES = "ranges."
SHIPPED = Path(__file__).parent / "weights" / "adapter.safetensors"


@dataclass(frozen=True, slots=True)
class Adapter:
    """The low-rank updates by module name, each float32[out, in], and the hash of the file they came from."""

    updates: dict[str, tuple[Floats, Floats]]
    scale: float
    sha256: str
    ranges: Mapping[str, Floats] = field(default_factory=dict)

    def merged(self, module: str, weight: Floats) -> Floats:
        """`weight` float32[out, in] plus this adapter's update for the module, if it has one."""
        if module not in self.updates:
            return weight
        down, up = self.updates[module]
        return weight + self.scale * (up @ down)


def read_adapter(path: Path) -> Adapter:
    """The adapter in a safetensors file.

    Raises:
        ValueError: if the file lacks its metadata or a pair is incomplete.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path}: {error}") from error
    if "alpha" not in metadata or "r" not in metadata:
        raise ValueError(f"{path}: metadata lacks alpha or r")
    ranges = {name.removeprefix(RANGES): tensors.pop(name) for name in list(tensors) if name.startswith(RANGES)}
    modules = {name.rsplit(".lora_", 1)[0] for name in tensors}
    try:
        updates = {m: (tensors[f"{m}.lora_A.weight"], tensors[f"{m}.lora_B.weight"]) for m in sorted(modules)}
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from error
    return Adapter(updates, float(metadata["alpha"]) / float(metadata["r"]), file_sha256(path), ranges)
