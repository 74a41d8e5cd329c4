"""Finding pages: canonical addresses, links, sitemaps, feeds, bounded traps."""

import gzip
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.discover import Frontier, canonical_url, page_links, parse_feed, parse_sitemap
from crawlers.source import SiteConfig
from crawlers.web import Refusal


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://Ex.example/a?utm_source=x&b=2&a=1#teil", "https://ex.example/a?a=1&b=2"),
        ("https://ex.example/a;jsessionid=12AB?x=1", "https://ex.example/a?x=1"),
        ("https://ex.example/a?PHPSESSID=abc&page=2", "https://ex.example/a?page=2"),
        ("https://alt.example/a", "https://neu.example/a"),
        ("https://ex.example:443/a/../b/./c", "https://ex.example/b/c"),
        ("https://ex.example/Straße/ä", "https://ex.example/Stra%C3%9Fe/%C3%A4"),
        ("https://ex.example", "https://ex.example/"),
        ("http://ex.example/a", "https://ex.example/a"),
    ],
)
def test_canonical_forms(url, form):
    assert canonical_url(url, aliases={"alt.example": "neu.example"}, schemes={"ex.example": "https"}) == form


@pytest.mark.parametrize(
    "url", ["mailto:a@b.example", "javascript:void(0)", "tel:123", "http://", "http://[", "#x", ""]
)
def test_what_has_no_canonical_form(url):
    assert canonical_url(url) is None


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_the_canonical_form_is_its_own(tail):
    once = canonical_url(f"https://ex.example/{tail}")
    assert once is None or canonical_url(once) == once


def test_links_of_a_page():
    html = """<html><head><base href="/basis/"><link rel="canonical" href="/kanon">
      <link rel=next href="?page=2"><meta http-equiv="Refresh" content="0; URL='/neu'"></head>
      <body><a href="eins">1</a><a href="eins#x">1</a><a rel="nofollow" href="/kalender">k</a>
      <a href="mailto:x@y.example">m</a><area href="/zwei"><a>leer</a></body></html>"""
    found = page_links(html, "https://ex.example/alt/seite")
    assert found.links == (
        "https://ex.example/basis/?page=2",
        "https://ex.example/basis/eins",
        "https://ex.example/basis/eins#x",
        "https://ex.example/zwei",
    )
    assert found.canonical == "https://ex.example/kanon"
    assert found.refresh == "https://ex.example/neu"


def test_links_after_a_premature_end_are_found():
    html = "<html><body><a href=/a>x</a></body></html><a href=/b>x</a>"
    assert page_links(html, "https://e.example/").links == ("https://e.example/a", "https://e.example/b")


NO_REDIRECTS = [
    "300; url=/neu", "5", "5;", "1.5", "", "0; url=", "0; url=mailto:a@b.example", "0;/a'b", "0; 'a'b'", "0; ''",
    f"0;{' ' * 150}'x'x", f"0;{' ' * 3000}/neu", "0" * 5000, f"0; url=/{'x' * 2000}",
]  # fmt: skip


@pytest.mark.parametrize("content", NO_REDIRECTS)
def test_a_refresh_that_is_no_redirect(content):
    html = f'<meta http-equiv="refresh" content="{content}">'
    assert page_links(html, "https://ex.example/").refresh is None


@pytest.mark.parametrize(
    "content",
    ["0;url=/neu", " 0 ; URL = '/neu' ", "/neu", "url=/neu", "3.5,/neu", "0 /neu", "0;url='/neu", f"0;{' ' * 150}/neu"],
)
def test_a_refresh_in_every_form(content):
    html = f'<meta http-equiv="refresh" content="{content}">'
    assert page_links(html, "https://ex.example/").refresh == "https://ex.example/neu"


@pytest.mark.parametrize(
    "html", ["", "\x00", "<?xml version='1.0' encoding='latin-1'?><a href=x>", "<a href='http://['>", "<div>" * 50_000]
)
def test_any_page_has_links_or_none(html):
    assert len(page_links(html, "https://ex.example/").links) <= 1


NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def test_sitemaps_of_every_kind():
    entry = "<url><loc> https://e.example/a </loc><lastmod>1970-01-01</lastmod></url>"
    pages = f"<?xml version='1.0'?><urlset {NS}>{entry}</urlset>"
    index = f"<sitemapindex {NS}><sitemap><loc>https://e.example/s2.xml.gz</loc></sitemap></sitemapindex>"
    assert parse_sitemap(pages.encode()).pages == ("https://e.example/a",)
    assert parse_sitemap(gzip.compress(pages.encode())).pages == ("https://e.example/a",)
    assert parse_sitemap(index.encode()).sitemaps == ("https://e.example/s2.xml.gz",)
    assert parse_sitemap(b"https://e.example/a\nhttps://e.example/b\n").pages == (
        "https://e.example/a",
        "https://e.example/b",
    )
    assert parse_sitemap(f"<urlset {NS}></urlset>".encode()).pages == ()
    cut = pages.replace("</url></urlset>", "")
    assert parse_sitemap(cut.encode()).pages == ("https://e.example/a",)


