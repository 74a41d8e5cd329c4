"""Hostile pages in a crawl: each ends as one reported line, and the good page behind them is still read."""

import gzip
import io
import json
import time
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler

import pytest
from support.crawling import YAML, links, project, run, source_for, titles
from support.site import Reply, Site, html, plain, redirect

from crawlers.memory import FileMemory
from crawlers.outcome import Refused
from crawlers.source import parse_source
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


def further(request: BaseHTTPRequestHandler) -> None:
    """Redirects to an address that was never seen, for ever."""
    request.send_response(302)
    request.send_header("Location", f"{request.path}x")
    request.send_header("Content-Length", "0")
    request.end_headers()


def wrong_length(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.send_header("Content-Length", "100000")
    request.end_headers()
    request.wfile.write(b"<h1>halb</h1>")


LOL = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ENTITIES = f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY l0 "ha">{LOL}]><html><h1>&l9;</h1></html>'
HTML = {"Content-Type": "text/html"}
LONG_NAME = "a" * 1500
TDM_RULES = json.dumps([{"location": "/*a*a*a*a*a*a*b", "tdm-reservation": 1}])
REFRESH = f"""<meta http-equiv=refresh content="0;{" " * 150}'x'x">"""

HOSTILE: dict[str, tuple] = {
    "too-big": (Reply(b"<h1>" + b"x" * 10_500_000, 200, HTML), {"too_big"}),
    "one-line": (Reply(b"<h1>x</h1><main>" + b"x" * 10_000_000, 200, HTML), {"no_record"}),
    "nested": (Reply(b"<div>" * 100_000 + b"<h1>x</h1>", 200, HTML), {"no_record"}),
    "gzip": (Reply(gzip.compress(b"0" * 20_000_000), 200, {**HTML, "Content-Encoding": "gzip"}), {"bomb", "too_big"}),
    "redirect": (redirect("/projekt/redirect"), {"redirects"}),
    "endless": (further, {"redirects"}),
    "drip": (drip, {"timeout"}),
    "length": (wrong_length, {"truncated"}),
    "utf8": (Reply(b"<h1>\xff\xfe\xc3\x28</h1>", 200, {"Content-Type": "text/html; charset=utf-8"}), {"no_record"}),
    "entities": (Reply(ENTITIES.encode(), 200, {"Content-Type": "application/xhtml+xml"}), {"no_record"}),
    "pdf": (Reply(pdf_bomb(60), 200, {"Content-Type": "application/pdf"}), {"no_record"}),
    "empty": (Reply(b"", 200, HTML), {"no_record"}),
    "noise": (Reply(bytes(range(256)) * 50, 200, HTML), {"no_record"}),
    "refresh": (Reply(REFRESH.encode(), 200, HTML), {"no_record"}),
    "labels": (Reply("<span>Träger</span>".encode() * 39_000, 200, HTML), {"no_record"}),
    LONG_NAME: (Reply(b"<p>", 200, HTML), {"no_record"}),
    "no-type": (Reply(b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, 200, {}), {"no_record"}),
}


LIST = """\
name: probe
publisher: S
homepage: {base}
licence: x
kind: list
allow_private_hosts: true
list: {{url: '{base}liste', format: {format}, columns: {{title: A, text: B}}}}
"""


FIELDS = {
    "rules": [],
    "main text": [("  text: {css: main}\n", "")],
    "labels": [
        ("  title: ", "  organisation: {label: Träger}\n  partner: {label: Träger, join: '; '}\n  title: "),
        ("{css: main}", "[{label: Träger}, {css: main}]"),
    ],
}


@pytest.mark.parametrize("changes", FIELDS.values(), ids=FIELDS)
def test_each_ends_as_one_line(tmp_path, make_fetcher, changes):
    pages = {f"/projekt/{name}": reply for name, (reply, _) in HOSTILE.items()}
    pages["/"] = links(*pages, "/projekt/gut")
    pages["/projekt/gut"] = project("Gut")
    pages["/.well-known/tdmrep.json"] = plain(TDM_RULES, "application/json")
    limits = Limits(total_s=1.5, read_s=1.0, connect_s=2.0, retries=0)
    pages |= {f"/projekt/endless{'x' * more}": further for more in range(1, 20)}
    with Site(pages) as site:
        source = source_for(tmp_path, site)
        text = source.path.read_text(encoding="utf-8")
        for change in changes:
            text = text.replace(*change)
        source.path.write_text(text, encoding="utf-8")
        started = time.process_time()
        _, outcomes = run(parse_source(source.path), make_fetcher(limits=limits))
    assert titles(outcomes) == ["Gut"]
    found = {o.url.rsplit("/", 1)[1]: o.code for o in outcomes if isinstance(o, Refused)}
    assert set(found) == set(HOSTILE)
    assert {name for name, (_, codes) in HOSTILE.items() if found[name] not in codes} == set(), found
    assert len(outcomes) == len(HOSTILE) + 1
    assert time.process_time() - started < 30


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


def workbook_bomb() -> bytes:
    """A workbook of some kilobytes whose sheet unpacks to half a gigabyte."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(500):
                sheet.write(b"0" * 1_000_000)
    return out.getvalue()


ENTITY_TABLE = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "ha">{LOL}]><workbook>&l9;</workbook>'


def entity_workbook() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", ENTITY_TABLE)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("xlsx", workbook_bomb()),
        ("xlsx", entity_workbook()),
        ("xlsx", b"PK\x03\x04 kaputt"),
        ("json", b"[" * 100_000),
        ("csv", b"\x00" * 10_000),
    ],
    ids=["bomb", "entities", "torn", "nested", "noise"],
)
def test_a_hostile_list_ends_as_one_line(tmp_path, make_fetcher, kind, body):
    path = tmp_path / "probe.yaml"
    with Site({"/liste": Reply(body, 200, {"Content-Type": "application/octet-stream"})}) as site:
        path.write_text(LIST.format(base=site.url(), format=kind), encoding="utf-8")
        _, (outcome,) = run(parse_source(path), make_fetcher())
    assert isinstance(outcome, Refused)
    assert outcome.reason


@pytest.mark.parametrize("text", ["", "  text: {css: main}\n", "  text: {jsonld: description}\n"])
def test_half_of_a_letter_in_json_ld_stops_no_crawl(tmp_path, make_fetcher, text):
    """JSON may name one (`\\ud83d`); neither a hash nor a file or the database takes it."""
    told = '{"name": "Chor \\ud83d", "description": "Wir singen \\ude00 mit Zugewanderten und Freiwilligen."}'
    body = f'<script type="application/ld+json">{told}</script><main><p>Wir singen mit vielen anderen hier.</p></main>'
    pages = {f"/projekt/{n}": html(body.replace("singen", said)) for n, said in enumerate(["singen", "proben"])}
    with Site({"/": links(*pages), **pages}) as site:
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        yaml = yaml.replace("title: {css: h1, required: true}", "title: {jsonld: name}")
        path = tmp_path / "probe.yaml"
        path.write_text(yaml.replace("  text: {css: main}\n", text), encoding="utf-8")
        _, outcomes = run(parse_source(path), make_fetcher(), memory=FileMemory(tmp_path / "m.jsonl", "1"))
        assert titles(outcomes) == ["Chor \ufffd"] * 2
        json.dumps([outcome.text for outcome in outcomes], ensure_ascii=False).encode()
