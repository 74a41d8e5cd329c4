"""Training the reader of spans: an adapter on the encoder's lower layers and a linear head for each question.

Below: torch (extra `transformers`), imported inside functions; `embeddings.e5_build`, `embeddings.word_states`.
Above: `pipeline.nlp.marks_training` says what the spans are and what is asked of them.
Method: LoRA (Hu et al. 2021) on the layers from FIRST_LAYER on; a span's vector is the mean of its tokens' states; all
heads are trained together (Caruana 1997). What lies below the adapter is computed once.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.e5 import MAX_TOKENS
from embeddings.e5_build import data_file, huggingface_weights
from embeddings.e5_file import E5File, Floats, Shape
from embeddings.e5_graph import LOWER_LAYERS
from embeddings.e5_tokens import PieceTokenizer
from embeddings.word_states import Head, pieces_of

if TYPE_CHECKING:
    import torch

UNKNOWN = -1
ASIDE = -2
"""Of a span that is never asked, so that what stands `somewhere` does not stand there."""
_MODULES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "attended": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanText:
    """A text with its spans and what is known of them.

    `targets` gives, by head, the class of every span or number, or of the text, UNKNOWN where nobody looked, or ASIDE;
    `somewhere` the class that some span of the text has, where nobody said which.
    """

    words: Sequence[str]
    spans: Sequence[Sequence[int]]
    """Places of the words of each span."""
    numbers: Sequence[tuple[Sequence[int], int]]
    """Places of the words of each number, and the place of the span in which it stands."""
    targets: Mapping[str, Sequence[int]]
    somewhere: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSettings:
    """Everything that decides the result, beside data and machine."""

    epochs: int = 5
    batch: int = 8
    learning_rate: float = 5e-4
    head_rate: float = 3e-3
    first_layer: int = 2
    layers: int = 12
    """LOWER_LAYERS or all."""
    rank: int = 32
    alpha: int = 64
    half: bool = True
    """Multiply matrices in bfloat16 (twice as fast where the processor has it)."""
    dropout: float = 0.1
    warmup: float = 0.06
    seed: int = 1
    threads: int = 2


@dataclass(frozen=True, slots=True)
class SpanModel:
    """The adapter's matrices under the names that `embeddings.adapter` reads, and by head weights and bias."""

    adapter: Mapping[str, Floats]
    heads: Mapping[str, tuple[Floats, Floats]]
    """float32[hidden, classes] (for numbers [2 * hidden, classes]: number, then span) and float32[classes]."""
    attention: Floats
    """float32[hidden]: the softmax of its products with a text's spans says how much each counts for the text."""


@dataclass(slots=True)
class _Prepared:
    below: "torch.Tensor"
    spans: "torch.Tensor"
    numbers: "torch.Tensor"
    owners: list[int]
    text: SpanText


