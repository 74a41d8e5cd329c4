"""From a text to its values, each with its quote: the shape of `extract`, and the statements made of it.

Below: the components, run by `pipeline.nlp.analysis`. Above: `pipeline.refresh`, `checkup extract`, `checkup explain`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, get_args

from data.normalise import sanitise
from data.records import ReadingWay, Statement
from data.vocabulary import Vocabulary, load_vocabulary
from embeddings.encoders import VectorCache
from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.deadline import TextTooLongError, within
from pipeline.nlp.label_weights import Embedded
from pipeline.nlp.language import LANGUAGES
from pipeline.nlp.language_id import identify_language
from pipeline.nlp.marks import Marks, spans_of, weights_name
from pipeline.nlp.readings import Quoter, Reading, analyse, read_groups, read_text
from pipeline.nlp.text_vectors import RecentVectors, embed, vectors_name
from pipeline.nlp.version import extractor_version

if TYPE_CHECKING:
    from spacy.language import Language

READINGS: tuple[str, ...] = get_args(ReadingWay)
"""Ways to read: with the reader of spans (the default), or by rules and words alone, many times as fast."""
TOO_LONG = "too_long"
"""Code of the error of a text that took longer than it may."""
_BATCH = 16
"""Texts that are read before the first of them is handed on."""
_AXES = ("level", "evidence_grade", "tier")
_PLACE = ("name", "state", "kind", "key", "size")
_SCALARS = ("reached_persons", "success_rate_percent", "budget_eur")


def version_of(reading: str = READINGS[0]) -> str:
    """Sixteen hexadecimal digits that name code, rules and weights that read; they change with every change of these.

    Raises:
        ValueError: Another reading than those of READINGS.
    """
    if _is_deep(reading):
        names = f"{extractor_version()} {weights_name()} {vectors_name()}"
        return hashlib.sha256(names.encode()).hexdigest()[:16]
    return extractor_version()


def _is_deep(reading: str) -> bool:
    if reading not in READINGS:
        raise ValueError(f"reading must be one of {', '.join(READINGS)}, not {reading!r}")
    return reading == READINGS[0]


def extract(
    records: Iterable[tuple[str, str | None, str]],
    *,
    reading: str = READINGS[0],
    seconds: float | None = None,
    vectors: VectorCache | None = None,
) -> Iterator[dict[str, Any]]:
    """Reads texts one by one.

    Args:
        records: Id, title or None, and text.
        reading: One of READINGS.
        seconds: Processor time that one text may take; None: any.
        vectors: Gives known vectors and gets new ones, of titles and passages by the built-in encoder.

    Yields:
        One dict per record in the shape of CONTRACT, `extract`, all keys present, in the order of the records; for a
        text that took longer than it may, `id` and `error` (`code` TOO_LONG, `message`).
        Offsets are half-open, in code points of the title or text as given; personal data in quotes are masked.
    """
    way = _Way(_is_deep(reading), seconds, vectors or RecentVectors())
    waiting = iter(records)
    while batch := list(islice(waiting, _BATCH)):
        yield from _read(batch, way)


def marks_of(records: Iterable[tuple[str | None, str]]) -> Iterator[tuple[str, Marks]]:
    """What the reader of spans says of texts on the topic (title or None, text), by the keys of their spans."""
    for title, text in records:
        quoter = Quoter(title, text)
        with pipeline_zone("en" if identify_language(f"{title or ''}\n{text}") == "en" else "de") as nlp:
            doc = analyse(nlp, quoter, deep=True)
            if doc._.marks is not None:
                yield spans_of(doc).key(), doc._.marks


def groups_of_situation(text: str) -> list[dict[str, Any]]:
    """The target groups that a town's situation names, best first: `id`, `score`, `quotes` as `extract` gives them."""
    with pipeline_zone("en" if identify_language(text) == "en" else "de") as nlp:
        return read_groups(nlp, text)


@dataclass(frozen=True, slots=True)
class _Way:
    """How texts are read: with readers of spans and vectors or without, how long at most, and with which vectors."""

    deep: bool
    seconds: float | None
    vectors: VectorCache


def _read(batch: Sequence[tuple[str, str | None, str]], way: _Way) -> list[dict[str, Any]]:
    """Reads a few texts, those of one language in one zone: common words are then set up once."""
    languages = [identify_language(f"{title or ''}\n{text}") for _, title, text in batch]
    found: dict[int, dict[str, Any]] = {}
    for pipeline in LANGUAGES:
        chosen = [at for at, language in enumerate(languages) if (language == "en") == (pipeline == "en")]
        if not chosen:
            continue
        with pipeline_zone(pipeline) as nlp:
            for at in chosen:
                record_id, title, text = batch[at]
                found[at] = {"id": record_id, **_in_time(nlp, title, text, languages[at], way)}
    return [found[at] for at in range(len(batch))]


