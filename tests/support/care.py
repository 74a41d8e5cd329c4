"""What tests of erasure, backup and restore share: a project with a wording of its own, a source, a look into files."""

import gzip
import zipfile
from pathlib import Path
from typing import Any

from support.cli import Answer, call
from support.crawling import YAML
from support.site import Site

SECRET = "Einmaliger Wortlaut über die Nähwerkstatt im alten Bahnhof, den sonst kein Projekt der Welt enthält."


def content_of(path: Path) -> bytes:
    """A file with everything that is packed inside of it."""
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        return raw + gzip.decompress(raw)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return raw + b"".join(archive.read(name) for name in archive.namelist())
    return raw


def holding(workspace: Path, *needles: str) -> list[str]:
    """The files that hold one of these, looked for in another way than the product does."""
    files = [path for path in workspace.rglob("*") if path.is_file()]
    return [
        path.name
        for path in files
        if any(needle.casefold() in content_of(path).decode("utf-8", "replace").casefold() for needle in needles)
    ]


def erase(workspace: Path, kind: str, key: str) -> dict[str, Any]:
    answer = call("erase", kind, key, "--reason", "Wunsch des Trägers", "--json", workspace=workspace)
    assert answer.code == 0, answer.err
    found = dict(answer.json())
    assert found["found"] == []
    assert found["files_searched"] >= len([path for path in workspace.rglob("*") if path.is_file()])
    return found


class Crawled:
    """A source of three pages, and a workspace that it is refreshed into."""

    def __init__(self, site: Site, folder: Path, workspace: Path) -> None:
        self.site, self.workspace, self.file = site, workspace, folder / "probe.yaml"
        self.write()

    def write(self, extra: str = "") -> None:
        yaml = YAML.format(base=self.site.url().rstrip("/"), host=self.site.host, sitemap="none")
        yaml = yaml.replace("max_records: 5", "max_records: 90").replace("min_records: 2", "min_records: 1")
        self.file.write_text(yaml.replace(", state: 0.5", "") + extra, "utf-8")

    def refresh(self) -> Answer:
        return call("refresh", "--source", self.file, "--json", workspace=self.workspace)

    def crawled(self) -> dict[str, dict[str, Any]]:
        lines = call("export", "--full", workspace=self.workspace).lines()
        return {line["title"]: line for line in lines if line["id"].startswith("probe-")}
