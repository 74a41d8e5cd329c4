"""Reading documents: every format, and every file that cannot be read says what to do."""

import io
import zipfile
from typing import Any

import pytest

from crawlers.documents import pdf_text, read_document, read_pdf
from crawlers.web import Refusal
from data.errors import CheckupError

TEXT = "In unserer Stadt fehlen Sprachkurse für Frauen mit kleinen Kindern."


def pdf(*pages: str, password: str | None = None) -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    sheet = canvas.Canvas(out, encrypt=StandardEncryption(password) if password else None)
    sheet.setTitle("Lagebericht")
    for page in pages:
        for number, line in enumerate(page.split("\n")):
            sheet.drawString(50, 750 - 20 * number, line)
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def docx_file() -> bytes:
    import docx

    document = docx.Document()
    document.core_properties.title = "Bericht"
    document.add_heading("Lage", 1)
    document.add_paragraph(TEXT)
    table = document.add_table(rows=1, cols=3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "Plätze"
    table.cell(0, 2).text = "20"
    document.add_paragraph("Ende")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zip_file(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("lage.txt", TEXT.encode()),
        ("lage.TXT", TEXT.encode("cp1252")),
        ("lage.txt", TEXT.encode("utf-16")),
        ("lage.md", f"# Lage\r\n\r\n{TEXT}".encode()),
        ("lage.html", f"<html><title>Lage</title><body><p>{TEXT}</p></body></html>".encode()),
        ("lage.docx", docx_file()),
        ("lage.pdf", pdf(TEXT)),
    ],
)
def test_every_format_is_read(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    found = read_document(path)
    assert TEXT in found.text
    assert read_document(data, name) == found
    assert found.format == name.rsplit(".", 1)[1].lower()


def test_a_word_file_keeps_its_order_and_names_merged_cells_once():
    found = read_document(docx_file(), "b.docx")
    assert found.text == f"Lage\n{TEXT}\nPlätze | 20\nEnde"
    assert found.title == "Bericht"


def test_a_pdf_has_pages_and_a_title():
    found = read_document(pdf("Seite eins", "Seite zwei"), "b.pdf")
    assert found.pages == 2
    assert found.title == "Lagebericht"
    assert found.text.index("eins") < found.text.index("zwei")


def test_wrapped_lines_and_hyphens_of_a_pdf_are_joined():
    pages = ["Die Integra-\r\ntion gelingt,\r\nwenn alle helfen.\r\nNeuer Satz.\r\n", "Seite zwei"]
    assert (
        pdf_text([[page] for page in pages]) == "Die Integration gelingt, wenn alle helfen.\nNeuer Satz.\n\nSeite zwei"
    )
    assert pdf_text([["Sprach\ufffe\r\nkurs und Sprach-\r\nLotsen"]]) == "Sprachkurs und Sprach-\nLotsen"


def pdf_with_grid(rows: list[list[str]], *, rules: bool = True, beside: str = "") -> bytes:
    from reportlab.lib import colors
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    out = io.BytesIO()
    style = getSampleStyleSheet()["Normal"]
    cells = [[Paragraph(cell, style) for cell in row] for row in rows]
    ruled = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)] if rules else []
    table = Table(cells, style=ruled, colWidths=90, hAlign="LEFT")
    before, after = Paragraph("Die Träger im Überblick.", style), Paragraph("Stand: Mai", style)

    def draw(sheet: Any, _: object) -> None:
        sheet.drawString(400, 705, beside)

    SimpleDocTemplate(out, title="Bericht").build([before, table, after], onFirstPage=draw)
    return out.getvalue()


ROWS = [
    ["Träger", "Ort", "Kosten"],
    ["Verein für Begleitung im Quartier", "Neustadt", ""],
    ["AWO", "Berg", "8 €"],
]


def test_a_ruled_table_keeps_its_rows_and_stands_where_it_stood():
    assert read_pdf(pdf_with_grid(ROWS, beside="Randnotiz")).text == (
        "Die Träger im Überblick.\nTräger | Ort | Kosten\nVerein für Begleitung im Quartier | Neustadt\n"
        "AWO | Berg | 8 €\nRandnotiz\nStand: Mai"
    )


