"""`refresh` and `sources`: where projects come from.

Below: `crawlers`, `pipeline.refresh`. Above: `checkup.commands.schedule`, `checkup.cli`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON, WORKERS

if TYPE_CHECKING:
    from checkup.reporting import Reported
    from crawlers.crawl import Crawl
    from crawlers.polite import Fetcher
    from crawlers.source import SourceConfig
    from crawlers.web import Memory, Waiting
    from data.settings import Settings
    from data.store import Store
    from data.store_erase import Door
    from pipeline.publish import Progress
    from pipeline.refresh import Report
    from pipeline.staging import Opener

sources_app = typer.Typer(help="Quellen auflisten, zeigen und prüfen.", no_args_is_help=True)


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


def _overlay() -> Path:
    return context.settings().workspace / "sources"


def refresh(
    source: Annotated[list[str] | None, typer.Option(help="Name oder YAML-Datei; ohne Angabe alle Quellen")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Archiv (WARC) statt des Netzes; braucht genau eine --source")
    ] = None,
    keep_archive: Annotated[
        bool,
        typer.Option("--keep-archive", help="die Seiten, wie sie kamen, als WARC aufheben, mit Namen von Personen"),
    ] = False,
    workers: Annotated[int, WORKERS] = 1,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Quellen abrufen, Neues und Geändertes auslesen, einbetten und veröffentlichen."""
    from checkup.reporting import report_on
    from data.errors import UsageError
    from data.store import Store
    from pipeline.refresh import Report

    if replay is not None and keep_archive:
        raise UsageError("--replay liest ein Archiv; --keep-archive geht nur mit einem Abruf aus dem Netz.")
    settings = context.settings()
    report = Report()
    chosen = chosen_sources(source or [], report)
    broken = [item.reason for item in report.failed]
    with Store.open(settings, create=True) as store:
        run_id = crawl_into(store, chosen, report, workers=workers, replay=replay, keep_archive=keep_archive)
        reported = report_on(settings, store, run_id, failures=broken)
    if json:
        context.print_json({"schema_version": 1, "run_id": run_id, **refresh_json(report, chosen, reported)})
    else:
        counts = report.counts
        context.say(
            f"{len(chosen)} Quelle(n): {counts['new']} neu, {counts['updated']} geändert, {counts['gone']} nicht mehr "
            f"gefunden, {counts['unchanged']} unverändert, {len(report.failed)} ohne Ergebnis."
        )
    return told(report, reported, quiet=False)


def crawl_into(
    store: "Store",
    chosen: list["SourceConfig"],
    report: "Report",
    *,
    workers: int = 1,
    replay: Path | None = None,
    keep_archive: bool = False,
) -> str:
    """Refresh the sources in a run of their own; returns its id. The report gets the counts."""
    from pipeline import refresh as road

    with store.writing("refresh") as run, context.progress() as progress, ExitStack() as open_files:
        worker = road.worker_for(store, workers=workers, progress=progress)
        fetchers = fetchers_for(chosen, replay, store.settings.contact)
        keep = partial(kept_in_archive, store.settings.workspace, open_files, report) if keep_archive else None
        opened = opener(fetchers, progress, keep, remember=replay is None and not keep_archive)
        if replay is None:
            open_files.enter_context(_logged(store.settings, store))
        road.refresh(store, chosen, worker, report, run_id=run.id, opened=opened)
        report.notes[:0] = [f"Archiv: {report.archives[one.name]}" for one in chosen if one.name in report.archives]
        run.summary.update(refresh_summary(report, chosen))
    return run.id


def _logged(settings: "Settings", store: "Store | None" = None) -> AbstractContextManager[None]:
    """Requests made inside stand in the workspace's log, but for what was erased; where that cannot be, it is said."""
    from crawlers.log_file import requests_logged
    from data.errors import CheckupError
    from data.store_erase import door_of

    try:
        door = _door(settings) if store is None else door_of(store)
    except CheckupError as error:
        context.say(f"Die Abrufe werden nicht festgehalten. {error.message}")
        return nullcontext()

    def left_out(url: str, source: str) -> bool:
        return door.leaves_no_trace(url) or door.is_erased(source=source)

    return requests_logged(settings.workspace, say=context.say, left_out=left_out)


def _door(settings: "Settings") -> "Door":
    """What was erased from a workspace, which need not exist yet."""
    from data.store import Store
    from data.store_erase import Door, door_of

    if settings.database_url is None and not settings.database_path.is_file():
        return Door([])
    with Store.open(settings, allow_empty=True) as store:
        return door_of(store)


def told(report: "Report", reported: "Reported", *, quiet: bool) -> int:
    """Say what is worth knowing and what failed; returns the exit code. `quiet`: only what failed."""
    from pipeline.remarks import sentence as sentence_of

    if not quiet:
        for sentence in [*report.notes, *(sentence_of(name, one) + "." for name, one in report.remarks.items())]:
            context.say(sentence)
        if reported.text is not None:
            to = f", gemailt an {', '.join(reported.mailed)}" if reported.mailed else ""
            context.say(f"Bericht: {reported.text}{to}")
    code = context.report_failures(report)
    for sentence in reported.failed:
        context.say(sentence)
    return context.DONE_WITH_FAILURES if reported.failed else code


def refresh_json(report: "Report", sources: list["SourceConfig"], reported: "Reported") -> dict[str, Any]:
    """What a refresh says with `--json`."""
    failed = [{"source": item.source, "line": item.line, "reason": item.reason} for item in report.failed]
    remarks = [{"source": name, **one.to_json()} for name, one in report.remarks.items()]
    return {
        **refresh_summary(report, sources), "failed": failed, "remarks": remarks, "report": reported.to_json(),
    }  # fmt: skip


