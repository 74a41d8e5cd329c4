import numpy as np
import pytest

from embeddings.span_training import UNKNOWN, SpanSettings, SpanText, save_span_adapter, train_spans
from embeddings.word_states import Head, WordStates

pytest.importorskip("torch")

HEADS = (Head("kind", 2, 1.0), Head("count", 2, 1.0, "number"), Head("whole", 2, 1.0, "text"))


def text(words, kind, *, somewhere=False):
    return SpanText(
        words=words, spans=[[0, 1, 2], [3, 4]], numbers=[([0], 0)],
        targets={"kind": [UNKNOWN, UNKNOWN] if somewhere else [kind, 0], "count": [kind], "whole": [kind]},
        somewhere={"kind": kind} if somewhere and kind else {},
    )  # fmt: skip


@pytest.mark.transformers
@pytest.mark.parametrize(("layers", "half"), [(6, False), (12, True)])
def test_what_the_texts_tell_is_learned_and_runs_without_torch(tmp_path, layers, half):
    won = [text(f"{n} Frauen fanden {what} in {where}".split(), 1, somewhere=n == 3)
           for n in range(3, 9) for what, where in (("Arbeit", "Jena"), ("Wohnungen", "Köln"))]  # fmt: skip
    lost = [text(f"{n} Frauen suchten {what} in {where}".split(), 0)
            for n in range(3, 9) for what, where in (("Arbeit", "Jena"), ("Wohnungen", "Köln"))]  # fmt: skip
    losses = []
    settings = SpanSettings(epochs=6, batch=4, learning_rate=2e-3, rank=4, alpha=8, layers=layers, half=half)
    model = train_spans([*won, *lost], HEADS, settings, progress=lambda _, loss: losses.append(loss))
    assert losses[-1] < losses[0] / 2
    assert model.heads["count"][0].shape == (768, 2)
    assert len(model.adapter) == (layers - 2) * 6 * 2
    save_span_adapter(model, tmp_path / "a.safetensors", settings)
    states = WordStates(tmp_path / "a.safetensors")
    for one, kind in ((won[0], 1), (lost[0], 0)):
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


@pytest.mark.transformers
def test_a_text_that_is_too_long_is_refused():
    words = ["Wohnung"] * 600
    long = SpanText(words=words, spans=[[0]], numbers=[], targets={head.name: [] for head in HEADS}, somewhere={})
    with pytest.raises(ValueError, match="602 tokens"):
        train_spans([long], HEADS, SpanSettings(epochs=1))


@pytest.mark.transformers
def test_layers_for_which_there_is_no_graph_are_refused():
    with pytest.raises(ValueError, match="8 layers"):
        train_spans([], HEADS, SpanSettings(epochs=1, layers=8))
