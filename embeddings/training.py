"""Fine-tuning an encoder with a low-rank adapter: situations drawn towards the projects that answer their needs.

Below: Sentence Transformers, PEFT, torch (extra `transformers`), imported inside functions. Above: `checkup train`.
Method: contrastive learning with in-batch candidates (van den Oord et al. 2018) and graded, listwise targets: a
candidate that answers the need with grade g gets probability proportional to 2^g - 1, one of grade 1 is masked, since
it is neither right nor wrong. LoRA (Hu et al. 2021) on the upper layers.
"""

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import CheckupError
from embeddings.proxies import Proxies

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

LONG_WORDS = 90
PIECE_WORDS = 45
SENTENCE_END = re.compile(r"(?<=[.!?]) ")
GROUP = 8
"""Texts of like length that are run together."""
GRADE_WEIGHT = {3: 0.6, 2: 0.3, 1: 0.1}
TARGETS = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense")


@dataclass(frozen=True, slots=True)
class Query:
    """A text that states a need (or a whole situation), with the approaches that answer it, grade 1-3 each."""

    text: str
    group: str
    """Need id, or the situation's own id: two queries of one group never meet in a batch."""
    field: str
    answers: Mapping[str, int]
    needs: tuple[str, ...] = ()
    """The needs it states."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that describes a project or an approach, with the approaches it carries out, grade 1-3 each."""

    text: str
    approaches: Mapping[str, int]
    needs: Mapping[str, int] | None = None
    """The needs that a reader found it to answer, grade 1-3, all others 0; None: nobody read it for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that decides the result, beside data and machine."""

    steps: int = 600
    batch: int = 32
    learning_rate: float = 6e-4
    temperature: float = 0.02
    rank: int = 16
    alpha: int = 32
    first_layer: int = 4
    query_tokens: int = 48
    answer_tokens: int = 72
    long_share: float = 0.1
    """Share of batches made of whole situations (texts of more than LONG_WORDS words)."""
    long_batch: int = 12
    long_tokens: int = 160
    project_share: float = 0.5
    """Share of answers that are texts graded for the need, where there are any."""
    same_field_share: float = 0.5
    """Share of batches drawn from one or two fields only: their candidates are the hard negatives."""
    proxy_weight: float = 0.25
    """Of the comparison with all needs and approaches (`embeddings.proxies`); 0: with the batch only."""
    proxy_learning_rate: float = 2e-3
    warmup: float = 0.1
    seed: int = 1
    threads: int = 2


def relevance(query: Query, answer: Answer) -> int:
    """Grade 0-3 of a text as an answer: as a reader graded it for these needs, else by the best approach.

    The grade of an approach is limited by both sides: how well it answers the need, how much the text carries it out.
    """
    if answer.needs is not None and query.needs:
        return max((answer.needs.get(need, 0) for need in query.needs), default=0)
    shared = (min(query.answers[a], grade) for a, grade in answer.approaches.items() if a in query.answers)
    return max(shared, default=0)


def piece(text: str, chance: random.Random) -> str:
    """A long text from its start, or its first sentence with what follows a later one, so that all of it is seen."""
    starts = [match.end() for match in SENTENCE_END.finditer(text)]
    if len(text.split()) <= PIECE_WORDS or len(starts) < 3 or chance.random() < 0.5:
        return text
    return text[: starts[0]] + text[chance.choice(starts[1:-1]) :]


def _answers_by_topic(answers: Sequence[Answer]) -> tuple[dict[str, list[Answer]], dict[str, list[Answer]]]:
    """Texts by the approaches they carry out, and those read need by need by the needs they answer (3 twice as often).

    A text that was read need by need is drawn for those needs only.
    """
    by_approach: dict[str, list[Answer]] = {}
    by_need: dict[str, list[Answer]] = {}
    for answer in answers:
        for need, grade in (answer.needs or {}).items():
            if grade >= 2:
                by_need.setdefault(need, []).extend([answer] * (2 if grade == 3 else 1))
        for approach, grade in answer.approaches.items() if answer.needs is None else ():
            if grade >= 2:
                by_approach.setdefault(approach, []).append(answer)
    return by_approach, by_need