def train_spans(
    texts: Sequence[SpanText],
    heads: Sequence[Head],
    settings: SpanSettings,
    *,
    progress: Callable[[int, float], None] | None = None,
) -> SpanModel:
    """Trains adapter and heads; the same texts, seed and machine give the same figures within noise.

    Args:
        texts: of fewer than MAX_TOKENS tokens.
        heads: the questions.
        settings: as they stand in the card.
        progress: called with (epoch, mean loss) after each epoch.

    Raises:
        ValueError: if a text is longer, or no graph has so many layers.
    """
    import torch

    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    chance = random.Random(settings.seed)
    source = E5File(data_file())
    if settings.layers not in {LOWER_LAYERS, source.shape.layers}:
        raise ValueError(f"no graph has {settings.layers} layers: {LOWER_LAYERS} or {source.shape.layers}")
    weights = {name: torch.from_numpy(value.copy()) for name, value in huggingface_weights(source).items()}
    below = [_Layer(weights, source.shape, n, 0, 0) for n in range(settings.first_layer)]
    tokenizer = PieceTokenizer(source)
    prepared = [_prepare(text, tokenizer, weights, source.shape, below) for text in texts]
    layers = [
        _Layer(weights, source.shape, n, settings.rank, settings.alpha)
        for n in range(settings.first_layer, settings.layers)
    ]
    made = {head.name: _head(head, source.shape.hidden) for head in heads}
    attention = torch.zeros(source.shape.hidden).requires_grad_()
    inner = [matrix for layer in layers for matrix in layer.trained()]
    outer = [attention, *(value for pair in made.values() for value in pair)]
    optimizer = torch.optim.AdamW(
        [{"params": inner, "lr": settings.learning_rate}, {"params": outer, "lr": settings.head_rate}],
        weight_decay=0.01,
    )
    steps = math.ceil(len(prepared) / settings.batch) * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _schedule(step, steps, settings.warmup))
    for epoch in range(settings.epochs):
        losses = []
        for batch in _batches(prepared, settings.batch, chance):
            loss = _loss(_states(batch, layers, settings), made, heads, attention, settings.dropout)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_([*inner, *outer], 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if progress:
            progress(epoch + 1, sum(losses) / len(losses))
    adapter = {name: value for layer in layers for name, value in layer.tensors()}
    found = {
        name: (weight.detach().numpy().T.copy(), bias.detach().numpy().copy()) for name, (weight, bias) in made.items()
    }
    return SpanModel(adapter, found, attention.detach().numpy().copy())


def save_span_adapter(model: SpanModel, path: Path, settings: SpanSettings) -> None:
    """Writes the adapter as safetensors in float16."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"alpha": str(settings.alpha), "r": str(settings.rank), "format": "np"}
    if settings.layers == LOWER_LAYERS:
        metadata["layers"] = str(LOWER_LAYERS)
    save_file({name: value.astype(np.float16) for name, value in model.adapter.items()}, str(path), metadata)


class _Linear:
    """A frozen matrix with a trained low-rank update (none of rank 0)."""

    def __init__(self, weight: "torch.Tensor", bias: "torch.Tensor", rank: int, alpha: int) -> None:
        import torch

        self.weight, self.bias = weight, bias
        self.down = self.up = None
        if rank:
            self.down = (torch.randn(rank, weight.shape[1]) / math.sqrt(weight.shape[1])).requires_grad_()
            self.up = torch.zeros(weight.shape[0], rank).requires_grad_()
            self.scale = alpha / rank

    def __call__(self, value: "torch.Tensor") -> "torch.Tensor":
        from torch.nn.functional import linear

        found = linear(value, self.weight, self.bias)
        if self.down is None or self.up is None:
            return found
        return found + self.scale * linear(linear(value, self.down), self.up)


class _Layer:
    """One transformer layer as `embeddings.e5_graph` runs it."""

    def __init__(self, weights: Mapping[str, "torch.Tensor"], shape: Shape, number: int, rank: int, alpha: int) -> None:
        self._name = f"encoder.layer.{number}."
        self._shape = shape
        self._linear = {
            ours: _Linear(weights[self._name + theirs + ".weight"], weights[self._name + theirs + ".bias"], rank, alpha)
            for ours, theirs in _MODULES.items()
        }
        self._norms = [
            (weights[self._name + name + ".weight"], weights[self._name + name + ".bias"])
            for name in ("attention.output.LayerNorm", "output.LayerNorm")
        ]

    def __call__(self, value: "torch.Tensor", mask: "torch.Tensor | None", dropout: float = 0.0) -> "torch.Tensor":
        from torch.nn import functional

        count, length, hidden = value.shape
        heads, linear, epsilon = self._shape.heads, self._linear, self._shape.epsilon

        def split(given: "torch.Tensor") -> "torch.Tensor":
            return given.view(count, length, heads, hidden // heads).transpose(1, 2)

        context = functional.scaled_dot_product_attention(
            split(linear["query"](value)), split(linear["key"](value)), split(linear["value"](value)), attn_mask=mask
        )
        attended = linear["attended"](context.transpose(1, 2).reshape(count, length, hidden))
        value = value + functional.dropout(attended, dropout)
        value = functional.layer_norm(value, (hidden,), *self._norms[0], eps=epsilon)
        narrow = linear["down"](functional.gelu(linear["up"](value)))
        value = value + functional.dropout(narrow, dropout)
        return functional.layer_norm(value, (hidden,), *self._norms[1], eps=epsilon)

    def trained(self) -> Iterator["torch.Tensor"]:
        """The matrices of the updates."""
        for module in self._linear.values():
            if module.down is not None and module.up is not None:
                yield module.down
                yield module.up

    def tensors(self) -> Iterator[tuple[str, Floats]]:
        """The updates by name."""
        for ours, theirs in _MODULES.items():
            module = self._linear[ours]
            if module.down is not None and module.up is not None:
                yield f"{self._name}{theirs}.lora_A.weight", module.down.detach().numpy()
                yield f"{self._name}{theirs}.lora_B.weight", module.up.detach().numpy()


def _prepare(
    text: SpanText,
    tokenizer: PieceTokenizer,
    weights: Mapping[str, "torch.Tensor"],
    shape: Shape,
    below: Sequence[_Layer],
) -> _Prepared:
    """A text's states below the adapter (float16) and the matrices that pool its spans and numbers."""
    import torch
    from torch.nn.functional import layer_norm

    pieces, places = pieces_of(tokenizer, text.words)
    ids = tokenizer.around(pieces)
    if len(ids) > MAX_TOKENS:
        raise ValueError(f"a text of {len(ids)} tokens, at most {MAX_TOKENS} can be learned from")
    with torch.no_grad():
        value = weights["embeddings.word_embeddings.weight"][ids]
        value = value + weights["embeddings.position_embeddings.weight"][: len(ids)]
        value = value + weights["embeddings.token_type_embeddings.weight"][0]
        norm = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
        value = layer_norm(value, (shape.hidden,), *norm, eps=shape.epsilon)[None]
        for layer in below:
            value = layer(value, None)

    def pool(words: Sequence[Sequence[int]]) -> "torch.Tensor":
        matrix = torch.zeros(len(words), len(ids))
        for row, own in zip(matrix, words, strict=True):
            tokens = [token + 1 for word in own for token in range(*places[word])]
            if tokens:
                row[tokens] = 1 / len(tokens)
        return matrix

    numbers = pool([words for words, _ in text.numbers])
    return _Prepared(value[0].to(torch.float16), pool(text.spans), numbers, [own for _, own in text.numbers], text)


def _head(head: Head, hidden: int) -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    width = 2 * hidden if head.of == "number" else hidden
    weight = (torch.rand(head.classes, width) * 2 - 1) / math.sqrt(width)
    return weight.requires_grad_(), torch.zeros(head.classes).requires_grad_()


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then linear decay to a fiftieth."""
    return min((step + 1) / (warmup * steps), max(0.02, (steps - step) / (steps * (1 - warmup))))


def _batches(prepared: Sequence[_Prepared], size: int, chance: random.Random) -> Iterator[list[_Prepared]]:
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


def _states(
    batch: Sequence[_Prepared], layers: Sequence[_Layer], settings: SpanSettings
) -> Iterator[tuple[_Prepared, "torch.Tensor"]]:
    """Each text with the states float32[tokens, hidden] of its tokens."""
    import torch

    length = max(len(one.below) for one in batch)
    value = torch.zeros(len(batch), length, batch[0].below.shape[1])
    mask = torch.full((len(batch), 1, 1, length), -1e9)
    for at, one in enumerate(batch):
        value[at, : len(one.below)] = one.below.float()
        mask[at, 0, 0, : len(one.below)] = 0.0
    with torch.autocast("cpu", torch.bfloat16, enabled=settings.half):
        for layer in layers:
            value = layer(value, mask, settings.dropout / 2)
    for at, one in enumerate(batch):
        yield one, value[at, : len(one.below)].float()


def _loss(
    states: Iterable[tuple[_Prepared, "torch.Tensor"]],
    made: Mapping[str, tuple["torch.Tensor", "torch.Tensor"]],
    heads: Sequence[Head],
    attention: "torch.Tensor",
    dropout: float,
) -> "torch.Tensor":
    """The cross entropies of all heads' answers, weighted, for one span."""
    import torch
    from torch.nn.functional import dropout as drop
    from torch.nn.functional import linear

    batch: list[_Prepared] = []
    vectors: dict[str, list[torch.Tensor]] = {"span": [], "number": [], "text": []}
    for one, own in states:
        spans = one.spans @ own
        batch.append(one)
        vectors["span"].append(spans)
        vectors["number"].append(torch.cat([one.numbers @ own, spans[one.owners]], 1))
        vectors["text"].append(torch.softmax(spans @ attention, 0)[None] @ spans)
    given = {of: torch.cat(found) for of, found in vectors.items()}
    total = torch.zeros(())
    for head in heads:
        scores = linear(drop(given[head.of], dropout), *made[head.name])
        total = total + head.weight * _errors(scores, [one.text for one in batch], head.name)
    return total / sum(len(one.spans) for one in batch)


def _errors(scores: "torch.Tensor", texts: Sequence[SpanText], name: str) -> "torch.Tensor":
    """The sum of the cross entropies of what is known of the texts' spans, which lie one after the other."""
    import torch
    from torch.nn.functional import cross_entropy

    told = torch.tensor([answer for text in texts for answer in text.targets[name]], dtype=torch.long)
    known, unknown = told >= 0, told == UNKNOWN
    found = cross_entropy(scores[known], told[known], reduction="sum") if bool(known.any()) else torch.zeros(())
    start = 0
    for text in texts:
        end = start + len(text.targets[name])
        if name in text.somewhere and bool(unknown[start:end].any()):
            likely = torch.log_softmax(scores[start:end], 1)[:, text.somewhere[name]]
            found = found - likely[unknown[start:end]].max()
        start = end
    return found
