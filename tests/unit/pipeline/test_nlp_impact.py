import pytest

from pipeline.nlp.analysis import pipeline_zone
from pipeline.nlp.extract import extract


def one(text, title=None):
    return next(iter(extract([("p", title, text)], reading="rules")))


def statuses(text, level):
    return [
        claim["status"]
        for claim in one(f"Geflüchtete und Sprachkurs. {text}")["impact"]["claims"]
        if claim["level"] == level
    ]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("2019 fanden 40 Geflüchtete eine Arbeit.", "result"),
        ("Inzwischen haben 40 Geflüchtete eine Arbeit gefunden.", "result"),
        ("Bis 2026 sollen 40 Geflüchtete eine Arbeit finden.", "planned"),
        ("Ziel ist es, 40 Geflüchtete in Arbeit zu vermitteln.", "planned"),
        ("Der Verein berät sie, um 40 Geflüchteten eine Arbeit zu vermitteln.", "planned"),
        ("Der Verein berät sie, damit 40 Geflüchtete eine Arbeit finden.", "planned"),
        ("40 Geflüchtete wird der Verein in Arbeit vermitteln.", "planned"),
        ("40 Geflüchtete würden so eine Arbeit finden.", "planned"),
        ("Die 40 Geflüchteten fanden keine Arbeit.", "negated"),
        ("Es ist nicht gelungen, die 40 Geflüchteten in Arbeit zu vermitteln.", "negated"),
        ("Nicht nur 40 Geflüchtete fanden eine Arbeit.", "result"),
        ("In Schweden fanden 40 Geflüchtete eine Arbeit.", "other"),
        ("40 Geflüchtete, die den Kurs besuchten, fanden eine Arbeit.", "result"),
        ("Ob 40 Geflüchtete eine Arbeit fanden, ist nicht bekannt.", "negated"),
        ("Trotz nicht gelernter Berufe fanden 40 Geflüchtete eine Arbeit.", "result"),
        ("Das Ziel ist erreicht: 40 Geflüchtete haben eine Arbeit gefunden.", "result"),
        ("Bis 2026 sollen 40 Geflüchtete einen Ausbildungs- oder Arbeitsplatz gefunden haben.", "planned"),
        ("2019 stellte der Betrieb zwölf Geflüchtete unbefristet ein.", "result"),
    ],
)
def test_status_of_a_claim(text, status):
    assert statuses(text, 6) == [status]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Geflüchtete nähten 2019 jede Woche gemeinsam im Sprachcafé.", 1),
        ("Geflüchtete nähen jede Woche gemeinsam im Sprachcafé.", 0),
        ("Am Sprachkurs nahmen 2019 rund 80 Geflüchtete teil.", 2),
        ("Die Geflüchteten waren mit dem Sprachkurs sehr zufrieden.", 3),
        ("30 Geflüchtete bestanden im Sprachkurs die Prüfung.", 4),
        ("Die Geflüchteten engagieren sich inzwischen selbst im Sprachcafé.", 5),
        ("40 Geflüchtete zogen nach dem Sprachkurs in eine eigene Wohnung.", 6),
        ("2019 wurde der Sprachkurs für Geflüchtete in den Lehrplan aufgenommen.", 7),
        ("Im Sprachkurs sollen 80 Geflüchtete Arbeit finden.", 0),
    ],
)
def test_levels(text, level):
    assert one(text)["impact"]["level"] == level


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("117 Geflüchtete konnten in Arbeit oder Ausbildung vermittelt werden.", 1),
        ("117 Geflüchtete haben einen Arbeits- oder Ausbildungsplatz gefunden.", 1),
        ("Insgesamt konnten 117 Geflüchtete, die lange suchten, in Arbeit vermittelt werden.", 1),
        ("117 Geflüchtete fanden Arbeit und 40 Geflüchtete bestanden die Prüfung.", 2),
        ("117 Geflüchtete wurden im Verbund (Ulm) in Arbeit vermittelt.", 1),
    ],
)
def test_what_one_verb_says_is_one_claim(text, quotes):
    claims = [claim for claim in one(f"Im Sprachkurs. {text}")["impact"]["claims"] if claim["level"] > 1]
    assert len(claims) == quotes


