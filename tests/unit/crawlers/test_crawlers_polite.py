"""What a guest owes a server: rules read where they may be, wishes for a pause heeded, every request in the log."""

import logging
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from itertools import chain, pairwise, repeat
from urllib.parse import urlsplit

import pytest
from support.crawling import links, project, reasons, run, source_for, titles
from support.site import Handler, Reply, Site, html, plain, redirect

from crawlers.crawl import crawl
from crawlers.memory import FileMemory
from crawlers.outcome import Refused
from crawlers.pace import Hosts, backoff_s
from crawlers.source import SourceConfig, parse_source
from crawlers.web import Limits, Refusal
from data.settings import load_settings
from data.store import Store
from pipeline.staging import finish, take_in

ROBOTS, TDMREP = "/robots.txt", "/.well-known/tdmrep.json"
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def code_of(fetcher, url: str) -> str:
    with pytest.raises(Refusal) as caught:
        fetcher.fetch(url)
    return caught.value.code


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


def in_turn(*replies: Reply | Handler) -> Handler:
    """One answer after the other, the last one for ever."""
    left: Iterator[Reply | Handler] = chain(replies, repeat(replies[-1]))

    def answer(request: BaseHTTPRequestHandler) -> None:
        reply = next(left)
        if not isinstance(reply, Reply):
            reply(request)
            return
        request.send_response(reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(reply.body)))
        request.send_header("Connection", "close")  # the site closes it; a client that were not told would use it again
        request.end_headers()
        request.wfile.write(reply.body)

    return answer


def busy(seconds: int | None, status: int = 503) -> Reply:
    return Reply(b"", status, {} if seconds is None else {"Retry-After": str(seconds)})


def paths(site: Site) -> list[str]:
    return site.paths(without=())


# --- where the rules of a host are read ------------------------------------------------------------------------------


def test_a_tdmrep_that_redirects_to_a_forbidden_path_is_not_asked(make_fetcher):
    rules = plain('[{"location": "/", "tdm-reservation": 0}]', "application/json")
    pages = {TDMREP: redirect("/geheim/tdm.json"), "/geheim/tdm.json": rules, "/a": html("x")}
    with Site({ROBOTS: plain("User-agent: *\nDisallow: /geheim"), **pages}) as site:
        assert code_of(make_fetcher(), site.url("/a")) == "unreachable"
        assert paths(site) == [ROBOTS, TDMREP]


def test_a_tdmrep_on_another_host_is_asked_only_where_its_robots_allows(make_fetcher):
    rules = plain('[{"location": "/b", "tdm-reservation": 1}]', "application/json")
    with Site({"/tdm.json": rules, "/a": html("x"), "/b": html("y")}) as other, Site() as site:
        site.pages = {TDMREP: redirect(other.url("/tdm.json")), "/a": html("x"), "/b": html("y")}
        fetcher = make_fetcher()
        assert fetcher.fetch(site.url("/a")).status == 200
        assert code_of(fetcher, site.url("/b")) == "opt_out"
        assert paths(other) == [ROBOTS, "/tdm.json"]
        other.log.clear()
        other.pages[ROBOTS] = plain("User-agent: *\nDisallow: /")
        assert code_of(make_fetcher(), site.url("/a")) == "unreachable"
        assert paths(other) == [ROBOTS]


@pytest.mark.parametrize(("file", "code"), [(ROBOTS, "robots"), (TDMREP, "unreachable")])
def test_a_host_on_the_list_of_opt_outs_is_not_asked_for_rules_either(make_fetcher, file, code):
    with Site({"/regeln": plain("")}) as other, Site() as site:
        site.pages = {file: redirect(other.url("/regeln")), "/a": html("x"), "/b": html("y")}
        fetcher = make_fetcher(opt_out=lambda url: urlsplit(url).netloc == other.host)
        assert [code_of(fetcher, site.url(path)) for path in ("/a", "/b")] == [code, code]
        fetcher.sitemaps(other.url())
        assert other.log == []
        assert paths(site).count(file) == 1


def test_a_redirect_of_the_rules_to_no_address_is_asked_once(make_fetcher):
    for nowhere in ("file:///etc/passwd", "http://[kaputt", "http://10.0.0.1/"):
        with Site({ROBOTS: redirect(nowhere), "/a": html("x")}) as site:
            fetcher = make_fetcher(resolver=lambda host, port: [host])
            assert [code_of(fetcher, site.url(path)) for path in ("/a", "/b")] == ["robots", "robots"]
            assert paths(site) == [ROBOTS]