@pytest.mark.parametrize("body", [b"<html><body>404</body></html>", b"<" * 1000])
def test_what_is_no_sitemap(body):
    with pytest.raises(Refusal) as caught:
        parse_sitemap(body)
    assert caught.value.code in ("sitemap", "xml")


def test_a_file_of_noise_names_no_pages():
    assert parse_sitemap(b"\x00\x01\xff nichts").pages == parse_sitemap(b"").pages == ()


def test_entities_are_not_expanded():
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<!DOCTYPE x [<!ENTITY l0 "ha">{lol}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    bomb = f"{head}<urlset {NS}><url><loc>https://e.example/a</loc></url><url><loc>&l9;&f;</loc></url></urlset>"
    assert all(len(page) < 1000 and "root" not in page for page in parse_sitemap(bomb.encode()).pages)


def test_a_packed_sitemap_bomb_is_noticed():
    with pytest.raises(Refusal) as caught:
        parse_sitemap(gzip.compress(b"<" * 80_000_000, 9))
    assert caught.value.code in ("bomb", "too_big")


def test_feeds():
    rss = """<rss version="2.0"><channel><link>https://e.example/</link>
      <item><link>/eins</link></item><item><guid>https://e.example/zwei</guid></item>
      <item><guid isPermaLink="false">abc</guid></item></channel></rss>"""
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://e.example/"/>
      <entry><link rel="self" href="/x"/><link rel="alternate" href="/drei"/></entry></feed>"""
    assert parse_feed(rss.encode(), "https://e.example/feed") == ("https://e.example/eins", "https://e.example/zwei")
    assert parse_feed(atom.encode(), "https://e.example/feed") == ("https://e.example/drei",)
    with pytest.raises(Refusal):
        parse_feed(b"<html></html>", "https://e.example/feed")


def site(**changes) -> SiteConfig:
    options = {
        "start": ("https://e.example/",),
        "records": (re.compile(r"/projekt/"),),
        "follow": (re.compile(r"/(liste|kalender|suche)"),),
        "never": (re.compile(r"/projekt/intern"),),
        "host_aliases": {"alt.example": "e.example"},
    }
    return SiteConfig(**{**options, **changes})


def test_the_frontier_takes_what_is_wanted_once():
    frontier = Frontier(site())
    frontier.start()
    assert frontier.add("https://alt.example/projekt/1", 1)
    assert not frontier.add("https://e.example/projekt/1#x", 1)
    assert not frontier.add("https://e.example/projekt/intern/1", 1)
    assert not frontier.add("https://e.example/impressum", 1)
    assert not frontier.add("https://fremd.example/projekt/1", 1)
    assert not frontier.add("https://e.example/projekt/bild.jpg", 1)
    assert frontier.add("https://e.example/liste?page=2", 1)
    assert frontier.elsewhere == {"fremd.example": 1}
    roles = [(target.url, target.role) for target in iter(frontier.pop, None)]
    assert roles == [
        ("https://e.example/", "follow"),
        ("https://e.example/projekt/1", "record"),
        ("https://e.example/liste?page=2", "follow"),
    ]


def test_a_word_file_is_taken_for_a_record_only():
    frontier = Frontier(site())
    assert frontier.add("https://e.example/projekt/Bericht.DOCX", 1)
    assert not frontier.add("https://e.example/liste/alle.docx", 1)
    assert not frontier.add("https://e.example/projekt/alt.doc", 1)
    assert not frontier.add("https://e.example/projekt/tabelle.xlsx", 1)


def test_records_that_differ_in_their_query_are_no_trap():
    frontier = Frontier(site(records=(re.compile(r"/projekt/show\.php\?id=\d+$"),)))
    assert all(frontier.add(f"https://e.example/projekt/show.php?id={n}", 1) for n in range(1, 401))
    assert not frontier.trapped
    assert sum(frontier.add(f"https://e.example/liste/show.php?id={n}", 1) for n in range(1, 401)) == 300


def test_depth_is_bounded():
    assert not Frontier(site(max_depth=3)).add("https://e.example/liste/a", 4)


def test_traps_are_bounded_and_named():
    frontier = Frontier(site())
    calendar = sum(
        frontier.add(f"https://e.example/kalender/{year}/{month}", 1)
        for year in range(1900, 2100)
        for month in range(12)
    )
    endless = sum(frontier.add(f"https://e.example/suche?q={n}", 1) for n in range(2000))
    loop = sum(frontier.add("https://e.example/liste" + "/a/b" * n, 1) for n in range(50))
    assert calendar == 500
    assert endless == 300
    assert loop <= 4
    assert len(frontier.trapped) == 3


def test_forty_nine_pages_of_a_list_are_no_trap():
    frontier = Frontier(site())
    assert all(frontier.add(f"https://e.example/liste?page={n}", n) for n in range(49))
    assert not frontier.trapped
