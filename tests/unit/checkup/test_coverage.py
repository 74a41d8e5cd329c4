import csv
import io
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from checkup.coverage import NATIONWIDE, NO_YEAR, OTHER_STATE, UNASSIGNED, cells, coverage, fact_year, long_csv
from checkup.coverage_gaps import figures, gaps, share
from checkup.coverage_page import MAPS, coverage_page, shown
from checkup.drawing import LIGHT_TEXT_FROM, HeatMap, heat_map
from data.records import STATES, Card, Project
from data.vocabulary import load_vocabulary

YEAR = 2026
HOSTILE = """</title><script>alert("1")</script>'&<b>"""


@pytest.fixture(scope="module")
def vocabulary():
    return load_vocabulary(None)


def card(number, fields=("wohnen",), **given):
    values = {"action_fields": list(fields), "level": 0, "evidence_grade": "0", "tier": "open"}
    own = {key: given.pop(key) for key in ("title", "municipality", "state", "start_year", "end_year") if key in given}
    extra = {"facts_year": given.pop("facts_year")} if "facts_year" in given else {}
    project = Project(id=f"p{number}", text="Text", extra=extra, **own)
    return Card(project=project, document_id="d", text_kind="summary", values={**values, **given}, passages=())


CARDS = [
    card(1, state="Hessen", level=6, evidence_grade="3", tier="proven", facts_year=2024, title="Wohnlotsen"),
    card(2, ("wohnen", "arbeit"), state="Hessen", level=2, evidence_grade="1", tier="promising", end_year=2019),
    card(3, ("arbeit",), state="Bayern", evidence_grade="X", start_year=2015),
    card(4, ("sprache",), lessons=["failure"], continuation={"status": "ended", "as_of": "2010-05"}),
    card(5, (), state="Hesse", facts_year=2011),
]  # fmt: skip


@pytest.fixture(scope="module")
def counted(vocabulary):
    return coverage(CARDS, vocabulary, year=YEAR)


