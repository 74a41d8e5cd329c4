"""`erase`, `backup` and `restore`: what must go for good, and what must never be lost.

Below: `pipeline.erase`, `pipeline.restore`, `data.backup`. Above: `checkup.cli`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checkup import context
from checkup.commands.database import JSON

if TYPE_CHECKING:
    from data.store_erase import Kind
    from pipeline.erase import Erased

REASON = typer.Option(help="warum gelöscht wird; wird mit Datum aufbewahrt")
erase_app = typer.Typer(help="Etwas endgültig löschen und beweisen, dass nichts davon übrig ist.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    erase_app.command("project", epilog="Beispiel: checkup erase project lotsen-12 --reason 'Wunsch des Trägers'")(
        erase_project
    )
    erase_app.command("source", epilog="Beispiel: checkup erase source beispiel --reason 'Widerspruch des Verlags'")(
        erase_source
    )
    erase_app.command(
        "page", epilog="Beispiel: checkup erase page https://example.org/projekt --reason 'Wunsch des Trägers'"
    )(erase_page)
    erase_app.command("person", epilog="Beispiel: checkup erase person 'Anna Weber' --reason 'Art. 17 DSGVO'")(
        erase_person
    )
    app.add_typer(erase_app, name="erase")
    app.command(epilog="Beispiel: checkup backup sicherung.zip")(backup)
    app.command(epilog="Beispiel: checkup restore sicherung.zip --workspace neuer-ordner")(restore)


def erase_project(
    project: Annotated[str, typer.Argument(help="Projekt (id)")],
    reason: Annotated[str, REASON],
    json: Annotated[bool, JSON] = False,
) -> int:
    """Ein Projekt mit allen Fassungen, Angaben und zusammengeführten Einträgen löschen."""
    return _erase("project", project, reason, json)


def erase_source(
    source: Annotated[str, typer.Argument(help="Name der Quelle oder der eingelesenen Datei")],
    reason: Annotated[str, REASON],
    json: Annotated[bool, JSON] = False,
) -> int:
    """Alles löschen, was aus einer Quelle kam; sie wird auch später nicht mehr übernommen."""
    return _erase("source", source, reason, json)


def erase_page(
    url: Annotated[str, typer.Argument(help="Adresse der Seite")],
    reason: Annotated[str, REASON],
    json: Annotated[bool, JSON] = False,
) -> int:
    """Eine Seite mit den Projekten, die auf ihr stehen, löschen."""
    return _erase("page", url, reason, json)


def erase_person(
    name: Annotated[str, typer.Argument(help="Vor- und Nachname")],
    reason: Annotated[str, REASON],
    json: Annotated[bool, JSON] = False,
) -> int:
    """Den Namen eines Menschen überall schwärzen, in jeder Schreibweise; die Projekte bleiben."""
    return _erase("person", name, reason, json)


def _erase(kind: "Kind", key: str, reason: str, json: bool) -> int:
    from data.store import Store
    from pipeline import refresh
    from pipeline.erase import advice, erase

    with (
        Store.open(context.settings(), allow_empty=True) as store,
        store.writing("erase") as run,
        context.progress() as progress,
    ):
        done = erase(store, kind, key, reason, refresh.worker_for(store, progress=progress))
        run.summary.update(kind=kind, projects=done.gone.projects, files_searched=done.searched.files)
    if json:
        context.print_json(_erased_json(done))
    else:
        context.say(_erased_words(done))
    for hit in done.searched.hits:
        context.say(advice(hit, log_emptied=done.log_emptied))
    for reason_unread in done.searched.unreadable:
        context.say(f"Nicht lesbar, also nicht durchsucht: {reason_unread}")
    return context.DONE_WITH_FAILURES if done.searched.hits or done.searched.unreadable else 0


def _erased_json(done: "Erased") -> dict[str, object]:
    from dataclasses import asdict

    return {
        "schema_version": 1, "kind": done.kind, **asdict(done.gone), "archived": done.archived,
        "deleted_files": done.deleted, "shared_with": done.shared_with, "files_searched": done.searched.files,
        "bytes_searched": done.searched.size_bytes, "found": [asdict(hit) for hit in done.searched.hits],
        "unreadable": done.searched.unreadable, "generation": done.generation,
    }  # fmt: skip


def _erased_words(done: "Erased") -> str:
    gone = done.gone
    if done.kind == "person":
        lines = [f"Der Name ist an {gone.masked} gespeicherten Stellen geschwärzt."]
    else:
        lines = [f"Gelöscht: {gone.projects} Projekte, {gone.versions} weitere Fassungen, {gone.staged} wartende."]
    lines.append(f"Aus Archiven entfernt: {done.archived} Einträge. Berichte gelöscht: {len(done.deleted)}.")
    if done.shared_with:
        lines.append(f"Derselbe Wortlaut steht auch in {', '.join(done.shared_with)}; dort bleibt er.")
    found = f"gefunden in {len(done.searched.hits)}" if done.searched.hits else "nichts gefunden"
    lines.append(
        f"Danach durchsucht: {done.searched.files} Dateien ({done.searched.size_bytes / 1e6:.1f} MB), {found}. "
        "Sicherungen außerhalb des Arbeitsbereichs werden beim Zurückspielen gefiltert."
    )
    return "\n".join(lines)


def backup(
    file: Annotated[Path, typer.Argument(help="ZIP-Datei, die geschrieben wird")],
    json: Annotated[bool, JSON] = False,
) -> int:
    """Den Arbeitsbereich in eine Datei sichern, auch während ein Abruf läuft."""
    from data.backup import write_backup
    from data.store import Store

    settings = context.settings()
    with Store.open(settings, allow_empty=True):
        manifest = write_backup(settings, file)
    if json:
        context.print_json(
            {
                "schema_version": 1,
                "file": str(file),
                "projects": manifest.projects,
                "files": len(manifest.files),
                "schema_revision": manifest.schema_revision,
                "created_at": manifest.created_at,
                "size_bytes": file.stat().st_size,
            }
        )
    else:
        context.say(f"{manifest.projects} Projekte in {file} gesichert ({file.stat().st_size / 1e6:.1f} MB).")
        context.say("Die Datei enthält auch Einstellungen (vielleicht Kennwörter): bitte sicher aufbewahren.")
    return 0


def restore(
    file: Annotated[Path, typer.Argument(help="Sicherung, die „checkup backup“ geschrieben hat")],
    force: Annotated[bool, typer.Option("--force", help="einen gefüllten Arbeitsbereich ersetzen")] = False,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Eine Sicherung zurückspielen; was gelöscht wurde, kommt nicht zurück, der Index wird neu gebaut."""
    from dataclasses import asdict

    from pipeline.restore import restore as put_back

    settings = context.settings()
    done = put_back(settings, file, force=force)
    if json:
        context.print_json(
            {
                "schema_version": 1,
                "workspace": str(settings.workspace),
                "projects": done.projects,
                "created_at": done.manifest.created_at,
                "schema_revision": done.manifest.schema_revision,
                "erased": asdict(done.gone),
                "generation": done.generation,
            }
        )
    else:
        context.say(
            f"{done.projects} Projekte in {settings.workspace}, Stand {done.manifest.created_at[:16]}. Früher "
            f"Gelöschtes herausgenommen: {done.gone.projects} Projekte, {done.gone.masked} Stellen mit Namen."
        )
    return 0
