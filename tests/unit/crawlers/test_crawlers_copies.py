"""Pages that differ in numbers or a few lines only are one record; pages that tell different facts are several."""

import time
from pathlib import Path

import pytest
from support.crawling import YAML, links, reasons, run
from support.site import Reply, Site, html

from crawlers.copies import BITS, MAX_LINES, MIN_LINES, Copies, blind_keys, sketch_of
from crawlers.crawl import crawl
from crawlers.fields import parse_html
from crawlers.memory import FileMemory
from crawlers.page import read_page
from crawlers.source import SourceConfig, load_source, parse_source
from data.records import Fetched

BODY = tuple(f"Im {word} Raum lernen Zugewanderte und Freiwillige gemeinsam." for word in (
    "ersten", "zweiten", "dritten", "vierten", "fünften", "sechsten", "siebten", "achten", "neunten", "zehnten",
    "hellen", "großen", "kleinen", "neuen", "alten", "warmen", "ruhigen", "bunten", "offenen",
))  # fmt: skip
GOLDEN = Path(__file__).parents[2] / "golden"
TEXTS = pytest.mark.parametrize("text", ["", "  text: {css: main}\n"], ids=["main text", "rule"])


def page(*lines: str, title: str = "Sprachcafé", town: str = "") -> Reply:
    said = "".join(f"<p>{line}</p>" for line in lines)
    return html(f"<h1>{title}</h1><main>{said}</main>" + (f"<p class=land>{town}</p>" if town else ""))


def source_in(tmp_path: Path, site: Site, *, text: str = "  text: {css: main}\n") -> SourceConfig:
    yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
    path = tmp_path / "probe.yaml"
    path.write_text(yaml.replace("  text: {css: main}\n", text), encoding="utf-8")
    return parse_source(path)


def site_of(*pages: Reply) -> dict[str, Reply]:
    paths = [f"/projekt/{number}" for number in range(len(pages))]
    return {"/": links(*paths), **dict(zip(paths, pages, strict=True))}


def counted(number: int) -> Reply:
    """A page with a counter of views and the date of the print."""
    return page(*BODY[:5], f"{99 + number} Aufrufe", f"Gedruckt am {9 + number}.11.2026 um 8:0{number} Uhr")


@TEXTS
def test_pages_that_differ_in_a_counter_and_a_date_are_one_record(tmp_path, make_fetcher, text):
    with Site(site_of(*map(counted, range(5)))) as site:
        running, outcomes = run(source_in(tmp_path, site, text=text), make_fetcher())
        assert {f"/projekt/{n}" for n in range(5)} <= set(site.paths())
    assert [outcome.url for outcome in outcomes if isinstance(outcome, Fetched)] == [site.url("/projekt/0")]
    assert reasons(outcomes) == {f"projekt/{n}": "duplicate" for n in range(1, 5)}
    assert running.counts.identical == 4
    told = next(outcome for outcome in outcomes if outcome.url.endswith("/1"))
    assert told.expected
    assert told.reason == f"Titel und Text sind bis auf Zahlen oder einzelne Zeilen gleich {site.url('/projekt/0')}."


APART = {
    "towns in the title": (page(*BODY, title="Sprachcafé Kassel"), page(*BODY, title="Sprachcafé Gießen")),
    "years in the title": (page(*BODY, title="Woche 2019"), page(*BODY, title="Woche 2020")),
    "towns in a field": (page(*BODY, "7 Aufrufe", town="Kassel"), page(*BODY, "8 Aufrufe", town="Gießen")),
    "numbers in a field": (page(*BODY, "7 Aufrufe", town="Region 1"), page(*BODY, "8 Aufrufe", town="Region 2")),
    "a field that one lacks": (page(*BODY, "7 Aufrufe"), page(*BODY, "8 Aufrufe", town="Kassel")),
    "one line of nineteen": (page(*BODY[1:], "Ort: Kassel"), page(*BODY[1:], "Ort: Gießen")),
    "one line more than five percent": (
        page(*BODY, *BODY[:1], "Ort: Kassel", "Träger: A"),
        page(*BODY, *BODY[:1], "Ort: Gießen", "Träger: B"),
    ),
    "a line more": (page(*BODY[:5]), page(*BODY[:5], "Es gibt auch einen Chor.")),
}


