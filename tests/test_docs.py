"""What is written about the product is true: help, examples, the README, the modules' own descriptions, the schemas."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from checkup.cli import app, take_workspace

ROOT = Path(__file__).parents[1]
PACKAGES = ("checkup", "crawlers", "data", "embeddings", "matching", "pipeline")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts
)  # fmt: skip
HEAVY = ("spacy", "faiss", "onnxruntime", "pandas", "sqlalchemy", "numpy", "torch", "bm25s", "requests", "bs4")


def commands(group: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups included."""
    group = group or typer.main.get_command(app)
    for key, command in group.commands.items():
        yield f"{name} {key}".strip(), command
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {key}".strip())


COMMANDS = dict(commands())


def parse(line: str) -> None:
    """Parse a command line as the product does, without running it; a wrong one raises."""
    program, *arguments = shlex.split(line)
    assert program == "checkup"
    rest, _ = take_workspace(arguments)
    command, context = typer.main.get_command(app), None
    while hasattr(command, "commands"):
        name, *rest = rest
        command = command.commands[name]
    command.make_context(line, rest, parent=context)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_parses(name: str) -> None:
    command = COMMANDS[name]
    assert command.help.strip().endswith((".", "?", ")"))
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"
    if not hasattr(command, "commands"):
        example = command.epilog.removeprefix("Beispiel: ")
        assert example.startswith(f"checkup {name}")
        parse(example)


def test_every_command_that_answers_with_data_has_a_schema_that_is_tested() -> None:
    schemas = {path.name.removesuffix(".schema.json") for path in (ROOT / "docs" / "schemas").glob("*.schema.json")}
    tested = set(re.findall(r'"([\w-]+)"', (ROOT / "tests" / "e2e" / "test_schemas.py").read_text("utf-8")))
    assert schemas - {"shared"} <= tested
    answering = {
        name.replace(" ", "-")
        for name, command in COMMANDS.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    known = schemas | {re.sub(r"-(need|approach|project|full|input)$", "", name) for name in schemas} | {"show"}
    assert answering <= known


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_says_what_it_is_and_names_its_neighbours(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    assert text, "no docstring"
    if path.name not in ("__init__.py", "__main__.py", "env.py"):
        assert "Below:" in text or "Above:" in text or "Runs by path" in text


def test_the_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    lines = [
        line.split("#")[0].strip()
        for block in re.findall(r"```\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    called = [line for line in lines if line.startswith("checkup ")]
    assert len(called) >= 5
    for line in called:
        parse(line)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][\w-]+)", text.replace("\n", " "))) <= targets


def test_the_set_up_without_make_is_that_of_the_makefile() -> None:
    """Two commands of the README do what the rule of the Makefile does, quiet or not."""
    rule = (ROOT / "Makefile").read_text("utf-8").split("$(VENV)/default.done:")[1].split("@touch")[0]
    made = [
        [word for word in line.split("install", 1)[1].split() if word not in ("--quiet", "--no-compile")]
        for line in rule.splitlines()
        if "$(PIP) install" in line
    ]
    text = (ROOT / "README.md").read_text("utf-8")
    (block,) = (block for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) if "Scripts" in block)
    told = [line.split("pip install", 1)[1].replace("\\", "/").split() for line in block.splitlines()]
    assert told == made
    assert len(made) == 2
    assert "-m venv .venv; " in block
    assert block.startswith("py -3 -m venv")
    assert r".venv\Scripts\checkup seed" in text
    assert not re.search(r"Scripts.activate", text)  # PowerShell forbids it by default
    assert "-m venv $(VENV)" in rule
    assert (ROOT / "requirements" / "default.lock").is_file()


@pytest.mark.parametrize("arguments", [["--help"], ["match", "--help"], ["import", "-h"], ["sources", "--help"], []])
def test_help_answers_at_once_because_it_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from checkup.cli import main\n"
        "code = main(sys.argv[1:]); sys.stdout.flush()\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
        "raise SystemExit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=ROOT,
    )
    assert "HEAVY []" in done.stderr
    assert done.returncode == (0 if arguments else 2), done.stderr
    assert "Aufruf: " in done.stdout + done.stderr
