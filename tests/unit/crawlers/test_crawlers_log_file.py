"""The log of requests: a line a request, bounded, shared, cleaned, and nothing that a crawl depends on."""

import itertools
import os
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.site import Site, html

from crawlers.forget import drop_lines
from crawlers.log_file import FULL_FILES, Line, line_of, log_files, requests_logged
from crawlers.polite import request_log
from data.errors import CheckupError

NOW = "2026-01-31T08:00:00.000Z"


def lines(workspace):
    return [line_of(raw) for path in log_files(workspace) for raw in path.read_text("utf-8").splitlines()]


def log(url, source="probe", **told):
    request_log().bind(source=source).info("request", url=url, **{"status": 200, **told})


@pytest.fixture
def told():
    return []


@pytest.fixture
def logged(tmp_path, told):
    return lambda **options: requests_logged(tmp_path, say=told.append, now=lambda: NOW, **options)


def test_each_request_is_one_line_with_time_source_status_and_address(tmp_path, logged, make_fetcher):
    with Site({"/a b?x=ü": html("x"), "/a%20b?x=%C3%BC": html("x")}) as site:
        fetcher = make_fetcher(name="probe")
        with logged():
            fetcher.fetch(site.url("/a b?x=ü"))
        fetcher.fetch(site.url("/a b?x=ü"))
        asked = [Line(NOW, "probe", "200" if "a%20b" in one.path else "404", site.url(one.path)) for one in site.log]
    assert lines(tmp_path) == asked[:3]
    assert len(asked) == 4  # outside nothing is logged


def test_what_was_refused_and_what_has_no_source_is_named(tmp_path, logged):
    with logged():
        request_log().info("request", url="https://example.org/zu langsam\n", refused="timeout")
    assert lines(tmp_path) == [Line(NOW, "-", "timeout", "https://example.org/zu%20langsam%0A")]


@given(st.text(), st.text())
def test_any_address_is_one_line_that_can_be_read_again(tmp_path_factory, url, source):
    folder = tmp_path_factory.mktemp("log")
    with requests_logged(folder, say=lambda _: None):
        log(
            f"https://example.org/{url.encode('utf-8', 'replace').decode()}", source.encode("utf-8", "replace").decode()
        )
    (line,) = lines(folder)
    assert line is not None
    assert line.url.startswith("https://example.org/")


def test_full_files_are_put_aside_and_the_oldest_go(tmp_path, logged):
    with logged(file_bytes=200):
        for number in range(60):
            log(f"https://example.org/{number:02}")
    names = [path.name for path in log_files(tmp_path)]
    assert names == ["crawl.log", *(f"crawl.log.{number}" for number in range(1, FULL_FILES + 1))]
    assert all(path.stat().st_size <= 200 for path in log_files(tmp_path))
    found = sorted(line.url for line in lines(tmp_path))
    assert found == [f"https://example.org/{number:02}" for number in range(60 - len(found), 60)]


@pytest.mark.skipif(os.name == "nt", reason="no such rights there")
def test_only_its_owner_may_read_it(tmp_path, logged):
    with logged():
        log("https://example.org/")
    assert stat.S_IMODE((tmp_path / "logs" / "crawl.log").stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path, logged, told, make_fetcher):
    (tmp_path / "logs").write_text("eine Datei", "utf-8")
    with Site({"/a": html("x")}) as site, logged():
        assert make_fetcher().fetch(site.url("/a")).status == 200
    assert len(told) == 1
    assert "crawl.log" in told[0]


def test_what_must_leave_no_trace_is_not_written(tmp_path, logged):
    with logged(left_out=lambda url, source: "geheim" in url or source == "weg"):
        for url, source in itertools.product(("https://e.org/geheim", "https://e.org/a"), ("weg", "probe")):
            log(url, source)
    assert [(line.source, line.url) for line in lines(tmp_path)] == [("probe", "https://e.org/a")]


def test_threads_write_whole_lines_while_the_file_is_cleaned(tmp_path, logged):
    def write(name):
        for number in range(50):
            log(f"https://example.org/{number}", name)

    with logged():
        threads = [threading.Thread(target=write, args=(name,)) for name in ("eins", "zwei")]
        for thread in threads:
            thread.start()
        for _ in range(20):
            drop_lines(tmp_path, lambda line, raw: line.source == "eins")
        for thread in threads:
            thread.join()
        drop_lines(tmp_path, lambda line, raw: line.source == "eins")
        log("https://example.org/nachher")
    assert None not in lines(tmp_path)
    assert {line.source for line in lines(tmp_path)} <= {"zwei", "probe"}
    assert lines(tmp_path)[-1].url == "https://example.org/nachher"  # not into a file that was replaced


def test_lines_are_dropped_from_every_file_and_what_is_no_line_goes_too(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    keep, drop = str(Line(NOW, "probe", "200", "https://e.org/a")), str(Line(NOW, "probe", "200", "https://e.org/weg"))
    (folder / "crawl.log").write_text(f"{keep}\n{drop}\n2026-01-31T08:00:0", "utf-8")
    (folder / "crawl.log.1").write_text(f"{drop}\n", "utf-8")
    (folder / "crawl.log.eigenes").write_text(drop, "utf-8")
    (folder / "crawl.log.part").write_text(drop, "utf-8")
    assert drop_lines(tmp_path, lambda line, raw: line.url.endswith("weg") and b"weg" in raw) == 3
    assert (folder / "crawl.log").read_text("utf-8") == f"{keep}\n"
    assert sorted(path.name for path in folder.iterdir()) == ["crawl.log", "crawl.log.eigenes"]
    assert drop_lines(tmp_path / "fehlt", lambda line, raw: True) == 0


def test_a_file_that_cannot_be_cleaned_is_named(tmp_path):
    (tmp_path / "logs" / "crawl.log").mkdir(parents=True)
    with pytest.raises(CheckupError, match=r"crawl\.log"):
        drop_lines(tmp_path, lambda line, raw: True)
