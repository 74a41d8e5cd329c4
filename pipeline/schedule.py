"""How a computer's own scheduler is told to start `checkup schedule run-due`: shown, written, and taken back.

Below: nothing. Above: `checkup.commands.schedule`. Four times a day something looks whether a source is due
(`pipeline.cadence`), so that a computer which is off at night catches up when it is on. Hours and minutes follow from
the workspace's path, so that many installations do not all ask the same servers at the same moment.

What is written carries a mark with the workspace's number (and, in files, a hash of the rest), so that `remove` finds
exactly what `install` wrote and leaves alone what a person has changed.
"""

import hashlib
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import CheckupError, UsageError

SYSTEMS = ("cron", "systemd", "windows")
TOOL_TIMEOUT_S = 30
_MARK = "checkup-integration"
_NONE_YET = ("no crontab", "no such file")
"""What `crontab -l` says where a person has none; anything else is an error, and nothing is overwritten."""
_SERVICE = """\
[Unit]
Description=Check-Up Integration: fällige Quellen abrufen

[Service]
Type=oneshot
# Zeilen wie CHECKUP_SMTP_PASSWORD=… in dieser Datei gelten für den Lauf; sie darf fehlen.
EnvironmentFile=-%E/checkup/environment
ExecStart={command}
"""
_TIMER = """\
[Unit]
Description=Check-Up Integration: nachsehen, ob Quellen fällig sind

[Timer]
OnCalendar=*-*-* {hours}:{minute:02d}:00
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What of the computer is touched; nothing else is."""

    folder: Path
    """Where systemd looks for a person's units."""
    crontab: str = "crontab"
    """The command that prints (`-l`) and takes (`-`) a person's cron table."""
    systemctl: str = "systemctl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is entered for one workspace."""

    system: str
    name: str
    """Of the timer or task; the same for the same workspace."""
    text: str
    """What a person is shown."""
    files: Mapping[str, str] = field(default_factory=dict)
    """systemd: contents by file name."""
    lines: str = ""
    """cron: the marked lines."""


def default_folder() -> Path:
    """Where systemd looks for the units of the person who is logged in."""
    named = os.environ.get("XDG_CONFIG_HOME", "").strip()
    return (Path(named) if named else Path.home() / ".config") / "systemd" / "user"


def plan(system: str, *, workspace: Path, python: str) -> Plan:
    """What to enter for the scheduler of that name.

    Args:
        system: `cron`, `systemd` or `windows`.
        workspace: Absolute path of the workspace to refresh.
        python: The interpreter that runs `checkup`.

    Raises:
        UsageError: Another system, or a path that no scheduler can be given.
    """
    if system not in SYSTEMS:
        raise UsageError(f"„{system}“ ist nicht bekannt. Möglich: {', '.join(SYSTEMS)}.")
    arguments = [python, "-m", "checkup", "--workspace", str(workspace), "schedule", "run-due", "--quiet"]
    if any(ord(character) < 32 for argument in arguments for character in argument):
        raise UsageError("Der Pfad des Arbeitsbereichs enthält Steuerzeichen; bitte einen anderen Ordner wählen.")
    digest = hashlib.sha256(str(workspace).encode("utf-8", "surrogateescape")).digest()
    name = f"checkup-{digest.hex()[:8]}"
    minute, hours = digest[1] % 60, [digest[0] % 6 + step for step in (0, 6, 12, 18)]
    if system == "cron":
        return _cron(name, arguments, minute, hours)
    if system == "systemd":
        return _systemd(name, arguments, minute, hours)
    task = subprocess.list2cmdline(arguments).replace('"', '\\"')
    start = f"{hours[0]:02d}:{minute:02d}"
    text = f'schtasks /Create /F /TN "Check-Up Integration {name}" /SC HOURLY /MO 6 /ST {start} /TR "{task}"\n'
    return Plan(system=system, name=name, text=text)


