"""Whole crawls of small loopback sites: what is found, refused, collapsed, remembered."""

import re

import pytest
from support.crawling import links, project, reasons, run, source_for, titles
from support.site import Reply, Site, html, plain, redirect

from crawlers.crawl import crawl, fetcher_for
from crawlers.memory import FileMemory
from crawlers.outcome import Refused, Unchanged
from crawlers.source import parse_source
from crawlers.web import DOCUMENT_TYPES
from data.errors import CheckupError
from data.records import Fetched


def test_records_links_and_refusals(tmp_path, make_fetcher):
    pages = {
        "/robots.txt": plain("User-agent: *\nDisallow: /projekt/gesperrt"),
        "/": links("/liste?page=1", "/impressum", "/projekt/privat/1", "https://fremd.example/projekt/9"),
        "/liste?page=1": links("/projekt/1", "/projekt/2#oben", "/liste?page=2", "/projekt/gesperrt"),
        "/liste?page=2": links("http://alt.example/projekt/3", "/projekt/tot", "/projekt/ohne", "/liste?page=1"),
        "/projekt/1": project("Eins", '<p class="land">Hessen</p>'),
        "/projekt/2": project("Zwei"),
        "/projekt/3": project("Drei"),
        "/projekt/ohne": html("<main>Nur ein Text ohne Überschrift, lang genug.</main>"),
        "/impressum": html("x"),
    }
    with Site(pages) as site:
        running, outcomes = run(source_for(tmp_path, site), make_fetcher())
        assert titles(outcomes) == ["Eins", "Zwei", "Drei"]
        assert reasons(outcomes) == {"projekt/gesperrt": "robots", "projekt/tot": "status", "projekt/ohne": "no_record"}
        assert not {"/projekt/gesperrt", "/impressum", "/projekt/privat/1"} & set(site.paths())
        assert len(site.paths()) == len(set(site.paths()))
    first = next(outcome for outcome in outcomes if isinstance(outcome, Fetched))
    assert first.facts == {"state": "Hessen"}
    assert first.text == "Das Projekt Eins begleitet Familien beim Ankommen.\nHessen"
    assert first.fetched_at == "2026-01-31T08:00:00.000Z"
    assert re.fullmatch("[0-9a-f]{64}", first.sha256)
    counts = running.counts
    assert (counts.records, counts.refused, counts.pages) == (3, 3, 9)
    assert counts.elsewhere == {"fremd.example": 1}
    assert running.failures() == ["probe: „state“ ist bei 33 % gefüllt, erwartet werden 50 %."]


def test_sitemaps_named_by_robots_nested_and_broken(tmp_path, make_fetcher):
    def urlset(*urls: str) -> Reply:
        return plain(f"<urlset>{''.join(f'<url><loc>{url}</loc></url>' for url in urls)}</urlset>", "application/xml")

    with Site() as site:
        base = site.url().rstrip("/")
        index = "".join(f"<sitemap><loc>{base}/{name}</loc></sitemap>" for name in ("s1.xml", "s2.xml", "index.xml"))
        site.pages = {
            "/robots.txt": plain(f"Sitemap: {base}/index.xml"),
            "/index.xml": plain(f"<sitemapindex>{index}</sitemapindex>", "application/xml"),
            "/s1.xml": urlset(f"{base}/projekt/1", f"{base}/sonstiges"),
            "/s2.xml": html("keine Sitemap"),
            "/": html("leer"),
            "/projekt/1": project("Eins"),
        }
        _, outcomes = run(source_for(tmp_path, site, sitemap="auto"), make_fetcher())
        assert titles(outcomes) == ["Eins"]
        assert reasons(outcomes) == {"s2.xml": "content_type"}
        assert site.paths().count("/index.xml") == 1


def test_a_missing_guessed_sitemap_is_nothing_to_report(tmp_path, make_fetcher):
    with Site({"/": links("/projekt/1"), "/projekt/1": project("Eins")}) as site:
        _, outcomes = run(source_for(tmp_path, site, sitemap="auto"), make_fetcher())
        assert titles(outcomes) == ["Eins"]
        assert reasons(outcomes) == {}


