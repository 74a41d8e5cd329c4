import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.records import Fetched, Project
from pipeline.ingest import from_fetched, mask_project
from pipeline.nlp.privacy import MASK, mask


@pytest.mark.parametrize(
    "secret",
    [
        "anna.meier@stadt.de", "a.meier-lang@amt.kreis-x.de", "max (at) web.de", "max[at]web[punkt]de",
        "030/1234567", "0172 1234567",
        "+49 (0)30 123456", "0049 30 1234567", "06131 / 9 67-0", "(030) 12 34 56 78",
        "0 61 31 - 12 34 56", "0511-123 45 67",
        "DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19",
    ],
)  # fmt: skip
def test_personal_data_are_masked_point_for_point(secret):
    text = f"Kontakt: {secret}, wir freuen uns."
    assert mask(text) == f"Kontakt: {MASK * len(secret)}, wir freuen uns."


@pytest.mark.parametrize(
    "text",
    [
        "info@verein.de", "poststelle@landkreis.de", "integration@stadt.de", "lotsenhaus@lotsenhaus.de",
        "post.stelle@amt.de",
        "01.10.2016", "2015/2016", "01067 Dresden", "100.000 Euro", "2.345.678 Menschen", "0,5 Prozent", "22.11.2017",
        "08.00 - 12.30 Uhr", "vom 01.01.2016 bis 31.12.2018", "§ 44b", "SGB II", "0 1 2 3 4 5 6 7 8",
        "978-3-16-148410-0",
        "www.stadt.de/seite@2", "Zeichen @ allein", "Mentor:innen",
    ],
)  # fmt: skip
def test_what_is_no_personal_data_stays(text):
    assert mask(text) == text


def test_a_short_number_counts_after_a_word_that_announces_it():
    assert mask("Telefon: 1234-567") == "Telefon: " + MASK * 8
    assert mask("Wir haben 1234-567 Stück") == "Wir haben 1234-567 Stück"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab@.0123456789+-/() DE\n", max_size=200))
def test_masking_keeps_lengths_and_is_done_at_once(text):
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(new in (old, MASK) for old, new in zip(text, masked, strict=True))


@pytest.mark.parametrize(
    "text", ["a@" * 50_000, "0" * 100_000, "0 " * 50_000, "a." * 50_000, "a-" * 50_000, "DE89 " * 20_000]
)
def test_no_text_makes_masking_slow(text, benchmark_seconds):
    with benchmark_seconds(3):
        mask(text)


def test_a_project_is_masked_everywhere_but_in_its_address():
    project = Project(
        id="p", title="Ruf 0172 1234567", text="Mail an max@web.de", organisation="Max, max@web.de",
        url="https://x.de/?mail=max@web.de", extra={"kontakt": ["max@web.de", {"tel": "030/1234567"}], "zahl": 3},
        keys=("id", "text"),
    )  # fmt: skip
    masked = mask_project(project)
    assert "max@web.de" not in f"{masked.title}{masked.text}{masked.organisation}{masked.extra}"
    assert "0172" not in (masked.title or "")
    assert masked.extra["kontakt"][1]["tel"] == MASK * 11
    assert (masked.url, masked.keys, masked.extra["zahl"]) == (project.url, project.keys, 3)
    assert len(masked.text) == len(project.text)


def fetched(**facts):
    return Fetched(
        source="liste",
        url="https://x.de/1",
        title="T",
        text="Text max@web.de",
        facts=facts,
        sha256="0" * 64,
        fetched_at="2026-01-01",
    )


def test_facts_become_columns_or_further_keys():
    project = from_fetched(
        fetched(
            organisation="Verein",
            municipality="Celle",
            state="Niedersachsen",
            start_year="01.10.2016",
            end_year=2019,
            cost="12.000",
            leer="",
        )
    )
    assert (project.organisation, project.municipality, project.state) == ("Verein", "Celle", "Niedersachsen")
    assert (project.start_year, project.end_year) == (2016, 2019)
    assert dict(project.extra) == {"cost": "12.000"}
    assert project.text == "Text " + MASK * 10


def test_the_same_page_is_the_same_project():
    assert from_fetched(fetched(a=1)).id == from_fetched(fetched(a=2)).id
    assert from_fetched(fetched()).id.startswith("liste-")


@pytest.mark.parametrize(
    ("given_year", "year"),
    [("2016-2018", 2016), ("seit 2016", 2016), ("unbekannt", None), (None, None), ("12016", None)],
)
def test_years_are_read_out_of_dates(given_year, year):
    assert from_fetched(fetched(start_year=given_year)).start_year == year
