import pytest

from data.records import Card, Project
from pipeline.publish import card_json

READ = {"name": "Jena", "state": "Thüringen", "kind": "gemeinde", "size": "grossstadt"}


def places(**columns):
    project = Project(id="p", text="Text", **columns)
    card = Card(project=project, document_id="d", text_kind="original", values={"places": [READ]}, passages=())
    return card_json(card)["values"]["places"]


@pytest.mark.parametrize(
    ("municipality", "state", "expected"),
    [
        ("Walldorf", "Baden-Württemberg", {"state": "Baden-Württemberg", "kind": "gemeinde", "size": "kleinstadt"}),
        ("Kreis Unna", None, {"state": "Nordrhein-Westfalen", "kind": "kreis", "size": "kreis"}),
        ("Neustadt", None, {"state": None, "kind": "gemeinde"}),
        ("Saalekreisland", None, {"state": None, "kind": "kreis"}),
    ],
)
def test_the_place_of_the_columns_counts_before_those_of_the_text(municipality, state, expected):
    assert places(municipality=municipality, state=state) == [{"name": municipality, **expected}]


def test_without_a_municipality_the_places_of_the_text_count():
    assert places(state="Thüringen") == [READ]
