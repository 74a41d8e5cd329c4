"""Answers as a consultant likes to read them in a terminal (Rich), on standard output.

Below: Rich, `data.vocabulary`. Above: `checkup.commands`. JSON is for programs; nothing here is parsed by anybody.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from checkup.property_titles import origin_title, property_title, property_value
from data.amounts import euros
from data.impact import HIGH, TIER_TITLES

if TYPE_CHECKING:
    import pandas as pd

    from data.vocabulary import Vocabulary

TIER_STYLES = {"proven": "bold green", "high": "green", "promising": "yellow", "open": "dim"}
MAX_QUOTE = 320
MARGIN = 10
"""Of a frame around its title."""
GAP = 2
"""Blanks beside each column of a table."""
LEAST_COLUMN = 8
"""Narrower columns than this nobody reads."""
SURE = 0.3
"""Below this confidence a need is a guess, and the next ones are told with it."""


def own_console() -> Console:
    """Standard output as people read it."""
    return Console(highlight=False, soft_wrap=False)


def shorten(text: str, limit: int = MAX_QUOTE) -> str:
    """The text on one line, cut at a word after `limit` characters with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0] + " …"


def place_of(match: Mapping[str, Any]) -> str:
    """Where a project is: its places by name with their state, or nothing."""
    places = [
        f"{p['name']} ({p['state']})" if p.get("state") and p["state"] != p["name"] else p["name"]
        for p in match["places"]
    ]
    return ", ".join(places)


def years_of(match: Mapping[str, Any]) -> str:
    """The running time as far as it is known."""
    start, end = match["start_year"], match["end_year"]
    if start and end:
        return f"{start}-{end}"
    return f"seit {start}" if start else f"bis {end}" if end else ""


