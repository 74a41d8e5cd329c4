"""`situations`: a consultant's situations under a name, so that a refresh can say when something better turns up.

Below: `checkup.situations`, `data.store_situations`. Above: `checkup.cli`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON
from checkup.commands.matching import FILE, TEXT, TEXT_OPTION

if TYPE_CHECKING:
    from data.store import Store
    from data.store_situations import SavedSituation

situations_app = typer.Typer(help="Lagen aufheben und über bessere Treffer berichten lassen.", no_args_is_help=True)
NAME = typer.Argument(help="Name, unter dem die Lage aufgehoben ist")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    situations_app.command("save", epilog="Beispiel: checkup situations save musterstadt --file lage.docx")(save)
    situations_app.command("list", epilog="Beispiel: checkup situations list")(list_situations)
    situations_app.command("show", epilog="Beispiel: checkup situations show musterstadt")(show)
    situations_app.command("delete", epilog="Beispiel: checkup situations delete musterstadt")(delete)
    app.add_typer(situations_app, name="situations")


def save(
    name: Annotated[str, NAME],
    text: Annotated[str | None, TEXT] = None,
    text_option: Annotated[str | None, TEXT_OPTION] = None,
    file: Annotated[Path | None, FILE] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Eine Lage aufheben, so wie sie ist, mit den zehn besten Projekten von heute; derselbe Name ersetzt."""
    from checkup.inputs import read_text
    from checkup.situations import answer_to, best_of, checked_name
    from data.store import Store
    from data.store_situations import save_situation
    from matching.retrieve import Matcher
    from matching.situation import checked_text

    given, chosen = read_text(text, text_option, file), checked_name(name)
    checked_text(given.text)  # before anything is loaded
    settings = context.settings()
    answer = answer_to(Matcher(settings), given.text)
    context.tell_reader(answer)
    with Store.open(settings) as store:
        replaced = save_situation(store, chosen, given.text, best_of(answer))
        record = _record(store, _known(store, chosen))
    if json:
        context.print_json({"schema_version": 1, **record, "replaced": replaced})
        return 0
    context.say(f"{'Ersetzt' if replaced else 'Aufgehoben'}: „{chosen}“ mit {len(record['best'])} Projekten.")
    if answer["abstained"]:
        context.say(
            "Noch passt nichts (siehe checkup match); der Bericht nach einem Abruf meldet, wenn sich das ändert."
        )
    return 0


def list_situations(json: Annotated[bool, JSON] = False) -> int:
    """Alle aufgehobenen Lagen."""
    from data.store import Store
    from data.store_situations import saved_situations

    with Store.open(context.settings(), allow_empty=True) as store:
        records = [_record(store, situation) for situation in saved_situations(store)]
    if json:
        context.print_json({"schema_version": 1, "situations": records})
        return 0
    from checkup.console import print_rows, shorten

    columns = ("Name", "seit", "Projekte", "Text")
    rows = [(one["name"], one["created_at"][:10], len(one["best"]), shorten(one["text"], 60)) for one in records]
    print_rows(columns, [dict(zip(columns, row, strict=True)) for row in rows], whole=columns[:1])
    return 0


def show(name: Annotated[str, NAME], json: Annotated[bool, JSON] = False) -> int:
    """Eine Lage und die Projekte, die zuletzt zu ihr genannt wurden."""
    from data.store import Store

    with Store.open(context.settings(), allow_empty=True) as store:
        record = _record(store, _known(store, name))
    if json:
        context.print_json({"schema_version": 1, **record})
        return 0
    lines = [f"{record['name']} (seit {record['created_at'][:10]})", "", record["text"], ""]
    for rank, one in enumerate(record["best"], 1):
        lines.append(f"{rank:>2}. {one['title'] or one['project_id']} [{one['project_id']}]")
    print("\n".join(lines))  # noqa: T201 - this is the answer
    return 0


def delete(name: Annotated[str, NAME], json: Annotated[bool, JSON] = False) -> int:
    """Eine Lage vergessen."""
    from data.store import Store
    from data.store_situations import delete_situation

    with Store.open(context.settings(), allow_empty=True) as store:
        situation = _known(store, name)
        delete_situation(store, situation.name)
    if json:
        context.print_json({"schema_version": 1, "deleted": situation.name})
    else:
        context.say(f"Vergessen: „{situation.name}“.")
    return 0


def _known(store: "Store", name: str) -> "SavedSituation":
    from data.errors import CheckupError
    from data.store_situations import get_situation

    situation = get_situation(store, name.strip())
    if situation is None:
        raise CheckupError(f"Eine Lage „{name}“ ist nicht aufgehoben. „checkup situations list“ nennt die Namen.")
    return situation


def _record(store: "Store", situation: "SavedSituation") -> dict[str, Any]:
    best = []
    for one in situation.best:
        project = store.get_project(one.project_id)
        title = project.title if project is not None else None
        best.append({"project_id": one.project_id, "title": title, "score": one.score})
    return {"name": situation.name, "text": situation.text, "created_at": situation.created_at, "best": best}
