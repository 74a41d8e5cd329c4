"""A published generation: everything a reader needs, immutable, in one folder that is swapped in as a whole.

Below: `embeddings.index`, `embeddings.lexical`. Above: `pipeline.publish` writes, `matching.retrieve` reads.

    WORKSPACE/index/CURRENT          the name of the generation readers open
    WORKSPACE/index/g-…/             manifest.json (checksums), cards.jsonl, dense.faiss, lexical.zip, rows.npy,
                                     strengths.npy, answers.npy; tokens.json, words.npy for the next writer only

A reader that has opened a generation keeps it in memory; the writer removes generations but the last two.
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embeddings.e5_file import Floats
from embeddings.index import DenseIndex
from embeddings.lexical import LexicalIndex

SCHEMA = 3
FILES = ("cards.jsonl", "dense.faiss", "lexical.zip", "rows.npy", "strengths.npy", "answers.npy")
TAKEN_OVER = ("tokens.json", "words.npy", "strengths.npy", "cards.jsonl")
"""What the next writer takes over of projects that did not change."""
KEPT = 2
WHOLE = -1


class IndexUnusableError(Exception):
    """The published index is missing, damaged or of another encoder; it can be built again from the database."""


def index_folder(workspace: Path) -> Path:
    """Where a workspace's published generations lie."""
    return workspace / "index"


@dataclass(frozen=True, slots=True)
class Published:
    """An opened generation.

    `rows` int32[n, 3] says of each dense row: card, start, end (start = WHOLE for title and whole text together).
    """

    manifest: Mapping[str, Any]
    cards: tuple[Mapping[str, Any], ...]
    rows: npt.NDArray[np.int32]
    dense: DenseIndex
    lexical: LexicalIndex
    strengths: Floats
    """float32[cards, approaches]: how far each project carries out each approach of `manifest["approaches"]`."""
    answers: Floats
    """float32[cards, needs]: how far each project answers each need of `manifest["needs"]`, 0..1."""


