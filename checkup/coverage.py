"""What the database covers, as tables (pandas): modules and fields against states, result level, evidence and tier.

Below: pandas, `data.vocabulary`. Above: `checkup.coverage_gaps` (words), `checkup.coverage_page`, `checkup coverage`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.impact import EVIDENCE_GRADES, HIGH, TIERS
from data.records import STATES, Card
from data.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("Modul", "Handlungsfeld")
NATIONWIDE = "bundesweit/ohne Land"
OTHER_STATE = "andere Angabe"
"""Where an imported project names something else than one of the sixteen states."""
UNASSIGNED = "ohne Zuordnung"
LEVELS = tuple(range(8))
OLD_AFTER_YEARS = 5
YEARS_SHOWN = 15
"""So many years stand one by one, the present one last; those before are counted together."""
NO_YEAR = "ohne Jahr"
STRONG = "hohe oder nachgewiesene Wirkung"
SMALL_SIZES = ("landgemeinde", "kleinstadt", "mittelstadt")
"""Size classes under 100,000 inhabitants (BBSR); a `kreis` is not one place and counts as not known."""
COLUMNS = (
    "Projekt", "Titel", "Gemeinde", "Größe", "Land", "Stufe", "Evidenz", "Wirkung", "Stand", "Fehlschlag",
)  # fmt: skip
TYPES = {"Stufe": "int64", "Stand": "Int64", "Fehlschlag": "bool"}
"""Of the columns that are no text."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The database as counted.

    `entries` has one row a project, `long` one for each of its modules and fields (`Art`, `Kennung`, `Name` in front),
    both with COLUMNS. In `tables`, rows and columns without projects are kept; a project counts once in each cell.
    """

    year: int
    """The year that ages are counted from."""
    entries: "pd.DataFrame"
    long: "pd.DataFrame"
    tables: "Mapping[str, pd.DataFrame]"

    @property
    def projects(self) -> int:
        """How many there are."""
        return len(self.entries)

    @property
    def old(self) -> "pd.Series[bool]":
        """Which entries rest on facts from more than OLD_AFTER_YEARS years ago."""
        return is_old(self.entries, self.year)


def is_old(frame: "pd.DataFrame", year: int) -> "pd.Series[bool]":
    """True where the year is known and too long ago."""
    return (frame["Stand"] < year - OLD_AFTER_YEARS).fillna(False).astype(bool)


def fact_year(card: Card, year: int) -> int | None:
    """The year a project's facts are from: as stated, else when its continuation was true, else its end.

    None where nothing of this is known or lies in the future; a beginning says nothing about the age of the facts.
    """
    as_of = (card.values.get("continuation") or {}).get("as_of")
    told = (card.project.extra.get("facts_year"), str(as_of or "")[:4], card.project.end_year)
    years = [int(text) for text in map(str, told) if text.isdecimal()]
    return years[0] if years and 0 < years[0] <= year else None


def _size(places: Sequence[Mapping[str, Any]]) -> str:
    """The size class of the first place that has one, else nothing."""
    return next((str(place["size"]) for place in places if place.get("size")), "")


def _state(card: Card, places: Sequence[Mapping[str, Any]]) -> str:
    state = card.project.state or next((place["state"] for place in places if place.get("state")), None)
    return NATIONWIDE if not state else state if state in STATES else OTHER_STATE


def _entry(card: Card, year: int) -> dict[str, Any]:
    values = card.values
    places = values.get("places") or []
    grade = str(values.get("evidence_grade", "0"))
    return {
        "Projekt": card.project.id, "Titel": card.project.title or "", "Gemeinde": card.project.municipality or "",
        "Größe": _size(places), "Land": _state(card, places), "Stufe": int(values.get("level", 0)), "Evidenz": grade,
        "Wirkung": values.get("tier", "open"), "Stand": fact_year(card, year),
        "Fehlschlag": grade == "X" or "failure" in values.get("lessons", []),
    }  # fmt: skip


def _titles(vocabulary: Vocabulary) -> dict[str, dict[str, str]]:
    """Kind -> id -> title, in the vocabulary's order."""
    modules = {name: module.title for name, module in vocabulary.modules.items()}
    return dict(zip(KINDS, (modules, {name: field.title for name, field in vocabulary.fields.items()}), strict=True))