def test_hosts_that_keep_their_rules_at_each_other_block_no_thread(make_fetcher):
    with Site() as first, Site() as second:
        first.pages = {TDMREP: redirect(second.url("/tdm.json")), "/tdm.json": plain("[]"), "/a": html("x")}
        second.pages = {TDMREP: redirect(first.url("/tdm.json")), "/tdm.json": plain("[]"), "/a": html("x")}
        fetcher = make_fetcher()
        threads = [
            threading.Thread(target=fetcher.fetch, args=(site.url("/a"),), daemon=True) for site in (first, second)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert sorted(paths(first)) == sorted(paths(second)) == sorted([ROBOTS, TDMREP, "/tdm.json", "/a"])


# --- reservations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (410, True), (429, False), (500, False), (503, False)]
)
def test_a_tdmrep_that_cannot_be_had(make_fetcher, status, allowed):
    with Site({TDMREP: Reply(b"", status), "/a": html("x")}) as site:
        fetcher = make_fetcher()
        if allowed:
            assert fetcher.fetch(site.url("/a")).status == 200
        else:
            assert code_of(fetcher, site.url("/a")) == "unreachable"
            assert paths(site) == [ROBOTS, TDMREP]


def test_an_unreachable_tdmrep_reserves_everything_and_is_said_once(tmp_path, make_fetcher):
    starts = ("/", "/liste", "/liste?seite=2")
    with Site({TDMREP: hang_up, **dict.fromkeys(starts, links("/projekt/1"))}) as site:
        source = source_for(tmp_path, site)
        text = source.path.read_text("utf-8")
        text = text.replace(f"start: ['{site.url()}']", f"start: {[site.url(path) for path in starts]}")
        source.path.write_text(text, "utf-8")
        running, outcomes = run(parse_source(source.path), make_fetcher())
        assert paths(site) == [ROBOTS, TDMREP]
    assert running.counts.pages == len(starts)
    assert reasons(outcomes) == {"": "unreachable"}
    assert "tdmrep.json" in outcomes[0].reason


def test_a_tdmrep_may_be_a_single_rule(make_fetcher):
    rule = plain('{"location": "/zu/*", "tdm-reservation": 1}', "application/json")
    with Site({TDMREP: rule, "/zu/a": html("x"), "/b": html("y")}) as site:
        fetcher = make_fetcher()
        assert code_of(fetcher, site.url("/zu/a")) == "opt_out"
        assert fetcher.fetch(site.url("/b")).status == 200


@pytest.mark.parametrize("name", ["/a", "/b"])
def test_a_reservation_in_the_headers_of_any_redirect_counts(make_fetcher, name):
    pages = {"/a": redirect("/b"), "/b": redirect("/c"), "/c": html("x")}
    pages[name] = Reply(b"", 302, {**pages[name].headers, "TDM-Reservation": "1"})
    with Site(pages) as site:
        assert code_of(make_fetcher(), site.url("/a")) == "opt_out"
        assert site.paths()[-1] == name


# --- rules grow old --------------------------------------------------------------------------------------------------


def test_rules_are_read_again_after_a_day(make_fetcher, clock):
    with Site({f"/{n}": html("x") for n in range(9)}) as site:
        fetcher = make_fetcher()
        fetcher.fetch(site.url("/0"))
        site.pages[ROBOTS] = plain("User-agent: *\nDisallow: /2")
        site.pages[TDMREP] = plain('[{"location": "/3", "tdm-reservation": 1}]')
        clock.seconds += DAY_S - 60
        fetcher.fetch(site.url("/1"))
        assert paths(site) == [ROBOTS, TDMREP, "/0", "/1"]
        clock.seconds += 120
        assert code_of(fetcher, site.url("/2")) == "robots"
        assert code_of(fetcher, site.url("/3")) == "opt_out"
        fetcher.fetch(site.url("/4"))
        assert paths(site)[4:] == [ROBOTS, TDMREP, "/4"]


