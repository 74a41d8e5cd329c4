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
    for words in ("gefüllt: cost 25%", "nicht gelesen: ", "abgelehnt: "):
        assert words in shown.out
