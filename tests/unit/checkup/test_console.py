"""What the terminal says of a situation."""

from checkup.console import SURE, understood
from data.vocabulary import load_vocabulary

GUESSES = [{"need_id": "praktikum-finden", "title": "Kein Praktikum", "confidence": 0.1}]


def test_an_uncertain_need_is_told_with_the_next_guesses() -> None:
    vocabulary = load_vocabulary()
    title = vocabulary.needs["frauen-bleiben-zuhause"].title
    need = {"need_id": "frauen-bleiben-zuhause", "alternatives": GUESSES, "confidence": SURE}
    assert understood(need, vocabulary) == title
    assert understood({**need, "confidence": SURE - 0.01}, vocabulary) == f"unsicher: {title}? Kein Praktikum?"
    assert understood({"need_id": "frauen-bleiben-zuhause"}, vocabulary) == title
