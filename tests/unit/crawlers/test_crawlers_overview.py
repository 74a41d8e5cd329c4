"""Pages that only list others are told from projects by their content, and no project is lost by it."""

from pathlib import Path
from urllib.parse import quote

import pytest
from support.crawling import YAML, reasons, run, titles
from support.site import Site, html

from crawlers.fields import parse_html
from crawlers.overview import overview_of
from crawlers.page import read_page
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


CASES = sorted(path.parent for path in GOLDEN.glob("*/*/input.html"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_no_golden_page_is_taken_for_an_overview(case):
    source = load_source(case.parent.name)
    text = (case / "input.html").read_text(encoding="utf-8")
    soup, url = parse_html(text), source.homepage + "probe"
    reading = read_page(text, soup, source, url)
    # the hardest case: every link of the page leads to a record
    assert not overview_of(soup, reading, source, url, lambda link: link)
