"""A source from its first draft to a table of what it would bring, as a person makes one."""

from pathlib import Path

import pytest
from support.cli import call
from support.crawling import links
from support.site import Site, html

TEXT = "Ehrenamtliche begleiten Familien zu Kita, Schule und Amt. Fragen an karla.berger@example.org."


@pytest.fixture
def site() -> Site:
    def page(number: int, cost: str) -> str:
        labels = f"<p><b>Träger:</b> AWO</p><p><b>Kosten:</b> {cost}</p>"
        return f"<h1>Lotsen {number}</h1>{labels}<main><p>Lotsen {number}: {TEXT}</p></main>"

    names = [f"/angebot/lotsen-{number}" for number in range(4)]
    pages = {"/angebote": links(*names, "/angebot/tot")}
    return Site(pages | {name: html(page(n, "ca. 500 €" if n else "500 €")) for n, name in enumerate(names)})


def test_from_a_start_address_to_the_table(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "lotsen.yaml"
    with site:
        new = ("sources", "new", site.url("/angebote"), "--name", "lotsen", "--output", file)
        refused = call(*new, workspace=tmp_path)
        assert refused.code == 3
        assert not file.exists()
        drafted = call(*new, "--allow-private-hosts", workspace=tmp_path)
        assert drafted.code == 0, drafted.err
        checked = call("sources", "check", file, "--json", workspace=tmp_path)
        shown = call("sources", "check", file, workspace=tmp_path)
    assert checked.code == 0, checked.err
    answer = checked.json()
    assert [record["title"] for record in answer["records"]] == [f"Lotsen {number}" for number in range(4)]
    assert [record["facts"].get("cost") for record in answer["records"]] == [500.0, None, None, None]
    assert "karla.berger" not in checked.out + shown.out
    assert "begleiten Familien" in shown.out
    assert [item["reason"] for item in answer["unread"]] == ["cost: „ca. 500 €“ lässt sich nicht lesen."] * 3
    assert [item["url"] for item in answer["refused"]] == [site.url("/angebot/tot")]
    for words in ("gefüllt: cost 25 %", "nicht gelesen: ", "abgelehnt: ", "cost: 500"):
        assert words in shown.out
    counted = "weitere Adressen derselben Seite 0, Kopien 0; ohne Datensatz: Absage des Servers (status) 1."
    assert shown.out.splitlines()[-1] == f"Summe: gelesene Seiten 6, Datensätze 4, {counted}"


def test_a_field_that_is_never_filled_stands_first(site: Site, tmp_path: Path) -> None:
    yaml = (
        "name: lotsen\npublisher: S\nhomepage: {0}\nlicence: x\nkind: site\ndelay_s: 0\nallow_private_hosts: true\n"
        "site:\n  start: ['{0}angebote']\n  sitemap: none\n  records: ['/angebot/[^/]+$']\n"
        "fields:\n  title: {{css: h1}}\n  cost: {{label: Kosten}}\n  target_group: {{label: Zielgruppee}}\n"
    )
    with site:
        file = tmp_path / "lotsen.yaml"
        file.write_text(yaml.format(site.url()), "utf-8")
        answer = call("sources", "check", file, "--json", workspace=tmp_path).json()
        shown = call("sources", "check", file, workspace=tmp_path).out
    assert answer["fill"] == {"cost": 0.25, "target_group": 0.0, "text": 1.0, "title": 1.0}
    filled = [line.split(": ", 1)[1] for line in shown.splitlines() if line.startswith("  gefüllt")]
    assert filled[:2] == ["target_group 0 %, bitte Regel oder Spalte prüfen", "cost 25 %"]


def test_columns_of_a_list_are_listed_but_the_two_that_name_a_row(tmp_path: Path) -> None:
    (tmp_path / "liste.csv").write_text("nr;titel;kosten;adresse;leer\n1;Chor;5;https://e.org/1;\n", "utf-8")
    file = tmp_path / "liste.yaml"
    file.write_text(
        "name: liste\npublisher: S\nhomepage: https://example.org/\nlicence: x\nkind: list\ncontact: a@example.org\n"
        "list:\n  file: liste.csv\n  format: csv\n"
        "  columns: {id: nr, title: titel, cost: kosten, url: adresse, municipality: leer}\n",
        "utf-8",
    )
    answer = call("sources", "check", file, "--json", workspace=tmp_path).json()
    assert answer["fill"] == {"cost": 1.0, "municipality": 0.0, "text": 1.0, "title": 1.0}
    assert "Summe: gelesene Zeilen 1, Datensätze 1," in call("sources", "check", file, workspace=tmp_path).out