@pytest.mark.parametrize("tail", ["Bahnhofstraße 6 20099 Hamburg", "Tel.: 040 1234 Zimmer", "Geflüchtete"])
def test_lines_of_contact_and_single_words_are_no_claims(tail):
    found = one(f"Ein Sprachkurs. 40 Geflüchtete fanden eine Arbeit.\n\n{tail}")
    assert [claim["quote"] for claim in found["impact"]["claims"]] == ["40 Geflüchtete fanden eine Arbeit."]


def test_a_heading_of_a_text_without_title_claims_nothing():
    text = "40 Geflüchtete fanden Arbeit\n\nIm Sprachkurs lernten 60 Geflüchtete."
    assert [claim["quote"] for claim in one(text)["impact"]["claims"]] == ["Im Sprachkurs lernten 60 Geflüchtete."]
    found = one(text.replace("Arbeit\n", "Arbeit.\n"))
    assert found["impact"]["claims"][0]["quote"] == "40 Geflüchtete fanden Arbeit."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Von 60 Geflüchteten im Sprachkurs fanden 35 eine Arbeit.", (35, "persons", 60)),
        ("31 von 46 Geflüchteten im Sprachkurs fanden Arbeit, rund 67 Prozent.", (31, "persons", 46)),
        ("67 Prozent der Geflüchteten im Sprachkurs fanden Arbeit.", (67, "percent", None)),
        ("29 Fahrräder verteilte der Sprachkurs 2019 an Geflüchtete.", (29, "things", None)),
        ("Bei je acht Gästen kamen in den Sprachkurs 900 Geflüchtete.", (900, "persons", None)),
    ],
)
def test_the_count_of_a_claim(text, count):
    (claim,) = one(text)["impact"]["claims"]
    assert tuple(claim["quantity"][key] for key in ("value", "unit", "of")) == count


def test_a_computed_rate_is_shown_by_its_clause():
    found = one("Der Sprachkurs hilft Geflüchteten. Von 60 Geflüchteten fanden 35 eine Arbeit.")
    (fact,) = [fact for fact in found["facts"] if fact["property"] == "success_rate_percent"]
    assert (fact["value"], fact["quote"]) == (58, "Von 60 Geflüchteten fanden 35 eine Arbeit.")


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("Am Sprachkurs nahmen 80 Geflüchtete teil. Eine Kontrollgruppe lernte zu Hause.", "4"),
        ("Am Sprachkurs nahmen 80 Geflüchtete teil. Eine Kontrollgruppe fehlte.", "1"),
        ("Das Institut Camino begleitete den Sprachkurs für Geflüchtete drei Jahre lang.", "3"),
        ("Das Forschungszentrum des BAMF wertete den Sprachkurs für Geflüchtete aus.", "2"),
        ("Geflüchtete waren mit den 160 Rädern aus dem Sprachkurs sehr zufrieden.", "1"),
        ("Der Sprachkurs für Geflüchtete macht Mut.", "0"),
        ("Am Sprachkurs nahmen 80 Geflüchtete teil.", "1"),
        ("In einer Befragung waren 90 Prozent der Geflüchteten mit dem Sprachkurs zufrieden.", "2"),
        ("Die Universität Kassel hat den Sprachkurs für Geflüchtete untersucht, das Deutsch verbesserte sich.", "3"),
        (
            "Eine Studie verglich den Kurs für Geflüchtete mit einer Kontrollgruppe, die Noten verbesserten sich.",
            "4",
        ),
        ("Die Universität soll den Sprachkurs für Geflüchtete evaluieren.", "0"),
    ],
)
def test_evidence_grades(text, grade):
    assert one(text)["impact"]["evidence_grade"] == grade