def test_aliases_and_copies_become_one_record(tmp_path, make_fetcher):
    copy = project("Eins")
    refresh = html("", head='<meta http-equiv="refresh" content="0; url=/projekt/1">')
    canonical = html(project("Vier").body.decode(), head='<link rel="canonical" href="/projekt/4">')
    start_page = html("<h1>Fünf</h1><main>Noch ein Projekt mit Text.</main>", head='<link rel="canonical" href="/">')
    pages = {
        "/": links("/projekt/1", "/projekt/kopie", "/projekt/alias", "/projekt/um", "/projekt/4", "/projekt/4?von=x",
                   "/projekt/5", "/projekt/fast"),
        "/projekt/1": copy,
        "/projekt/kopie": copy,
        "/projekt/alias": refresh,
        "/projekt/um": redirect("/projekt/1"),
        "/projekt/4": project("Vier"),
        "/projekt/4?von=x": canonical,
        "/projekt/5": start_page,
        "/projekt/fast": html(project("EINS").body.decode().replace("Das Projekt EINS", "Das  Projekt Eins")),
    }  # fmt: skip
    with Site(pages) as site:
        running, outcomes = run(source_for(tmp_path, site), make_fetcher())
    assert titles(outcomes) == ["Eins", "Vier", "Fünf"]
    assert reasons(outcomes) == {"projekt/kopie": "duplicate", "projekt/fast": "duplicate"}
    assert running.counts.aliases == 3
    assert running.counts.identical == 2


def test_a_redirect_to_the_same_page_in_another_form_is_followed(tmp_path, make_fetcher):
    pages = {
        "/": redirect("/?PHPSESSID=1"),
        "/?PHPSESSID=1": links("/projekt/1"),
        "/projekt/1": redirect("/projekt/1?utm_source=x"),
        "/projekt/1?utm_source=x": project("Eins"),
    }
    with Site(pages) as site:
        running, outcomes = run(source_for(tmp_path, site), make_fetcher())
        assert [(outcome.title, outcome.url) for outcome in outcomes] == [("Eins", site.url("/projekt/1"))]
    assert running.counts.aliases == 0


def test_a_redirect_out_of_the_source_is_refused(tmp_path, make_fetcher):
    with Site({"/projekt/9": project("Neun")}) as other, Site() as site:
        site.pages = {"/": links("/projekt/1"), "/projekt/1": redirect(other.url("/projekt/9"))}
        _, outcomes = run(source_for(tmp_path, site), make_fetcher())
    assert reasons(outcomes) == {"projekt/1": "elsewhere"}


def test_max_pages_ends_the_crawl_with_one_line(tmp_path, make_fetcher):
    pages = {"/": links(*[f"/projekt/{n}" for n in range(300)])} | {
        f"/projekt/{n}": project(str(n)) for n in range(300)
    }
    with Site(pages) as site:
        running, outcomes = run(source_for(tmp_path, site), make_fetcher())
        assert len(site.paths()) == 100
    assert running.counts.records == 99
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["max_pages"]
    assert "höchstens 5" in running.failures()[0]


def test_limit_and_progress(tmp_path, make_fetcher):
    pages = {"/": links(*[f"/projekt/{n}" for n in range(9)])} | {f"/projekt/{n}": project(str(n)) for n in range(9)}
    seen: list[tuple[int, int]] = []
    with Site(pages) as site:
        _, outcomes = run(source_for(tmp_path, site), make_fetcher(), limit=3, progress=lambda *at: seen.append(at))
        assert len(outcomes) == 3
        assert len(site.paths()) == 4
    assert seen[0] == (1, 10)


def test_the_entries_of_a_feed(tmp_path, make_fetcher):
    yaml = """\
name: probe
publisher: S
homepage: {base}/
licence: x
kind: feed
allow_private_hosts: true
feed: {{url: '{base}/feed'}}
fields: {{title: {{css: h1}}, text: {{css: main}}}}
"""
    with Site() as site:
        rss = "<rss><channel><item><link>/a</link></item><item><link>/b</link></item></channel></rss>"
        site.pages = {"/feed": plain(rss, "application/rss+xml"), "/a": project("A"), "/b": html("")}
        path = tmp_path / "probe.yaml"
        path.write_text(yaml.format(base=site.url().rstrip("/")), encoding="utf-8")
        _, outcomes = run(parse_source(path), make_fetcher())
        assert titles(outcomes) == ["A"]
        assert reasons(outcomes) == {"b": "no_record"}
        site.pages["/feed"] = html("weg")
        _, outcomes = run(parse_source(path), make_fetcher())
        assert reasons(outcomes) == {"feed": "feed"}