class Page(HTMLParser):
    """The tables by id, and the texts and ids of each drawing."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.tables, self.drawings, self.ids, self.links = set(), {}, [], [], []
        self._inside, self._rows = [], None
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        self._inside.append(tag)
        if tag == "table":
            self._rows = self.tables[given["id"]] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        elif tag == "svg":
            self.drawings.append([])

    def handle_endtag(self, tag):
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data):
        if {"td", "th"} & set(self._inside):
            self._rows[-1][-1] += data
        elif "svg" in self._inside and self._inside[-1] == "text":
            self.drawings[-1].append(data)


def test_a_project_counts_once_in_each_module_and_field(counted):
    fields = counted.tables["Handlungsfeld × Land"]
    assert fields.loc["Wohnen & Quartier", "Hessen"] == 2
    assert fields.loc["Ausbildung, Arbeit & Qualifizierung"].sum() == 2
    assert counted.tables["Stufe × Evidenz"].to_numpy().sum() == counted.projects == 5
    assert counted.tables["Handlungsfeld"].loc["Wohnen & Quartier"].tolist() == [2, 1, 0, 1]
    assert counted.tables["Land"]["Einträge"].sum() == 5


def test_what_fits_no_row_or_column_is_counted_apart_and_not_dropped(counted):
    assert counted.tables["Modul × Land"].loc[UNASSIGNED, OTHER_STATE] == 1
    assert counted.tables["Modul × Land"][NATIONWIDE].sum() == 1
    for name in ("Modul × Land", "Modul × Stufe", "Modul × Evidenz", "Modul × Wirkung"):
        assert counted.tables[name].to_numpy().sum() == (counted.long["Art"] == "Modul").sum()


def test_the_year_of_the_facts_is_stated_or_known_and_never_guessed_from_a_beginning():
    assert fact_year(card(1, facts_year=2018, end_year=2022), YEAR) == 2018
    assert fact_year(card(1, continuation={"as_of": "2020-03"}, end_year=2022), YEAR) == 2020
    assert fact_year(card(1, end_year=2022), YEAR) == 2022
    assert fact_year(card(1, continuation={"as_of": None}, start_year=2015), YEAR) is None
    assert fact_year(card(1, end_year=YEAR + 1), YEAR) is None


def test_old_means_more_than_five_years(vocabulary):
    ages = coverage([card(n, facts_year=year) for n, year in enumerate((2020, 2021, 2026))], vocabulary, year=YEAR)
    assert figures(ages)["older_than_five_years"] == 1
    assert ages.tables["Stand"]["Einträge"][["vor 2012", "2020", "2021", NO_YEAR]].tolist() == [0, 1, 1, 0]


def test_gaps_are_named_in_sentences(counted):
    said = "\n".join(gaps(counted))
    assert "Module mit weniger als 35 Einträgen: Koordination (0), Sprache & Bildung (1), " in said
    assert "Länder mit weniger als 10 Einträgen: Baden-Württemberg (0), Bayern (1)" in said
    strong = re.search(r"ohne einen Eintrag mit hoher oder nachgewiesener Wirkung: (.*)\.", said)[1]
    assert "Gesundheit" in strong
    assert "Wohnen" not in strong
    failed = re.search(r"der einen Fehlschlag berichtet: (.*)\.", said)[1]
    assert "Wohnen" in failed
    assert "Sprache" not in failed
    assert "Arbeit" not in failed
    assert "Einträge ohne Modul: 1." in said
    assert "nicht bekannt: Bei keinem steht die Größe" in said
    assert "Bei 3 von 5 Einträgen (60 %) sind die Angaben älter als fünf Jahre (vor 2021)." in said
    assert "Bei 1 von 5 Einträgen (20 %) ist nicht bekannt, aus welchem Jahr" in said
    assert NATIONWIDE not in said


def test_small_places_are_a_gap_only_where_they_are_few(vocabulary):
    sizes = ["grossstadt"] * 3 + ["kleinstadt"]
    cards = [card(n, places=[{"name": "A", "size": size}]) for n, size in enumerate([*sizes, "kreis"])]
    few = coverage(cards, vocabulary, year=YEAR)
    assert (figures(few)["small_places"], figures(few)["places_of_known_size"]) == (1, 4)
    assert "unter 100.000 Einwohnern kommen nur 1 von 4 Einträgen (25 %)" in "\n".join(gaps(few))
    assert "100.000" not in "\n".join(gaps(coverage(cards[2:], vocabulary, year=YEAR)))


def test_a_full_database_has_no_gap(vocabulary):
    cards = [
        card(n, list(vocabulary.fields), state=STATES[n % 16], tier="high", lessons=["failure"], facts_year=2025,
             approaches=[one.id for one in vocabulary.approaches.values()], places=[{"size": "kleinstadt"}])
        for n in range(160)
    ]  # fmt: skip
    full = coverage(cards, vocabulary, year=YEAR)
    assert gaps(full) == []
    assert "<li>Keine.</li>" in coverage_page(full, [])


def test_shares_are_not_rounded_to_none_or_all():
    assert share(1, 1000) == "1 von 1000 Einträgen (1 %)"
    assert share(999, 1000) == "999 von 1000 Einträgen (99 %)"
    assert share(1, 1) == "1 von 1 Eintrag (100 %)"


def test_the_numbers_of_the_page_are_those_of_the_tables(counted):
    page = Page(coverage_page(counted, gaps(counted)))
    assert len(page.tables) == len(counted.tables)
    for number, (name, table) in enumerate(counted.tables.items(), 1):
        _, seen = shown(name, table)
        head, *rows = page.tables[f"tabelle-{number}"]
        assert head == ["", *map(str, seen.columns)]
        assert rows == [[str(label), *map(str, row)] for label, row in zip(seen.index, seen.to_numpy(), strict=True)]
    for name, texts in zip(MAPS, page.drawings, strict=False):
        _, seen = shown(name, counted.tables[name])
        numbers = [int(text) for text in texts if text.isdecimal()]
        width = len(seen.columns) + 1  # the total stands behind
        drawn = [numbers[at : at + width - 1] for at in range(len(numbers) - width * len(seen), len(numbers), width)]
        assert drawn == seen.to_numpy().tolist()
    years = counted.tables["Stand"]["Einträge"].tolist()
    texts = [text for text in page.drawings[-1] if not text.startswith(("20", "vor", "ohne", "Jahr"))]
    assert [int(text) for text in texts] == years


def test_the_total_of_a_state_counts_a_project_of_two_modules_once(vocabulary):
    page = Page(coverage_page(coverage([CARDS[1]], vocabulary, year=YEAR), []))
    at = page.drawings[1].index("Hessen")
    assert page.drawings[1][at + 8] == "1"


def test_the_page_stands_alone_and_every_drawing_has_words(counted):
    content = coverage_page(counted, gaps(counted))
    page = Page(content)
    assert not page.tags & {"script", "link", "iframe", "img", "object", "image", "use", "foreignobject"}
    assert not re.search(r"@import|\burl\(|\bsrc=|\bon\w+=|https?:", content, re.IGNORECASE)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    named = re.findall(r'aria-labelledby="(\S+) (\S+)"', content)
    assert len(named) == len(page.drawings) == 4
    assert {name for pair in named for name in pair} <= set(page.ids)


def test_hostile_titles_are_text(vocabulary, tmp_path):
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    title = HOSTILE.replace("'", "''")
    (folder / "modules.yaml").write_text(f"- id: wohnen\n  title: '{title}'\n", "utf-8")
    renamed = coverage([card(1, title=f"={HOSTILE}", state=HOSTILE)], load_vocabulary(tmp_path), year=YEAR)
    page = Page(coverage_page(renamed, gaps(renamed)))
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert page.tables["tabelle-1"][0].count(HOSTILE) == 1
    assert renamed.tables["Modul"].loc[HOSTILE, "Einträge"] == 1


def test_an_empty_workspace(vocabulary):
    empty = coverage([], vocabulary, year=YEAR)
    assert gaps(empty) == ["Die Datenbank enthält noch kein Projekt. checkup seed lädt die mitgelieferten."]
    assert {int(table.to_numpy().sum()) for table in empty.tables.values()} == {0}
    assert cells(empty) == []
    assert len(Page(coverage_page(empty, gaps(empty))).drawings) == 4
    assert len(pd.read_csv(io.StringIO(long_csv(empty)))) == 0


def test_the_long_table_read_again_gives_the_same_tables(counted):
    again = pd.read_csv(io.StringIO(long_csv(counted)), dtype=str, keep_default_na=False)
    for column in ("Land", "Stufe", "Evidenz", "Wirkung"):
        for kind in ("Modul", "Handlungsfeld"):
            rows = again[again["Art"] == kind]
            told = pd.crosstab(rows["Name"], rows[column]).stack()
            table = counted.tables[f"{kind} × {column}"].rename(columns=str).stack()
            assert told[told > 0].sort_index().to_dict() == table[table > 0].sort_index().to_dict()
    assert again["Stand"].tolist().count("2024") == 2
    assert again.set_index("Projekt")["Fehlschlag"].to_dict() == {
        "p1": "False", "p2": "False", "p3": "True", "p4": "True", "p5": "False",
    }  # fmt: skip


def test_the_long_table_holds_no_formula_and_keeps_its_lines(vocabulary):
    text = long_csv(coverage([card(1, title='=1+1;"a"\r\nb', municipality="@SUM(A1)")], vocabulary, year=YEAR))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 3
    assert {row[4] for row in rows[1:]} == {'\'=1+1;"a"\r\nb'}
    assert {row[5] for row in rows[1:]} == {"'@SUM(A1)"}


def test_cells_add_up_to_the_long_table(counted):
    told = cells(counted)
    assert sum(cell["Einträge"] for cell in told) == len(counted.long)
    assert {"Kennung": "wohnen", "Land": "Hessen", "Stufe": 6, "Evidenz": "3", "Wirkung": "proven", "Einträge": 1} in [
        {key: value for key, value in cell.items() if key not in ("Art", "Name")} for cell in told
    ]


def _luminance(colour):
    digits = colour * 2 if len(colour) == 3 else colour
    linear = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in linear]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_cells_grow_darker_in_grey_and_their_numbers_stay_readable():
    counts = [0, 1, 3, 10, 30, round(100 * LIGHT_TEXT_FROM**2) - 1, round(100 * LIGHT_TEXT_FROM**2) + 1, 70, 100]
    drawn = heat_map(
        HeatMap(key="k", title="t", text="x", rows=["r"], columns=["c"] * 9, counts=[counts], totals=[sum(counts)])
    )
    boxes = re.findall(r'<rect [^>]*fill="#(\w+)" [^>]*/><text [^>]*fill="#(\w+)">', drawn)
    fills = [_luminance(fill) for fill, _ in boxes]
    assert fills == sorted(fills, reverse=True)
    assert len(set(fills)) == len(counts)
    for fill, (_, ink) in zip(fills, boxes, strict=True):
        bright, dark = sorted((fill, _luminance(ink)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) > 4.3
    assert drawn.count("stroke-dasharray") == 1