class Sampler:
    """Draws batches: each need at most once, an answer for each, as hard as the settings say."""

    def __init__(self, queries: Sequence[Query], answers: Sequence[Answer], settings: Settings) -> None:
        self._random = random.Random(settings.seed)
        self._settings = settings
        self._by_group: dict[str, list[Query]] = {}
        self._long: list[Query] = []
        self._fields: dict[str, list[str]] = {}
        self._by_approach, self._by_need = _answers_by_topic(answers)
        for query in queries:
            if not any(a in self._by_approach for a in query.answers):
                continue
            if len(query.text.split()) > LONG_WORDS:
                self._long.append(query)
            else:
                if query.group not in self._by_group:
                    self._fields.setdefault(query.field, []).append(query.group)
                self._by_group.setdefault(query.group, []).append(query)
        if len(self._by_group) < settings.batch:
            raise CheckupError(
                f"Zu wenig Trainingstexte: {len(self._by_group)} Bedarfe mit Antworten, nötig sind {settings.batch}."
            )

    def batch(self) -> tuple[list[Query], list[Answer], int]:
        """Queries and, at the same places, one answer for each; and how many tokens of the queries are to be read."""
        enough = len(self._long) >= self._settings.long_batch
        if enough and self._random.random() < self._settings.long_share:
            queries = self._random.sample(self._long, self._settings.long_batch)
            return queries, [self._answer(query) for query in queries], self._settings.long_tokens
        groups = list(self._by_group)
        if self._random.random() < self._settings.same_field_share:
            fields = self._random.sample(sorted(self._fields), min(2, len(self._fields)))
            near = [group for field in fields for group in self._fields[field]]
            groups = near if len(near) >= self._settings.batch else groups
        chosen = self._random.sample(groups, self._settings.batch)
        queries = [self._random.choice(self._by_group[group]) for group in chosen]
        return queries, [self._answer(query) for query in queries], self._settings.query_tokens

    def _answer(self, query: Query) -> Answer:
        graded = [need for need in query.needs if need in self._by_need]
        if graded and self._random.random() < self._settings.project_share:
            return self._random.choice(self._by_need[self._random.choice(graded)])
        options = [(a, GRADE_WEIGHT[g]) for a, g in query.answers.items() if a in self._by_approach]
        approach = self._random.choices([a for a, _ in options], [w for _, w in options])[0]
        return self._random.choice(self._by_approach[approach])


