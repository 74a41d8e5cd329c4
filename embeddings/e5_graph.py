"""The encoder's ONNX graphs without weights, all layers or the lowest, in float32 or 8 bit: made once by a developer.

Below: nothing at run time. Above: `embeddings.e5_build` writes the file of weights that the graph points to.
`python -m embeddings.e5_graph` writes it anew; it needs the package `onnx`, which users do not have.

One text a run and no padding: input float32[1, n, hidden], the sum of word, position and type embeddings; output
float32[1, n, hidden], the last hidden states. Operators with a prefix are ONNX Runtime's own fused ones
(com.microsoft Attention, SkipLayerNormalization, BiasGelu, QAttention, DynamicQuantizeMatMul). 12-37 kB each.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embeddings.e5_file import Shape

SKELETON = Path(__file__).parent / "weights" / "e5-skeleton.onnx"
BYTE_SKELETON = SKELETON.with_name("e5-byte-skeleton.onnx")
"""The graph whose matrices are whole numbers of 8 bit (`embeddings.e5_bytes`)."""
LOWER_SKELETON = SKELETON.with_name("e5-lower-skeleton.onnx")
LOWER_BYTE_SKELETON = SKELETON.with_name("e5-lower-byte-skeleton.onnx")
"""Those of the lowest layers alone (`embeddings.word_states`)."""
SKELETONS = {
    SKELETON: (False, False), BYTE_SKELETON: (False, True),
    LOWER_SKELETON: (True, False), LOWER_BYTE_SKELETON: (True, True),
}  # fmt: skip
"""Has it the lowest layers alone, and its matrices in 8 bit?"""
LOWER_LAYERS = 6
FLOAT_LAYERS = frozenset({0, 4, 5})
"""Layers whose widest activations are up to forty times the usual: their last matrix stays in float32."""
WEIGHTS_NAME = "layers.bin"


def initializers(shape: "Shape", *, in_bytes: bool = False) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Names, shapes and NumPy types of the graph's weights, in the order in which they lie in the file of weights."""
    hidden, ffn = shape.hidden, shape.ffn
    yield "embeddings.weight", (hidden,), "f4"
    yield "embeddings.bias", (hidden,), "f4"
    for layer in range(shape.layers):
        name = f"layer{layer}."
        for short, (rows, columns) in {
            "qkv": (hidden, 3 * hidden), "attention": (hidden, hidden), "up": (hidden, ffn), "down": (ffn, hidden),
        }.items():  # fmt: skip
            halved = in_bytes and is_in_bytes(layer, short)
            yield f"{name}{short}.weight", (rows, columns), "i1" if halved else "f4"
            yield f"{name}{short}.bias", (columns,), "f4"
            if halved:
                yield f"{name}{short}.scale", (columns,), "f4"
                if short == "qkv":
                    yield f"{name}{short}.zero", (columns,), "i1"
                if short != "attention":
                    yield f"{name}{short}.smooth", (rows,), "f4"
            if short in {"attention", "down"}:
                norm = {"attention": "attention_norm", "down": "output_norm"}[short]
                yield f"{name}{norm}.weight", (hidden,), "f4"
                yield f"{name}{norm}.bias", (hidden,), "f4"


def sizes_of(skeleton: Path, shape: "Shape") -> "Shape":
    """The sizes of a skeleton's graph: the model's own, with fewer layers where it has only the lowest."""
    return replace(shape, layers=LOWER_LAYERS) if SKELETONS[skeleton][0] else shape


def is_in_bytes(layer: int, short: str) -> bool:
    """Whether the 8-bit graph has this matrix in 8 bit."""
    return short != "down" or layer not in FLOAT_LAYERS


