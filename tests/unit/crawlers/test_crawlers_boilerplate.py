"""Lines that a site repeats on all its pages are learnt and taken out."""

from support.crawling import YAML, links, run
from support.site import Site, html

from crawlers.boilerplate import LEARN_PAGES, Boilerplate, line_keys
from crawlers.crawl import crawl
from crawlers.memory import FileMemory
from crawlers.source import parse_source
from data.records import Fetched

COMMON = "Unsere Beratungsstelle ist montags bis freitags von neun bis zwölf Uhr für Sie geöffnet."
OWN = "Projekt {n} begleitet Familien in Musterstadt beim Ankommen und hat bisher {n} Familien erreicht."


def test_only_what_stands_on_most_pages_is_taken_out():
    learner = Boilerplate()
    for n in range(LEARN_PAGES):
        assert not learner.ready
        text = f"Navigation\n{OWN.format(n=n)}\nFußzeile  der Seite" + ("\nmanchmal" if n % 2 else "")
        learner.learn(line_keys(text))
    assert learner.ready
    text = f"NAVIGATION\n{OWN.format(n=99)}\nmanchmal\nFußzeile der Seite"
    kept = f"{OWN.format(n=99)}\nmanchmal"
    assert learner.cleaned(text) == (kept, list(line_keys(kept)))


def test_a_masked_text_is_cleaned_by_its_lines_as_they_were():
    learner = Boilerplate(line_keys("Ansprechpartnerin: Petra Muster"))
    text = f"{OWN.format(n=3)}\n\nAnsprechpartnerin: Petra Muster"
    masked = text.replace("Petra Muster", "████████████")
    assert learner.cleaned(masked, line_keys(text)) == learner.cleaned(text) == (
        OWN.format(n=3), list(line_keys(OWN.format(n=3)))
    )  # fmt: skip
    run_on = masked.replace("\n\n", "█\n")  # a mask that took the end of a line along: judged as it stands
    assert learner.cleaned(run_on, line_keys(text))[0] == run_on


def test_a_text_is_never_emptied_and_few_pages_teach_nothing():
    learner = Boilerplate()
    for _ in range(LEARN_PAGES):
        learner.learn(line_keys("immer dasselbe"))
    assert learner.cleaned("immer dasselbe")[0] == "immer dasselbe"
    few = Boilerplate()
    for _ in range(3):
        few.learn(line_keys("immer dasselbe\nText"))
    few.settle()
    assert few.lines == frozenset()


def guide(count: int) -> dict:
    pages = {
        f"/projekt/{n}": html(
            f"<h1>Projekt {n}</h1><article><p>{OWN.format(n=n)}</p><p>Mehr zu Nummer {n}, es folgt noch ein Satz.</p>"
            f"<p>{COMMON}</p></article>"
        )
        for n in range(count)
    }
    return {"/": links(*pages), **pages}


def test_a_crawl_without_a_rule_for_the_text(tmp_path, make_fetcher):
    with Site(guide(12)) as site:
        path = tmp_path / "probe.yaml"
        text = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        path.write_text(text.replace("  text: {css: main}\n", ""), encoding="utf-8")
        source = parse_source(path)
        _, whole = run(source, make_fetcher())
        records = [outcome for outcome in whole if isinstance(outcome, Fetched)]
        assert [record.title for record in records] == [f"Projekt {n}" for n in range(12)]
        assert not any(COMMON in record.text for record in records)
        assert all(f"hat bisher {n} Familien" in record.text for n, record in enumerate(records))
        for stop in (0, 5, 10):
            memory = tmp_path / f"{stop}.jsonl"
            started = crawl(source, fetcher=make_fetcher(), memory=FileMemory(memory, "1"))
            stored = [next(started) for _ in range(stop + 1)]
            after = "2026-01-31T07:00:00.000Z"
            stored += crawl(source, fetcher=make_fetcher(), memory=FileMemory(memory, "1"), fresh_after=after)
            assert {o.url: o for o in stored if isinstance(o, Fetched)} == {record.url: record for record in records}
