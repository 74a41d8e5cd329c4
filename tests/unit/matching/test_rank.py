import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import rank
from matching.rank import SentenceParts, Weights, load_weights

SCALE = {"mean": 0.5, "sd": 0.1}
ROWS = np.array([[0, -1, -1], [0, 0, 5], [0, 5, 9], [1, -1, -1]], np.int32)
PLAIN = {"whole": 1, "lexical": 1, "tier": 0.02, "needs": 1, "sentence_bias": -2,
         "sentence_similarity": 1, "sentence_approach": 2, "sentence_answer": 1,
         "relevant": 0.8}  # fmt: skip


def f32(*values):
    return np.array(values, np.float32)


def parts_of(similarity, supplied=None, answered=None):
    zero = np.zeros_like(similarity)
    return SentenceParts(similarity, zero if supplied is None else supplied, zero if answered is None else answered)


def test_parts_are_standard_deviations_and_the_best_passage_wins():
    z = rank.standardised(f32([0.6, 0.5, 0.7, 0.4], [0.5, 0.9, 0.5, 0.5]), SCALE)
    np.testing.assert_allclose(rank.whole_of_project(z, ROWS, 2), [1, -1], atol=1e-5)
    np.testing.assert_allclose(rank.best_of_project(z, ROWS[:, 0], 2), [[2, -1], [4, 0]], atol=1e-5)


def test_a_need_asks_for_what_its_arrows_lead_to():
    arrows = f32([1.0, 0.25], [0.0, 0.6])
    wanted = rank.demand(f32([0.5, 0.5]), arrows)
    np.testing.assert_allclose(wanted, [[0.5, 0.425]], atol=1e-6)
    assert rank.demand(f32([1.0, 1.0]), arrows).max() <= 1


def test_the_best_approach_of_a_project_answers():
    strengths = f32([1.0, 0.0], [0.2, 0.9], [0.0, 0.0])
    np.testing.assert_allclose(rank.supply(f32([0.5, 1.0]), strengths), [[0.5, 0.9, 0.0]], atol=1e-6)


def test_a_project_answers_a_sentence_as_far_as_the_needs_it_may_state():
    answers = f32([1.0, 0.0], [0.2, 0.9])
    np.testing.assert_allclose(rank.answer(f32([0.5, 0.5], [0.0, 1.0]), answers), [[0.5, 0.55], [0.0, 0.9]])
    same = f32([0.0])
    better, _ = rank.need_chance(parts_of(same, answered=f32([0.9])), f32(1.0), Weights(**PLAIN))
    worse, _ = rank.need_chance(parts_of(same, answered=f32([0.1])), f32(1.0), Weights(**PLAIN))
    assert better[0] > worse[0]


def test_one_sentence_answered_well_beats_two_answered_badly():
    weights = Weights(**PLAIN)
    similar = f32([2.0, 0.0], [-3.0, 0.0])
    joined, chances = rank.need_chance(parts_of(similar), f32(1.0, 1.0), weights)
    assert chances.shape == (2, 2)
    assert joined[0] > joined[1]


def test_a_sentence_that_leaves_nothing_open_adds_nothing():
    weights = Weights(**PLAIN)
    one, _ = rank.need_chance(parts_of(f32([1.0]), f32([0.5])), f32(0.8), weights)
    two, _ = rank.need_chance(parts_of(f32([1.0], [3.0]), f32([0.5], [1.0])), f32(0.8, 0.0), weights)
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_no_sentences_at_all():
    empty = np.zeros((0, 3), np.float32)
    joined, _ = rank.need_chance(parts_of(empty), np.zeros(0, np.float32), Weights(**PLAIN))
    assert joined.tolist() == [0, 0, 0]


def test_the_tier_decides_among_equals_only():
    zero = np.zeros(3, np.float32)
    parts = {"whole": f32(1, 1, 1.2), "lexical": zero, "needs": zero}
    scores = rank.mix(parts, Weights(**PLAIN), [0, 3, 0])
    assert rank.order(scores, ["a", "b", "c"], np.ones(3, bool), 3) == [2, 1, 0]


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=12), st.integers(1, 15), st.randoms())
def test_order_is_by_score_then_id_whatever_the_order_given(values, top, random):
    ids = [f"p{i:02}" for i in range(len(values))]
    expected = [ids[i] for i in sorted(range(len(ids)), key=lambda i: (-values[i], ids[i]))][:top]
    places = list(range(len(ids)))
    random.shuffle(places)
    shuffled = [ids[i] for i in places]
    scores = np.array([values[i] for i in places], np.float32)
    found = rank.order(scores, shuffled, np.ones(len(ids), bool), top)
    assert [shuffled[i] for i in found] == expected


def test_what_filters_refuse_is_not_ranked():
    assert rank.order(f32(3, 2, 1), ["a", "b", "c"], np.array([False, True, True]), 5) == [1, 2]


def test_the_shipped_weights_load_and_the_tier_is_the_last_word():
    weights = load_weights()
    assert 0 < weights.tier < 0.1


def test_a_misspelt_weight_is_refused(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text("\n".join(f"{'tear' if key == 'tier' else key}: {value}" for key, value in PLAIN.items()), "utf-8")
    with pytest.raises(ValueError, match="tear"):
        load_weights(path)


def test_a_need_without_a_project_moves_the_best_that_answers_it_up_as_little_as_needed():
    serves = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1]], bool)
    assert rank.covering([0, 1, 2, 3, 4, 5], serves, 3) == [0, 1, 4, 2, 3, 5]
    assert rank.covering([0, 1, 2, 3, 4, 5], serves, 5) == [0, 1, 2, 3, 4, 5]
    assert rank.covering([5, 0, 1, 2, 3, 4], serves, 3) == [5, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("serves", [np.zeros((0, 3), bool), np.zeros((2, 3), bool)])
def test_needs_that_nobody_answers_move_nothing(serves):
    assert rank.covering([2, 0, 1], serves, 2) == [2, 0, 1]
    assert rank.covering([], serves, 2) == []


@given(
    st.permutations(range(8)),
    st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=1, max_size=4),
    st.integers(4, 8),
)
def test_every_need_that_can_be_is_covered_and_nobody_is_lost(ranked, serves, within):
    answers = np.array(serves, bool)
    found = rank.covering(ranked, answers, within)
    assert sorted(found) == sorted(ranked)
    assert all(row[found[:within]].any() for row in answers if row.any())


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ([0.9, 0.5, 0.5, 0.1], [0.9, 0.5, 0.5, 0.1]),
        ([0.9, 0.2, 0.5, 0.1], [0.9, 0.50001, 0.5, 0.1]),
        ([0.5, 0.2, 0.1, 0.5], [0.50003, 0.50002, 0.50001, 0.5]),
        ([], []),
    ],
)
def test_scores_order_what_was_moved_up(scores, shown):
    assert rank.falling(scores) == shown
