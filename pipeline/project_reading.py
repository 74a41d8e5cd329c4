"""All that a project's text tells when it is read alone: the extraction, and the approaches that it carries out.

Below: `pipeline.nlp.extract`, `pipeline.approaches`, `pipeline.project_vectors`. Above: `checkup extract`,
`checkup evaluate`. For the database approaches are read when it is published, from the vectors that it needs anyway
(`pipeline.publish`).
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from data.normalise import sanitise
from data.settings import Settings
from data.vocabulary import load_vocabulary
from embeddings.encoders import Encoder, load_encoder
from embeddings.linear import LinearReader
from embeddings.published import WHOLE
from pipeline.approach_reader import load_reader, row_of
from pipeline.approaches import named
from pipeline.nlp.extract import READINGS, extract
from pipeline.nlp.passages import passages
from pipeline.nlp.privacy import mask
from pipeline.nlp.search_tokens import search_tokens
from pipeline.nlp.text_vectors import RecentVectors, built_in
from pipeline.project_vectors import project_vectors


class ProjectReader:
    """Reads texts of projects one by one; the encoder is loaded with the first one on the topic."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._deep = settings.reading == READINGS[0]
        self._vectors = RecentVectors()
        self._vocabulary = load_vocabulary(settings.workspace)

    @cached_property
    def _encoder(self) -> Encoder:
        if (self._settings.encoder, self._settings.threads) == ("e5", 1):
            return built_in()  # loaded once for labels and approaches
        return load_encoder(self._settings.encoder, threads=self._settings.threads)

    @cached_property
    def _reader(self) -> LinearReader | None:
        return load_reader(self._encoder.fingerprint)

    def read(self, records: Iterable[tuple[str, str | None, str]]) -> Iterator[dict[str, Any]]:
        """As `pipeline.nlp.extract.extract` with the settings' reading and time, approaches and their modules too.

        Approaches are read where the setting asks for more than rules and words, and only by the encoder for which
        their reader was trained; else the list is empty and the modules are those of the fields.
        """
        given = list(records)
        settings = self._settings
        found = extract(given, reading=settings.reading, seconds=settings.text_seconds, vectors=self._vectors)
        for (_, title, text), result in zip(given, found, strict=True):
            if self._deep and result.get("on_topic"):
                result["approaches"] = self._approaches(sanitise(title) if title else None, sanitise(text))
                carried, fields = ([label["id"] for label in result[key]] for key in ("approaches", "action_fields"))
                result["modules"] = list(self._vocabulary.modules_of_project(carried, fields))
            yield result

    def _approaches(self, title: str | None, text: str) -> list[dict[str, Any]]:
        """The approaches worth naming, strongest first, each with the passage that tells most of it."""
        reader = self._reader
        if reader is None:
            return []
        spans = passages(text)
        card = {"title": title, "text": text, "passages": spans}
        embedded = project_vectors([card], encoder=self._encoder, cache=self._vectors)
        told = reader.probabilities(
            embedded.directions(), embedded.texts, [search_tokens(text) for text in embedded.texts]
        )
        approaches = list(self._vocabulary.approaches)
        row = row_of(told, reader.classes, approaches)
        shown = mask(text)
        found = []
        for name in named(row, approaches):
            said = told[:, list(reader.classes).index(name)]
            parts = [at for at, (_, start, _) in enumerate(embedded.rows.tolist()) if start != WHOLE]
            best = max(parts, key=lambda at: float(said[at]), default=None)
            start, end = embedded.rows[best, 1:].tolist() if best is not None else spans[0]
            quote = {"start": start, "end": end, "quote": shown[start:end]}
            found.append({"id": name, "score": round(float(row[approaches.index(name)]), 3), "quotes": [quote]})
        return found
