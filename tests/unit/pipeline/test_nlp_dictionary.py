import pytest
import simplemma
from hypothesis import given, settings
from hypothesis import strategies as st

from data.cache_files import cache_folder
from pipeline.nlp import dictionary
from pipeline.nlp.lemmas import lemma

WORDS = (
    "Häuser", "häuser", "Sprachkurse", "Geflüchteten", "Müttern", "geht's", "E-Mails", "km", "ÄRZTINNEN", "gegangen",
    "aufgenommenen", "Wohnungslosenhilfe", "x", "28.000", "don't", "children", "Erdoğan'ın", "a\u0308rzte", "\ud800",
)  # fmt: skip


@pytest.fixture
def fresh():
    """The dictionaries are opened again, as in a new process."""
    caches = (dictionary._table, dictionary._lemmatizer, dictionary._lookup)
    for one in caches:
        one.cache_clear()
    yield
    for one in caches:
        one.cache_clear()


@pytest.mark.parametrize("word", WORDS[:-1])
def test_words_get_the_answers_of_simplemma(word):
    assert dictionary.lemmatize(word, "de") == simplemma.lemmatize(word, lang="de", greedy=True)
    assert dictionary.is_known(word) == simplemma.is_known(word, lang="de")


@given(st.text(st.sampled_from("abcdeghiklmnorstuäößAGKSÜ-'"), min_size=1, max_size=9))
@settings(max_examples=100, deadline=None)
def test_any_string_gets_the_answers_of_simplemma(word):
    assert dictionary.lemmatize(word, "de") == simplemma.lemmatize(word, lang="de", greedy=True)
    assert dictionary.is_known(word) == simplemma.is_known(word, lang="de")


def test_a_string_that_is_no_text_is_unknown():
    assert not dictionary.is_known(WORDS[-1])


def test_a_damaged_dictionary_is_made_again(fresh, tmp_path, monkeypatch):
    name = f"lemmas-en-{simplemma.__version__}.table"
    assert dictionary.lemmatize("children", "en") == "child"
    whole = (cache_folder() / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 3])
    monkeypatch.setenv("CHECKUP_CACHE", str(tmp_path))
    dictionary._table.cache_clear()
    dictionary._lemmatizer.cache_clear()
    assert dictionary.lemmatize("children", "en") == "child"
    assert (tmp_path / name).read_bytes() == whole


def test_another_version_of_simplemma_gets_a_table_of_its_own(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("CHECKUP_CACHE", str(tmp_path))
    monkeypatch.setattr(simplemma, "__version__", "9.9")
    lemma.cache_clear()
    assert lemma("houses", "en") == "house"
    assert [path.name for path in tmp_path.iterdir()] == ["lemmas-en-9.9.table"]
