"""The encoder's ONNX graphs without weights, in float32 and in 8 bit: made once by a developer.

Below: nothing at run time. Above: `embeddings.e5_build` writes the file of weights that the graph points to.
`python -m embeddings.e5_graph` writes them anew; it needs the package `onnx`, which users do not have.

One text a run and no padding: input float32[1, n, hidden], the sum of word, position and type embeddings; output
float32[1, n, hidden], the last hidden states. Operators with a prefix are ONNX Runtime's own fused ones
(com.microsoft Attention, SkipLayerNormalization, BiasGelu, QAttention, DynamicQuantizeMatMul). 23 and 42 kB.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embeddings.e5_file import Shape

SKELETON = Path(__file__).parent / "weights" / "e5-skeleton.onnx"
BYTE_SKELETON = SKELETON.with_name("e5-byte-skeleton.onnx")
"""The graph whose matrices are whole numbers of 8 bit (`embeddings.e5_bytes`)."""
WIDE_CHANNELS = 4
"""Of what a layer's last matrix is multiplied by so many channels stay in float32: one reaches up to forty times as far
as the usual, and one step of 8 bit would be as wide for all of them."""
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
            yield f"{name}{short}.weight", (rows, columns), "i1" if in_bytes else "f4"
            yield f"{name}{short}.bias", (columns,), "f4"
            if in_bytes:
                yield f"{name}{short}.scale", (columns,), "f4"
                if short == "qkv":
                    yield f"{name}{short}.zero", (columns,), "i1"
                if short != "attention":
                    yield f"{name}{short}.smooth", (rows,), "f4"
                if short == "down":
                    yield f"{name}{short}.wide", (WIDE_CHANNELS,), "i8"
                    yield f"{name}{short}.wide_weight", (WIDE_CHANNELS, columns), "f4"
            if short in {"attention", "down"}:
                norm = {"attention": "attention_norm", "down": "output_norm"}[short]
                yield f"{name}{norm}.weight", (hidden,), "f4"
                yield f"{name}{norm}.bias", (hidden,), "f4"


def _byte_layer(make: Any, shape: "Shape", layer: int, value: str) -> tuple[list[Any], str]:
    """The nodes of one transformer layer whose matrices are in 8 bit, and the name of its output.

    `Sum` and not `Add`: ONNX Runtime would fuse that with the norm, and its fused one takes five times as long.
    """
    name = f"layer{layer}."
    nodes: list[Any] = []

    def node(operator: str, inputs: list[str], *outputs: str, **attributes: object) -> str:
        domain = "com.microsoft" if operator in {"QAttention", "DynamicQuantizeMatMul", "BiasGelu"} else ""
        nodes.append(make(operator, inputs, [name + output for output in outputs], domain=domain, **attributes))
        return name + outputs[0]

    def smoothed(given: str, short: str) -> str:
        return node("Mul", [given, f"{name}{short}.smooth"], f"{short}.smoothed")

    def product(given: str, short: str, output: str, *, biased: bool = True) -> str:
        weights = [f"{name}{short}.weight", f"{name}{short}.scale", *(["", f"{name}{short}.bias"] if biased else [])]
        return node("DynamicQuantizeMatMul", [given, *weights], output)

    def normed(parts: list[str], norm: str, output: str) -> str:
        weights = [f"{name}{norm}.weight", f"{name}{norm}.bias"]
        return node(
            "LayerNormalization", [node("Sum", parts, f"{output}.sum"), *weights], output, epsilon=shape.epsilon
        )

    node("DynamicQuantizeLinear", [smoothed(value, "qkv")], "qkv.bytes", "qkv.step", "qkv.offset")
    context = node(
        "QAttention",
        [name + "qkv.bytes", name + "qkv.weight", name + "qkv.bias", name + "qkv.step", name + "qkv.scale", "",
         name + "qkv.offset", name + "qkv.zero"],
        "context", num_heads=shape.heads,
    )  # fmt: skip
    middle = normed([product(context, "attention", "attended"), value], "attention_norm", "middle")
    wide = product(smoothed(middle, "up"), "up", "wide", biased=False)
    active = node("BiasGelu", [wide, name + "up.bias"], "active")
    apart = node("Gather", [active, name + "down.wide"], "wide_channels", axis=2)
    beside = node("MatMul", [apart, name + "down.wide_weight"], "beside")
    narrow = product(smoothed(active, "down"), "down", "narrow")
    return nodes, normed([narrow, beside, middle], "output_norm", "output")


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
        data_type = {"f4": TensorProto.FLOAT, "i1": TensorProto.INT8, "i8": TensorProto.INT64}[kind]
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
    for skeleton in (SKELETON, BYTE_SKELETON):
        skeleton.write_bytes(build(shape, in_bytes=skeleton == BYTE_SKELETON))


if __name__ == "__main__":
    main()