def targets(queries: Sequence[Query], answers: Sequence[Answer]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Gains float32[queries, answers]: 2^grade - 1 for grades 2 and 3, 0 for none, -1 (mask) for grade 1.

    The drawn pair itself counts as at least grade 2, so that every row has a positive.
    """
    gains = np.zeros((len(queries), len(answers)), np.float32)
    for i, query in enumerate(queries):
        for j, answer in enumerate(answers):
            grade = relevance(query, answer)
            grade = max(grade, 2) if i == j else grade
            gains[i, j] = -1 if grade == 1 else 2**grade - 1
    return gains


def _loss(similarity: "torch.Tensor", gains: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """Cross entropy between the softmax of the similarities and the gains, row by row; masked cells left out."""
    import torch

    logits = (similarity / temperature).masked_fill(gains < 0, -1e9)
    positive = gains.clamp(min=0)
    wanted = positive / positive.sum(1, keepdim=True).clamp(min=1e-9)
    return -(wanted * torch.log_softmax(logits, 1)).sum(1).mean()


def _embed(model: "SentenceTransformer", texts: list[str], prompt: str, max_tokens: int) -> "torch.Tensor":
    """Vectors of the texts, in their order; run in groups of like length, so that little is spent on padding."""
    import torch

    transformer: Any = model[0]
    ids = transformer.tokenizer([prompt + text for text in texts], truncation=True, max_length=max_tokens)["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    found = []
    for start in range(0, len(order), GROUP):
        group = [ids[i] for i in order[start : start + GROUP]]
        padded = transformer.tokenizer.pad({"input_ids": group}, return_tensors="pt")
        found.append(model(dict(padded))["sentence_embedding"])
    places = torch.tensor(order).argsort()
    return torch.nn.functional.normalize(torch.cat(found)[places], dim=1)


def _with_adapter(base: str, settings: Settings) -> "SentenceTransformer":
    from peft import LoraConfig, inject_adapter_in_model
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(base, device="cpu", local_files_only=Path(base).exists())
    transformer: Any = model[0]
    layers = range(settings.first_layer, transformer.auto_model.config.num_hidden_layers)
    names = [
        name
        for name, module in transformer.auto_model.named_modules()
        if any(f"layer.{n}." in name for n in layers) and name.endswith(TARGETS) and hasattr(module, "weight")
        and getattr(module.weight, "ndim", 0) == 2
    ]  # fmt: skip
    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, lora_dropout=0.0, target_modules=names)
    # PEFT directly: `model.add_adapter` of transformers 5.24 asks for a PEFT that is not published yet.
    inject_adapter_in_model(lora, transformer.auto_model)
    for name, weight in transformer.auto_model.named_parameters():
        weight.requires_grad_(".lora_" in name)
    return model


def _load_adapter(model: "SentenceTransformer", path: Path) -> None:
    """Put a saved adapter's matrices into the model; all of them must find their place."""
    from safetensors.torch import load_file

    transformer: Any = model[0]
    own = dict(transformer.auto_model.named_parameters())
    saved = {name.replace(".weight", ".default.weight"): value for name, value in load_file(str(path)).items()}
    if {name: value.shape for name, value in saved.items()} != {n: w.shape for n, w in own.items() if ".lora_" in n}:
        raise CheckupError(f"Der Adapter {path} hat eine andere Form als die Einstellungen (Rang, Schichten).")
    for name, value in saved.items():
        own[name].data.copy_(value)


def _schedule(step: int, settings: Settings) -> float:
    """Linear warm-up, then linear decay to a twentieth."""
    warm = settings.warmup * settings.steps
    if step < warm:
        return (step + 1) / max(warm, 1)
    return max(0.05, (settings.steps - step) / max(settings.steps - warm, 1))


def train(
    base: str,
    queries: Sequence[Query],
    answers: Sequence[Answer],
    settings: Settings,
    *,
    start: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> "SentenceTransformer":
    """The base model with a trained adapter.

    Args:
        base: a Sentence Transformers model's name or folder.
        queries: texts that state needs.
        answers: texts that describe what answers them.
        settings: all of them are kept in the adapter's card.
        start: an adapter of the same shape to go on from; None: a fresh one.
        progress: called with (step, loss) after each step.
    """
    import torch

    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    model = _with_adapter(base, settings)
    if start is not None:
        _load_adapter(model, start)
    model.train()
    prompts = {name: model.prompts.get(name) or "" for name in ("query", "passage")}
    weights = [p for p in model.parameters() if p.requires_grad]
    sampler, pieces = Sampler(queries, answers, settings), random.Random(settings.seed)
    proxies = _proxies(model, queries, answers, prompts) if settings.proxy_weight else None
    groups: list[dict[str, Any]] = [{"params": weights, "lr": settings.learning_rate}]
    if proxies:
        groups.append({"params": proxies.parameters(), "lr": settings.proxy_learning_rate, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _schedule(step, settings))
    for step in range(settings.steps):
        chosen, answered, tokens = sampler.batch()
        left = _embed(model, [q.text for q in chosen], prompts["query"], tokens)
        right = _embed(model, [piece(a.text, pieces) for a in answered], prompts["passage"], settings.answer_tokens)
        similarity = left @ right.T
        gains = torch.from_numpy(targets(chosen, answered))
        loss = _loss(similarity, gains, settings.temperature) + 0.5 * _loss(similarity.T, gains.T, settings.temperature)
        if proxies:
            loss = loss + settings.proxy_weight * proxies.loss(left, right, chosen, answered)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        if progress:
            progress(step + 1, float(loss.detach()))
    return model.eval()


def _proxies(
    model: "SentenceTransformer", queries: Sequence[Query], answers: Sequence[Answer], prompts: Mapping[str, str]
) -> Proxies:
    import torch

    def embed(texts: list[str], prompt: str) -> "torch.Tensor":
        with torch.no_grad():
            return _embed(model, texts, prompts[prompt], 48)

    return Proxies(queries, answers, embed)


def adapter_tensors(model: "SentenceTransformer") -> Iterator[tuple[str, "torch.Tensor"]]:
    """The adapter's matrices under the names that `embeddings.adapter` reads, in float16."""
    import torch

    transformer: Any = model[0]
    for name, value in transformer.auto_model.state_dict().items():
        if ".lora_" in name:
            clean = name.replace(".default", "").removeprefix("base_model.model.")
            yield clean, value.detach().to(torch.float16).contiguous()


def save_adapter(model: "SentenceTransformer", path: Path, settings: Settings, *, card: Mapping[str, object]) -> None:
    """Write the adapter as safetensors and its card as JSON beside it.

    Args:
        model: as `train` returned it.
        path: `….safetensors`; the card gets the suffix `.json`.
        settings: kept in the card.
        card: what else a reader must know: data hash, base, figures, command.
    """
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"alpha": str(settings.alpha), "r": str(settings.rank), "format": "pt"}
    save_file(dict(adapter_tensors(model)), str(path), metadata)
    content = {**card, "settings": asdict(settings), "written": time.strftime("%Y-%m-%d")}
    path.with_suffix(".json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")


def save_merged(model: "SentenceTransformer", folder: Path) -> None:
    """Write base and adapter, merged, as a Sentence Transformers folder (for a base other than the default)."""
    transformer: Any = model[0]
    adapted = [(name, module) for name, module in transformer.auto_model.named_modules() if hasattr(module, "lora_A")]
    for name, module in adapted:
        module.merge()
        parent, _, child = name.rpartition(".")
        setattr(transformer.auto_model.get_submodule(parent), child, module.get_base_layer())
    model.save(str(folder))
