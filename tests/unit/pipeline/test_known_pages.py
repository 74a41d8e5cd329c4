"""What must leave no trace is not remembered under any of a page's addresses, and forgotten under each of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.crawling import source_for
from support.site import Site

from crawlers.forget import forget
from crawlers.memory import BOILERPLATE, FileMemory
from crawlers.web import Seen
from data.settings import load_settings
from data.store import Store
from data.store_erase import Door, made_for
from pipeline.known_pages import KnownPages

NOW = "2026-01-31T08:00:00.000Z"
ERASED = "https://e.org/weg"
PLAIN = Seen(url="https://e.org/a", final_url="https://e.org/a", fetched_at=NOW, sha256="")
NAMING: dict[str, dict[str, Any]] = {
    "url": {"url": ERASED},
    "final_url": {"final_url": ERASED},
    "answered": {"answered": ERASED},
    "reason": {"reason": f"Titel und Text sind gleich {ERASED}.", "code": "duplicate"},
}


@pytest.mark.parametrize("name", NAMING)
def test_a_page_is_forgotten_by_each_address_that_it_bears(tmp_path: Path, name: str) -> None:
    memory = FileMemory(tmp_path / "probe.jsonl", "1")
    memory.put(replace(PLAIN, **NAMING[name]))
    memory.put(replace(PLAIN, url="https://e.org/b"))
    assert forget(tmp_path, lambda url: url == ERASED) == 1
    lines = [json.loads(line) for line in memory.path.read_text("utf-8").splitlines() if line]
    assert [entry["url"] for entry in lines if "url" in entry] == ["https://e.org/b"]
    assert ERASED not in memory.path.read_text("utf-8")


@pytest.mark.parametrize("name", [*[name for name in NAMING if name != "reason"], "links", "sitemaps"])
def test_what_was_erased_is_not_remembered(tmp_path: Path, name: str) -> None:
    named = NAMING.get(name) or {name: (ERASED, "https://e.org/c")}
    with Site({}) as site, Store.open(load_settings(tmp_path), create=True) as store:
        inner = FileMemory(tmp_path / "m.jsonl", "1")
        door = Door(made_for("page", ERASED, "x"))
        known = KnownPages(store, source_for(tmp_path, site), NOW, inner, door)
        known.put(PLAIN)
        known.put(replace(PLAIN, **named))
    text = inner.path.read_text("utf-8")
    assert ERASED not in text
    assert ("https://e.org/c" in text) == (name in ("links", "sitemaps"))


@pytest.mark.parametrize("texts", [False, True])
def test_the_hashes_of_all_texts_are_forgotten_where_a_person_is(tmp_path: Path, texts: bool) -> None:
    memory = FileMemory(tmp_path / "probe.jsonl", "1")
    memory.put(replace(PLAIN, url=BOILERPLATE, links=("hash-a",)))
    memory.put(replace(PLAIN, url="https://e.org/1", content="hash-b", record=True))
    memory.put(replace(PLAIN, url="https://e.org/2", sketch="hash-c", code="duplicate"))
    memory.put(replace(PLAIN, url="https://e.org/3", lines=("hash-d",)))
    memory.put(replace(PLAIN, url="https://e.org/liste", links=("https://e.org/1",), etag="1"))
    forget(tmp_path, lambda url: False, texts=texts)
    told = memory.path.read_text("utf-8")
    assert ("hash-" not in told) == texts
    again = FileMemory(memory.path, "1").get("https://e.org/liste")
    assert again is not None
    assert again.links == ("https://e.org/1",)