def _in_time(nlp: "Language", title: str | None, text: str, language: str, way: _Way) -> dict[str, Any]:
    def embedded() -> Embedded:
        return embed(sanitise(title) if title else None, sanitise(text), way.vectors)

    try:
        with within(way.seconds):
            found = read_text(nlp, title, text, deep=way.deep, embed=embedded if way.deep else None)
            return {"language": language, **_as_dict(found)}
    except TextTooLongError as error:
        return {"error": {"code": TOO_LONG, "message": error.message}}


def _as_dict(reading: Reading) -> dict[str, Any]:
    fields = [label["id"] for label in reading.labels["action_fields"]]
    return {
        "on_topic": reading.on_topic,
        "action_fields": reading.labels["action_fields"],
        "target_groups": reading.labels["target_groups"],
        "approaches": [],
        "impact": reading.impact,
        **{name: reading.scalars.get(name) for name in _SCALARS},
        "budget_kind": reading.scalars.get("budget_kind"),
        "price_year": reading.scalars.get("price_year"),
        "awards": reading.awards,
        "transferred": bool(reading.scalars.get("transferred", False)),
        "lessons": reading.lessons,
        "continuation": reading.continuation,
        "modules": list(_vocabulary().modules_of_project([], fields)),
        "facts": reading.facts,
        "places": reading.places,
        "scope": reading.scope,
    }


@cache
def _vocabulary() -> Vocabulary:
    return load_vocabulary()


def to_statements(project_id: str, document_id: str, extraction: Mapping[str, Any], *, version: str) -> list[Statement]:
    """The statements of origin `extractor` that an extraction makes about a project.

    Args:
        project_id: The project.
        document_id: The document version that was read.
        extraction: One dict of `extract`.
        version: Of what read it (`version_of`).

    Returns:
        One statement per value and span: fields, groups, level, evidence grade and tier (with the quotes that carry
        them), claims, scalars, awards, lessons, continuation, places with their size class, scope, further facts.
    """
    teller = _Teller(project_id, document_id, version)
    for name in ("action_fields", "target_groups", "approaches"):
        for label in extraction[name]:
            teller.tell(name, label["id"], (label["quotes"] or [None])[0], score=label["score"])
    _tell_impact(teller, extraction)
    _tell_practice(teller, extraction)
    for place in extraction["places"]:
        teller.tell("places", {key: place[key] for key in _PLACE if key in place}, place)
    if extraction["scope"]:
        teller.tell("scope", extraction["scope"], None)
    for fact in extraction["facts"]:
        if fact["property"] not in _AXES:
            teller.tell(fact["property"], fact["value"], fact)
    return teller.statements


def _tell_impact(teller: "_Teller", extraction: Mapping[str, Any]) -> None:
    impact = extraction["impact"]
    for name in _AXES:
        teller.tell(name, impact[name], _fact(extraction, name))
    for claim in impact["claims"]:
        teller.tell("claims", {key: claim[key] for key in ("level", "status", "quantity")}, claim)


def _tell_practice(teller: "_Teller", extraction: Mapping[str, Any]) -> None:
    for award in extraction["awards"]:
        teller.tell("awards", award["quote"], award)
    for lesson in extraction["lessons"]:
        teller.tell("lessons", lesson["kind"], lesson)
    if extraction["continuation"]:
        value = {key: extraction["continuation"][key] for key in ("status", "as_of")}
        teller.tell("continuation", value, extraction["continuation"])


def _fact(extraction: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    return next((fact for fact in extraction["facts"] if fact["property"] == name), None)


class _Teller:
    """Collects the statements of one document."""

    def __init__(self, project_id: str, document_id: str, version: str) -> None:
        self.version = version
        self.project_id = project_id
        self.document_id = document_id
        self.statements: list[Statement] = []

    def tell(self, name: str, value: Any, quote: Mapping[str, Any] | None, *, score: float | None = None) -> None:
        """Adds one statement with the span it was read from, if there is one."""
        place = quote or {}
        self.statements.append(
            Statement(
                project_id=self.project_id,
                property=name,
                value=value,
                document_id=self.document_id,
                origin="extractor",
                extractor_version=self.version,
                start=place.get("start"),
                end=place.get("end"),
                quote=place.get("quote"),
                where=place.get("where", "text"),
                score=score,
            )
        )
