"""What a site forbids: patterns of tdmrep.json and Content Signals are read as written, and in a bounded time."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.optouts import TdmRules, robots_from
from crawlers.web import Answer

BASE = "https://e.example"


def reserved(pattern: str, path: str) -> bool:
    return TdmRules(((pattern, True),)).reserved(BASE + path)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/", "/a", True),
        ("/a", "/ab/c", True),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/*.pdf$", "/a/b.pdf", True),
        ("/*.pdf$", "/a.pdf?x=1", False),
        ("/*a*$", "/ba/c", True),
        ("*", "/a", True),
        ("*$", "/a", True),
        ("/ab*ba$", "/aba", False),
        ("/f%C3%BCr/*", "/für/alle", True),
        ("b", "/b", False),
        ("", "/b", True),
    ],
)
def test_a_pattern_matches_from_the_beginning(pattern, path, matches):
    assert reserved(pattern, path) == matches


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab*", max_size=8), st.sampled_from(["", "$"]), st.text(alphabet="ab", max_size=10))
def test_a_pattern_matches_as_its_regular_expression(pattern, end, path):
    form = re.compile(re.escape(f"/{pattern}").replace(r"\*", ".*") + end)
    assert reserved(f"/{pattern}{end}", f"/{path}") == (form.match(f"/{path}") is not None)


def test_a_pattern_of_many_wildcards_ends():
    started = time.process_time()
    assert not reserved("/*a*a*a*a*a*a*b", f"/{'a' * 1500}")
    assert reserved("/*a*a*a*a*a*a*b", f"/{'a' * 1500}b")
    assert time.process_time() - started < 1


def robots(text: str) -> Answer:
    return Answer(url=f"{BASE}/robots.txt", status=200, headers={}, body=text.encode(), fetched_at="")


@pytest.mark.parametrize(
    ("text", "is_reserved"),
    [
        ("Content-Signal: search=yes, ai-train=no", True),
        ("User-agent: *\r\n content-signal : ai-input = no # nie\r\nAllow: /", True),
        ("Content-Signal: ai-train=yes", False),
        ("Content-Signal: search=yes # ai-train=no", False),
        ("# Content-Signal: ai-train=no", False),
        ("Content-Signal:\nai-train=no", False),
    ],
)
def test_content_signals(text, is_reserved):
    assert robots_from(robots(text)).reserved is is_reserved


@pytest.mark.parametrize("text", ["\n" * 500_000, f"Content-Signal: x{' ' * 500_000}y"], ids=["lines", "blanks"])
def test_an_empty_robots_file_of_any_size_ends(text):
    started = time.process_time()
    assert not robots_from(robots(text)).reserved
    assert time.process_time() - started < 5
