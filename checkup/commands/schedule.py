"""`schedule`: have the computer look by itself whether sources are due, and do what is due.

Below: `pipeline.schedule`, `pipeline.cadence`, `checkup.commands.sources`, `checkup.reporting`. Above: `checkup.cli`.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checkup import context
from checkup.commands.database import JSON, WORKERS

if TYPE_CHECKING:
    from crawlers.source import SourceConfig
    from data.store import Store
    from pipeline.cadence import Turn
    from pipeline.refresh import Report
    from pipeline.schedule import Plan, Tools

schedule_app = typer.Typer(help="Quellen regelmäßig von selbst abrufen lassen.", no_args_is_help=True)
SYSTEM = typer.Option(help="cron, systemd oder windows; ohne Angabe passend zum Rechner")
FOLDER = typer.Option(help="systemd: Ordner der eigenen Units; ohne Angabe der übliche")
CRONTAB = typer.Option(help="cron: Befehl, der die eigene Crontab zeigt (-l) und setzt (-)")
SYSTEMCTL = typer.Option(help="systemd: Befehl, der Units ein- und ausschaltet")
WHY = {
    "never": "noch nie abgerufen", "interrupted": "unterbrochen, wird fortgesetzt",
    "clock": "letzter Abruf liegt in der Zukunft: Uhr verstellt?", "retry": "neuer Versuch nach Fehlschlag",
    "interval": "Abstand der Quelle",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    schedule_app.command("show", epilog="Beispiel: checkup schedule show")(show)
    schedule_app.command("install", epilog="Beispiel: checkup schedule install --system cron")(install)
    schedule_app.command("remove", epilog="Beispiel: checkup schedule remove")(remove)
    schedule_app.command("run-due", epilog="Beispiel: checkup schedule run-due")(run_due)
    app.add_typer(schedule_app, name="schedule")


def _plan(system: str | None) -> "Plan":
    from pipeline.schedule import plan

    chosen = system or {"win32": "windows", "linux": "systemd"}.get(sys.platform, "cron")
    return plan(chosen, workspace=context.settings().workspace, python=sys.executable)


def _tools(folder: Path | None, crontab: str, systemctl: str) -> "Tools":
    from pipeline.schedule import Tools, default_folder

    return Tools(folder=folder or default_folder(), crontab=crontab, systemctl=systemctl)


def _say_plan(plan: "Plan", json: bool) -> None:
    if not json:
        sys.stdout.write(plan.text)
        sys.stdout.flush()


def show(
    system: Annotated[str | None, SYSTEM] = None,
    folder: Annotated[Path | None, FOLDER] = None,
    crontab: Annotated[str, CRONTAB] = "crontab",
    json: Annotated[bool, JSON] = False,
) -> int:
    """Zeigen, was eingerichtet würde, ob es das ist, und wann welche Quelle an der Reihe ist."""
    from pipeline.refresh import Report
    from pipeline.schedule import is_installed

    plan, report = _plan(system), Report()
    installed = is_installed(plan, _tools(folder, crontab, "systemctl"))
    turns = _turns_of_workspace(report)
    _say_plan(plan, json)
    if json:
        rows = [asdict(turn) for turn in turns]
        told = {"system": plan.system, "name": plan.name, "text": plan.text, "installed": installed, "sources": rows}
        context.print_json({"schema_version": 1, **told})
    else:
        from checkup.console import print_rows

        columns = ("Quelle", "Abstand", "zuletzt gut", "fällig", "weil")
        print_rows(columns, [dict(zip(columns, _row(turn), strict=True)) for turn in turns], whole=columns[:1])
        context.say("Eingerichtet." if installed else "Noch nicht eingerichtet: checkup schedule install")
    return context.report_failures(report)


def _row(turn: "Turn") -> tuple[str, str, str, str, str]:
    when = "jetzt" if turn.due else f"ab {str(turn.due_at)[:10]}"
    return turn.source, turn.schedule, (turn.last_good or "-")[:10], when, WHY[turn.why]


def install(
    system: Annotated[str | None, SYSTEM] = None,
    folder: Annotated[Path | None, FOLDER] = None,
    crontab: Annotated[str, CRONTAB] = "crontab",
    systemctl: Annotated[str, SYSTEMCTL] = "systemctl",
    yes: Annotated[bool, typer.Option("--yes", help="nicht nachfragen")] = False,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Zeigen und dann eintragen, was viermal am Tag nach fälligen Quellen sieht; ein zweites Mal ändert nichts."""
    from pipeline.schedule import install as enter

    plan = _plan(system)
    _say_plan(plan, json)
    if not (yes or json) and sys.stdin.isatty() and plan.system != "windows":
        typer.confirm("So eintragen?", abort=True, err=True)
    written = enter(plan, _tools(folder, crontab, systemctl))
    if json:
        told = {"system": plan.system, "name": plan.name, "text": plan.text, "written": written}
        context.print_json({"schema_version": 1, **told})
    else:
        context.say(f"Eingetragen: {', '.join(written)}" if written else "War schon so eingetragen.")
    return 0


