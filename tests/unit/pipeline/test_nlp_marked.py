"""What is decided from the reader's answers: the answers are made by hand, so that the decision alone is tested."""

import numpy as np
import pytest

from data.corpus_files import BUDGETS, CONTINUATIONS, LESSONS, STATUSES
from pipeline.nlp import marks as module
from pipeline.nlp.extract import extract
from pipeline.nlp.marks import GRADES, HEADS, Marks

TOPIC = "Der Verein begleitet Geflüchtete bei der Integration, beim Deutschlernen und auf der Suche nach Arbeit."
SURE = 0.95


@pytest.fixture
def read(monkeypatch):
    """Reads a text with these answers: by head, words of a clause or number (of the text: `""`) and the class."""

    def answered(text, answers, *, title=None, seen=True, topic=TOPIC):
        def mark(spans):
            told = {
                "span": [" ".join(spans.words[at] for at in clause) for clause in spans.clauses],
                "number": [" ".join(spans.words[at] for at in words) for words, _ in spans.numbers],
                "text": [""],
            }
            likely = {}
            for head in HEADS:
                rows = np.full((len(told[head.of]), head.classes), (1 - SURE) / (head.classes - 1), np.float32)
                rows[:, 0] = SURE
                for words, (place, chance) in answers.get(head.name, {}).items():
                    chosen = [at for at, one in enumerate(told[head.of]) if words in one]
                    assert chosen, (words, told)
                    rows[chosen] = (1 - chance) / (head.classes - 1)
                    rows[chosen, place] = chance
                likely[head.name] = rows
            return Marks(likely, np.full(len(spans.clauses), seen))

        monkeypatch.setattr(module, "mark", mark)
        return next(iter(extract([("p", title, f"{topic} {text}")])))

    return answered


def yes(*words, chance=SURE):
    return dict.fromkeys(words, (1, chance))


def test_the_reader_finds_people_whom_the_rules_do_not(read):
    text = "Aus 21 Angemeldeten wurden über die Jahre 340, die meisten jung."
    assert read(text, {})["reached_persons"] != 340
    assert read(text, {"reached": yes("340")})["reached_persons"] == 340


def test_of_a_part_and_a_whole_the_whole_was_reached(read):
    found = read("29 von 34 Angemeldeten legten die Prüfung ab.", {"reached": yes("29"), "rate": yes("29")})
    assert (found["reached_persons"], found["success_rate_percent"]) == (34, 85)


def test_of_a_part_that_came_the_part_was_reached(read):
    found = read("214 der 870 Bediensteten sind dabei gewesen.", {"reached": yes("214"), "level": {"214": (2, SURE)}})
    assert found["reached_persons"] == 214


def test_of_two_numbers_alike_the_larger_was_reached(read):
    text = "Im ersten Jahr zählte der Kreis 89 Jugendliche, im zweiten 133 und im dritten 60."
    found = read(text, {"reached": yes("89", "133", "60", chance=0.6)})
    assert found["reached_persons"] == 133


@pytest.mark.parametrize(("language", "chance", "people"), [("de", 0.01, None), ("de", 0.2, 40), ("en", 0.01, 40)])
def test_of_english_the_rules_know_more(read, language, chance, people):
    text = {
        "de": "Im Sommer nahmen 40 Frauen teil.",
        "en": "In summer, 40 refugee women took part in the language course for integration of the association.",
    }
    told = {"reached": yes("40", chance=chance), "level": {"40": (2, SURE)}}
    found = read(text[language], told, topic=TOPIC if language == "de" else "")
    assert found["reached_persons"] == people


def test_uses_and_what_others_did_are_no_people_reached(read):
    text = "Es gab 300 Beratungen für 120 Frauen."
    assert read(text, {"reached": yes("300", chance=0.7) | yes("120")})["reached_persons"] == 120
    text = "Im Nachbarkreis kamen 500 Menschen, hier kamen 200."
    other = {"status": {"500": (STATUSES.index("other"), SURE)}}
    assert read(text, {"reached": yes("500", chance=0.5) | yes("200"), **other})["reached_persons"] == 200


@pytest.mark.parametrize("text", ["Das Team teilt sich 1,5 Stellen.", "Das Team besteht aus 1 Person."])
def test_fractions_and_single_people_are_nobody_reached(read, text):
    number = "1,5" if "1,5" in text else "1 Person"
    assert read(text, {"reached": yes(number)})["reached_persons"] is None


