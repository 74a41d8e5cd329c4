"""A reader of the user's own, as a real child process: followed, mended, refused by name, given up."""

import json
import sys
import textwrap
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.settings import load_settings
from data.vocabulary import Vocabulary, load_vocabulary
from matching.own_answer import check_answer
from matching.own_reader import Own, OwnReader

TEXT = (
    "Grüße aus Musterstadt 😀! Viele finden keine Wohnung. Das Sprachcafé läuft gut. Uns fehlt das Geld. Danke. Danke."
)
NEED, OTHER = "keine-wohnung-finden", "keine-arbeit-trotz-willen"
SENTENCE = "Viele finden keine Wohnung."
START = TEXT.index(SENTENCE)
BUILT_IN: dict[str, Any] = {
    "answerable": True, "unanswerable_because": None, "ask": [], "needs": [], "existing": [], "limits": [],
    "action_fields": {"needed": [], "covered": []}, "state": "Hessen",
    "target_groups": [{"id": "frauen", "quotes": []}],
}  # fmt: skip


@cache
def vocabulary() -> Vocabulary:
    return load_vocabulary()


def read(folder: Path, code: str, *, timeout_s: float = 60, text: str = TEXT) -> Own:
    """What a script makes of a text; `request` is there for it."""
    script = folder / "mein leser.py"
    head = "import json, os, subprocess, sys, time\nrequest = json.loads(sys.stdin.buffer.read())\n"
    script.write_text(head + textwrap.dedent(code), "utf-8")
    chosen = load_settings(folder, reader_command=[sys.executable, str(script)], reader_timeout_s=timeout_s)
    return OwnReader(chosen, vocabulary()).read(text)


def says(answer: Any) -> str:
    """A script that answers this."""
    return f"sys.stdout.buffer.write({json.dumps(answer, ensure_ascii=False).encode()!r})"


def checked(answer: dict[str, Any], text: str = TEXT) -> tuple[dict[str, Any], list[str]]:
    return check_answer(answer, text, vocabulary())


def test_it_is_sent_the_text_and_the_ids_and_its_answer_is_followed_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {
        "answerable": True,
        "needs": [{"statement": SENTENCE, "start": START, "end": START + len(SENTENCE), "need_id": NEED,
                   "confidence": 0.75, "weight": 0.5, "alternatives": [{"need_id": OTHER, "confidence": 0.25}]}],
        "existing": [{"field": "sprache", "statement": "Das Sprachcafé läuft gut."}],
        "limits": [{"kind": "money", "statement": "Uns fehlt das Geld."}],
        "target_groups": [{"id": "gefluechtete", "quotes": [{"quote": "Viele"}]}],
        "municipality": "Musterstadt", "population": 5000,
    }  # fmt: skip
    keep = tmp_path / "gesehen.json"
    seen = f"open({str(keep)!r}, 'w', encoding='utf-8').write(json.dumps([request, os.environ['VON_HIER']]))\n"
    monkeypatch.setenv("VON_HIER", "ja")
    own = read(tmp_path, seen + says(answer))
    assert own.reader == {"name": "own", "note": None, "refused": []}
    (need,) = own.needs or ()
    assert need == {
        **answer["needs"][0], "field": "wohnen", "module": vocabulary().module_of_need(NEED),
        "alternatives": [{"need_id": OTHER, "title": vocabulary().needs[OTHER].title, "confidence": 0.25}],
    }  # fmt: skip
    joined = own.complete(BUILT_IN)
    assert joined["action_fields"] == {"needed": ["wohnen"], "covered": ["sprache"]}
    assert (joined["municipality"], joined["population"], joined["state"]) == ("Musterstadt", 5000, "Hessen")
    for item in (*joined["needs"], *joined["existing"], *joined["limits"]):
        assert TEXT[item["start"] : item["end"]] == item["statement"]
    request, environment = json.loads(keep.read_text("utf-8"))
    assert (request["schema_version"], request["text"], environment) == (1, TEXT, "ja")
    assert request["vocabulary"]["action_fields"] == list(vocabulary().fields)
    assert request["vocabulary"]["target_groups"] == list(vocabulary().groups)
    first = next(iter(vocabulary().needs.values()))
    assert request["vocabulary"]["needs"][0] == {
        "id": first.id, "title": first.title, "what": first.what, "field": first.field
    }  # fmt: skip


