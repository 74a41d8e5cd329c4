import shutil
from pathlib import Path

import pytest

from data.errors import CheckupError
from data.vocabulary import SHIPPED, Arrow, Condition, Vocabulary, VocabularyError, load_vocabulary

APPROACHES = """\
- id: sprachcafe
  fields: [sprache, zusammenleben]
  title: Sprachcafé
  what: Offener Treff.
  wordings: [Beim Kaffee wird Deutsch gesprochen]
  groups: [gefluechtete]
  competent: [gemeinde, traeger]
  duty: freiwillig
  legal_status: []
- id: dialogabend
  fields: [zusammenleben, steuerung]
  module: akzeptanz
  title: Dialogabend
  what: Gespräch im Dorf.
  wordings: [Ein Abend im Gasthaus]
"""
NEEDS = """\
- id: stimmung
  field: zusammenleben
  module: akzeptanz
  title: Die Stimmung kippt
  what: Vorbehalte.
  reword: Dialog schaffen.
  groups: [aufnahmegesellschaft]
  arrows:
    sprachcafe: {grade: 1, if: {setting: [land], size: [kleinstadt, kreis], group: [frauen], stage: [Beginn]}}
    dialogabend: 3
- id: kurs
  field: sprache
  title: Kein Kurs
  what: Es fehlt ein Kurs.
  reword: Kurse anbieten.
  arrows:
    sprachcafe: 2
"""


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in ("action_fields", "target_groups", "modules", "modules_by_field"):
        shutil.copy(SHIPPED / f"{name}.yaml", folder)
    (folder / "approaches.yaml").write_text(APPROACHES, encoding="utf-8")
    (folder / "needs.yaml").write_text(NEEDS, encoding="utf-8")
    (folder / "aliases.yaml").write_text("alter-treff: [treff]\ntreff: [sprachcafe, dialogabend]\nkein-kurs: [kurs]\n")
    return folder


def load(shipped: Path, own: dict[str, str] | None = None, **more: str) -> Vocabulary:
    workspace = shipped.parent / "w"
    for name, content in (own or {}).items():
        path = workspace / "vocabulary" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return load_vocabulary(workspace, shipped=shipped, **more)


def test_records_in_file_order(shipped: Path) -> None:
    vocabulary = load(shipped)
    assert list(vocabulary.needs) == ["stimmung", "kurs"]
    assert vocabulary.needs["stimmung"].arrows == (
        Arrow(approach="dialogabend", grade=3),
        Arrow(
            approach="sprachcafe",
            grade=1,
            condition=Condition(setting=("land",), size=("kleinstadt", "kreis"), group=("frauen",), stage=("Beginn",)),
        ),
    )
    assert vocabulary.approaches["sprachcafe"].competent == ("gemeinde", "traeger")
    assert vocabulary.approaches["dialogabend"].duty is None


def test_a_file_that_changes_between_two_readings_is_read_anew(shipped: Path) -> None:
    assert load(shipped).needs["kurs"].title != "Anders"
    file = next(path for path in shipped.rglob("needs*.yaml") if "id: kurs" in path.read_text(encoding="utf-8"))
    title = load(shipped).needs["kurs"].title
    file.write_text(file.read_text(encoding="utf-8").replace(title, "Anders"), encoding="utf-8")
    assert load(shipped).needs["kurs"].title == "Anders"


def test_modules_are_named_or_inherited(shipped: Path) -> None:
    vocabulary = load(shipped)
    assert (vocabulary.module_of_need("stimmung"), vocabulary.module_of_need("kurs")) == (
        "akzeptanz",
        "sprache_bildung",
    )
    assert vocabulary.module_of_approach("sprachcafe") == "sprache_bildung"
    assert vocabulary.modules_of_project(["dialogabend", "sprachcafe", "dialogabend"], ["arbeit"]) == (
        "akzeptanz",
        "sprache_bildung",
    )
    assert vocabulary.modules_of_project(["alter-treff"], []) == ("sprache_bildung", "akzeptanz")
    assert vocabulary.modules_of_project(["unbekannt"], ["gesundheit", "zusammenleben", "?"]) == (
        "teilhabe",
        "akzeptanz",
    )


def test_second_set_has_one_module_per_field(shipped: Path) -> None:
    vocabulary = load(shipped, module_set="modules_by_field")
    assert list(vocabulary.modules) == list(vocabulary.fields)
    assert vocabulary.module_of_need("stimmung") == "zusammenleben"
    assert vocabulary.modules_of_project([], ["bildung"]) == ("bildung",)