def test_a_rate_needs_its_whole(read):
    text = "46 Frauen besuchten den Kurs. Am Ende bestanden 31."
    assert read(text, {"rate": yes("31")})["success_rate_percent"] is None
    assert read(text.replace("31", "31 davon"), {"rate": yes("31")})["success_rate_percent"] == 67
    assert read(text, {"rate": yes("31"), "base": yes("46")})["success_rate_percent"] == 67
    assert read(text, {"rate": yes("46"), "base": yes("31")})["success_rate_percent"] is None


def test_more_than_all_is_no_rate(read):
    assert read("Die Anfragen stiegen um 150 Prozent.", {"rate": yes("150")})["success_rate_percent"] is None


def test_the_reader_says_what_kind_of_money_it_is(read):
    text = "Das Ganze hat 30.000 Euro verschlungen."
    told = {"budget": {"30.000": (1 + BUDGETS.index("yearly"), SURE)}}
    found = read(text, told)
    assert (found["budget_eur"], found["budget_kind"]) == (30_000, "yearly")
    assert read("Ein Tee kostet 80 Euro.", {"budget": {"80": (1, SURE)}})["budget_eur"] is None
    assert read("Der Trainer nimmt 900 Euro am Tag.", {"budget": {"900": (1, SURE)}})["budget_eur"] is None


def test_what_the_reader_did_not_see_is_left_to_the_rules(read):
    text = "2019 nahmen 120 Frauen am Kurs teil. Zwei Räume fehlten."
    told = {"reached": yes("Zwei"), "level": {"Räume": (6, SURE)}, "text_level": {"": (2, SURE)}}
    assert read(text, told, seen=False)["reached_persons"] == 120
    text, told = "31 von 46 Frauen fanden danach Arbeit.", {"text_level": {"": (6, SURE)}}
    assert read(text, told, seen=False)["reached_persons"] == 46


def test_a_clause_that_tells_of_experience(read):
    text = "Das Haus nebenan steht leer. Die Nachbarstadt zog nach. Und so ging es fort."
    kinds = {
        "lesson": {"leer": (1 + LESSONS.index("obstacle"), SURE)},
        "transfer": yes("zog nach"),
        "continuation": {"ging": (1 + CONTINUATIONS.index("permanent"), SURE)},
        "award": yes("leer"),
    }
    found = read(text, kinds)
    assert [(lesson["kind"], lesson["quote"]) for lesson in found["lessons"]] == [
        ("obstacle", "Das Haus nebenan steht leer."),
        ("transfer", "Die Nachbarstadt zog nach."),
    ], "a transfer is a lesson too"
    assert found["transferred"] is True
    assert found["continuation"]["status"] == "permanent"
    assert found["continuation"]["quote"] == "Und so ging es fort."
    assert [award["quote"] for award in found["awards"]] == ["Das Haus nebenan steht leer."]


@pytest.mark.parametrize(("chance", "told"), [(0.0, False), (0.01, True)])
def test_a_transfer_that_the_reader_holds_for_impossible_is_none(read, chance, told):
    text = "Manchem dienen sie zugleich als Vorbild."
    assert read(text, {"transfer": yes("Vorbild", chance=chance)})["transferred"] is told


def test_clauses_of_one_sentence_that_tell_the_same_are_one_experience(read):
    text = "Schwierig war, dass viele Räume fehlten. Auch Geld fehlte, weil niemand half, aber Zeit war da."
    obstacle, success = ((1 + LESSONS.index(kind), SURE) for kind in ("obstacle", "success_factor"))
    told = {"Schwierig": obstacle, "fehlten": obstacle, "fehlte": obstacle, "half": obstacle, "Zeit": success}
    assert [(lesson["kind"], lesson["quote"]) for lesson in read(text, {"lesson": told})["lessons"]] == [
        ("obstacle", "Schwierig war, dass viele Räume fehlten."),
        ("obstacle", "Auch Geld fehlte, weil niemand half"),
        ("success_factor", "aber Zeit war da."),
    ]