def _byte_layer(make: Any, shape: "Shape", layer: int, value: str) -> tuple[list[Any], str]:
    """The nodes of one transformer layer whose matrices are in 8 bit, and the name of its output."""
    name = f"layer{layer}."
    nodes: list[Any] = []

    def node(operator: str, inputs: list[str], *outputs: str, **attributes: object) -> str:
        domain = "" if operator in {"MatMul", "Mul", "DynamicQuantizeLinear"} else "com.microsoft"
        nodes.append(make(operator, inputs, [name + output for output in outputs], domain=domain, **attributes))
        return name + outputs[0]

    def smoothed(given: str, short: str) -> str:
        return node("Mul", [given, f"{name}{short}.smooth"], f"{short}.smoothed")

    def product(given: str, short: str, output: str) -> str:
        if not is_in_bytes(layer, short):
            return node("MatMul", [given, f"{name}{short}.weight"], output)
        even = given if short == "attention" else smoothed(given, short)
        return node("DynamicQuantizeMatMul", [even, f"{name}{short}.weight", f"{name}{short}.scale"], output)

    def normed(given: str, beside: str, short: str, norm: str, output: str) -> str:
        weights = [f"{name}{norm}.weight", f"{name}{norm}.bias", f"{name}{short}.bias"]
        return node("SkipLayerNormalization", [given, beside, *weights], output, epsilon=shape.epsilon)

    node("DynamicQuantizeLinear", [smoothed(value, "qkv")], "qkv.bytes", "qkv.step", "qkv.offset")
    context = node(
        "QAttention",
        [name + "qkv.bytes", name + "qkv.weight", name + "qkv.bias", name + "qkv.step", name + "qkv.scale", "",
         name + "qkv.offset", name + "qkv.zero"],
        "context", num_heads=shape.heads,
    )  # fmt: skip
    middle = normed(product(context, "attention", "attended"), value, "attention", "attention_norm", "middle")
    active = node("BiasGelu", [product(middle, "up", "wide"), name + "up.bias"], "active")
    return nodes, normed(product(active, "down", "narrow"), middle, "down", "output_norm", "output")


def _layer(make: Any, shape: "Shape", layer: int, value: str) -> tuple[list[Any], str]:
    """The nodes of one transformer layer and the name of its output."""
    name = f"layer{layer}."

    def node(operator: str, inputs: list[str], output: str, **attributes: object) -> Any:
        domain = "" if operator == "MatMul" else "com.microsoft"
        return make(operator, inputs, [name + output], domain=domain, **attributes)

    weight = {suffix: name + suffix for suffix in ("qkv", "attention", "attention_norm", "up", "down", "output_norm")}
    nodes = [
        node("Attention", [value, name + "qkv.weight", name + "qkv.bias"], "context", num_heads=shape.heads),
        node("MatMul", [name + "context", weight["attention"] + ".weight"], "attended"),
        node(
            "SkipLayerNormalization",
            [name + "attended", value, weight["attention_norm"] + ".weight", weight["attention_norm"] + ".bias",
             weight["attention"] + ".bias"],
            "middle", epsilon=shape.epsilon,
        ),
        node("MatMul", [name + "middle", weight["up"] + ".weight"], "wide"),
        node("BiasGelu", [name + "wide", weight["up"] + ".bias"], "active"),
        node("MatMul", [name + "active", weight["down"] + ".weight"], "narrow"),
        node(
            "SkipLayerNormalization",
            [name + "narrow", name + "middle", weight["output_norm"] + ".weight", weight["output_norm"] + ".bias",
             weight["down"] + ".bias"],
            "output", epsilon=shape.epsilon,
        ),
    ]  # fmt: skip
    return nodes, name + "output"


def build(shape: "Shape", *, in_bytes: bool = False) -> bytes:
    """The serialised graph; its initializers point into `layers.bin` at consecutive offsets."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper

    weights, offset = [], 0
    for name, dimensions, kind in initializers(shape, in_bytes=in_bytes):
        size = np.dtype(kind).itemsize
        for dimension in dimensions:
            size *= dimension
        data_type = {"f4": TensorProto.FLOAT, "i1": TensorProto.INT8}[kind]
        tensor = TensorProto(name=name, data_type=data_type, dims=dimensions)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS_NAME), ("offset", str(offset)), ("length", str(size))):
            tensor.external_data.add(key=key, value=value)
        weights.append(tensor)
        offset += size
    value = "normalised"
    nodes = [
        helper.make_node(
            "LayerNormalization", ["embedded", "embeddings.weight", "embeddings.bias"], [value], epsilon=shape.epsilon
        )
    ]
    for layer in range(shape.layers):
        layer_nodes, value = (_byte_layer if in_bytes else _layer)(helper.make_node, shape, layer, value)
        nodes += layer_nodes
    nodes.append(helper.make_node("Identity", [value], ["hidden"]))
    outside: list[str | int | None] = [1, "tokens", shape.hidden]
    graph = helper.make_graph(
        nodes, "multilingual-e5-small",
        [helper.make_tensor_value_info("embedded", TensorProto.FLOAT, outside)],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, outside)],
        weights,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="checkup")
    return bytes(model.SerializeToString())


def main() -> None:
    """Write both skeletons for the sizes that the data file states."""
    from embeddings.e5_build import data_file
    from embeddings.e5_file import E5File

    shape = E5File(data_file()).shape
    for skeleton, (_, in_bytes) in SKELETONS.items():
        skeleton.write_bytes(build(sizes_of(skeleton, shape), in_bytes=in_bytes))


if __name__ == "__main__":
    main()
