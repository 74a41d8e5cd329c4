import pytest

from checkup.situations import KEPT, best_of, better_matches, checked_name, tell
from data.errors import CheckupError
from data.store_situations import SavedSituation


def match(name, tier="open"):
    return {"project_id": name, "score": 1.0, "impact": {"tier": tier}}


def better(before, matches):
    return [(rank, one["project_id"]) for rank, one in better_matches(before, matches)]


def test_a_new_project_among_the_first_three_is_better_whatever_its_tier():
    matches = [match("a"), match("neu"), match("b"), match("auch neu")]
    assert better({"a", "b"}, matches) == [(2, "neu")]


def test_a_new_project_of_high_tier_is_better_among_the_first_ten():
    matches = [match(f"p{number}", "high" if number >= 8 else "promising") for number in range(12)]
    known = {f"p{number}" for number in range(8)}
    assert better(known, matches) == [(9, "p8"), (10, "p9")]
    assert better(known, [*matches[:8], match("gut", "proven")]) == [(9, "gut")]


def test_what_was_told_before_is_not_told_again_even_where_it_climbs():
    assert better({"a", "b"}, [match("b", "proven"), match("a")]) == []
    assert better(set(), []) == []


def test_a_project_that_was_not_told_is_told_once_it_climbs():
    before = SavedSituation(name="n", text="t", created_at="x", best=(), told=("a", "alt", "b"))
    low = {"matches": [match("a"), match("b"), match("c"), match("d"), match("neu")]}
    better, kept = tell(before, low, {"alt": "c"})
    assert better == []
    assert [one.project_id for one in kept.best] == ["a", "b", "c", "d", "neu"]
    after = SavedSituation(name="n", text="t", created_at="x", best=kept.best, told=kept.told)
    better, kept = tell(after, {"matches": [match("neu"), match("a")]}, {"alt": "c"})
    assert [(rank, one["project_id"]) for rank, one in better] == [(1, "neu")]
    assert kept.told == ("a", "alt", "b", "neu")


def test_ten_are_kept_with_their_scores():
    kept = best_of({"matches": [match(f"p{number}") for number in range(20)]})
    assert len(kept) == KEPT
    assert (kept[0].project_id, kept[0].score) == ("p0", 1.0)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_fits_on_one_line(name):
    with pytest.raises(CheckupError, match="Name"):
        checked_name(name)
    assert checked_name(" Ort 1 ") == "Ort 1"
