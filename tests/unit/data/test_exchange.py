import csv
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import exchange_tables
from data.errors import CheckupError, UsageError
from data.exchange import FORMATS, Format, ReadResult, read_projects, write_projects
from data.records import PROJECT_KEYS, Project

ONE = Project(id="a", title="Sprachcafé", text="Deutsch lernen.", start_year=2019)


def read(content: str | bytes, format: Format | None = None) -> ReadResult:  # noqa: A002
    return read_projects(io.BytesIO(content.encode("utf-8") if isinstance(content, str) else content), format)


def written(projects: Sequence[Project], format: Format) -> bytes:  # noqa: A002
    stream = io.BytesIO()
    result = write_projects(projects, stream, format)
    assert result.rejected == ()
    assert result.written == len(projects)
    return stream.getvalue()


def cells(content: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).active.values)


def reasons(result: ReadResult) -> dict[int, str]:
    return {item.line: item.reason for item in result.rejected if item.line is not None}


# --- identity --------------------------------------------------------------------------------------------------------

CHARACTERS = st.one_of(
    st.sampled_from([*"aäß=+-@'\"`,;\t\r\n _x000D_😀\u2028\u0308أ\ufeff:{[", "json:", "#N/A", "NA", "007", "5,5"]),
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
)
TEXTS = st.lists(CHARACTERS, max_size=12).map("".join)
FULL_TEXTS = TEXTS.filter(lambda text: bool(text.strip()))
YEARS = st.none() | st.integers(1800, 2200)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
KEYS = (TEXTS | st.sampled_from(["kosten", "json:x", "Title", "", " id "])).filter(lambda key: key not in PROJECT_KEYS)


@st.composite
def projects(draw: st.DrawFn) -> Project:
    values: dict[str, Any] = {"id": draw(FULL_TEXTS), "text": draw(FULL_TEXTS)}
    for key in draw(st.sets(st.sampled_from(PROJECT_KEYS[1:2] + PROJECT_KEYS[3:]))):
        values[key] = draw(YEARS) if key in {"start_year", "end_year"} else draw(st.none() | TEXTS)
    extra = draw(st.dictionaries(KEYS, JSON_VALUES, max_size=3))
    return Project(**values, extra=extra, keys=tuple(draw(st.permutations([*values, *extra]))))


LISTS = st.lists(projects(), min_size=1, max_size=4, unique_by=lambda project: project.id)


@settings(max_examples=40, deadline=None)
@given(LISTS, st.sampled_from(["jsonl", "json"]))
def test_json_gives_back_every_project_and_byte(given: list[Project], kind: Format) -> None:
    content = written(given, kind)
    result = read(content, kind)
    assert result.rejected == ()
    assert list(result.projects) == given
    assert written(result.projects, kind) == content


@settings(max_examples=40, deadline=None)
@given(LISTS)
def test_csv_gives_back_every_byte_and_unknown_value(given: list[Project]) -> None:
    content = written(given, "csv")
    result = read(content, "csv")
    assert result.rejected == ()
    assert written(result.projects, "csv") == content
    for project, original in zip(result.projects, given, strict=True):
        assert (project.id, project.text, project.start_year) == (original.id, original.text, original.start_year)
        assert (project.title or None) == (original.title or None)
        assert project.extra == original.extra


@settings(max_examples=15, deadline=None)
@given(LISTS)
def test_xlsx_gives_back_every_cell_it_can_hold(given: list[Project]) -> None:
    stream = io.BytesIO()
    result = write_projects(given, stream, "xlsx")
    refused = {item.id for item in result.rejected}
    held = [project for project in given if project.id not in refused]
    assert result.written == len(held)
    back = read(stream.getvalue(), "xlsx")
    assert back.rejected == ()
    assert [(project.id, project.text, dict(project.extra)) for project in back.projects] == [
        (project.id, project.text, dict(project.extra)) for project in held
    ]
    assert cells(written(back.projects, "xlsx")) == cells(stream.getvalue())


