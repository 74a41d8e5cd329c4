"""YAML with line numbers: plain values, the line of every one of them, and schema errors in German that name it.

Below: PyYAML, jsonschema. Above: `source`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import CheckupError
from data.system_errors import in_german

Place = tuple[str | int, ...]
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML file's value and where each part of it stands (path of keys and indexes to 1-based line)."""

    path: Path
    value: Any
    lines: dict[Place, int]

    def line(self, path: Iterable[str | int]) -> int:
        """The line of a part, or of the nearest part around it."""
        at = tuple(path)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def error(self, path: Iterable[str | int], message: str) -> CheckupError:
        """An error that names file and line."""
        return CheckupError(f"{self.path}, Zeile {self.line(path)}: {message}")


def read_yaml(path: Path) -> YamlFile:
    """Read a YAML file with plain scalars only.

    Keys are always text; dates stay text; anchors, aliases and tags are refused (an alias can blow up without bound).

    Raises:
        CheckupError: Unreadable file, broken YAML, a key that stands twice; the message names file and line.
    """
    import yaml

    text = _read_text(path)
    lines: dict[Place, int] = {}
    try:
        _check_tokens(text, path)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = _plain(node, (), lines, path)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "zu tief verschachtelt"
        raise CheckupError(f"{path}, Zeile {line}: kein gültiges YAML ({problem}).") from error
    return YamlFile(path=path, value=value, lines=lines)


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CheckupError(f"{path} lässt sich nicht lesen: {in_german(error)}.") from error
    if len(raw) > MAX_BYTES:
        raise CheckupError(f"{path} ist größer als 1 MiB und wird nicht als YAML gelesen.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CheckupError(f"{path} ist nicht in UTF-8 gespeichert. Bitte so speichern.") from error


def _check_tokens(text: str, path: Path) -> None:
    import yaml

    depth = 0
    for token in yaml.scan(text):
        line = token.start_mark.line + 1
        depth += isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken)
        depth -= isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken)
        if depth > MAX_DEPTH:
            raise CheckupError(f"{path}, Zeile {line}: zu tief verschachtelt.")
        if isinstance(token, yaml.AliasToken | yaml.AnchorToken | yaml.TagToken):
            raise CheckupError(
                f"{path}, Zeile {line}: Anker, Verweise und Typangaben (&, *, !) werden nicht gelesen. "
                "Bitte den Wert ausschreiben oder in Anführungszeichen setzen."
            )


def _plain(node: Any, at: Place, lines: dict[Place, int], path: Path) -> Any:
    import yaml

    if node is None:
        return None
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at, lines, path)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*at, index), lines, path) for index, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: Any, at: Place, lines: dict[Place, int], path: Path) -> dict[str, Any]:
    import yaml

    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise CheckupError(f"{path}, Zeile {line}: Ein Schlüssel muss einfacher Text sein.")
        key = str(key_node.value)
        if key in result:
            raise CheckupError(f"{path}, Zeile {line}: Der Schlüssel „{key}“ steht hier zweimal.")
        lines[*at, key] = line
        result[key] = _plain(value_node, (*at, key), lines, path)
    return result


def _scalar(node: Any) -> Any:
    import yaml

    kind = node.tag.rsplit(":", 1)[-1]
    if kind == "null":
        return None
    if kind in ("bool", "int", "float"):
        return yaml.safe_load(node.value)
    return str(node.value)


def check_schema(file: YamlFile, schema: dict[str, Any]) -> None:
    """Check a file's value against a JSON Schema.

    Raises:
        CheckupError: All violations, one a line, in the order of the file.
    """
    import jsonschema

    found = []
    for error in jsonschema.Draft202012Validator(schema).iter_errors(file.value):
        leaf = _leaf(error)
        found.append((file.line(_place(leaf)), _german(leaf)))
    if found:
        raise CheckupError("\n".join(f"{file.path}, Zeile {line}: {message}" for line, message in sorted(set(found))))


def _leaf(error: Any) -> Any:
    """The most telling violation below an anyOf: the one that lies deepest in the file."""
    while error.context and error.validator in ("anyOf", "oneOf"):
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    return error


def _place(error: Any) -> Place:
    """Where a violation stands: of an unknown key the key itself, not the group around it."""
    if error.validator == "additionalProperties":
        known = set(error.schema.get("properties", {}))
        return (*error.absolute_path, next(key for key in error.instance if key not in known))
    return tuple(error.absolute_path)


def _german(error: Any) -> str:
    place = ".".join(str(part) for part in error.absolute_path) or "die Datei"
    rule = error.validator_value
    if error.validator == "additionalProperties":
        known = set(error.schema.get("properties", {}))
        extra = ", ".join(sorted(set(error.instance) - known))
        return f"{place}: unbekannter Schlüssel „{extra}“. Erlaubt sind: {', '.join(sorted(known))}."
    if error.validator == "required":
        missing = ", ".join(key for key in rule if key not in error.instance)
        return f"{place}: Es fehlt „{missing}“."
    choices = rule if isinstance(rule, list) else [rule]
    messages = {
        "type": f"erwartet wird {_type_name(rule)}",
        "enum": f"erlaubt sind: {', '.join(str(value) for value in choices)}",
        "pattern": f"der Wert {error.instance!r} hat nicht die erwartete Form ({rule})",
        "minimum": f"der kleinste Wert ist {rule}",
        "maximum": f"der größte Wert ist {rule}",
        "minLength": "der Text darf nicht leer sein",
        "maxLength": f"höchstens {rule} Zeichen",
        "minItems": "die Liste darf nicht leer sein",
        "minProperties": "hier muss mindestens ein Schlüssel stehen",
        "oneOf": f"genau eines muss stehen: {_choices(choices)}",
    }
    return f"{place}: {messages.get(error.validator, error.message)}."


def _choices(rule: Any) -> str:
    return " oder ".join(key for choice in rule if isinstance(choice, dict) for key in choice.get("required", []))


def _type_name(rule: Any) -> str:
    names = {
        "string": "Text",
        "number": "eine Zahl",
        "integer": "eine ganze Zahl",
        "boolean": "true oder false",
        "array": "eine Liste",
        "object": "eine Gruppe von Schlüsseln",
        "null": "nichts",
    }
    kinds = rule if isinstance(rule, list) else [rule]
    return " oder ".join(names.get(str(kind), str(kind)) for kind in kinds)