def test_a_set_of_the_workspace(shipped: Path) -> None:
    fields = ", ".join(load(shipped).fields)
    own = f"- {{id: alles, title: Alles, fields: [{fields}]}}\n"
    vocabulary = load(shipped, {"meine": own}, module_set="meine")
    assert vocabulary.module_of_need("stimmung") == "alles"
    with pytest.raises(CheckupError, match="„fehlt“ gibt es nicht"):
        load(shipped, module_set="fehlt")


def test_overlay_renames_adds_and_keeps_the_rest(shipped: Path) -> None:
    own = {
        "action_fields": "- {id: wohnen, title: Wohnen}\n",
        "modules": "- {id: wohnen, title: Wohnung}\n",
        "needs": "- {id: kein-kurs, title: Kurse fehlen, arrows: {alter-treff: 3}}\n"
        "- {id: neu, field: arbeit, title: Neu, what: Neu., reword: Neu., arrows: {eigener: 1}}\n",
        "approaches": "- {id: eigener, fields: [arbeit], title: Eigener, what: Ein., wordings: [So]}\n",
    }
    vocabulary = load(shipped, own)
    assert (vocabulary.fields["wohnen"].title, vocabulary.modules["wohnen"].title) == ("Wohnen", "Wohnung")
    assert list(vocabulary.needs) == ["stimmung", "kurs", "neu"]
    kurs = vocabulary.needs["kurs"]
    assert (kurs.title, kurs.reword) == ("Kurse fehlen", "Kurse anbieten.")
    assert kurs.arrows == (Arrow(approach="sprachcafe", grade=3), Arrow(approach="dialogabend", grade=3))


def test_folders_of_files(shipped: Path) -> None:
    first, second = NEEDS.split("- id: kurs")
    (shipped / "needs.yaml").unlink()
    (shipped / "needs").mkdir()
    (shipped / "needs" / "b.yaml").write_text(first, encoding="utf-8")
    (shipped / "needs" / "a.yaml").write_text("- id: kurs" + second, encoding="utf-8")
    assert list(load(shipped).needs) == ["kurs", "stimmung"]
    (shipped / "needs" / "c.yaml").write_text("- id: kurs" + second, encoding="utf-8")
    with pytest.raises(VocabularyError, match=r"c\.yaml, Zeile 1: .*steht schon in a\.yaml, Zeile 1"):
        load(shipped)