def test_a_study_without_an_effect_is_an_x():
    text = (
        "Sprachkurs für Geflüchtete. Eine Studie der Universität mit Kontrollgruppe lief. Es zeigte sich kein Effekt."
    )
    assert one(text)["impact"]["evidence_grade"] == "X"


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("Am Kurs nahmen 40 bis 50 Geflüchtete teil.", 50),
        ("2018 kamen 60 Frauen, insgesamt nahmen 150 Frauen am Sprachkurs teil.", 150),
        ("Der Sprachkurs soll 80 Geflüchtete erreichen.", None),
        ("In der Stadt mit 9.000 Einwohnern gibt es einen Sprachkurs für Geflüchtete.", None),
        ("Je Kurs lernen 12 Frauen Deutsch.", None),
        ("Zwei Frauen aus dem Sprachkurs fanden Arbeit.", None),
        ("Am Sprachkurs nahmen 27 geflüchtete Frauen und 41 Kinder teil.", 68),
        ("Am Sprachkurs nahmen neun Frauen sowie rund 29 Männer teil.", 38),
        ("Den Sprachkurs besuchten 40 Geflüchtete und 12 Frauen.", 40),
        ("Den Sprachkurs besuchten 40 Frauen, und 30 Kinder warteten.", 40),
        ("Den Sprachkurs besuchten 40 Geflüchtete, darunter 27 Frauen und 13 Männer.", 40),
    ],
)
def test_people_reached(text, reached):
    assert one(text)["reached_persons"] == reached


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("Acht von zehn Geflüchteten fanden nach dem Sprachkurs Arbeit.", 80),
        ("70 Prozent der Geflüchteten fanden Arbeit.", 70),
        ("52 Prozent Frauen besuchten den Sprachkurs.", None),
        ("70 Prozent der Geflüchteten sollen Arbeit finden.", None),
    ],
)
def test_success_rates(text, rate):
    assert one(text)["success_rate_percent"] == rate


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("2019 förderte das Land den Sprachkurs mit 200.000 Euro.", (200_000, "funding", 2019)),
        ("Der Sprachkurs kostet insgesamt 1,5 Mio. Euro.", (1_500_000, "total", None)),
        (
            "Der Sprachkurs kostet 50.000 Euro im Jahr. Das Land förderte ihn mit 90.000 Euro.",
            (90_000, "funding", None),
        ),
        ("Das Land förderte den Sprachkurs mit 30.000 Euro, davon 2000 Euro für Bücher.", (30_000, "funding", None)),
        ("Mit 2000 Euro förderte das Land 2019 den Sprachkurs.", (2000, "funding", 2019)),
        ("Mit 30.000 Euro förderte das Land den Sprachkurs im Mai 2019.", (30_000, "funding", 2019)),
        ("Das Land förderte den Sprachkurs bis Ende 2026 mit 30.000 Euro.", (30_000, "funding", None)),
        ("Der Sprachkurs gewann 5.000 Euro Preisgeld.", (None, None, None)),
        ("Die Miete von 700 Euro zahlt das Jobcenter.", (None, None, None)),
        ("Die Trainerin kostet 1.100 Euro am Tag.", (None, None, None)),
        ("Die Stadt gibt 900 Euro je Gruppe.", (None, None, None)),
        ("Aus dem Fördertopf der Stiftung von 900.000 Euro kam nichts.", (None, None, None)),
        ("Der Kreis hätte 3.000 Euro gegeben.", (None, None, None)),
        ("Der Kurs kostet 50.000 Euro pro Jahr.", (50_000, "yearly", None)),
        ("Der Kreis zahlt 50.000 Euro je Jahr.", (50_000, "yearly", None)),
        ("Die Stadt gibt 900 Euro je Gruppe, insgesamt fördert sie mit 30.000 Euro.", (30_000, "funding", None)),
        ("Veranschlagt sind 164.000 Euro.", (164_000, "total", None)),
        ("Sechs Betriebe bringen 90.000 Euro auf.", (90_000, "funding", None)),
        ("Der Minister übergab einen Bescheid über 24.000 Euro.", (24_000, "funding", None)),
    ],
)
def test_budgets(text, budget):
    found = one(text)
    assert (found["budget_eur"], found["budget_kind"], found["price_year"]) == budget