_COUNT_WORDS = ("", "einer", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
_FEEDBACK = {
    "adopted": "in {} übernommen", "adapted": "in {} abgewandelt übernommen", "failed": "in {} nicht gelungen",
    "helpful": "{} hilfreich genannt", "not_helpful": "{} nicht hilfreich genannt",
}  # fmt: skip


def feedback_words(counts: Mapping[str, int]) -> str:
    """What others made of a project, e.g. `In drei Kommunen übernommen`; empty where nobody said anything."""
    parts = []
    for kind, sentence in _FEEDBACK.items():
        if count := counts.get(kind, 0):
            number = _COUNT_WORDS[count] if count < len(_COUNT_WORDS) else str(count)
            towns = f"{number} {'Kommune' if count == 1 else 'Kommunen'}"
            times = "einmal" if count == 1 else f"{number}mal" if count < len(_COUNT_WORDS) else f"{number}-mal"
            parts.append(sentence.format(times if "helpful" in kind else towns))
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def print_answer(answer: Mapping[str, Any], text: str, vocabulary: "Vocabulary") -> None:
    """A `match` answer: what was understood, the highlights, the projects with their reasons."""
    console = own_console()
    if answer["abstained"]:
        console.print(abstention(answer))
        return
    if answer["needs"]:
        console.print("[bold]Verstandene Bedarfe[/]")
        for need in answer["needs"]:
            console.print(f"  • {escape(understood(need, vocabulary))}", style="cyan")
        console.print()
    if answer["highlights"]:
        names = {m["project_id"]: m["title"] or m["project_id"] for m in answer["matches"]}
        console.print("[bold green]Besonders wirksam:[/] " + escape("; ".join(names[i] for i in answer["highlights"])))
        console.print()
    for place, match in enumerate(answer["matches"], 1):
        console.print(_match(place, match, answer, vocabulary))
        link = Text(f"  {match['url'] or ''}", "blue").append(f"  {match['project_id']}", "dim")
        console.print(link, soft_wrap=True)
    total = answer["index"]["projects"]
    console.print(
        f"[dim]{len(answer['matches'])} von {total} Projekten. Die Reihenfolge ist keine Wahrscheinlichkeit.[/]"
    )
    if note := missing_words(answer):
        console.print(f"[dim]{note}[/]")


def missing_words(answer: Mapping[str, Any]) -> str:
    """Why no project is called particularly effective; empty where one is."""
    if not answer["high_impact_missing"]:
        return ""
    if any(match["impact"]["tier"] in HIGH for match in answer["matches"]):
        return "Keines der wirksamen Projekte passt so sicher, dass es hervorgehoben wird."
    return "Unter den passenden ist keines mit hoher oder nachgewiesener Wirkung."


def abstention(answer: Mapping[str, Any]) -> Panel:
    """Why nothing is recommended, and what to tell."""
    why = {
        "vague": "Die Beschreibung nennt noch kein bestimmtes Problem.",
        "off_topic": "Der Text handelt nicht von der Integration Zugewanderter.",
        "nothing_fits": "Kein Projekt der Datenbank passt (oder die Filter lassen keines übrig).",
    }[answer["abstained_because"]]
    lines = [why, *(f"• {question}" for question in answer["ask"])]
    return Panel(escape("\n".join(lines)), title="Keine Empfehlung", border_style="yellow")


def understood(need: Mapping[str, Any], vocabulary: "Vocabulary") -> str:
    """A need as it was read, with the next guesses where it is uncertain."""
    title = need_title(need, vocabulary)
    others = [str(other["title"]) for other in need.get("alternatives", [])[:2]]
    if need.get("confidence", 1.0) >= SURE or not others:
        return title
    return f"unsicher: {title}? {'? '.join(others)}?"


def need_title(need: Mapping[str, Any], vocabulary: "Vocabulary") -> str:
    """What the vocabulary calls a need, or its own words."""
    known = vocabulary.needs.get(str(need.get("need_id")))
    return known.title if known else str(need.get("statement", ""))


def _match(place: int, match: Mapping[str, Any], answer: Mapping[str, Any], vocabulary: "Vocabulary") -> Panel:
    body = Text()
    facts = [place_of(match), years_of(match), match["organisation"] or ""]
    facts += [euros(match["cost_eur"])] if match["cost_eur"] else []
    if any(facts):
        body.append(" · ".join(fact for fact in facts if fact) + "\n", style="dim")
    tier = match["impact"]["tier"]
    checked = "geprüft" if match["impact"]["verified"] else "laut Quelle"
    body.append(f"{TIER_TITLES[tier]}", style=TIER_STYLES[tier])
    body.append(f" (Stufe {match['impact']['level']}, Evidenz {match['impact']['evidence_grade']}, {checked})\n")
    kind = "Zusammenfassung" if match["text_kind"] == "summary" else "Zitat"
    for reason in match["reasons"]:
        bridge = _bridge(reason, answer, vocabulary)
        if bridge:
            body.append(bridge + "\n", style="cyan")
        if reason["passage"]:
            body.append(f"{kind}: ", style="dim")
            body.append(shorten(reason["passage"]["quote"]) + "\n")
    for misfit in match["misfits"]:
        body.append(f"Achtung: {misfit}\n", style="red")
    if match["feedback"]:
        body.append(feedback_words(match["feedback"]) + "\n", style="green")
    body.rstrip()
    title = shorten(f"{place}. {match['title'] or match['project_id']}", own_console().width - MARGIN)
    return Panel(body, title=f"[bold]{escape(title)}[/]", title_align="left", border_style=TIER_STYLES[tier])


def _bridge(reason: Mapping[str, Any], answer: Mapping[str, Any], vocabulary: "Vocabulary") -> str:
    """Need → approach in plain words, as far as the reason names them."""
    approach = vocabulary.approaches.get(str(reason.get("approach")))
    need = reason.get("need")
    parts = [need_title(answer["needs"][need], vocabulary)] if need is not None else []
    parts += [approach.title] if approach else []
    return " → ".join(parts)


def print_project(record: Mapping[str, Any]) -> None:
    """`show`: a project with what is stated about it and by whom."""
    console = own_console()
    console.print(f"[bold]{escape(record.get('title') or record['id'])}[/]  [dim]{escape(record['id'])}[/]")
    for key in ("organisation", "municipality", "state", "start_year", "end_year", "url"):
        if record.get(key) is not None:
            console.print(f"  {property_title(key)}: {escape(str(record[key]))}", soft_wrap=True)
    console.print(Panel(escape(record["text"] or _purged(record))))
    table = Table("Angabe", "Wert", "Beleg", "Herkunft", box=None)
    for statement in record["statements"]:
        table.add_row(
            property_title(statement["property"]), escape(property_value(statement["property"], statement["value"])),
            escape(shorten(statement["quote"] or "", 80)), origin_title(statement["origin"]),
        )  # fmt: skip
    console.print(table)
    for document in record["documents"]:
        console.print(f"[dim]Fassung {document['id'][:8]} vom {document['fetched_at'][:10]} ({document['source']})[/]")


def _purged(record: Mapping[str, Any]) -> str:
    """Why a project has no text any more."""
    mark = record.get("purged") or {}
    reasons = {"retention": "Aufbewahrungsfrist", "share_cap": "Anteil an fremder Sammlung"}
    why = reasons.get(mark.get("because", ""), "")
    return f"Der Text wurde am {mark.get('at', '')[:10]} gelöscht ({why}); Angaben, Zitate und Verweis bleiben."


def print_marked(record: Mapping[str, Any]) -> None:
    """`explain PROJECT`: the text with the places its values were read from."""
    console = own_console()
    text = Text(record["text"])
    rows = [s for s in record["statements"] if s["start"] is not None and s["where"] == "text"]
    for statement in rows:
        text.stylize("bold yellow", statement["start"], statement["end"])
    console.print(Panel(text, title=escape(record.get("title") or record["id"])))
    for statement in rows:
        value = property_value(statement["property"], statement["value"])
        value = f"{property_title(statement['property'])} = {value}"
        console.print(f"  {escape(value)}: [yellow]{escape(shorten(statement['quote'] or '', 120))}[/]")


def print_list(cards: Sequence[Mapping[str, Any]], *, total: int) -> None:
    """`list`: one line per project."""
    console = own_console()
    columns = ("id", "Titel", "Ort", "Handlungsfelder", "Wirkung")
    rows = []
    for card in cards:
        place = ", ".join(part for part in (card["municipality"], card["state"]) if part)
        tier = TIER_TITLES[card["values"].get("tier", "open")]
        fields = ", ".join(card["values"].get("action_fields", []))
        rows.append(dict(zip(columns, (card["project_id"], card["title"] or "", place, fields, tier), strict=True)))
    print_rows(columns, rows, whole=("id",))
    console.print(f"[dim]{len(cards)} von {total} Projekten[/]")


def print_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, whole: Sequence[str] = ()) -> None:
    """Rows as a plain table; where it is too narrow for what must stay whole, one row below the other.

    Args:
        columns: in order; also the keys of each row.
        rows: values of any kind.
        whole: columns of ids, which are typed again elsewhere: never cut and never broken, whatever the width.
    """
    console = own_console()
    longest = {name: max((len(str(row[name])) for row in rows), default=0) for name in whole}
    left = console.width - sum(max(size, len(name)) for name, size in longest.items()) - GAP * len(columns)
    if left < LEAST_COLUMN * (len(columns) - len(whole)):
        _print_blocks(console, columns, rows, whole)
        return
    table = Table(box=None)
    for name in columns:
        table.add_column(name, no_wrap=name in longest, min_width=longest.get(name), overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(row[column])) for column in columns))
    console.print(table)


