"""Reading one page by a source's fields; pages that give no record say why."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.fields import View, block_text, field_value, parse_html
from crawlers.page import main_text, read_items, read_page
from crawlers.source import FieldRule, ItemRule, SourceConfig, parse_source
from crawlers.web import Refusal

HEAD = """\
name: beispiel
publisher: Stadt
homepage: https://b.example/
licence: unbekannt
kind: site
site: {start: ['https://b.example/'], records: ['/p/']}
fields:
"""

PAGE = """<!DOCTYPE html><html><head><title>Projekt – Stadt</title>
<meta name="author" content="Verein A e. V."><meta property="og:title" content="Sprachcafé">
<script type="application/ld+json">{"@context": "x", "@graph": [{"@type": "Event", "name": "Sprachcafé am Markt",
 "location": {"address": {"addressLocality": "Musterstadt"}},
 "organizer": [{"name": "Verein A"}, {"name": "Verein B"}]}]}</script>
<script type="application/ld+json">{kaputt</script></head><body>
<nav><a href="/">Start</a></nav><h1>Sprachcafé</h1>
<div class="text"><p>Das Café bringt seit 2016 Menschen <b>ins</b> Gespräch.</p>
<ul><li>eins</li><li>zwei</li></ul></div>
<dl><dt>Laufzeit:</dt><dd>01.03.2016 bis 31.12.2018</dd><dt>Kosten</dt><dd>12.500,00 €</dd></dl>
<table><tr><th>Zielgruppe</th><td>Frauen</td></tr></table>
<p><strong>Träger:</strong> Verein A e. V.<br><strong>Ort:</strong> Musterstadt</p>
<div class="field"><div class="label">Land:&nbsp;</div><div class="items"><div>Hessen</div></div></div>
<p>Status: beendet</p><h2>Ergebnis</h2><p>Es wirkt.</p><h3>Zahlen</h3><p>40 Familien</p><h2>Kontakt</h2><p>Amt</p>
<a class="web" href="/mehr?x=1">Mehr</a><img class="logo" src="/l.png">
</body></html>"""


def source_with(tmp_path: Path, fields: str) -> SourceConfig:
    path = tmp_path / "beispiel.yaml"
    path.write_text(HEAD + "".join(f"  {line}\n" for line in fields.strip().splitlines()), encoding="utf-8")
    return parse_source(path)


def read(tmp_path: Path, fields: str, html: str = PAGE):
    return read_page(html, parse_html(html), source_with(tmp_path, fields), "https://b.example/p/1")


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("x: {css: h1}", "Sprachcafé"),
        ("x: {css: li, join: ', '}", "eins, zwei"),
        ("x: {css: 'div.text p'}", "Das Café bringt seit 2016 Menschen ins Gespräch."),
        ("x: {css: 'div.text li + li'}", "zwei"),
        ("x: {css: div.items}", "Hessen"),
        ("x: {css: a.web, attr: href}", "https://b.example/mehr?x=1"),
        ("x: {css: .logo, attr: src}", "https://b.example/l.png"),
        ("x: {meta: author}", "Verein A e. V."),
        ("x: {meta: 'og:title'}", "Sprachcafé"),
        ("x: {jsonld: Event.name}", "Sprachcafé am Markt"),
        ("x: {jsonld: location.address.addressLocality}", "Musterstadt"),
        ("x: {jsonld: organizer.name, join: ' und '}", "Verein A und Verein B"),
        ("x: {jsonld: organizer}", "Verein A"),
        ("x: {label: Zielgruppe}", "Frauen"),
        ("x: {label: Träger}", "Verein A e. V."),
        ("x: {label: Ort}", "Musterstadt"),
        ("x: {label: Land}", "Hessen"),
        ("x: {label: 'Status'}", "beendet"),
        ("x: {label: Ergebnis}", "Es wirkt. Zahlen 40 Familien"),
        ("text: {label: Ergebnis}", "Es wirkt.\nZahlen\n40 Familien"),
        ("x: {const: Bayern}", "Bayern"),
        ("start_year: {label: Laufzeit, regex: '^(\\S+) bis'}", 2016),
        ("end_date: {label: Laufzeit, regex: 'bis (\\S+)'}", "2018-12-31"),
        ("cost: {label: Kosten}", 12500.0),
        ("x: {label: Land, lookup: {hessen: Hessen (Land)}}", "Hessen (Land)"),
        ("x: [{css: .fehlt}, {css: h1}]", "Sprachcafé"),
    ],
)
def test_each_way_to_a_value(tmp_path, rule, value):
    reading = read(tmp_path, rule)
    assert reading.reason is None
    assert list(reading.facts.values()) == [value] or reading.text == value
    assert reading.notes == ()


def test_title_and_text_go_into_the_record(tmp_path):
    reading = read(tmp_path, "title: {css: h1}\ntext: {css: .text}")
    assert reading.title == "Sprachcafé"
    assert reading.text == "Das Café bringt seit 2016 Menschen ins Gespräch.\neins\nzwei"
    assert reading.facts == {}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("cost: {css: h1}", "lässt sich nicht lesen"),
        ("x: {css: h1, regex: '\\d{4}'}", "passt nicht zum Muster"),
        ("x: {label: Land, lookup: {bayern: Bayern}}", "Nachschlagetabelle"),
    ],
)
def test_a_value_that_cannot_be_read_is_noted_and_the_record_stands(tmp_path, rule, words):
    reading = read(tmp_path, rule)
    assert reading.reason is None
    assert reading.facts == {}
    assert words in reading.notes[0]


def test_a_page_without_a_required_field_says_so(tmp_path):
    assert "„cost“" in (read(tmp_path, "cost: {css: .preis, required: true}").reason or "")


@pytest.mark.parametrize(
    "html", ["", "<html></html>", "<h1>Nur eine Überschrift</h1>", "\x00" * 50, "<script>alert(1)</script>"]
)
def test_a_page_without_text_says_so(tmp_path, html):
    assert "keinen Text" in (read(tmp_path, "x: {css: h1}", html).reason or "")


WINNERS = """<h1>Preis 2018</h1><h2>Die Jury</h2><h3>Mitglieder</h3><p>Frau A und Herr B und viele andere.</p>
<h2>Preisträgerinnen und Preisträger 2018</h2><h3>Verein Eins</h3><p>Der Verein begleitet Familien.</p>
<ul><li>viel</li></ul><h3>Verein Zwei</h3><p>Der Verein lädt zum Sprachcafé.</p><h4>Kontakt</h4><p>Amt</p><h3>Leer</h3>
<h2>Archiv</h2>"""


def test_a_page_with_several_records(tmp_path):
    source = source_with(tmp_path, "award_year: {css: h1, scope: page, regex: '\\d{4}'}")
    rule = ItemRule(heading="h3", below="Preisträgerinnen")
    one, two, empty = read_items(parse_html(WINNERS), source, rule, "https://b.example/p/2018")
    assert (one.title, one.text) == ("Verein Eins", "Der Verein begleitet Familien.\nviel")
    assert two.text == "Der Verein lädt zum Sprachcafé.\nKontakt\nAmt"
    assert one.facts == {"award_year": 2018}
    assert "keinen Text" in (empty.reason or "")
    assert read_items(parse_html(WINNERS), source, ItemRule(heading="h3", below="Nirgends"), "u") == []
    cards = "".join(f"<div class=k><b>K{n}</b><p>Ein Projekt mit genug Text {n}.</p></div>" for n in range(3))
    assert len(read_items(parse_html(cards), source, ItemRule(css=".k"), "u")) == 3


def test_inline_elements_do_not_break_words():
    soup = parse_html("<div>Flücht<b>linge</b>\n und <i>Nach</i>barn<br>Zeile zwei<p>Absatz</p>Ende<!-- nie --></div>")
    assert block_text(soup.div) == "Flüchtlinge und Nachbarn\nZeile zwei\nAbsatz\nEnde"


def test_the_main_text_leaves_the_navigation_out():
    article = "".join(
        f"<p>Absatz {n}: Das Projekt begleitet Familien beim Ankommen in der Stadt.</p>" for n in range(8)
    )
    html = f"<body><nav><a href='/'>Start</a> <a href='/k'>Kontakt</a></nav><article>{article}</article></body>"
    text = main_text(html)
    assert "Absatz 7" in text
    assert "Kontakt" not in text


@pytest.mark.parametrize("html", ["<div>" * 10_000 + "tief", "<p>" + "x" * 2_000_000, "<a href='" * 50_000])
def test_deep_nesting_and_long_lines_end(tmp_path, html):
    reading = read(tmp_path, "x: {label: Land}\ntext: {css: body}", html)
    assert reading.reason is None or reading.reason.endswith(".")


@pytest.mark.parametrize(
    "html",
    [
        "<span>Träger</span>" * 39_000,
        "<div>" * 200 + "<b>Träger</b>" * 39_000,
        "<div><h1>Träger</h1>" * 200 + "<b>x</b>" * 30_000,
        f"<h2>{'Träger<br>' * 70_000}</h2>{'<p>x</p>' * 100}",
        "".join(f"<p>Träger: {n} {'x' * 200}</p>" for n in range(39_000)),
        "<i>Träger</i>" + "<br>" * 75_000,
    ],
    ids=["spans", "deep", "headings", "one heading", "values", "breaks"],
)
def test_a_label_without_end_ends(html):
    rule = [FieldRule(label="Träger", join="; ")]
    view = View(parse_html(html), "u")
    started = time.process_time()
    field_value(view, view, "organisation", rule)
    field_value(view, view, "text", rule)
    assert time.process_time() - started < 15


def test_each_of_many_places_of_a_label_counts(tmp_path):
    html = "".join(f"<dl><dt>Partner</dt><dd>Verein Nummer {n:03}</dd></dl>" for n in range(300))
    reading = read(tmp_path, "partner: {label: Partner, join: ', '}\ntext: {css: body}", html)
    assert reading.facts["partner"].split(", ") == [f"Verein Nummer {n:03}" for n in range(300)]


def test_a_page_of_a_hundred_thousand_nested_tags_is_refused():
    with pytest.raises(Refusal) as caught:
        parse_html("<div>" * 100_000)
    assert caught.value.code == "too_big"


@pytest.mark.parametrize("selector", ["h1", ".a", "p.a", ".a.b", "#i", "p#i.a", "div", "em", "p.c", ".A"])
def test_the_fast_way_finds_what_soupsieve_finds(selector):
    soup = parse_html('<h1>x</h1><p class="a b" id=i>1</p><p class=a>2</p><div class="b a">3<p class="c">4</p></div>')
    assert View(soup, "u").select(selector) == soup.select(selector)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="<>/abdivp \"'=&;!-\x00é", max_size=200))
def test_any_text_is_a_page(text):
    assert isinstance(block_text(parse_html(text)), str)
