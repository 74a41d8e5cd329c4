"""Computing what is shipped beside the projects: their vectors for the default encoder.

Below: `data.shipped`, `embeddings`, `pipeline`. Above: `checkup train vectors`.
"""

import tempfile
from pathlib import Path

from data.settings import Settings, load_settings
from data.store import Store
from embeddings.encoders import text_sha256
from embeddings.published import index_folder, open_published
from embeddings.shipped_vectors import FILE, write_shipped
from pipeline import refresh
from pipeline.publish import reference_texts, texts_to_embed


def write_vectors(settings: Settings, *, workers: int, path: Path = FILE) -> int:
    """Seed a temporary workspace, collect every vector a first `seed` needs, and write them; returns how many."""
    with tempfile.TemporaryDirectory(prefix="checkup-vectors-") as name:
        fresh = load_settings(Path(name), encoder=settings.encoder, threads=settings.threads)
        with Store.open(fresh, create=True) as store, store.writing("seed"):
            worker = refresh.worker_for(store, workers=workers)
            refresh.seed(store, worker, refresh.Report())
            cards = open_published(index_folder(fresh.workspace)).cards
            needs, approaches = reference_texts()
            wanted = [("passage", text) for text in (*texts_to_embed(cards)[1], *approaches)]
            keys = [text_sha256(prompt, text) for prompt, text in (*wanted, *(("query", text) for text in needs))]
            vectors = store.get_vectors(worker.encoder.fingerprint, keys)
    write_shipped(path, worker.encoder.fingerprint, vectors)
    return len(vectors)
