import pytest
import yaml

from data.errors import CheckupError
from pipeline.nlp.cues import CueIndex
from pipeline.nlp.rules import RULES_DIR, SCHEMAS_FILE, RuleError, load_rules, read_rules

WORDS = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}}


def test_every_rule_file_has_a_schema_and_keeps_it():
    files = {path.stem for path in RULES_DIR.glob("*.yaml")} - {SCHEMAS_FILE.removesuffix(".yaml")}
    schemas = yaml.safe_load((RULES_DIR / SCHEMAS_FILE).read_text(encoding="utf-8"))
    assert files == set(schemas)
    for name in sorted(files):
        assert load_rules(name)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a: [x]\nb:\n  - y\n  - no\n", 4),
        ("a: [x]\nb: [y]\na: [z]\n", 3),
        ("a: [x, x]\n", 1),
        ("a: [x]\nb: [y\n", 3),
    ],
)
def test_a_wrong_rule_file_is_refused_with_its_line(tmp_path, content, line):
    path = tmp_path / "falsch.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RuleError, match=f"falsch.yaml, Zeile {line}:"):
        read_rules(path, WORDS)


def test_a_missing_rule_file_says_so(tmp_path):
    with pytest.raises(RuleError, match="lässt sich nicht lesen"):
        read_rules(tmp_path / "fehlt.yaml", None)


def find(pattern, text):
    words = text.lower().split()
    index = CueIndex({"t": {"l": {"strong": [pattern]}}})
    return [" ".join(words[cue.start : cue.end]) for cue in index.find(words, words)]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("kurs", "der kurs", ["kurs"]),
        ("kurs", "der sprachkurs", []),
        ("-kurs", "der sprachkurs", ["sprachkurs"]),
        ("sprach-", "der sprachkurs", ["sprachkurs"]),
        ("-ach-", "der sprachkurs", ["sprachkurs"]),
        ("job|stelle finden", "eine stelle finden", ["stelle finden"]),
        ("job finden", "job bald finden", []),
        ("job ~1 finden", "job bald finden", ["job bald finden"]),
        ("job ~1 finden", "job sehr bald finden", []),
    ],
)
def test_patterns(pattern, text, found):
    assert find(pattern, text) == found


@pytest.mark.parametrize("pattern", ["~2 job", "job ~2", "neuer? job"])
def test_a_pattern_begins_and_ends_with_a_word(pattern):
    with pytest.raises(CheckupError, match="mit einem Wort beginnen"):
        find(pattern, "x")


def test_an_optional_word_may_be_missing():
    assert find("ein neuer? job", "ein job und ein neuer job") == ["ein job", "ein neuer job"]


def test_a_form_pattern_does_not_meet_the_lemma():
    index = CueIndex({"t": {"l": {"strong": ["=migrantinnen"]}}})
    assert index.find(["migrantinnen"], ["migrant"])
    assert not index.find(["migranten"], ["migrant"])
