"""`refresh`, `sources` and `schedule`: where projects come from, and when they are fetched anew.

Below: `crawlers`, `pipeline.refresh`. Above: `checkup.cli`.
"""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON, WORKERS

if TYPE_CHECKING:
    from crawlers.crawl import Crawl
    from crawlers.source import SourceConfig
    from pipeline.publish import Progress
    from pipeline.refresh import Report

sources_app = typer.Typer(help="Quellen auflisten, zeigen und prüfen.", no_args_is_help=True)
schedule_app = typer.Typer(help="Den monatlichen Lauf einrichten.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Beispiel: checkup refresh --source meine-quelle.yaml")(refresh)
    sources_app.command("list", epilog="Beispiel: checkup sources list")(list_sources)
    sources_app.command("show", epilog="Beispiel: checkup sources show integreat-landkreis-augsburg")(show_source)
    sources_app.command("check", epilog="Beispiel: checkup sources check meine-quelle.yaml --limit 20")(check_source)
    sources_app.command("new", epilog="Beispiel: checkup sources new https://example.org/projekte --name beispiel")(
        new_source
    )
    app.add_typer(sources_app, name="sources")
    schedule_app.command("show", epilog="Beispiel: checkup schedule show")(show_schedule)
    app.add_typer(schedule_app, name="schedule")


def _overlay() -> Path:
    return context.settings().workspace / "sources"


