"""Fetching: limits, redirects, addresses, robots.txt, opt-outs, pauses. Every hostile answer ends as one refusal."""

import gzip
import itertools
import logging
import time
from http.server import BaseHTTPRequestHandler

import pytest
from support.site import Reply, Site, html, plain, redirect

from crawlers.pace import retry_after_s
from crawlers.web import LIST_TYPES, Limits, Refusal


def refusal_of(fetcher, url, **options) -> Refusal:
    with pytest.raises(Refusal) as caught:
        fetcher.fetch(url, **options)
    return caught.value


def test_a_page_comes_with_an_honest_name_and_its_bytes(make_fetcher):
    with Site({"/seite": html("<p>Hallo</p>")}) as site:
        page = make_fetcher().fetch(site.url("/seite"))
    assert page.status == 200
    assert b"Hallo" in page.body
    assert page.fetched_at == "2026-01-31T08:00:00.000Z"
    agent = site.log[-1].headers["User-Agent"]
    assert agent.startswith("CheckupIntegration/")
    assert "test@example.org" in agent
    assert site.log[-1].headers["Host"] == site.host


def test_robots_is_asked_first_once_and_obeyed(make_fetcher):
    robots = plain("User-agent: *\nDisallow: /geheim\n\nUser-agent: checkupintegration\nDisallow: /intern\n")
    with Site({"/robots.txt": robots, "/intern": html("x"), "/geheim": html("y"), "/offen": html("z")}) as site:
        fetcher = make_fetcher()
        assert refusal_of(fetcher, site.url("/intern")).code == "robots"
        fetcher.fetch(site.url("/offen"))
        fetcher.fetch(site.url("/geheim"))  # the group for our own name counts, not the one for all
    assert next(asked.path for asked in site.log) == "/robots.txt"
    assert site.paths() == ["/offen", "/geheim"]
    assert sum(asked.path == "/robots.txt" for asked in site.log) == 1


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (410, True), (429, False), (500, False), (503, False)]
)
def test_robots_that_cannot_be_had(make_fetcher, status, allowed):
    with Site({"/robots.txt": Reply(b"", status), "/a": html("x")}) as site:
        fetcher = make_fetcher()
        if allowed:
            assert fetcher.fetch(site.url("/a")).status == 200
        else:
            assert refusal_of(fetcher, site.url("/a")).code == "robots"
            assert site.paths() == []


def test_unreachable_robots_forbids_everything(make_fetcher):
    def hang_up(request: BaseHTTPRequestHandler) -> None:
        request.connection.close()

    with Site({"/robots.txt": hang_up, "/a": html("x")}) as site:
        assert refusal_of(make_fetcher(), site.url("/a")).code == "robots"
        assert site.paths() == []


def test_robots_forbids_where_a_redirect_leads(make_fetcher):
    pages = {"/robots.txt": plain("User-agent: *\nDisallow: /geheim"), "/a": redirect("/geheim"), "/geheim": html("x")}
    with Site(pages) as site:
        assert refusal_of(make_fetcher(), site.url("/a")).code == "robots"
        assert site.paths() == ["/a"]


def test_pauses_are_kept_within_five_percent(make_fetcher, clock):
    starts: list[float] = []
    with Site(
        {f"/{n}": html(str(n)) for n in range(5)} | {"/robots.txt": plain("User-agent: *\nCrawl-delay: 3")}
    ) as site:
        fetcher = make_fetcher(delay_s=2.0)
        for n in range(5):
            fetcher.fetch(site.url(f"/{n}"))
            starts.append(clock.seconds)
    gaps = [b - a for a, b in itertools.pairwise(starts)]
    assert all(3.0 <= gap <= 3.15 for gap in gaps), gaps


def test_the_real_clock_keeps_the_pause_too(make_fetcher):
    with Site({f"/{n}": html(str(n)) for n in range(4)}) as site:
        fetcher = make_fetcher(delay_s=0.2, clock=time.monotonic, sleep=time.sleep)
        for n in range(4):
            fetcher.fetch(site.url(f"/{n}"))
    at = [asked.at for asked in site.log]
    assert min(b - a for a, b in itertools.pairwise(at)) >= 0.19


def test_a_busy_server_is_asked_again_after_the_pause_it_wants(make_fetcher, clock):
    answers = [Reply(b"", 503, {"Retry-After": "7"}), Reply(b"", 429, {}), html("da")]

    def busy(request: BaseHTTPRequestHandler) -> None:
        site._answer_with(request, answers.pop(0))

    with Site({"/a": busy}) as site:
        site._answer_with = lambda request, reply: (
            request.send_response(reply.status),
            [request.send_header(*item) for item in reply.headers.items()],
            request.send_header("Content-Length", str(len(reply.body))),
            request.end_headers(),
            request.wfile.write(reply.body),
        )
        page = make_fetcher(limits=Limits(retries=2)).fetch(site.url("/a"))
    assert b"da" in page.body
    assert any(6.9 <= slept <= 7.1 for slept in clock.slept)


