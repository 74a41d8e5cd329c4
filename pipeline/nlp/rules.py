"""Rule files: YAML in `rules/`, checked against `rules/schemas.yaml` when loaded, errors with file and line.

Below: `data.errors`. Above: every component of the pipeline reads its lists and patterns here.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from data.errors import CheckupError

RULES_DIR = Path(__file__).parent / "rules"
SCHEMAS_FILE = "schemas.yaml"
_LONGEST_MESSAGE = 200

# The C parser is ten times faster; it is missing where PyYAML was built without libyaml.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class RuleError(CheckupError):
    """A rule file cannot be used; the message names file, line and reason."""


@cache
def load_rules(name: str) -> Any:
    """The content of `rules/NAME.yaml`, checked.

    Args:
        name: File name without ending; its schema stands under the same key in `rules/schemas.yaml`.

    Raises:
        RuleError: Not readable, not YAML, a key given twice, or not as the schema demands.
    """
    schemas = _schemas()
    if name not in schemas:
        raise RuleError(f"{RULES_DIR / SCHEMAS_FILE}: Für „{name}“ fehlt ein Schema.")
    return read_rules(RULES_DIR / f"{name}.yaml", schemas[name])


@cache
def _schemas() -> Any:
    return read_rules(RULES_DIR / SCHEMAS_FILE, None)


@cache
def word_set(table: str, name: str) -> frozenset[str]:
    """A list of words of a rule file as a set."""
    return frozenset(load_rules(table)[name])


@cache
def word_ends(table: str, name: str) -> tuple[str, ...]:
    """The same list for `str.endswith`."""
    return tuple(load_rules(table)[name])


def read_rules(path: Path, schema: Any) -> Any:
    """Reads one YAML file and checks it.

    Args:
        path: The file, UTF-8.
        schema: JSON Schema of its content; None: any content.

    Raises:
        RuleError: As in `load_rules`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"Die Regeldatei {path} lässt sich nicht lesen ({error}).") from error
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        _refuse_twins(path, node)
        content = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError(f"{path}, Zeile {line}: kein gültiges YAML ({error.problem}).") from error
    finally:
        loader.dispose()
    if schema is not None:
        _check(path, node, content, schema)
    return content


def _check(path: Path, node: Any, content: Any, schema: Any) -> None:
    from jsonschema import Draft202012Validator

    found = sorted(
        (_line(node, list(error.absolute_path)), error.message)
        for error in Draft202012Validator(schema).iter_errors(content)
    )
    if found:
        line, message = found[0]
        raise RuleError(f"{path}, Zeile {line}: {message[-_LONGEST_MESSAGE:]}")


def _line(node: Any, steps: Sequence[str | int]) -> int:
    """The 1-based line on which the value at the end of the steps begins."""
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(step)), node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return int(node.start_mark.line) + 1 if node is not None else 1


def _refuse_twins(path: Path, node: Any) -> None:
    """A key that stands twice in one mapping would silently win over the first: refused."""
    for mapping in _mappings(node):
        seen: set[str] = set()
        for key, _ in mapping.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise RuleError(f"{path}, Zeile {line}: „{key.value}“ steht zweimal. Bitte einen Eintrag streichen.")
            seen.add(key.value)


def _mappings(node: Any) -> Iterable[Any]:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, yaml.MappingNode):
            yield current
            stack.extend(value for _, value in current.value)
        elif isinstance(current, yaml.SequenceNode):
            stack.extend(current.value)
