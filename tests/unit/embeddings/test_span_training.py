from dataclasses import replace

import numpy as np
import pytest

from embeddings.span_network import UNKNOWN, SpanModel, SpanSettings, SpanText
from embeddings.span_training import read_span_adapter, save_span_adapter, span_answers, train_spans
from embeddings.word_states import Head, WordStates

pytest.importorskip("torch")

HEADS = (Head("kind", 2, 1.0), Head("count", 2, 1.0, "number"), Head("whole", 2, 1.0, "text"))


def text(words, kind, *, somewhere=False):
    return SpanText(
        words=words, spans=[[0, 1, 2], [3, 4]], numbers=[([0], 0)],
        targets={"kind": [UNKNOWN, UNKNOWN] if somewhere else [kind, 0], "count": [kind], "whole": [kind]},
        somewhere={"kind": kind} if somewhere and kind else {},
    )  # fmt: skip


def told(verb, kind):
    return [
        text(f"{n} Frauen {verb} {what} in {where}".split(), kind, somewhere=bool(kind) and n == 3)
        for n in range(3, 9)
        for what, where in (("Arbeit", "Jena"), ("Wohnungen", "Köln"))
    ]


SETTINGS = SpanSettings(epochs=6, batch=4, learning_rate=2e-3, rank=4, alpha=8)


@pytest.mark.transformers
def test_what_the_texts_tell_is_learned_and_runs_without_torch(tmp_path):
    won, lost = told("fanden", 1), told("suchten", 0)
    losses = []
    model = train_spans([*won, *lost], HEADS, SETTINGS, progress=lambda _, loss: losses.append(loss))
    assert losses[-1] < losses[0] / 2
    assert model.heads["count"][0].shape == (768, 2)
    assert len(model.adapter) == 10 * 6 * 2
    save_span_adapter(model, tmp_path / "a.safetensors", SETTINGS)
    states = WordStates(tmp_path / "a.safetensors")
    said = span_answers(model, [won[0], lost[0]], HEADS, SETTINGS)
    for one, kind, likely in zip((won[0], lost[0]), (1, 0), said, strict=True):
        found, tokens = states.read(one.words)
        vectors = [
            np.concatenate([found[start:end] for start, end in (tokens[word] for word in span)]).mean(axis=0)
            for span in [*one.spans, one.numbers[0][0]]
        ]
        spans, number = np.stack(vectors[:2]), vectors[2]
        weights = np.exp(spans @ model.attention)
        asked = {
            "kind": spans[0], "count": np.concatenate([number, spans[0]]),
            "whole": weights / weights.sum() @ spans,
        }  # fmt: skip
        for name, vector in asked.items():
            weight, bias = model.heads[name]
            scores = vector @ weight + bias
            odds = np.exp(scores - scores.max())
            assert odds[kind] / odds.sum() > 0.8, (name, kind)
            assert likely[name][0] == pytest.approx(odds / odds.sum(), abs=0.1)


@pytest.mark.transformers
def test_a_reader_learns_from_others_where_nobody_marked_anything(tmp_path):
    settings = replace(SETTINGS, layers=6, half=False)
    marked = [*told("fanden", 1), *told("suchten", 0)]
    teacher = train_spans(marked, HEADS, settings)
    save_span_adapter(teacher, tmp_path / "t.safetensors", settings)
    teacher = SpanModel(read_span_adapter(tmp_path / "t.safetensors"), teacher.heads, teacher.attention)
    likely = span_answers(teacher, marked, HEADS, settings)
    taught = [replace(one, targets={}, somewhere={}, likely=said) for one, said in zip(marked, likely, strict=True)]
    pupil = train_spans(taught, HEADS, SETTINGS)
    asked = [marked[1], marked[-1]]
    kinds = [said["kind"][0].argmax() for said in span_answers(pupil, asked, HEADS, SETTINGS)]
    assert kinds == [1, 0]


@pytest.mark.transformers
def test_a_model_to_begin_with_is_taken_over():
    marked = told("fanden", 1)[:4]
    first = train_spans(marked, HEADS, replace(SETTINGS, epochs=1))
    second = train_spans(marked, HEADS, replace(SETTINGS, epochs=1, learning_rate=0, head_rate=0), start=first)
    assert all(np.array_equal(first.adapter[name], second.adapter[name]) for name in first.adapter)
    assert np.array_equal(first.heads["kind"][0], second.heads["kind"][0])
    assert np.array_equal(first.attention, second.attention)


@pytest.mark.transformers
def test_a_text_that_is_too_long_is_refused():
    words = ["Wohnung"] * 600
    long = SpanText(words=words, spans=[[0]], numbers=[], targets={head.name: [] for head in HEADS}, somewhere={})
    with pytest.raises(ValueError, match="602 tokens"):
        train_spans([long], HEADS, SpanSettings(epochs=1))


@pytest.mark.transformers
def test_layers_that_the_model_has_not_are_refused():
    with pytest.raises(ValueError, match="12 layers, 13"):
        train_spans([], HEADS, SpanSettings(epochs=1, layers=13))
