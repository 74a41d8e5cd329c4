import shutil
import time

import pytest

from data.places import FOLDER, Places, PlacesError, load_places
from data.records import STATES


def names(found):
    return [place.name for place in found]


def test_the_table_has_every_state_district_and_most_municipalities():
    places = load_places()
    assert sorted({state.name for state in places.states.values()}) == sorted(STATES)
    whole = places.find("Jena") + places.find("Landkreis Barnim")
    assert [(place.kind, place.state, place.size) for place in whole] == [
        ("gemeinde", "Thüringen", "grossstadt"), ("kreis", "Brandenburg", "kreis"),
    ]  # fmt: skip
    rows = (FOLDER / "districts.csv").read_text("utf-8").splitlines()[1:]
    assert len(rows) == 400
    assert sum(",gemeinde," in row for row in rows) == 106


@pytest.mark.parametrize(
    ("name", "state", "expected"),
    [
        ("Frankfurt", None, ["Frankfurt am Main", "Frankfurt (Oder)"]),
        ("Frankfurt", "Hessen", ["Frankfurt am Main"]),
        ("Frankfurt/Main", None, ["Frankfurt am Main"]),
        ("Frankfurt a. Main", None, ["Frankfurt am Main"]),
        ("Halle (Saale)", None, ["Halle (Saale)"]),
        ("Halle/Saale", None, ["Halle (Saale)"]),
        ("Offenbach", "Hessen", ["Offenbach am Main"]),
        ("Neustadt a. d. Aisch", None, ["Neustadt an der Aisch"]),
        ("Munich", None, ["München"]),
        ("LK Barnim", None, ["Landkreis Barnim"]),
        ("Kreis Unna", None, ["Kreis Unna"]),
        ("Landkreis Unna", None, ["Kreis Unna"]),
        ("Landkreis Rotenburg (Wümme)", None, ["Landkreis Rotenburg (Wümme)"]),
        ("Landkreis Dillingen a.d.Donau", None, ["Landkreis Dillingen an der Donau"]),
        ("Ilm-Kreis", None, ["Ilm-Kreis"]),
        ("Region Hannover", None, ["Region Hannover"]),
        ("Städteregion Aachen", None, ["StädteRegion Aachen"]),
        ("Märkischen Kreis", None, ["Märkischer Kreis"]),
        ("Jena", "Bayern", []),
        ("Entenhausen", None, []),
    ],
)
def test_names_are_found_in_every_spelling(name, state, expected):
    assert names(load_places().find(name, state=state)) == expected


def test_a_municipality_knows_its_district_and_a_town_of_its_own_has_none():
    places = load_places()
    (walldorf,) = places.find("Walldorf", state="Baden-Württemberg")
    assert places.district_of(walldorf).name == "Rhein-Neckar-Kreis"
    assert places.district_of(places.find("Jena")[0]) is None
    (eisenach,) = places.find("Eisenach")
    assert places.district_of(eisenach).name == "Wartburgkreis"


@pytest.mark.parametrize(
    ("people", "size"),
    [(4_999, "landgemeinde"), (5_000, "kleinstadt"), (19_999, "kleinstadt"), (20_000, "mittelstadt"),
     (99_999, "mittelstadt"), (100_000, "grossstadt"), (None, None)],
)  # fmt: skip
def test_size_classes_begin_where_the_contract_says(tmp_path, people, size):
    shutil.copytree(FOLDER, tmp_path / "places")
    (tmp_path / "places" / "municipalities.csv").write_text(
        f"key,name,population,aliases,source\n01051001,Ort,{people or ''},,geonames\n", "utf-8"
    )
    assert Places(tmp_path / "places").find("Ort")[0].size == size


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        ("municipalities", "1051001,Ort,5,,geonames", "amtlicher Schlüssel"),
        ("municipalities", "99051001,Ort,5,,geonames", "amtlicher Schlüssel"),
        ("municipalities", "01051001,,5,,geonames", "Namen"),
        ("municipalities", "01051001,Ort,0,,geonames", "keine Zahl über 0"),
        ("municipalities", "01051001,Ort,viele,,geonames", "keine Zahl über 0"),
        ("municipalities", "01051001,Ort,5,,hörensagen", "sources.csv"),
        ("municipalities", "01051001,Ort,5", "5 Spalten"),
        ("districts", "01051,Ort,stadt,5,,geonames", "gemeinde oder kreis"),
        ("sources", "x,Titel,gestern,https://example.org,frei", "kein Jahr"),
        ("states", "1,Land,,ländisch", "zwei Ziffern"),
    ],
)
def test_a_wrong_row_is_named_with_file_and_line(tmp_path, file, row, message):
    shutil.copytree(FOLDER, tmp_path / "places")
    path = tmp_path / "places" / f"{file}.csv"
    head = path.read_text("utf-8").splitlines()[0]
    path.write_text(f"{head}\n{row}\n", "utf-8")
    with pytest.raises(PlacesError, match=rf"{file}\.csv, Zeile 2: .*{message}"):
        Places(tmp_path / "places")


def test_a_key_that_stands_twice_and_a_missing_file_are_refused(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "places")
    path = tmp_path / "places" / "municipalities.csv"
    path.write_text(path.read_text("utf-8") + "01051001,Albersdorf,5,,geonames\n", "utf-8")
    with pytest.raises(PlacesError, match="01051001 steht schon"):
        Places(tmp_path / "places")
    path.unlink()
    with pytest.raises(PlacesError, match="lässt sich nicht lesen"):
        Places(tmp_path / "places")


def test_loading_takes_no_more_than_60_ms():
    took = []
    for _ in range(5):
        begin = time.process_time()
        Places()
        took.append(time.process_time() - begin)
    assert min(took) < 0.06
