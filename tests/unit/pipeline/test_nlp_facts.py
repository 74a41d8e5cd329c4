import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.records import STATES
from pipeline.nlp.extract import extract, to_statements
from pipeline.nlp.privacy import MASK

ON_TOPIC = "Im Sprachcafé lernen Geflüchtete Deutsch. "


def facts(text, title=None):
    found = next(iter(extract([("p", title, ON_TOPIC + text)], reading="rules")))
    for fact in found["facts"]:
        given_text = title if fact.get("where") == "title" else ON_TOPIC + text
        assert given_text[fact["start"] : fact["end"]] == fact["quote"]
    return found["facts"]


def told(name, text, title=None):
    return [fact["value"] for fact in facts(text, title) if fact["property"] == name]


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("organisation", "Die Handwerkskammer Lübeck bietet Beratung an.", ["Handwerkskammer Lübeck"]),
        ("organisation", "Träger ist der Nachbarn Celle e. V.", ["Nachbarn Celle e. V."]),
        ("organisation", "Das Café betreibt der Verein „Tür auf“.", ["Tür auf"]),
        ("organisation", "Die Elternlotsen des Diakonievereins Migration helfen.", ["Diakonievereins Migration"]),
        ("organisation", "Das Zentrum für Bildung und Arbeit leitet den Kurs.", ["Zentrum für Bildung und Arbeit"]),
        ("organisation", "Der Landkreis Stendal organisiert den Kurs.", ["Landkreis Stendal"]),
        ("organisation", "Im Landkreis Stendal beginnt ein Kurs.", []),
        ("organisation", "Der Verein bietet Beratung an.", []),
        ("organisation", "Die Universität Leipzig untersuchte den Kurs.", []),
        ("organisation", "Das Land fördert den Kurs.", []),
        ("funder", "Gefördert wird es vom Bundesinnenministerium.", ["Bundesinnenministerium"]),
        ("funder", "Bezahlt wird es aus Sozialfonds und vom Land.", ["Sozialfonds", "Land"]),
        ("funder", "Die Stiftung Mercator zahlte drei Jahre lang.", ["Stiftung Mercator"]),
        ("funder", "Das Geld kam vom Land.", ["Land"]),
        ("funder", "Mit Geld der Impuls-Stiftung entstand ein Café.", ["Impuls-Stiftung"]),
        ("funder", "Im Land stiegen die Zahlen.", []),
        ("funder", "Die Stadt lobt den Kurs.", []),
        ("start_year", "Seit 2016 kochen sie jeden Tag.", [2016]),
        ("start_year", "Im Mai 2017 startete das Projekt.", [2017]),
        ("start_year", "Von 2018 bis 2020 lief das Projekt.", [2018]),
        ("start_year", "2017 ergab eine Befragung, dass alle zufrieden sind.", []),
        ("start_year", "2018 soll ein Café starten.", []),
        ("start_year", "Seit 2015 leben 300 Geflüchtete im Ort.", []),
        ("end_year", "Von 2018 bis Ende 2020 lief das Projekt.", [2020]),
        ("end_year", "Das Projekt endete 2019.", [2019]),
        ("end_year", "Die Förderung endete 2019.", []),
        ("end_year", "Bis 2018 kamen 300 Menschen.", []),
        ("duration_months", "Es ist ein dreijähriges Projekt.", [36]),
        ("duration_months", "Das Projekt ist auf 18 Monate angelegt.", [18]),
        ("duration_months", "Eine dreijährige Tochter spielt im Garten.", []),
        ("staff", "Drei Vollzeitkräfte arbeiten im Projekt.", [3]),
        ("staff", "Das Café hat 1,5 Stellen.", [1.5]),
        ("staff", "Eine halbe Stelle trägt die Arbeit.", [0.5]),
        ("staff", "80 Geflüchtete fanden 40 Stellen in Betrieben.", []),
        ("volunteers", "Im Café helfen 25 Ehrenamtliche.", [25]),
        ("volunteers", "An der Befragung nahmen 25 Ehrenamtliche teil.", []),
        ("yearly_cost_eur", "Der Kurs kostet 25.000 Euro im Jahr.", [25_000]),
        ("yearly_cost_eur", "Der Kurs kostete 25.000 Euro im Jahr 2019.", []),
        ("languages", "Beraten wird auf Arabisch, Dari und Englisch.", ["Arabisch", "Dari", "Englisch"]),
        ("languages", "Beraten wird in elf Sprachen.", []),
        ("contact", "Fragen an integration@stadt-celle.de beantworten wir.", ["integration@stadt-celle.de"]),
        ("contact", "Fragen an maria.huber@web.de beantworten wir.", []),
    ],
)  # fmt: skip
def test_facts(name, text, values):
    assert told(name, text) == values


