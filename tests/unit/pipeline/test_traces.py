import gzip
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import select, update

from crawlers.source import all_sources
from data.errors import CheckupError
from data.purged import purged_id, vector_key
from data.records import Project
from data.settings import load_settings
from data.store import Store
from data.store_retention import Crawled, Purge, purge
from data.tables import projects
from pipeline.cadence import INTERVALS
from pipeline.retention import Rule, due, rule_of, wanted_vectors, within_share
from pipeline.traces import DEEPEST, Traces

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


def test_what_cannot_be_searched_is_named(tmp_path: Path) -> None:
    content = TEXT.encode()
    for _ in range(DEEPEST):
        content = gzip.compress(content)
    (tmp_path / "tief.gz").write_bytes(content)
    (tmp_path / "zu tief.gz").write_bytes(gzip.compress(content))
    (tmp_path / "bericht.pdf").write_bytes(b"%PDF-1.7\n")
    found = Traces([TEXT]).search(tmp_path)
    assert [hit.file for hit in found.hits] == ["tief.gz"]
    assert [one.split(" (")[0].split(":")[0] for one in found.unreadable] == ["bericht.pdf", "zu tief.gz"]


def test_a_name_with_accents_is_found_in_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Mit Ayşe Çelik.", "utf-8")
    (tmp_path / "b.json").write_text(json.dumps("Mit AYŞE ÇELİK und Çelik, Ayşe"), "utf-8")
    (tmp_path / "c.txt").write_bytes("José García".encode("cp1252"))
    assert [hit.file for hit in Traces(name="Ayşe Çelik").search(tmp_path).hits] == ["a.txt", "b.json"]
    assert [hit.file for hit in Traces(name="José García").search(tmp_path).hits] == ["c.txt"]


def test_a_sources_texts_stay_until_it_was_read_twice_more() -> None:
    sources = [one for one in all_sources() if not isinstance(one, CheckupError)]
    assert {one.schedule for one in sources} >= {"monthly", "quarterly"}
    for source in sources:
        assert timedelta(days=rule_of(source).days) >= 2 * INTERVALS[source.schedule]


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
    found = [crawled("alt", "2026-01-01"), crawled("neu", "2026-03-25"), crawled("morgen", "2027-01-01")]
    now = "2026-04-10T00:00:00.000Z"
    assert [(one.id, why) for one, why in due(found, {}, now)] == [("alt", "retention")]
    assert due(found, {"s": Rule(days=365)}, now) == []
    gone = due(found[1:], {"s": Rule(database=True, share_percent=0)}, now)
    assert [(one.id, why) for one, why in gone] == [("neu", "share_cap"), ("morgen", "share_cap")]


def test_a_purged_texts_vector_stays_while_another_project_speaks_for_it(tmp_path: Path) -> None:
    with Store.open(load_settings(tmp_path / "ws"), create=True) as store, store.writing("refresh"):
        given = [Project(id="alt", text="Ein Chor.", title="Chor"), Project(id="neu", text="Ein Chor.", title="Chor")]
        store.upsert_projects(given, origin="crawl", source="s", kind="original", fetched_at="2026-01-01")
        with store._transaction() as connection:
            connection.execute(update(projects).where(projects.c.id == "alt").values(merged_into="neu"))
            version = connection.execute(select(projects.c.document_id).where(projects.c.id == "alt")).scalar_one()
        item = replace(crawled("alt", "2026-01-01"), document_id=version)
        purge(store, [Purge(project=item, because="retention", vector_sha256="v", empty_sha256="e")], "2026-06-01")
        assert [card.project.id for card in store.iter_cards()] == ["neu"]
        assert vector_key(purged_id(version)) in wanted_vectors(store)


def test_the_share_is_the_same_whatever_else_there_is() -> None:
    ids = [f"projekt-{number}" for number in range(5000)]
    kept = {one for one in ids if within_share(one, 10)}
    assert 0.08 < len(kept) / len(ids) < 0.12
    assert kept <= {one for one in ids if within_share(one, 20)}