def refresh(
    source: Annotated[list[str] | None, typer.Option(help="Name oder YAML-Datei; ohne Angabe alle Quellen")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Archiv (WARC) statt des Netzes; braucht genau eine --source")
    ] = None,
    workers: Annotated[int, WORKERS] = 1,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Quellen abrufen, Neues und Geändertes auslesen, einbetten und veröffentlichen."""
    from data.store import Store
    from pipeline import refresh as road

    settings = context.settings()
    report = road.Report()
    chosen = _chosen(source or [], report)
    with (
        Store.open(settings, create=True) as store,
        store.writing("refresh") as run,
        context.progress() as progress,
    ):
        worker = road.worker_for(store, workers=workers, progress=progress)
        road.refresh(store, _crawls(chosen, replay, settings.contact, progress), worker, report)
        run.summary.update(report.counts)
    counts = report.counts
    if json:
        failed = [{"source": r.source, "line": r.line, "reason": r.reason} for r in report.failed]
        context.print_json({"schema_version": 1, **counts, "sources": [s.name for s in chosen], "failed": failed})
    else:
        context.say(
            f"{len(chosen)} Quelle(n): {counts['new']} neu, {counts['updated']} geändert, "
            f"{counts['unchanged']} unverändert, {len(report.failed)} ohne Ergebnis."
        )
    return context.report_failures(report)


def _chosen(names: list[str] | None, report: "Report") -> list["SourceConfig"]:
    """The named sources, or all; a broken file among all of them is reported and stops no other."""
    from crawlers.source import all_sources, load_source
    from data.errors import CheckupError
    from data.records import Rejected

    if names:
        return [load_source(name, overlay=_overlay()) for name in names]
    chosen = []
    for item in all_sources(overlay=_overlay()):
        if isinstance(item, CheckupError):
            report.failed.append(Rejected(source="Quelle", line=None, reason=item.message))
        else:
            chosen.append(item)
    return chosen


def _crawls(
    chosen: list["SourceConfig"], replay: Path | None, contact: str | None, progress: "Progress"
) -> list["Crawl"]:
    """A crawl for each source, over the network or (one source) over an archive."""
    from crawlers.archive import replay_fetcher
    from crawlers.crawl import crawl, fetcher_for
    from data.errors import UsageError

    if replay is not None and len(chosen) != 1:
        raise UsageError("--replay braucht genau eine --source, deren Regeln für das Archiv gelten.")
    return [
        crawl(
            one,
            fetcher=replay_fetcher(one, replay) if replay else fetcher_for(one, contact=contact),
            progress=partial(progress, one.name),
        )
        for one in chosen
    ]


def new_source(
    url: Annotated[str, typer.Argument(help="Startadresse, oder Adresse einer Liste")],
    name: Annotated[str, typer.Option(help="Name der Quelle: klein, mit Bindestrichen")],
    output: Annotated[Path | None, typer.Option(help="Datei; ohne Angabe in den Arbeitsordner")] = None,
) -> int:
    """Eine erste YAML-Datei aus einer Startadresse entwerfen; ein Mensch prüft sie dann."""
    from crawlers.guess import draft_source
    from crawlers.polite import open_fetcher
    from data.errors import CheckupError

    settings = context.settings()
    if settings.contact is None:
        raise CheckupError(
            "Wer Seiten abruft, muss erreichbar sein: bitte CHECKUP_CONTACT oder contact in settings.toml setzen."
        )
    target = output or _overlay() / f"{name}.yaml"
    if target.exists():
        raise CheckupError(f"{target} gibt es schon. Bitte einen anderen Namen wählen.")
    text = draft_source(url, fetcher=open_fetcher(delay_s=2.0, contact=settings.contact), name=name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    context.say(
        f"Entwurf: {target}. Bitte die mit „bitte prüfen“ markierten Zeilen ansehen, dann: "
        f"checkup sources check {target}"
    )
    return 0


def list_sources(json: Annotated[bool, JSON] = False) -> int:
    """Alle Quellen: mitgelieferte und eigene."""
    from crawlers.source import all_sources
    from data.errors import CheckupError

    broken = 0
    rows = []
    for source in all_sources(overlay=_overlay()):
        if isinstance(source, CheckupError):
            broken += 1
            context.say(source.message)
        else:
            keys = ("name", "publisher", "kind", "schedule", "licence", "homepage")
            rows.append({key: getattr(source, key) for key in keys})
    if json:
        context.print_json({"schema_version": 1, "sources": rows})
    else:
        from checkup.console import print_rows

        print_rows(("name", "publisher", "kind", "schedule", "licence"), rows)
    return context.DONE_WITH_FAILURES if broken else 0


def show_source(name: Annotated[str, typer.Argument(help="Name oder YAML-Datei")]) -> int:
    """Die YAML-Datei einer Quelle zeigen."""
    from crawlers.source import load_source

    print(load_source(name, overlay=_overlay()).path.read_text("utf-8"))  # noqa: T201 - this is the answer
    return 0


def check_source(
    file: Annotated[str, typer.Argument(help="Name oder YAML-Datei")],
    limit: Annotated[int, typer.Option(min=1, help="so viele Datensätze ansehen")] = 20,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Zeigen, was eine Quelle ergäbe, ohne etwas zu speichern: Angaben, Füllgrade, Abgelehntes mit Grund."""
    from crawlers.crawl import Refused, crawl, fetcher_for
    from crawlers.source import load_source
    from data.records import Fetched

    source = load_source(file, overlay=_overlay())
    running = crawl(source, fetcher=fetcher_for(source, contact=context.settings().contact), limit=limit)
    records: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for item in running:
        if isinstance(item, Fetched):
            records.append(
                {"url": item.url, "title": item.title, "characters": len(item.text), "facts": dict(item.facts)}
            )
        elif isinstance(item, Refused):
            refused.append({"url": item.url, "line": item.line, "reason": item.reason})
    missed = running.failures() if len(records) < limit else []
    answer = {"schema_version": 1, "source": source.name, "records": records, "refused": refused,
              "fill": running.counts.fill_rates(), "missed": missed, "hints": list(running.counts.hints)}  # fmt: skip
    if json:
        context.print_json(answer)
    else:
        from checkup.console import print_check

        print_check(answer)
    return context.DONE_WITH_FAILURES if missed or not records else 0


def show_schedule(
    system: Annotated[
        str | None, typer.Option(help="cron, systemd oder windows; ohne Angabe passend zum Rechner")
    ] = None,
) -> int:
    """Die Zeile oder Datei zeigen, mit der der Rechner den monatlichen Lauf startet."""
    from pipeline.schedule import schedule_text

    chosen = system or {"win32": "windows", "linux": "systemd"}.get(sys.platform, "cron")
    print(schedule_text(chosen, workspace=context.settings().workspace, python=sys.executable))  # noqa: T201
    return 0
