"""A first YAML from a start address is valid, finds the records, and says that it is a guess."""

import json

import pytest
from support.crawling import run, titles
from support.site import Site, html, plain

from crawlers.discover import canonical_url
from crawlers.guess import draft_source
from crawlers.guess_links import is_legal, shape
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


MENU = "".join(
    f'<li><a href="/{name}">{name}</a></li>'
    for name in ("ueber-uns", "team", "aktuelles", "termine", "projekte", "spenden", "presse", "kontakt")
)
FOOTER = '<footer><a href="/impressum">Impressum</a> <a href="/datenschutz">Datenschutz</a></footer>'


def framed(body: str):
    return html(f"<header><a href='/'>Start</a></header><nav><ul>{MENU}</ul></nav><main>{body}</main>{FOOTER}")


def drafted(tmp_path, site, path, fetcher):
    """The draft as text and as a source that may be tried on the loopback site."""
    text = draft_source(site.url(path), fetcher=fetcher, name="neu", private=True)
    file = tmp_path / "neu.yaml"
    file.write_text(text.replace("kind: ", "delay_s: 0\nkind: ", 1), encoding="utf-8")
    return text, parse_source(file)


def small_site(folder: str) -> dict[str, object]:
    """Eight links in the menu, two in the footer, seven projects with a label each."""
    cards = "".join(f'<article><header><a href="{folder}/haus-{c}">Haus {c}</a></header></article>' for c in "abcdefg")
    own = {
        f"{folder}/haus-{c}": framed(f"<h1>Haus {c}</h1><p>Text über Haus {c}.</p><p>Träger: Verein {c}</p>")
        for c in "abcdefg"
    }
    names = ("ueber-uns", "team", "aktuelles", "termine", "spenden", "presse", "kontakt", "impressum", "datenschutz")
    menu = {f"/{name}": framed(f"<h1>{name}</h1><p>Seite {name}.</p>") for name in names}
    overview = framed(f"<h1>Projekte</h1>{cards}")
    return {"/": overview, "/projekte": overview, "/projekte/": overview, **own, **menu}


@pytest.mark.parametrize(
    ("folder", "start"), [("/projekte", "/projekte"), ("/projekte", "/"), ("", "/"), ("", "/projekte")]
)
def test_menus_and_legal_pages_are_no_records(tmp_path, make_fetcher, folder, start):
    with Site(small_site(folder)) as site:
        _, source = drafted(tmp_path, site, start, make_fetcher())
        asked = site.paths()
        site.log.clear()
        _, outcomes = run(source, make_fetcher())
        crawled = site.paths()
    assert asked == [start, "/sitemap.xml", *(f"{folder}/haus-{c}" for c in "abc")]
    assert titles(outcomes) == [f"Haus {c}" for c in "abcdefg"]
    assert outcomes[0].facts == {"organisation": "Verein a"}
    assert crawled.count(start) == 1
    assert not {"/impressum", "/datenschutz", "/team"} & set(crawled)
    assert any(pattern.search(site.url(start)) for pattern in source.site.follow)
    record = site.url(f"{folder}/haus-x")
    assert source.site.records[0].search(record)
    assert not source.site.records[0].search(f"{record}?druck=1")
    assert not source.site.records[0].search(site.url("/"))


def test_a_start_page_linked_in_its_own_text_is_asked_once(tmp_path, make_fetcher):
    pages = small_site("")
    pages["/projekte"] = html('<a href="/projekte">Projekte</a>' + "".join(f'<a href="/haus-{c}">x</a>' for c in "abc"))
    with Site(pages) as site:
        _, source = drafted(tmp_path, site, "/projekte", make_fetcher())
        assert site.paths().count("/projekte") == 1
        _, outcomes = run(source, make_fetcher())
    assert "Projekte" not in titles(outcomes)


def test_an_odd_start_address_is_a_pattern_that_finds_it(tmp_path, make_fetcher):
    comments = "<!-- Vorlage -->" * 300
    page = plain(f"{comments}<a href='/team'>Team</a>", "text/html")
    with Site({"/o'x?a=1": page}) as site:
        _, source = drafted(tmp_path, site, "/o'x?a=1", make_fetcher())
        found = canonical_url(site.url("/o'x?a=1"))
    assert source.kind == "site"
    assert source.site.follow[0].search(found)


def test_what_lies_below_the_start_address_comes_before_more_frequent_news(tmp_path, make_fetcher):
    news = "".join(f'<a href="/aktuelles/n-{c}">x</a>' for c in "abcdefgh")
    own = "".join(f'<a href="/angebote/p-{c}">x</a>' for c in "abcd")
    with Site({"/angebote.html": html(news + own), "/": html(news + own)}) as site:
        text, source = drafted(tmp_path, site, "/angebote.html", make_fetcher())
        assert source.site.records[0].pattern == "/angebote/[^/?]+/?$"
        assert "# oder: '/aktuelles/[^/?]+/?$'" in text
        _, source = drafted(tmp_path, site, "/", make_fetcher())
        assert source.site.records[0].pattern == "/aktuelles/[^/?]+/?$"


