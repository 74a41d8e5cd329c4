"""The encoder's ONNX graphs without weights, all layers or the lowest: made once by a developer, shipped (23 + 12 kB).

Below: nothing at run time. Above: `embeddings.e5_build` writes the file of weights that the graph points to.
`python -m embeddings.e5_graph` writes it anew; it needs the package `onnx`, which users do not have.

One text a run and no padding: input float32[1, n, hidden], the sum of word, position and type embeddings; output
float32[1, n, hidden], the last hidden states. Operators with a prefix are ONNX Runtime's own fused ones
(com.microsoft Attention, SkipLayerNormalization, BiasGelu).
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embeddings.e5_file import Shape

SKELETON = Path(__file__).parent / "weights" / "e5-skeleton.onnx"
LOWER_SKELETON = SKELETON.with_name("e5-lower-skeleton.onnx")
"""The graph of the lowest layers alone (`embeddings.word_states`)."""
LOWER_LAYERS = 6
WEIGHTS_NAME = "layers.bin"


def initializers(shape: "Shape") -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the graph's weights, in the order in which they lie in the file of weights (float32)."""
    hidden, ffn = shape.hidden, shape.ffn
    yield "embeddings.weight", (hidden,)
    yield "embeddings.bias", (hidden,)
    for layer in range(shape.layers):
        name = f"layer{layer}."
        yield name + "qkv.weight", (hidden, 3 * hidden)
        yield name + "qkv.bias", (3 * hidden,)
        yield name + "attention.weight", (hidden, hidden)
        yield name + "attention.bias", (hidden,)
        yield name + "attention_norm.weight", (hidden,)
        yield name + "attention_norm.bias", (hidden,)
        yield name + "up.weight", (hidden, ffn)
        yield name + "up.bias", (ffn,)
        yield name + "down.weight", (ffn, hidden)
        yield name + "down.bias", (hidden,)
        yield name + "output_norm.weight", (hidden,)
        yield name + "output_norm.bias", (hidden,)


def sizes_of(skeleton: Path, shape: "Shape") -> "Shape":
    """The sizes of a skeleton's graph: the model's own, with fewer layers where it has only the lowest."""
    return replace(shape, layers=LOWER_LAYERS) if skeleton == LOWER_SKELETON else shape


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


def build(shape: "Shape") -> bytes:
    """The serialised graph; its initializers point into `layers.bin` at consecutive offsets."""
    import onnx
    from onnx import TensorProto, helper

    weights, offset = [], 0
    for name, dimensions in initializers(shape):
        size = 4
        for dimension in dimensions:
            size *= dimension
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dimensions)
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
        layer_nodes, value = _layer(helper.make_node, shape, layer, value)
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
    for skeleton in (SKELETON, LOWER_SKELETON):
        skeleton.write_bytes(build(sizes_of(skeleton, shape)))


if __name__ == "__main__":
    main()
