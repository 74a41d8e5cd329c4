"""`review`: what a person should look at, decided by plain commands or in a sheet.

Below: `pipeline.review`, `pipeline.review_table`. Above: `checkup.cli`.
"""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.store import ActiveRun, Store
    from data.store_review import Review
    from pipeline.review_table import Applied

review_app = typer.Typer(help="Zweifelhaftes ansehen und entscheiden.", invoke_without_command=True)
NUMBER = typer.Argument(help="Nummer der Prüffrage, oder quelle:NAME")
NOTE = typer.Option(help="Bemerkung, die bei der Entscheidung bleibt")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    review_app.callback()(table)
    review_app.command("list", epilog="Beispiel: checkup review list --kind duplicate")(list_reviews)
    review_app.command("show", epilog="Beispiel: checkup review show 12")(show)
    review_app.command("accept", epilog="Beispiel: checkup review accept 12")(accept)
    review_app.command("correct", epilog="Beispiel: checkup review correct 12 wohnen,sprache")(correct)
    review_app.command("same", epilog="Beispiel: checkup review same 12")(same)
    review_app.command("different", epilog="Beispiel: checkup review different 12")(different)
    review_app.command("withdraw", epilog="Beispiel: checkup review withdraw 3")(withdraw)
    review_app.command("verify", epilog="Beispiel: checkup review verify 12 https://example.org/evaluation.pdf")(verify)
    app.add_typer(review_app, name="review")


