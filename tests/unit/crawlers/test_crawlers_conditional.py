"""Whatever was read before is asked for conditionally: sitemaps, feeds, copies and other addresses of a page, too."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.crawling import YAML, links, project, reasons, run, source_for, titles
from support.site import Handler, Reply, Site, html, plain, redirect

from crawlers.crawl import Unchanged, crawl
from crawlers.memory import FileMemory
from crawlers.source import SourceConfig, parse_source
from data.records import Fetched

DATE = "Wed, 28 Jan 2026 08:00:00 GMT"
XML = "application/xml"


def marked(reply: Reply, tag: str = "1") -> Reply:
    return Reply(reply.body, reply.status, {**reply.headers, "ETag": f'"{tag}"'})


def again(source: SourceConfig, make_fetcher: Any, site: Site, tmp_path: Path) -> tuple[Any, list[Any]]:
    """The next run; `site.log` is its own."""
    site.log.clear()
    return run(source, make_fetcher(), memory=FileMemory(tmp_path / "m.jsonl", "1"))


def conditions(site: Site) -> dict[str, str | None]:
    """By path, the validator that each request of the last run bore; no path was asked for twice."""
    asked = [one for one in site.log if one.path not in ("/robots.txt", "/.well-known/tdmrep.json")]
    assert len({one.path for one in asked}) == len(asked), site.paths()
    return {one.path: one.headers.get("If-None-Match") or one.headers.get("If-Modified-Since") for one in asked}


def urlset(site: Site, *paths: str, **headers: str) -> Reply:
    found = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in paths)
    return plain(f"<urlset>{found}</urlset>", XML, **headers)


def test_sitemaps_are_asked_for_conditionally_in_every_later_run(tmp_path, make_fetcher):
    with Site({f"/projekt/{n}": project(str(n), ETag=f'"{n}"') for n in (1, 2, 3)}) as site:
        inner = [f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in ("/s1.xml", "/s2.xml")]
        site.pages["/"] = links()
        site.pages["/sitemap.xml"] = plain(f"<sitemapindex>{''.join(inner)}</sitemapindex>", XML, ETag='"i"')
        site.pages["/s1.xml"] = urlset(site, "/projekt/1", Last_Modified=DATE)
        site.pages["/s2.xml"] = urlset(site, "/projekt/2", ETag='"s2"')
        source = source_for(tmp_path, site, sitemap="auto")
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["1", "2"]
        assert set(conditions(site).values()) == {None}
        expected = {"/sitemap.xml": '"i"', "/s1.xml": DATE, "/s2.xml": '"s2"', "/": None}
        for _ in range(2):
            _, outcomes = again(source, make_fetcher, site, tmp_path)
            assert [type(outcome) for outcome in outcomes] == [Unchanged, Unchanged]
            assert conditions(site) == {**expected, "/projekt/1": '"1"', "/projekt/2": '"2"'}
        site.pages["/s2.xml"] = urlset(site, "/projekt/3", ETag='"s2b"')
        _, outcomes = again(source, make_fetcher, site, tmp_path)
        assert titles(outcomes) == ["3"]
        assert conditions(site) == {**expected, "/projekt/1": '"1"', "/projekt/3": None}
        again(source, make_fetcher, site, tmp_path)
        assert conditions(site)["/s2.xml"] == '"s2b"'


def feed(*paths: str, **headers: str) -> Reply:
    items = "".join(f"<item><link>{path}</link></item>" for path in paths)
    return plain(f"<rss><channel>{items}</channel></rss>", "application/rss+xml", **headers)


def feed_source(tmp_path: Path, site: Site) -> SourceConfig:
    yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none").split("site:")
    path = tmp_path / "probe.yaml"
    fields = "fields:" + yaml[1].split("fields:")[1]
    told = yaml[0].replace("kind: site", "kind: feed")
    path.write_text(told + f"feed: {{url: '{site.url('/feed')}'}}\n{fields}", "utf-8")
    return parse_source(path)


@pytest.mark.parametrize("headers", [{"ETag": '"f"'}, {"Last_Modified": DATE}], ids=["ETag", "Last-Modified"])
def test_feeds_are_asked_for_conditionally_in_every_later_run(tmp_path, make_fetcher, headers):
    with Site({f"/a/{n}": project(str(n), ETag=f'"{n}"') for n in (1, 2, 3)}) as site:
        site.pages["/feed"] = feed("/a/1", "/a/2", **headers)
        source = feed_source(tmp_path, site)
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["1", "2"]
        for _ in range(2):
            _, outcomes = again(source, make_fetcher, site, tmp_path)
            assert [type(outcome) for outcome in outcomes] == [Unchanged, Unchanged]
            assert conditions(site) == {"/feed": next(iter(headers.values())), "/a/1": '"1"', "/a/2": '"2"'}
        site.pages["/feed"] = feed("/a/3", ETag='"g"')
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["3"]
        interrupted = FileMemory(tmp_path / "m.jsonl", "1")
        site.log.clear()
        run(source, make_fetcher(), memory=interrupted, fresh_after="2026-01-31T08:00:00.000Z")
        assert site.paths() == []


SAID = [f"Im {word} Raum lernen Zugewanderte und Freiwillige gemeinsam." for word in ("ersten", "zweiten", "dritten")]


def counting(views: int, tag: str, *more: str) -> Reply:
    lines = "".join(f"<p>{line}</p>" for line in [*SAID, *more, f"{views} Aufrufe"])
    return html(f"<h1>Haus</h1><main>{lines}</main>", ETag=f'"{tag}"')


COPIES = {
    "byte for byte": (counting(1, "a"), counting(1, "b")),
    "title and text": (counting(1, "a"), Reply(counting(1, "b").body + b"\n<!-- -->", 200, counting(1, "b").headers)),
    "but for numbers": (counting(1, "a"), counting(2, "b")),
}


@pytest.fixture(params=COPIES)
def copied(request, tmp_path, make_fetcher):
    """A site of a page and its copy, crawled once."""
    first, second = COPIES[request.param]
    with Site({"/": links("/projekt/a", "/projekt/b"), "/projekt/a": first, "/projekt/b": second}) as site:
        source = source_for(tmp_path, site)
        _, outcomes = again(source, make_fetcher, site, tmp_path)
        assert reasons(outcomes) == {"projekt/b": "duplicate"}
        yield source, site


def test_copies_are_asked_for_conditionally(copied, make_fetcher, tmp_path):
    source, site = copied
    for _ in range(3):
        running, outcomes = again(source, make_fetcher, site, tmp_path)
        assert conditions(site) == {"/": None, "/projekt/a": '"a"', "/projekt/b": '"b"'}
        assert [outcome.url for outcome in outcomes] == [site.url("/projekt/a"), site.url("/projekt/b")]
        assert isinstance(outcomes[0], Unchanged)
        assert outcomes[1].code == "duplicate"
        assert outcomes[1].reason.endswith(f"gleich {site.url('/projekt/a')}.")
        assert running.counts.identical == 1


@pytest.mark.parametrize("change", ["another text", "gone", "not linked"])
def test_a_copy_is_read_again_where_its_first_is_no_longer_that(copied, make_fetcher, tmp_path, change):
    source, site = copied
    if change == "another text":
        site.pages["/projekt/a"] = counting(1, "a2", "Es gibt auch einen Chor.")
    elif change == "gone":
        del site.pages["/projekt/a"]
    else:
        site.pages["/"] = links("/projekt/b")
    _, outcomes = again(source, make_fetcher, site, tmp_path)
    assert conditions(site)["/projekt/b"] is None
    records = [outcome.url for outcome in outcomes if isinstance(outcome, Fetched)]
    assert records[-1] == site.url("/projekt/b")
    _, outcomes = again(source, make_fetcher, site, tmp_path)
    assert site.url("/projekt/b") in [outcome.url for outcome in outcomes if isinstance(outcome, Unchanged)]


def test_whether_a_page_changed_makes_no_other_page_the_first(copied, make_fetcher, tmp_path):
    """The first in the order of the site is the record, asked for conditionally or not; never are both records."""
    source, site = copied
    site.pages["/"] = links("/projekt/b", "/projekt/a")
    for _ in range(2):
        _, outcomes = again(source, make_fetcher, site, tmp_path)
        assert reasons(outcomes) == {"projekt/a": "duplicate"}
        assert [outcome.url for outcome in outcomes if not hasattr(outcome, "code")] == [site.url("/projekt/b")]
    assert conditions(site) == {"/": None, "/projekt/a": '"a"', "/projekt/b": '"b"'}


def test_another_address_by_rel_canonical_is_asked_for_conditionally(tmp_path, make_fetcher):
    head = '<link rel="canonical" href="/projekt/1">'
    print_view = html("<h1>Eins</h1><main>Das Projekt begleitet Familien. Drucken</main>", head=head, ETag='"p"')
    pages = {"/projekt/1": project("Eins", ETag='"1"'), "/projekt/1/druck": print_view}
    with Site({"/": links(*pages), **pages}) as site:
        source = source_for(tmp_path, site)
        running, _ = again(source, make_fetcher, site, tmp_path)
        assert running.counts.aliases == 1
        for _ in range(2):
            running, outcomes = again(source, make_fetcher, site, tmp_path)
            assert conditions(site) == {"/": None, "/projekt/1": '"1"', "/projekt/1/druck": '"p"'}
            assert [type(outcome) for outcome in outcomes] == [Unchanged]
            assert running.counts.aliases == 1
        site.pages["/"] = links("/projekt/1/druck")
        _, outcomes = again(source, make_fetcher, site, tmp_path)
        assert conditions(site) == {"/": None, "/projekt/1/druck": None}
        assert [outcome.url for outcome in outcomes if isinstance(outcome, Fetched)] == [site.url("/projekt/1")]


def test_a_meta_refresh_is_asked_for_conditionally(tmp_path, make_fetcher):
    moved = html("", head='<meta http-equiv="refresh" content="0; url=/projekt/1">', ETag='"m"')
    with Site({"/": links("/projekt/alt"), "/projekt/alt": moved, "/projekt/1": project("Eins", ETag='"1"')}) as site:
        source = source_for(tmp_path, site)
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["Eins"]
        _, outcomes = again(source, make_fetcher, site, tmp_path)
        assert conditions(site) == {"/": None, "/projekt/alt": '"m"', "/projekt/1": '"1"'}
        assert [type(outcome) for outcome in outcomes] == [Unchanged]


def test_behind_a_redirect_the_page_that_answered_is_asked_conditionally(tmp_path, make_fetcher):
    """The validators are those of one address: asked of another page, they could call it unchanged."""
    pages = {"/projekt/um": redirect("/projekt/1"), "/projekt/1": marked(project("Eins"))}
    with Site({"/": links("/projekt/um"), **pages}) as site:
        source = source_for(tmp_path, site)
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["Eins"]
        for _ in range(2):
            _, outcomes = again(source, make_fetcher, site, tmp_path)
            assert conditions(site) == {"/": None, "/projekt/um": None, "/projekt/1": '"1"'}
            assert [(type(outcome), outcome.url) for outcome in outcomes] == [(Unchanged, site.url("/projekt/1"))]
        site.pages["/projekt/um"] = redirect("/projekt/2")
        site.pages["/projekt/2"] = marked(project("Zwei"))
        _, outcomes = again(source, make_fetcher, site, tmp_path)
        assert conditions(site) == {"/": None, "/projekt/um": None, "/projekt/2": None}
        assert titles(outcomes) == ["Zwei"]
        site.pages["/projekt/um"] = project("Selbst")
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["Selbst"]


def test_pages_that_gave_nothing_are_read_again(tmp_path, make_fetcher):
    with Site({"/": links("/projekt/1"), "/projekt/1": html("<p>leer</p>", ETag='"1"')}) as site:
        source = source_for(tmp_path, site)
        for _ in range(2):
            assert reasons(again(source, make_fetcher, site, tmp_path)[1]) == {"projekt/1": "no_record"}
            assert conditions(site) == {"/": None, "/projekt/1": None}


def test_what_only_another_address_links_to_is_found_behind_an_unchanged_one(tmp_path, make_fetcher):
    second = html(
        "<h1>Eins</h1><main>Seite zwei von Eins</main><a href='/projekt/9'>x</a>",
        head='<link rel="canonical" href="/projekt/1">',
        ETag='"2"',
    )
    pages = {"/projekt/1": project("Eins", ETag='"1"'), "/projekt/1/seite2": second}
    with Site({"/": links(*pages), **pages, "/projekt/9": project("Neun", ETag='"9"')}) as site:
        source = source_for(tmp_path, site)
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["Eins", "Neun"]
        for _ in range(2):
            _, outcomes = again(source, make_fetcher, site, tmp_path)
            assert [outcome.url for outcome in outcomes] == [site.url("/projekt/1"), site.url("/projekt/9")]
            assert conditions(site)["/projekt/1/seite2"] == '"2"'


def terse(reply: Reply) -> Handler:
    """Answers 304 with nothing but the ETag, as most servers do."""

    def answer(request: Any) -> None:
        unchanged = request.headers.get("If-None-Match") == reply.headers["ETag"]
        request.send_response(304 if unchanged else 200)
        for name, value in {"ETag": reply.headers["ETag"]}.items() if unchanged else reply.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(b"" if unchanged else reply.body)

    return answer


def test_an_opt_out_by_header_is_seen_in_time_though_a_304_leaves_it_out(tmp_path, make_fetcher):
    with Site({"/": links("/projekt/1"), "/projekt/1": terse(project("Eins", ETag='"1"'))}) as site:
        source = source_for(tmp_path, site)

        def on(day: str) -> list[Any]:
            site.log.clear()
            fetcher = make_fetcher(now=lambda: f"{day}T08:00:00.000Z")
            memory = FileMemory(tmp_path / "m.jsonl", "1")
            return list(crawl(source, fetcher=fetcher, now=lambda: f"{day}T08:00:00.000Z", memory=memory))

        assert titles(on("2026-02-01")) == ["Eins"]
        site.pages["/projekt/1"] = terse(project("Eins", ETag='"1"', X_Robots_Tag="noai"))
        for day in ("2026-03-01", "2026-03-18"):
            assert [type(outcome) for outcome in on(day)] == [Unchanged]
            assert conditions(site)["/projekt/1"] == '"1"'
        assert reasons(on("2026-03-19")) == {"projekt/1": "opt_out"}
        assert conditions(site)["/projekt/1"] is None


@pytest.mark.parametrize("told", [None, "", "gestern", "2027-01-31T08:00:00.000Z", "2026-01-31T08:00:00"])
def test_a_memory_that_does_not_tell_the_last_full_answer_counts_as_old(tmp_path, make_fetcher, told):
    with Site({"/": links("/projekt/1"), "/projekt/1": project("Eins", ETag='"1"')}) as site:
        source = source_for(tmp_path, site)
        again(source, make_fetcher, site, tmp_path)
        path = tmp_path / "m.jsonl"
        entries = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
        for entry in entries:
            entry.pop("full_at", None)
            entry.update({} if told is None else {"full_at": told})
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["Eins"]
        assert conditions(site) == {"/": None, "/projekt/1": None}


def test_a_feeds_entry_that_sends_its_readers_on_does_so_in_every_run(tmp_path, make_fetcher):
    moved = html("", head='<meta http-equiv="refresh" content="0; url=/b/1">', ETag='"m"')
    with Site({"/feed": feed("/a/1", ETag='"f"'), "/a/1": moved, "/b/1": project("Eins", ETag='"1"')}) as site:
        source = feed_source(tmp_path, site)
        running, outcomes = again(source, make_fetcher, site, tmp_path)
        assert titles(outcomes) == ["Eins"]
        for _ in range(2):
            later, outcomes = again(source, make_fetcher, site, tmp_path)
            assert [type(outcome) for outcome in outcomes] == [Unchanged]
            assert conditions(site) == {"/feed": '"f"', "/a/1": '"m"', "/b/1": '"1"'}
            assert later.counts.aliases == running.counts.aliases == 1


INTERRUPTED = "2026-01-31T07:00:00.000Z"


def resumed(source: SourceConfig, make_fetcher: Any, site: Site, tmp_path: Path) -> list[Any]:
    site.log.clear()
    memory = FileMemory(tmp_path / "m.jsonl", "1")
    outcomes = run(source, make_fetcher(), memory=memory, fresh_after=INTERRUPTED)[1]
    assert site.paths() == []
    return outcomes


def test_a_feed_that_names_itself_is_still_a_feed_when_its_crawl_goes_on(tmp_path, make_fetcher):
    with Site({"/feed": feed("/a/1", "/feed"), "/a/1": project("Eins")}) as site:
        source = feed_source(tmp_path, site)
        first = again(source, make_fetcher, site, tmp_path)[1]
        assert titles(first) == ["Eins"]
        assert reasons(first) == {"feed": "content_type"}
        outcomes = resumed(source, make_fetcher, site, tmp_path)
        assert [type(outcome) for outcome in outcomes if not hasattr(outcome, "code")] == [Unchanged]
        assert reasons(outcomes) == {"feed": "content_type"}


def test_a_sitemap_that_is_linked_is_still_a_sitemap_when_its_crawl_goes_on(tmp_path, make_fetcher):
    with Site({"/": links("/liste/karte"), "/projekt/1": project("Eins")}) as site:
        site.pages["/liste/karte"] = urlset(site, "/projekt/1")
        source = source_for(tmp_path, site, sitemap=f"['{site.url('/liste/karte')}']")
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["Eins"]
        outcomes = resumed(source, make_fetcher, site, tmp_path)
        assert [type(outcome) for outcome in outcomes if not hasattr(outcome, "code")] == [Unchanged]


def test_memory_names_a_page_only_by_its_own_entry_and_by_links(copied, make_fetcher, tmp_path):
    source, site = copied
    for _ in range(2):
        entries = map(json.loads, filter(None, (tmp_path / "m.jsonl").read_text("utf-8").splitlines()))
        latest = {entry["url"]: entry for entry in entries if "url" in entry}
        told = {**latest[site.url("/projekt/b")], "url": "", "final_url": ""}
        assert told["code"] == "duplicate"
        assert site.host not in json.dumps(told)
        again(source, make_fetcher, site, tmp_path)
    outcomes = resumed(source, make_fetcher, site, tmp_path)
    assert outcomes[1].reason.endswith(f"gleich {site.url('/projekt/a')}.")


def test_pages_of_several_records_keep_the_same_records_in_every_run(tmp_path, make_fetcher):
    """One record stands on both pages: the first is the record in every run, whichever page changed."""
    items = {name: f"<article><h1>{name}</h1><main>Die {name} hilft vor Ort.</main></article>" for name in "ABC"}
    page_of = {"/projekt/1": items["A"] + items["B"], "/projekt/2": items["B"] + items["C"]}
    pages = {path: html(body, ETag=f'"{path}"') for path, body in page_of.items()}
    with Site({"/": links(*pages), **pages}) as site:
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        path = tmp_path / "probe.yaml"
        path.write_text(yaml.replace("  max_pages", "  item: {css: article}\n  max_pages"), "utf-8")
        source = parse_source(path)
        _, first = again(source, make_fetcher, site, tmp_path)
        assert titles(first) == ["A", "B", "C"]
        site.pages["/projekt/2"] = html(page_of["/projekt/2"] + "<p>neu</p>", ETag='"neu"')
        for _ in range(2):
            _, outcomes = again(source, make_fetcher, site, tmp_path)
            assert [outcome.url for outcome in outcomes] == [outcome.url for outcome in first]
            assert titles(outcomes) == ["A", "B", "C"]


def test_a_record_is_given_once_where_its_own_address_is_found_later(tmp_path, make_fetcher):
    head = '<link rel="canonical" href="/projekt/1">'
    print_view = html("<h1>Eins</h1><main>Das Projekt begleitet Familien. Drucken</main>", head=head, ETag='"p"')
    with Site({"/": links("/projekt/1/druck"), "/projekt/1/druck": print_view}) as site:
        site.pages["/projekt/1"] = project("Eins", ETag='"1"')
        source = source_for(tmp_path, site)
        _, outcomes = again(source, make_fetcher, site, tmp_path)
        assert [outcome.url for outcome in outcomes] == [site.url("/projekt/1")]
        site.pages["/"] = links("/projekt/1", "/projekt/1/druck")
        for _ in range(3):
            running, outcomes = again(source, make_fetcher, site, tmp_path)
            assert [outcome.url for outcome in outcomes] == [site.url("/projekt/1")]
            assert running.counts.aliases == 1
        assert conditions(site)["/projekt/1/druck"] == '"p"'


def test_a_page_that_is_called_unchanged_unasked_is_a_fault_of_its_server(tmp_path, make_fetcher):
    with Site({"/": links("/projekt/1"), "/projekt/1": project("Eins")}) as site:
        source = source_for(tmp_path, site)
        assert titles(again(source, make_fetcher, site, tmp_path)[1]) == ["Eins"]
        site.pages["/projekt/1"] = Reply(b"", 304)
        for _ in range(2):
            _, outcomes = again(source, make_fetcher, site, tmp_path)
            assert reasons(outcomes) == {"projekt/1": "server"}
            assert conditions(site) == {"/": None, "/projekt/1": None}
