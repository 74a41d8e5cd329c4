"""Lists with every defect met on real ones: each row becomes a record or is named with its reason."""

import io
import json
import re
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.lists import ListReading, read_list
from crawlers.outcome import Refused
from crawlers.source import ListConfig, SourceConfig, parse_source
from crawlers.tables import cell_text, read_table, sniff_delimiter
from crawlers.web import Refusal
from data.records import Fetched

AT = "2026-01-31T08:00:00.000Z"
BASE = """\
name: vorhaben
publisher: Ministerium
homepage: https://amt.example/
licence: DL-DE BY 2.0
kind: list
list:
  url: https://amt.example/liste.csv
  format: csv
  columns:
    organisation: Begünstigter
    title: Vorhaben
    text: [Vorhaben, Zusammenfassung]
    start_date: Beginn
    start_year: Beginn
    end_year: Ende
    cost: Kosten
    postcode: PLZ
    municipality: [Ort, Ortsteil]
    website: Internet
"""


def source_from(tmp_path: Path, text: str = BASE) -> SourceConfig:
    path = tmp_path / "vorhaben.yaml"
    path.write_text(text, encoding="utf-8")
    return parse_source(path)


def read(source: SourceConfig, body: bytes, reading: ListReading | None = None):
    outcomes = list(read_list(body, source, fetched_at=AT, reading=reading))
    return [o for o in outcomes if isinstance(o, Fetched)], [o for o in outcomes if isinstance(o, Refused)]


HEADER = "Begünstigter;Vorhaben;Zusammenfassung;Beginn;Ende;Kosten;PLZ;Ort;Ortsteil;Internet"
ROWS = [
    '"AWO ""Süd"" e. V. ";Sprache im Betrieb;"<p>Deutsch am Arbeitsplatz\nfür 20 <b>Be</b>schäftigte.</p>"'
    ";14.09.2015;13.01.2016;100.715,41;01067;Musterstadt;Ost;.",
    "Diakonie  Hafen;Werkstatt;Lernen und Arbeiten;1441065600;2016-08-31;€ 162859.78;95028;Hafenort;;www.hafen.example",
    "Diakonie  Hafen;Werkstatt;Lernen und Arbeiten;1441065600;2016-08-31;€ 162859.78;95028;Hafenort;;www.hafen.example",
    'Caritas;Begegnung;"Café für alle\r\nim Quartier";März 2017;offen;ca. 500 €;;Bergdorf;;-',
    ";;;;;;;;;",
    "Verein;Kurz",
    "Verein;Zu viel;a;2016;2017;1,00;1;Ort;Teil;x;mehr;noch mehr",
    "Verein;;;2016;2017;1,00;1;Ort;Teil;x",
]


def everything_wrong(line_end: str = "\r\n") -> bytes:
    return ("\ufeff" + HEADER + line_end + line_end.join(ROWS[:4]) + "\n" + "\n".join(ROWS[4:]) + "\n").encode()


def test_a_list_with_every_defect(tmp_path):
    reading = ListReading()
    records, refused = read(source_from(tmp_path), everything_wrong(), reading)
    assert [record.title for record in records] == ["Sprache im Betrieb", "Werkstatt", "Begegnung"]
    first, second, third = records
    assert first.text == "Sprache im Betrieb\nDeutsch am Arbeitsplatz für 20 Beschäftigte."
    assert first.facts == {
        "organisation": 'AWO "Süd" e. V.',
        "start_date": "2015-09-14",
        "start_year": 2015,
        "end_year": 2016,
        "cost": 100715.41,
        "postcode": "01067",
        "municipality": "Musterstadt, Ost",
    }
    assert second.facts["cost"] == pytest.approx(162859.78)
    assert second.facts["start_date"] == "2015-09-01"
    assert second.facts["municipality"] == "Hafenort"
    assert third.text.endswith("Café für alle\nim Quartier")
    assert "end_year" not in third.facts
    assert [(row.line, row.code) for row in refused] == [(4, "duplicate"), (7, "ragged"), (8, "ragged"), (9, "no_text")]
    assert reading.rows == 7
    assert reading.empty_rows == 1
    assert sorted((note.line, note.reason.split(":")[0]) for note in reading.notes) == [(5, "cost"), (5, "end_year")]
    assert len(records) + len(refused) == reading.rows


