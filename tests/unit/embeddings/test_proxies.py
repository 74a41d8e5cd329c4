import pytest

from embeddings.training import Answer, Query

torch = pytest.importorskip("torch")

from embeddings.proxies import Proxies  # noqa: E402 - after the check that torch is there

pytestmark = pytest.mark.transformers
WORDS = {"wohnung": (1.0, 0.0, 0.0), "kita": (0.0, 1.0, 0.0), "arzt": (0.0, 0.0, 1.0)}


def embed(texts, prompt):
    return torch.tensor([WORDS[text.split()[-1]] for text in texts])


def made():
    queries = [Query(f"{i} fehlt {w}", w, "f", {w: 3}, (w,)) for w in WORDS for i in range(2)]
    answers = [Answer(f"Projekt {w}", {w: 3}) for w in WORDS]
    return Proxies(queries, answers, embed), queries, answers


def loss(proxies, queries, answers):
    left, right = (embed([item.text for item in items], "") for items in (queries, answers))
    return float(proxies.loss(left, right, queries, answers).detach())


def test_texts_at_their_own_proxies_cost_least():
    proxies, queries, answers = made()
    right = loss(proxies, queries, answers)
    wrong = [Query(q.text, "kita", "f", {"kita": 3}, ("kita",)) for q in queries]
    assert right < 0.01
    assert loss(proxies, wrong, answers) > 5


def test_a_loosely_related_class_costs_nothing():
    proxies, queries, answers = made()
    masked = [Query(q.text, "unbekannt", "f", {q.group: 1, "kita": 3}, ()) for q in queries[:2]]
    assert loss(proxies, masked, answers[:1]) < 4


def test_graded_projects_are_drawn_to_needs_and_others_are_left_out():
    proxies, queries, _ = made()
    fits = [Answer("Projekt kita", {}, {"kita": 3})]
    astray = [Answer("Projekt kita", {}, {"arzt": 3})]
    unread = [Answer("Projekt kita", {})]
    assert loss(proxies, queries, fits) == pytest.approx(loss(proxies, queries, unread), abs=0.01)
    assert loss(proxies, queries, astray) > loss(proxies, queries, fits) + 5


def test_proxies_move_with_the_optimiser():
    proxies, queries, answers = made()
    before = proxies.needs.detach().clone()
    optimizer = torch.optim.SGD(proxies.parameters(), lr=1.0)
    wrong = [Query(q.text, "kita", "f", {"kita": 3}, ("kita",)) for q in queries]
    for _ in range(3):
        optimizer.zero_grad()
        left, right = embed([q.text for q in wrong], ""), embed([a.text for a in answers], "")
        proxies.loss(left, right, wrong, answers).backward()
        optimizer.step()
    assert not torch.allclose(before, proxies.needs)