@TEXTS
@pytest.mark.parametrize("name", APART)
def test_pages_that_tell_different_facts_stay_apart(tmp_path, make_fetcher, name, text):
    with Site(site_of(*APART[name])) as site:
        running, outcomes = run(source_in(tmp_path, site, text=text), make_fetcher())
        assert {"/projekt/0", "/projekt/1"} <= set(site.paths())
    assert running.counts.records == 2
    assert reasons(outcomes) == {}


@TEXTS
def test_one_line_of_twenty_may_differ(tmp_path, make_fetcher, text):
    pages = page(*BODY, "Gedruckt an einem Montag."), page(*BODY, "Gedruckt an einem Dienstag.")
    with Site(site_of(*pages)) as site:
        _, outcomes = run(source_in(tmp_path, site, text=text), make_fetcher())
    assert reasons(outcomes) == {"projekt/1": "duplicate"}


@TEXTS
def test_a_crawl_killed_anywhere_knows_its_copies_again(tmp_path, make_fetcher, text):
    others = [page(*BODY[n:], title=f"Projekt {n}") for n in range(9)]
    with Site(site_of(counted(0), *others, counted(1), counted(2))) as site:
        source = source_in(tmp_path, site, text=text)
        _, whole = run(source, make_fetcher())
        assert reasons(whole) == {"projekt/10": "duplicate", "projekt/11": "duplicate"}
        for stop in range(len(whole)):
            path = tmp_path / f"m{stop}.jsonl"
            started = crawl(source, fetcher=make_fetcher(), memory=FileMemory(path, "1"))
            stored = [next(started) for _ in range(stop + 1)]
            site.log.clear()
            after = "2026-01-31T07:00:00.000Z"
            rest = list(crawl(source, fetcher=make_fetcher(), memory=FileMemory(path, "1"), fresh_after=after))
            kept = {record.url: record for record in [*stored, *rest] if isinstance(record, Fetched)}
            assert kept == {record.url: record for record in whole if isinstance(record, Fetched)}
            assert reasons([*stored, *rest]) == reasons(whole)
            assert len(set(site.paths()) & {f"/projekt/{n}" for n in range(stop)}) == 0


@TEXTS
def test_in_the_next_run_an_unchanged_page_still_has_its_copies(tmp_path, make_fetcher, text):
    first = page(*BODY[:5], "7 Aufrufe")
    pages = site_of(Reply(first.body, 200, {**first.headers, "ETag": '"a"'}), page(*BODY[:5], "8 Aufrufe"))
    with Site(pages) as site:
        source = source_in(tmp_path, site, text=text)
        run(source, make_fetcher(), memory=FileMemory(tmp_path / "m.jsonl", "1"))
        site.pages["/projekt/1"] = page(*BODY[:5], "9 Aufrufe")
        site.log.clear()
        running, outcomes = run(source, make_fetcher(), memory=FileMemory(tmp_path / "m.jsonl", "1"))
        assert [asked.headers.get("If-None-Match") for asked in site.log if asked.path == "/projekt/0"] == ['"a"']
    assert running.counts.unchanged == 1
    assert reasons(outcomes) == {"projekt/1": "duplicate"}


def sketch(*lines: str, title: str = "Haus", **facts: object) -> str:
    return sketch_of([key for key in blind_keys(title, facts, "\n".join(lines)) if key])


