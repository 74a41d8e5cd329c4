import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.person_names import Names, digest, pattern, variants


def names(*given: str) -> Names:
    hashes: dict[int, set[str]] = {}
    for name in given:
        for form in variants(name):
            hashes.setdefault(len(form), set()).add(digest(form))
    return Names(hashes)


@pytest.mark.parametrize(
    "text",
    ["Anna Müller", "Müller, Anna", "ANNA MUELLER", "Anna Müllers", "A. Müller", "anna.mueller", "Anna Mu\u0308ller"],
)
def test_every_written_variant_is_masked_and_found(text: str) -> None:
    masked = names("Anna Müller").mask(f"Mit {text} und Anna.")
    assert masked == f"Mit {'█' * len(text)} und Anna."
    assert pattern("Anna Müller").search(text)


@pytest.mark.parametrize(
    "text", ["Frau Müller", "Anna", "Anna und Müller", "Anna Müllerin", "Joanna Müller", "B. Müller"]
)
def test_what_is_no_variant_stays(text: str) -> None:
    assert names("Anna Müller").mask(text) == text
    assert not pattern("Anna Müller").search(text)


def test_a_name_of_one_word_has_no_variants() -> None:
    assert variants("Müller") == []


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_masking_keeps_length_and_everything_else(before: str, after: str) -> None:
    text = f"{before} Anna Müller {after}"
    masked = names("Anna Müller").mask(text)
    assert len(masked) == len(text)
    assert all(new in (old, "█") for old, new in zip(text, masked, strict=True))
    assert "Anna Müller" not in masked