def table(
    ctx: typer.Context,
    xlsx: Annotated[Path | None, typer.Option(help="offene Fragen in diese XLSX-Datei schreiben")] = None,
    apply: Annotated[Path | None, typer.Option(help="Entscheidungen aus dieser XLSX-Datei übernehmen")] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Zweifelhaftes ansehen und entscheiden; mit --xlsx und --apply als Tabelle."""
    from data.errors import UsageError
    from data.store import Store
    from pipeline.review_table import write_table

    if ctx.invoked_subcommand is not None:
        return 0
    if (xlsx is None) == (apply is None):
        raise UsageError("Bitte --xlsx DATEI, --apply DATEI oder einen Befehl angeben: checkup review list")
    if apply is not None:
        return _apply(apply, json)
    assert xlsx is not None
    with Store.open(context.settings()) as store:
        count = write_table(store, xlsx)
    context.say(f"{count} offene Fragen in {xlsx}. Bitte die letzten vier Spalten ausfüllen, dann: "
                f"checkup review --apply {xlsx}")  # fmt: skip
    return 0


def _apply(file: Path, json: bool) -> int:
    from dataclasses import asdict

    from pipeline.review_table import apply_table

    with _reviewing() as (store, run):
        done = apply_table(store, file)
        run.summary.update(applied=done.applied)
        _after(store, run, done)
    if json:
        faults = [asdict(fault) for fault in done.faults]
        counts = {"applied": done.applied, "already": done.already, "skipped": done.skipped}
        context.print_json({"schema_version": 1, **counts, "faults": faults})
    for fault in done.faults:
        context.say(f"{file}, Zeile {fault.row}{f', „{fault.cell}“' if fault.cell else ''}: {fault.reason}")
    if done.faults:
        context.say("Nichts wurde übernommen. Bitte berichtigen und noch einmal aufrufen.")
        return context.CANNOT_RUN
    context.say(f"{done.applied} Entscheidungen übernommen, {done.already} standen schon, {done.skipped} offen.")
    return 0


def _after(store: "Store", run: "ActiveRun", done: "Applied") -> None:
    """What gates held and was accepted goes in; then the index is published."""
    from pipeline import refresh
    from pipeline.staging import finish, let_held_through

    if done.gates:
        finish(store, [let_held_through(store, name, run.id) for name in done.gates])
    if done.gates or done.written:
        refresh.process(store, refresh.worker_for(store), refresh.Report())


@contextmanager
def _reviewing() -> "Iterator[tuple[Store, ActiveRun]]":
    from data.store import Store

    with Store.open(context.settings()) as store, store.writing("review") as run:
        yield store, run


def list_reviews(
    kind: Annotated[str | None, typer.Option(help="nur claimed_x, conflict, low_score, duplicate oder gate")] = None,
    decided: Annotated[bool, typer.Option("--decided", help="auch die entschiedenen")] = False,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Die offenen Prüffragen auflisten."""
    from checkup.console import print_rows
    from data.store import Store
    from pipeline.review_rows import question_rows

    with Store.open(context.settings()) as store:
        rows = question_rows(store, decided=decided, kind=kind)
    if json:
        context.print_json({"schema_version": 1, "reviews": rows})
    else:
        values = [{**row, "value": " / ".join(str(side["value"]) for side in row["sides"])} for row in rows]
        print_rows(("id", "kind", "project_id", "property", "value"), values, whole=("id", "project_id"))
    return 0


def show(number: Annotated[str, NUMBER], json: Annotated[bool, JSON] = False) -> int:
    """Eine Prüffrage mit beiden Belegen zeigen."""
    from data.store import Store
    from pipeline.review_rows import question_row

    with Store.open(context.settings()) as store:
        row = question_row(store, number)
    if json:
        context.print_json({"schema_version": 1, "review": row})
        return 0
    lines = [f"{row['id']}: {row['question']}", f"Projekt: {row['project_id'] or '–'} {row['title'] or ''}"]
    if row["property"]:
        lines.append(f"Angabe: {row['property']}")
    for side in row["sides"]:
        lines += [f"• {side['value']} ({side['origin']})", f"  {side['quote'] or 'ohne Beleg im Text'}"]
    print("\n".join(lines))  # noqa: T201 - this is the answer
    return 0


def accept(
    number: Annotated[str, NUMBER],
    note: Annotated[str | None, NOTE] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Was gilt, bleibt so; bei quelle:NAME wird übernommen, was der angehaltene Abruf gebracht hat."""
    from pipeline import review
    from pipeline.review_rows import GATE
    from pipeline.review_table import Applied

    if number.startswith(GATE):
        with _reviewing() as (store, run):
            _after(store, run, Applied(gates=[number.removeprefix(GATE)]))
        return _told(number, None, "accept", json)
    return _decide(number, "accept", lambda store, item: review.accept(store, item, note), json)


def correct(
    number: Annotated[str, NUMBER],
    value: Annotated[str, typer.Argument(help="der richtige Wert; mehrere mit Komma; - für keinen")],
    note: Annotated[str | None, NOTE] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Die Angabe berichtigen; gilt auch nach jedem neuen Auslesen."""
    from pipeline import review

    return _decide(number, "correct", lambda store, item: review.correct(store, item, value, note), json)


def same(
    number: Annotated[str, NUMBER],
    note: Annotated[str | None, NOTE] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Beide Einträge sind dasselbe Projekt."""
    from pipeline import review

    return _decide(number, "same", lambda store, item: review.same_or_different(store, item, "same", note), json)


def different(
    number: Annotated[str, NUMBER],
    note: Annotated[str | None, NOTE] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Beide Einträge sind verschiedene Projekte."""
    from pipeline import review

    return _decide(
        number, "different", lambda store, item: review.same_or_different(store, item, "different", note), json
    )


def verify(
    target: Annotated[str, typer.Argument(help="id eines Projekts oder Nummer der Prüffrage")],
    link: Annotated[str, typer.Argument(help="Adresse der Evaluation")],
    note: Annotated[str | None, NOTE] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Die Evaluation wurde gesehen: Die Wirkung gilt als geprüft, mit Verweis."""
    from pipeline import review
    from pipeline.review_rows import number_of
    from pipeline.review_table import Applied

    with _reviewing() as (store, run):
        is_number = target.isdecimal() and store.get_project(target) is None
        item = review.open_question(store, number_of(target)) if is_number else None
        project_id = target if item is None else item.project_id
        review.verify(store, project_id, link, item, note)
        _after(store, run, Applied(written=True))
    return _told(None if item is None else item.id, project_id, "verify", json)


def withdraw(
    judgement: Annotated[int, typer.Argument(help="Nummer des Urteils; checkup history PROJEKT zeigt sie")],
    json: Annotated[bool, JSON] = False,
) -> int:
    """Ein Urteil zurücknehmen, auch eine Zusammenführung durch das Programm; danach wird wieder gefragt."""
    from pipeline import curate
    from pipeline.review_table import Applied

    with _reviewing() as (store, run):
        taken = curate.withdraw(store, judgement)
        _after(store, run, Applied(written=True))
    return _told(taken.id, taken.project_id, "withdraw", json)


def _decide(number: str, decision: str, act: "Callable[[Store, Review], Any]", json: bool) -> int:
    """Decide one question and publish; an act that returns False has written nothing to be published."""
    from pipeline.review import open_question
    from pipeline.review_rows import number_of
    from pipeline.review_table import Applied

    with _reviewing() as (store, run):
        item = open_question(store, number_of(number))
        written = act(store, item) is not False
        _after(store, run, Applied(written=written))
    return _told(item.id, item.project_id, decision, json)


def _told(number: int | str | None, project_id: str | None, decision: str, json: bool) -> int:
    if json:
        answer = {"schema_version": 1, "id": number, "project_id": project_id, "decision": decision}
        context.print_json(answer)
    else:
        context.say(f"Eingetragen: {decision} ({number or project_id}).")
    return 0