def test_addresses_stay_when_rows_move(tmp_path):
    source = source_from(tmp_path)
    before, _ = read(source, everything_wrong())
    after, _ = read(source, ("\n".join([HEADER, ROWS[3], ROWS[1], ROWS[0]]) + "\n").encode())
    assert {record.url for record in before} == {record.url for record in after}
    assert all(record.url.startswith("https://amt.example/liste.csv#") for record in before)
    assert len({record.url for record in before}) == 3


def test_two_different_rows_of_one_name_keep_apart(tmp_path):
    rows = "A;Kurs;Teil eins;2016;2017;1,00;1;O;;x\nA;Kurs;Teil zwei;2016;2017;2,00;1;O;;x\n"
    records, refused = read(source_from(tmp_path), f"{HEADER}\n{rows}".encode())
    assert refused == []
    assert records[1].url == records[0].url + "-2"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
def test_encoding_and_delimiter_are_found(tmp_path, encoding, mark):
    names = HEADER.split(";")
    values = ["Träger", "Größe", "Übergang in Ausbildung", "2016", "2017", "", "1", "Köln", "", ""]
    body = "\r\n".join(mark.join(line) for line in (names, values)).encode(encoding)
    records, _ = read(source_from(tmp_path), body)
    assert records[0].text == "Größe\nÜbergang in Ausbildung"


def test_the_delimiter_inside_quotes_does_not_count():
    assert sniff_delimiter('"a;b;c;d",x,"e;f"\n') == ","


def test_rows_that_are_not_wanted_are_named(tmp_path):
    source = source_from(tmp_path, BASE + "  only: {text: '(?i)integration|migra'}\n")
    rows = "A;Coaching;Firma;2016;2017;1;1;O;;x\nB;Start;Integration von Frauen;2016;2017;1;1;O;;x\n"
    records, refused = read(source, f"{HEADER}\n{rows}".encode())
    assert [record.title for record in records] == ["Start"]
    assert refused[0].code == "not_selected"
    assert refused[0].line == 2


def test_constants_lookups_and_required_fields(tmp_path):
    extra = """fields:
  state: {const: Bayern}
  organisation: {required: true, regex: '^(.*?)(?: gGmbH)?$'}
  municipality: {lookup: {muenchen: München}}
"""
    rows = "Träger gGmbH;A;Text;2016;2017;1;1;Muenchen;;x\n;B;Text;2016;2017;1;1;Ulm;;x\n"
    records, refused = read(source_from(tmp_path, BASE + extra), f"{HEADER}\n{rows}".encode())
    assert records[0].facts["state"] == "Bayern"
    assert records[0].facts["organisation"] == "Träger"
    assert records[0].facts["municipality"] == "München"
    assert refused[0].code == "required"


def test_a_preamble_before_the_header_and_columns_by_number(tmp_path):
    text = BASE.replace("  columns:", "  header_row: 3\n  columns:").replace("Begünstigter\n", "1\n")
    body = f"Liste der Vorhaben\nStand: 2016\n{HEADER}\n{ROWS[1]}\n".encode()
    records, _ = read(source_from(tmp_path, text), body)
    assert records[0].facts["organisation"] == "Diakonie Hafen"
    bare = """\
name: zahlen
publisher: Stadt
homepage: https://s.example/
licence: unbekannt
kind: list
list:
  file: x.csv
  format: csv
  delimiter: "\\t"
  header_row: 0
  columns: {id: 1, organisation: 2, text: 4, start_year: 3, cost: 5}
  decimal: "."
  date_formats: ['%m/%d/%Y']
"""
    row = '77\tVerein (e.V.)\t12/31/2012\t"das Projekt ""MoKi"""\t75,453.00\n'
    records, _ = read(source_from(tmp_path, bare), (row + row.replace("77", "78")).encode())
    assert records[0].url == "https://s.example/#77"
    assert records[0].text == 'das Projekt "MoKi"'
    assert records[0].facts == {"organisation": "Verein (e.V.)", "start_year": 2012, "cost": 75453.0}
    assert len(records) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("Kosten\n", "Gesamtkosten\n"), "„Gesamtkosten“ gibt es nicht"),
        (("cost: Kosten", "cost: 99"), "Spalte 99"),
        (("format: csv", "format: csv\n  header_row: 900"), "keine Zeile 900"),
        (("format: csv", "format: json"), "JSON"),
        (("format: csv", "format: xlsx"), "Excel-Datei"),
    ],
)
def test_a_list_that_is_not_as_described_says_so(tmp_path, change, words):
    with pytest.raises(Refusal) as caught:
        read(source_from(tmp_path, BASE.replace(*change)), everything_wrong())
    assert words in caught.value.reason


