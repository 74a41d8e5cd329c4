"""Hostile pages in a crawl: each ends as one reported line, and the good page behind them is still read."""

import gzip
import time
import zlib
from http.server import BaseHTTPRequestHandler

import pytest
from support.crawling import links, project, run, source_for, titles
from support.site import Reply, Site, html, redirect

from crawlers.outcome import Refused
from crawlers.web import Limits


def pdf_bomb(megabytes: int) -> bytes:
    """A PDF whose only page unpacks, twice packed, to a content stream of many megabytes."""
    packed = zlib.compress(zlib.compress(b"q Q " * (megabytes * 250_000), 9), 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b"<p>")
        request.wfile.flush()
        time.sleep(0.05)


def wrong_length(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.send_header("Content-Length", "100000")
    request.end_headers()
    request.wfile.write(b"<h1>halb</h1>")


LOL = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ENTITIES = f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY l0 "ha">{LOL}]><html><h1>&l9;</h1></html>'
HTML = {"Content-Type": "text/html"}

HOSTILE: dict[str, tuple] = {
    "one-line": (Reply(b"<h1>" + b"x" * 10_500_000, 200, HTML), {"too_big"}),
    "nested": (Reply(b"<div>" * 100_000 + b"<h1>x</h1>", 200, HTML), {"no_record"}),
    "gzip": (Reply(gzip.compress(b"0" * 20_000_000), 200, {**HTML, "Content-Encoding": "gzip"}), {"bomb", "too_big"}),
    "redirect": (redirect("/projekt/redirect"), {"redirects"}),
    "drip": (drip, {"timeout"}),
    "length": (wrong_length, {"truncated"}),
    "utf8": (Reply(b"<h1>\xff\xfe\xc3\x28</h1>", 200, {"Content-Type": "text/html; charset=utf-8"}), {"no_record"}),
    "entities": (Reply(ENTITIES.encode(), 200, {"Content-Type": "application/xhtml+xml"}), {"no_record"}),
    "pdf": (Reply(pdf_bomb(60), 200, {"Content-Type": "application/pdf"}), {"no_record"}),
    "empty": (Reply(b"", 200, HTML), {"no_record"}),
    "noise": (Reply(bytes(range(256)) * 50, 200, HTML), {"no_record"}),
    "no-type": (Reply(b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, 200, {}), {"no_record"}),
}


def test_each_ends_as_one_line(tmp_path, make_fetcher):
    pages = {f"/projekt/{name}": reply for name, (reply, _) in HOSTILE.items()}
    pages["/"] = links(*pages, "/projekt/gut")
    pages["/projekt/gut"] = project("Gut")
    limits = Limits(total_s=1.5, read_s=1.0, connect_s=2.0, retries=0)
    with Site(pages) as site:
        started = time.monotonic()
        _, outcomes = run(source_for(tmp_path, site), make_fetcher(limits=limits))
    assert titles(outcomes) == ["Gut"]
    found = {o.url.rsplit("/", 1)[1]: o.code for o in outcomes if isinstance(o, Refused)}
    assert set(found) == set(HOSTILE)
    assert {name for name, (_, codes) in HOSTILE.items() if found[name] not in codes} == set(), found
    assert len(outcomes) == len(HOSTILE) + 1
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("body", ["<meta http-equiv=refresh content='0;url=/projekt/1'>", ""])
def test_a_page_that_refreshes_itself_is_read_once(tmp_path, make_fetcher, body):
    pages = {
        "/": links("/projekt/1"),
        "/projekt/1": html(f"{body}<h1>Eins</h1><main>Genug Text für einen Datensatz.</main>"),
    }
    with Site(pages) as site:
        _, outcomes = run(source_for(tmp_path, site), make_fetcher())
        assert titles(outcomes) == ["Eins"]
        assert site.paths() == ["/", "/projekt/1"]
