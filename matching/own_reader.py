"""A reader of the user's own: a command gets the situation and the vocabulary's ids and answers as `analyse` does.

Below: `matching.own_process` (runs it), `matching.own_answer` (checks it), `data.settings`. Above:
`matching.situation` and `matching.retrieve` follow what it says; what it leaves out or gets wrong is read by the
built-in reader. Off while `reader_command` is empty. Described in `docs/own-reader.md`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from data.settings import Settings
from data.vocabulary import Vocabulary
from matching.own_answer import check_answer
from matching.own_process import ChildFailedError, run_bounded

REQUEST_VERSION = 1
MOST_ANSWER_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Own:
    """What the user's own reader said about a situation, checked; empty where it was not asked or gave nothing."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """Keys of `analyse`, as far as given."""
    note: str | None = None
    refused: tuple[str, ...] = ()

    @property
    def reader(self) -> dict[str, Any]:
        """The key `reader` of an answer: who read, and what was not followed."""
        name = "own" if self.values else "built-in"
        return {"name": name, "note": self.note, "refused": list(self.refused)}

    @property
    def needs(self) -> tuple[Mapping[str, Any], ...] | None:
        """The needs to follow like corrected ones; None where it named none or calls the situation unanswerable."""
        if "needs" not in self.values or self.values.get("answerable") is False:
            return None
        return tuple(self.values["needs"])

    def verdict(self, built_in: str | None) -> str | None:
        """Why the situation cannot be answered, or None: the own reader's word before that of the built-in one."""
        if "answerable" not in self.values:
            return built_in
        return None if self.values["answerable"] else str(self.values["unanswerable_because"])

    def ask(self, refused: str | None, usual: Sequence[str]) -> list[str]:
        """The questions back: its own, else the usual ones where the situation is too vague."""
        return list(self.values.get("ask", usual if refused == "vague" else ()))

    def complete(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """An answer of `analyse` by the built-in reader, with everything that the own reader said in its place."""
        joined = {**answer, **self.values}
        if "action_fields" not in self.values and self.values.keys() & {"needs", "existing"}:
            needed = list(dict.fromkeys(need["field"] for need in joined["needs"]))
            covered = {item["field"] for item in joined["existing"] if item["field"]} - set(needed)
            joined["action_fields"] = {"needed": needed, "covered": sorted(covered)}
        return {**joined, "reader": self.reader}


NOT_ASKED = Own()


class OwnReader:
    """Asks the command that the settings name.

    Args:
        settings: `reader_command` and `reader_timeout_s`.
        vocabulary: whose ids are sent, and which ids an answer may name.
    """

    def __init__(self, settings: Settings, vocabulary: Vocabulary) -> None:
        self.command = settings.reader_command
        self.timeout_s = settings.reader_timeout_s
        self.vocabulary = vocabulary

    def read(self, text: str) -> Own:
        """What the own reader says about a checked text; never raises for what the command does."""
        if not self.command:
            return NOT_ASKED
        given = json.dumps(self._request(text), ensure_ascii=False).encode("utf-8")
        try:
            raw = run_bounded(self.command, given, timeout_s=self.timeout_s, most_bytes=MOST_ANSWER_BYTES)
            answer = _parsed(raw)
        except ChildFailedError as error:
            return Own(note=f"Der eigene Leser {error}; gelesen hat der mitgelieferte.")
        values, refused = check_answer(answer, text, self.vocabulary)
        note = None
        if not values:
            note = "Der eigene Leser gab nichts Brauchbares zurück; gelesen hat der mitgelieferte."
        elif "needs" not in values and answer.get("needs"):
            note = "Kein Bedarf des eigenen Lesers war brauchbar; die Bedarfe hat der mitgelieferte gelesen."
        return Own(values, note, tuple(refused))

    def _request(self, text: str) -> dict[str, Any]:
        needs = [
            {"id": need.id, "title": need.title, "what": need.what, "field": need.field}
            for need in self.vocabulary.needs.values()
        ]
        ids = {"action_fields": list(self.vocabulary.fields), "target_groups": list(self.vocabulary.groups)}
        return {"schema_version": REQUEST_VERSION, "text": text, "vocabulary": {"needs": needs, **ids}}


def _parsed(raw: bytes) -> dict[str, Any]:
    """The one JSON object that a child wrote.

    Raises:
        ChildFailedError: it wrote something else.
    """
    try:
        answer = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ChildFailedError("gab kein JSON in UTF-8 aus") from error
    if not isinstance(answer, dict):
        raise ChildFailedError("gab kein JSON-Objekt aus")
    return answer


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
