"""Any number of projects made by code, no two alike in name, town, figures and wording, and the same ones every time.

records = [varied(number) for number in range(2_000)]
"""

import random
from typing import Any

FIRST = (
    "Ahorn", "Birken", "Brücken", "Buchen", "Dorf", "Eichen", "Elster", "Erlen", "Fähr", "Falken", "Feld", "Fichten",
    "Garten", "Hafen", "Hasel", "Hof", "Insel", "Kastanien", "Kiefern", "Kirsch", "Linden", "Markt", "Mühlen",
    "Pappel", "Quellen", "Rosen", "Schul", "See", "Stern", "Tannen", "Ufer", "Ulmen", "Wald", "Weiden", "Wiesen",
)  # fmt: skip
SECOND = (
    "lotsen", "chor", "werkstatt", "treff", "küche", "paten", "bühne", "schule", "garten", "mentoren", "beratung",
    "sprachkreis", "nähstube", "radwerkstatt", "lernhilfe", "elterncafé", "theater", "sportgruppe", "begleitung",
    "wohnhilfe",
)  # fmt: skip
PLACES = ("hausen", "stadt", "dorf", "heim", "bach", "burg", "felde", "kirchen", "rode", "au", "berg", "furt")
WHO = (
    "zugewanderte Frauen", "geflüchtete Jugendliche", "neu angekommene Familien", "ältere Menschen aus der Türkei",
    "Auszubildende ohne Schulabschluss", "Eltern von Grundschulkindern", "Fachkräfte aus dem Ausland",
    "Menschen mit Duldung", "Männer in der Unterkunft", "Kinder vor der Einschulung",
)  # fmt: skip
WHAT = (
    "lernen an zwei Abenden Deutsch", "suchen mit Ehrenamtlichen eine Wohnung", "üben Bewerbungen für den Betrieb",
    "kochen mit der Nachbarschaft", "singen und proben mit dem Verein", "werden zu Ämtern und Ärzten begleitet",
    "reparieren gebrauchte Räder", "machen gemeinsam Hausaufgaben", "lernen schwimmen",
    "pflegen Beete hinter der Kirche", "bekommen Rat zu Miete und Nebenkosten", "finden einen Platz in der Kita",
)  # fmt: skip
RESULT = (
    "{n} Personen machten mit, {k} fanden eine Arbeit.", "Von {n} Teilnehmenden bestanden {k} die Prüfung.",
    "{n} Menschen kamen, {k} davon jede Woche.", "{k} von {n} zogen in eine eigene Wohnung.",
    "Geplant sind {n} Plätze; {k} sind vergeben.", "{n} Familien wurden erreicht, {k} kamen wieder.",
)  # fmt: skip
SNAG = (
    "Anfangs fehlten Räume.", "Ohne feste Stelle wäre es nicht gegangen.", "Die Gemeinde gab {e} Euro.",
    "Das Land fördert bis 2027.", "Der Bus fährt abends nicht.", "Seit {y} läuft es dauerhaft weiter.",
)  # fmt: skip


def varied(number: int, *, edition: int = 0, brief: bool = False) -> dict[str, Any]:
    """The project of a number, with the keys of `import`.

    Args:
        number: Below 14,700 no two have the same town.
        edition: Another one tells the same project with other figures.
        brief: One sentence only, for tests that embed many.
    """
    draw, later = random.Random(f"{number}"), random.Random(f"{number}/{edition}")
    size = len(FIRST)
    middle = FIRST[(number // size + number + 1) % size].lower()
    town = f"{FIRST[number % size]}{middle}{PLACES[number // size // size]}"
    name = f"{draw.choice(FIRST)}{draw.choice(SECOND)} {town}"
    many = later.randrange(20, 900)
    values = {"n": many, "k": later.randrange(11, many), "e": later.randrange(12, 400) * 100, "y": 2012 + number % 13}
    result, snag = draw.choice(RESULT).format(**values), draw.choice(SNAG).format(**values)
    told = f"{draw.choice(WHO)} {draw.choice(WHAT)}."
    text = (told, result)[number % 2] if brief else f"{name}: {told} {result} {snag}"
    return {"id": f"v{number}", "title": name, "text": text, "municipality": town}
