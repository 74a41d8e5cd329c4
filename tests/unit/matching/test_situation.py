from types import SimpleNamespace

import numpy as np
import pytest

from matching.situation import (
    _MAY_NAME,
    MEN,
    OF_THE_OTHERS,
    WOMEN,
    SituationReader,
    _by_sex,
    _unshouted,
    sexes,
    titles_by_sex,
)
from pipeline.nlp.search_tokens import search_tokens


def vocabulary(**titles):
    return SimpleNamespace(needs={name: SimpleNamespace(title=title) for name, title in titles.items()})


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("UNS FEHLT GELD", "uns fehlt geld"),
        ("Uns fehlt Geld", "Uns fehlt Geld"),
        ("İSTANBUL", "İstanbul"),
        ("1. 2.", "1. 2."),
    ],
)
def test_only_what_is_shouted_is_read_in_small_letters(text, read):
    assert _unshouted(text) == read
    assert len(_unshouted(text)) == len(text)


def test_needs_of_women_and_of_men_are_told_by_their_titles():
    known = vocabulary(
        a="Frauen kommen nicht in Arbeit", b="Junge Männer trinken", c="Männer und Frauen", d="Wohnungen"
    )
    women, men = _by_sex(("a", "b", "c", "d", "unbekannt"), known)
    assert women.tolist() == [True, False, False, False, False]
    assert men.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize(
    ("words", "changed"),
    [(["mann"], 0), (["frau", "mutter"], 1), (["frau", "mann"], None), (["kind"], None)],
)
def test_a_sentence_about_men_states_no_need_of_women(words, changed):
    reader = SituationReader.__new__(SituationReader)
    reader._of_women, reader._of_men = _by_sex(("a", "b"), vocabulary(a="Frauen fehlen", b="Männer fehlen"))
    needs = np.array([0.5, 0.5], np.float32)
    found = reader._for_its_people(needs, words)
    assert found.sum() == pytest.approx(1)
    least = OF_THE_OTHERS / (1 + OF_THE_OTHERS)
    expected = [0.5, 0.5] if changed is None else [least if n == changed else 1 - least for n in (0, 1)]
    assert found.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Landsleute und Fachleute helfen", (False, False)),
        ("Junge Männer sitzen herum", (False, True)),
        ("Ein Mann und eine Frau", (True, True)),
        ("Die Mütter", (True, False)),
    ],
)
def test_who_is_named(text, named):
    assert sexes(search_tokens(text)) == named


def test_whatever_names_somebody_is_looked_at_closely():
    assert all(_MAY_NAME.search(word) for word in WOMEN | MEN)
    titles = [
        "Kurse für Mütter",
        "Männercafé und Frauencafé",
        "Schule für Väter",
        "Wohnungen",
        "",
        "Women and men",
        "SÖHNE",
    ]
    women, men = titles_by_sex(titles)
    assert women.tolist() == [True, False, False, False, False, False, False]
    assert men.tolist() == [False, False, True, False, False, False, True]