def test_practice():
    found = one(
        "Sprachcafé für Geflüchtete. Ein Hindernis war der Mangel an Räumen. Entscheidend war das Vertrauen. "
        "2021 wurde das Team mit dem Integrationspreis ausgezeichnet. Der Nachbarkreis nahm es zum Vorbild. "
        "Seit 2022 ist das Café ein Regelangebot der Stadt."
    )
    assert [lesson["kind"] for lesson in found["lessons"]] == ["obstacle", "success_factor", "transfer"]
    assert [award["quote"] for award in found["awards"]] == [
        "2021 wurde das Team mit dem Integrationspreis ausgezeichnet."
    ]
    assert found["transferred"] is True
    assert found["continuation"]["status"] == "permanent"
    assert found["continuation"]["as_of"] == "2022"


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2018 begann der Kurs. Das Angebot wurde nicht verlängert.", None),
        ("2018 begann der Kurs. Das Angebot wurde 2020 nicht verlängert.", "2020"),
        ("Die Stadt will das Angebot weiterführen bis Ende 2022. 2030 ist weit.", "2022"),
        ("Das Angebot läuft seit Anfang Mai 2016 weiter.", None),
        ("Das Angebot läuft 2019 weiter.", "2019"),
    ],
)
def test_how_it_went_on_is_dated_by_its_own_sentence(text, year):
    assert one(f"Sprachcafé für Geflüchtete. {text}")["continuation"]["as_of"] == year


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Seit 2010 unterrichtet der Verein jede Woche.", "running"),
        ("Der Verein lädt seither jeden Montag ein.", "running"),
        ("Seit 2016 wird dort gekocht.", "running"),
        ("Seit 2016 wurde dort gekocht.", None),
        ("Seit 2010 haben dort 400 Menschen gelernt.", None),
        ("Der Verein unterrichtet jede Woche.", None),
        ("Seit sie da ist, lernt eine Familie.", None),
        ("Seit 2015 leben im Ort 200 Menschen aus Syrien.", None),
        ("Seit 2015 steigen dort die Mieten.", None),
        ("Seit 2010 unterrichtet der Verein. 2019 wurde das Angebot eingestellt.", "ended"),
    ],
)
def test_a_present_since_some_time_goes_on(text, status):
    assert (one(f"Sprachcafé für Geflüchtete. {text}")["continuation"] or {"status": None})["status"] == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Since 2010 the club has taught German every week.", "running"),
        ("Since then the club teaches German on Mondays.", "running"),
        ("In 2010 the club taught German, since families asked for it.", None),
        ("Since they came to the town, families learn German there.", None),
    ],
)
def test_an_english_present_since_some_time_goes_on(text, status):
    found = one(f"A language café for refugees in the town. {text}")
    assert (found["continuation"] or {"status": None})["status"] == status


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("2021 gewann es den Stadtpreis. Das Preisgeld von 500 Euro kann der Verein gut gebrauchen.",
         ["2021 gewann es den Stadtpreis."]),
        ("Es wurde mit dem Stadtpreis ausgezeichnet. Der Stadtpreis fördert soziales Engagement.",
         ["Es wurde mit dem Stadtpreis ausgezeichnet."]),
        ("Der Stadtpreis wurde erstmals 2009 ausgelobt.", []),
        ("Träger dieses Preises ist ein Bündnis.", []),
        ("2019 gewann es den Stadtpreis. Jährlich gibt es Preise, mit denen Vereine ausgezeichnet werden.",
         ["2019 gewann es den Stadtpreis."]),
        ("2019 gewann es den Stadtpreis. Den Stadtpreis erhielt das Team in Ulm. 2020 erhielt es den Landespreis.",
         ["2019 gewann es den Stadtpreis.", "2020 erhielt es den Landespreis."]),
        ("2019 wurde es ausgezeichnet. 2019 gewann es den Stadtpreis.", ["2019 gewann es den Stadtpreis."]),
        ("Die Auszeichnung wird jedes Jahr verliehen.", []),
        ("Dafür gab es 2019 den Stadtpreis.", ["Dafür gab es 2019 den Stadtpreis."]),
        ("Der Stadtpreis 2019 ging an das Team.", ["Der Stadtpreis 2019 ging an das Team."]),
        ("Stadtpreis der Bürgerstiftung 2019.", ["Stadtpreis der Bürgerstiftung 2019."]),
        ("Eine Jury verlieh ihm den Nachbar-Award.", ["Eine Jury verlieh ihm den Nachbar-Award."]),
        ("Für 2024 wurde es zum Stadtpreis angemeldet.", []),
        ("Turniersieger wurden die Gastgeber.", []),
        ("Die Stiftung vergibt jährlich ihren Förderpreis.", []),
    ],
)  # fmt: skip
def test_awards_won_and_what_is_said_of_prizes(text, quotes):
    assert [award["quote"] for award in one(f"Geflüchtete im Sprachkurs. {text}")["awards"]] == quotes


def test_an_award_that_only_the_title_tells():
    text = "Geflüchtete im Sprachkurs."
    assert [award["where"] for award in one(text, "Sprachkurs gewinnt Stadtpreis")["awards"]] == ["title"]
    assert one(text, "Der Stadtpreis")["awards"] == []