def test_a_column_name_that_stands_twice_is_no_guess(tmp_path):
    with pytest.raises(Refusal) as caught:
        read(source_from(tmp_path), (HEADER.replace("PLZ", "Kosten") + "\n" + ROWS[1]).encode())
    assert "mehrere Spalten (6, 7)" in caught.value.reason


def test_an_unclosed_quotation_mark_does_not_lose_rows_silently(tmp_path):
    body = f'{HEADER}\n{ROWS[1]}\n"offen;B;C;2016;2017;1;1;O;;x\nD;E;F;2016;2017;1;1;O;;x\n'.encode()
    outcomes = read_list(body, source_from(tmp_path), fetched_at=AT)
    assert isinstance(next(outcomes), Fetched)
    with pytest.raises(Refusal) as caught:
        list(outcomes)
    assert caught.value.code == "quotes"
    assert "Nach Zeile 2" in caught.value.reason


def test_texts_that_were_cut_are_noticed(tmp_path):
    rows = "\n".join(f"T{n};V{n};{'Wort ' * 99 + str(n)[-1] * 5};2016;2017;1;1;O;;x" for n in range(10, 40))
    reading = ListReading()
    read(source_from(tmp_path), f"{HEADER}\n{rows}".encode(), reading)
    assert reading.cut_at() == 500 + len("V10\n")


def workbook(rows, sheet: str = "Tabelle1") -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook(tmp_path):
    from datetime import datetime

    text = BASE.replace("format: csv", 'format: xlsx\n  sheet: Vorhaben\n  header_row: 2\n  decimal: ","')
    rows = [
        ["Liste der Vorhaben"],
        HEADER.split(";"),
        ["Träger", "Titel", "Text\nzwei Zeilen", datetime(2016, 3, 1), 42460, 100715.41, 1067, "Ort", None, None],
        [None] * 10,
        ["Träger", "Zwei", "Text", "01.03.2016", "2017", "9.000,00", "01067", "Ort", None, None],
    ]
    records, refused = read(source_from(tmp_path, text), workbook(rows, "Vorhaben"))
    assert refused == []
    assert records[0].facts["cost"] == pytest.approx(100715.41)
    assert records[0].facts["start_date"] == "2016-03-01"
    assert records[0].facts["end_year"] == 2016
    assert records[1].facts["cost"] == pytest.approx(9000.0)
    assert records[0].text == "Titel\nText\nzwei Zeilen"


def test_a_workbook_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("crawlers.documents.MAX_UNZIPPED_BYTES", 1_000_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 1_100_000)
    with pytest.raises(Refusal) as caught:
        read(source_from(tmp_path, BASE.replace("format: csv", "format: xlsx")), out.getvalue())
    assert caught.value.code == "bomb"


def test_json_rows_at_a_path(tmp_path):
    text = """\
name: j
publisher: Stadt
homepage: https://s.example/
licence: CC BY 4.0
kind: list
list:
  url: https://s.example/api
  format: json
  path: result.records
  columns: {id: nr, title: titel, text: inhalt.text, cost: betrag, start_year: jahr, groups: gruppen}
"""
    rows = [
        {"nr": 1, "titel": "A", "inhalt": {"text": "<p>Eins</p>"}, "betrag": 12.5, "jahr": 2016, "gruppen": ["a", "b"]},
        {"nr": 2, "titel": "B", "inhalt": None, "betrag": None},
        "kein Objekt",
    ]
    body = json.dumps({"result": {"records": rows}}).encode()
    records, refused = read(source_from(tmp_path, text), body)
    assert records[0].url == "https://s.example/api#1"
    assert records[0].text == "Eins"
    assert records[0].facts == {"cost": 12.5, "start_year": 2016, "groups": "a; b"}
    assert [row.line for row in refused] == [2]
    for broken in (b"[" * 100_000, b"{", b"{}", b'{"result": {"records": 5}}'):
        with pytest.raises(Refusal):
            read(source_from(tmp_path, text), broken)


def test_cells_in_the_lists_own_notation():
    assert cell_text(9000.0, ",") == "9000"
    assert cell_text(1.5, ",") == "1,5"
    assert cell_text(float("nan"), None) == ""
    assert cell_text(True, None) == "ja"


