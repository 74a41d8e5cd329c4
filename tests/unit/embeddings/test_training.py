import random

import numpy as np
import pytest

from data.errors import CheckupError
from embeddings.training import Answer, Query, Sampler, Settings, piece, relevance, targets


def texts(needs=12, per_need=3):
    queries = [
        Query(f"Bedarf {n} Satz {i}", f"n{n}", f"f{n % 3}", {f"a{n}": 3, f"a{(n + 1) % needs}": 1})
        for n in range(needs)
        for i in range(per_need)
    ]
    return queries, [Answer(f"Ansatz {n} Text {i}", {f"a{n}": 3}) for n in range(needs) for i in range(2)]


@pytest.mark.parametrize(
    ("answers", "approaches", "grade"),
    [
        ({"a": 3}, {"a": 3}, 3),
        ({"a": 3}, {"a": 1}, 1),
        ({"a": 1, "b": 2}, {"a": 3, "b": 2}, 2),
        ({"a": 3}, {"b": 3}, 0),
    ],
)
def test_relevance_is_limited_by_both_grades(answers, approaches, grade):
    assert relevance(Query("x", "n", "f", answers), Answer("A", approaches)) == grade


def test_what_a_reader_graded_counts_before_the_approaches():
    query = Query("x", "n1", "f", {"a": 3}, ("n1", "n2"))
    assert relevance(query, Answer("A", {"a": 3}, {"n2": 2, "n3": 3})) == 2
    assert relevance(query, Answer("A", {"a": 3}, {})) == 0
    assert relevance(query, Answer("A", {"a": 3})) == 3


def test_a_graded_project_is_drawn_only_for_the_needs_it_answers():
    queries = [Query(f"t{n}", f"n{n}", "f", {"a": 3}, (f"n{n}",)) for n in range(4)]
    graded = Answer("P", {"a": 3}, {"n1": 3, "n2": 1})
    sampler = Sampler(
        queries, [Answer("A", {"a": 3}), graded], Settings(batch=4, project_share=1.0, same_field_share=0)
    )
    for _ in range(10):
        chosen, answered, _ = sampler.batch()
        assert [q.group for q, a in zip(chosen, answered, strict=True) if a is graded] == ["n1"]


def test_all_of_a_long_text_is_seen_with_its_first_sentence():
    text = "Der Titel. " + " ".join(f"Satz {n} hat hier ziemlich genau sieben Wörter." for n in range(9))
    chance = random.Random(1)
    pieces = {piece(text, chance) for _ in range(60)}
    assert text in pieces
    assert len(pieces) > 5
    assert all(
        p.startswith("Der Titel. Satz") and p.endswith("Satz 8 hat hier ziemlich genau sieben Wörter.") for p in pieces
    )
    assert piece("Kurz. Und gut. Ja. Nein. So.", chance) == "Kurz. Und gut. Ja. Nein. So."


def test_targets_mask_the_loosely_related_and_keep_the_drawn_pair():
    queries = [Query("x", "n1", "f", {"a": 3, "b": 1}), Query("y", "n2", "f", {"b": 1})]
    answers = [Answer("A", {"a": 3}), Answer("B", {"b": 3})]
    np.testing.assert_array_equal(targets(queries, answers), [[7, -1], [0, 3]])


def test_batches_hold_each_need_once_with_a_fitting_answer():
    sampler = Sampler(*texts(), Settings(batch=8, same_field_share=0.5))
    for _ in range(20):
        queries, answers, _ = sampler.batch()
        assert len({q.group for q in queries}) == 8
        assert all(relevance(q, a) >= 1 for q, a in zip(queries, answers, strict=True))


def test_the_seed_decides_the_batches():
    one, two, three = (Sampler(*texts(), Settings(batch=4, seed=seed)) for seed in (1, 1, 2))
    draws = [[sampler.batch() for _ in range(5)] for sampler in (one, two, three)]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_too_few_needs_are_said():
    with pytest.raises(CheckupError, match="Zu wenig"):
        Sampler(*texts(needs=4), Settings(batch=8))


@pytest.mark.transformers
def test_a_few_steps_learn_and_the_adapter_is_read_back(tmp_path):
    pytest.importorskip("peft")
    pytest.importorskip("sentence_transformers")
    from embeddings.adapter import read_adapter
    from embeddings.encoders import load_encoder
    from embeddings.export import write_folder
    from embeddings.training import save_adapter, train

    base = tmp_path / "base"
    write_folder(base, adapter_name="none")
    queries = [Query(f"Uns fehlt {w}.", w, "f", {w: 3}) for w in ("Wohnung", "Kita", "Arbeit", "Arzt")]
    answers = [Answer(f"Projekt {i} für {w}", {w: 3}) for w in ("Wohnung", "Kita", "Arbeit", "Arzt") for i in range(2)]
    losses = []
    settings = Settings(steps=6, batch=4, rank=4, first_layer=10, learning_rate=2e-3, same_field_share=0)
    model = train(str(base), queries, answers, settings, progress=lambda _, loss: losses.append(loss))
    assert np.mean(losses[-2:]) < np.mean(losses[:2])
    path = tmp_path / "adapter.safetensors"
    save_adapter(model, path, settings, card={"base": "e5"})
    assert read_adapter(path).scale == settings.alpha / settings.rank
    text = ["Uns fehlt Wohnung."]
    trained = model.encode(text, prompt_name="query", normalize_embeddings=True)
    merged = load_encoder(f"e5:{path}").encode(text)
    assert float((trained * merged).sum()) > 0.9999
    assert float((load_encoder("e5-base").encode(text) * merged).sum()) < 0.9999
