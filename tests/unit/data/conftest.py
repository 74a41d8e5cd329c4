from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data.records import Document, Extraction, Passage, Project, Statement
from data.settings import Settings, load_settings
from data.store import Store


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKSPACE", "ENCODER", "DATABASE_URL", "THREADS", "CONTACT", "MODULE_SET"):
        monkeypatch.delenv(f"CHECKUP_{name}", raising=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "Arbeitsbereich mit ü")


@pytest.fixture
def clock() -> Callable[[], str]:
    """A clock that moves one second with every look."""
    seconds = iter(range(10_000))
    return lambda: f"2026-11-25T{(at := next(seconds)) // 3600:02}:{at // 60 % 60:02}:{at % 60:02}.000Z"


@pytest.fixture
def store(settings: Settings, clock: Callable[[], str]) -> Iterator[Store]:
    with Store.open(settings, create=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def put(store: Store) -> Callable[..., None]:
    """Adds projects in a run of their own."""

    def put(*projects: Project, fetched_at: str = "2026-11-25", kind: str = "original") -> None:
        with store.writing("import"):
            store.upsert_projects(
                projects,
                origin="import",
                source="liste.jsonl",
                kind=kind,  # type: ignore[arg-type]
                fetched_at=fetched_at,
            )

    return put


@pytest.fixture
def extraction() -> Callable[..., Extraction]:
    """An extraction that names words of the text as action fields and takes the whole text as its passage."""

    def extraction(document: Document, *words: str, version: str = "x-1") -> Extraction:
        told = []
        for word in words:
            start = document.text.index(word)
            told.append(
                Statement(
                    project_id=document.project_id,
                    property="action_fields",
                    value=word.lower(),
                    document_id=document.id,
                    origin="extractor",
                    extractor_version=version,
                    start=start,
                    end=start + len(word),
                    quote=word,
                )
            )
        whole = Passage(
            project_id=document.project_id,
            document_id=document.id,
            start=0,
            end=len(document.text),
            text=document.text,
        )
        return Extraction(document=document, statements=tuple(told), passages=(whole,))

    return extraction
