"""What commands are given: a text as argument, option, file or standard input, or JSON Lines with one case each.

Below: `crawlers.documents` (files), `data.exchange_records` (strict JSON), `data.errors`. Above: `checkup.commands`.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from checkup.context import DONE_WITH_FAILURES, say, to_json
from data.errors import CheckupError, UsageError
from data.system_errors import in_german

MAX_INPUT_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """A text and, where it came out of a file, that it must be returned with the answer."""

    text: str
    from_file: bool = False


def read_text(argument: str | None, option: str | None, file: Path | None) -> Text:
    """The one text that was given.

    Args:
        argument: the text itself, or `-` for standard input.
        option: `--text`.
        file: `--file` (.txt .md .docx .pdf .html), or `-`.

    Raises:
        UsageError: if none or several were given, or the name of a file in place of its text.
        CheckupError: if the file cannot be read.
    """
    given = [value for value in (argument, option, file) if value is not None]
    if len(given) != 1:
        raise UsageError(
            "Bitte genau einen Text angeben: als Argument, mit --text, mit --file oder - (Standardeingabe)."
        )
    if argument == "-" or str(file) == "-":
        return Text(_standard_input())
    if file is not None:
        from crawlers.documents import read_document

        return Text(read_document(file).text, from_file=True)
    text = argument if argument is not None else str(option)
    if Path(text).suffix and os.path.isfile(text):  # of a text too long for a name it says no
        raise UsageError(f"„{text}“ ist eine Datei. Ihren Inhalt liest --file „{text}“.")
    return Text(text)


def _standard_input() -> str:
    content = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    if len(content) > MAX_INPUT_BYTES:
        raise CheckupError(f"Die Standardeingabe ist größer als {MAX_INPUT_BYTES // 1_000_000} MB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def json_lines(source: str) -> Iterator[tuple[int, str]]:
    """The non-empty lines of a file or (`-`) of standard input, with their numbers; separated by LF only."""
    if source == "-":
        text = _standard_input()
    else:
        try:
            text = Path(source).read_bytes().decode("utf-8-sig", "surrogateescape")
        except OSError as error:
            raise CheckupError(f"{source} lässt sich nicht lesen: {in_german(error)}.") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


@contextmanager
def output(target: str | None) -> Iterator[IO[str]]:
    """Where results go: standard output, or a file that appears as a whole when everything is written."""
    if target in (None, "-"):
        yield sys.stdout
        return
    path = Path(str(target)).resolve()
    if path.exists() and not path.is_file():  # a device or a pipe: written to, never replaced
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def batch(source: str, target: str | None, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Answer every input line with one output line in the same order; returns the exit code.

    A line that cannot be processed yields `{"id", "error": {"code", "message"}}`.
    """
    failures = 0
    with output(target) as file:
        for number, line in json_lines(source):
            result = _one(number, line, answer)
            failures += "error" in result
            file.write(to_json(result) + "\n")
            file.flush()
    if failures:
        say(f"{failures} Zeile(n) konnten nicht verarbeitet werden (siehe „error“ in der Ausgabe).")
    return DONE_WITH_FAILURES if failures else 0


def _one(number: int, line: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    from data.exchange_records import JsonReader, RecordError

    try:
        given = JsonReader().whole(line)
    except RecordError as error:
        return _error(None, "invalid_json", f"Zeile {number}: {error}")
    if not isinstance(given, dict):
        return _error(None, "invalid_input", f"Zeile {number}: Erwartet wird ein JSON-Objekt mit „id“ und „text“.")
    if not isinstance(given.get("text"), str) or not isinstance(given.get("title"), str | None):
        message = f"Zeile {number}: „text“ fehlt, oder „text“ oder „title“ ist keine Zeichenkette."
        return _error(given.get("id"), "invalid_input", message)
    try:
        return {**answer(given), "id": given.get("id")}
    except CheckupError as error:
        return _error(given.get("id"), "unusable_input", f"Zeile {number}: {error.message}")


def _error(identity: Any, code: str, message: str) -> dict[str, Any]:
    return {"schema_version": 1, "id": identity, "error": {"code": code, "message": message}}


def refuse_beside_batch(*single: object) -> None:
    """Refuse what belongs to one text where `--input` is given.

    Raises:
        UsageError: if any of them is given.
    """
    if any(value is not None for value in single):
        raise UsageError("Bei --input steht alles in den Zeilen; bitte Text, --file, --needs und --html weglassen.")
