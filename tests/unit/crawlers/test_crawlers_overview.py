"""Pages that only list others are told from projects by their content, and no project is lost by it."""

import time
from pathlib import Path
from urllib.parse import quote

import pytest
from support.crawling import YAML, reasons, run, titles
from support.site import Site, html

from crawlers.crawl import crawl
from crawlers.fields import block_text, parse_html
from crawlers.memory import FileMemory
from crawlers.overview import overview_of
from crawlers.page import Reading, read_page
from crawlers.source import SourceConfig, load_source, parse_source

GOLDEN = Path(__file__).parents[2] / "golden"
NAMES = ("Nähstube", "Sprachcafé", "Lotsen", "Garten", "Chor", "Fahrradwerkstatt", "Theater", "Lernpaten")
BLURB = "{name} bringt Nachbarn zusammen, die neu in Musterstadt sind, und öffnet zweimal in der Woche seine Türen."
OWN = (
    "Das Begegnungshaus lädt seit 2019 jeden Dienstag zum offenen Treff, zu dem im Mittel 40 Menschen kommen. Acht "
    "Ehrenamtliche kochen, übersetzen und begleiten zu Ämtern. Eine Förderung des Landes deckt die Miete; nach zwei "
    "Jahren hat die Stadt die Stelle der Leitung übernommen, und drei Gäste fanden über das Haus eine Ausbildung."
)


def teaser(name: str, *, blurb: bool = True, tag: str = "li") -> str:
    said = f"<p>{BLURB.format(name=name)}</p>" if blurb else ""
    link = f"/projekt/{name.lower()}"
    return f'<{tag}><h3><a href="{link}">{name}</a></h3>{said}<a href="{link}">Mehr erfahren</a></{tag}>'


def listing(names: tuple[str, ...] = NAMES, **options) -> str:
    return "<ul>" + "".join(teaser(name, **options) for name in names) + "</ul>"


OVERVIEWS = {
    "teasers": f"<h1>Alle Projekte</h1><article><p>Hier finden Sie Beispiele aus der Region.</p>{listing()}</article>",
    "names only": f"<h1>Von A bis Z</h1><article>{listing(blurb=False)}</article>",
    "cards": f"<h1>Sprache</h1><article><div>{''.join(teaser(name, tag='div') for name in NAMES)}</div></article>",
    "table": "<h1>Projekte</h1><article><table>" + "".join(
        f'<tr><td><a href="/projekt/{name}">{name}</a></td><td>{BLURB.format(name=name)}</td></tr>' for name in NAMES
    ) + "</table></article>",
    "children": "<h1>Wohnen</h1><article>" + listing().replace("/projekt/", "/projekt/probe/") + "</article>",
}  # fmt: skip
PROJECTS = {
    "own text": f"<h1>Haus</h1><article><p>{OWN}</p></article>",
    "own text, neighbours below": f"<h1>Haus</h1><article><p>{OWN}</p>{listing()}</article>",
    "few words, neighbours named": f"<h1>H</h1><article><p>{OWN[:99]}</p><h2>Mehr zum Thema</h2>{listing()}</article>",
    "few words, few neighbours": f"<h1>Haus</h1><article><p>{OWN[:100]}</p>{listing(NAMES[:4])}</article>",
    "links in sections of its own": "<h1>Haus</h1><article>" + "".join(
        f'<section><h2>Jahr {n}</h2><p>{OWN} Dazu kam <a href="/projekt/{n}">Nummer {n}</a>.</p></section>'
        for n in range(6)
    ) + "</article>",
    "short parts with a link each": "<h1>Haus</h1><article>" + "".join(
        f'<section><h2>Jahr {n}</h2><p>{OWN[:180]} Dazu kam <a href="/projekt/{n}">Nummer {n}</a>.</p></section>'
        for n in range(6)
    ) + "</article>",
    "links within its sentences": f"<h1>Haus</h1><article><p>{OWN} Beteiligt sind " + ", ".join(
        f'<a href="/projekt/{name}">{name}</a>' for name in NAMES
    ) + ".</p></article>",
    "a menu of all projects": f"<nav>{listing(blurb=False)}</nav><h1>Haus</h1><article><p>{OWN[:120]}</p></article>",
    "a value of its own": f"<h1>Haus</h1><p>Träger: Diakonie Musterstadt</p><article>{listing()}</article>",
    "a title that leads to its print view": f'<article><h1><a href="/projekt/probe/druck">Haus</a></h1>{OWN[:180]}'
    '</article><p><a href="/projekt/chor">Chor</a></p>',
    "links to elsewhere": f"<h1>Haus</h1><article>{listing().replace('/projekt/', 'https://x.example/')}</article>",
}  # fmt: skip


