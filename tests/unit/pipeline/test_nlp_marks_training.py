from dataclasses import replace

from data.corpus_files import LESSONS
from embeddings.span_network import ASIDE, UNKNOWN
from pipeline.nlp.marks_training import MarkedText, excerpts, span_texts

TEXT = (
    "Im Kurs lernten 46 Frauen Deutsch. 31 bestanden die Prüfung. Räume fehlten anfangs. "
    "Das Land gab 30.000 Euro. Seit 2021 ist der Kurs Teil des Haushalts."
)


def place(quote, **told):
    start = TEXT.index(quote)
    return {"start": start, "end": start + len(quote), **told}


MARKED = MarkedText(
    title="Sprachkurs", text=TEXT, level=4, grade="1",
    claims=[
        place("Im Kurs lernten 46 Frauen Deutsch", status="result", level=2),
        place("31 bestanden die Prüfung", status="result", level=4),
    ],
    lessons=[place("Räume fehlten anfangs", kind="obstacle")],
    continuation=place("Seit 2021 ist der Kurs Teil des Haushalts", status="permanent"),
    reached=(46, place("Im Kurs lernten 46 Frauen Deutsch")), rate=(67, place("31 bestanden die Prüfung")),
    budget=(30_000, "funding", place("Das Land gab 30.000 Euro")), awards=[], transferred=[],
)  # fmt: skip


def targets(text):
    (found,) = span_texts([text])
    clauses = [" ".join(found.words[at] for at in span) for span in found.spans]
    numbers = [" ".join(found.words[at] for at in words) for words, _ in found.numbers]
    return found, dict(enumerate(clauses)), dict(enumerate(numbers))


def answer(found, name, told, what):
    return {found.targets[name][at] for at, words in told.items() if what in words}


def test_what_people_marked_becomes_the_answers():
    found, clauses, numbers = targets(MARKED)
    assert answer(found, "level", clauses, "46 Frauen") == {2}
    assert answer(found, "level", clauses, "bestanden") == {4}
    assert answer(found, "level", clauses, "Räume") == {0}
    assert answer(found, "status", clauses, "Räume") == {UNKNOWN}
    assert answer(found, "lesson", clauses, "Räume") == {1 + LESSONS.index("obstacle")}
    assert answer(found, "continuation", clauses, "Haushalts") == {2}
    assert answer(found, "level", clauses, "Sprachkurs") == {ASIDE}
    assert answer(found, "reached", numbers, "46") == {1}
    assert (answer(found, "rate", numbers, "31"), answer(found, "base", numbers, "46")) == ({1}, {1})
    assert answer(found, "budget", numbers, "30.000") == {2}
    assert (found.targets["text_level"], found.targets["text_grade"]) == ([4], [1])


def test_an_award_without_a_place_stands_somewhere():
    found, _, _ = targets(replace(MARKED, awards=True, transferred=False))
    assert set(found.targets["award"]) == {UNKNOWN, ASIDE}
    assert set(found.targets["transfer"]) == {0, ASIDE}
    assert found.somewhere == {"award": 1}


def test_a_number_that_is_not_found_is_unknown():
    found, _, numbers = targets(replace(MARKED, reached=(77, None)))
    assert {found.targets["reached"][at] for at in numbers} == {UNKNOWN}


def test_an_excerpt_keeps_what_stands_in_it():
    cuts = [cut for seed in range(40) for cut in excerpts([MARKED], seed)]
    assert len({cut.text for cut in cuts}) > 5
    for cut in cuts:
        assert cut.text in TEXT
        assert cut.title is None
        for kind in ("claims", "lessons"):
            wanted = [quote for one in getattr(MARKED, kind) if (quote := TEXT[one["start"] : one["end"]]) in cut.text]
            assert [cut.text[one["start"] : one["end"]] for one in getattr(cut, kind)] == wanted
        assert cut.level == max((claim["level"] for claim in cut.claims), default=0)
        assert (cut.reached is not None) == ("46 Frauen" in cut.text)
        assert (cut.continuation is not None) == ("Haushalts" in cut.text)
        found, _, _ = targets(cut)
        assert found.targets["text_grade"] == [UNKNOWN]


def test_a_clause_in_two_parts_has_not_the_marks_of_what_stands_between():
    text = "Die Frauen, die 2019 eine Arbeit fanden, blieben im Verein."
    inner = "die 2019 eine Arbeit fanden"
    claim = {"start": text.index(inner), "end": text.index(inner) + len(inner), "status": "result", "level": 6}
    found, clauses, _ = targets(replace(
        MARKED, title=None, text=text, level=6, claims=[claim], lessons=[], continuation=None, reached=None, rate=None,
        budget=None,
    ))  # fmt: skip
    assert answer(found, "level", clauses, "Arbeit") == {6}
    assert answer(found, "level", clauses, "blieben") == {0}


def test_what_has_no_place_gives_no_excerpt():
    assert not list(excerpts([replace(MARKED, reached=(46, None))] * 8))
    assert not list(excerpts([replace(MARKED, awards=True)] * 8))


def test_a_title_that_ends_with_a_bracket_leaves_no_clause_outside_of_the_text():
    found, clauses, _ = targets(replace(MARKED, title="Sprachkurs (Neustadt)"))
    assert len(found.spans) == len(clauses)
    assert answer(found, "level", clauses, "46 Frauen") == {2}
