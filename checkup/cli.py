"""The command line: `checkup COMMAND`; every command lives in `checkup.commands` and imports what it needs itself.

Below: `checkup.commands`. Exit codes and shapes: docs/schemas, README ("Befehle").
"""

import sys
from pathlib import Path

import typer

from checkup import context, german
from checkup.commands import (
    care,
    database,
    history,
    knowledge,
    maintenance,
    matching,
    quality,
    review,
    schedule,
    situations,
    sources,
)

app = typer.Typer(
    name="checkup",
    help="Check-Up Integration: wirksame Projekte zur Lage einer Kommune.\n\nErster Schritt: checkup seed",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="--workspace ORDNER gilt vor und nach dem Befehl.",
)
for module in (
    database,
    matching,
    knowledge,
    sources,
    schedule,
    situations,
    maintenance,
    quality,
    review,
    history,
    care,
):
    module.register(app)


def take_workspace(arguments: list[str]) -> tuple[list[str], Path | None]:
    """The arguments without `--workspace DIR`, which may stand before or after the command, and that folder."""
    rest: list[str] = []
    workspace: Path | None = None
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument == "--workspace":
            value = next(waiting, None)
            if value is None:
                rest.append(argument)  # the parser then says that it is not complete
            else:
                workspace = Path(value)
        elif argument.startswith("--workspace="):
            workspace = Path(argument.removeprefix("--workspace="))
        else:
            rest.append(argument)
    return rest, workspace


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns its exit code (CONTRACT, "Exit codes")."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    rest, workspace = take_workspace(sys.argv[1:] if arguments is None else arguments)
    if len(rest) < 2 or {"--help", "-h"} & set(rest):
        german.translate_help()
    with context.using(workspace):
        return context.run(lambda: app(rest, standalone_mode=False))


def entry() -> None:
    """The console script."""
    raise SystemExit(main())
