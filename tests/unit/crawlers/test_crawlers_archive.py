"""A crawl kept as WARC and replayed without the network gives the same records."""

import gzip
import io
import os
import stat

import pytest
from support.crawling import links, project, reasons, source_for, titles
from support.site import Reply, Site, plain, redirect

from crawlers.archive import Recorder, WarcTransport, replay_fetcher
from crawlers.crawl import crawl
from crawlers.web import Refusal
from data.errors import CheckupError
from data.records import Fetched

PAGES = {
    "/robots.txt": plain("User-agent: *\nDisallow: /projekt/gesperrt\nCrawl-delay: 2"),
    "/": links("/projekt/1", "/projekt/2", "/projekt/um", "/projekt/tot", "/projekt/gesperrt", "/projekt/ä"),
    "/projekt/1": project("Eins", Set_Cookie="besucher=1"),
    "/projekt/2": Reply(
        gzip.compress(project("Zwei").body),
        200,
        {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"},
    ),
    "/projekt/um": redirect("/projekt/3"),
    "/projekt/3": project("Drei"),
    "/projekt/%C3%A4": project("Umlaut"),
}


@pytest.fixture
def kept(tmp_path, make_fetcher):
    """A crawl that was kept: its source, its outcomes, the archive."""
    path = tmp_path / "crawl.warc.gz"
    with Site(PAGES) as site:
        source = source_for(tmp_path, site)
        fetcher = make_fetcher()
        with Recorder(fetcher.transport, path) as recorder:
            fetcher.transport = recorder
            outcomes = list(crawl(source, fetcher=fetcher))
    return source, outcomes, path


def test_replay_is_the_same_to_the_byte(kept):
    source, outcomes, path = kept
    assert titles(outcomes) == ["Eins", "Zwei", "Drei", "Umlaut"]
    replayed = list(crawl(source, fetcher=replay_fetcher(source, path)))
    assert replayed == outcomes
    assert reasons(replayed) == {"projekt/tot": "status", "projekt/gesperrt": "robots"}


def test_the_archive_is_the_owners_alone_and_keeps_no_cookies(kept):
    _, _, path = kept
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    raw = gzip.decompress(path.read_bytes())
    assert b"besucher=1" not in raw
    assert b"WARC/1" in raw
    assert b"User-Agent: CheckupIntegration/" in raw


def test_an_archive_is_never_overwritten(kept, make_fetcher):
    _, _, path = kept
    with pytest.raises(CheckupError):
        Recorder(make_fetcher().transport, path)


def foreign(*records: tuple[str, bytes, list[tuple[str, str]]], packed: bool) -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed)
    for url, body, headers in records:
        http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        extra = {"WARC-Date": "2019-05-01T10:00:00Z"}
        writer.write_record(
            writer.create_warc_record(url, "response", io.BytesIO(body), http_headers=http, warc_headers_dict=extra)
        )
    return out.getvalue()


@pytest.mark.parametrize("packed", [True, False])
def test_an_archive_of_others_is_read(tmp_path, packed):
    with Site() as site:
        source = source_for(tmp_path, site)
        base = site.url().rstrip("/")
    types = ("Content-Type", "text/html")
    body = gzip.compress(project("Alt").body)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    path = tmp_path / "andere.warc"
    path.write_bytes(
        foreign(
            (f"{base}/", b"<a href='/projekt/1'>x</a>", [types]),
            (f"<{base}/projekt/1>", b"veraltet", [types]),
            (f"{base}/projekt/1", chunked, [types, ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]),
            packed=packed,
        )
    )
    outcomes = list(crawl(source, fetcher=replay_fetcher(source, path)))
    assert titles(outcomes) == ["Alt"]
    assert isinstance(outcomes[0], Fetched)
    assert outcomes[0].fetched_at == "2019-05-01T10:00:00.000Z"


def test_a_page_that_is_not_in_the_archive_is_named(tmp_path, kept):
    source, _, _ = kept
    base = source.homepage.rstrip("/")
    path = tmp_path / "halb.warc"
    path.write_bytes(
        foreign((f"{base}/", b"<a href='/projekt/9'>x</a>", [("Content-Type", "text/html")]), packed=False)
    )
    assert reasons(crawl(source, fetcher=replay_fetcher(source, path))) == {"projekt/9": "not_archived"}


@pytest.mark.parametrize(
    "data",
    [b"", b"kein Archiv", b"\x1f\x8b\x08\x00kaputt", gzip.compress(b"kein WARC", mtime=0)],
    ids=["empty", "no archive", "torn", "packed"],
)
def test_what_is_no_archive_is_a_message(tmp_path, data):
    path = tmp_path / "x.warc.gz"
    path.write_bytes(data)
    with pytest.raises(CheckupError):
        WarcTransport(path)
    with pytest.raises(CheckupError):
        WarcTransport(tmp_path / "fehlt.warc")


def test_an_archive_cut_off_anywhere_gives_whole_pages_or_says_so(kept):
    _, _, path = kept
    raw, complete, codes = path.read_bytes(), WarcTransport(path), set()
    bodies = {url: complete.get(url, {}, max_bytes=10**6).body for url in complete._places}
    for cut in range(200, len(raw), 41):
        path.write_bytes(raw[:cut])
        try:
            opened = WarcTransport(path)
        except CheckupError:
            continue
        for url in opened._places:
            try:
                body = opened.get(url, {}, max_bytes=10**6).body
            except Refusal as refusal:
                codes.add(refusal.code)
            else:
                assert body == bodies[url]
    assert codes == {"truncated"}


def test_html_that_swells_in_an_archive_is_bounded(tmp_path, kept):
    source, _, _ = kept
    base = source.homepage.rstrip("/")
    body = gzip.compress(b"0" * 30_000_000)
    path = tmp_path / "bombe.warc"
    headers = [("Content-Type", "text/html"), ("Content-Encoding", "gzip")]
    path.write_bytes(foreign((f"{base}/", body, headers), packed=False))
    outcomes = list(crawl(source, fetcher=replay_fetcher(source, path)))
    assert [outcome.code for outcome in outcomes] == ["too_big"]


def test_an_archive_that_a_kill_cut_off_gives_only_what_it_holds(kept):
    source, outcomes, path = kept
    whole = path.read_bytes()
    records = [outcome for outcome in outcomes if isinstance(outcome, Fetched)]
    for cut in range(1, 2400, 113):
        path.write_bytes(whole[:-cut])
        replayed = crawl(source, fetcher=replay_fetcher(source, path))
        found = [outcome for outcome in replayed if isinstance(outcome, Fetched)]
        assert found == records[: len(found)]
    assert 0 < len(found) < len(records)


def test_a_page_that_is_cut_in_the_archive_is_no_record(tmp_path, kept):
    source, _, _ = kept
    base = source.homepage.rstrip("/")
    path = tmp_path / "halb.warc"
    headers = [("Content-Type", "text/html"), ("Content-Length", "5000")]
    path.write_bytes(foreign((f"{base}/", b"<a href='/projekt/1'>x", headers), packed=False))
    assert reasons(crawl(source, fetcher=replay_fetcher(source, path))) == {"": "truncated"}
