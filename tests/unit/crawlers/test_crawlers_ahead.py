"""Several requests at once: as many as allowed, as far apart as asked, with the outcome of one by one."""

import itertools
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler

import pytest
from support.crawling import YAML, links, project, run
from support.site import Handler, Reply, Site, html, plain, redirect

from crawlers.outcome import Refused
from crawlers.source import SourceConfig, parse_source
from crawlers.web import Limits, Transport
from data.records import Fetched

DELAY_S = 0.2


def source_of(tmp_path, sites: list[Site], *, concurrency: int = 1, max_pages: int = 100) -> SourceConfig:
    path = tmp_path / "probe.yaml"
    text = YAML.format(base=sites[0].url().rstrip("/"), host=sites[0].host, sitemap="none")
    starts = ", ".join(f"'{site.url()}'" for site in sites)
    text = text.replace(f"start: ['{sites[0].url()}']", f"start: [{starts}]")
    text = text.replace("max_pages: 100", f"max_pages: {max_pages}")
    path.write_text(text.replace("delay_s: 0", f"delay_s: {DELAY_S}\nconcurrency: {concurrency}"), encoding="utf-8")
    return parse_source(path)


def test_hosts_are_asked_side_by_side_each_at_its_own_pace(tmp_path, make_fetcher):
    with ExitStack() as stack:
        sites = [stack.enter_context(Site()) for _ in range(4)]
        for number, site in enumerate(sites):
            names = [f"/projekt/{number}-{n}" for n in range(5)]
            site.pages = {"/": links(*names)} | {name: project(name) for name in names}
        started = time.monotonic()
        fetcher = make_fetcher(delay_s=DELAY_S, clock=time.monotonic, sleep=time.sleep)
        running, _ = run(source_of(tmp_path, sites), fetcher)
        seconds = time.monotonic() - started
        gaps = [b.at - a.at for site in sites for a, b in itertools.pairwise(site.log)]
        one_by_one_s = sum(len(site.log) - 1 for site in sites) * DELAY_S
        assert [site.paths(without=()).count("/robots.txt") for site in sites] == [1] * 4
    assert running.counts.records == 20
    assert min(gaps) >= DELAY_S * 0.95
    assert seconds < 0.6 * one_by_one_s


class Stamped:
    """A transport that notes when it is asked and done: on the way to the server a busy machine adds to either."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.starts: list[float] = []
        self.ends: list[float] = []

    def get(self, url, headers, *, max_bytes, accepts=None):
        self.starts.append(time.monotonic())
        try:
            return self.transport.get(url, headers, max_bytes=max_bytes, accepts=accepts)
        finally:
            self.ends.append(time.monotonic())


@pytest.mark.long
def test_the_pause_is_kept_within_five_percent(make_fetcher, record_property):
    with Site({f"/{n}": html("x") for n in range(12)}) as site:
        fetcher = make_fetcher(delay_s=2.0, clock=time.monotonic, sleep=time.sleep)
        fetcher.transport = stamped = Stamped(fetcher.transport)
        for n in range(12):
            fetcher.fetch(site.url(f"/{n}"))
    gaps = [start - end for end, start in zip(stamped.ends, stamped.starts[1:], strict=False)]
    record_property("pauses of 2 s", [round(min(gaps), 4), round(max(gaps), 4)])
    assert min(gaps) >= 2.0
    assert max(gaps) <= 2.1


class Crowd:
    """Counts how many requests a slow site answers at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def slow(self, reply: Reply) -> Handler:
        def answer(request: BaseHTTPRequestHandler) -> None:
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            time.sleep(4 * DELAY_S)
            request.send_response(200)
            request.send_header("Content-Type", "text/html")
            request.end_headers()
            with self._lock:
                self.now -= 1
            request.wfile.write(reply.body)

        return answer


@pytest.mark.parametrize("concurrency", [1, 3])
def test_as_many_requests_to_a_host_as_the_source_allows(tmp_path, make_fetcher, concurrency):
    crowd = Crowd()
    names = [f"/projekt/{n}" for n in range(7)]
    pages = {"/": links(*names)} | {name: crowd.slow(project(name)) for name in names}
    with Site(pages) as site:
        source = source_of(tmp_path, [site], concurrency=concurrency)
        fetcher = make_fetcher(delay_s=DELAY_S, concurrency=source.concurrency, clock=time.monotonic, sleep=time.sleep)
        fetcher.transport = stamped = Stamped(fetcher.transport)
        _, outcomes = run(source, fetcher)
        assert sorted(site.paths()) == ["/", *names]
    assert [outcome.title for outcome in outcomes if isinstance(outcome, Fetched)] == names
    assert crowd.most == concurrency
    assert min(b - a for a, b in itertools.pairwise(stamped.starts)) >= DELAY_S * 0.95


def crossing(sites: list[Site]) -> None:
    """Sites that link and redirect to each other, with copies, aliases, dead links and a forbidden page."""
    first, second = sites
    for site, other in ((first, second), (second, first)):
        own = f"/projekt/{site.port}"
        site.pages = {
            "/robots.txt": plain("User-agent: *\nDisallow: /projekt/gesperrt"),
            "/": links(f"{own}-1", f"{own}-um", other.url(f"/projekt/{other.port}-1"), "/liste", f"{own}-kopie"),
            "/liste": links(f"{own}-2", f"{own}-tot", "/projekt/gesperrt", f"{own}-alt"),
            f"{own}-1": project(f"Eins {site.port}"),
            f"{own}-2": project(f"Zwei {site.port}"),
            f"{own}-um": redirect(other.url(f"/projekt/{other.port}-1")),
            f"{own}-kopie": project("Kopie"),
            f"{own}-alt": html("", head=f'<meta http-equiv="refresh" content="0; url={own}-2">'),
        }


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_outcome_is_that_of_one_by_one(tmp_path, make_fetcher, monkeypatch, concurrency):
    with Site() as first, Site() as second:
        sites = [first, second]
        crossing(sites)
        source = source_of(tmp_path, sites, concurrency=concurrency)
        _, together = run(source, make_fetcher(concurrency=concurrency, clock=time.monotonic, sleep=time.sleep))
        assert {"/projekt/gesperrt"} & {path for site in sites for path in site.paths()} == set()
        monkeypatch.setattr("crawlers.ahead.AT_ONCE", 0)
        _, single = run(source, make_fetcher())
    assert len([outcome for outcome in single if isinstance(outcome, Fetched)]) == 5
    assert {outcome.url: outcome for outcome in together} == {outcome.url: outcome for outcome in single}


def test_nothing_is_asked_ahead_beyond_what_the_source_allows(tmp_path, make_fetcher):
    names = [f"/projekt/{n}" for n in range(30)]
    with Site({"/": links(*names)} | {name: project(name) for name in names}) as site:
        source = source_of(tmp_path, [site], concurrency=4, max_pages=10)
        _, outcomes = run(source, make_fetcher(concurrency=4))
        assert len(site.paths()) == 10
    (refused,) = (outcome for outcome in outcomes if isinstance(outcome, Refused))
    assert refused.reason == "max_pages ist erreicht; 21 Adressen bleiben."


def test_the_budget_holds_for_all_requests_together(tmp_path, make_fetcher):
    names = [f"/projekt/{n}" for n in range(30)]
    with Site({"/": links(*names)} | {name: project(name) for name in names}) as site:
        fetcher = make_fetcher(concurrency=4, limits=Limits(run_requests=12, retries=0))
        _, outcomes = run(source_of(tmp_path, [site], concurrency=4), fetcher)
        assert len(site.log) == 12
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["budget"]
