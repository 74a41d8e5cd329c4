"""The settings of one workspace: arguments before `CHECKUP_*` before `WORKSPACE/settings.toml` before defaults.

Below: `data.errors`. Above: everything that opens a workspace.
"""

import json
import os
import re
import shlex
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from data.errors import CheckupError
from data.records import ReadingWay
from data.system_errors import in_german

SETTINGS_FILE = "settings.toml"
DATABASE_FILE = "checkup.sqlite"
ENV_PREFIX = "CHECKUP_"
WORKSPACE_ENV = "CHECKUP_WORKSPACE"
LOCAL_WORKSPACE = "checkup-workspace"
SECRETS = frozenset({"smtp_password"})
"""Settings that are taken from the environment only."""


class Settings(BaseSettings):
    """Everything that can be set; frozen. Make it with `load_settings`, which explains what is wrong."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, str_strip_whitespace=True
    )

    workspace: Path
    """Folder that holds the database, the index and the user's own sources and vocabulary."""
    encoder: str = Field(default="e5", min_length=1)
    """`e5` (the offline default), `e5-exact` (in float32), or the name or folder of a Sentence Transformers model."""
    reading: ReadingWay = "deep"
    """How projects are read: with the reader of spans, or by rules alone, many times as fast and less well."""
    text_seconds: float = Field(default=60, ge=1, le=86_400)
    """Processor time that reading one project may take; one that takes longer is named and left as it was."""
    database_url: str | None = None
    """SQLAlchemy URL; None: the embedded SQLite file `WORKSPACE/checkup.sqlite`."""
    threads: int = Field(default=1, ge=1, le=256)
    """Threads of the encoder and of the index."""
    sources_at_once: int = Field(default=4, ge=1, le=64)
    """Sources that a refresh crawls side by side; each host's pause is kept over all of them."""
    contact: str | None = None
    """Address that the crawler names in its user agent."""
    module_set: str = Field(default="modules", pattern=r"^[a-z][a-z0-9_]*$")
    """File of the modules that order the answers: `modules`, `modules_by_field` or one of the workspace's own."""
    smtp_host: str | None = None
    """Server that mails the reports of refreshes; None: they are only written as files."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    """Only from the environment (`CHECKUP_SMTP_PASSWORD`), never from the workspace's file."""
    mail_from: str | None = None
    mail_to: str | None = None
    """One address, or several with commas between them."""
    reader_command: Annotated[tuple[str, ...], NoDecode] = ()
    """Program and arguments of the user's own reader (`docs/own-reader.md`), as a list or one line; empty: none."""
    reader_timeout_s: float = Field(default=60, ge=1, le=3600)
    """After so many seconds the own reader is given up."""

    @field_validator("reader_command", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        """A command line as its parts: a list, a list in JSON (in the environment), or one line for `shlex`."""
        return command_parts(given)

    @property
    def database_path(self) -> Path:
        """Where the embedded database lies (used while `database_url` is None)."""
        return self.workspace / DATABASE_FILE

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, the workspace's file; nothing else is read."""
        assert isinstance(init_settings, InitSettingsSource)
        file = Path(init_settings.init_kwargs["workspace"]) / SETTINGS_FILE
        toml = TomlConfigSettingsSource(settings_cls, toml_file=file)
        if secret := sorted(SECRETS & toml.toml_data.keys()):
            raise CheckupError(
                f"{_line_of(file, secret[0])}: „{secret[0]}“ gehört nicht in eine Datei des Arbeitsbereichs. "
                f"Bitte dort löschen und als Umgebungsvariable {ENV_PREFIX}{secret[0].upper()} setzen."
            )
        return init_settings, env_settings, toml


def command_parts(given: Any) -> tuple[str, ...]:
    """Program and arguments of a command line.

    Args:
        given: a list of strings, or a string: a JSON list, or parts with blanks between them, quoted where they hold
            blanks themselves. The backslash escapes, except on Windows, where it stands in paths.

    Raises:
        PydanticCustomError: neither of these.
    """
    parts = given
    try:
        if isinstance(given, str):
            parts = json.loads(given) if given.lstrip().startswith("[") else _shell_parts(given)
    except ValueError:
        parts = None
    if isinstance(parts, list | tuple) and all(isinstance(part, str) for part in parts) and "" not in parts[:1]:
        return tuple(parts)
    raise PydanticCustomError(
        "command",
        "Erwartet wird ein Befehl als Liste von Texten oder als eine Zeile mit vollständigen Anführungszeichen.",
    )


def _shell_parts(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    if os.name == "nt":
        lexer.escape = ""
    return list(lexer)


def find_workspace(option: Path | None = None) -> Path:
    """The workspace to use: the option, CHECKUP_WORKSPACE, ./checkup-workspace if it exists, else the user's folder.

    Args:
        option: What `--workspace` was given, or None.

    Returns:
        An absolute path; it need not exist.
    """
    if option is not None:
        return option.expanduser().absolute()
    named = os.environ.get(WORKSPACE_ENV, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    local = Path.cwd() / LOCAL_WORKSPACE
    if local.is_dir():
        return local
    from platformdirs import user_data_path

    return user_data_path("checkup", appauthor=False)


def load_settings(workspace: Path | None = None, **arguments: Any) -> Settings:
    """The settings of a workspace.

    Args:
        workspace: What `--workspace` was given, or None (see `find_workspace`).
        arguments: Values that outrank environment and file; None means "not given".

    Raises:
        CheckupError: An unknown key or a bad value; the message names the place and the key.
    """
    folder = find_workspace(workspace)
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        return Settings(workspace=folder, **given)
    except tomllib.TOMLDecodeError as error:
        place = _place_of(error, folder / SETTINGS_FILE)
        raise CheckupError(
            f"{place}: kein gültiges TOML. Bitte die Stelle berichtigen: je Zeile eine Einstellung „name = wert“, "
            "Texte in Anführungszeichen."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        place = f"{folder / SETTINGS_FILE}, Zeile {line}"
        raise CheckupError(f"{place}: Die Datei ist nicht in UTF-8 gespeichert. Bitte so speichern.") from error
    except OSError as error:
        raise CheckupError(f"{folder / SETTINGS_FILE} lässt sich nicht lesen: {in_german(error)}.") from error
    except ValidationError as error:
        raise CheckupError(_explain(error, folder / SETTINGS_FILE, given)) from error


def _place_of(error: tomllib.TOMLDecodeError, file: Path) -> str:
    """File and line of an error of the parser, which tells the line only within its message."""
    found = re.search(r"\(at line (\d+), column (\d+)\)$", str(error))
    return f"{file}, Zeile {found[1]}, Spalte {found[2]}" if found else f"{file}, am Ende"


def _line_of(file: Path, key: str) -> str:
    """File and line in which a key is set."""
    text = file.read_text("utf-8") if file.is_file() else ""
    found = re.search(
        rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*=|^[ \t]*\[+[ \t]*{re.escape(key)}\b", text, re.MULTILINE
    )
    return f"{file}, Zeile {text.count(chr(10), 0, found.start()) + 1}" if found else str(file)


def _explain(error: ValidationError, file: Path, given: dict[str, Any]) -> str:
    """One German sentence per wrong key, with the place it was set in."""
    sentences = []
    for item in error.errors():
        key = str(item["loc"][0])
        if key in given:
            place = "Aufruf"
        elif f"{ENV_PREFIX}{key.upper()}" in os.environ:
            place = f"Umgebungsvariable {ENV_PREFIX}{key.upper()}"
        else:
            place = _line_of(file, key)
        if item["type"] == "extra_forbidden":
            known = ", ".join(name for name in Settings.model_fields if name != "workspace")
            advice = f"Bitte berichtigen. Bekannt sind: {known}."
            sentences.append(f"{place}: Die Einstellung „{key}“ gibt es nicht. {advice}")
        else:
            sentences.append(f"{place}: „{key}“ hat einen unzulässigen Wert ({item['input']!r}): {_why(item)}")
    return "\n".join(sentences)


def _why(item: Any) -> str:
    """The reason of one validation error in German."""
    context = item.get("ctx", {})
    reasons = {
        "int_parsing": "Erwartet wird eine ganze Zahl.",
        "int_type": "Erwartet wird eine ganze Zahl.",
        "int_from_float": "Erwartet wird eine ganze Zahl.",
        "float_parsing": "Erwartet wird eine Zahl.",
        "float_type": "Erwartet wird eine Zahl.",
        "string_type": "Erwartet wird Text in Anführungszeichen.",
        "string_too_short": "Der Text darf nicht leer sein.",
        "string_pattern_mismatch": "Erlaubt sind Kleinbuchstaben, Ziffern und Unterstrich.",
        "literal_error": f"Möglich sind {str(context.get('expected')).replace(' or ', ' oder ')}.",
        "greater_than_equal": f"Der kleinste Wert ist {context.get('ge')}.",
        "less_than_equal": f"Der größte Wert ist {context.get('le')}.",
    }
    return reasons.get(item["type"], str(item["msg"]))
