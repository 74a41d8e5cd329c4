"""The training corpus of our own writing: `data/corpus/`, described by its card `data/corpus/README.md`.

Below: nothing. Above: `checkup.training` turns it into training pairs, `checkup.marks_training` reads
what is marked, `data.shipped` the grades.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from data.errors import CheckupError

FOLDER = Path(__file__).parent / "corpus"
NAMED = "named"
"""The file of `answers/` that tells only the needs that came to mind."""
HELD = "held"
"""The folder of situations that nothing learns from."""
ROLES = ("need", "existing", "unfit", "limit", "background")
NEGATIVE_KINDS = ("off_topic", "vague")
FORMS = ("wording", "description")
GRADES = (1, 2, 3)
LESSONS = ("failure", "obstacle", "transfer", "success_factor", "precondition")
"""Kinds; in a clause that speaks of several, the first counts."""
Status = Literal["result", "planned", "negated", "other"]
STATUSES: tuple[Status, ...] = get_args(Status)
BUDGETS = ("total", "funding", "yearly")
CONTINUATIONS = ("running", "permanent", "ended", "unknown")


@dataclass(frozen=True, slots=True)
class StatementText:
    """A text that states one need."""

    need: str
    text: str
    register: str


@dataclass(frozen=True, slots=True)
class ApproachText:
    """A text that describes a project of one main approach: a `wording` or a whole `description`."""

    approach: str
    text: str
    form: str
    also: tuple[str, ...] = ()
    needs: Mapping[str, int] | None = None
    """The needs a reader found it to answer, graded 1-3, all others 0; None: not read for that (`wording`)."""
    fields: tuple[str, ...] = ()
    """Action fields, the main one first; empty: not read for them (`wording`)."""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectText:
    """A whole invented project that no approach was set for, with the needs it answers, graded 1-3."""

    title: str
    text: str
    needs: Mapping[str, int]
    fields: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader marked in a text: its span in code points, and what it says there (`value`)."""

    start: int
    end: int
    value: Any


@dataclass(frozen=True, slots=True)
class ReadText:
    """An invented project in which everything is marked that the extraction looks for (`tests/eval/guidelines.md`).

    Values: of a claim `{status, level, quantity}`, of a lesson its kind, of the continuation its status, of persons
    reached and rate the number, of the budget `(number, kind)`; awards and transfers have none.
    """

    title: str
    text: str
    level: int
    evidence: str
    claims: tuple[Told, ...]
    lessons: tuple[Told, ...]
    continuation: Told | None
    reached: Told | None
    rate: Told | None
    budget: Told | None
    awards: tuple[Told, ...]
    transferred: tuple[Told, ...]
    fields: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of a situation with its role; `need` and `weight` (1-3) where the role leaves a need open."""

    start: int
    end: int
    role: str
    need: str | None
    weight: int | None
    also: tuple[str, ...] = ()
    """Further needs that it states as well or nearly as well, the best first."""


@dataclass(frozen=True, slots=True)
class SituationText:
    """A whole situation, its segments in text order."""

    id: str
    text: str
    register: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class NegativeText:
    """A text that must be refused: `off_topic` or `vague`."""

    text: str
    kind: str
    works: bool = False
    """Whether it tells of offers that work, so that its sentences are no mere background."""


@dataclass(frozen=True, slots=True)
class DistractorText:
    """A project or notice that is not about integration."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class EnglishText:
    """An English text with or without a title, and whether it is about integration."""

    title: str | None
    text: str
    on_topic: bool


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything in the folder."""

    statements: tuple[StatementText, ...]
    calibration: tuple[StatementText, ...]
    """Statements that the encoder is not trained on: the readers' mix and temperature are found on them."""
    approaches: tuple[ApproachText, ...]
    projects: tuple[ProjectText, ...]
    situations: tuple[SituationText, ...]
    negatives: tuple[NegativeText, ...]
    answers: Mapping[str, Mapping[str, int]]
    """Per shipped project: the needs it answers, graded 1-3; absent ones are 0 (`data/corpus/README.md`)."""
    named: Mapping[str, Mapping[str, int]]
    """Per shipped project that nobody graded need by need: the needs that its two readers thought of, graded 1-3."""
    readings: tuple[ReadText, ...]
    distractors: tuple[DistractorText, ...]
    english: tuple[EnglishText, ...]


