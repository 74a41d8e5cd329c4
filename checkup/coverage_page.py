"""The coverage as one HTML page: gaps in words, heat maps, entries a year, and every number once more as a table.

Below: `checkup.coverage`, `checkup.coverage_gaps`, `checkup.drawing`, `checkup.page`. Above: `checkup coverage --html`.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from checkup.coverage import NO_YEAR, OLD_AFTER_YEARS, Coverage
from checkup.drawing import Bars, HeatMap, bars, heat_map
from checkup.page import whole_page
from data.impact import EVIDENCE_TITLES, LEVEL_TITLES, TIER_TITLES

if TYPE_CHECKING:
    import pandas as pd

STYLE = """
body { max-width: 58rem; } h2 { margin: 1.5rem 0 .5rem; } figure { margin: 1rem 0; break-inside: avoid; }
svg { max-width: 100%; height: auto; font-family: system-ui, sans-serif; }
figcaption { color: var(--soft); font-size: .9rem; } .tables { break-before: page; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .85rem; break-inside: avoid; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border: 1px solid #999; padding: .15rem .4rem; text-align: right; vertical-align: bottom; }
tbody th { text-align: left; font-weight: 400; }
@media print { @page { size: A4; margin: 15mm; } .wide { overflow: visible; } table { font-size: 8pt; } }
"""
FAILURE = (
    "Fehlschlag heißt: Eine Studie fand keinen Nutzen (Evidenz X), oder der Eintrag berichtet, was misslungen ist."
)
TITLES = {
    "Modul": "Module", "Handlungsfeld": "Handlungsfelder", "Land": "Länder", "Stand": "Einträge je Jahr der Angaben",
}  # fmt: skip
COLUMN_TITLES: Mapping[str, Mapping[Any, str]] = {
    "Wirkung": TIER_TITLES, "Evidenz": EVIDENCE_TITLES, "Stufe": LEVEL_TITLES,
}  # fmt: skip
MAPS = {
    "Handlungsfeld × Wirkung": "Ein Eintrag zählt in jedem seiner Handlungsfelder.",
    "Modul × Land": "Ein Eintrag zählt in jedem seiner Module; „gesamt“ zählt jeden Eintrag des Landes einmal.",
    "Stufe × Evidenz": "Was erreicht wurde (Zeilen) und wie gut es belegt ist (Spalten); jeder Eintrag zählt einmal.",
}
"""The tables that are drawn, with what the reader must know."""


def shown(name: str, table: "pd.DataFrame") -> "tuple[str, pd.DataFrame]":
    """Heading and table as people read them: words instead of ids, the sixteen states as rows."""
    first, _, second = name.partition(" × ")
    seen = table.rename(columns=COLUMN_TITLES.get(second, {}))
    if second == "Land":
        return f"Land × {first}", seen.T
    if first == "Stufe":
        seen = seen.set_axis(list(LEVEL_TITLES.values()), axis="index")
    return TITLES.get(name, name), seen


def _table(key: str, name: str, table: "pd.DataFrame") -> str:
    heads = "".join(f'<th scope="col">{escape(str(column))}</th>' for column in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(str(label))}</th>{"".join(f"<td>{count}</td>" for count in row)}</tr>'
        for label, row in zip(table.index, table.to_numpy().tolist(), strict=True)
    )
    return (
        f'<div class="wide"><table id="{key}"><caption>{escape(name)}</caption>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _figure(title: str, drawing: str, caption: str, key: str) -> str:
    return (
        f"<figure><h2>{escape(title)}</h2>{drawing}"
        f'<figcaption>{escape(caption)} <a href="#{key}">Als Tabelle</a></figcaption></figure>'
    )


def _totals(name: str, counted: Coverage) -> list[int]:
    """Entries of each row that is drawn: counted once, however many columns they stand in."""
    table = counted.tables[name]
    rows = {"Handlungsfeld × Wirkung": "Handlungsfeld", "Modul × Land": "Land"}.get(name)
    totals = counted.tables[rows]["Einträge"] if rows else table.sum(axis="columns")
    return [int(total) for total in totals]


def _map(name: str, counted: Coverage, key: str) -> str:
    title, table = shown(name, counted.tables[name])
    drawn = HeatMap(
        key=f"bild-{key}", title=title, text=f"Zahl der Einträge; dieselben Zahlen in der Tabelle „{title}“.",
        rows=[str(row) for row in table.index], columns=[str(column) for column in table.columns],
        counts=table.to_numpy().tolist(), totals=_totals(name, counted),
    )  # fmt: skip
    return _figure(title, heat_map(drawn), MAPS[name], key)


def _years(counted: Coverage, key: str) -> str:
    title, table = shown("Stand", counted.tables["Stand"])
    labels, first = [str(label) for label in table.index], str(counted.year - OLD_AFTER_YEARS)
    drawn = Bars(
        key=f"bild-{key}", title=title, text=f"Zahl der Einträge; dieselben Zahlen in der Tabelle „{title}“.",
        labels=labels, counts=[int(count) for count in table["Einträge"]],
        solid=[label.isdecimal() and label >= first for label in labels],
    )  # fmt: skip
    caption = f"Ausgefüllt: Angaben seit {first}. Umrandet: älter als fünf Jahre oder {NO_YEAR}."
    return _figure(title, bars(drawn), caption, key)


def coverage_page(counted: Coverage, missing: Sequence[str]) -> str:
    """The whole page.

    Args:
        counted: the database.
        missing: the gaps, as `checkup.coverage_gaps.gaps` words them.
    """
    keys = {name: f"tabelle-{number}" for number, name in enumerate(counted.tables, 1)}
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in missing) or "<li>Keine.</li>"
    body = [
        "<h1>Abdeckung der Datenbank</h1>",
        f'<p class="facts">Einträge: {counted.projects}. Gezählt im Jahr {counted.year}. Je dunkler ein Feld, desto '
        "mehr Einträge; weiß mit gestricheltem Rand: keiner.</p>",
        f"<h2>Lücken</h2><ul>{said}</ul>",
        f'<p class="note">{escape(FAILURE)}</p>',
        *(_map(name, counted, keys[name]) for name in MAPS),
        _years(counted, keys["Stand"]),
        '<section class="tables"><h2>Alle Zahlen als Tabellen</h2>',
        *(_table(keys[name], *shown(name, table)) for name, table in counted.tables.items()),
        "</section>",
    ]
    return whole_page("Abdeckung der Datenbank", "".join(body), STYLE)