def test_a_server_that_wants_too_long_a_pause_is_left_alone(make_fetcher, clock):
    with Site({"/a": Reply(b"", 503, {"Retry-After": "86400"})}) as site:
        assert refusal_of(make_fetcher(limits=Limits(retries=2)), site.url("/a")).code == "retry_after"
        assert site.paths() == ["/a"]
    assert sum(clock.slept) < 60


def test_retry_after_as_date_and_as_nonsense():
    assert retry_after_s("Wed, 21 Oct 2026 07:28:00 GMT", now_epoch=lambda: 1792567680.0 - 30) == pytest.approx(30)
    assert retry_after_s(" 7 ") == 7
    assert retry_after_s("bald") is None
    assert retry_after_s("²") is None
    assert retry_after_s(None) is None


def test_redirects_are_followed_and_loops_end(make_fetcher):
    pages = {
        "/a": redirect("/b"),
        "/b": redirect("/c", 301),
        "/c": html("Ziel"),
        "/x": redirect("/y"),
        "/y": redirect("/x"),
    }
    pages |= {f"/kette{n}": redirect(f"/kette{n + 1}") for n in range(20)}
    with Site(pages) as site:
        fetcher = make_fetcher()
        assert fetcher.fetch(site.url("/a")).url == site.url("/c")
        assert refusal_of(fetcher, site.url("/x")).code == "redirects"
        assert refusal_of(fetcher, site.url("/kette0")).code == "redirects"


def test_a_redirect_into_the_own_network_is_refused(make_fetcher):
    with Site({"/a": redirect("http://intern.example/geheim"), "/b": redirect("file:///etc/passwd")}) as site:
        fetcher = make_fetcher()
        assert refusal_of(fetcher, site.url("/a")).code in ("address", "robots")
        assert refusal_of(fetcher, site.url("/b")).code == "address"
        assert site.paths() == ["/a", "/b"]


def test_a_private_host_needs_permission(make_fetcher):
    with Site({"/a": html("x")}) as site:
        assert refusal_of(make_fetcher(private_hosts=frozenset()), site.url("/a")).code in ("address", "robots")
        assert site.log == []