def test_a_page_with_too_many_lines_or_without_a_title_has_no_odd_sketch():
    names = [f"Zeile {chr(97 + n % 26) * (n + 1)}" for n in range(MAX_LINES + 1)]
    assert sketch("eins", "zwei", title="") == ""
    assert sketch("", " ") == ""
    assert len(sketch(*names[: MIN_LINES - 1])) == len(sketch(*names)) == 16
    assert len(sketch(*names[:-1])) == len(sketch(*names[:MIN_LINES])) == 16 + 3 + BITS // 4
    assert sketch_of(["", "a" * 16]) == ""  # kept by a version that knew no such hashes


def test_a_guess_at_one_line_proves_nothing():
    """A right guess looks like many wrong ones: neither a line's hash nor a position of its own is kept."""
    names = [
        f"Ansprechpartnerin ist Frau {chr(65 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}"
        for n in range(9_000)
    ]
    kept = sketch(*BODY, names[0])
    assert not any(key in kept for key in blind_keys("Haus", {}, "\n".join([*BODY, *names])))
    odd = int(kept[19:], 16)
    fitting = [name for name, key in zip(names, blind_keys("Haus", {}, "\n".join(names)), strict=True)
               if odd >> int(key, 16) % BITS & 1]  # fmt: skip
    assert len(fitting) > 400
    assert bin(odd).count("1") <= MIN_LINES  # the rest of what is kept is one hash of all lines together
    other = sketch(*BODY, names[1])
    assert kept[:16] != other[:16]
    assert bin(int(kept[19:], 16) ^ int(other[19:], 16)).count("1") <= 2
    elsewhere = sketch(*BODY, names[0], title="Garten")  # the hashes are keyed by the title
    assert bin(int(kept[19:], 16) ^ int(elsewhere[19:], 16)).count("1") > 20


def test_lines_that_stand_twice_count_twice():
    copies = Copies()
    copies.add("", sketch(*BODY, "Mehr erfahren", "Mehr erfahren", "Mehr erfahren"), "/a")
    assert copies.told("", sketch(*BODY, "Mehr erfahren", "Kassel", "Anders"), "/b") is None
    assert copies.told("", sketch(*BODY, "Mehr erfahren", "Mehr erfahren", "Kassel"), "/b") is not None
    assert copies.told("", sketch(*BODY, "Mehr erfahren", "Mehr erfahren", "Kassel"), "/a") is None


def told(first: int, second: int, shared: int) -> bool:
    """Whether a page of that many lines is a copy of another that shares so many of them with it."""
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(2000)]
    copies = Copies()
    copies.add("", sketch(*words[:first]), "/a")
    return copies.told("", sketch(*words[first - shared : first + second - shared]), "/b") is not None


@pytest.mark.parametrize(("lines", "alike"), [(20, 19), (40, 38), (60, 57), (100, 96), (200, 192), (400, 388)])
def test_one_line_of_twenty_is_counted_right_whatever_the_length(lines, alike):
    assert told(lines, lines, alike)
    assert not told(lines, lines, lines - 2 * (lines - alike) - 2)
    assert not told(lines, lines + lines // 10 + 2, lines)
    assert not told(lines, lines, 0)


def test_thousands_of_pages_of_one_length_are_compared_in_no_time():
    copies = Copies()
    lines = [
        sketch(*(f"{chr(97 + n)} {number:b}".translate({48: "o", 49: "i"}) for n in range(25)))
        for number in range(4_000)
    ]
    started = time.process_time()
    for number, found in enumerate(lines):
        assert copies.told("", found, str(number)) is None
        copies.add("", found, str(number))
    assert time.process_time() - started < 20


def test_no_golden_page_is_a_copy_of_another():
    taken: dict[str, Copies] = {}
    for case in sorted(path.parent for path in GOLDEN.glob("*/*/input.html")):
        source = load_source(case.parent.name)
        text = (case / "input.html").read_text(encoding="utf-8")
        reading = read_page(text, parse_html(text), source, source.homepage)
        found = sketch(*reading.text.split("\n"), title=reading.title or "", **reading.facts)
        copies = taken.setdefault(source.name, Copies())
        assert copies.told("", found, str(case)) is None
        copies.add("", found, str(case))
    assert taken