def test_no_command_means_it_is_not_asked(tmp_path: Path) -> None:
    own = OwnReader(load_settings(tmp_path), vocabulary()).read(TEXT)
    assert own.reader == {"name": "built-in", "note": None, "refused": []}
    assert own.complete(BUILT_IN) == {**BUILT_IN, "reader": own.reader}


@pytest.mark.parametrize("where", [{}, {"start": 0, "end": 5}, {"start": -3, "end": 900}, {"start": "1", "end": None}])
def test_offsets_are_mended_where_the_words_stand_once(where: dict[str, Any]) -> None:
    values, refused = checked({"needs": [{"need_id": NEED, "quote": SENTENCE, **where}]})
    (need,) = values["needs"]
    assert (need["start"], need["end"], need["statement"]) == (START, START + len(SENTENCE), SENTENCE)
    assert (need["confidence"], need["weight"], refused) == (1.0, 1.0, [])


def test_offsets_alone_are_enough_and_tell_words_apart_that_stand_twice() -> None:
    second = TEXT.rindex("Danke.")
    spans = [{"start": START, "end": START + 5}, {"start": second, "end": second + 6, "statement": "Danke."}]
    values, refused = checked({"needs": [{"need_id": NEED, **span} for span in reversed(spans)]})
    assert [need["statement"] for need in values["needs"]] == ["Viele", "Danke."]
    assert (values["needs"][1]["start"], refused) == (second, [])


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"need_id": "gibt-es-nicht", "statement": SENTENCE}, "Bedarf 2: Den Bedarf „gibt-es-nicht“ gibt es nicht."),
        ({"need_id": ["x"], "statement": SENTENCE}, "Bedarf 2: Den Bedarf „['x']“ gibt es nicht."),
        ({"need_id": NEED, "statement": "Viele suchen."}, "Das Zitat „Viele suchen.“ steht nicht im Text."),
        ({"need_id": NEED, "statement": "Danke."}, "„Danke.“ steht mehrmals im Text"),
        ({"need_id": NEED}, "Das Zitat fehlt"),
        ({"need_id": NEED, "start": 5, "end": 5}, "Das Zitat fehlt"),
        ({"need_id": NEED, "statement": SENTENCE, "field": "verkehr"}, "Das Handlungsfeld „verkehr“ gibt es nicht."),
        ({"statement": SENTENCE}, "Weder „need_id“ noch „field“"),
        ("Wohnung", "„Wohnung“ ist kein Objekt."),
    ],
)
def test_a_need_that_does_not_hold_is_refused_by_name_and_the_others_count(item: Any, said: str) -> None:
    values, refused = checked({"needs": [{"need_id": OTHER, "statement": SENTENCE}, item]})
    assert [need["need_id"] for need in values["needs"]] == [OTHER]
    assert len(refused) == 1
    assert refused[0].startswith("Bedarf 2: ")
    assert said in refused[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"target_groups": [{"id": "marsmenschen"}]}, "Zielgruppe 1: Die Zielgruppe „marsmenschen“ gibt es nicht."),
        ({"existing": [{"field": "verkehr", "statement": "Danke"}]}, "Vorhandenes 1: Das Handlungsfeld „verkehr“"),
        ({"limits": [{"kind": "luck", "statement": SENTENCE}]}, "Grenze 1: Die Art „luck“ gibt es nicht"),
        ({"action_fields": {"needed": ["verkehr"]}}, "action_fields, needed: Das Handlungsfeld „verkehr“"),
        ({"needs": {"need_id": NEED}}, "„needs“ ist keine Liste."),
        ({"answerable": "ja"}, "„answerable“: „ja“ ist kein zulässiger Wert."),
        ({"population": 10**400}, "„population“"),
        ({"state": ["Hessen"]}, "„state“"),
        ({"municipality": "Anderswo"}, "„municipality“: „Anderswo“"),
        ({"bedarfe": []}, "„bedarfe“ gehört nicht zur Antwort"),
    ],
)
def test_what_is_unknown_is_refused_by_name_and_counts_as_not_given(answer: dict[str, Any], said: str) -> None:
    values, (refused,) = checked(answer)
    assert values == {}
    assert said in refused


