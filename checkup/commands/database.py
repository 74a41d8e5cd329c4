"""`seed`, `import`, `export`, `show`, `list`, `status`: what is in the database and how it gets in and out.

Below: `data`, `pipeline.refresh`. Above: `checkup.cli`.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from checkup import context

JSON = typer.Option("--json", help="als JSON auf die Standardausgabe")
WORKERS = typer.Option(help="Prozesse, die einbetten (Ergebnis gleich)", min=1, max=64)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Beispiel: checkup seed")(seed)
    app.command("import", epilog="Beispiel: checkup import projekte.csv weitere.jsonl")(import_)
    app.command(epilog="Beispiel: checkup export --output projekte.xlsx")(export)
    app.command(epilog="Beispiel: checkup show lotsenhaus-barnim")(show)
    app.command("list", epilog="Beispiel: checkup list --field wohnen --state Hessen")(list_)
    app.command(epilog="Beispiel: checkup status --json")(status)


def _summary(counts: Any) -> str:
    words = {"new": "neu", "updated": "geändert", "unchanged": "unverändert"}
    told = [f"{counts[key]} {word}" for key, word in words.items()]
    return ", ".join(told + ([f"{counts['erased']} gelöscht und nicht wieder aufgenommen"] if counts["erased"] else []))


def seed(workers: Annotated[int, WORKERS] = 1, json: Annotated[bool, JSON] = False) -> int:
    """Die mitgelieferten Projekte laden (legt den Arbeitsordner an)."""
    from data.store import Store
    from pipeline import refresh

    settings = context.settings()
    report = refresh.Report()
    with Store.open(settings, create=True) as store, store.writing("seed") as run, context.progress() as progress:
        refresh.seed(store, refresh.worker_for(store, workers=workers, progress=progress), report)
        run.summary.update(report.counts)
        total = store.count()
    if json:
        context.print_json(
            {"schema_version": 1, **report.counts, "projects": total, "workspace": str(settings.workspace)}
        )
    else:
        context.say(f"{total} Projekte in {settings.workspace} ({_summary(report.counts)}).")
        context.say('Weiter mit: checkup match "Uns fehlen Wohnungen für anerkannte Geflüchtete."')
    return 0


def import_(
    files: Annotated[list[str], typer.Argument(help="JSONL, CSV, XLSX oder JSON; - für Standardeingabe")],
    format: Annotated[str | None, typer.Option(help="jsonl, csv, xlsx oder json")] = None,  # noqa: A002
    workers: Annotated[int, WORKERS] = 1,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Projekte aus Dateien übernehmen; jeder abgelehnte Datensatz wird mit Zeile und Grund genannt."""
    from data.exchange import read_projects
    from data.store import Store
    from pipeline import refresh

    read = [(name, read_projects(name, format)) for name in files]  # type: ignore[arg-type]
    report = refresh.Report()
    with (
        Store.open(context.settings(), create=True) as store,
        store.writing("import") as run,
        context.progress() as progress,
    ):
        worker = refresh.worker_for(store, workers=workers, progress=progress)
        for name, result in read:
            for note in result.notes:
                context.say(note)
            if result.unknown_keys:
                context.say(f"{name}: unbekannte Angaben werden mitgeführt: {', '.join(result.unknown_keys)}")
            report.failed += result.rejected
            source = "Standardeingabe" if name == "-" else Path(name).name
            refresh.import_projects(store, result.projects, worker, report, source=source)
        run.summary.update(report.counts)
    accepted = sum(report.counts[key] for key in ("new", "updated", "unchanged"))
    if json:
        rejected = [{"source": r.source, "line": r.line, "id": r.id, "reason": r.reason} for r in report.failed]
        context.print_json({"schema_version": 1, **report.counts, "accepted": accepted, "rejected": rejected})
    else:
        context.say(f"{accepted} Projekte übernommen ({_summary(report.counts)}), {len(report.failed)} beanstandet.")
    return context.report_failures(report)


def export(
    output: Annotated[str, typer.Option(help="Datei, oder - für die Standardausgabe")] = "-",
    format: Annotated[str | None, typer.Option(help="jsonl, csv, xlsx oder json")] = None,  # noqa: A002
    full: Annotated[bool, typer.Option("--full", help="mit Aussagen und Verlauf (nur JSONL)")] = False,
    documents: Annotated[
        str | None, typer.Option(help="stattdessen, was Abrufe gebracht haben: JSONL-Datei, oder -")
    ] = None,
) -> int:
    """Alle Projekte ausgeben, so wie sie wieder eingelesen werden können."""
    import sys

    from data.errors import UsageError
    from data.exchange import write_projects
    from data.store import Store

    with Store.open(context.settings()) as store:
        if documents is not None:
            if full or format is not None or output != "-":
                raise UsageError("--documents schreibt selbst JSONL und geht nicht mit --full, --format, --output.")
            return _export_documents(store, documents)
        if full:
            if format not in (None, "jsonl"):
                raise UsageError("--full gibt es nur als JSONL.")
            return _export_full(store, output)
        target: Any = sys.stdout.buffer if output == "-" else Path(output)
        kind: Any = format or ("jsonl" if output == "-" else None)
        result = write_projects(store.iter_projects(), target, kind)
    for item in result.rejected:
        context.say(f"{item.id}: {item.reason}")
    if output != "-":
        context.say(f"{result.written} Projekte nach {output} geschrieben.")
    return context.DONE_WITH_FAILURES if result.rejected else 0