THREE = """\
name: p
publisher: S
homepage: https://s.example/
licence: x
kind: list
list: {file: x.csv, format: csv, delimiter: ";", columns: {title: A, text: B, organisation: C}}
"""


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"Die Brücke" e. V.', "Die Brücke e. V."),
        ('Verein "Die Brücke"', 'Verein "Die Brücke"'),
        ('"Haus ""Brücke"" am" Markt', 'Haus "Brücke" am Markt'),
        ('"Das "Haus" am Markt"', 'Das Haus" am Markt"'),
        ('"Haus;\nam Markt" e. V.', "Haus; am Markt e. V."),
        ('"' + "x" * 200_000 + '"', "x" * 200_000),
    ],
)
def test_a_row_with_a_quotation_mark_in_an_odd_place_is_a_record(tmp_path, cell, value):
    body = f'A;B;C\neins;"Text;\nmehr;;";x\nzwei;Text;{cell}\ndrei;Text\n'
    records, refused = read(source_from(tmp_path, THREE), body.encode())
    assert [record.title for record in records] == ["eins", "zwei"]
    assert records[1].facts["organisation"] == value
    assert [(row.line, row.code) for row in refused] == [(4, "ragged")]


@pytest.mark.parametrize(
    "below",
    ['eins;Text;1\n"zwei";Text;2', 'eins;Text;1\n"zwei" x;"Text\nmehr";2', 'eins;Text;1\nzwei;Text";2'],
)
def test_a_row_whose_quotation_mark_is_not_closed_swallows_no_other(tmp_path, below):
    body = f'A;B;C\n"offen;Text;0\n{below}\ndrei;;;mehr\nvier;Text;4\n'
    records, refused = read(source_from(tmp_path, THREE), body.encode())
    rows = below.count("Text")
    assert [record.title for record in records][-1] == "vier"
    assert len(records) == rows + 1
    assert [(row.line, row.code) for row in refused] == [(2, "ragged"), (rows + 3, "ragged")]


def test_rows_that_quotation_marks_join_again_and_again_end_as_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("crawlers.tables.MAX_CHARS_AGAIN", 5_000_000)
    body = "A;B\n" + "".join(f'x{number}";"\n' for number in range(100_000)) + 'y";z\n'
    with pytest.raises(Refusal) as caught:
        read(source_from(tmp_path, THREE.replace(", organisation: C", "")), body.encode())
    assert caught.value.code == "quotes"
    assert "verbinden" in caught.value.reason


def test_a_cell_of_broken_tags_ends(tmp_path):
    body = f"A;B;C\neins;{'<p' * 300_000};x\n"
    started = time.process_time()
    ((record,), _) = read(source_from(tmp_path, THREE), body.encode())
    assert record.text == "<p" * 300_000
    assert time.process_time() - started < 10


TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=12)
PLAIN = st.text(alphabet=st.characters(codec="utf-8", exclude_characters='\r\n\x00";'), max_size=12)
CELL = st.one_of(
    TEXT.map(lambda text: '"' + text.replace('"', '""') + '"'),
    st.tuples(PLAIN, PLAIN).map(lambda parts: '"{}" {}'.format(*parts)),
    st.tuples(PLAIN, PLAIN).map(lambda parts: 'x{} "{}"'.format(*parts)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=6))
def test_every_row_is_accounted_for(tmp_path_factory, rows):
    source = source_from(tmp_path_factory.mktemp("p"), THREE)
    body = "\r\n".join(["A;B;C", *(";".join(row) for row in rows)])
    reading = ListReading()
    records, refused = read(source, body.encode(), reading)
    assert len(records) + len(refused) + reading.empty_rows == len(rows)
    assert len({record.url for record in records}) == len(records)
    assert all(row.line in range(2, len(rows) + 2) for row in refused)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab;"\r\n', max_size=60))
def test_every_line_of_a_file_is_part_of_one_row(text):
    config = ListConfig(format="csv", columns={"title": (1,)}, delimiter=";", header_row=0)
    rows: list[tuple[int, str]] = []
    code = None
    try:
        rows.extend(
            (number, "|".join(cell or "" for cell in cells)) for number, cells in read_table(text.encode(), config).rows
        )
    except Refusal as refusal:
        code = refusal.code
    lines = re.split("\r\n|\r|\n", text.rstrip("\r\n"))
    seen = sum(len(re.split("\r\n|\r|\n", row)) for _, row in rows)
    assert [number for number, _ in rows] == list(range(1, len(rows) + 1))
    if code is None:
        assert seen == len(lines)
    else:
        assert seen < len(lines) or lines == [""]
        assert code == ("list" if lines == [""] else "quotes")
