"""`explain`, `extract` and `coverage`: what the product knows, what it reads in a text, what the database covers.

Below: `data.vocabulary`, `pipeline.nlp`. Above: `checkup.cli`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON
from checkup.commands.matching import FILE, INPUT, OUTPUT, write_answer

if TYPE_CHECKING:
    from checkup.coverage import Coverage

TEXT = typer.Argument(help="Die Projektbeschreibung; - liest die Standardeingabe")
TEXT_OPTION = typer.Option("--text", help="die Projektbeschreibung als Option")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Beispiel: checkup explain --need anerkannte-bleiben-im-heim")(explain)
    app.command(epilog='Beispiel: checkup extract "Seit 2016 fanden 57 von 80 Geflüchteten eine Ausbildung." --json')(
        extract
    )
    app.command(epilog="Beispiel: checkup coverage --html abdeckung.html")(coverage)


def explain(
    project: Annotated[str | None, typer.Argument(help="Projekt: sein Text mit den gelesenen Angaben")] = None,
    need: Annotated[str | None, typer.Option(help="Bedarf (id)")] = None,
    approach: Annotated[str | None, typer.Option(help="Ansatz (id)")] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Einen Bedarf, einen Ansatz oder ein Projekt erklären."""
    from data.errors import UsageError
    from data.vocabulary import load_vocabulary

    if sum(value is not None for value in (project, need, approach)) != 1:
        raise UsageError("Bitte genau eines angeben: ein Projekt, --need ID oder --approach ID.")
    settings = context.settings()
    vocabulary = load_vocabulary(settings.workspace)
    if project is not None:
        return _explain_project(project, settings, json)
    from checkup.console import print_knowledge
    from checkup.knowledge import approach_card, need_card

    card = need_card(vocabulary, need) if need is not None else approach_card(vocabulary, str(approach))
    if json:
        context.print_json(card)
    else:
        print_knowledge(card)
    return 0


def _explain_project(project: str, settings: Any, json: bool) -> int:
    from checkup.commands.database import full_record
    from checkup.console import print_marked
    from data.errors import CheckupError
    from data.store import Store

    with Store.open(settings) as store:
        if store.get_project(project) is None:
            raise CheckupError(f"Ein Projekt „{project}“ gibt es nicht. checkup list zeigt alle.")
        record = full_record(store, project)
    if json:
        context.print_json({key: record[key] for key in ("schema_version", "id", "text", "statements")})
    else:
        print_marked(record)
    return 0


def extract(
    text: Annotated[str | None, TEXT] = None,
    text_option: Annotated[str | None, TEXT_OPTION] = None,
    file: Annotated[Path | None, FILE] = None,
    input: Annotated[str | None, INPUT] = None,  # noqa: A002
    output: Annotated[str | None, OUTPUT] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Aus einer Projektbeschreibung Handlungsfeld, Zielgruppe und Wirkung lesen, jede Angabe mit Beleg."""
    from checkup.inputs import batch, read_text, refuse_beside_batch
    from data.errors import CheckupError
    from pipeline.project_reading import ProjectReader

    settings = context.settings()
    reader = ProjectReader(settings)

    def one(given: dict[str, Any]) -> dict[str, Any]:
        from matching.situation import checked_text

        checked_text(given["text"])
        record = str(given.get("id")), given.get("title"), given["text"]
        found = next(reader.read([record]))
        if "error" in found:
            raise CheckupError(found["error"]["message"])
        return {"schema_version": 1, **found}

    if input is not None:
        refuse_beside_batch(text, text_option, file)
        return batch(input, output, one)
    given = read_text(text, text_option, file)
    answer = {**one({"text": given.text}), "id": None}
    if given.from_file:
        answer["text"] = given.text
    if json or output not in (None, "-"):
        write_answer(answer, output)
    else:
        from checkup.reading_console import print_extraction
        from data.vocabulary import load_vocabulary

        print_extraction(answer, load_vocabulary(settings.workspace))
    return 0


def coverage(
    html: Annotated[Path | None, typer.Option(help="zusätzlich als eigene Seite mit Schaubildern")] = None,
    csv: Annotated[Path | None, typer.Option(help="lange Tabelle: eine Zeile je Projekt und Modul oder Feld")] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Abdeckung der Datenbank: Module und Handlungsfelder × Länder × Stufe × Evidenz, Lücken benannt."""
    from checkup.coverage import coverage as count
    from checkup.coverage import long_csv
    from checkup.coverage_gaps import gaps
    from checkup.coverage_page import coverage_page
    from checkup.inputs import output
    from data.clock import utc_now
    from data.store import Store
    from data.vocabulary import load_vocabulary

    settings = context.settings()
    vocabulary = load_vocabulary(settings.workspace)
    with Store.open(settings) as store:
        counted = count(store.iter_cards(), vocabulary, year=int(utc_now()[:4]))
    missing = gaps(counted)
    if html is not None:
        with output(str(html)) as file:
            file.write(coverage_page(counted, missing))
        context.say(f"Abdeckung als Seite: {html}")
    if csv is not None:
        with output(str(csv)) as file:
            file.write(long_csv(counted))
        context.say(f"Lange Tabelle: {csv}")
    _show_coverage(counted, missing, json)
    return 0


def _show_coverage(counted: "Coverage", missing: list[str], json: bool) -> None:
    from checkup.console import print_table
    from checkup.coverage import cells
    from checkup.coverage_gaps import figures
    from checkup.coverage_page import shown

    if json:
        rows = {name: table.reset_index().to_dict("records") for name, table in counted.tables.items()}
        answer = {"projects": counted.projects, "tables": rows, "gaps": missing}
        extra = {"year": counted.year, "figures": figures(counted), "cells": cells(counted)}
        context.print_json({"schema_version": 1, **answer, **extra})
        return
    for name, table in counted.tables.items():
        print_table(*shown(name, table))
    for gap in missing:
        context.say(f"Lücke: {gap}")