@pytest.mark.parametrize("kind", FORMATS)
def test_no_projects(kind: Format) -> None:
    content = written([], kind)
    if kind == "jsonl":
        assert content == b""
    else:
        assert read(content, kind).projects == ()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_megabyte_of_text(kind: Format) -> None:
    big = Project(id="a", text="Ü" * 2**20)
    if kind == "xlsx":
        result = write_projects([big, ONE], io.BytesIO(), kind)
        assert result.written == 1
        assert "32767 Zeichen" in result.rejected[0].reason
    else:
        assert read(written([big], kind), kind).projects[0].text == big.text


# --- JSON Lines and JSON ---------------------------------------------------------------------------------------------


def test_jsonl_names_each_bad_line() -> None:
    lines = [
        '{"id": "a", "text": "Eins", "neu": 1, "title": null}',
        '{"id": "b", "text": ',
        "",
        '{"id": "c"}',
        "[1, 2]",
        '{"id": "d", "text": "  "}',
        '{"id": "e", "text": "x", "title": ["y"]}',
        '{"id": "f", "text": "x", "start_year": "seit 2019"}',
        '{"id": "g", "text": "x", "k": NaN}',
        '{"id": "h", "text": "x", "k": 1e999}',
        '{"id": "i", "id": "j", "text": "x"}',
        '{"id": "k", "text": "x"} {"id": "l", "text": "x"}',
        "[" * 100_000,
        '{"id": true, "text": "x"}',
        '{"id": 7, "text": "Zwei", "anders": 1, "neu": 2}',
    ]
    result = read("\n".join(lines) + "\n", "jsonl")
    assert [project.id for project in result.projects] == ["a", "7"]
    assert sorted(reasons(result)) == [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert "„text“ fehlt" in reasons(result)[4]
    assert "seit 2019" in reasons(result)[8]
    assert {item.id for item in result.rejected} >= {"c", "d", "e", "f"}
    assert result.unknown_keys == ("neu", "anders")
    assert result.projects[0].keys == ("id", "text", "neu", "title")


def test_lines_end_with_line_feed_only() -> None:
    result = read('\ufeff{"id": "a", "text": "x\u2028y\x85z"}\r\n{"id": "b", "text": "x"}', "jsonl")
    assert [project.text for project in result.projects] == ["x\u2028y\x85z", "x"]


def test_nul_and_lone_surrogates_are_replaced_one_for_one() -> None:
    result = read(b'{"id": "a", "text": "x\\u0000y\\ud800z\xed\xa0\x80", "k\\u0000": "\\udfff"}', "jsonl")
    (project,) = result.projects
    assert (project.text, project.extra) == ("x\ufffdy\ufffdz\ufffd", {"k\ufffd": "\ufffd"})


@pytest.mark.parametrize(
    ("given", "year"), [(2019, 2019), (2019.0, 2019), ("2019", 2019), ("2019,0", 2019), (" 2019.00 ", 2019), ("", None)]
)
def test_years(given: object, year: int | None) -> None:
    (project,) = read(json.dumps({"id": "a", "text": "x", "start_year": given}), "jsonl").projects
    assert project.start_year == year


@pytest.mark.parametrize("given", [2019.5, "2019,5", "19", 0, 12345, True, [2019], "2019-05-01"])
def test_what_is_no_year_is_refused(given: object) -> None:
    result = read(json.dumps({"id": "a", "text": "x", "end_year": given}), "jsonl")
    assert result.projects == ()
    assert "„end_year“" in reasons(result)[1]


def test_duplicate_id_the_last_counts_and_both_lines_are_named() -> None:
    lines = ['{"id": "a", "text": "alt"}', '{"id": "b", "text": "x"}', '{"id": "a", "text": "neu"}', '{"id": "a"}']
    result = read("\n".join(lines), "jsonl")
    assert [(project.id, project.text) for project in result.projects] == [("b", "x"), ("a", "neu")]
    assert "Zeile 1 und in Zeile 3" in reasons(result)[1]
    assert sorted(reasons(result)) == [1, 4]


def test_json_list_with_lines_and_a_broken_tail() -> None:
    result = read('[\n {"id": "a",\n  "text": "x"},\n {"id": "b"},\n 5, {"id": "c" "text"}, {"id": "d"}]', "json")
    assert [project.id for project in result.projects] == ["a"]
    assert [(item.line, item.id) for item in result.rejected] == [(4, "b"), (5, None), (5, None)]
    assert "alle folgenden" in result.rejected[2].reason
    assert "beschädigt" in reasons(read('[{"id": "a", "text": "x"} {"id": "b"}]', "json"))[1]
    assert "Nach dem Ende" in reasons(read('[{"id": "a", "text": "x"}] x', "json"))[1]
    with pytest.raises(CheckupError, match="JSON-Liste"):
        read('{"id": "a"}', "json")


# --- CSV -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_delimiters_boms_and_line_breaks_in_cells(delimiter: str, encoding: str) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow(["ID", " Text ", "start_year", "kosten", "leer"])
    writer.writerow(["001", 'zwei\r\nZeilen; "mit", Komma', "2019,0", "1.234,50", ""])
    writer.writerow(["b", "NA", "", "", ""])
    result = read(stream.getvalue().encode(encoding), "csv")
    assert result.rejected == ()
    first, second = result.projects
    assert (first.id, first.text, first.start_year) == ("001", 'zwei\r\nZeilen; "mit", Komma', 2019)
    assert first.extra == {"kosten": "1.234,50"}
    assert (second.text, second.extra, second.start_year) == ("NA", {}, None)
    assert result.unknown_keys == ("kosten",)


def test_csv_names_ragged_and_malformed_rows_by_line() -> None:
    result = read('id,text\na,"eins\nzwei"\nb\n\nc,x,y\nd,"x"y\ne,gut\nf,"offen\ng,x\n', "csv")
    assert [project.id for project in result.projects] == ["a", "e"]
    assert sorted(reasons(result)) == [4, 6, 7, 9]
    assert "1 Felder, die Kopfzeile 2" in reasons(result)[4]
    assert "nicht geschlossen" in reasons(result)[9]


def test_csv_json_column_with_a_broken_cell() -> None:
    result = read('id,text,json:k\na,x,"[1, {""b"": null}]"\nb,x,{\n', "csv")
    assert result.projects[0].extra == {"k": [1, {"b": None}]}
    assert "Spalte „json:k“" in reasons(result)[3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "leer"),
        ("\ufeff \r\n", "leer"),
        ("name,ort\nx,y\n", "„id“ und „text“"),
        ("id,text,text\na,b,c\n", "zweimal"),
        ("id,text,x,x\na,b,c,d\n", "„x“ steht zweimal"),
        ('"id,text\n', "Kopfzeile"),
    ],
)
def test_csv_without_a_usable_header(content: str, said: str) -> None:
    with pytest.raises(CheckupError, match=said) as caught:
        read(content, "csv")
    assert caught.value.exit_code == 3