def refresh_summary(report: "Report", sources: list["SourceConfig"]) -> dict[str, Any]:
    """What is kept of a refresh with its run: counts, sources, what a gate holds, notes; no text of a source."""
    return {
        **report.counts,
        "sources": [source.name for source in sources],
        "held": report.held,
        "notes": report.notes,
    }


def chosen_sources(names: list[str] | None, report: "Report") -> list["SourceConfig"]:
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


def fetchers_for(chosen: list["SourceConfig"], replay: Path | None, contact: str | None) -> dict[str, "Fetcher"]:
    """What asks for each source's pages: the network, or (one source) an archive.

    Raises:
        CheckupError: A source may not be asked without a contact; said before anything is fetched.
    """
    from crawlers.archive import replay_fetcher
    from crawlers.crawl import fetcher_for
    from crawlers.pace import Hosts
    from data.errors import UsageError

    if replay is not None and len(chosen) != 1:
        raise UsageError("--replay braucht genau eine --source, deren Regeln für das Archiv gelten.")
    if replay is not None:
        return {one.name: replay_fetcher(one, replay) for one in chosen}
    hosts: Hosts = {}
    return {one.name: fetcher_for(one, contact=contact, hosts=hosts) for one in chosen}


def kept_in_archive(
    workspace: Path, archives: ExitStack, report: "Report", source: "SourceConfig", fetcher: "Fetcher"
) -> None:
    """From now on everything that the fetcher is answered is written into a new archive of the workspace."""
    from crawlers.archive import Recorder, archive_path
    from data.clock import utc_now

    path = archive_path(workspace, source.name, utc_now())
    fetcher.transport = archives.enter_context(Recorder(fetcher.transport, path))
    report.archives[source.name] = str(path)


def opener(
    fetchers: dict[str, "Fetcher"],
    progress: "Progress",
    keep: "Callable[[SourceConfig, Fetcher], None] | None",
    *,
    remember: bool,
) -> "Opener":
    """How sources are crawled.

    Args:
        fetchers: By the source's name.
        progress: Told after every page.
        keep: Called when a source is begun, to have its pages kept.
        remember: Whether unchanged pages are passed over; not where an archive is read or must hold every page.
    """
    from crawlers.crawl import crawl

    def opened(source: "SourceConfig", memory: "Memory | None", fresh_after: str | None, waiting: "Waiting") -> "Crawl":
        known = memory if remember else None
        if keep is not None:
            keep(source, fetchers[source.name])
        return crawl(
            source,
            fetcher=fetchers[source.name],
            progress=partial(progress, source.name),
            memory=known,
            fresh_after=fresh_after if known else None,
            waiting=waiting,
        )

    return opened


def new_source(
    url: Annotated[str, typer.Argument(help="Startadresse, oder Adresse einer Liste")],
    name: Annotated[str, typer.Option(help="Name der Quelle: klein, mit Bindestrichen")],
    output: Annotated[Path | None, typer.Option(help="Datei; ohne Angabe in den Arbeitsordner")] = None,
    private: Annotated[
        bool, typer.Option("--allow-private-hosts", help="die Adresse liegt im eigenen Netz und darf das")
    ] = False,
) -> int:
    """Eine erste YAML-Datei aus einer Startadresse entwerfen; ein Mensch prüft sie dann."""
    from urllib.parse import urlsplit

    from crawlers.guess import draft_source
    from crawlers.polite import open_fetcher
    from data.errors import CheckupError

    settings = context.settings()
    if settings.contact is None and not private:
        raise CheckupError(
            "Wer Seiten abruft, muss erreichbar sein: bitte CHECKUP_CONTACT oder contact in settings.toml setzen."
        )
    target = output or _overlay() / f"{name}.yaml"
    if target.exists():
        raise CheckupError(f"{target} gibt es schon. Bitte einen anderen Namen wählen.")
    hosts = frozenset({urlsplit(url).hostname or ""} if private else ())
    fetcher = open_fetcher(delay_s=2.0, contact=settings.contact, private_hosts=hosts, name=name)
    with _logged(settings):
        text = draft_source(url, fetcher=fetcher, name=name, private=private)
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

        print_rows(("name", "publisher", "kind", "schedule", "licence"), rows, whole=("name",))
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
    from pipeline.ingest import from_fetched

    settings = context.settings()
    source = load_source(file, overlay=_overlay())
    running = crawl(source, fetcher=fetcher_for(source, contact=settings.contact), limit=limit)
    with _logged(settings):
        outcomes = list(running)
    records: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for item in outcomes:
        if isinstance(item, Fetched):
            text = from_fetched(item).text
            records.append(
                {"url": item.url, "title": item.title, "text": text, "characters": len(text), "facts": dict(item.facts)}
            )
        elif isinstance(item, Refused):
            refused.append({"url": item.url, "line": item.line, "reason": item.reason})
    missed = running.failures() if len(records) < limit else []
    unread = [{"url": note.url, "line": note.line, "reason": note.reason} for note in running.counts.notes]
    fill = running.counts.fill_rates(source.field_names)
    answer = {"schema_version": 1, "source": source.name, "records": records, "refused": refused, "unread": unread,
              "fill": fill, "missed": missed, "hints": list(running.counts.hints)}  # fmt: skip
    if json:
        context.print_json(answer)
    else:
        from checkup.check_console import print_check

        print_check(answer, running.counts, kind=source.kind)
    return context.DONE_WITH_FAILURES if missed or not records else 0