def test_a_group_stays_where_only_its_quote_is_wrong() -> None:
    values, refused = checked({"target_groups": [{"id": "frauen", "quotes": [{"quote": "Mütter"}]}]})
    assert values["target_groups"] == [{"id": "frauen", "quotes": []}]
    assert refused == ["Zielgruppe 1, Zitat 1: Das Zitat „Mütter“ steht nicht im Text."]


def test_shares_are_brought_into_their_range_and_alternatives_are_ordered() -> None:
    known = [name for name in vocabulary().needs if name not in (NEED, OTHER)][:12]
    others = [{"need_id": OTHER}, {"need_id": NEED}, {"need_id": "x"},
              *({"need_id": name, "confidence": place} for place, name in enumerate(known))]  # fmt: skip
    item = {"need_id": NEED, "statement": SENTENCE, "confidence": 10**400, "weight": -1, "alternatives": others}
    values, refused = checked({"needs": [item, {**item, "weight": "viel", "alternatives": None}]})
    one, two = values["needs"]
    assert (one["confidence"], one["weight"], two["weight"]) == (1.0, 0.0, 1.0)
    assert [other["need_id"] for other in one["alternatives"]] == [*known[1:], known[0]][:10]
    assert {other["confidence"] for other in one["alternatives"]} <= {0.0, 1.0}
    assert refused == [
        "Bedarf 1, Alternative 3: Den Bedarf „x“ gibt es nicht.",
        "Bedarf 2: „weight“ ist keine Zahl („viel“); es gilt 1.",
    ]


def test_an_old_id_is_brought_up_to_date() -> None:
    old, new = next((old, new) for old, new in vocabulary().aliases.items() if new[0] in vocabulary().needs)
    values, refused = checked({"needs": [{"need_id": old, "statement": SENTENCE}]})
    assert (values["needs"][0]["need_id"], refused) == (new[0], [])


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ({}, "vague"),
        ({"answerable": False}, "vague"),
        ({"answerable": False, "unanswerable_because": "off_topic"}, "off_topic"),
        ({"unanswerable_because": "off_topic"}, "off_topic"),
        ({"answerable": True}, None),
        ({"needs": [{"need_id": NEED, "statement": SENTENCE}]}, None),
        ({"needs": [{"need_id": NEED, "statement": "ganz anders"}]}, "vague"),
        ({"needs": []}, "vague"),
    ],
)
def test_its_verdict_stands_before_the_built_in_one(answer: dict[str, Any], verdict: str | None) -> None:
    assert Own(checked(answer)[0]).verdict("vague") == verdict