def test_windows_1252_is_read_and_said() -> None:
    result = read("id;text\na;Grüße aus Köln – „schön“\n".encode("cp1252"), "csv")
    assert result.projects[0].text == "Grüße aus Köln – „schön“"
    assert "Windows-1252" in result.notes[0]


def test_damaged_utf8_refuses_only_the_records_it_touches() -> None:
    content = "id;text\na;Grüße\nb;Köln und Müller\nc;kaputt \x00\n".encode().replace(b"\x00", b"\xfc")
    result = read(content, "csv")
    assert [project.text for project in result.projects] == ["Grüße", "Köln und Müller"]
    assert "kein UTF-8" in reasons(result)[4]
    assert "kein UTF-8" in result.notes[0]


def test_csv_never_holds_what_a_spreadsheet_would_compute() -> None:
    risky = ["=1+1", "+49 40", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "=cmd|'/C calc'!A0"]
    content = written([Project(id=f"p{at}", text=text, extra={"=k": text}) for at, text in enumerate(risky)], "csv")
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and cell]
    assert [project.text for project in read(content, "csv").projects] == risky
    assert [project.text for project in read("id,text\na,-5\nb,=1\n", "csv").projects] == ["-5", "=1"]


# --- XLSX ------------------------------------------------------------------------------------------------------------


