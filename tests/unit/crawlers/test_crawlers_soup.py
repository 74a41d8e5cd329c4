"""The fast ways of reading a page give what the slow ones give: its tree, its links, their canonical forms."""

import sys
from pathlib import Path
from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers import fast_tree
from crawlers import soup as soup_module
from crawlers.addresses import joined
from crawlers.discover import SIMPLE_URL, Frontier, canonical_url, host_and_path
from crawlers.fast_tree import KINDS
from crawlers.soup import SAMPLE, build_tree, described
from crawlers.source import SiteConfig

GOLDEN = Path(__file__).parents[2] / "golden"
NAMES = ("p", "a", "b", "div", "li", "ul", "table", "td", "script", "style", "pre", "textarea", "svg", "title", "meta",
         "br", "h1", "template", "x:y", "body", "html", "head", "option", "noscript")  # fmt: skip
PIECES = st.one_of(
    st.sampled_from([f"<{name}>" for name in NAMES]),
    st.sampled_from([f"</{name}>" for name in NAMES]),
    st.sampled_from(
        [
            "<a href='/x' rel='next prev' class='m n'>", "<p id=1 id=2 {z}=3>", "<meta charset=utf-8>", " ", "\n", "\t",
            "<meta http-equiv='Content-Type' content='text/html; charset=latin-1'>", "<!-- c -->", "<!DOCTYPE html>",
            "<?pi d?>", "<![CDATA[d]]>", "&amp;", "&nbsp;", "<", "\u00a0", "<html xmlns:f='u' xml:lang='de'>", "<f:g/>",
        ]
    ),
    st.text(max_size=4),
)  # fmt: skip


def slow(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "lxml", multi_valued_attributes=None)


def test_the_fast_way_is_taken():
    assert type(build_tree(SAMPLE)) is not BeautifulSoup


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=400, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_every_tree_is_the_same(html):
    fast = build_tree(html)
    assert described(fast) == described(slow(html))
    assert str(fast) == str(slow(html))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*/input.html")), ids=lambda path: path.parent.name)
def test_golden_pages_are_the_same(path):
    html = path.read_text("utf-8")
    assert described(build_tree(html)) == described(slow(html))
    assert [str(tag) for tag in build_tree(html).select("main p, a[href]")] == [
        str(tag) for tag in slow(html).select("main p, a[href]")
    ]


def test_a_page_of_many_made_up_elements_leaves_no_more_than_it_may():
    html = "".join(f"<e{n}>x</e{n}>" for n in range(2 * KINDS))
    assert described(build_tree(html)) == described(slow(html))
    assert len(fast_tree.KNOWN) <= KINDS


def test_a_description_tells_trees_apart():
    trees = [
        described(slow(html)) for html in ("<p>a<b>c</b>", "<p>a</p><b>c</b>", "<p>a<i>c</i>", "<p>a<b id=1>c</b>")
    ]
    assert len({str(tree) for tree in trees}) == len(trees)


def forgets_the_last(soup, node):
    soup._most_recent_element = None
    LINK(soup, node)


LINK = fast_tree.Soup._link


def raises(soup, node):
    raise LookupError


@pytest.mark.parametrize(
    "broken", [lambda soup, node: None, forgets_the_last, raises], ids=["breaks", "differs", "raises"]
)
def test_another_version_is_read_in_its_own_way(monkeypatch, broken):
    monkeypatch.setattr(fast_tree.Soup, "_link", broken)
    soup_module._is_the_same.cache_clear()
    try:
        assert type(build_tree("<p>a")) is BeautifulSoup
    finally:
        soup_module._is_the_same.cache_clear()


def test_a_version_without_what_is_built_on_is_read_in_its_own_way(monkeypatch):
    monkeypatch.setitem(sys.modules, "crawlers.fast_tree", None)
    soup_module._is_the_same.cache_clear()
    try:
        assert type(build_tree("<p>a")) is BeautifulSoup
    finally:
        soup_module._is_the_same.cache_clear()


def test_a_page_on_which_the_fast_way_fails_is_read_in_beautifulsoups_own(monkeypatch):
    assert type(build_tree(SAMPLE)) is not BeautifulSoup
    monkeypatch.setattr(fast_tree.Soup, "_link", raises)
    assert str(build_tree("<p>a")) == "<html><body><p>a</p></body></html>"


SIGNS = "aZ09_-./é%2;:@#? &=+~'[]\\\t()"
BASES = ("https://b.example/projekt/1", "http://b.example:8080", "https://B.example/a/b/?x=1", "ftp://b.example/a", "")


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except ValueError:
        return ValueError


@given(
    st.sampled_from(BASES),
    st.sampled_from(["/", "", "https://b.example/", "http://c.example", "HTTPS://b.example/", "//c.example/"]),
    st.text(SIGNS, max_size=12),
)
@settings(max_examples=3000, deadline=None)
def test_links_are_joined_as_by_the_standard_library(base, front, rest):
    assert outcome(joined, base, front + rest) == outcome(urljoin, base, front + rest)


HOSTS = (
    "b.example",
    "x.b.example:443",
    "b.example:80",
    "alt.example",
    "127.0.0.1:8080",
    "1.2",
    "a..b",
    "0x7f.1",
    "-a.de",
)


@given(st.sampled_from(["https://", "http://"]), st.sampled_from(HOSTS), st.text("aZ09_-./", max_size=12))
@settings(max_examples=3000, deadline=None)
def test_simple_addresses_have_the_canonical_form_of_all(scheme, host, path):
    site = SiteConfig(start=("https://b.example/",), records=(), host_aliases={"alt.example": "b.example"})
    frontier = Frontier(site)
    url = f"{scheme}{host}/{path}"
    form = frontier.canonical(url)
    assert form == canonical_url(url, aliases=site.host_aliases, schemes=frontier.schemes)
    if form is not None:
        host, path = host_and_path(form)
        assert form == f"{form.partition(':')[0]}://{host}{path}"


@pytest.mark.parametrize("length", [900, 1001, 1990, 2000, 2001, 5000])
def test_long_addresses_keep_their_end_or_are_refused(length):
    url = "https://b.example/".ljust(length, "a")
    form = Frontier(SiteConfig(start=("https://b.example/",), records=())).canonical(url)
    assert form == canonical_url(url) == (url if length <= 2000 else None)


def test_most_links_are_simple_addresses():
    assert SIMPLE_URL.fullmatch("https://www.b.example:8443/projekte/sprachcafe-am-markt_2/index.html")
    for odd in ("https://b.example/a/../b", "https://b.example/a//b", "https://b.example/%41", "https://b.example/a?b"):
        assert not SIMPLE_URL.fullmatch(odd)