def test_old_ids(shipped: Path) -> None:
    vocabulary = load(shipped)
    assert vocabulary.resolve_approach("alter-treff") == ("sprachcafe", "dialogabend")
    assert vocabulary.resolve_approach("sprachcafe") == ("sprachcafe",)
    assert vocabulary.resolve_need("kein-kurs") == ("kurs",)
    assert vocabulary.resolve_need("alter-treff") == ()
    assert vocabulary.resolve_need("nie-gehört") == ()


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "said"),
    [
        ("needs", "  reword: Kurse", "  rewrod: Kurse", 15, "„rewrod“ gibt es nicht"),
        ("needs", "  reword: Kurse anbieten.\n", "", 11, "„reword“ fehlt"),
        ("needs", "field: sprache", "field: sport", 12, "„sport“ ist unbekannt"),
        ("needs", "title: Kein Kurs", "title: [Kein]", 13, "erwartet wird Text"),
        ("needs", "groups: [aufnahmegesellschaft]", "groups: aufnahmegesellschaft", 7, "Liste von ids"),
        ("needs", "groups: [aufnahmegesellschaft]", "groups: [alle]", 7, "„alle“ ist unbekannt"),
        ("needs", "groups: [aufnahmegesellschaft]", "groups: [frauen, frauen]", 7, "steht zweimal"),
        ("needs", "dialogabend: 3", "dialogabend: 4", 10, "1, 2 oder 3"),
        ("needs", "dialogabend: 3", "dialogabend: yes", 10, "1, 2 oder 3"),
        ("needs", "dialogabend: 3", "dialogabnd: 3", 10, "Ansatz „dialogabnd“ gibt es nicht"),
        ("needs", "dialogabend: 3", "kein-kurs: 3", 10, "Ansatz „kein-kurs“ gibt es nicht"),
        ("needs", "  arrows:\n    sprachcafe: 2\n", "  arrows: {}\n", 16, "mindestens einen Pfeil"),
        ("needs", "setting: [land]", "settin: [land]", 9, "erlaubt sind setting"),
        ("needs", "size: [kleinstadt, kreis]", "size: [dorf]", 9, "„dorf“ ist unbekannt"),
        ("needs", "  module: akzeptanz\n", "", 1, "muss „module“ angegeben sein"),
        ("needs", "module: akzeptanz", "module: mitte", 3, "„mitte“ ist unbekannt"),
        ("needs", "title: Kein Kurs", "title: die STIMMUNG, kippt!", 13, "Denselben Titel hat schon „stimmung“"),
        ("needs", "- id: kurs", "- id: stimmung", 11, "steht schon in needs.yaml, Zeile 1"),
        ("needs", "- id: kurs", "- id: Kein Kurs", 11, "ist keine id"),
        ("needs", "- id: kurs", "- id: 5", 11, "„id“ als Text"),
        ("needs", "what: Es fehlt", "title: Es fehlt", 14, "zweimal im selben Eintrag"),
        ("needs", "what: Es fehlt", "what: 'Es fehlt", 14, "kein gültiges YAML"),
        ("needs", "what: Es fehlt ein Kurs.", "what: !!python/name:os.system x", 14, "Typangabe"),
        ("approaches", "wordings: [Ein Abend im Gasthaus]", "wordings: []", 15, "mindestens einem Text"),
        ("approaches", "fields: [zusammenleben, steuerung]", "fields: []", 11, "mindestens 1"),
        ("approaches", "duty: freiwillig", "duty: vielleicht", 8, "„vielleicht“ ist unbekannt"),
        ("approaches", "legal_status: []", "legal_status: [alle]", 9, "„alle“ ist unbekannt"),
        ("aliases", "treff: [sprachcafe, dialogabend]", "treff: [alter-treff]", 1, "im Kreis"),
        ("aliases", "[sprachcafe, dialogabend]", "[sprachcafe, kurs]", 1, "Bedarfe und Ansätze zugleich"),
        ("aliases", "[kurs]", "[kurse]", 3, "„kurse“, das es nicht gibt"),
        ("aliases", "kein-kurs:", "stimmung:", 3, "„stimmung“ gibt es noch"),
        ("aliases", "[kurs]", "kurs", 3, "Liste von Texten"),
        ("modules", "fields: [wohnen]", "fields: [wohnen, arbeit]", 19, "gehört schon zu „arbeit“"),
        ("modules", "fields: [wohnen]", "fields: []", 4, "In keinem Modul"),
    ],
)
def test_what_is_wrong_names_file_and_line(shipped: Path, file: str, old: str, new: str, line: int, said: str) -> None:
    path = shipped / f"{file}.yaml"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")
    with pytest.raises(VocabularyError) as caught:
        load(shipped)
    assert f"{file}.yaml, Zeile {line}: " in caught.value.message
    assert said in caught.value.message
    assert (caught.value.line, caught.value.exit_code) == (line, 3)


def test_a_fault_of_the_overlay_names_the_overlay(shipped: Path) -> None:
    own = {"needs": "# eigene\n- id: kurs\n  title: Die Stimmung kippt\n"}
    with pytest.raises(VocabularyError) as caught:
        load(shipped, own)
    assert caught.value.file == shipped.parent / "w" / "vocabulary" / "needs.yaml"
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id: a\n", "Liste von Einträgen"),
        ("- nur Text\n", "Eintrag aus Schlüsseln und Werten"),
        ("- &a {id: x, title: [*a]}\n", "Anker und Verweise"),
        ("- {1: x}\n", "Schlüssel müssen Text sein"),
    ],
)
def test_shapes_that_are_not_taken(shipped: Path, content: str, said: str) -> None:
    with pytest.raises(VocabularyError, match=said):
        load(shipped, {"needs": content})


def test_an_overlay_in_another_encoding(shipped: Path) -> None:
    load(shipped, {"needs": ""})
    path = shipped.parent / "w" / "vocabulary" / "needs.yaml"
    path.write_bytes("# eins\n- {id: kurs, title: Für alle}\n".encode("cp1252"))
    with pytest.raises(VocabularyError, match=r"Zeile 2: .*UTF-8"):
        load(shipped)


def test_the_shipped_vocabulary_is_whole() -> None:
    vocabulary = load_vocabulary()
    assert list(vocabulary.fields) == [
        "steuerung", "sprache", "bildung", "arbeit", "wohnen", "gesundheit", "zusammenleben",
    ]  # fmt: skip
    assert list(vocabulary.modules) == [
        "koordination", "sprache_bildung", "arbeit", "wohnen", "teilhabe", "engagement", "akzeptanz",
    ]  # fmt: skip
    assert len(vocabulary.groups) == 22
    assert vocabulary.module_of_field("zusammenleben") == "akzeptanz"