def test_the_connection_goes_to_the_checked_address(make_fetcher):
    answers = iter([["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    with Site({"/a": html("x"), "/b": html("y")}) as site:
        fetcher = make_fetcher(resolver=rebinding, private_hosts=frozenset({"name.example"}))
        page = fetcher.fetch(f"http://name.example:{site.port}/a")
        assert page.status == 200
        assert site.log[-1].headers["Host"] == f"name.example:{site.port}"
        assert len(asked) == len(site.log)  # one resolution a request: none between check and connection


def test_rebinding_to_a_private_address_between_two_requests_is_refused(make_fetcher):
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    fetcher = make_fetcher(resolver=lambda host, port: next(answers), private_hosts=frozenset())
    fetcher.transport.adapter.resolver("name.example", 80)
    with pytest.raises(Refusal) as caught:
        fetcher.transport.get("http://name.example/", {}, max_bytes=100)
    assert caught.value.code == "address"


@pytest.mark.parametrize(
    ("headers", "head"),
    [
        ({"TDM-Reservation": "1"}, ""),
        ({"X-Robots-Tag": "noindex, noai"}, ""),
        ({}, '<meta name="tdm-reservation" content="1">'),
        ({}, "<META content='noindex,noai' NAME='robots'>"),
    ],
)
def test_opt_outs_of_a_page_are_honoured(make_fetcher, headers, head):
    page = html("Text", head=head)
    with Site({"/a": Reply(page.body, 200, {**page.headers, **headers})}) as site:
        assert refusal_of(make_fetcher(), site.url("/a")).code == "opt_out"


def test_opt_out_by_the_well_known_file_and_by_the_source(make_fetcher):
    rules = '[{"location": "/frei/*", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]'
    pages = {"/.well-known/tdmrep.json": plain(rules, "application/json"), "/frei/a": html("x"), "/b": html("y")}
    with Site(pages) as site:
        fetcher = make_fetcher(opt_out=lambda url: url.endswith("/c"))
        assert fetcher.fetch(site.url("/frei/a")).status == 200
        assert refusal_of(fetcher, site.url("/b")).code == "opt_out"
        assert refusal_of(fetcher, site.url("/c")).code == "opt_out"
        assert site.paths() == ["/frei/a"]


def test_content_signals_reserve_the_whole_host(make_fetcher):
    robots = plain("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /")
    with Site({"/robots.txt": robots, "/a": html("x")}) as site:
        assert refusal_of(make_fetcher(), site.url("/a")).code == "robots"
        assert site.paths() == []


def test_a_host_that_wants_an_hour_between_requests_is_left_alone(make_fetcher):
    with Site({"/robots.txt": plain("User-agent: *\nCrawl-delay: 3600"), "/a": html("x")}) as site:
        assert refusal_of(make_fetcher(), site.url("/a")).code == "robots"


def too_long(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.send_header("Content-Length", "5000")
    request.end_headers()
    request.wfile.write(b"<p>kurz</p>")


def dripping_body(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.05)


def dripping_head(request: BaseHTTPRequestHandler) -> None:
    for _ in range(200):
        request.wfile.write(b"H")
        request.wfile.flush()
        time.sleep(0.05)


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.end_headers()
    while True:
        request.wfile.write(b"x" * 65536)


def endless_redirect_body(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", "/b")
    request.end_headers()
    while True:
        request.wfile.write(b"x" * 65536)


def nonsense(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"\x00\xff\r\n\r\nkein HTTP")


BOMB = Reply(gzip.compress(b"0" * 30_000_000), 200, {"Content-Type": "text/html", "Content-Encoding": "gzip"})
TORN = Reply(gzip.compress(b"0" * 3000)[:-9], 200, {"Content-Type": "text/html", "Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    ("reply", "codes"),
    [
        (too_long, {"truncated"}),
        (dripping_body, {"timeout"}),
        (dripping_head, {"timeout"}),
        (endless, {"too_big"}),
        (endless_redirect_body, {"status"}),
        (nonsense, {"unreachable", "truncated"}),
        (BOMB, {"bomb", "too_big"}),
        (TORN, {"truncated"}),
        (Reply(b"kein gzip", 200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}), {"content_coding"}),
        (Reply(b"x", 200, {"Content-Type": "text/html", "Content-Encoding": "br"}), {"content_coding"}),
        (Reply(b"x" * 3_000_000, 200, {"Content-Type": "text/html"}), {"too_big"}),
        (Reply(b"x", 200, {"Content-Type": "video/mp4"}), {"content_type"}),
        (Reply(b"x", 404), {"status"}),
        (Reply(b"x", 500), {"server"}),
        (Reply(b"x", 302, {"Location": "http://[kaputt"}), {"address"}),
        (Reply(b"x", 302), {"status"}),
    ],
)
def test_hostile_answers_end_as_one_refusal(make_fetcher, reply, codes):
    limits = Limits(total_s=1.0, read_s=0.5, connect_s=1.0, page_bytes=2_000_000, retries=0)
    with Site({"/a": reply}) as site:
        started = time.monotonic()
        refusal = refusal_of(make_fetcher(limits=limits), site.url("/a"))
    assert refusal.code in codes, refusal.reason
    assert refusal.reason.endswith(".")
    assert time.monotonic() - started < 4


def test_a_packed_page_is_unpacked(make_fetcher):
    body = gzip.compress(b"<p>" + b"Wort " * 1000 + b"</p>")
    with Site({"/a": Reply(body, 200, {"Content-Type": "text/html", "Content-Encoding": "gzip"})}) as site:
        assert make_fetcher().fetch(site.url("/a")).body.count(b"Wort") == 1000


def test_conditional_request(make_fetcher):
    with Site({"/a": html("x", ETag='"v1"')}) as site:
        page = make_fetcher().fetch(site.url("/a"), validators={"If-None-Match": '"v1"'})
    assert page.unchanged


def test_the_budget_of_a_run_ends_it(make_fetcher):
    with Site({f"/{n}": html("x") for n in range(9)}) as site:
        fetcher = make_fetcher(limits=Limits(run_requests=4))
        fetcher.fetch(site.url("/0"))
        fetcher.fetch(site.url("/1"))
        assert refusal_of(fetcher, site.url("/2")).code == "budget"
        assert len(site.log) == 4


def test_every_request_is_logged_and_nothing_else_is_printed(make_fetcher, caplog, capsys):
    caplog.set_level(logging.INFO, logger="crawlers")
    with Site({"/a": html("x")}) as site:
        fetcher = make_fetcher()
        fetcher.fetch(site.url("/a"))
        refusal_of(fetcher, site.url("/fehlt"))
        assert len(caplog.records) == len(site.log)
    assert any("/a'" in line and "status=200" in line for line in caplog.messages)
    assert any("/fehlt'" in line and "status=404" in line for line in caplog.messages)
    assert capsys.readouterr() == ("", "")


def test_no_cookie_comes_back(make_fetcher):
    with Site({"/a": html("x", Set_Cookie="besucher=1"), "/b": html("y")}) as site:
        fetcher = make_fetcher()
        fetcher.fetch(site.url("/a"))
        fetcher.fetch(site.url("/b"))
    assert "Cookie" not in site.log[-1].headers


def test_lists_are_accepted_where_lists_are_wanted(make_fetcher):
    with Site({"/a.csv": plain("a;b", "text/csv")}) as site:
        assert make_fetcher().fetch(site.url("/a.csv"), accepts=LIST_TYPES).body == b"a;b"
        assert refusal_of(make_fetcher(), site.url("/a.csv")).code == "content_type"
