"""What the database covers, as tables (pandas): modules and fields against states, result level, evidence and tier.

Below: pandas, `data.vocabulary`. Above: `checkup coverage`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data.impact import EVIDENCE_GRADES, TIERS
from data.records import STATES
from data.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

THIN = 3
"""A cell of module × state with fewer projects than this is named as a gap."""
NATIONWIDE = "bundesweit/ohne Land"


def _rows(cards: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> Iterator[dict[str, Any]]:
    for card in cards:
        values = card["values"]
        fields = values.get("action_fields", [])
        common = {
            "Land": card["state"] or NATIONWIDE,
            "Stufe": values.get("level", 0),
            "Evidenz": values.get("evidence_grade", "0"),
            "Wirkung": values.get("tier", "open"),
        }
        for module in vocabulary.modules_of_project(values.get("approaches", []), fields):
            yield {**common, "Art": "Modul", "Name": vocabulary.modules[module].title}
        for field in fields:
            yield {**common, "Art": "Handlungsfeld", "Name": vocabulary.fields[field].title}


def coverage_tables(cards: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> "dict[str, pd.DataFrame]":
    """Counts of projects; a project counts once in each of its modules and fields. Rows of zeros are kept."""
    import pandas as pd

    names = {
        "Modul": [module.title for module in vocabulary.modules.values()],
        "Handlungsfeld": [field.title for field in vocabulary.fields.values()],
    }
    columns: dict[str, list[Any]] = {
        "Land": [*STATES, NATIONWIDE],
        "Stufe": list(range(8)),
        "Evidenz": list(EVIDENCE_GRADES),
        "Wirkung": list(TIERS),
    }
    frame = pd.DataFrame(_rows(cards, vocabulary), columns=["Art", "Name", *columns])
    tables = {}
    for kind, rows in names.items():
        of_kind = frame[frame["Art"] == kind]
        for column, values in columns.items():
            table = pd.crosstab(of_kind["Name"], of_kind[column])
            tables[f"{kind} × {column}"] = table.reindex(index=rows, columns=values, fill_value=0)
    return tables


def gaps(tables: "Mapping[str, pd.DataFrame]") -> list[str]:
    """Cells that are thin, in words: modules that a state lacks, fields without projects of tier high or proven."""
    found = []
    for name, row in tables["Modul × Land"].iterrows():
        thin = [str(state) for state, count in row.items() if count < THIN and state != NATIONWIDE]
        if thin:
            found.append(f"{name}: unter {THIN} Projekten in {', '.join(thin)}")
    for name, row in tables["Handlungsfeld × Wirkung"].iterrows():
        strong = int(row["high"] + row["proven"])
        if strong < 10:
            found.append(f"{name}: nur {strong} Projekte mit Wirkung high oder proven")
    return found
