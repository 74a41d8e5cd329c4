"""What the parser of the command line says, in German: wrong calls and the frame of `--help`.

Below: Typer. Above: `checkup.context` (wrong calls), `checkup.cli` (help). Typer speaks English only; its sentences are
found again by patterns, and one that is not known is told as it is, within a German frame.
"""

import re
from ast import literal_eval
from collections.abc import Sequence
from typing import Any, ClassVar

Table = Sequence[tuple[str, str]]

_SAID = r"""(?P<said>'.*'|".*")"""
"""What somebody typed, as Python's `repr`: in double quotes where it holds an apostrophe."""
_CALLS: Table = (
    (rf"Missing argument {_SAID}\..*", "Die Angabe „{said}“ fehlt."),
    (rf"Missing option {_SAID}\..*", "Die Option {said} fehlt."),
    (r"Missing command\.", "Der Befehl fehlt."),
    (r"No such option: (?P<said>\S+?)\.?(?: \(Possible options: (?P<choices>.+)\)| Did you mean (?P<choice>.+)\?)",
     "Die Option {said} gibt es nicht. Gemeint war vielleicht {choices}{choice}."),
    (r"No such option: (?P<said>\S+)", "Die Option {said} gibt es nicht."),
    (rf"No such command {_SAID}\. Did you mean (?P<choices>.+)\?", "Den Befehl „{said}“ gibt es nicht. Gemeint war "
     "vielleicht {choices}."),
    (r"""No such command (?P<said>'\S*\s.*'|"\S*\s.*")\.""", "Den Befehl „{said}“ gibt es nicht. Gemeint war "
     'vielleicht: checkup match "…"'),
    (rf"No such command {_SAID}\.", "Den Befehl „{said}“ gibt es nicht."),
    (r"Got unexpected extra arguments?(?:\(s\))? \((?P<rest>.+)\)", "Das ist zu viel: {rest}. Texte mit Leerzeichen "
     "bitte in Anführungszeichen setzen."),
    (rf"Option {_SAID} requires an argument\.", "Zur Option {said} fehlt der Wert."),
    (rf"Option {_SAID} requires (?P<number>\d+) arguments\.", "Die Option {said} braucht {number} Werte."),
    (rf"Option {_SAID} does not take a value\.", "Die Option {said} nimmt keinen Wert."),
)  # fmt: skip
_VALUE = re.compile(r"Invalid value(?: for (?P<hint>.+?))?: (?P<why>.+)", re.DOTALL)
_VALUES: Table = (
    (r"Input should be a valid integer.*|.+ is not a valid int(?:eger)?\.?", "Erwartet wird eine ganze Zahl."),
    (r"Input should be a valid number.*|.+ is not a valid float\.?", "Erwartet wird eine Zahl."),
    (r"Input should be a valid boolean.*|.+ is not a valid bool(?:ean)?\.?", "Erwartet wird ja oder nein."),
    (r"Input should be greater than or equal to (?P<bound>\S+)", "Der kleinste Wert ist {bound}."),
    (r"Input should be less than or equal to (?P<bound>\S+)", "Der größte Wert ist {bound}."),
    (r"Input should be greater than (?P<bound>\S+)", "Der Wert muss größer als {bound} sein."),
    (r"Input should be less than (?P<bound>\S+)", "Der Wert muss kleiner als {bound} sein."),
    (r"Input should be (?P<choices>.+)", "Möglich sind {choices}."),
    (r"(?P<said>.+?) is not one of (?P<choices>.+?)\.?", "„{said}“ gibt es nicht; möglich sind {choices}."),
    (r"(?:File|Directory|Path) (?P<said>.+) does not exist\.", "„{said}“ gibt es nicht."),
    (r"\w+ (?P<said>.+) is a file\.", "„{said}“ ist eine Datei."),
    (r"\w+ (?P<said>.+) is a directory\.", "„{said}“ ist ein Ordner."),
    (r"\w+ (?P<said>.+) is not readable\.", "„{said}“ ist nicht lesbar."),
    (r"\w+ (?P<said>.+) is not writable\.", "„{said}“ ist nicht beschreibbar."),
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
    why = _first(_VALUES, value["why"])
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
            return german.format(**{name: _shown(name, found or "") for name, found in match.groupdict().items()})
    return told


def _shown(name: str, found: str) -> str:
    """What a pattern found, without the parser's quotes; those that somebody typed stay."""
    if name in ("choices", "choice"):
        return found.replace("'", "").replace(" or ", " oder ")
    if name != "said" or found[:1] not in ("'", '"'):
        return found
    try:
        return str(literal_eval(found))
    except (ValueError, SyntaxError):
        return found.strip("'\"")


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
