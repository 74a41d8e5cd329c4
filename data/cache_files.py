"""The user's cache directory: what can be made again at any time, and tables of texts that open at once.

Below: nothing of ours. Above: `embeddings.e5_build` (encoders), `embeddings.e5_tokens` (pieces of words),
`pipeline.nlp.dictionary` (lemmas).

A table's file, little-endian: `_MAGIC`, u32 buckets (a power of two), u32 length of the stamp, the stamp, u32 where the
first bucket begins (0) and where each ends, the buckets. A bucket: u32 CRC-32 of the rest; per entry a byte 0, the key,
a byte 1, the value; a byte 0. Its keys have the same lowest bits of CRC-32, so that a look-up reads one bucket and sees
damage where it is.
"""

import mmap
import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from zlib import crc32

_MAGIC = b"CHECKUPT1"
_HEAD = struct.Struct("<II")
_SUM = struct.Struct("<I")
_SPAN = struct.Struct("<II")
_ENTRIES_PER_BUCKET = 4
"""At most, on average."""


class TableDamagedError(Exception):
    """A table's file cannot be used: of another stamp, cut off, or changed."""


def cache_folder() -> Path:
    """Where such files live: CHECKUP_CACHE, else the platform's user cache directory."""
    configured = os.environ.get("CHECKUP_CACHE")
    if configured:
        return Path(configured)
    from platformdirs import user_cache_path

    return user_cache_path("checkup-integration", appauthor=False)


def write_atomically(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file that other processes see whole or not at all; its folder is made if missing.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="part-", delete=False) as file:
        try:
            file.writelines(parts)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            with suppress(OSError):
                Path(file.name).unlink()
            raise


def table_bytes(stamp: str, entries: Mapping[str, str]) -> Iterator[bytes]:
    """The parts of a table's file.

    Args:
        stamp: What the table is made from.
        entries: Texts without the code points 0 and 1.

    Raises:
        ValueError: A text holds one of them.
    """
    count = 1 << (len(entries) // _ENTRIES_PER_BUCKET).bit_length()
    buckets = [b""] * count
    for key, value in entries.items():
        name = _bytes(key)
        entry = b"\0%b\1%b" % (name, _bytes(value))
        if entry.count(0) + entry.count(1) != 2:
            raise ValueError(f"{key!r}: {value!r} cannot be kept in a table")
        buckets[crc32(name) & (count - 1)] += entry
    yield _MAGIC + _HEAD.pack(count, len(_bytes(stamp))) + _bytes(stamp)
    ends = accumulate(_SUM.size + len(bucket) + 1 for bucket in buckets)
    yield struct.pack(f"<{count + 1}I", 0, *ends)
    for bucket in buckets:
        content = bucket + b"\0"
        yield _SUM.pack(crc32(content)) + content


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class Table:
    """A table in its file, memory-mapped.

    Raises:
        OSError: There is no such file.
        TableDamagedError: It is no table, or one of another stamp.
    """

    def __init__(self, path: Path, stamp: str) -> None:
        name = _bytes(stamp)
        with path.open("rb") as file:
            magic, sizes, found = file.read(len(_MAGIC)), file.read(_HEAD.size), file.read(len(name))
            if magic != _MAGIC or len(sizes) != _HEAD.size or found != name:
                raise TableDamagedError(str(path))
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        count, stamp_bytes = _HEAD.unpack(sizes)
        self._mask = count - 1
        self._spans = len(_MAGIC) + _HEAD.size + stamp_bytes
        self._buckets = self._spans + 4 * (count + 1)

    def get(self, key: str, /) -> str | None:
        """The value of a key, or None.

        Raises:
            TableDamagedError: What stands in the key's place was changed or is cut off.
        """
        name = _bytes(key)
        try:
            start, end = _SPAN.unpack_from(self._map, self._spans + 4 * (crc32(name) & self._mask))
            (expected,) = _SUM.unpack_from(self._map, self._buckets + start)
        except struct.error as error:
            raise TableDamagedError(str(error)) from error
        content = self._map[self._buckets + start + _SUM.size : self._buckets + end]
        if crc32(content) != expected:
            raise TableDamagedError(f"the bucket of {key!r}")
        at = content.find(b"\0%b\1" % name)
        if at < 0 or 0 in name:
            return None
        at += len(name) + 2
        return content[at : content.index(0, at)].decode("utf-8", "surrogatepass")


class KeptTable:
    """A table kept in the cache: made when it is missing, of another stamp or damaged.

    Where nothing can be written the entries stay in memory instead. Processes that start at the same time may each make
    it; the last one's file stays, with the same content.

    Args:
        path: Of the file.
        stamp: What the table is made from.
        entries: Gives its entries, as `table_bytes` takes them.
    """

    def __init__(self, path: Path, stamp: str, entries: Callable[[], Mapping[str, str]]) -> None:
        self._path = path
        self._stamp = stamp
        self._entries = entries
        self._table: Table | Mapping[str, str]
        try:
            self._table = Table(path, stamp)
        except (OSError, ValueError, TableDamagedError):
            self._make()

    def get(self, key: str) -> str | None:
        """The value of a key, or None."""
        try:
            return self._table.get(key)
        except TableDamagedError:
            self._make()
        return self._table.get(key)

    def _make(self) -> None:
        self._table = entries = self._entries()  # lets go of the old file: an open one cannot be replaced on Windows
        with suppress(OSError, TableDamagedError):
            write_atomically(self._path, table_bytes(self._stamp, entries))
            self._table = Table(self._path, self._stamp)
