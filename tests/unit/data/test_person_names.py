import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.person_names import KnownName, Names, variants


@pytest.mark.parametrize(
    "text",
    ["Anna Müller", "Müller, Anna", "ANNA MUELLER", "Anna Müllers", "A. Müller", "anna.mueller", "Anna Mu\u0308ller"],
)
def test_every_written_variant_is_masked_and_found(text: str) -> None:
    masked = Names.of("Anna Müller").mask(f"Mit {text} und Anna.")
    assert masked == f"Mit {'█' * len(text)} und Anna."
    assert KnownName("Anna Müller").stands_in(f"Mit {text} und Anna.")


@pytest.mark.parametrize(
    "text", ["Frau Müller", "Anna", "Anna und Müller", "Anna Müllerin", "Joanna Müller", "B. Müller"]
)
def test_what_is_no_variant_stays(text: str) -> None:
    assert Names.of("Anna Müller").mask(text) == text
    assert not KnownName("Anna Müller").stands_in(text)


@pytest.mark.parametrize("name", ["Ayşe Çelik", "José García", "Zoë Łukasz", "Søren Åse-Ñandú", "Anna Weiß"])
def test_a_name_with_accents_is_found_as_it_is_written(name: str) -> None:
    for text in (name, name.upper(), unicodedata.normalize("NFD", name), f"{name.rsplit(' ', 1)[-1]}s, {name[0]}."):
        told = f"{'x ' * 300}Mit {text} am Tisch.{' y' * 300}"
        assert KnownName(name).stands_in(told)
        assert Names.of(name).mask(told) != told
    assert not KnownName(name).stands_in(f"Herr {name.rsplit(' ', 1)[-1]}")


def test_a_name_of_one_word_has_no_variants() -> None:
    assert variants("Müller") == []
    with pytest.raises(ValueError, match="Müller"):
        KnownName("Müller")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_masking_keeps_length_and_everything_else(before: str, after: str) -> None:
    text = f"{before} Anna Müller {after}"
    masked = Names.of("Anna Müller").mask(text)
    assert len(masked) == len(text)
    assert all(new in (old, "█") for old, new in zip(text, masked, strict=True))
    assert "Anna Müller" not in masked
