import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.store_curation import MACHINE, StoredJudgement
from pipeline.bonds import Member, answers, chain, contradiction, merged_into

IDS = "abcdefg"
MEMBERS = {key: Member(id=key, origin="crawl", length=10) for key in IDS}


def said(kind, one, other, *, origin="reviewer", score=None, number=0):
    return StoredJudgement(id=number, kind=kind, project_id=one, other_id=other, origin=origin, score=score)


@st.composite
def judgements(draw):
    """Judgements in which people may contradict each other and the machine."""
    told = []
    for number in range(draw(st.integers(0, 12))):
        one, other = draw(st.lists(st.sampled_from(IDS), min_size=2, max_size=2, unique=True))
        machine = draw(st.booleans())
        kind = "same" if machine else draw(st.sampled_from(["same", "different"]))
        score = draw(st.sampled_from([0.9, 0.95, 0.99])) if machine else None
        origin = MACHINE if machine else "reviewer"
        told.append(said(kind, one, other, origin=origin, score=score, number=number))
    return told


def root(merged, key):
    return merged.get(key, key)


@settings(max_examples=60, deadline=None)
@given(judgements(), st.randoms(use_true_random=False))
def test_the_order_of_judgements_and_of_their_sides_does_not_matter(told, random):
    shuffled = [
        said(i.kind, *random.sample([i.project_id, i.other_id], 2), origin=i.origin, score=i.score, number=i.id)
        for i in random.sample(told, len(told))
    ]
    members = dict(random.sample(list(MEMBERS.items()), len(MEMBERS)))
    assert merged_into(told, MEMBERS) == merged_into(shuffled, members)


@settings(max_examples=60, deadline=None)
@given(judgements())
def test_merged_projects_point_to_one_that_is_not_merged_and_never_to_a_different_one(told):
    merged = merged_into(told, MEMBERS)
    assert not merged.keys() & set(merged.values())
    for item in told:
        if item.kind == "different":
            assert root(merged, item.project_id) != root(merged, item.other_id)


@settings(max_examples=60, deadline=None)
@given(judgements())
def test_what_is_accepted_one_by_one_is_transitive_and_free_of_contradictions(told):
    accepted = []
    for item in told:
        if item.origin != MACHINE and not contradiction(accepted, item.kind, item.project_id, item.other_id):
            accepted.append(item)
    merged = merged_into(accepted, MEMBERS)
    answer = answers(accepted, merged)
    for item in accepted:
        assert answer(item.project_id, item.other_id) == item.kind
    for one in IDS:
        for other in IDS:
            if one != other:
                assert (answer(one, other) == "same") == bool(chain(accepted, one, other))


@settings(max_examples=60, deadline=None)
@given(judgements())
def test_the_machine_changes_nothing_that_people_said(told):
    people = [item for item in told if item.origin != MACHINE]
    alone, together = merged_into(people, MEMBERS), merged_into(told, MEMBERS)
    for one in IDS:
        for other in IDS:
            if root(alone, one) == root(alone, other):
                assert root(together, one) == root(together, other)


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({"a": ("crawl", 90), "b": ("import", 10)}, "b"),
        ({"a": ("import", 90), "b": ("seed", 10)}, "b"),
        ({"a": ("crawl", 10), "b": ("crawl", 90)}, "b"),
        ({"a": ("crawl", 10), "b": ("crawl", 10)}, "a"),
    ],
)
def test_the_best_origin_then_the_longest_text_then_the_smallest_id_is_kept(members, kept):
    every = {key: Member(id=key, origin=origin, length=length) for key, (origin, length) in members.items()}
    assert set(merged_into([said("same", "b", "a")], every).values()) == {kept}


def test_of_two_merges_by_the_machine_that_a_person_forbids_together_the_surer_one_stays():
    told = [
        said("same", "a", "b", origin=MACHINE, score=0.93),
        said("same", "b", "c", origin=MACHINE, score=0.99),
        said("different", "a", "c"),
    ]
    assert merged_into(told, MEMBERS) == {"c": "b"}


def test_a_chain_names_every_project_on_the_way():
    told = [said("same", "a", "b"), said("same", "c", "b"), said("same", "c", "d")]
    assert chain(told, "a", "d") == ["a", "b", "c", "d"]
    assert contradiction([*told, said("different", "d", "e")], "same", "a", "e") == ["d", "c", "b", "a", "e"]
