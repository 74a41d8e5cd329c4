"""What `checkup doctor` examines; every finding says how to mend it.

Below: every package. Above: `checkup.commands.maintenance`.
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from checkup.packages import LOCK, pins, problems, repair
from data.errors import CheckupError

if TYPE_CHECKING:
    from data.settings import Settings

MIN_FREE_BYTES = 300_000_000
NEEDED = {"Index": frozenset({"Datenbank"})}
"""What a check needs: where that failed, it would only say the same again."""
REFERENCE = "In unserer Gemeinde finden anerkannte Geflüchtete keine Wohnung."
PROBE, PROBE_LEVEL = "Seit 2016 fanden 57 von 80 Geflüchteten eine Ausbildung.", 6


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found and, where it failed, what to do."""

    check: str
    ok: bool
    message: str
    remedy: str | None = None


def examine(workspace: Path | None) -> list[Finding]:
    """Every check in turn; one that fails does not stop the others.

    Args:
        workspace: what `--workspace` named. Where its settings cannot be used, the rest is examined with the defaults.
    """
    findings = list(_run({"Python": _python, "Pakete": _packages}))
    settings: list[Settings] = []
    findings += _run({"Einstellungen": lambda: _settings(workspace, settings)})
    if not settings:  # what reads them cannot be imported
        return findings
    checks: dict[str, Callable[[Settings], str]] = {
        "Platz": _space, "Wortschatz": _vocabulary, "Quellen": _sources,
        "Sprachmodell": _encoder, "Ausleser": _extractor, "Datenbank": _database, "Index": _index,
    }  # fmt: skip
    return findings + list(_run({name: partial(check, settings[0]) for name, check in checks.items()}))


def _run(checks: Mapping[str, Callable[[], str]]) -> Iterator[Finding]:
    failed: set[str] = set()
    for name, check in checks.items():
        if failed & NEEDED.get(name, frozenset()):
            continue
        try:
            yield Finding(name, True, check())
        except CheckupError as error:
            failed.add(name)
            message, _, remedy = error.message.partition(". ")
            yield Finding(name, False, message, remedy or "Bitte berichtigen und `checkup doctor` wiederholen.")
        except Exception as error:  # noqa: BLE001 - a broken package raises anything
            yield Finding(name, False, f"{type(error).__name__}: {error}", repair())


def _packages() -> str:
    wrong = problems()
    if wrong:
        raise CheckupError(f"{'; '.join(wrong)}. {repair()}")
    locked = pins(LOCK)
    return f"{len(locked)} Pakete in der geprüften Fassung" if locked else "alle lassen sich laden"


def _settings(workspace: Path | None, into: "list[Settings]") -> str:
    """Puts the settings into the list, the defaults where those of the workspace cannot be used."""
    from data.settings import Settings, find_workspace, load_settings

    try:
        into.append(load_settings(workspace))
    except CheckupError:
        into.append(Settings.model_construct(workspace=find_workspace(workspace)))
        raise
    return str(into[0].workspace)


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise CheckupError(f"Python {version} ist nicht geprüft. Bitte 3.11, 3.12 oder 3.13 verwenden.")
    return version


def _space(settings: "Settings") -> str:
    folder = settings.workspace
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise CheckupError(f"Nur {free // 1_000_000} MB frei bei {folder}. Bitte Platz schaffen (mindestens 300 MB).")
    return f"{free // 1_000_000_000} GB frei"


def _vocabulary(settings: "Settings") -> str:
    from data.vocabulary import load_vocabulary

    vocabulary = load_vocabulary(settings.workspace, module_set=settings.module_set)
    return f"{len(vocabulary.needs)} Bedarfe, {len(vocabulary.approaches)} Ansätze"


def _sources(settings: "Settings") -> str:
    from crawlers.source import all_sources

    found = list(all_sources(overlay=settings.workspace / "sources"))
    broken = [item.message for item in found if isinstance(item, CheckupError)]
    if broken:
        raise CheckupError("; ".join(broken))
    return f"{len(found)} Quellen"


def _encoder(settings: "Settings") -> str:
    import numpy as np

    from embeddings.encoders import load_encoder

    encoder = load_encoder(settings.encoder, threads=settings.threads)
    one, two = encoder.encode([REFERENCE]), encoder.encode([REFERENCE, "Anderer Text"])
    if not np.array_equal(one[0], two[0]):
        raise CheckupError(f"Das Sprachmodell rechnet nicht wiederholbar. {repair()}")
    return f"{settings.encoder} ({encoder.dimension} Zahlen je Text)"


def _extractor(settings: "Settings") -> str:
    from pipeline.nlp.extract import extract, version_of

    result = next(iter(extract([("1", None, PROBE)], reading=settings.reading)))
    level = result["impact"]["level"]
    if level != PROBE_LEVEL:
        raise CheckupError(f"Ein Probesatz der Stufe {PROBE_LEVEL} wird als Stufe {level} gelesen. {repair()}")
    return f"Fassung {version_of(settings.reading)}, Probesatz: Stufe {level}"


def _database(settings: "Settings") -> str:
    from data.store import Store

    with Store.open(settings) as store:
        return f"{store.count()} Projekte in {settings.workspace}"


def _index(settings: "Settings") -> str:
    from embeddings.published import IndexUnusableError, index_folder, open_published

    try:
        published = open_published(index_folder(settings.workspace))
    except IndexUnusableError as error:
        raise CheckupError(f"{error}. Bitte `checkup reindex` aufrufen.") from error
    return f"{published.manifest['projects']} Projekte, Prüfsummen stimmen"
