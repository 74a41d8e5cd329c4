"""Searches every file of a workspace for what was erased: free pages of the database, members of archives and all.

Below: NumPy, `data.person_names`. Above: `pipeline.erase`. Texts are searched as pieces of forty characters at most, so
that any fragment of 79 characters or more is found; each piece in every form in which a file may hold it.
"""

import gzip
import html
import json
import re
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.person_names import MASK, KnownName
from data.system_errors import in_german

PIECE = 40
"""Code points of a piece."""
SHORTEST = 8
CHUNK_BYTES = 8 << 20
OVERLAP_BYTES = 1 << 10
"""More than the longest form of a piece and than any name."""
DEEPEST = 3
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Hit:
    """Where something was found: the file, and the member inside of it."""

    file: str
    member: str | None


@dataclass(slots=True)
class Searched:
    """What a search went through and found."""

    files: int = 0
    size_bytes: int = 0
    hits: list[Hit] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    """Files, or packed parts of them, that could not be read; searched as far as possible."""


class Traces:
    """What must not be found any more.

    Args:
        texts: Stored texts, titles, addresses, ids; what is shorter than eight characters is too common to search for.
        name: A person's name, searched in all its written variants.
    """

    def __init__(self, texts: Iterable[str] = (), name: str | None = None) -> None:
        self._pieces = {piece for text in texts for piece in _cut(text)}
        self._name = KnownName(name) if name else None
        self._prepare()

    def _prepare(self) -> None:
        self._forms: dict[bytes, list[tuple[bytes, str]]] = {}
        for piece in self._pieces:
            for form in _forms(piece):
                self._forms.setdefault(form[:SHORTEST], []).append((form, piece))
        heads = np.frombuffer(b"".join(self._forms), "<u8")
        self._heads = np.sort(heads)
        self._sieve = np.zeros(1 << 20, bool)
        self._sieve[_slot(heads)] = True

    def forget_common(self, surviving: Iterable[tuple[str, str]]) -> list[str]:
        """Gives up pieces that stand in what stays, e.g. the same wording in another project; returns those projects.

        Args:
            surviving: Project and text.
        """
        common: set[str] = set()
        sharing: set[str] = set()
        for block, starts, owners in _blocks(surviving):
            for at, piece in self._found(block):
                common.add(piece)
                if len(piece) == PIECE:
                    sharing.add(owners[bisect_right(starts, at) - 1])
        self._pieces -= common
        self._prepare()
        return sorted(sharing)

    def mask(self, text: str) -> str:
        """The text with everything that stands in it as U+2588, its length kept."""
        for piece in {piece for _, piece in self._found(text.encode("utf-8", "replace"))}:
            for form in (piece, json.dumps(piece, ensure_ascii=False)[1:-1]):
                text = text.replace(form, MASK * len(form))
        return text

    def stand_in(self, content: bytes) -> bool:
        """Whether anything of it stands in this content."""
        return next(self._found(content), None) is not None or self._named(content)

    def search(self, folder: Path) -> Searched:
        """Looks through every file below a folder."""
        searched = Searched()
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                searched.files += 1
                self.search_file(path, path.relative_to(folder).as_posix(), searched)
        return searched

    def search_file(self, path: Path, shown: str, searched: Searched) -> None:
        """Looks through one file, and adds what it found under the name `shown`."""
        try:
            searched.size_bytes += path.stat().st_size
            with path.open("rb") as file:
                self._search_stream(file, Hit(shown, None), searched, 0)
        except OSError as error:
            # Windows lets nobody read a lock that is held; it holds nothing.
            if path.suffix != ".lock":
                searched.unreadable.append(f"{shown}: {in_german(error)}")

    def _search_stream(self, file: Any, place: Hit, searched: Searched, depth: int) -> None:
        rest, first, found = b"", b"", False
        while chunk := file.read(CHUNK_BYTES):
            first = first or chunk[:5]
            found = found or self.stand_in(rest + chunk)
            rest = (rest + chunk)[-OVERLAP_BYTES:]
        if found:
            searched.hits.append(place)
        if first == b"%PDF-":
            searched.unreadable.append(f"{_shown(place)}: gepackter Text einer PDF-Datei")
        elif first[:2] in (b"\x1f\x8b", b"PK") and depth >= DEEPEST:
            searched.unreadable.append(f"{_shown(place)}: zu oft ineinander gepackt")
        elif first[:2] in (b"\x1f\x8b", b"PK"):
            file.seek(0)
            try:
                self._unpack(file, first, place, searched, depth)
            except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
                searched.unreadable.append(f"{place.file}: {error}")

    def _unpack(self, file: Any, first: bytes, place: Hit, searched: Searched, depth: int) -> None:
        if first[:2] == b"\x1f\x8b":
            with gzip.open(file) as content:
                self._search_stream(content, Hit(place.file, _inside(place, "gz")), searched, depth + 1)
            return
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                with archive.open(info) as member:
                    self._search_stream(member, Hit(place.file, _inside(place, info.filename)), searched, depth + 1)

    def _named(self, content: bytes) -> bool:
        if self._name is None:
            return False
        text = content.decode("utf-8", "replace")
        readings = [text]
        if "\ufffd" in text:
            readings.append(content.decode("cp1252", "replace"))
        if "\\u0" in text:
            readings.append(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text))
        return any(self._name.stands_in(reading) for reading in readings)

    def _found(self, content: bytes) -> Iterator[tuple[int, str]]:
        """Places in bytes and the pieces that stand there."""
        if len(content) < SHORTEST or not len(self._heads):
            return
        for at in self._candidates(content):
            for form, piece in self._forms.get(content[at : at + SHORTEST], ()):
                if content.startswith(form, at):
                    yield int(at), piece

    def _candidates(self, content: bytes) -> npt.NDArray[np.int64]:
        """The places where the first eight bytes of some piece stand."""
        places = []
        for shift in range(SHORTEST):
            words = np.frombuffer(content, "<u8", (len(content) - shift) // SHORTEST, shift)
            likely = np.flatnonzero(self._sieve[_slot(words)])
            near = np.searchsorted(self._heads, words[likely]).clip(max=len(self._heads) - 1)
            places.append(likely[self._heads[near] == words[likely]] * SHORTEST + shift)
        return np.sort(np.concatenate(places))


def _slot(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A place 0..2^20 for each eight bytes (Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4)."""
    return (words * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)


def _cut(text: str) -> Iterator[str]:
    """Pieces of a text; white space at line ends and what is masked is left out."""
    for line in re.split(rf"[\n\r\t]+|{MASK}+", text):
        for start in range(0, len(line), PIECE):
            piece = line[start : start + PIECE]
            if len(piece.strip()) >= SHORTEST:
                yield piece


def _forms(piece: str) -> set[bytes]:
    """The bytes that may stand for a piece in a file."""
    escaped = {piece, json.dumps(piece)[1:-1], json.dumps(piece, ensure_ascii=False)[1:-1], html.escape(piece)}
    forms = {form.encode("utf-8", "replace") for form in escaped}
    forms |= {piece.encode("utf-16-le", "replace"), piece.encode("cp1252", "ignore")}
    return {form for form in forms if len(form) >= SHORTEST}


def _blocks(texts: Iterable[tuple[str, str]]) -> Iterator[tuple[bytes, list[int], list[str]]]:
    """Texts joined to blocks of some size, with where each begins and whose it is."""
    parts: list[bytes] = []
    starts: list[int] = []
    owners: list[str] = []
    size = 0
    for owner, text in texts:
        parts.append(text.encode("utf-8", "replace") + b"\n")
        starts.append(size)
        owners.append(owner)
        size += len(parts[-1])
        if size > CHUNK_BYTES:
            yield b"".join(parts), starts, owners
            parts, starts, owners, size = [], [], [], 0
    yield b"".join(parts), starts, owners


def _shown(place: Hit) -> str:
    return f"{place.file} ({place.member})" if place.member else place.file


def _inside(place: Hit, name: str) -> str:
    return f"{place.member}/{name}" if place.member else name