def _print_blocks(
    console: Console, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], whole: Sequence[str]
) -> None:
    for row in rows:
        for name in whole:
            console.print(f"[bold]{escape(str(row[name]))}[/]", soft_wrap=True)
        others = (f"{name}: {row[name]}" for name in columns if name not in whole and str(row[name]))
        console.print(Padding(escape(" · ".join(others)), (0, 0, 0, 4)))


def print_table(name: str, table: "pd.DataFrame") -> None:
    """A table of counts; zeros as dots, so that gaps are seen."""
    columns = [escape(str(column)) for column in table.columns]
    shown = Table("", *columns, title=escape(name), title_justify="left", box=None)
    for label, row in table.iterrows():
        shown.add_row(escape(str(label)), *(str(value) if value else "·" for value in row))
    own_console().print(shown)


def print_knowledge(card: Mapping[str, Any]) -> None:
    """`explain --need` and `--approach`."""
    console = own_console()
    console.print(f"[bold]{escape(card['title'])}[/]  [dim]{card['id']}[/]\n{escape(card['what'])}")
    titles = {
        "module": "Modul", "field": "Handlungsfeld", "fields": "Handlungsfelder", "groups": "Zielgruppen",
        "reword": "So klänge die Antwort", "competent": "Zuständig", "duty": "Aufgabe", "legal_status": "Status",
        "preconditions": "Voraussetzungen", "obstacles": "Hindernisse", "success_factors": "Erfolgsfaktoren",
        "wordings": "So schreiben es Projekte",
    }  # fmt: skip
    for key, title in titles.items():
        value = card.get(key)
        if value:
            many = isinstance(value, list) and key in ("preconditions", "obstacles", "success_factors", "wordings")
            shown = (
                "".join(f"\n  • {item}" for item in value)
                if many
                else ", ".join(value)
                if isinstance(value, list)
                else value
            )
            console.print(f"[cyan]{title}:[/] {escape(str(shown))}")
    for item in card.get("approaches", card.get("needs", [])):
        under = f"  (wenn {item['if']})" if item.get("if") else ""
        console.print(f"  [bold]{item['grade']}[/] {escape(item['title'])} [dim]{item['id']}{escape(under)}[/]")


