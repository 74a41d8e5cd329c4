"""Each shipped source is crawled from an archive made of its golden inputs: the whole road, without the network.

`test_crawlers_golden.py` reads the same inputs one by one; here they are found by the source's own patterns, fetched,
told apart, and handed over.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.addresses import wire_url
from crawlers.archive import Recorder, replay_fetcher
from crawlers.crawl import Outcome, crawl
from crawlers.outcome import Refused
from crawlers.source import SourceConfig, load_source, source_names
from data.records import Fetched

GOLDEN = Path(__file__).parents[2] / "golden"
DATE = "2026-01-31T08:00:00Z"
TYPES = {".html": "text/html; charset=utf-8", ".csv": "text/csv", ".json": "application/json"}
PATHS = {
    "integration-durch-sport/meldung": "/inhalte/service/laender/laender-news/news-detail/probe",
    "integrationspreis-niedersachsen/jahr": "/preistraegerinnen/2018",
    "kommunalwettbewerb-zusammenleben/beitrag": "/wettbewerb/2018/musterstadt",
    "kommunalwettbewerb-zusammenleben/uebersicht": "/wettbewerb/2018/alle",
    "kommunalwettbewerb-zusammenleben/wuerdigung": "/node/145",
    "nikolaus-koch-stiftung/projekt": "/nks-projekt/probe/",
}
"""Where a golden page would stand on its site."""


def cases(name: str) -> dict[str, Path]:
    """By its address, the file of each golden input of a source."""
    source = load_source(name)
    files = sorted(path for path in (GOLDEN / name).glob("*/input.*"))
    if source.list is not None:
        (only,) = files
        return {wire_url(source.list.url or ""): only}
    return {urljoin(source.homepage, PATHS[f"{name}/{path.parent.name}"]): path for path in files}


def written(path: Path, source: SourceConfig, files: Mapping[str, Path]) -> Path:
    """An archive as somebody else could have made it; a site's start pages link to its pages."""
    answers = {url: (200, TYPES[file.suffix], file.read_bytes()) for url, file in files.items()}
    if source.site is not None:
        overview = "".join(f'<li><a href="{url}">Seite</a></li>' for url in files)
        start = f"<html><body><h1>Start</h1><ul>{overview}</ul></body></html>".encode()
        answers |= {wire_url(url): (200, "text/html", start) for url in source.site.start}
    for url in [*answers]:
        answers[urljoin(url, "/robots.txt")] = (200, "text/plain", b"User-agent: *\nDisallow: /admin/\n")
        answers[urljoin(url, "/.well-known/tdmrep.json")] = (404, "text/plain", b"")
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, (status, kind, body) in answers.items():
            headers = StatusAndHeaders(f"{status} Status", [("Content-Type", kind)], protocol="HTTP/1.1")
            dated = {"WARC-Date": DATE}
            record = writer.create_warc_record(
                url, "response", BytesIO(body), http_headers=headers, warc_headers_dict=dated
            )
            writer.write_record(record)
    return path


def as_bytes(outcomes: list[Outcome]) -> bytes:
    told = [{"kind": type(outcome).__name__, **asdict(outcome)} for outcome in outcomes]
    return json.dumps(told, ensure_ascii=False).encode()


def golden(url: str, file: Path, source: SourceConfig) -> tuple[list[Any], list[Any]]:
    """The records and refusals that a golden case names, at its address."""
    expected = json.loads(file.with_name("output.json").read_text("utf-8"))
    for record in expected["records"]:
        if source.list is None:
            record["url"] = record["url"].replace(f"{source.homepage}probe", url)
    return expected["records"], [(one["line"], one["reason"]) for one in expected["refused"]]


@pytest.mark.parametrize("name", source_names())
def test_a_shipped_source_is_crawled_from_an_archive(name: str, tmp_path: Path) -> None:
    source, files = load_source(name), cases(name)
    archive = written(tmp_path / "others.warc.gz", source, files)
    fetcher = replay_fetcher(source, archive)
    with Recorder(fetcher.transport, tmp_path / "own.warc.gz") as recorder:
        fetcher.transport = recorder
        outcomes = list(crawl(source, fetcher=fetcher))
    records, refused = [], []
    for url, file in files.items():
        found = golden(url, file, source)
        records += found[0]
        refused += found[1]
    got = [json.loads(json.dumps(asdict(one))) for one in outcomes if isinstance(one, Fetched)]
    assert [{key: one[key] for key in ("url", "title", "text", "facts")} for one in got] == records
    told = [one for one in outcomes if isinstance(one, Refused)]
    # What the golden pages link to is not in the archive.
    assert [(one.line, one.reason) for one in told if one.code != "not_archived"] == refused
    assert not {one.url for one in told if one.code == "not_archived"} & set(files)
    assert {one["source"] for one in got} <= {name}
    assert {one["fetched_at"] for one in got} <= {"2026-01-31T08:00:00.000Z"}
    assert records
    for path in (archive, tmp_path / "own.warc.gz"):
        again = list(crawl(source, fetcher=replay_fetcher(source, path)))
        assert as_bytes(again) == as_bytes(outcomes), path.name


def test_an_archive_whose_robots_txt_forbids_a_shipped_source_gives_nothing(tmp_path: Path) -> None:
    name = "nikolaus-koch-stiftung"
    source, files = load_source(name), cases(name)
    path = written(tmp_path / "others.warc.gz", source, files)
    with path.open("ab") as file:
        writer = WARCWriter(file, gzip=True)
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/plain")], protocol="HTTP/1.1")
        body = BytesIO(b"User-agent: CheckupIntegration\nDisallow: /nks-projekt/\n")
        robots = urljoin(source.homepage, "/robots.txt")
        writer.write_record(writer.create_warc_record(robots, "response", body, http_headers=headers))
    outcomes = list(crawl(source, fetcher=replay_fetcher(source, path)))
    assert [(one.code, one.url) for one in outcomes if isinstance(one, Refused)] == [("robots", *files)]
    assert not [one for one in outcomes if isinstance(one, Fetched)]
