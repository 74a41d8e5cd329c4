"""What the parser of the command line says, in German: wrong calls and the frame of `--help`.

Below: Typer. Above: `checkup.context` (wrong calls), `checkup.cli` (help). Typer speaks English only; its sentences are
found again by patterns, and one that is not known is told as it is, within a German frame.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

Table = Sequence[tuple[str, str]]

_CALLS: Table = (
    (r"Missing argument '(.+?)'\..*", r"Die Angabe „\1“ fehlt."),
    (r"Missing option '(.+?)'\..*", r"Die Option \1 fehlt."),
    (r"Missing command\.", "Der Befehl fehlt."),
    (r"No such option: (\S+?)\.?(?: \(Possible options: (.+)\)| Did you mean (.+)\?)", r"Die Option \1 gibt es nicht. "
     r"Gemeint war vielleicht \2\3."),
    (r"No such option: (\S+)", r"Die Option \1 gibt es nicht."),
    (r"No such command '(.+?)'\. Did you mean (.+)\?", r"Den Befehl „\1“ gibt es nicht. Gemeint war vielleicht \2."),
    (r"No such command '(.+?)'\.", r"Den Befehl „\1“ gibt es nicht."),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.+)\)", r"Das ist zu viel: \1. Texte mit Leerzeichen bitte in "
     "Anführungszeichen setzen."),
    (r"Option '(.+)' requires an argument\.", r"Zur Option \1 fehlt der Wert."),
    (r"Option '(.+)' requires (\d+) arguments\.", r"Die Option \1 braucht \2 Werte."),
    (r"Option '(.+)' does not take a value\.", r"Die Option \1 nimmt keinen Wert."),
)  # fmt: skip
_VALUE = re.compile(r"Invalid value(?: for (?P<hint>.+?))?: (?P<why>.+)", re.DOTALL)
_VALUES: Table = (
    (r"Input should be a valid integer.*|.+ is not a valid int(?:eger)?\.?", "Erwartet wird eine ganze Zahl."),
    (r"Input should be a valid number.*|.+ is not a valid float\.?", "Erwartet wird eine Zahl."),
    (r"Input should be a valid boolean.*|.+ is not a valid bool(?:ean)?\.?", "Erwartet wird ja oder nein."),
    (r"Input should be greater than or equal to (\S+)", r"Der kleinste Wert ist \1."),
    (r"Input should be less than or equal to (\S+)", r"Der größte Wert ist \1."),
    (r"Input should be greater than (\S+)", r"Der Wert muss größer als \1 sein."),
    (r"Input should be less than (\S+)", r"Der Wert muss kleiner als \1 sein."),
    (r"Input should be (.+)", r"Möglich sind \1."),
    (r"'?(.+?)'? is not one of (.+?)\.?", r"„\1“ gibt es nicht; möglich sind \2."),
    (r"(?:File|Directory|Path) '?(.+?)'? does not exist\.", r"„\1“ gibt es nicht."),
    (r"\w+ '?(.+?)'? is a file\.", r"„\1“ ist eine Datei."),
    (r"\w+ '?(.+?)'? is a directory\.", r"„\1“ ist ein Ordner."),
    (r"\w+ '?(.+?)'? is not readable\.", r"„\1“ ist nicht lesbar."),
    (r"\w+ '?(.+?)'? is not writable\.", r"„\1“ ist nicht beschreibbar."),
)  # fmt: skip
_USAGE: Table = (
    (r"Usage: ", "Aufruf: "), (r"\[OPTIONS\]", "[OPTIONEN]"), (r"COMMAND \[ARGS\]\.\.\.", "BEFEHL [ANGABEN]..."),
)  # fmt: skip
_HEADINGS = {
    "ARGUMENTS_PANEL_TITLE": "Angaben", "OPTIONS_PANEL_TITLE": "Optionen", "COMMANDS_PANEL_TITLE": "Befehle",
    "ERRORS_PANEL_TITLE": "Fehler", "DEFAULT_STRING": "[Vorgabe: {}]", "ENVVAR_STRING": "[Umgebungsvariable: {}]",
    "REQUIRED_LONG_STRING": "[nötig]", "DEPRECATED_STRING": "(veraltet) ", "ABORTED_TEXT": "Abgebrochen.",
}  # fmt: skip
_HELP_OPTION = ("Show this message and exit.", "Diese Hilfe zeigen.")


def wrong_call(error: Any) -> str:
    """What was wrong with a call, how it is called, and where more stands; error: what the parser raised."""
    lines = [f"Fehler: {message(error.format_message())}"]
    if getattr(error, "ctx", None) is not None:
        lines.insert(0, usage(error.ctx.get_usage()))
        lines.append(f"Hilfe: {error.ctx.command_path} --help")
    return "\n".join(lines)


def message(told: str) -> str:
    """One sentence of the parser in German; our own (of a `BadParameter`) and unknown ones stay as they are."""
    value = _VALUE.fullmatch(told)
    if value is None:
        return _first(_CALLS, told)
    why = _first(_VALUES, value["why"]).replace(" or ", " oder ")
    return f"Der Wert von {value['hint'].replace(chr(39), '')} passt nicht. {why}" if value["hint"] else why


def usage(told: str) -> str:
    """The line that shows how a command is called."""
    for pattern, german in _USAGE:
        told = re.sub(pattern, german, told, count=1)
    return told


def _first(table: Table, told: str) -> str:
    for pattern, german in table:
        match = re.fullmatch(pattern, told, re.DOTALL)
        if match is not None:
            return match.expand(german).replace("'", "")
    return told


def translate_help() -> None:
    """Headings and marks of `--help` in German for this process. What another Typer calls otherwise stays English."""
    from typer import rich_utils

    for name, german in _HEADINGS.items():
        if hasattr(rich_utils, name):
            setattr(rich_utils, name, german)

    class Highlighter(rich_utils.OptionHighlighter):
        """Marks options and the call, told in German."""

        highlights: ClassVar[list[str]] = [*rich_utils.OptionHighlighter.highlights, r"(?P<usage>Aufruf: )"]

        def __call__(self, text: Any) -> Any:
            return super().__call__(usage(text) if isinstance(text, str) else text)

    rich_utils.highlighter = Highlighter()
    make = getattr(rich_utils, "_make_rich_text", None)
    if make is not None and not hasattr(make, "german"):

        def make_german(*, text: str, **options: Any) -> Any:
            return make(text=_HELP_OPTION[1] if text == _HELP_OPTION[0] else text, **options)

        make_german.german = True  # type: ignore[attr-defined]
        rich_utils._make_rich_text = make_german