def _export_full(store: Any, output: str) -> int:
    from checkup.inputs import output as opened

    with opened(output) as file:
        for project in store.iter_projects():
            file.write(context.to_json(full_record(store, project.id)) + "\n")
    return 0


def _export_documents(store: Any, output: str) -> int:
    """One line for each record of a crawl, as its source gave it, personal data masked."""
    from checkup.inputs import output as opened
    from data.records import PROJECT_KEYS

    columns = [key for key in PROJECT_KEYS if key not in ("id", "title", "text", "url")]
    with opened(output) as file:
        for project, document in store.crawled():
            given = {key: value for key in columns if (value := getattr(project, key)) is not None}
            line = {"schema_version": 1, "id": project.id, "url": project.url, "source": document.source,
                    "title": project.title, "text": document.text, "facts": {**given, **project.extra},
                    "sha256": document.sha256, "fetched_at": document.fetched_at}  # fmt: skip
            file.write(context.to_json(line) + "\n")
    return 0


def full_record(store: Any, project_id: str) -> dict[str, Any]:
    """A project with its statements and document versions, as JSON values."""
    from dataclasses import asdict

    from data.records import PROJECT_KEYS

    project = store.get_project(project_id)
    columns = {key: getattr(project, key) for key in PROJECT_KEYS if getattr(project, key) is not None}
    return {
        "schema_version": 1,
        **columns,
        **project.extra,
        "statements": [asdict(statement) for statement in store.statements(project_id)],
        "documents": [asdict(document) for document in store.documents(project_id)],
    }


def show(project: Annotated[str, typer.Argument(help="Projekt (id)")], json: Annotated[bool, JSON] = False) -> int:
    """Ein Projekt mit Text, Angaben und Herkunft zeigen."""
    from checkup.console import print_project
    from data.errors import CheckupError
    from data.store import Store

    with Store.open(context.settings()) as store:
        if store.get_project(project) is None:
            near = _near(project, [p.id for p in store.iter_projects()])
            raise CheckupError(f"Ein Projekt „{project}“ gibt es nicht. Ähnlich: {', '.join(near) or 'nichts'}.")
        record = full_record(store, project)
    if json:
        context.print_json(record)
    else:
        print_project(record)
    return 0


def _near(name: str, known: list[str]) -> list[str]:
    from rapidfuzz import process

    return [match[0] for match in process.extract(name, known, limit=3, score_cutoff=50)]


def list_(
    field: Annotated[list[str] | None, typer.Option(help="Handlungsfeld (id), mehrfach möglich")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Zielgruppe (id)")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Land, ausgeschrieben")] = None,
    impact: Annotated[str | None, typer.Option(help="mindestens promising, high oder proven")] = None,
    unknown: Annotated[str, typer.Option(help="ohne Angabe: keep oder drop")] = "drop",
    json: Annotated[bool, JSON] = False,
) -> int:
    """Projekte auflisten."""
    from checkup.console import print_list
    from data.store import Store
    from data.vocabulary import load_vocabulary
    from matching.filters import allowed
    from matching.query import filters_from
    from pipeline.publish import card_json

    settings = context.settings()
    vocabulary = load_vocabulary(settings.workspace)
    given = {"field": field, "group": group, "state": state, "impact": impact, "unknown": unknown}
    filters = filters_from(given, fields=list(vocabulary.fields), groups=list(vocabulary.groups))
    with Store.open(settings) as store:
        cards = [card_json(card) for card in store.iter_cards()]
    shown = [card for card, keep in zip(cards, allowed(cards, filters), strict=True) if keep]
    if json:
        keys = ("project_id", "title", "organisation", "municipality", "state", "start_year", "end_year", "url")
        rows = [{**{key: card[key] for key in keys}, **_labels(card)} for card in shown]
        context.print_json({"schema_version": 1, "projects": rows})
    else:
        print_list(shown, total=len(cards))
    return 0


def _labels(card: dict[str, Any]) -> dict[str, Any]:
    values = card["values"]
    return {
        "action_fields": values.get("action_fields", []), "target_groups": values.get("target_groups", []),
        "approaches": values.get("approaches", []), "tier": values.get("tier", "open"),
        "level": values.get("level", 0), "evidence_grade": values.get("evidence_grade", "0"),
    }  # fmt: skip


def status(json: Annotated[bool, JSON] = False) -> int:
    """Arbeitsordner, Zahl der Projekte, letzte Läufe, Stand des Index."""
    from dataclasses import asdict

    from data.store import Store
    from embeddings.published import IndexUnusableError, index_folder, open_published

    settings = context.settings()
    with Store.open(settings) as store:
        runs = [asdict(run) for run in store.runs()[-10:]]
        projects = store.count()
    try:
        manifest = open_published(index_folder(settings.workspace)).manifest
        index = {"usable": True, **{key: manifest[key] for key in ("fingerprint", "encoder", "projects", "rows")}}
    except IndexUnusableError as error:
        index = {"usable": False, "reason": str(error)}
    answer = {"schema_version": 1, "workspace": str(settings.workspace), "projects": projects, "index": index,
              "runs": runs}  # fmt: skip
    if json:
        context.print_json(answer)
        return 0
    lines = [f"Arbeitsordner: {settings.workspace}", f"Projekte: {projects}"]
    if index["usable"]:
        lines.append(f"Index: {index['projects']} Projekte, Sprachmodell {index['encoder']}")
    else:
        lines.append(f"Index: unbrauchbar ({index['reason']}); wird beim nächsten match neu gebaut")
    lines += [f"  {run['started_at']}  {run['kind']:<8} {run['status']}" for run in runs]
    typer.echo("\n".join(lines))
    return 0