@pytest.mark.parametrize("kinds", [["precondition"], []])
def test_advice_for_others_is_experience_where_the_reader_says_so(read, kinds):
    place = 1 + LESSONS.index(kinds[0]) if kinds else 0
    planned = {"sollten": (STATUSES.index("planned"), SURE)}
    found = read(
        "Andere Orte sollten früh einen Raum suchen.", {"lesson": {"sollten": (place, SURE)}, "status": planned}
    )
    assert [lesson["kind"] for lesson in found["lessons"]] == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Der Treff ist klein. Ein Handbuch zum Nachbauen liegt vor.", ["transfer"]),
        ("Der Treff ist klein. Der Landkreistag empfiehlt das Verfahren allen Kreisen.", ["transfer"]),
        ("Der Treff ist klein. Weitere Schulen wollen das nachmachen.", ["transfer"]),
        ("Der Treff ist klein. Die Kammer empfiehlt das Konzept anderen Städten.", ["transfer"]),
        ("Der Treff ist klein. Auf andere Orte lasse sich das übertragen.", ["transfer"]),
        ("Der Treff ist klein. Übertragbar sei es nicht.", []),
        ("Der Treff ist klein. Ein Handbuch liegt auf dem Tisch.", []),
        ("Der Treff ist klein. Der Verband empfiehlt allen Betrieben, früh Anträge zu stellen.", []),
        ("Der Treff ist klein. Ein Leitfaden hilft den Eltern vor dem ersten Schultag.", []),
        ("Der Treff ist klein. Die Vereine lassen sich Aufgaben der Stadt übertragen.", []),
        ("Der Treff ist klein. Das Ticket ist auf Freunde übertragbar.", []),
        ("Der Treff ist klein. Kinder anderer Schulen lernen Deutsch.", []),
    ],
)
def test_what_is_offered_to_others_for_copying_is_experience(read, text, kinds):
    told = {"status": {"nicht.": (STATUSES.index("negated"), SURE)}} if "nicht." in text else {}
    assert [lesson["kind"] for lesson in read(text, told)["lessons"]] == kinds


@pytest.mark.parametrize("title", ["Nachbarkreis übernahm das Konzept", "Handbuch zum Nachbauen liegt vor"])
def test_a_title_tells_no_transfer_by_rules_either(title):
    text = "Der Verein begleitet Geflüchtete bei der Integration und beim Deutschlernen."
    (found,) = extract([("p", title, text)], reading="rules")
    assert found["lessons"] == []
    (found,) = extract([("p", "Treff", f"{text} {title}.")], reading="rules")
    assert [lesson["kind"] for lesson in found["lessons"]] == ["transfer"]


def test_a_title_tells_no_experience(read):
    told = {"award": yes("Preis"), "transfer": yes("Preis"), "continuation": {"Preis": (1, SURE)}}
    told["lesson"] = {"Preis": (1, SURE)}
    found = read("Der Garten ist grün.", told, title="Preis")
    assert (found["awards"], found["transferred"], found["continuation"], found["lessons"]) == ([], False, None, [])


def test_status_and_level_of_a_clause(read):
    text = "Die Frauen grüßen jetzt den Nachbarn."
    told = {"level": {"grüßen": (5, SURE)}, "text_level": {"": (5, SURE)}}
    found = read(text, told)
    assert found["impact"]["level"] == 5
    assert {claim["quote"]: claim["level"] for claim in found["impact"]["claims"]}[
        "Die Frauen grüßen jetzt den Nachbarn."
    ] == 5
    planned = {"status": {"grüßen": (STATUSES.index("planned"), SURE)}}
    found = read(text, told | planned)
    assert found["impact"]["level"] == 0
    assert [claim["status"] for claim in found["impact"]["claims"] if "grüßen" in claim["quote"]] == ["planned"]


def test_a_level_that_no_clause_carries_is_not_told(read):
    assert read("Der Garten ist grün.", {"text_level": {"": (6, 1.0)}})["impact"]["level"] < 6


def test_a_study_that_found_nothing_stands_whatever_the_reader_says(read):
    text = "Eine Studie der Universität mit Kontrollgruppe lief. Es zeigte sich kein Effekt."
    told = {"text_grade": {"": (GRADES.index("1"), 1.0)}}
    assert read(text, told)["impact"]["evidence_grade"] == "X"


def test_the_reader_raises_the_grade_with_the_strongest_claim_as_its_quote(read):
    told = {
        "level": {"grüßen": (5, SURE)}, "text_level": {"": (5, SURE)}, "text_grade": {"": (GRADES.index("3"), 0.95)},
    }  # fmt: skip
    found = read("Die Frauen grüßen jetzt den Nachbarn.", told)
    assert (found["impact"]["evidence_grade"], found["impact"]["tier"]) == ("3", "proven")
    (fact,) = [fact for fact in found["facts"] if fact["property"] == "evidence_grade"]
    assert "grüßen" in fact["quote"]