@pytest.mark.parametrize("file", [ROBOTS, TDMREP])
def test_rules_that_become_unreachable_stay_and_are_asked_for_again(make_fetcher, clock, file):
    forbidding = {
        ROBOTS: plain("User-agent: *\nDisallow: /zu"),
        TDMREP: plain('{"location":"/zu","tdm-reservation":1}'),
    }
    with Site({file: forbidding[file], "/auf": html("x"), "/zu": html("y")}) as site:
        fetcher = make_fetcher()
        fetcher.fetch(site.url("/auf"))
        site.pages[file] = Reply(b"", 503)
        clock.seconds += DAY_S + 60
        fetcher.fetch(site.url("/auf"))
        assert code_of(fetcher, site.url("/zu")) in ("robots", "opt_out")
        assert paths(site).count(file) == 2
        site.pages[file] = plain("[]")
        clock.seconds += HOUR_S + 60
        assert fetcher.fetch(site.url("/zu")).status == 200
        assert paths(site).count(file) == 3


# --- a server that wants to be left alone ----------------------------------------------------------------------------


def pages_with(number: int, reply: Reply | Handler, count: int = 10) -> dict[str, Reply | Handler]:
    """A start page and projects of which one gives another answer."""
    names = [f"/projekt/{n}" for n in range(count)]
    return {"/": links(*names), **{name: project(name[9:]) for name in names}, f"/projekt/{number}": reply}


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("status", [429, 503])
def test_it_is_asked_for_no_further_page_and_said_once(tmp_path, make_fetcher, clock, retries, status):
    with Site(pages_with(3, busy(86400, status))) as site:
        source = source_for(tmp_path, site, sitemap="auto")
        path = tmp_path / "m.jsonl"
        limits = Limits(retries=retries)
        running, outcomes = run(source, make_fetcher(limits=limits), memory=FileMemory(path, "1"))
        assert site.paths() == ["/sitemap.xml", "/", *(f"/projekt/{n}" for n in range(4))]
        assert titles(outcomes) == ["0", "1", "2"]
        assert reasons(outcomes) == {"projekt/3": "retry_after"}
        assert site.host in outcomes[-1].reason
        assert running.counts.pages == 11
        site.pages["/projekt/3"] = project("3")
        _, again = run(source, make_fetcher(limits=limits), memory=FileMemory(path, "1"))
        assert titles(again)[3:] == [str(n) for n in range(3, 10)]
    assert sum(clock.slept) < HOUR_S


def test_other_hosts_of_a_source_are_asked_on(tmp_path, make_fetcher):
    with Site({"/": links("/projekt/x"), "/projekt/x": project("X")}) as other, Site() as site:
        site.pages = {"/": busy(86400), "/liste": links("/projekt/1"), "/projekt/1": project("Eins")}
        source = source_for(tmp_path, site)
        starts = [site.url(), other.url(), site.url("/liste")]
        text = source.path.read_text("utf-8").replace(f"start: ['{site.url()}']", f"start: {starts}")
        source.path.write_text(text, "utf-8")
        _, outcomes = run(parse_source(source.path), make_fetcher())
        assert titles(outcomes) == ["X"]
        assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["retry_after"]
        assert site.paths() == ["/"]


def test_each_source_of_the_host_is_told_without_asking_again(tmp_path, make_fetcher):
    hosts: Hosts = {}
    with Site(pages_with(0, busy(86400))) as site:
        source = source_for(tmp_path, site)
        run(source, make_fetcher(hosts=hosts))
        site.log.clear()
        _, outcomes = run(source, make_fetcher(hosts=hosts))
        assert reasons(outcomes) == {"": "retry_after"}
        assert site.log == []


def test_who_waits_for_a_server_learns_that_it_wants_to_be_left_alone(make_fetcher):
    hosts: Hosts = {}
    asked, answered = threading.Event(), threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        answered.wait(timeout=20)
        in_turn(busy(86400))(request)

    with Site({"/a": slow, "/b": html("x")}) as site:
        first, second = (make_fetcher(hosts=hosts, limits=Limits(total_s=30.0, read_s=30.0)) for _ in range(2))
        second.sitemaps(site.url())
        thread = threading.Thread(target=code_of, args=(first, site.url("/a")), daemon=True)
        thread.start()
        assert asked.wait(timeout=20)
        threading.Timer(0.3, answered.set).start()
        assert code_of(second, site.url("/b")) == "retry_after"
        thread.join(timeout=20)
        assert hosts[site.host].under_way == 0
        assert site.paths() == ["/a"]