def remove(
    system: Annotated[str | None, SYSTEM] = None,
    folder: Annotated[Path | None, FOLDER] = None,
    crontab: Annotated[str, CRONTAB] = "crontab",
    systemctl: Annotated[str, SYSTEMCTL] = "systemctl",
    json: Annotated[bool, JSON] = False,
) -> int:
    """Genau das wieder wegnehmen, was install eingetragen hat."""
    from pipeline.schedule import remove as take_away

    plan = _plan(system)
    removed = take_away(plan, _tools(folder, crontab, systemctl))
    if json:
        context.print_json({"schema_version": 1, "system": plan.system, "name": plan.name, "removed": removed})
    else:
        context.say(f"Entfernt: {', '.join(removed)}" if removed else "Es war nichts eingetragen.")
    return 0


def run_due(
    workers: Annotated[int, WORKERS] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", help="nur sagen, was nicht ging (für cron)")] = False,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Abrufen, was seit dem letzten guten Lauf fällig ist, und berichten.

    Für die Überwachung: 0 nichts fällig oder alles gut; 3 ging nicht (etwa: ein anderer Lauf ist noch dabei); 4 fertig,
    aber Quellen, Schranken, Bericht oder Mail sind gescheitert.
    """
    from checkup.commands.sources import chosen_sources, crawl_into, refresh_json, told
    from checkup.reporting import report_on
    from data.errors import CheckupError
    from data.store import Store
    from pipeline.refresh import Report

    settings, report = context.settings(), Report()
    report.counts.update(gone=0, back=0, passed_over=0)
    sources = chosen_sources(None, report)
    broken = [item.reason for item in report.failed]
    run_id = None
    with Store.open(settings, allow_empty=True) as store:
        due = {turn.source for turn in _turns(sources, store) if turn.due}
        chosen = [source for source in sources if source.name in due]
        try:
            if chosen:
                run_id = crawl_into(store, chosen, report, workers=workers)
        except CheckupError:
            for sentence in report_on(settings, store, failures=broken).failed:
                context.say(sentence)
            raise
        reported = report_on(settings, store, run_id, failures=broken)
    if json:
        context.print_json({"schema_version": 1, "run_id": run_id, **refresh_json(report, chosen, reported)})
    elif not quiet:
        context.say(f"Abgerufen: {', '.join(sorted(due))}." if chosen else "Keine Quelle ist fällig.")
    return told(report, reported, quiet=quiet)


def _turns(sources: Sequence["SourceConfig"], store: "Store | None") -> list["Turn"]:
    """When each source is due; without a store none was ever read. Erased sources have no turn."""
    from data.clock import utc_now
    from data.store_erase import door_of
    from pipeline.cadence import turn
    from pipeline.staging import attempt_of

    now, salt = utc_now(), str(context.settings().workspace)
    door = door_of(store) if store is not None else None
    return [
        turn(one.name, one.schedule, attempt_of(store, one.name) if store is not None else None, now=now, salt=salt)
        for one in sources
        if door is None or not door.is_erased(source=one.name)
    ]


def _turns_of_workspace(report: "Report") -> list["Turn"]:
    """When each source is due, also where there is no workspace yet."""
    from checkup.commands.sources import chosen_sources
    from data.store import Store

    settings = context.settings()
    sources = chosen_sources(None, report)
    if settings.database_url is None and not settings.database_path.is_file():
        return _turns(sources, None)
    with Store.open(settings, allow_empty=True) as store:
        return _turns(sources, store)
