"""What Typer says in English, told in German; a Typer that says it otherwise is found here."""

import pytest
from support.cli import call

from checkup.german import message, usage

ENGLISH = (
    "Usage",
    "Error",
    "Missing",
    "No such",
    "Invalid",
    "Option '",
    "requires",
    "Input should",
    "Try '",
    "Possible",
)


@pytest.mark.parametrize(
    ("call_with", "told"),
    [
        (["match", "--foo"], "Die Option --foo gibt es nicht."),
        (["match", "--tpo", "3", "x"], "Gemeint war vielleicht --output, --top."),
        (["foo"], "Den Befehl „foo“ gibt es nicht."),
        (
            ["Bei uns geht's nicht"],
            "Den Befehl „Bei uns geht's nicht“ gibt es nicht. Gemeint war vielleicht: checkup match",
        ),
        (["Bei uns\ngeht nichts"], 'Gemeint war vielleicht: checkup match "…"'),
        (["geht's"], "Den Befehl „geht's“ gibt es nicht."),
        (["show", "a", "geht's", "so"], "Das ist zu viel: geht's so."),
        (["match", "--top", "geht's", "a"], "Der Wert von --top passt nicht."),
        (["matsch"], "Gemeint war vielleicht match."),
        (["sources", "foo"], "Den Befehl „foo“ gibt es nicht."),
        (["match", "--top", "x", "a"], "Der Wert von --top passt nicht. Erwartet wird eine ganze Zahl."),
        (["match", "--top", "0", "a"], "Der kleinste Wert ist 1."),
        (["match", "--top", "5000", "a"], "Der größte Wert ist 1000."),
        (["match", "--top"], "Zur Option --top fehlt der Wert."),
        (["show"], "Die Angabe „project“ fehlt."),
        (["import"], "Die Angabe „files“ fehlt."),
        (["erase", "project", "x"], "Die Option --reason fehlt."),
        (["show", "a", "b", "c"], "Das ist zu viel: b c."),
        (["list", "--json=1"], "Die Option --json nimmt keinen Wert."),
        (["--workspace"], "--workspace"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_wrong_call_is_told_in_german(call_with, told):
    answer = call(*call_with)
    assert answer.code == 2
    assert answer.out == ""
    assert told in answer.err
    assert [word for word in ENGLISH if word in answer.err] == []


@pytest.mark.parametrize(
    "arguments", [["--help"], ["match", "--help"], ["sources", "-h"], ["erase", "project", "--help"]]
)
def test_help_is_german_throughout(arguments):
    answer = call(*arguments)
    assert answer.code == 0
    assert "Aufruf: " in answer.out
    assert "Diese Hilfe zeigen." in answer.out
    for word in (*ENGLISH, "Options", "Arguments", "Commands", "[default", "[required]", "Show this"):
        assert word not in answer.out


def test_a_call_without_a_command_shows_the_help_and_is_wrong():
    answer = call("sources")
    assert answer.code == 2
    assert "Befehle" in answer.out + answer.err


VALUE = "Der Wert von --x passt nicht."


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Invalid value for '--x': 'a' is not one of 'b', 'c'.", f"{VALUE} „a“ gibt es nicht; möglich sind b, c."),
        ("Invalid value for '--x': Input should be 'b' or 'c'", f"{VALUE} Möglich sind b oder c."),
        ("Invalid value for '--x': File 'a b' does not exist.", f"{VALUE} „a b“ gibt es nicht."),
        (
            "Invalid value for '--x': \"o's\" is not one of 'b', 'c'.",
            f"{VALUE} „o's“ gibt es nicht; möglich sind b, c.",
        ),
        ("Invalid value for '--x': File \"o's {a}\" does not exist.", f"{VALUE} „o's {{a}}“ gibt es nicht."),
        (
            "No such command 'a \\'b\\' \"c\"'.",
            'Den Befehl „a \'b\' "c"“ gibt es nicht. Gemeint war vielleicht: checkup match "…"',
        ),
        ("Invalid value: Bitte zwei Namen angeben.", "Bitte zwei Namen angeben."),
        ("Something new.", "Something new."),
    ],
)
def test_sentences_are_found_by_pattern(english, german):
    assert message(english) == german


def test_only_the_frame_of_a_call_is_translated():
    assert usage("Usage: checkup x [OPTIONS] {files}...") == "Aufruf: checkup x [OPTIONEN] {files}..."
