"""What the terminal says of a situation, and of a project that was read."""

from checkup.console import SURE, understood
from checkup.reading_console import print_extraction
from data.vocabulary import load_vocabulary
from pipeline.nlp.extract import extract

GUESSES = [{"need_id": "praktikum-finden", "title": "Kein Praktikum", "confidence": 0.1}]


def test_an_uncertain_need_is_told_with_the_next_guesses() -> None:
    vocabulary = load_vocabulary()
    title = vocabulary.needs["frauen-bleiben-zuhause"].title
    need = {"need_id": "frauen-bleiben-zuhause", "alternatives": GUESSES, "confidence": SURE}
    assert understood(need, vocabulary) == title
    assert understood({**need, "confidence": SURE - 0.01}, vocabulary) == f"unsicher: {title}? Kein Praktikum?"
    assert understood({"need_id": "frauen-bleiben-zuhause"}, vocabulary) == title


def test_everything_that_was_read_of_a_project_is_told_in_german(capsys) -> None:
    text = (
        "Das Sprachcafé in Kassel begleitet Geflüchtete. 2019 bestanden 31 von 46 Frauen die Prüfung B1. "
        "Ein Hindernis war der Mangel an Räumen. 2021 wurde das Team mit dem Integrationspreis ausgezeichnet. "
        "Seit 2022 ist das Café ein Regelangebot der Stadt. Frau Demir lobt es: Es kostet 25.000 Euro im Jahr."
    )
    (found,) = extract([("a", None, text)], reading="rules")
    print_extraction(found, load_vocabulary())
    shown = " ".join(capsys.readouterr().out.split())
    for told in (
        "Handlungsfeld: Sprache", "Zielgruppe: Geflüchtete", "Ergebnis, 31 von 46 Personen",
        "Ort: Kassel (Hessen) Kassel", "Reichweite: Gemeinde", "Erfahrung: Hürde Ein Hindernis",
        "Fortgang: verstetigt (Stand 2022)", "Auszeichnung 2021 wurde", "Kosten = 25.000 € im Jahr",
        "(Stufe 6 Lebenslage verbessert, Evidenz 1 eigene Zählung)", "█ steht für Angaben zu Personen",
    ):  # fmt: skip
        assert told in shown
    assert "Kosten im Jahr" not in shown
