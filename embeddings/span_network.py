"""The network of the reader of spans: the encoder's layers with an adapter, and a linear head for each question.

Below: torch (extra `transformers`), imported inside functions; `embeddings.e5_build`, `embeddings.word_states`.
Above: `embeddings.span_training` trains and asks it.
Method: LoRA (Hu et al. 2021) on the layers from `first_layer` on; a span's vector is the mean of its tokens' states.
What lies below the adapter is computed once. A text may carry what other readers say of it beside what people marked,
or in its place (distillation, Hinton et al. 2015).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from embeddings.e5 import MAX_TOKENS
from embeddings.e5_build import data_file, huggingface_weights
from embeddings.e5_file import E5File, Floats, Shape
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

    `targets` gives, by head, the class of every span or number, or of the text, UNKNOWN where nobody looked, or ASIDE
    (it is empty where nobody read the text); `somewhere` the class that some span of the text has, where nobody said
    which; `likely` what other readers say: float32[n, classes].
    """

    words: Sequence[str]
    spans: Sequence[Sequence[int]]
    """Places of the words of each span."""
    numbers: Sequence[tuple[Sequence[int], int]]
    """Places of the words of each number, and the place of the span in which it stands."""
    targets: Mapping[str, Sequence[int]]
    somewhere: Mapping[str, int]
    likely: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSettings:
    """Everything that decides the result, beside data and machine."""

    epochs: int = 5
    batch: int = 8
    learning_rate: float = 5e-4
    head_rate: float = 3e-3
    first_layer: int = 2
    layers: int = 12
    """The lowest ones; only for all there is a graph."""
    rank: int = 32
    alpha: int = 64
    half: bool = True
    """Multiply matrices in bfloat16 where the processor can: twice as fast there, 55 times as slow elsewhere."""
    dropout: float = 0.1
    taught: float = 0.5
    """The share that other readers have in the loss of a marked text of which they say something."""
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
class Prepared:
    """A text's states below the adapter, float16[tokens, hidden], and the matrices that pool its spans and numbers."""

    below: "torch.Tensor"
    spans: "torch.Tensor"
    numbers: "torch.Tensor"
    owners: list[int]
    text: SpanText


