"""Loading a source's YAML: what is accepted, and errors that name file and line."""

from pathlib import Path

import pytest

from crawlers.source import SHIPPED, all_sources, load_source, parse_source, source_names
from data.errors import CheckupError

SITE = """\
name: beispiel
publisher: Stadt Beispiel
homepage: https://beispiel.example/
licence: unbekannt
kind: site
site:
  start: [https://beispiel.example/projekte]
  records: ['/projekt/\\d+$']
  host_aliases: {www.beispiel.example: beispiel.example}
fields:
  title: {css: h1, required: true}
"""


def write(folder: Path, text: str, name: str = "beispiel.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def error_of(folder: Path, text: str) -> str:
    with pytest.raises(CheckupError) as caught:
        parse_source(write(folder, text))
    assert caught.value.exit_code == 3
    return caught.value.message


def test_a_small_site_gets_its_defaults(tmp_path):
    source = parse_source(write(tmp_path, SITE))
    assert source.site is not None
    assert (source.delay_s, source.retention_days, source.database, source.share_cap_percent) == (2.0, 90, False, 10.0)
    assert source.site.sitemap == "auto"
    assert source.site.records[0].search("https://beispiel.example/projekt/7")
    assert source.hosts == {"beispiel.example", "www.beispiel.example"}
    assert source.fields["title"][0].required


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("kind: site\n", "kind: seite\n", 5, "site, feed, list"),
        ("publisher: Stadt Beispiel\n", "", 1, "publisher"),
        ("licence: unbekannt\n", "licence: unbekannt\nverlag: x\n", 5, "verlag"),
        ("'/projekt/\\d+$'", "'(/projekt'", 8, "regulärer Ausdruck"),
        ("css: h1,", "css: 'h1[',", 11, "CSS-Selektor"),
        ("css: h1, required", "css: h1, meta: x, required", 11, "genau eines"),
        ("start: [https://beispiel.example/projekte]", "start: []", 7, "nicht leer"),
        ("start: [https://beispiel.example/projekte]", "start: [ftp://x]", 7, "Form"),
        ("licence: unbekannt", "licence: unbekannt\ndisplay: full", 5, "Lizenz"),
        ("licence: unbekannt", "licence: unbekannt\nlicence: x", 5, "zweimal"),
        ("licence: unbekannt", "licence: &a unbekannt", 4, "Anker"),
        ("licence: unbekannt", "licence: [", 6, "YAML"),
        ("name: beispiel", "name: Bei Spiel", 1, "Form"),
        ("kind: site\n", "kind: list\n", 5, "list"),
        ("licence: unbekannt", "licence: x\ndelay_s: schnell", 5, "eine Zahl"),
        ("licence: unbekannt", "licence: x\nfeed: {url: 'https://x.example/f'}", 5, "nicht stehen"),
    ],
)
def test_errors_name_file_and_line(tmp_path, old, new, line, words):
    assert old in SITE
    message = error_of(tmp_path, SITE.replace(old, new, 1))
    assert "beispiel.yaml" in message
    assert f"Zeile {line}" in message, message
    assert words in message


def test_all_errors_of_a_file_are_named_at_once(tmp_path):
    message = error_of(tmp_path, SITE.replace("kind: site", "kind: seite").replace("[https", "[ftp"))
    assert len(message.splitlines()) == 2


def test_dates_and_keys_stay_text(tmp_path):
    source = parse_source(
        write(tmp_path, SITE + "  state: {css: p, lookup: {ja: Bayern, no: 2020-01-01, 1: Hessen}}\n")
    )
    assert source.fields["state"][0].lookup == {"ja": "Bayern", "no": "2020-01-01", "1": "Hessen"}


def test_an_alias_bomb_is_refused(tmp_path):
    bomb = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n"
    assert "Zeile 1" in error_of(tmp_path, bomb)


@pytest.mark.parametrize("text", ["", "- a\n", "nur text\n", "[" * 5000, "a: \x00\n"])
def test_what_is_no_source_is_a_message(tmp_path, text):
    assert "beispiel.yaml" in error_of(tmp_path, text)


def test_a_list_reads_a_file_beside_its_yaml(tmp_path):
    text = """\
name: liste
publisher: Amt
homepage: https://amt.example/
licence: DL-DE BY 2.0
kind: list
list:
  file: daten.csv
  format: csv
  columns: {title: Name, text: [Name, Zweck], start_year: 3}
  only: {text: 'Integration'}
fields: {state: {const: Bayern}}
"""
    source = parse_source(write(tmp_path, text))
    assert source.list is not None
    assert source.list.file == tmp_path / "daten.csv"
    assert source.list.columns["text"] == ("Name", "Zweck")
    assert source.list.columns["start_year"] == (3,)
    both = text.replace("  file: daten.csv\n", "  file: daten.csv\n  url: https://amt.example/d.csv\n")
    assert "genau eines muss stehen: url oder file" in error_of(tmp_path, both)


def test_opt_out_by_host_and_by_beginning(tmp_path):
    source = parse_source(write(tmp_path, SITE + "opt_out: [nein.example, 'beispiel.example/privat/']\n"))
    assert source.opted_out("https://nein.example/x")
    assert source.opted_out("http://www.nein.example/")
    assert source.opted_out("https://beispiel.example/privat/a")
    assert not source.opted_out("https://beispiel.example/projekt/1")
    assert not source.opted_out("https://keinnein.example/x")


def test_the_workspace_overlays_the_shipped_sources(tmp_path):
    shipped = source_names()
    assert shipped
    changed = SITE.replace("name: beispiel", f"name: {shipped[0]}")
    write(tmp_path, changed, f"{shipped[0]}.yaml")
    assert load_source(shipped[0], overlay=tmp_path).publisher == "Stadt Beispiel"
    assert load_source(shipped[0]).publisher != "Stadt Beispiel"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(CheckupError) as caught:
        load_source("gibt-es-nicht")
    assert source_names()[0] in caught.value.message


def test_every_shipped_source_is_sound_and_says_what_was_verified():
    sources = list(all_sources())
    assert len(sources) >= 3
    for source in sources:
        assert not isinstance(source, CheckupError), source
        assert source.path.stem == source.name
        assert source.expect.min_records is not None, source.name
        header = source.path.read_text(encoding="utf-8").split("name:", 1)[0]
        assert "Geprüft:" in header, source.name
        assert "Nicht geprüft:" in header, source.name
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == {source.name for source in sources}


def test_one_broken_file_stops_no_other(tmp_path):
    write(tmp_path, "name: [", "kaputt.yaml")
    found = list(all_sources(overlay=tmp_path))
    assert sum(isinstance(item, CheckupError) for item in found) == 1
    assert len(found) == len(source_names()) + 1