# Turns of phrase that public pages have and retellings have not.
@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("funder", "Es wird vom Bundesministerium für Familie, Senioren, Frauen und Jugend gefördert.",
         ["Bundesministerium für Familie, Senioren, Frauen und Jugend"]),
        ("funder", "Es wird vom Bundesministerium für Bildung und Forschung (BMBF) gefördert.",
         ["Bundesministerium für Bildung und Forschung"]),
        ("funder", "Gefördert wird es vom Ministerium für Soziales Hessen.", ["Ministerium für Soziales Hessen"]),
        ("funder", "Das Ministerium fördert es.", []),
        ("funder", "Gefördert aus dem Asyl-, Migrations- und Integrationsfonds (AMIF) der EU.",
         ["Asyl-, Migrations- und Integrationsfonds", "EU"]),
        ("funder", "Die Projektfinanzierung übernahmen das Sozialministerium und die Bundesagentur für Arbeit.",
         ["Sozialministerium", "Bundesagentur für Arbeit"]),
        ("funder", "Die Stadt Celle hat 5000 Euro zur Verfügung gestellt.", ["Stadt Celle"]),
        ("funder", "Die Stadt Celle hat Räume zur Verfügung gestellt.", []),
        ("funder", "Möglich machen dies Fördergelder des Landes Hessen.", ["Landes Hessen"]),
        ("funder", "Es wird im Rahmen des Bundesprogramms „Demokratie leben!“ gefördert.", ["Demokratie leben!"]),
        ("funder", "Finanziert wurde das Programm „Lesen“ durch die Impuls-Stiftung.", ["Impuls-Stiftung"]),
        ("funder", "Gefördert wird der Preis vom Bundesministerium für Bildung.", []),
        ("funder", "Die Stadtverwaltung finanziert es.", ["Stadtverwaltung"]),
        ("organisation", "Der Verein International Ulm e.V. bietet den Kurs an.", ["Verein International Ulm e.V."]),
        ("organisation", "Der Kurs wird von der Diakonie Stiftung Salem angeboten.", ["Diakonie Stiftung Salem"]),
        ("organisation", "Das Haus wird von der Ulmer Stadtmission betrieben.", ["Ulmer Stadtmission"]),
        ("organisation", "Das Projekt „Lesen“ des Nachbarn Celle e.V. läuft.", ["Nachbarn Celle e.V."]),
        ("organisation", "Der VfL Bad Wildungen bietet Schwimmkurse an.", ["VfL Bad Wildungen"]),
        ("organisation", "Wir arbeiten mit den Jobcentern und der Bundesagentur für Arbeit zusammen.", []),
        ("organisation", "Mit Kursen erreichen die Lotsen und die Caritas Celle viele.", ["Caritas Celle"]),
        ("organisation", "Mit Kommilitonen der Universität Leipzig lernen sie.", []),
        ("start_year", "Seit 2014 beraten wir rund um das Leben und das Arbeiten.", [2014]),
        ("start_year", "Ab 2016 bietet die Stadt Celle Kurse an.", [2016]),
        ("start_year", "Ab 2016 müsse man stark sparen.", []),
        ("start_year", "Seit 2013 fördert der Stiftungspreis Vereine.", []),
        ("end_year", "Am 30. Juni 2023 konnte das Landesprojekt erfolgreich abgeschlossen werden.", [2023]),
        ("duration_months", "Das Projekt hat eine Laufzeit von zweieinhalb Jahren.", [30]),
        ("duration_months", "Nach drei Jahren endete das Projekt.", [36]),
        ("duration_months", "Nach drei Jahren fanden sie Arbeit.", []),
        ("budget_eur", "Fördersumme: 6.000,- Euro", [6000]),
    ],
)  # fmt: skip
def test_facts_as_public_pages_tell_them(name, text, values):
    assert told(name, text) == values


def test_a_name_in_the_title_is_quoted_there():
    found = facts("Alle sind zufrieden.", "Sprachcafé der AWO Region Hannover")
    (carrier,) = [fact for fact in found if fact["property"] == "organisation"]
    assert (carrier["value"], carrier["where"]) == ("AWO Region Hannover", "title")


def test_an_off_topic_text_tells_none_of_them():
    text = "Seit 2016 kegelt der Kegelclub Celle e. V. mit 40 Ehrenamtlichen auf zwei Bahnen, das Land fördert es."
    found = next(iter(extract([("p", None, text)], reading="rules")))
    assert {fact["property"] for fact in found["facts"]} <= {"evidence_grade"}


def test_no_name_shows_personal_data():
    found = facts(
        "Der Verein „Kontakt maria.huber@web.de“ bietet Beratung an. Frau Maria Huber leitet die Maria Huber GmbH."
    )
    assert all("Huber" not in str(fact["value"]) and MASK not in str(fact["value"]) for fact in found)


def test_several_carriers_are_one_statement_each():
    text = ON_TOPIC + "Träger sind die Caritas und die Diakonie."
    extraction = next(iter(extract([("p", None, text)], reading="rules")))
    statements = to_statements("p", "d", extraction, version="1")
    assert [one.value for one in statements if one.property == "organisation"] == ["Caritas", "Diakonie"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1950, 2030), st.integers(0, 20))
def test_periods_are_read_again(first, years):
    text = f"Von {first} bis {first + years} lief das Projekt."
    assert (told("start_year", text), told("end_year", text)) == ([first], [first + years])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1950, 2030),
    st.sampled_from(["Seit", "Seit Mai", "Seit Anfang", "Seit dem 1. Oktober", "Seit dem Herbst", "Seit Ende"]),
)
def test_dates_of_a_beginning_are_read_again(year, lead):
    assert told("start_year", f"{lead} {year} kochen sie jeden Tag.") == [year]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60))
def test_lengths_are_read_again(months):
    assert told("duration_months", f"Das Projekt ist auf {months} Monate angelegt.") == [months]


@settings(max_examples=40, deadline=None)
@given(st.integers(1000, 9_999_999))
def test_yearly_sums_are_read_again(amount):
    grouped = f"{amount:,}".replace(",", ".")
    assert told("yearly_cost_eur", f"Der Kurs kostet {grouped} Euro im Jahr.") == [amount]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 80))
def test_posts_are_read_again(halves):
    number = f"{halves / 2:g}".replace(".", ",")
    assert told("staff", f"Das Café hat {number} Stellen.") == [halves / 2]


@pytest.mark.parametrize("state", STATES)
def test_a_land_that_pays_is_named(state):
    assert told("funder", f"Das Land {state} fördert den Kurs.") == [f"Land {state}"]