def test_a_nomination_is_no_award():
    assert one("Das Sprachcafé für Geflüchtete war für den Integrationspreis nominiert.")["awards"] == []


@pytest.mark.parametrize(
    ("text", "transferred", "status"),
    [
        ("Das Modell wurde in andere Städte übernommen.", True, None),
        ("Das Modell wurde nicht in andere Städte übernommen.", False, None),
        ("Das Modell soll in andere Städte übertragen werden.", False, None),
        ("Das Angebot wurde verstetigt.", False, "permanent"),
        ("Der Kreis nahm das Angebot zum Vorbild, es wurde verstetigt.", True, "permanent"),
        ("Das Angebot wurde nicht verstetigt.", False, None),
        ("Das Angebot soll verstetigt werden.", False, None),
        ("Das Angebot wurde nicht verlängert.", False, "ended"),
        ("Ob das Angebot weitergeht, ist offen.", False, "unknown"),
        ("Die Stadt will das Angebot weiterführen.", False, "running"),
    ],
)
def test_what_was_denied_or_is_planned_neither_went_on_nor_lasts(text, transferred, status):
    found = one(f"Sprachcafé für Geflüchtete. {text}")
    assert found["transferred"] is transferred
    assert (found["continuation"] or {"status": None})["status"] == status


@pytest.mark.parametrize(
    ("text", "transferred"),
    [
        ("Greiz und Jena zogen nach.", True),
        ("Drei Familien zogen nach Köln.", False),
        ("Das Konzept entspricht dem der Ferienakademie Nordheim.", True),
        ("Das Konzept entspricht den Vorgaben des Bundes.", False),
        ("Die Unterlagen stammen aus Arnsfeld.", True),
        ("264 Frauen sitzen in den Kursen, sie stammen aus vielen Ländern.", False),
        ("Zwei Nachbargemeinden haben die Mappe nachgedruckt.", True),
        ("Vier neue Zentren fußen auf den Darmstädter Erfahrungen.", True),
        ("In Essen erprobt, wurde es auf 35 Orte in 14 Ländern übertragen.", True),
        ("Hessens neunter Standort von „Nachbar hilft“ nahm die Arbeit auf.", True),
        ("Kiel und Neumünster sind ebenfalls Projektstädte.", True),
        ("Zwei Räume dienen ebenfalls dem Kurs.", False),
        ("Das Programm stammt aus dem Jahr 2015.", False),
        ("Das Konzept beruht auf den Erfahrungen der Lehrkräfte.", False),
        ("Sie holte sich auch Rat bei der Caritas.", False),
        ("Der Flyer wurde zweimal nachgedruckt.", False),
    ],
)
def test_what_came_from_elsewhere_or_went_there(text, transferred):
    assert one(f"Sprachcafé für Geflüchtete. {text}")["transferred"] is transferred


def test_a_transfer_counts_behind_many_lessons_too():
    found = one(
        "Sprachcafé für Geflüchtete. "
        + "Ein Hindernis war der Mangel an Räumen. " * 6
        + "Der Kreis nahm es zum Vorbild."
    )
    assert len(found["lessons"]) == 6
    assert found["transferred"] is True


def clauses(text):
    with pipeline_zone("en") as nlp:
        doc = nlp(text)
        words = doc._.words.texts
        return [
            (" ".join(word for start, end in clause.spans for word in words[start:end]).strip(" ,."), clause.status)
            for clause in doc._.clauses
        ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "They stayed because it helped",
            [("They stayed", "result"), ("because it helped", "result")],
        ),
        (
            "It went well, not least because residents learned a lot",
            [("It went well", "result"), ("not least because residents learned a lot", "result")],
        ),
        (
            "The town rented flats in order to avoid quarrels",
            [("The town rented flats", "result"), ("in order to avoid quarrels", "planned")],
        ),
        (
            "They advised women who looked for work",
            [("They advised women", "result"), ("who looked for work", "result")],
        ),
        ("Refugees are supposed to find work", [("Refugees are supposed to find work", "planned")]),
        ("They were barely able to help", [("They were barely able to help", "negated")]),
        ("The need was far from met", [("The need was far from met", "negated")]),
        ("Garden and children are seven", [("Garden and children are seven", "result")]),
    ],
)
def test_english_clauses(text, expected):
    assert clauses(text) == expected
