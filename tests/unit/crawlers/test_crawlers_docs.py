"""The examples of docs/sources.md are sources, and its tables know every key of the format."""

import json
import re
from pathlib import Path

from crawlers.source import SCHEMA, parse_source

DOCS = Path(__file__).parents[3] / "docs" / "sources.md"


def test_every_example_is_a_source(tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 4
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        parse_source(path)


def test_every_key_is_documented():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    keys = set(schema["properties"]) | set(schema["$defs"]["field"]["properties"])
    for section in ("site", "feed", "list", "expect"):
        keys |= set(schema["properties"][section]["properties"])
    text = DOCS.read_text(encoding="utf-8")
    missing = {key for key in keys if not re.search(rf"\b{key}\b", text)}
    assert not missing
