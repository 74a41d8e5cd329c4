"""`history`, `diff`, `feedback`: what became of a project, what runs changed, what consultants say.

Below: `data.store_events`, `data.store_review`, `pipeline.history`, `pipeline.curate`. Above: `checkup.cli`.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON

if TYPE_CHECKING:
    from data.store import Store


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Beispiel: checkup history lotsenhaus-barnim")(history)
    app.command(epilog="Beispiel: checkup diff --last")(diff)
    app.command(epilog='Beispiel: checkup feedback lotsenhaus-barnim adopted --note "seit Mai bei uns"')(feedback)


def history(project: Annotated[str, typer.Argument(help="Projekt (id)")], json: Annotated[bool, JSON] = False) -> int:
    """Der Werdegang eines Projekts: Fassungen, Aussagen, Urteile, Ereignisse."""
    from checkup.console import print_history
    from data.store import Store
    from pipeline.history import history_of

    with Store.open(context.settings()) as store:
        answer = history_of(store, project)
    if json:
        context.print_json({"schema_version": 1, **answer})
    else:
        print_history(answer)
    return 0


def diff(
    runs: Annotated[list[str] | None, typer.Argument(help="Lauf von und Lauf bis (siehe checkup status)")] = None,
    last: Annotated[bool, typer.Option("--last", help="was der letzte refresh geändert hat")] = False,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Was sich zwischen zwei Läufen geändert hat: Neues, neuer Wortlaut, Verschwundenes, andere Einordnungen."""
    from checkup.console import print_diff
    from data.errors import UsageError
    from data.store import Store
    from pipeline.history import between, last_refresh

    given = runs or []
    if last == bool(given) or len(given) not in (0, 2):
        raise UsageError("Bitte zwei Läufe angeben (checkup status nennt sie) oder --last.")
    with Store.open(context.settings()) as store:
        first, until = last_refresh(store) if last else (given[0], given[1])
        answer = between(store, first, until)
    if json:
        context.print_json({"schema_version": 1, **answer})
    else:
        print_diff(answer)
    return 0


def feedback(
    project: Annotated[str | None, typer.Argument(help="Projekt (id)")] = None,
    kind: Annotated[str | None, typer.Argument(help="helpful, not_helpful, adopted, adapted oder failed")] = None,
    note: Annotated[str | None, typer.Option(help="Bemerkung")] = None,
    situation: Annotated[str | None, typer.Option(help="die Lage, zu der das Projekt vorgeschlagen war")] = None,
    export: Annotated[str | None, typer.Option(help="alle Rückmeldungen als Trainingspaare (JSONL) schreiben")] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Rückmeldung zu einem Projekt festhalten (steht dann neben ihm), oder alle als Trainingspaare ausgeben."""
    from data.errors import UsageError
    from data.store import Store

    if (export is None) == (project is None or kind is None):
        raise UsageError("Bitte ein Projekt und die Rückmeldung angeben, oder --export DATEI.")
    with Store.open(context.settings()) as store:
        answer = (
            _export(store, export) if export is not None else _tell(store, str(project), str(kind), note, situation)
        )
    if json:
        context.print_json({"schema_version": 1, **answer})
    elif export is not None:
        context.say(f"{answer['exported']} Trainingspaare nach {export} geschrieben.")
    else:
        context.say(f"Festgehalten: {kind} zu {project}.")
    return 0


def _tell(store: "Store", project: str, kind: str, note: str | None, situation: str | None) -> dict[str, Any]:
    from data.errors import UsageError
    from data.store_review import FEEDBACK, feedback_counts
    from pipeline import refresh
    from pipeline.curate import judge
    from pipeline.history import feedback_note

    if kind not in FEEDBACK:
        raise UsageError(f"„{kind}“ gibt es nicht. Möglich sind: {', '.join(FEEDBACK)}.")
    with store.writing("feedback"):
        number = judge(store, kind, project, note=feedback_note(note, situation))
        refresh.process(store, refresh.worker_for(store), refresh.Report())
    counts = feedback_counts(store).get(project, {})
    return {"id": number, "project_id": project, "kind": kind, "counts": counts, "exported": None}


def _export(store: "Store", target: str) -> dict[str, Any]:
    from checkup.inputs import output
    from pipeline.history import training_pairs

    count = 0
    with output(target) as file:
        for pair in training_pairs(store):
            file.write(context.to_json(pair) + "\n")
            count += 1
    return {"id": None, "project_id": None, "kind": None, "counts": {}, "exported": count}