def _cron(name: str, arguments: Sequence[str], minute: int, hours: Sequence[int]) -> Plan:
    # cron reads % as a line break
    command = shlex.join(arguments).replace("%", r"\%")
    line = f"{minute} {','.join(map(str, hours))} * * * {command}"
    lines = f"# {_MARK} {name}: Anfang\n{line}\n# {_MARK} {name}: Ende\n"
    return Plan(system="cron", name=name, text=lines, lines=lines)


def _systemd(name: str, arguments: Sequence[str], minute: int, hours: Sequence[int]) -> Plan:
    command = " ".join(map(_unit_word, arguments))
    service = _SERVICE.format(command=command)
    timer = _TIMER.format(hours=",".join(f"{hour:02d}" for hour in hours), minute=minute)
    files = {f"{name}.service": _marked(name, service), f"{name}.timer": _marked(name, timer)}
    text = "\n".join(f"# {file}\n{content}" for file, content in files.items())
    return Plan(system="systemd", name=name, text=text, files=files)


def _unit_word(word: str) -> str:
    """A word of a command line as unit files quote it (systemd.service(5), "Command lines")."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'


def _marked(name: str, content: str) -> str:
    return f"# {_MARK} {name} {_hash(content)}\n{content}"


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:16]


# --- the computer ----------------------------------------------------------------------------------------------------


def is_installed(wanted: Plan, tools: Tools) -> bool:
    """Whether something for this workspace is entered, in this or an earlier form; False where the tool is missing."""
    if wanted.system == "systemd":
        return any(_is_ours(tools.folder / name, wanted.name) for name in wanted.files)
    if wanted.system == "cron":
        try:
            return without_block(_read_crontab(tools), wanted.name)[1]
        except CheckupError:
            return False
    return False


def install(wanted: Plan, tools: Tools) -> list[str]:
    """Enters a plan; a second time changes nothing, an earlier form is replaced.

    Returns:
        What was written: files, or `crontab`; empty where everything stood there already.

    Raises:
        CheckupError: Windows (a person enters the task), a missing tool, or a file that a person has changed.
    """
    if wanted.system == "windows":
        raise CheckupError(
            "Unter Windows trägt ein Mensch die Aufgabe ein: die gezeigte Zeile in eine Eingabeaufforderung kopieren."
        )
    if wanted.system == "cron":
        before = _read_crontab(tools)
        after = with_block(before, wanted)
        if after == before:
            return []
        _write_crontab(tools, after)
        return ["crontab"]
    return _install_units(wanted, tools)


def remove(wanted: Plan, tools: Tools) -> list[str]:
    """Takes away what `install` wrote for this workspace, and nothing else; returns what was taken away.

    Raises:
        CheckupError: As for `install`.
    """
    if wanted.system == "windows":
        raise CheckupError(
            f'Bitte in eine Eingabeaufforderung kopieren: schtasks /Delete /F /TN "Check-Up Integration {wanted.name}"'
        )
    if wanted.system == "cron":
        rest, found = without_block(_read_crontab(tools), wanted.name)
        if found:
            _write_crontab(tools, rest)
        return ["crontab"] if found else []
    present = _own_files(wanted, tools)
    if present:
        _run(tools.systemctl, ["--user", "disable", "--now", f"{wanted.name}.timer"])
        for path in present:
            path.unlink()
        _run(tools.systemctl, ["--user", "daemon-reload"])
    return [str(path) for path in present]


def with_block(table: str, wanted: Plan) -> str:
    """A cron table with the plan's lines: in the place of earlier ones, else at the end."""
    begin, end = _bounds(table, wanted.name)
    if begin is None or end is None:
        gap = "" if not table or table.endswith("\n") else "\n"
        return table + gap + wanted.lines
    return table[:begin] + wanted.lines + table[end:]


def without_block(table: str, name: str) -> tuple[str, bool]:
    """A cron table without the lines of that name, and whether there were any."""
    begin, end = _bounds(table, name)
    if begin is None or end is None:
        return table, False
    return table[:begin] + table[end:], True