def source_in(tmp_path: Path, site: Site, *, text: str = "") -> SourceConfig:
    yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
    path = tmp_path / "probe.yaml"
    path.write_text(yaml.replace("  text: {css: main}\n", text) + "  organisation: {label: Träger}\n", encoding="utf-8")
    return parse_source(path)


@pytest.mark.parametrize("text", ["", "  text: {css: article}\n"], ids=["main text", "rule"])
@pytest.mark.parametrize("name", OVERVIEWS)
def test_an_overview_among_the_records_is_reported(tmp_path, make_fetcher, name, text):
    with Site({"/": html('<a href="/projekt/probe">x</a>'), "/projekt/probe": html(OVERVIEWS[name])}) as site:
        _, outcomes = run(source_in(tmp_path, site, text=text), make_fetcher())
    (found,) = (outcome for outcome in outcomes if outcome.url.endswith("/projekt/probe"))
    assert found.code == "overview"
    assert found.reason.startswith("Übersichtsseite, kein Projekt")
    assert not found.expected


@pytest.mark.parametrize("text", ["", "  text: {css: article}\n"], ids=["main text", "rule"])
@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_stays_one(tmp_path, make_fetcher, name, text):
    with Site({"/": html('<a href="/projekt/probe">x</a>'), "/projekt/probe": html(PROJECTS[name])}) as site:
        _, outcomes = run(source_in(tmp_path, site, text=text), make_fetcher())
    assert "projekt/probe" not in reasons(outcomes)
    assert len(titles(outcomes)) == 1


def test_the_projects_of_an_overview_are_read(tmp_path, make_fetcher):
    pages = {f"/projekt/{name.lower()}": html(f"<h1>{name}</h1><article>{OWN} {name}</article>") for name in NAMES}
    listed = {quote(path): page for path, page in pages.items()} | {"/projekt/alle": html(OVERVIEWS["teasers"])}
    with Site({"/": html('<a href="/projekt/alle">x</a>'), **listed}) as site:
        _, outcomes = run(source_in(tmp_path, site), make_fetcher())
    assert reasons(outcomes) == {"projekt/alle": "overview"}
    assert sorted(titles(outcomes)) == sorted(NAMES)


FIRST = f"<h1>Alle Projekte</h1><article><p>Hier finden Sie Beispiele.</p>{listing()}</article>"
LAST = f"<h1>Alle Projekte</h1><article><p>Hier finden Sie Beispiele.</p>{listing(NAMES[:3])}</article>"
PAIRS = {
    "query": ("/projekt/alle", "/projekt/alle?seite=3"),
    "other query": ("/projekt/alle?thema=chor", "/projekt/alle?thema=garten"),
    "page in the path": ("/projekt/alle", "/projekt/alle/seite/3"),
    "page in the name": ("/projekt/alle-seite-2.html", "/projekt/alle-seite-3.html"),
    "two pages in the path": ("/projekt/alle/page/2", "/projekt/alle/page/3"),
}


@pytest.mark.parametrize("text", ["", "  text: {css: article}\n"], ids=["main text", "rule"])
@pytest.mark.parametrize("name", PAIRS)
def test_the_last_page_of_an_overview_is_one_however_little_it_lists(tmp_path, make_fetcher, name, text):
    first, last = PAIRS[name]
    other = LAST.replace("Alle Projekte", "Noch mehr")
    with Site(
        {"/": html(f'<a href="{first}">1</a><a href="{last}">2</a>'), first: html(FIRST), last: html(other)}
    ) as site:
        _, outcomes = run(source_in(tmp_path, site, text=text), make_fetcher())
    codes = reasons(outcomes)
    assert codes[first[1:]] == codes[last[1:]] == "overview"
    assert titles(outcomes) == []


@pytest.mark.parametrize("names", [NAMES[:1], NAMES[:2], NAMES[:4]], ids=len)
def test_a_page_with_the_title_of_an_overview_is_one(tmp_path, make_fetcher, names):
    last = f"<h1>Alle Projekte</h1><article>{listing(names)}</article><a href='/projekt/alle'>erste Seite</a>"
    pages = {"/": html('<a href="/projekt/alle">1</a><a href="/projekt/z">2</a>'), "/projekt/alle": html(FIRST)}
    with Site(pages | {"/projekt/z": html(last)}) as site:
        _, outcomes = run(source_in(tmp_path, site), make_fetcher())
    assert reasons(outcomes)["projekt/z"] == "overview"