def print_figures(result: Mapping[str, Any]) -> None:
    """`evaluate`: every figure on a line of its own."""
    console = own_console()
    for part in ("projects", "situations", "ranking"):
        if part not in result:
            continue
        table = Table("Maß", "Wert", "", title=part, title_justify="left", box=None)
        for name, value in result[part].items():
            if name not in ("misses", "per_situation"):
                table.add_row(name, *_figure(value))
        console.print(table)
    for miss in result.get("projects", {}).get("misses", []):
        console.print(f"[dim]{escape(str(miss))}[/]")


def _figure(value: Any) -> tuple[str, str]:
    if isinstance(value, Mapping) and "f1" in value:
        return f"{value['f1']:.3f}", f"P {value['precision']:.3f}  R {value['recall']:.3f}  (Gold: {value['gold']})"
    if isinstance(value, Mapping) and "low" in value:
        return f"{value['value']:.3f}", f"[{value['low']:.3f}; {value['high']:.3f}]  n = {value['count']}"
    return (f"{value:.3f}", "") if isinstance(value, float) else (str(value), "")


EVENT_TITLES = {
    "new": "neu", "changed": "geändert", "gone": "nicht mehr gefunden", "back": "wieder da",
    "label_changed": "anders eingeordnet", "held": "Quelle angehalten", "drift": "Verschiebung",
}  # fmt: skip


def print_history(answer: Mapping[str, Any]) -> None:
    """`history`: versions, statements with first and last seen, judgements, events."""
    console = own_console()
    console.print(f"[bold]{escape(answer['title'] or answer['project_id'])}[/]  [dim]{escape(answer['project_id'])}[/]")
    console.print(
        f"zuerst gesehen {answer['first_seen'][:10]}, zuletzt {answer['last_seen'][:10]} ({answer['source']})"
    )
    for key, words in (
        ("not_seen_since", "nicht mehr gefunden seit"),
        ("merged_into", "aufgegangen in"),
        ("funding_ends", "Förderung endet am"),
    ):
        if answer[key]:
            console.print(f"[red]{words} {escape(answer[key][:10] if key != 'merged_into' else answer[key])}[/]")
    for document in answer["documents"]:
        console.print(f"Fassung {document['id'][:8]} vom {document['fetched_at'][:10]} ({document['source']})")
    table = Table("Angabe", "Wert", "Herkunft", "zuerst", "zuletzt", "bis", box=None)
    for item in answer["statements"]:
        value = escape(shorten(str(item["value"]), 40))
        dates = (item["first_seen"][:10], item["last_seen"][:10], (item["closed_at"] or "")[:10])
        table.add_row(property_title(item["property"]), value, item["origin"], *dates)
    console.print(table)
    for item in answer["judgements"]:
        said = f"Urteil {item['id']}: {item['kind']} {escape(item['other_id'] or '')} ({item['origin']})"
        console.print(f"{item['created_at'][:10]}  {said}{', zurückgenommen' if item['withdrawn_at'] else ''}")
    _print_events(console, answer["events"])


def print_diff(answer: Mapping[str, Any]) -> None:
    """`diff`: what runs changed, with the new wording itself."""
    console = own_console()
    _print_events(console, answer["events"])
    if not answer["events"]:
        console.print("Nichts hat sich geändert.")
    for item in answer["not_seen"]:
        console.print(f"nicht gesehen seit {item['since'][:10]}: {escape(item['title'] or item['project_id'])}")
    for item in answer["funding_ends"]:
        console.print(f"Förderung endet am {item['ends']}: {escape(item['title'] or item['project_id'])}")


def _print_events(console: Console, events: Sequence[Mapping[str, Any]]) -> None:
    for event in events:
        detail = event["detail"]
        name = detail.get("title") or event["project_id"] or event["source"] or detail.get("label", "")
        console.print(f"{event['at'][:10]}  [bold]{EVENT_TITLES[event['kind']]}[/]  {escape(str(name))}")
        for passage in detail.get("passages", []):
            console.print(f"    bisher: {escape(shorten(passage['old'])) or '–'}", style="dim")
            console.print(f"    jetzt:  {escape(shorten(passage['new'])) or '–'}")
        for key, (before, now) in {**detail.get("fields", {}), **detail.get("labels", {})}.items():
            console.print(f"    {key}: {escape(str(before))} → {escape(str(now))}")
        for finding in detail.get("findings", []):
            console.print(f"    {escape(finding['reason'])}", style="red")