def _bounds(table: str, name: str) -> tuple[int | None, int | None]:
    """Where the marked lines stand.

    Raises:
        CheckupError: Only one of the two marks is there.
    """
    first, last = f"# {_MARK} {name}: Anfang", f"# {_MARK} {name}: Ende"
    begin = end = None
    place = 0
    for line in table.splitlines(keepends=True):
        if line.rstrip("\r\n") == first and begin is None:
            begin = place
        place += len(line)
        if line.rstrip("\r\n") == last and begin is not None and end is None:
            end = place
    if (begin is None) != (end is None) or (begin is None and last in table.splitlines()):
        raise CheckupError(
            f"In der Crontab steht nur eine der Zeilen „{first}“ und „{last}“. Bitte mit „crontab -e“ berichtigen."
        )
    return begin, end


def _install_units(wanted: Plan, tools: Tools) -> list[str]:
    _own_files(wanted, tools)
    fresh = {tools.folder / name: content for name, content in wanted.files.items()}
    fresh = {path: content for path, content in fresh.items() if _content(path) != content}
    before = {path: _content(path) for path in fresh}
    try:
        tools.folder.mkdir(parents=True, exist_ok=True)
        for path, content in fresh.items():
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
        if fresh:
            _run(tools.systemctl, ["--user", "daemon-reload"])
        _run(tools.systemctl, ["--user", "enable", "--now", f"{wanted.name}.timer"])
    except (OSError, CheckupError):
        for path, earlier in before.items():
            if earlier is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(earlier.encode("utf-8", "surrogateescape"))
        raise
    return [str(path) for path in fresh]


def _own_files(wanted: Plan, tools: Tools) -> list[Path]:
    """The plan's files that are there.

    Raises:
        CheckupError: One of them is not as `install` wrote it.
    """
    present = [tools.folder / name for name in wanted.files if (tools.folder / name).exists()]
    for path in present:
        if not _is_ours(path, wanted.name):
            raise CheckupError(
                f"{path} ist nicht so, wie „checkup schedule install“ es schreibt. Bitte ansehen und umbenennen oder "
                f"löschen; eigene Änderungen gehören nach {path.name}.d/."
            )
    return present


def _is_ours(path: Path, name: str) -> bool:
    first, _, rest = (_content(path) or "").partition("\n")
    return first == f"# {_MARK} {name} {_hash(rest)}"


def _content(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _read_crontab(tools: Tools) -> str:
    done = _start(tools.crontab, ["-l"])
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode and not any(words in said.lower() for words in _NONE_YET):
        raise CheckupError(f"Die Crontab lässt sich nicht lesen ({said or done.returncode}). Nichts wurde geändert.")
    return "" if done.returncode else done.stdout.decode("utf-8", "surrogateescape")


def _write_crontab(tools: Tools, table: str) -> None:
    _run(tools.crontab, ["-"], table)


def _run(command: str, arguments: Sequence[str], given: str = "") -> None:
    done = _start(command, arguments, given)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"Ende mit {done.returncode}"
        raise CheckupError(f"„{command} {' '.join(arguments)}“ ist gescheitert: {said}")


def _start(command: str, arguments: Sequence[str], given: str = "") -> "subprocess.CompletedProcess[bytes]":
    words = [*shlex.split(command, posix=os.name != "nt"), *arguments]
    try:
        return subprocess.run(
            words, input=given.encode("utf-8", "surrogateescape"), capture_output=True, check=False,
            timeout=TOOL_TIMEOUT_S, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except FileNotFoundError as error:
        other = "systemd" if "cron" in command else "cron"
        raise CheckupError(
            f"„{command}“ gibt es auf diesem Rechner nicht. Bitte --system {other} versuchen."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CheckupError(f"„{command}“ antwortet seit {TOOL_TIMEOUT_S} Sekunden nicht.") from error
