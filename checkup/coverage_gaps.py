"""Where the database is thin, in German sentences, and the figures behind them.

Below: `checkup.coverage`. Above: `checkup coverage`, `checkup.coverage_page`.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from checkup.coverage import (
    KINDS,
    NATIONWIDE,
    OLD_AFTER_YEARS,
    OTHER_STATE,
    SMALL_SIZES,
    STRONG,
    UNASSIGNED,
    Coverage,
)

if TYPE_CHECKING:
    import pandas as pd

LEAST_OF_KIND, LEAST_OF_STATE, LEAST_STRONG, LEAST_IN_CELL = 35, 10, 10, 3
"""Entries that each module and field, each state, the strong ones of a field, and a module in a state should have."""
LEAST_SMALL_PERCENT = 33
PLURALS = {"Modul": "Module", "Handlungsfeld": "Handlungsfelder"}
NOT_MEANT = (NATIONWIDE, OTHER_STATE, UNASSIGNED)
"""Rows that are no gap where they are thin."""


def figures(counted: Coverage) -> dict[str, int]:
    """Counts over all projects that no table holds."""
    size = counted.entries["Größe"]
    small = int(size.isin(SMALL_SIZES).sum())
    return {
        "small_places": small,
        "places_of_known_size": small + int((size == "grossstadt").sum()),
        "older_than_five_years": int(counted.old.sum()),
        "without_year": int(counted.entries["Stand"].isna().sum()),
        "failures": int(counted.entries["Fehlschlag"].sum()),
    }


def gaps(counted: Coverage) -> list[str]:
    """One sentence for each kind of gap that there is, the broadest first."""
    if not counted.projects:
        return ["Die Datenbank enthält noch kein Projekt. checkup seed lädt die mitgelieferten."]
    sentences = [*_thin(counted), *_unassigned(counted), *_weak(counted), *_cells(counted)]
    told = figures(counted)
    return [*sentences, *_small(told), *_age(counted, told)]


def _below(table: "pd.DataFrame", column: str, least: int) -> list[tuple[str, int]]:
    """Name and count of each row that stays below, in the table's order."""
    rows = zip(table.index, table[column], strict=True)
    return [(name, int(count)) for name, count in rows if count < least and name not in NOT_MEANT]


def _names(rows: Iterable[tuple[str, int]]) -> str:
    return ", ".join(name for name, _ in rows)


def _with_counts(rows: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in rows)


def _thin(counted: Coverage) -> Iterator[str]:
    for kind in KINDS:
        if thin := _below(counted.tables[kind], "Einträge", LEAST_OF_KIND):
            yield f"{PLURALS[kind]} mit weniger als {LEAST_OF_KIND} Einträgen: {_with_counts(thin)}."
    if thin := _below(counted.tables["Land"], "Einträge", LEAST_OF_STATE):
        yield f"Länder mit weniger als {LEAST_OF_STATE} Einträgen: {_with_counts(thin)}."


def _unassigned(counted: Coverage) -> Iterator[str]:
    for kind in KINDS:
        table = counted.tables[kind]
        if UNASSIGNED in table.index:
            yield f"Einträge ohne {kind}: {table['Einträge'].iloc[-1]}."


def _weak(counted: Coverage) -> Iterator[str]:
    fields = counted.tables["Handlungsfeld"]
    thin = _below(fields, STRONG, LEAST_STRONG)
    if none := [row for row in thin if not row[1]]:
        yield f"Handlungsfelder ohne einen Eintrag mit hoher oder nachgewiesener Wirkung: {_names(none)}."
    if few := [row for row in thin if row[1]]:
        yield (
            f"Handlungsfelder mit weniger als {LEAST_STRONG} Einträgen mit hoher oder nachgewiesener Wirkung: "
            f"{_with_counts(few)}."
        )
    if without := _below(fields, "Fehlschläge", 1):
        yield f"Handlungsfelder ohne einen Eintrag, der einen Fehlschlag berichtet: {_names(without)}."


def _cells(counted: Coverage) -> Iterator[str]:
    for name, row in counted.tables["Modul × Land"].iterrows():
        if name != UNASSIGNED and (states := _below(row.to_frame("Einträge"), "Einträge", LEAST_IN_CELL)):
            yield f"Modul {name}: weniger als {LEAST_IN_CELL} Einträge in {_with_counts(states)}."


def _small(told: dict[str, int]) -> Iterator[str]:
    known = told["places_of_known_size"]
    if not known:
        yield (
            "Wie viele Einträge aus Orten unter 100.000 Einwohnern kommen, ist nicht bekannt: "
            "Bei keinem steht die Größe des Ortes."
        )
    elif told["small_places"] * 100 < LEAST_SMALL_PERCENT * known:
        yield (
            f"Aus Orten unter 100.000 Einwohnern kommen nur {share(told['small_places'], known)} "
            "mit bekannter Größe des Ortes; ein Drittel sollte es sein."
        )


def _age(counted: Coverage, told: dict[str, int]) -> Iterator[str]:
    if old := told["older_than_five_years"]:
        before = counted.year - OLD_AFTER_YEARS
        yield f"Bei {share(old, counted.projects)} sind die Angaben älter als fünf Jahre (vor {before})."
    if unknown := told["without_year"]:
        yield f"Bei {share(unknown, counted.projects)} ist nicht bekannt, aus welchem Jahr die Angaben sind."


def share(part: int, whole: int) -> str:
    """E.g. `30 von 60 Einträgen (50 %)`; 0 % and 100 % only where none and all are meant."""
    percent = round(100 * part / whole)
    percent = min(max(percent, 1), 99) if 0 < part < whole else percent
    return f"{part} von {whole} {'Einträgen' if whole > 1 else 'Eintrag'} ({percent} %)"