def workbook(*rows: Sequence[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_xlsx_is_read_as_text() -> None:
    result = read(
        workbook(["id", "text", "start_year", "kosten", "ok"], [7, "NA", 2019, 5.5, True], [], ["b", None], ["c", 0]),
        "xlsx",
    )
    first, second = result.projects
    assert (first.id, first.text, first.start_year, first.extra) == ("7", "NA", 2019, {"kosten": "5.5", "ok": "True"})
    assert second.text == "0"
    assert "„text“ fehlt" in reasons(result)[4]


def test_xlsx_cells_are_text_and_never_formulas() -> None:
    content = written([Project(id="a", text="=1+1", title="#N/A", extra={"=k": "@x"}, start_year=2019)], "xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    kinds = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert {kinds[text] for text in ("=1+1", "#N/A", "=k", "@x", "a")} == {"s"}
    assert kinds[2019] == "n"


def test_xlsx_refuses_control_characters_by_record() -> None:
    given = [ONE, Project(id="b", text="x\x01"), Project(id="c", text="x", extra={"k\x0b": "v"})]
    assert write_projects(given, io.BytesIO(), "csv").written == 3
    stream = io.BytesIO()
    result = write_projects(given, stream, "xlsx")
    assert [item.id for item in result.rejected] == ["b", "c"]
    assert [project.id for project in read(stream.getvalue(), "xlsx").projects] == ["a"]


def test_every_format_refuses_what_json_cannot_say() -> None:
    odd = Project(id="b", text="x", extra={"k": float("nan")})
    for kind in FORMATS:
        result = write_projects([odd, ONE], io.BytesIO(), kind)
        assert (result.written, result.rejected[0].id) == (1, "b")


def test_what_is_no_xlsx(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("brief.txt", "x")
    damaged = bytearray(workbook(["id", "text"], ["a", "b"]))
    damaged[60:400] = b"\x00" * 340
    for content, said in (
        (b"kein Zip", "keine XLSX-Datei"),
        (b"PK\x03\x04 abgeschnitten", "keine XLSX-Datei"),
        (archive.getvalue(), "ZIP-Archiv, aber keine"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "Kennwort"),
        (bytes(damaged), "beschädigt"),
        (workbook(), "leer"),
        (workbook(["name"], ["x"]), "Es fehlt die Spalte"),
    ):
        with pytest.raises(CheckupError, match=said):
            read(content, "xlsx")
    monkeypatch.setattr(exchange_tables, "UNPACKED_LIMIT_BYTES", 1000)
    with pytest.raises(CheckupError, match="entpackt"):
        read(workbook(["id", "text"], ["a", "b"]), "xlsx")


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p.jsonl", "p.CSV", "p.xlsx", "p.json"])
def test_files_by_their_ending(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert write_projects([ONE], path).written == 1
    assert read_projects(str(path)).projects[0].text == ONE.text
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("kind", FORMATS)
def test_an_unknown_ending_is_read_by_content(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "projekte.txt"
    path.write_bytes(written([ONE], kind))
    assert read_projects(path).projects[0].text == ONE.text
    with pytest.raises(UsageError, match="--format"):
        write_projects([ONE], path)


def test_missing_file_and_unwritable_target(tmp_path: Path) -> None:
    with pytest.raises(CheckupError, match="gibt es nicht"):
        read_projects(tmp_path / "fehlt.csv")
    with pytest.raises(CheckupError, match="nicht lesen"):
        read_projects(tmp_path, "csv")
    with pytest.raises(CheckupError, match="nicht schreiben"):
        write_projects([ONE], tmp_path / "fehlt" / "p.csv")
    with pytest.raises(UsageError, match="Bekannt sind"):
        read_projects(tmp_path, "xml")  # type: ignore[arg-type]
