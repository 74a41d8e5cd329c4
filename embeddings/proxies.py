"""Learned stand-ins for needs and approaches: every text of a batch is compared with all classes, not only its batch.

Below: torch (extra `transformers`), imported inside functions. Above: `embeddings.training`.
Method: classes as normalised vectors beside the encoder (Movshovitz-Attias et al. 2017, "proxy NCA"; cosine softmax).
The approaches' proxies are shared by both sides: situations are drawn towards the approaches that answer them, project
texts towards those they carry out. They are thrown away after the training.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from embeddings.training import Answer, Query

TEMPERATURE = 0.05


class Proxies:
    """One vector per need (a query's group) and per approach, started from what the encoder says of their texts.

    Args:
        queries: every query; groups with fewer than two texts are no class.
        answers: every answer.
        embed: the untrained encoder: texts and prompt name to float32[n, d], normalised.
    """

    def __init__(
        self,
        queries: Sequence["Query"],
        answers: Sequence["Answer"],
        embed: Callable[[list[str], str], "torch.Tensor"],
    ) -> None:
        import torch

        of_need: dict[str, list[str]] = {}
        for query in queries:
            of_need.setdefault(query.group, []).append(query.text)
        of_approach: dict[str, list[str]] = {}
        for answer in answers:
            for approach, grade in answer.approaches.items():
                if grade >= 3:
                    of_approach.setdefault(approach, []).append(answer.text)
        needs = {name: texts[-1] for name, texts in of_need.items() if len(texts) > 1}
        approaches = {name: texts[0] for name, texts in of_approach.items()}
        self._needs = {name: place for place, name in enumerate(needs)}
        self._approaches = {name: place for place, name in enumerate(approaches)}
        self.approaches = torch.nn.Parameter(embed(list(approaches.values()), "passage"))
        none = self.approaches.new_zeros((0, self.approaches.shape[1]))
        self.needs = torch.nn.Parameter(embed(list(needs.values()), "query") if needs else none)

    def parameters(self) -> list["torch.nn.Parameter"]:
        """What the optimiser moves beside the adapter."""
        return [self.needs, self.approaches]

    def loss(
        self, left: "torch.Tensor", right: "torch.Tensor", queries: Sequence["Query"], answers: Sequence["Answer"]
    ) -> "torch.Tensor":
        """Cross entropy of queries and of answers over needs and over approaches, summed.

        Args:
            left: float32[n, d], normalised vectors of the queries.
            right: float32[m, d], normalised vectors of the answers.
            queries: those of `left`.
            answers: those of `right`.
        """
        own = [{query.group: 3} if query.group in self._needs else {} for query in queries]
        graded = [answer.needs or {} for answer in answers]
        return (
            _listwise(left, self.needs, [_gains(grades, self._needs) for grades in own])
            + _listwise(left, self.approaches, [_gains(query.answers, self._approaches) for query in queries])
            + _listwise(right, self.needs, [_gains(grades, self._needs) for grades in graded])
            + _listwise(right, self.approaches, [_gains(answer.approaches, self._approaches) for answer in answers])
        )


def _gains(grades: Mapping[str, int], places: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """float32[classes]: 2^grade - 1 for grades 2 and 3, -1 (mask) for grade 1, 0 for the others."""
    gains = np.zeros(len(places), np.float32)
    for name, grade in grades.items():
        if name in places:
            gains[places[name]] = -1.0 if grade == 1 else 2.0**grade - 1.0
    return gains


def _listwise(
    vectors: "torch.Tensor", proxies: "torch.Tensor", gains: Sequence[np.ndarray[tuple[int], np.dtype[np.float32]]]
) -> "torch.Tensor":
    """Mean cross entropy of the rows that have a class at all."""
    import torch

    if not len(proxies):
        return vectors.new_zeros(())
    wanted = torch.from_numpy(np.stack(gains))
    logits = (vectors @ torch.nn.functional.normalize(proxies, dim=1).T) / TEMPERATURE
    logits = logits.masked_fill(wanted < 0, -1e9)
    positive = wanted.clamp(min=0)
    mass = positive.sum(1)
    losses = -(positive / mass.clamp(min=1e-9)[:, None] * torch.log_softmax(logits, 1)).sum(1)
    return losses.sum() / (mass > 0).sum().clamp(min=1)