def list_yaml(where: str) -> str:
    return f"""\
name: probe
publisher: S
homepage: https://s.example/
licence: x
kind: list
allow_private_hosts: true
expect: {{min_records: 2}}
list: {{{where}, format: csv, columns: {{title: A, text: B}}}}
"""


def test_a_list_from_the_network_and_from_a_file(tmp_path, make_fetcher):
    path = tmp_path / "probe.yaml"
    with Site({"/l.csv": plain("A;B\r\neins;Text eins\r\nzwei\r\n", "text/csv", ETag='"1"')}) as site:
        path.write_text(list_yaml(f"url: '{site.url('/l.csv')}'"), encoding="utf-8")
        memory = FileMemory(tmp_path / "m.jsonl", "1")
        running, outcomes = run(parse_source(path), make_fetcher(), memory=memory)
        assert titles(outcomes) == ["eins"]
        assert outcomes[1].line == 3
        assert "mindestens 2" in running.failures()[0]
        _, outcomes = run(parse_source(path), make_fetcher(), memory=memory)
        assert isinstance(outcomes[0], Unchanged)
    (tmp_path / "l.csv").write_text("A;B\neins;Text eins\n", encoding="utf-8")
    path.write_text(list_yaml("file: l.csv"), encoding="utf-8")
    _, outcomes = run(parse_source(path), make_fetcher())
    assert outcomes[0].fetched_at == "2026-01-31T09:00:00.000Z"
    path.write_text(list_yaml("file: fehlt.csv"), encoding="utf-8")
    _, outcomes = run(parse_source(path), make_fetcher())
    assert [outcome.code for outcome in outcomes] == ["file"]


