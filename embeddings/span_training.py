"""Training the reader of spans, and asking one that was trained.

Below: `embeddings.span_network`; torch (extra `transformers`), imported inside functions. Above:
`pipeline.nlp.marks_training` says what the spans are and what is asked of them.
Method: all heads are trained together (Caruana 1997), with the adapter.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from embeddings.adapter import read_adapter
from embeddings.e5_file import Floats
from embeddings.span_network import Prepared, SpanModel, SpanNetwork, SpanSettings, SpanText, by_text
from embeddings.word_states import Head


def train_spans(
    texts: Sequence[SpanText],
    heads: Sequence[Head],
    settings: SpanSettings,
    *,
    start: SpanModel | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> SpanModel:
    """Trains adapter and heads; the same texts, seed and machine give the same figures within noise.

    Args:
        texts: of fewer than MAX_TOKENS tokens, each with `targets` or `likely`.
        heads: the questions.
        settings: as they stand in the card.
        start: a model of the same sizes to begin with.
        progress: called with (epoch, mean loss) after each epoch.

    Raises:
        ValueError: if a text is longer, or the model has no so many layers.
    """
    import torch

    torch.manual_seed(settings.seed)
    chance = random.Random(settings.seed)
    network = SpanNetwork(heads, settings)
    if start:
        network.set(start)
    prepared = [network.prepare(text) for text in texts]
    inner, outer = network.inner(), network.outer()
    optimizer = torch.optim.AdamW(
        [{"params": inner, "lr": settings.learning_rate}, {"params": outer, "lr": settings.head_rate}],
        weight_decay=0.01,
    )
    steps = math.ceil(len(prepared) / settings.batch) * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _schedule(step, steps, settings.warmup))
    for epoch in range(settings.epochs):
        losses = []
        for batch in _batches(prepared, settings.batch, chance):
            loss = network.loss(batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_([*inner, *outer], 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if progress:
            progress(epoch + 1, sum(losses) / len(losses))
    return network.model()


def span_answers(
    model: SpanModel, texts: Sequence[SpanText], heads: Sequence[Head], settings: SpanSettings
) -> Iterator[dict[str, Floats]]:
    """What a model says of texts: by head the likelihood of every answer, float32[n, classes].

    Args:
        model: what was trained.
        texts: their targets are not looked at.
        heads: with which it was trained.
        settings: with which it was trained.
    """
    import torch

    network = SpanNetwork(heads, settings)
    network.set(model)
    for start in range(0, len(texts), settings.batch):
        batch = [network.prepare(text) for text in texts[start : start + settings.batch]]
        with torch.no_grad():  # not around `yield`: it would hold for who asks, too
            scores = network.scores(batch, dropout=0.0)
            likely = {name: torch.softmax(score, 1) for name, score in scores.items()}
        parts = {head.name: by_text(likely[head.name], batch, head) for head in heads}
        for at in range(len(batch)):
            yield {name: own[at].numpy() for name, own in parts.items()}


def save_span_adapter(model: SpanModel, path: Path, settings: SpanSettings) -> None:
    """Writes the adapter as safetensors in float16."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"alpha": str(settings.alpha), "r": str(settings.rank), "format": "np"}
    save_file({name: value.astype(np.float16) for name, value in model.adapter.items()}, str(path), metadata)


def read_span_adapter(path: Path) -> dict[str, Floats]:
    """The matrices of a file that `save_span_adapter` wrote, under their names in a `SpanModel`."""
    updates = read_adapter(path).updates
    return {
        f"{module}.lora_{side}.weight": matrix
        for module, pair in updates.items()
        for side, matrix in zip("AB", pair, strict=True)
    }


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then linear decay to a fiftieth."""
    return min((step + 1) / (warmup * steps), max(0.02, (steps - step) / (steps * (1 - warmup))))


def _batches(prepared: Sequence[Prepared], size: int, chance: random.Random) -> Iterator[list[Prepared]]:
    """All texts once, those of like length together."""
    order = list(range(len(prepared)))
    chance.shuffle(order)
    near = size * 12
    order = [
        at
        for start in range(0, len(order), near)
        for at in sorted(order[start : start + near], key=lambda at: len(prepared[at].below))
    ]
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    chance.shuffle(batches)
    for batch in batches:
        yield [prepared[at] for at in batch]