def test_who_cannot_answer_names_no_needs() -> None:
    values, refused = checked({"answerable": False, "needs": [{"need_id": NEED, "statement": SENTENCE}]})
    own = Own(values)
    assert (own.needs, own.complete({**BUILT_IN, "needs": ["?"]})["needs"]) == (None, [])
    assert refused == ["Die Bedarfe zählen nicht, weil die Lage nicht beantwortbar genannt wird."]
    assert own.ask("vague", ["Was?"]) == ["Was?"]
    assert Own({"ask": ["Wer?"]}).ask("vague", ["Was?"]) == ["Wer?"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("sys.exit(3)", "endete mit dem Rückgabewert 3"),
        ("1 / 0", "endete mit dem Rückgabewert 1"),
        ("print('Hallo')", "gab kein JSON in UTF-8 aus"),
        ("print('[' * 100000)", "gab kein JSON in UTF-8 aus"),
        ("print('{\"population\": NaN}')", "gab kein JSON in UTF-8 aus"),
        ('sys.stdout.buffer.write(b\'{"ask": ["\\xff"]}\')', "gab kein JSON in UTF-8 aus"),
        ("pass", "gab kein JSON in UTF-8 aus"),
        ("print('[]')", "gab kein JSON-Objekt aus"),
        ("while True: sys.stdout.write('x' * 100000)", "gab mehr als 5 MB aus"),
        ("print('{}')", "gab nichts Brauchbares zurück"),
    ],
)
def test_nonsense_falls_back_and_says_so(tmp_path: Path, code: str, said: str) -> None:
    own = read(tmp_path, code)
    assert own.reader["name"] == "built-in"
    assert own.note is not None
    assert own.note.startswith("Der eigene Leser ")
    assert said in own.note
    assert own.note.endswith("gelesen hat der mitgelieferte.")
    assert (own.needs, own.verdict("vague")) == (None, "vague")


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    chosen = load_settings(tmp_path, reader_command=[str(tmp_path / "gibt-es-nicht"), "x"])
    note = OwnReader(chosen, vocabulary()).read(TEXT).note
    assert note is not None
    assert "lässt sich nicht starten" in note
    assert "gibt-es-nicht" in note


def test_a_timeout_ends_the_child_and_its_children(tmp_path: Path) -> None:
    sign = tmp_path / "lebt"
    child = f"import time\nwhile True:\n    open({str(sign)!r}, 'a').write('.')\n    time.sleep(0.05)"
    code = f"subprocess.Popen([sys.executable, '-c', {child!r}])\nwhile True: time.sleep(1)"
    started = time.monotonic()
    own = read(tmp_path, code, timeout_s=3)
    assert own.note == (
        "Der eigene Leser war nach 3 Sekunden nicht fertig (Einstellung reader_timeout_s); "
        "gelesen hat der mitgelieferte."
    )
    assert time.monotonic() - started < 30
    assert sign.stat().st_size > 0
    time.sleep(0.5)
    before = sign.stat().st_size
    time.sleep(0.5)
    assert sign.stat().st_size == before


def test_a_child_that_reads_nothing_of_a_long_text_may_answer(tmp_path: Path) -> None:
    script = tmp_path / "leser.py"
    script.write_text('print(\'{"answerable": false, "unanswerable_because": "off_topic"}\')', "utf-8")
    chosen = load_settings(tmp_path, reader_command=[sys.executable, str(script)])
    own = OwnReader(chosen, vocabulary()).read("ä" * 190_000)
    assert (own.verdict(None), own.note) == ("off_topic", None)


def test_where_every_need_is_refused_the_built_in_reader_reads_them_and_the_rest_stays(tmp_path: Path) -> None:
    own = read(tmp_path, says({"needs": [{"need_id": "x", "statement": SENTENCE}], "state": "Bayern"}))
    assert own.reader == {
        "name": "own",
        "note": "Kein Bedarf des eigenen Lesers war brauchbar; die Bedarfe hat der mitgelieferte gelesen.",
        "refused": ["Bedarf 1: Den Bedarf „x“ gibt es nicht."],
    }
    assert own.complete(BUILT_IN)["state"] == "Bayern"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from([NEED, "Danke", "wohnen"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["need_id", "statement", "quote", "start", "end", "field", "kind", "id", "quotes", "weight",
                         "confidence", "alternatives", "needed"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip
KEYS = ["needs", "existing", "limits", "target_groups", "action_fields", "ask", "answerable", "population", "state",
        "municipality", "budget_limit_eur", "unanswerable_because"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_whatever_it_answers_what_is_kept_is_true(answer: dict[str, Any]) -> None:
    values, refused = checked(answer)
    assert all(isinstance(sentence, str) for sentence in refused)
    for key in ("needs", "existing", "limits"):
        for item in values.get(key, []):
            assert TEXT[item["start"] : item["end"]] == item["statement"] != ""
    assert all(need["need_id"] in {None, *vocabulary().needs} for need in values.get("needs", []))
