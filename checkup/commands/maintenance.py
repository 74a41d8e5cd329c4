"""`doctor` and `reindex`: saying what is wrong and how to mend it.

Below: `data`, `embeddings`, `pipeline`. Above: `checkup.cli`.
"""

from typing import Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON, WORKERS


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Beispiel: checkup doctor")(doctor)
    app.command(epilog="Beispiel: checkup reindex --workers 2")(reindex)


def doctor(json: Annotated[bool, JSON] = False) -> int:
    """Prüfen, ob alles arbeitet: Python, Pakete, Sprachmodell, Wortschatz, Quellen, Arbeitsordner, Index."""
    from checkup.doctor import examine

    findings = examine(context.workspace())
    if json:
        rows: list[dict[str, Any]] = [
            {"check": f.check, "ok": f.ok, "message": f.message, "remedy": f.remedy} for f in findings
        ]
        context.print_json({"schema_version": 1, "ok": all(f.ok for f in findings), "findings": rows})
    else:
        for finding in findings:
            context.say(f"{'ok     ' if finding.ok else 'FEHLER '} {finding.check}: {finding.message}")
            if finding.remedy:
                context.say(f"        → {finding.remedy}")
    return 0 if all(finding.ok for finding in findings) else context.DONE_WITH_FAILURES


def reindex(workers: Annotated[int, WORKERS] = 1, json: Annotated[bool, JSON] = False) -> int:
    """Den Index aus der Datenbank neu bauen (Texte neu auslesen, wo der Ausleser neuer ist)."""
    from data.store import Store
    from pipeline import refresh

    report = refresh.Report()
    with (
        Store.open(context.settings()) as store,
        store.writing("reindex") as run,
        context.progress() as progress,
    ):
        refresh.process(store, refresh.worker_for(store, workers=workers, progress=progress), report)
        run.summary.update(report.counts)
        projects = store.count()
    if json:
        context.print_json(
            {"schema_version": 1, "projects": projects, "generation": report.generation, **report.counts}
        )
    else:
        context.say(f"Index über {projects} Projekte veröffentlicht ({report.generation}).")
    return 0
