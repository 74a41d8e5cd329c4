import gzip
import zipfile
from pathlib import Path

import numpy as np

from data.store_retention import Crawled
from pipeline.retention import Rule, due, within_share
from pipeline.traces import Traces

TEXT = "Ein Wortlaut mit Umlaut ü und Zeichen, der nur einmal vorkommt und lang genug ist, um ihn zu finden."


def test_fragments_are_found_in_every_packing_and_form(tmp_path: Path) -> None:
    fragment = TEXT[9:90]
    (tmp_path / "roh.bin").write_bytes(b"\0\1" + fragment.encode() + b"\xff")
    (tmp_path / "utf16.txt").write_bytes(fragment.encode("utf-16-le"))
    (tmp_path / "alt.txt").write_bytes(fragment.encode("cp1252"))
    (tmp_path / "gepackt.gz").write_bytes(gzip.compress(b"x") + gzip.compress(fragment.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "gepackt.gz", "innen/b.gz")
    np.savez_compressed(tmp_path / "c.npz", text=np.frombuffer(fragment.encode(), np.uint8))
    (tmp_path / "leer.txt").write_text("nichts davon", "utf-8")
    found = Traces([TEXT]).search(tmp_path)
    assert {(hit.file, hit.member) for hit in found.hits} == {
        ("roh.bin", None), ("utf16.txt", None), ("alt.txt", None), ("gepackt.gz", "gz"), ("a.zip", "innen/b.gz/gz"),
        ("c.npz", "text.npy"),
    }  # fmt: skip
    assert (found.files, found.unreadable) == (7, [])


def test_what_stands_elsewhere_too_is_given_up_and_named() -> None:
    traces = Traces([TEXT, "eigenes Stichwort"])
    assert traces.forget_common([("a", "anderes"), ("b", f"Vorher. {TEXT}")]) == ["b"]
    assert not traces.stand_in(TEXT.encode())
    assert traces.stand_in(b"... eigenes Stichwort ...")
    assert traces.mask("mit eigenes Stichwort.") == f"mit {'█' * 17}."


def crawled(project_id: str, last_seen: str) -> Crawled:
    seen = f"{last_seen}T00:00:00.000Z"
    return Crawled(id=project_id, source="s", last_seen=seen, document_id="d", title=None, text="x", url=None)


def test_texts_are_due_after_the_days_of_their_source_only() -> None:
    projects = [crawled("alt", "2026-01-01"), crawled("neu", "2026-03-25"), crawled("morgen", "2027-01-01")]
    now = "2026-04-10T00:00:00.000Z"
    assert [(one.id, why) for one, why in due(projects, {}, now)] == [("alt", "retention")]
    assert due(projects, {"s": Rule(days=365)}, now) == []
    gone = due(projects[1:], {"s": Rule(database=True, share_percent=0)}, now)
    assert [(one.id, why) for one, why in gone] == [("neu", "share_cap"), ("morgen", "share_cap")]


def test_the_share_is_the_same_whatever_else_there_is() -> None:
    ids = [f"projekt-{number}" for number in range(5000)]
    kept = {one for one in ids if within_share(one, 10)}
    assert 0.08 < len(kept) / len(ids) < 0.12
    assert kept <= {one for one in ids if within_share(one, 20)}