@pytest.mark.parametrize("file", [ROBOTS, TDMREP])
def test_rules_of_a_server_that_wants_to_be_left_alone(make_fetcher, file):
    with Site({file: busy(86400), "/a": html("x")}) as site:
        fetcher = make_fetcher()
        assert [code_of(fetcher, site.url(path)) for path in ("/a", "/b")] == ["retry_after"] * 2
        assert paths(site)[-1] == file
        assert paths(site).count(file) == 1
    with Site({"/regeln": busy(86400)}) as other, Site({file: redirect(other.url("/regeln"))}) as site:
        fetcher = make_fetcher()
        assert [code_of(fetcher, site.url(path)) for path in ("/a", "/b")] == ["retry_after"] * 2
        assert (paths(site).count(file), paths(other).count("/regeln")) == (1, 1)


@pytest.mark.parametrize("retries", [0, 1])
def test_the_last_wish_for_a_pause_counts_for_the_next_page(make_fetcher, clock, retries):
    asked_at: list[tuple[str, float]] = []

    def noting(reply: Reply) -> Handler:
        def answer(request: BaseHTTPRequestHandler) -> None:
            asked_at.append((request.path, clock.seconds))
            in_turn(reply)(request)

        return answer

    with Site({"/a": noting(busy(30)), "/b": noting(html("x"))}) as site:
        fetcher = make_fetcher(limits=Limits(retries=retries))
        assert code_of(fetcher, site.url("/a")) == "server"
        fetcher.fetch(site.url("/b"))
    assert [path for path, _ in asked_at] == ["/a"] * (retries + 1) + ["/b"]
    gaps = [later[1] - earlier[1] for earlier, later in pairwise(asked_at)]
    assert all(30 <= gap < 31 for gap in gaps), gaps


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store.open(load_settings(tmp_path / "workspace"), create=True) as opened:
        yield opened


def refreshed(store: Store, source: SourceConfig, fetcher) -> dict[str, int]:
    def opened(source, memory, fresh_after, waiting):
        return crawl(source, fetcher=fetcher, memory=memory, fresh_after=fresh_after, waiting=waiting)

    with store.writing("refresh") as begun:
        report = take_in(store, source, run_id=begun.id, opened=opened)
        finish(store, [report])
    assert report.attempt.findings == []
    return report.attempt.counts


@pytest.mark.parametrize(("reply", "seen"), [(busy(86400), 8), (busy(5, 429), 9), (busy(None, 429), 9)])
def test_nothing_of_a_busy_server_counts_as_gone(tmp_path, make_fetcher, store, reply, seen):
    with Site(pages_with(0, project("0"))) as site:
        source = source_for(tmp_path, site)
        text = source.path.read_text("utf-8").replace("max_records: 5", "max_records: 50").replace(", state: 0.5", "")
        source.path.write_text(text, "utf-8")
        source = parse_source(source.path)
        assert refreshed(store, source, make_fetcher())["new"] == 10
        site.pages["/projekt/8"] = reply
        counts = refreshed(store, source, make_fetcher())
        assert (counts["unchanged"], counts["gone"]) == (seen, 0)


# --- the log ---------------------------------------------------------------------------------------------------------


def test_every_request_is_one_line_retries_included(make_fetcher, caplog):
    caplog.set_level(logging.INFO, logger="crawlers")
    pages = {
        ROBOTS: in_turn(busy(None), plain("")),
        "/a": in_turn(busy(1), busy(None, 429), html("da")),
        "/b": in_turn(hang_up, html("da")),
        "/c": busy(2),
        "/d": redirect("/a"),
    }
    with Site(pages) as site:
        fetcher = make_fetcher(limits=Limits(retries=2))
        for path in ("/a", "/b", "/d"):
            assert fetcher.fetch(site.url(path)).status == 200
        assert code_of(fetcher, site.url("/c")) == "server"
        asked = [site.url(path) for path in paths(site)]
    assert [path.rsplit("/", 1)[1] for path in asked] == [
        "robots.txt", "robots.txt", "tdmrep.json", "a", "a", "a", "b", "b", "d", "a", "c", "c", "c"
    ]  # fmt: skip
    told = [re.findall(r"url='(\S+)'", line) for line in caplog.messages]
    assert told == [[url] for url in asked]
    assert fetcher.spent.requests == len(asked)
    states = [re.findall(r"(?:status|refused)='?(\w+)", line)[0] for line in caplog.messages]
    assert states == ["503", "200", "404", "503", "429", "200", "unreachable", "200", "302", "200", "503", "503", "503"]


def test_requests_are_repeated_later_and_later():
    assert [backoff_s(attempt) for attempt in (1, 2, 3, 4, 20)] == [0, 1, 2, 4, 120]
