"""What `sources check` shows in a terminal (Rich): a table of records, fill rates, what gave no record, and the sum.

Below: Rich, `checkup.console`, `crawlers.outcome`. Above: `checkup.commands.sources`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from checkup.console import shorten

if TYPE_CHECKING:
    from crawlers.outcome import Counts

MOST_TEXT = 140
MOST_VALUE = 60


def print_check(answer: Mapping[str, Any], counts: "Counts", *, kind: str) -> None:
    """Show what a source would bring.

    Args:
        answer: As `sources check --json` gives it.
        counts: Of the crawl.
        kind: Of the source: site, feed or list.
    """
    console = Console(highlight=False, soft_wrap=False)
    console.print(f"[bold]{escape(answer['source'])}[/], angesehene Datensätze: {len(answer['records'])}\n")
    if answer["records"]:
        console.print(_records(answer))
    for name, rate in sorted(answer["fill"].items(), key=lambda item: (item[1], item[0])):
        # What is never filled is most often misspelt.
        console.print(
            f"  gefüllt: {escape(name)} {rate * 100:.0f} %{'' if rate else ', bitte Regel oder Spalte prüfen'}",
            style=None if rate else "red",
        )
    for name, items in (("abgelehnt", answer["refused"]), ("nicht gelesen", answer["unread"])):
        for item in items:
            row = "" if item["line"] is None else f", Zeile {item['line']}"
            console.print(
                f"  {name}: {escape(item['url'])}{row}: {escape(item['reason'])}", style="dim", soft_wrap=True
            )
    for reason in (*answer["missed"], *answer["hints"]):
        console.print(f"  Achtung: {escape(reason)}", style="red", soft_wrap=True)
    console.print(total(counts, kind=kind), soft_wrap=True)


def _records(answer: Mapping[str, Any]) -> Table:
    """Title with the beginning of the text, length, and facts, one record a row."""
    table = Table("Titel und Anfang des Textes", box=None, padding=(0, 2, 1, 0))
    table.add_column("Zeichen", justify="right")
    table.add_column("Angaben")
    for record in answer["records"]:
        facts = "\n".join(f"{key}: {shorten(str(value), MOST_VALUE)}" for key, value in record["facts"].items())
        told = Text(record["title"] or "ohne Titel", "bold" if record["title"] else "red")
        told.append(f"\n{shorten(record['text'], MOST_TEXT)}", "not bold dim")
        table.add_row(told, str(record["characters"]), Text(facts or "–"))
    return table


def total(counts: "Counts", *, kind: str) -> str:
    """One line: what was read, what came of it, and why the rest gave no record."""
    from crawlers.outcome import counted

    read = f"gelesene {'Zeilen' if kind == 'list' else 'Seiten'} {counts.pages}, Datensätze {counts.records}"
    same = f"weitere Adressen derselben Seite {counts.aliases}, Kopien {counts.identical}"
    return f"Summe: {read}, {same}; ohne Datensatz: {counted(counts.reasons) or 'keine'}."