def publish(
    folder: Path,
    *,
    cards: Sequence[Mapping[str, Any]],
    rows: npt.NDArray[np.int32],
    vectors: Floats,
    strengths: Floats,
    answers: Floats,
    words: Floats,
    tokens: Mapping[str, Sequence[str]],
    manifest: Mapping[str, Any],
) -> str:
    """Write a generation beside the current one and swap it in; returns its name.

    The same content gets the same name: nothing is written and nothing swapped then.

    Args:
        folder: WORKSPACE/index; made if missing.
        cards: JSON objects in the order of the lexical documents.
        rows: int32[n, 3] as in `Published`.
        vectors: float32[n, d] beside `rows`.
        strengths: float32[cards, approaches], as in `Published`.
        answers: float32[cards, needs], as in `Published`.
        words: float32[cards, needs], what each project's words say of each need.
        tokens: the search tokens by document id, in the order of the cards.
        manifest: fingerprint, encoder and whatever else readers should know; JSON values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as name:
        part = Path(name) / "part"
        part.mkdir()
        lines = (json.dumps(card, ensure_ascii=False, separators=(",", ":")) + "\n" for card in cards)
        (part / "cards.jsonl").write_bytes("".join(lines).encode("utf-8", "surrogatepass"))
        DenseIndex.build(vectors).write(part / "dense.faiss")
        LexicalIndex.build(list(tokens.values())).write(part / "lexical.zip")
        (part / "tokens.json").write_text(json.dumps(tokens, ensure_ascii=False), "utf-8")
        np.save(part / "rows.npy", rows.astype(np.int32), allow_pickle=False)
        np.save(part / "strengths.npy", strengths.astype(np.float16), allow_pickle=False)
        np.save(part / "answers.npy", answers.astype(np.float16), allow_pickle=False)
        np.save(part / "words.npy", words, allow_pickle=False)
        sums = {file: _sha256(part / file) for file in (*FILES, *TAKEN_OVER)}
        content = {**manifest, "schema": SCHEMA, "projects": len(cards), "rows": len(rows), "sha256": sums}
        generation = _name_of(content)
        (part / "manifest.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
        if current_name(folder) == generation and _whole(folder / generation):
            return generation
        if (folder / generation).exists():
            shutil.rmtree(folder / generation)
        _replace(part, folder / generation)
    _point_to(folder, generation)
    _remove_old(folder, generation)
    return generation


def _name_of(manifest: Mapping[str, Any]) -> str:
    """A generation's name: a hash over its manifest, so that a damaged one does not fit the folder it stands in.

    A zip carries times of day; like what is taken over it is a function of the rest, and its checksum left out.
    """
    sums = {file: manifest["sha256"][file] for file in FILES if file != "lexical.zip"}
    told = json.dumps({**manifest, "sha256": sums}, sort_keys=True)
    return f"g-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _whole(folder: Path) -> bool:
    try:
        _read(folder, (*FILES, *TAKEN_OVER))
    except IndexUnusableError:
        return False
    return True


def _replace(source: Path, target: Path) -> None:
    """`os.replace`, tried again for a second: on Windows a reader may hold the target open."""
    for attempt in range(20):
        try:
            os.replace(source, target)
        except PermissionError:
            if attempt == 19:
                raise
            time.sleep(0.05)
        else:
            return


def _point_to(folder: Path, generation: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix="part-", delete=False, encoding="utf-8") as file:
        file.write(generation)
        file.flush()
        os.fsync(file.fileno())
    _replace(Path(file.name), folder / "CURRENT")


def _remove_old(folder: Path, generation: str) -> None:
    """Keep the newest generations and drop what killed writers left; what is held open goes the next time."""
    others = sorted(
        (path for path in folder.iterdir() if path.name.startswith("g-") and path.name != generation),
        key=lambda path: path.stat().st_mtime,
    )
    for path in [*others[: len(others) - KEPT + 1], *folder.glob("part-*")]:
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def current_name(folder: Path) -> str | None:
    """The current generation's name, or None where none was published."""
    try:
        return (folder / "CURRENT").read_text("utf-8").strip()
    except OSError:
        return None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def taken_over(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and files of the current generation that the next writer takes over, their checksums compared.

    Raises:
        IndexUnusableError: if there is none, or a file is missing or damaged.
    """
    return _read(folder / str(current_name(folder)), TAKEN_OVER)


def _read(folder: Path, files: Sequence[str] = FILES) -> tuple[dict[str, Any], dict[str, bytes]]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        content = {name: (folder / name).read_bytes() for name in files}
        if manifest["schema"] != SCHEMA:
            raise IndexUnusableError(f"{folder.name}: von einer anderen Fassung ({manifest['schema']})")
        if _name_of(manifest) != folder.name:
            raise IndexUnusableError(f"{folder.name}/manifest.json: beschädigt")
        for name, found in content.items():
            if hashlib.sha256(found).hexdigest() != manifest["sha256"][name]:
                raise IndexUnusableError(f"{folder.name}/{name}: Prüfsumme stimmt nicht")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexUnusableError(f"{folder.name}: {error}") from error
    return manifest, content


def open_published(folder: Path, *, fingerprint: str | None = None) -> Published:
    """The current generation, its checksums compared.

    Args:
        folder: WORKSPACE/index.
        fingerprint: if given, a generation of another encoder is refused.

    Raises:
        IndexUnusableError: if there is none, a file is damaged, or the encoder is another.
    """
    for attempt in range(3):
        generation = current_name(folder)
        if generation is None:
            raise IndexUnusableError("es gibt noch keinen Index")
        try:
            manifest, content = _read(folder / generation)
            break
        except IndexUnusableError:
            # The writer may have removed this generation between our two reads: look once more where it points.
            if attempt == 2 or current_name(folder) == generation:
                raise
    if fingerprint is not None and manifest.get("fingerprint") != fingerprint:
        raise IndexUnusableError(f"{generation}: von einem anderen Sprachmodell ({manifest.get('fingerprint')})")
    return Published(
        manifest=manifest,
        cards=tuple(json.loads(line) for line in content["cards.jsonl"].decode("utf-8").split("\n") if line),
        rows=np.load(io.BytesIO(content["rows.npy"]), allow_pickle=False),
        dense=DenseIndex.read(content["dense.faiss"]),
        lexical=LexicalIndex.read(content["lexical.zip"]),
        strengths=np.load(io.BytesIO(content["strengths.npy"]), allow_pickle=False).astype(np.float32),
        answers=np.load(io.BytesIO(content["answers.npy"]), allow_pickle=False).astype(np.float32),
    )