def test_the_sitemap_decides_between_groups_of_the_same_number(tmp_path, make_fetcher):
    body = "".join(f'<a href="/{group}/{c}x">x</a>' for group in ("thema", "projekt") for c in "abc")
    pages = {"/": html(body)}
    with Site(pages) as site:
        _, source = drafted(tmp_path, site, "/", make_fetcher())
        assert source.site.records[0].pattern == "/thema/[^/?]+/?$"
        locs = "".join(f"<url><loc>{site.url(f'/projekt/p{n}')}</loc></url>" for n in range(9))
        site.pages["/teil.xml"] = plain(f"<urlset>{locs}</urlset>", "application/xml")
        index = f"<sitemapindex><sitemap><loc>{site.url('/teil.xml')}</loc></sitemap></sitemapindex>"
        site.pages["/sitemap.xml"] = plain(index, "application/xml")
        _, source = drafted(tmp_path, site, "/", make_fetcher())
        assert source.site.records[0].pattern == "/projekt/[^/?]+/?$"
        assert source.site.sitemap == "auto"


def test_a_page_without_links_of_its_own_is_guessed_from_the_sitemap(tmp_path, make_fetcher):
    with Site({"/": framed("<p>Willkommen.</p>")}) as site:
        locs = "".join(f"<url><loc>{site.url(f'/projekt/p{n}')}</loc></url>" for n in range(12))
        site.pages["/sitemap.xml"] = plain(f"<urlset>{locs}</urlset>", "application/xml")
        text, _ = drafted(tmp_path, site, "/", make_fetcher())
    assert "'/projekt/[^/?]+/?$'" in text


RSS = "<rss version='2.0'><channel>{}</channel></rss>"
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'>{}</feed>"


@pytest.mark.parametrize(
    ("form", "entry", "content_type"),
    [
        (RSS, "<item><link>{}</link></item>", "application/rss+xml; charset=utf-8"),
        (RSS, "<item><link>{}</link></item>", "text/html"),
        (ATOM, "<entry><link href='{}'/></entry>", "application/atom+xml"),
    ],
)
def test_a_feed(tmp_path, make_fetcher, form, entry, content_type):
    with Site({f"/gute-praxis/projekt-{n}": page(n) for n in range(4)}) as site:
        entries = "".join(entry.format(site.url(f"/gute-praxis/projekt-{n}")) for n in range(4))
        head = "<?xml version='1.0' encoding='utf-8'?>\n<!-- Meldungen -->\n"
        site.pages["/feed.xml"] = plain(head + form.format(entries), content_type)
        _, source = drafted(tmp_path, site, "/feed.xml", make_fetcher())
        assert site.paths().count("/feed.xml") == 1
        _, outcomes = run(source, make_fetcher())
    assert source.kind == "feed"
    assert titles(outcomes) == [f"Projekt {n}" for n in range(4)]
    assert outcomes[0].facts == {"organisation": "Verein 0", "duration": "2016 bis 2018"}


def test_xml_that_is_no_feed_is_refused_with_advice(make_fetcher):
    sitemap = plain("<urlset><url><loc>http://a.example/</loc></url></urlset>", "application/xml")
    with Site({"/sitemap.xml": sitemap}) as site, pytest.raises(CheckupError) as caught:
        draft_source(site.url("/sitemap.xml"), fetcher=make_fetcher(), name="neu")
    assert "kein Feed" in caught.value.message


def test_a_json_list_has_the_path_of_its_longest_list_of_objects(tmp_path, make_fetcher):
    rows = [{"titel": f"Haus {n}", "inhalt": {"beschreibung": f"Text {n}."}, "ort": "Hof"} for n in range(4)]
    value = {"facets": [{"a": 1}], "zahlen": [1, 2, 3, 4, 5, 6], "result": {"records": rows}}
    with Site({"/api.json": plain(json.dumps(value), "application/json")}) as site:
        _, source = drafted(tmp_path, site, "/api.json", make_fetcher())
        _, outcomes = run(source, make_fetcher())
    assert source.list.path == "result.records"
    assert titles(outcomes) == [f"Haus {n}" for n in range(4)]
    assert outcomes[1].text == "Text 1."
    assert outcomes[1].facts["municipality"] == "Hof"


def test_a_json_list_at_the_top_has_no_path(tmp_path, make_fetcher):
    with Site({"/api.json": plain('[{"titel": "A"}]', "application/json")}) as site:
        _, source = drafted(tmp_path, site, "/api.json", make_fetcher())
    assert source.list.path is None


@pytest.mark.parametrize(("text", "said"), [("[1, 2]", "keine Liste von Objekten"), ("{", "kein gültiges JSON")])
def test_json_without_rows_is_said(make_fetcher, text, said):
    with Site({"/api.json": plain(text, "application/json")}) as site, pytest.raises(CheckupError) as caught:
        draft_source(site.url("/api.json"), fetcher=make_fetcher(), name="neu")
    assert said in caught.value.message


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
    assert shape("/projekte/2018/haus-am-see/") == r"/projekte/\d+/[^/?]+/?$"
    assert shape("/haus-am-see") == r"://[^/]+/[^/?]+/?$"


def test_legal_names():
    legal = (
        "impressum",
        "Impressum.html",
        "datenschutzerkl%C3%A4rung",
        "kontakt-und-impressum",
        "Leichte Sprache",
        "AGB",
    )
    assert all(is_legal(name) for name in legal)
    assert not any(is_legal(name) for name in ("kontakt-cafe", "barrierefrei-lernen", "sprachcafe", ""))