def _assigned(card: Card, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """Kind and id of each module and field of a project; an empty id where it has none of a kind."""
    fields = [field for field in card.values.get("action_fields", []) if field in vocabulary.fields]
    modules = vocabulary.modules_of_project(card.values.get("approaches", []), fields)
    for kind, names in zip(KINDS, (modules, fields), strict=True):
        yield from ((kind, name) for name in names or [""])


def coverage(cards: Iterable[Card], vocabulary: Vocabulary, *, year: int) -> Coverage:
    """Count the projects.

    Args:
        cards: every project of the workspace.
        vocabulary: modules and fields with their titles.
        year: the present year.
    """
    import pandas as pd

    titles = _titles(vocabulary)
    entries, rows = [], []
    for card in cards:
        entry = _entry(card, year)
        entries.append(entry)
        for kind, name in _assigned(card, vocabulary):
            rows.append({"Art": kind, "Kennung": name, "Name": titles[kind].get(name, UNASSIGNED), **entry})
    frame = pd.DataFrame(entries, columns=list(COLUMNS)).astype(TYPES)
    long = pd.DataFrame(rows, columns=["Art", "Kennung", "Name", *COLUMNS]).astype(TYPES)
    return Coverage(year, frame, long, _tables(frame, long, titles, year))


def _tables(
    entries: "pd.DataFrame", long: "pd.DataFrame", titles: Mapping[str, Mapping[str, str]], year: int
) -> "dict[str, pd.DataFrame]":
    states = [*STATES, NATIONWIDE, *([OTHER_STATE] if (entries["Land"] == OTHER_STATE).any() else [])]
    columns: dict[str, Sequence[Any]] = {
        "Land": states, "Stufe": LEVELS, "Evidenz": EVIDENCE_GRADES, "Wirkung": TIERS,
    }  # fmt: skip
    tables = {}
    for kind, names in titles.items():
        of_kind = long[long["Art"] == kind]
        rows = {**names, **({"": UNASSIGNED} if (of_kind["Kennung"] == "").any() else {})}
        for column, values in columns.items():
            table = _crossed(of_kind["Kennung"], of_kind[column], list(rows), values)
            tables[f"{kind} × {column}"] = _named(table, list(rows.values()))
        tables[kind] = _named(_summed(of_kind, "Kennung", list(rows), year), list(rows.values()))
    tables["Land"] = _named(_summed(entries, "Land", states, year), states)
    crossed = _crossed(entries["Stufe"], entries["Evidenz"], LEVELS, EVIDENCE_GRADES)
    tables["Stufe × Evidenz"] = _named(crossed, [f"Stufe {level}" for level in LEVELS])
    tables["Stand"] = _per_year(entries, year)
    return tables


def _crossed(
    rows: "pd.Series[Any]", columns: "pd.Series[Any]", names: Sequence[Any], values: Sequence[Any]
) -> "pd.DataFrame":
    import pandas as pd

    return pd.crosstab(rows, columns).reindex(index=list(names), columns=list(values), fill_value=0).astype(int)


def _named(table: "pd.DataFrame", titles: Sequence[str]) -> "pd.DataFrame":
    """Rows under their titles."""
    import pandas as pd

    return table.set_axis(pd.Index(list(titles), name="Name"), axis="index")


def _summed(frame: "pd.DataFrame", by: str, names: Sequence[str], year: int) -> "pd.DataFrame":
    """Entries of each name, and how many of them are strong, failed, or old."""
    import pandas as pd

    marks = pd.DataFrame(
        {
            by: frame[by], "Einträge": 1, STRONG: frame["Wirkung"].isin(HIGH).astype(int),
            "Fehlschläge": frame["Fehlschlag"].astype(int), "ältere Angaben": is_old(frame, year).astype(int),
        }
    )  # fmt: skip
    return marks.groupby(by).sum().reindex(list(names), fill_value=0).astype(int)


def _per_year(entries: "pd.DataFrame", year: int) -> "pd.DataFrame":
    first = year - YEARS_SHOWN + 1
    labels = [f"vor {first}", *(str(one) for one in range(first, year + 1)), NO_YEAR]
    told = entries["Stand"].astype(object).map(lambda one: labels[0] if one < first else str(one), na_action="ignore")
    return _named(told.fillna(NO_YEAR).value_counts().reindex(labels, fill_value=0).to_frame("Einträge"), labels)


def cells(counted: Coverage) -> list[dict[str, Any]]:
    """Every combination of module or field, state, level, evidence and tier that has projects, with their number."""
    by = ["Art", "Kennung", "Name", "Land", "Stufe", "Evidenz", "Wirkung"]
    sizes = counted.long.groupby(by, sort=True).size()
    return [{**dict(zip(by, key, strict=True)), "Einträge": int(count)} for key, count in sizes.items()]  # type: ignore[call-overload]


def long_csv(counted: Coverage) -> str:
    """The long table as CSV (RFC 4180); what a spreadsheet would take for a formula has an apostrophe in front."""
    from data.exchange_tables import marked_text

    table = counted.long.copy()
    for column in table.columns.difference(list(TYPES)):
        table[column] = table[column].map(marked_text)
    return table.to_csv(index=False, lineterminator="\r\n")