@pytest.mark.parametrize(("query", "listed"), [("seite=3", True), ("id=7", False)])
def test_a_record_with_the_address_of_a_followed_page_but_for_its_number_is_an_overview(
    tmp_path, make_fetcher, query, listed
):
    with Site({"/": html(f'<a href="/liste?{query}">3</a><a href="/liste">1</a>'), "/liste": html("")}) as site:
        site.pages[f"/liste?{query}"] = html(LAST)
        source = source_in(tmp_path, site)
        text = source.path.read_text(encoding="utf-8")
        text = text.replace(f"{site.url()}']", f"{site.url('/liste')}', '{site.url()}']")
        source.path.write_text(text.replace("'/projekt/'", r"'/projekt/', '/liste\?'"), encoding="utf-8")
        _, outcomes = run(parse_source(source.path), make_fetcher())
    assert (reasons(outcomes).get(f"liste?{query}") == "overview") is listed
    assert titles(outcomes) == ([] if listed else ["Alle Projekte"])


@pytest.mark.parametrize("text", ["", "  text: {css: article}\n"], ids=["main text", "rule"])
def test_a_killed_crawl_knows_its_overviews_again(tmp_path, make_fetcher, text):
    pages = {
        "/": html('<a href="/projekt/alle">1</a><a href="/projekt/z">2</a><a href="/projekt/alle/seite/3">3</a>'),
        "/projekt/alle": html(FIRST),
        "/projekt/z": html(LAST),
        "/projekt/alle/seite/3": html(LAST.replace("Alle Projekte", "Seite 3")),
    }
    with Site(pages) as site:
        source = source_in(tmp_path, site, text=text)
        killed = crawl(source, fetcher=make_fetcher(), memory=FileMemory(tmp_path / "m.jsonl", "1"))
        assert next(killed).url == site.url("/projekt/alle")
        next(killed)  # the first one is noted now
        memory = FileMemory(tmp_path / "m.jsonl", "1")
        site.log.clear()
        _, outcomes = run(source, make_fetcher(), memory=memory, fresh_after="2026-01-31T07:00:00.000Z")
        assert "/projekt/alle" not in site.paths()
    codes = reasons(outcomes)
    assert [codes[path[1:]] for path in pages if path != "/"] == ["overview"] * 3


@pytest.mark.parametrize("text", ["", "  text: {css: article}\n"], ids=["main text", "rule"])
@pytest.mark.parametrize("name", [name for name in PROJECTS if name != "few words, few neighbours"])
def test_a_project_that_resembles_an_overview_stays_one(tmp_path, make_fetcher, name, text):
    """By its address but for the query, and by its title: whoever names all pages alike."""
    first = FIRST.replace("Alle Projekte", "Haus")
    pages = {
        "/": html('<a href="/projekt/probe">1</a><a href="/projekt/probe?id=7">2</a>'),
        "/projekt/probe": html(first),
        "/projekt/probe?id=7": html(PROJECTS[name]),
    }
    with Site(pages) as site:
        _, outcomes = run(source_in(tmp_path, site, text=text), make_fetcher())
    assert reasons(outcomes)["projekt/probe"] == "overview"
    assert len(titles(outcomes)) == 1


CASES = sorted(path.parent for path in GOLDEN.glob("*/*/input.html"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_no_golden_page_is_taken_for_an_overview(case):
    source = load_source(case.parent.name)
    text = (case / "input.html").read_text(encoding="utf-8")
    soup, url = parse_html(text), source.homepage + "probe"
    reading = read_page(text, soup, source, url)
    # the hardest case: every link of the page leads to a record
    assert not overview_of(soup, reading, source, url, lambda link: link)


def test_a_page_with_one_link_is_no_list():
    soup = parse_html(f"<title>Haus</title><p><a href=/projekt/alle>Alle Projekte</a></p><p>{OWN[:180]}</p>")
    reading = Reading(title="Haus", text=OWN[:180], facts={})
    source = load_source(CASES[0].parent.name)
    assert not overview_of(soup, reading, source, source.homepage, lambda link: link, least=1)


@pytest.mark.parametrize("own", ["", "".join(f"<br>eigene Zeile Nummer {n}" for n in range(9_000))], ids=["", "own"])
def test_a_list_of_any_length_ends(own):
    entries = (f"<li><a href=/projekt/{n}>Nummer {n}</a><p>{n}{'x' * 330}</p></li>" for n in range(6_000))
    soup = parse_html("".join(entries) + own)
    reading = Reading(title=None, text=block_text(soup), facts={})
    source = load_source(CASES[0].parent.name)
    started = time.process_time()
    assert overview_of(soup, reading, source, source.homepage, lambda link: link) == (0 if own else 6_000)
    assert time.process_time() - started < 15
