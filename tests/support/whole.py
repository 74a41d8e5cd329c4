"""Everything that a workspace holds, without times, run ids and row numbers: two ways to one state give the same."""

import hashlib
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

TABLES = (
    "meta", "sources", "projects", "documents", "statements", "passages", "vectors", "judgements", "staged", "reviews",
    "events", "situations", "erasures",
)  # fmt: skip
NUMBERED = ("statements", "judgements", "reviews", "events", "erasures")
_RUN = re.compile(r"\d{8}T\d{9}Z-[a-z]+-[0-9a-f]{6}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_DAY = re.compile(r"\d\d\.\d\d\.\d{4}")


def whole(workspace: Path) -> dict[str, Any]:
    """Database, index and last report; keys are tables and files."""
    return {**database(workspace), **index(workspace), "report": (reports(workspace) or [None])[-1]}


def database(workspace: Path) -> dict[str, list[Any]]:
    """The rows of every table, sorted."""
    with closing(sqlite3.connect(workspace / "checkup.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return {table: sorted(_rows(connection, table), key=repr) for table in TABLES}


def index(workspace: Path) -> dict[str, Any]:
    """The current generation's name and its files; a zip counts by its content, for it carries times."""
    name = (workspace / "index" / "CURRENT").read_text("utf-8")
    found: dict[str, Any] = {"CURRENT": name}
    for path in sorted((workspace / "index" / name).iterdir()):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found |= {f"{path.name}/{part}": _sum(archive.read(part)) for part in archive.namelist()}
        elif path.name == "manifest.json":
            manifest = json.loads(path.read_text("utf-8"))
            del manifest["sha256"]["lexical.zip"]
            found[path.name] = manifest
        else:
            found[path.name] = _sum(path.read_bytes())
    return found


def reports(workspace: Path) -> list[str]:
    """What the reports say, oldest first."""
    return [_DAY.sub("TAG", path.read_text("utf-8")) for path in sorted((workspace / "reports").glob("*.txt"))]


def _rows(connection: sqlite3.Connection, table: str) -> list[list[Any]]:
    left_out = {"id"} if table in NUMBERED else set()
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()
    return [[_plain(row[name]) for name in row.keys() if name not in left_out] for row in rows]  # noqa: SIM118


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _sum(value)
    if not isinstance(value, str):
        return value
    # An attempt says of itself whether it went on with another one.
    return _RUN.sub("LAUF", _TIME.sub("ZEIT", value)).replace('"resumed": true', '"resumed": false')


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