@pytest.mark.parametrize(
    ("rows", "rules"), [(ROWS, False), ([["Ein Kasten um einen Absatz"]], True), ([["a", "", "", ""]] * 3, True)]
)
def test_what_is_no_ruled_table_stays_running_text(rows, rules):
    assert " | " not in read_pdf(pdf_with_grid(rows, rules=rules)).text


def test_a_grid_that_cannot_be_searched_in_time_costs_only_its_tables():
    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    for _ in range(40):  # alone far longer than the time allowed
        sheet.drawString(50, 800, TEXT)
        for line in range(90):
            sheet.line(50, 50 + line * 5, 500, 50 + line * 5)
            sheet.line(50 + line * 5, 50, 50 + line * 5, 500)
        sheet.showPage()
    sheet.save()
    found = read_pdf(out.getvalue(), seconds=4.0)
    assert (found.pages, found.text.count(TEXT)) == (40, 40)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("scan.pdf", pdf(""), "Texterkennung"),
        ("geheim.pdf", pdf(TEXT, password="wort"), "Kennwort"),
        ("kaputt.pdf", b"%PDF-1.4\n%%EOF", "beschädigt"),
        ("kein.pdf", b"nur Text", "kein PDF"),
        ("zip.docx", zip_file(liste__txt=b"x"), "keine Word-Datei"),
        ("text.docx", b"nur Text", "keine Word-Datei"),
        ("alt.docx", b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "alten Office-Format"),
        ("halb.docx", zip_file(word__document_xml=b"<x"), "keine Word-Datei"),
        ("alt.doc", b"\xd0\xcf\x11\xe0", ".docx"),
        ("bild.png", b"\x89PNG", "unbekannt"),
        ("ohne", b"x", "unbekannt"),
        ("leer.txt", b" \n\t ", "keinen Text"),
        ("leer.html", b"<html></html>", "keinen Text"),
        ("bin.txt", b"PK\x03\x04....", "kein Text"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(name, data, words):
    with pytest.raises(CheckupError) as caught:
        read_document(data, name)
    assert caught.value.exit_code == 3
    assert words in caught.value.message, caught.value.message
    assert name in caught.value.message


def test_a_damaged_word_file_is_a_message():
    broken = zip_file(**{"word__document.xml": b"<x"})
    with pytest.raises(CheckupError) as caught:
        read_document(broken, "halb.docx")
    assert "beschädigt" in caught.value.message


def test_a_word_bomb_is_refused(monkeypatch):
    monkeypatch.setattr("crawlers.documents.MAX_UNZIPPED_BYTES", 1_000_000)
    bomb = zip_file(**{"word__document.xml": b"<x/>", "word__a": b"0" * 600_000, "word__b": b"0" * 600_000})
    with pytest.raises(CheckupError) as caught:
        read_document(bomb, "bombe.docx")
    assert "bläht" in caught.value.message


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path, tmp_path / "fehlt.txt"):
        with pytest.raises(CheckupError) as caught:
            read_document(path)
        assert caught.value.exit_code == 3


def test_a_file_that_is_too_big(tmp_path, monkeypatch):
    monkeypatch.setattr("crawlers.documents.MAX_FILE_BYTES", 10)
    path = tmp_path / "gross.txt"
    path.write_bytes(b"x" * 11)
    with pytest.raises(CheckupError) as caught:
        read_document(path)
    assert "größer" in caught.value.message


def test_a_pdf_that_takes_too_long_or_too_much_memory_is_given_up():
    many = pdf(*["Zeile"] * 50)
    with pytest.raises(Refusal) as caught:
        read_pdf(many, seconds=0.01)
    assert caught.value.code == "timeout"
    with pytest.raises(Refusal) as caught:
        read_pdf(many, memory_bytes=1_000_000)
    assert caught.value.code == "pdf_crash"


def test_memory_of_the_calling_process_is_not_charged_to_the_reading_one() -> None:
    """The largest memory a process took outlives exec on Linux; reading a PDF in a big process failed for that."""
    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    for _ in range(300):  # long enough for the guard to look at the memory
        for line in range(40):
            sheet.drawString(50, 800 - 18 * line, "Das Projekt begleitet Familien.")
        sheet.showPage()
    sheet.save()
    held = bytearray(700_000_000)
    held[::4096] = b"x" * len(held[::4096])
    assert read_pdf(out.getvalue(), memory_bytes=400_000_000).text.startswith("Das Projekt begleitet Familien.")
    del held
