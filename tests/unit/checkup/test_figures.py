import math

import pytest

from checkup import figures


def test_ndcg_by_hand():
    relevance = {"a": 3, "b": 1, "c": 2}
    ideal = 7 / 1 + 3 / math.log2(3) + 1 / 2
    assert figures.ndcg(["b", "x", "a"], relevance) == pytest.approx((1 + 7 / 2) / ideal)
    assert figures.ndcg(["a", "c", "b"], relevance) == 1
    assert figures.ndcg([], relevance) == 0


def test_ndcg_looks_at_ten_places():
    assert figures.ndcg([f"x{i}" for i in range(10)] + ["a"], {"a": 3}) == 0


def test_half_grades_count_in_between():
    assert figures.ndcg(["a"], {"a": 2.5, "b": 3}) < figures.ndcg(["b"], {"a": 2.5, "b": 3})


def test_hit_needs_grade_two_among_the_first_three():
    assert figures.hit(["x", "y", "a"], {"a": 2}) == 1
    assert figures.hit(["x", "y", "z", "a"], {"a": 3}) == 0
    assert figures.hit(["a"], {"a": 1.5}) == 0


def test_needs_served_counts_answerable_needs_only():
    assert figures.served(["a", "b"], [{"a": 2}, {"c": 3}, {"d": 1}]) == (1, 2)


def test_f1_is_micro():
    result = figures.micro_f1([(["a", "b"], ["a"]), ([], ["c"])])
    assert (result.precision, result.recall) == (0.5, 0.5)
    assert figures.micro_f1([([], [])]).f1 == 1
    assert figures.micro_f1([(["a"], [])]).f1 == 0


def test_the_interval_holds_the_mean_and_is_repeatable():
    one, two = (figures.mean([0.1, 0.5, 0.9, 0.4]) for _ in range(2))
    assert one == two
    assert one.low <= one.value <= one.high
    assert math.isnan(figures.mean([]).value)