class SpanNetwork:
    """The layers with their updates, the heads and the attention while they are trained or asked."""

    def __init__(self, heads: Sequence[Head], settings: SpanSettings) -> None:
        import torch

        torch.set_num_threads(settings.threads)
        source = E5File(data_file())
        self._shape = shape = source.shape
        if not settings.first_layer < settings.layers <= shape.layers:
            raise ValueError(f"the model has {shape.layers} layers, {settings.layers} cannot be trained")
        self._weights = {name: torch.from_numpy(value.copy()) for name, value in huggingface_weights(source).items()}
        self._tokenizer = PieceTokenizer(source)
        self._below = [_Layer(self._weights, shape, n, 0, 0) for n in range(settings.first_layer)]
        self._layers = [
            _Layer(self._weights, shape, n, settings.rank, settings.alpha)
            for n in range(settings.first_layer, settings.layers)
        ]
        self._heads, self._settings = heads, settings
        self._made = {head.name: _head(head, shape.hidden) for head in heads}
        self._attention = torch.zeros(shape.hidden).requires_grad_()

    def prepare(self, text: SpanText) -> Prepared:
        """A text's states below the adapter (float16) and the matrices that pool its spans and numbers."""
        return _prepare(text, self._tokenizer, self._weights, self._shape, self._below)

    def inner(self) -> list["torch.Tensor"]:
        """The matrices of the updates."""
        return [matrix for layer in self._layers for _, matrix in layer.trained()]

    def outer(self) -> list["torch.Tensor"]:
        """What is trained beside them."""
        return [self._attention, *(value for pair in self._made.values() for value in pair)]

    def set(self, model: SpanModel) -> None:
        """Takes over a model of the same sizes."""
        import torch

        def copy(to: "torch.Tensor", value: Floats) -> None:
            to.copy_(torch.from_numpy(np.ascontiguousarray(value, np.float32)))

        with torch.no_grad():
            for layer in self._layers:
                for name, matrix in layer.trained():
                    copy(matrix, model.adapter[name])
            for name, (weight, bias) in self._made.items():
                copy(weight, model.heads[name][0].T)
                copy(bias, model.heads[name][1])
            copy(self._attention, model.attention)

    def model(self) -> SpanModel:
        """A copy of what was trained."""

        def copied(value: "torch.Tensor") -> Floats:
            return value.detach().numpy().copy()

        adapter = {name: copied(matrix) for layer in self._layers for name, matrix in layer.trained()}
        heads = {name: (copied(weight).T.copy(), copied(bias)) for name, (weight, bias) in self._made.items()}
        return SpanModel(adapter, heads, copied(self._attention))

    def scores(self, batch: Sequence[Prepared], *, dropout: float) -> dict[str, "torch.Tensor"]:
        """By head the scores of all spans, numbers or texts of a batch, which lie one after the other."""
        import torch
        from torch.nn.functional import dropout as drop
        from torch.nn.functional import linear

        vectors: dict[str, list[torch.Tensor]] = {"span": [], "number": [], "text": []}
        for one, own in self._states(batch, dropout / 2):
            spans = one.spans @ own
            vectors["span"].append(spans)
            vectors["number"].append(torch.cat([one.numbers @ own, spans[one.owners]], 1))
            vectors["text"].append(torch.softmax(spans @ self._attention, 0)[None] @ spans)
        given = {of: torch.cat(found) for of, found in vectors.items()}
        return {head.name: linear(drop(given[head.of], dropout), *self._made[head.name]) for head in self._heads}

    def loss(self, batch: Sequence[Prepared]) -> "torch.Tensor":
        """The cross entropies of all heads' answers, weighted, for one span."""
        import torch

        scores = self.scores(batch, dropout=self._settings.dropout)
        total = torch.zeros(())
        for head in self._heads:
            for one, own in zip(batch, by_text(scores[head.name], batch, head), strict=True):
                total = total + head.weight * _error(own, one.text, head.name, self._settings.taught)
        return total / sum(len(one.spans) for one in batch)

    def _states(self, batch: Sequence[Prepared], dropout: float) -> Iterator[tuple[Prepared, "torch.Tensor"]]:
        """Each text with the states float32[tokens, hidden] of its tokens."""
        import torch

        length = max(len(one.below) for one in batch)
        value = torch.zeros(len(batch), length, batch[0].below.shape[1])
        mask = torch.full((len(batch), 1, 1, length), -1e9)
        for at, one in enumerate(batch):
            value[at, : len(one.below)] = one.below.float()
            mask[at, 0, 0, : len(one.below)] = 0.0
        half = self._settings.half and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            for layer in self._layers:
                value = layer(value, mask, dropout)
        for at, one in enumerate(batch):
            yield one, value[at, : len(one.below)].float()


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

    def trained(self) -> Iterator[tuple[str, "torch.Tensor"]]:
        """The matrices of the updates by their names in the adapter."""
        for ours, theirs in _MODULES.items():
            module = self._linear[ours]
            if module.down is not None and module.up is not None:
                yield f"{self._name}{theirs}.lora_A.weight", module.down
                yield f"{self._name}{theirs}.lora_B.weight", module.up


def _prepare(
    text: SpanText,
    tokenizer: PieceTokenizer,
    weights: Mapping[str, "torch.Tensor"],
    shape: Shape,
    below: Sequence[_Layer],
) -> Prepared:
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
    return Prepared(value[0].to(torch.float16), pool(text.spans), numbers, [own for _, own in text.numbers], text)


def _head(head: Head, hidden: int) -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    width = 2 * hidden if head.of == "number" else hidden
    weight = (torch.rand(head.classes, width) * 2 - 1) / math.sqrt(width)
    return weight.requires_grad_(), torch.zeros(head.classes).requires_grad_()


def by_text(rows: "torch.Tensor", batch: Sequence[Prepared], head: Head) -> Sequence["torch.Tensor"]:
    """The rows of each text of a batch, which lie one after the other."""
    import torch

    counts = [{"span": len(one.spans), "number": len(one.numbers), "text": 1}[head.of] for one in batch]
    return torch.split(rows, counts)


def _error(scores: "torch.Tensor", text: SpanText, name: str, taught: float) -> "torch.Tensor":
    """The sum of the cross entropies of what people and other readers know of a text's spans."""
    import torch

    found = torch.zeros(())
    share = 0.0 if name not in text.likely else taught if text.targets else 1.0
    if share:
        found = found - share * (torch.from_numpy(text.likely[name]) * torch.log_softmax(scores, 1)).sum()
    if share < 1:
        found = found + (1 - share) * _marked_error(scores, text.targets[name], text.somewhere.get(name))
    return found


def _marked_error(scores: "torch.Tensor", targets: Sequence[int], somewhere: int | None) -> "torch.Tensor":
    import torch
    from torch.nn.functional import cross_entropy

    told = torch.tensor(targets, dtype=torch.long)
    known, unknown = told >= 0, told == UNKNOWN
    found = cross_entropy(scores[known], told[known], reduction="sum") if bool(known.any()) else torch.zeros(())
    if somewhere is not None and bool(unknown.any()):
        found = found - torch.log_softmax(scores, 1)[unknown, somewhere].max()
    return found