def _lines(paths: list[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
            if line.strip():
                try:
                    yield f"{path}:{number}", json.loads(line)
                except ValueError as error:
                    raise CheckupError(f"{path}:{number}: kein gültiges JSON ({error})") from error


def _checked(where: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise CheckupError(f"{where}: „{value}“ ist nicht bekannt. Möglich: {', '.join(known)}.")
    return value


def situation(where: str, entry: dict[str, Any]) -> SituationText:
    """A situation from its segments `[text, role, need, weight]`, joined by a space unless one begins a paragraph.

    A fifth element lists further needs that the segment states.
    """
    text = ""
    segments = []
    for piece, role, need, weight, *also in entry["segments"]:
        glue = "" if not text or piece.startswith("\n") else " "
        start = len(text) + len(glue) + len(piece) - len(piece.lstrip())
        text += glue + piece.rstrip()
        more = tuple(also[0]) if also else ()
        segments.append(Segment(start, len(text), _checked(where, role, ROLES), need, weight, more))
    return SituationText(entry["id"], text, entry.get("register", ""), tuple(segments))


def held_situations(folder: Path = FOLDER, name: str = "*") -> tuple[SituationText, ...]:
    """Situations that nothing learns from: how well needs are read is measured on them (`python -m bench.needs`).

    Args:
        folder: of the corpus.
        name: of one of its files, without the ending.

    Raises:
        CheckupError: a broken line or an unknown role; file and line are named.
    """
    return tuple(situation(where, entry) for where, entry in _lines(sorted((folder / HELD).glob(f"{name}.jsonl"))))


def _statements(paths: list[Path]) -> tuple[StatementText, ...]:
    return tuple(StatementText(e["need"], e["text"], e["register"]) for _, e in _lines(paths))


def _graded(where: str, grades: dict[str, int]) -> dict[str, int]:
    for name, grade in grades.items():
        if grade not in GRADES:
            raise CheckupError(f"{where}: Stufe {grade} für „{name}“. Möglich: 1, 2, 3.")
    return grades


def _by_project(paths: list[Path]) -> dict[str, dict[str, int]]:
    """The grades of `answers/*.jsonl` (one line a need), turned round: project to needs."""
    found: dict[str, dict[str, int]] = {}
    for where, entry in _lines(paths):
        for project, grade in _graded(where, entry["grades"]).items():
            found.setdefault(project, {})[entry["need"]] = grade
    return found


def graded_projects(folder: Path = FOLDER) -> dict[str, dict[str, int]]:
    """Per shipped project: the needs it answers, graded 1-3 (`Corpus.answers`)."""
    return _by_project([path for path in sorted((folder / "answers").glob("*.jsonl")) if path.stem != NAMED])


def named_projects(folder: Path = FOLDER) -> dict[str, dict[str, int]]:
    """Per shipped project: the needs that its readers thought of, graded 1-3 (`Corpus.named`)."""
    return _by_project(sorted((folder / "answers").glob(f"{NAMED}.jsonl")))


def approach_texts(folder: Path = FOLDER) -> tuple[ApproachText, ...]:
    """The texts that describe a project of one main approach.

    Raises:
        CheckupError: a broken line, an unknown form or grade; file and line are named.
    """
    return tuple(
        ApproachText(
            e["approach"], e["text"], _checked(w, e["form"], FORMS), tuple(e.get("also", ())),
            _graded(w, e["needs"]) if "needs" in e else None,
            tuple(e.get("fields", ())), tuple(e.get("groups", ())),
        )
        for w, e in _lines(sorted((folder / "approaches").glob("*.jsonl")))
    )  # fmt: skip


def project_texts(folder: Path = FOLDER) -> tuple[ProjectText, ...]:
    """The whole invented projects that no approach was set for.

    Raises:
        CheckupError: a broken line or an unknown grade; file and line are named.
    """
    return tuple(
        ProjectText(
            e["title"], e["text"], _graded(w, e["needs"]), tuple(e.get("fields", ())), tuple(e.get("groups", ()))
        )
        for w, e in _lines(sorted((folder / "projects").glob("*.jsonl")))
    )


def read_texts(folder: Path = FOLDER, name: str = "readings", files: str = "*") -> Iterator[ReadText]:
    """The texts in which everything is marked, in file order.

    Args:
        folder: of the corpus.
        name: `readings`, or `markings` and `profiles`, whose fields and groups teach nothing.
        files: pattern of the files' names, without the ending.

    Raises:
        CheckupError: a quote that its text does not hold, an unknown kind or status; file and line are named.
    """
    for where, entry in _lines(sorted((folder / name).glob(f"{files}.jsonl"))):
        yield _read_text(where, entry)


def marked_projects(
    projects: Mapping[str, Mapping[str, Any]], folder: Path = FOLDER, files: str = "*"
) -> Iterator[tuple[str, ReadText]]:
    """The shipped projects in which everything is marked (`marked/`), with their ids, in file order.

    Args:
        projects: by id what an entry states: `title`, `text`, `level`, `evidence`, `fields`, `groups`.
        folder: of the corpus.
        files: as for `read_texts`.

    Raises:
        CheckupError: a quote that its text does not hold, an unknown id, kind or status; file and line are named.
    """
    for where, entry in _lines(sorted((folder / "marked").glob(f"{files}.jsonl"))):
        stated = projects.get(entry["id"])
        if stated is None:
            raise CheckupError(f"{where}: Das Projekt „{entry['id']}“ gibt es nicht.")
        yield entry["id"], _read_text(where, {**stated, **entry})


def _read_text(where: str, entry: dict[str, Any]) -> ReadText:
    text = entry["text"]

    def told(quote: str, value: Any = None) -> Told:
        start = text.find(quote)
        if start < 0 or not quote:
            raise CheckupError(f"{where}: „{quote}“ steht nicht im Text.")
        return Told(start, start + len(quote), value)

    def number(name: str) -> Told | None:
        return told(entry[name][-1], entry[name][0]) if entry[name] else None

    def budget() -> Told | None:
        value, kind, quote = entry["budget"]
        return told(quote, (value, _checked(where, kind, BUDGETS)))

    continuation = entry["continuation"]
    return ReadText(
        entry["title"], text, entry["level"], entry["evidence"],
        claims=tuple(
            told(quote, {"status": _checked(where, status, STATUSES), "level": level, "quantity": quantity})
            for quote, status, level, quantity in entry["claims"]
        ),
        lessons=tuple(told(quote, _checked(where, kind, LESSONS)) for kind, quote in entry["lessons"]),
        continuation=told(continuation[2], _checked(where, continuation[0], CONTINUATIONS)) if continuation else None,
        reached=number("reached"), rate=number("rate"), budget=budget() if entry["budget"] else None,
        awards=tuple(told(quote) for quote in entry["awards"]),
        transferred=tuple(told(quote) for quote in entry["transferred"]),
        fields=tuple(entry["fields"]), groups=tuple(entry["groups"]),
    )  # fmt: skip


def load_corpus(folder: Path = FOLDER) -> Corpus:
    """The whole corpus.

    Raises:
        CheckupError: a broken line, an unknown role, kind, form or grade; file and line are named.
    """
    files = {
        name: sorted((folder / name).glob("*.jsonl"))
        for name in (
            "statements",
            "situations",
            "negatives",
            "calibration",
            "distractors",
            "english",
        )
    }
    return Corpus(
        statements=_statements(files["statements"]),
        calibration=_statements(files["calibration"]),
        approaches=approach_texts(folder),
        projects=project_texts(folder),
        situations=tuple(situation(w, e) for w, e in _lines(files["situations"])),
        negatives=tuple(
            NegativeText(e["text"], _checked(w, e["kind"], NEGATIVE_KINDS), e.get("works", False))
            for w, e in _lines(files["negatives"])
        ),
        answers=graded_projects(folder),
        named=named_projects(folder),
        readings=tuple(read_texts(folder)),
        distractors=tuple(DistractorText(e["title"], e["text"]) for _, e in _lines(files["distractors"])),
        english=tuple(EnglishText(e["title"], e["text"], e["on_topic"]) for _, e in _lines(files["english"])),
    )  # fmt: skip
