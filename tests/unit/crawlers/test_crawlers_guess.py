"""A first YAML from a start address is valid, finds the records, and says that it is a guess."""

import pytest
from support.crawling import run, titles
from support.site import Site, html, plain

from crawlers.guess import draft_source, shape
from crawlers.source import parse_source
from data.errors import CheckupError


def page(n: int):
    facts = f"<dl><dt>Träger</dt><dd>Verein {n}</dd></dl><p><strong>Laufzeit:</strong> 2016 bis 2018</p>"
    return html(f"<h1>Projekt {n}</h1><article><p>Das Projekt begleitet {n} Familien.</p>{facts}</article>")


def test_a_site(tmp_path, make_fetcher):
    links = "".join(f'<a href="/gute-praxis/projekt-{n}">x</a>' for n in range(8))
    pages = {f"/gute-praxis/projekt-{n}": page(n) for n in range(8)}
    with Site(
        {"/": html(f'{links}<a href="/impressum">i</a><a href="/?page=1">2</a>'), "/?page=1": html(""), **pages}
    ) as site:
        text = draft_source(site.url(), fetcher=make_fetcher(), name="neu")
        path = tmp_path / "neu.yaml"
        path.write_text(
            text.replace("kind: site", "allow_private_hosts: true\ndelay_s: 0\nkind: site"), encoding="utf-8"
        )
        _, outcomes = run(parse_source(path), make_fetcher())
        assert titles(outcomes) == [f"Projekt {n}" for n in range(8)]
        assert outcomes[3].facts == {"organisation": "Verein 3", "duration": "2016 bis 2018"}
    assert text.count("bitte prüfen") >= 4


def test_a_list(tmp_path, make_fetcher):
    rows = "Name des Begünstigten;Bezeichnung des Vorhabens;Zusammenfassung;Beginn;Gesamtbetrag;PLZ\nA;B;C;2016;1;2\n"
    with Site({"/liste.csv": plain(rows, "text/csv")}) as site:
        text = draft_source(site.url("/liste.csv"), fetcher=make_fetcher(), name="neu")
    path = tmp_path / "neu.yaml"
    path.write_text(text, encoding="utf-8")
    source = parse_source(path)
    assert source.list is not None
    assert dict(source.list.columns) == {
        "organisation": ("Name des Begünstigten",),
        "title": ("Bezeichnung des Vorhabens",),
        "text": ("Zusammenfassung",),
        "start_date": ("Beginn",),
        "cost": ("Gesamtbetrag",),
    }
    assert "PLZ" in text


def test_robots_is_obeyed_and_the_reason_said(make_fetcher):
    with Site({"/robots.txt": plain("User-agent: *\nDisallow: /")}) as site, pytest.raises(CheckupError) as caught:
        draft_source(site.url("/"), fetcher=make_fetcher(), name="neu")
    assert "robots.txt" in caught.value.message


def test_shapes():
    assert shape("/node/12") == r"/node/\d+/?$"
    assert shape("/projekte/2018/haus-am-see/") == r"/projekte/\d+/[^/]+/?$"
