"""Computing what is shipped beside the projects: their vectors for the default encoder, and the reader's answers.

Below: `data.shipped`, `embeddings`, `pipeline`. Above: `checkup train vectors`, `checkup train marks`.
"""

import tempfile
from pathlib import Path

from data.settings import Settings, load_settings
from data.store import Store
from embeddings.encoders import text_sha256
from embeddings.published import index_folder, open_published
from embeddings.shipped_vectors import FILE, write_shipped
from pipeline import refresh
from pipeline.nlp.extract import marks_of
from pipeline.nlp.marks import SHIPPED_FILE, forget_loaded, write_shipped_marks
from pipeline.project_vectors import encoded_keys
from pipeline.publish import reference_texts


def write_vectors(settings: Settings, *, workers: int, path: Path = FILE) -> int:
    """Seed a temporary workspace, collect every vector a first `seed` needs, and write them; returns how many."""
    with tempfile.TemporaryDirectory(prefix="checkup-vectors-") as name:
        fresh = load_settings(Path(name), encoder=settings.encoder, threads=settings.threads)
        fresh = fresh.model_copy(update={"database_url": None})
        with Store.open(fresh, create=True) as store, store.writing("seed"):
            worker = refresh.worker_for(store, workers=workers)
            refresh.seed(store, worker, refresh.Report())
            cards = open_published(index_folder(fresh.workspace)).cards
            needs, approaches = reference_texts()
            keys = encoded_keys(cards) | {text_sha256("passage", text) for text in approaches}
            keys |= {text_sha256("query", text) for text in needs}
            vectors = store.get_vectors(worker.encoder.fingerprint, sorted(keys))
    write_shipped(path, worker.encoder.fingerprint, vectors)
    return len(vectors)


def write_marks(path: Path = SHIPPED_FILE) -> int:
    """Seed a temporary workspace and keep what the reader of spans says of its texts; returns of how many."""
    forget_loaded()
    with tempfile.TemporaryDirectory(prefix="checkup-marks-") as name:
        fresh = load_settings(Path(name), reading="rules").model_copy(update={"database_url": None})
        with Store.open(fresh, create=True) as store, store.writing("seed"):
            refresh.seed(store, refresh.worker_for(store), refresh.Report())
            documents = list(store.documents_to_extract("none"))
    told = dict(marks_of((document.title, document.text) for document in documents))
    write_shipped_marks(told, path)
    forget_loaded()
    return len(told)
