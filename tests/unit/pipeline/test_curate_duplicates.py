import pytest

from data.store_curation import CurationRecord
from pipeline.duplicates import Prepared, compare, fold, load_rules

OFFICE = (
    "Die Beratungsstelle hilft Menschen mit Einwanderungsgeschichte bei Fragen zu Aufenthalt, Arbeit, Wohnen und "
    "Gesundheit. Die Beratung ist vertraulich, kostenlos und unabhängig von der Religion der Ratsuchenden."
)
CARRIER = "Caritasverband Bergen e. V."


def record(title, text=OFFICE, **values):
    return Prepared(CurationRecord(id=title, title=title, text=text, **values), load_rules())


def outcome(one, other):
    there, back = compare(one, other), compare(other, one)
    assert (there.outcome, there.score) == (back.outcome, back.score)
    return there.outcome


@pytest.mark.parametrize(
    ("one", "other", "municipality", "expected"),
    [
        ("Migrationszentrum (Mitte)", "Migrationszentrum (Nord)", "Bergen", "family"),
        ("Migrationszentrum (Mitte)", "Migrationszentrum (Nord)", None, "family"),
        ("Migrationszentrum Neustadt", "Migrationszentrum Altmarkt", "Bergen", "doubtful"),
        ("Fachstelle Integration", "Zentrum für Aufenthaltsfragen", "Bergen", "doubtful"),
        ("Migrationszentrum Neustadt", "Migrationszentrum Neustadt", None, "doubtful"),
        ("Migrationszentrum Neustadt", "Migrationszentrum Neustadt", "Bergen", "certain"),
        ("Migrationszentrum Neustadt", "Migrations-Zentrum Neustadt", "Bergen", "certain"),
    ],
)
def test_offices_of_one_carrier_share_their_text_and_are_not_merged_for_it(one, other, municipality, expected):
    values = {"municipality": municipality, "organisation": CARRIER}
    assert outcome(record(one, **values), record(other, **values)) == expected


@pytest.mark.parametrize(
    ("one", "other"), [("Stadt Plön", "Ploen"), ("Landkreis Plön", "Lkr. Plön"), ("Köln", "Köln-Kalk")]
)
def test_spellings_and_parts_of_a_town_are_no_other_town(one, other):
    pair = (record("Lernbrücke", municipality=place, organisation=CARRIER) for place in (one, other))
    assert compare(*pair).features["place"] == 1


@pytest.mark.parametrize("name", ["Lernbrücke II", "Lernbrücke, neue Förderphase", "Lernbrücke in zweiter Phase"])
def test_a_later_phase_is_kept_apart(name):
    later = record(name, municipality="Bergen", organisation=CARRIER)
    assert outcome(record("Lernbrücke", municipality="Bergen", organisation=CARRIER), later) == "family"


def test_abbreviated_carriers_are_the_same():
    pair = (record("Lernbrücke", organisation=name) for name in ("AWO Bergen e. V.", "Arbeiterwohlfahrt Bergen"))
    assert compare(*pair).features["organisation"] == 1


def test_numbers_count_by_value_and_years_do_not():
    texts = ("1.340 Einsätze und vierzehn Sprachen im Jahr 2021", "1340 Einsätze, 14 Sprachen, seit 2021")
    assert [record("x", text).numbers for text in texts] == [{"1340", "14"}] * 2


def test_spellings_fold_to_one():
    assert fold("Flüchtlingshilfe Groß") == fold("Fluechtlingshilfe GROSS") == fold("Fluchtlingshilfe gross")