def test_a_second_run_asks_conditionally(tmp_path, make_fetcher):
    pages = {
        "/": links("/projekt/1", "/projekt/2"),
        "/projekt/1": project("Eins", ETag='"a"'),
        "/projekt/2": project("Zwei", Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT"),
    }
    with Site(pages) as site:
        source = source_for(tmp_path, site)
        memory = FileMemory(tmp_path / "m.jsonl", "1")
        run(source, make_fetcher(), memory=memory)
        site.pages["/projekt/2"] = project("Zwei, neu")
        again = FileMemory(tmp_path / "m.jsonl", "1")
        running, outcomes = run(source, make_fetcher(), memory=again)
        assert titles(outcomes) == ["Zwei, neu"]
        assert [outcome.url for outcome in outcomes if isinstance(outcome, Unchanged)] == [site.url("/projekt/1")]
        asked = {asked.path: asked.headers for asked in site.log[len(site.log) // 2 :]}
        assert asked["/projekt/1"]["If-None-Match"] == '"a"'
        assert asked["/projekt/2"]["If-Modified-Since"].startswith("Wed")
        assert running.counts.unchanged == 1


def test_a_memory_of_another_reading_is_begun_anew(tmp_path, make_fetcher):
    with Site({"/": links("/projekt/1"), "/projekt/1": project("Eins", ETag='"a"')}) as site:
        source = source_for(tmp_path, site)
        run(source, make_fetcher(), memory=FileMemory(tmp_path / "m.jsonl", "1"))
        _, outcomes = run(source, make_fetcher(), memory=FileMemory(tmp_path / "m.jsonl", "2"))
        assert titles(outcomes) == ["Eins"]


def test_a_crawl_killed_anywhere_goes_on_without_asking_twice(tmp_path, make_fetcher):
    copy = project("Kopie")
    pages: dict = {f"/projekt/{n}": project(f"Nummer {n}") for n in range(6)}
    for n in range(3):
        pages[f"/liste?page={n}"] = links(f"/projekt/{2 * n}", f"/projekt/{2 * n + 1}", f"/liste?page={n + 1}")
    pages |= {
        "/": links("/liste?page=0", "/projekt/k1", "/projekt/k2", "/projekt/tot"),
        "/projekt/k1": copy,
        "/projekt/k2": copy,
    }
    pages |= {"/liste?page=3": redirect("/liste?page=0"), "/projekt/leer": html("")}
    pages["/liste?page=1"] = links("/projekt/2", "/projekt/3", "/liste?page=2", "/projekt/leer")
    with Site(pages) as site:
        source = source_for(tmp_path, site)
        _, whole = run(source, make_fetcher())
        total = len(whole)
        for stop in range(total):
            site.log.clear()
            path = tmp_path / f"m{stop}.jsonl"
            started = crawl(source, fetcher=make_fetcher(), memory=FileMemory(path, "1"))
            stored = [next(started) for _ in range(stop + 1)]
            with path.open("ab") as torn:
                torn.write(b'{"url": "http://halb')
            after = "2026-01-31T07:00:00.000Z"
            rest = list(crawl(source, fetcher=make_fetcher(), memory=FileMemory(path, "1"), fresh_after=after))
            kept = {record.url: record for record in [*stored, *rest] if isinstance(record, Fetched)}
            assert kept == {record.url: record for record in whole if isinstance(record, Fetched)}
            in_flight = 1
            assert len(site.paths()) - len(set(site.paths())) <= in_flight


def test_a_source_in_the_open_internet_needs_a_contact(tmp_path):
    with Site() as site:
        source = source_for(tmp_path, site)
        assert fetcher_for(source).agent.startswith("CheckupIntegration/")
    text = source.path.read_text(encoding="utf-8").replace("allow_private_hosts: true\n", "")
    source.path.write_text(text, encoding="utf-8")
    with pytest.raises(CheckupError) as caught:
        fetcher_for(parse_source(source.path))
    assert "CHECKUP_CONTACT" in caught.value.message
    assert "amt@stadt.example" in fetcher_for(parse_source(source.path), contact="amt@stadt.example").agent


def test_a_pdf_as_record(tmp_path, make_fetcher):
    import io

    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.drawString(50, 700, "Das Projekt begleitet Familien beim Ankommen in der Stadt.")
    sheet.save()
    good = Reply(out.getvalue(), 200, {"Content-Type": "application/pdf"})
    bad = Reply(b"%PDF-1.4 kaputt", 200, {"Content-Type": "application/pdf"})
    pages = {"/": links("/projekt/Mein_Bericht.pdf", "/projekt/b.pdf"), "/projekt/Mein_Bericht.pdf": good}
    with Site({**pages, "/projekt/b.pdf": bad}) as site:
        _, outcomes = run(source_for(tmp_path, site), make_fetcher())
    assert outcomes[0].text == "Das Projekt begleitet Familien beim Ankommen in der Stadt."
    assert reasons(outcomes) == {"projekt/b.pdf": "no_record"}


def test_a_word_file_as_record(tmp_path, make_fetcher):
    import io

    import docx

    def word(text: str) -> Reply:
        out = io.BytesIO()
        document = docx.Document()
        document.add_paragraph(text)
        document.save(out)
        return Reply(out.getvalue(), 200, {"Content-Type": next(kind for kind in DOCUMENT_TYPES if "word" in kind)})

    text = "Das Projekt begleitet Familien beim Ankommen in der Stadt."
    pages = {"/": links("/projekt/Mein_Bericht.docx", "/liste/alle.docx"), "/projekt/Mein_Bericht.docx": word(text)}
    with Site(pages) as site:
        _, (record,) = run(source_for(tmp_path, site), make_fetcher())
        assert site.paths() == ["/", "/projekt/Mein_Bericht.docx"]
    assert record.text == text
    assert record.title == "Mein Bericht"


def test_four_hundred_records_at_one_path(tmp_path, make_fetcher):
    names = [f"/projekt/show.php?id={n}" for n in range(1, 401)]
    with Site({"/": links(*names)} | {name: project(name[-3:]) for name in names}) as site:
        source = source_for(tmp_path, site)
        text = source.path.read_text(encoding="utf-8").replace("max_pages: 100", "max_pages: 401")
        source.path.write_text(text, encoding="utf-8")
        running, outcomes = run(parse_source(source.path), make_fetcher())
    assert running.counts.records == 400
    assert reasons(outcomes) == {}


def test_links_to_another_name_of_the_site_give_a_hint(tmp_path, make_fetcher):
    away = links("/projekt/1", *[f"https://neu.example/projekt/{n}" for n in range(30)])
    with Site({"/": away, "/projekt/1": project("Eins")}) as site:
        running, _ = run(source_for(tmp_path, site), make_fetcher())
    assert "neu.example" in running.counts.hints[0]
    assert "host_aliases" in running.counts.hints[0]
