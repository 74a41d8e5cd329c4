"""The main road of an answer: a situation in, ranked projects with reasons out. Read it from top to bottom.

Below: `matching.reading`, `matching.situation`, `matching.rank`, `matching.filters`, `matching.explain`; `embeddings`
(encoder, published index); `pipeline.nlp` (cutting and lemmas). Above: `checkup`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.clock import utc_now
from data.errors import CheckupError
from data.impact import HIGH
from data.normalise import normalise
from data.settings import Settings
from data.vocabulary import Vocabulary, load_vocabulary
from embeddings.encoders import Encoder, load_encoder
from embeddings.published import WHOLE, IndexUnusableError, Published, index_folder, open_published
from matching import rank
from matching.context_facts import ContextFacts, read_context
from matching.explain import Evidence, misfits, reasons
from matching.filters import allowed
from matching.own_reader import NOT_ASKED, Own, OwnReader
from matching.query import TIERS, Query
from matching.reading import Reading, questions, verdict
from matching.situation import SituationReader, checked_text, need_weights, needs_of, sexes, titles_by_sex
from pipeline.answers import arrow_values

SCHEMA_VERSION = 1
MOST_HIGHLIGHTS = 3
_OF_THE_OTHERS = np.float32(0.5)
"""What is left of the worth of a project for women where a situation speaks of men only, and the other way round."""
_COVERED = ((10, 0.65, 0.6), (5, 0.85, 0.9))
"""Among so many projects each need that is open so likely has one that answers it so far (0-1), where one of the best
`_TO_COVER_FROM` does; the narrower rule comes last (found on the judged set's development part and 56 other texts)."""
_TO_COVER_FROM = 100
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scored:
    """What was computed about a situation: parts per project and the evidence for the reasons."""

    parts: dict[str, Floats]
    evidence: Evidence
    needs: list[dict[str, Any]]
    refused: str | None
    ask: tuple[str, ...]
    """What to ask back where the text is vague."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a situation asks for, sentence by sentence."""

    spans: list[tuple[int, int]]
    vectors: Floats
    needs: Floats
    """float32[sentences, needs]."""
    urgency: Floats
    """float32[sentences], how likely each leaves a need open."""


@dataclass(frozen=True, slots=True)
class Features:
    """A situation against every project, before any weight: see `matching.rank` for shapes."""

    whole: Floats
    lexical: Floats
    similar: Floats
    asked: Asked
    row_scores: Floats
    reading: Reading
    others: npt.NDArray[np.bool_]
    """bool[projects]: whose title names the other sex."""


class Matcher:
    """An opened index with its encoder, ready to answer any number of situations.

    Args:
        settings: of the workspace.
        rebuild: build a missing, damaged or foreign index again from the database instead of giving up.

    Raises:
        CheckupError: if the workspace is missing or empty.
    """

    def __init__(self, settings: Settings, *, rebuild: bool = True) -> None:
        self.settings = settings
        self.encoder: Encoder = load_encoder(settings.encoder, threads=settings.threads)
        self.vocabulary: Vocabulary = load_vocabulary(settings.workspace, module_set=settings.module_set)
        self.weights = rank.load_weights()
        self.reader = SituationReader(self.encoder, self.vocabulary)
        self.own = OwnReader(settings, self.vocabulary)
        self.index: Published = self._open(rebuild)
        self._ids = [card["project_id"] for card in self.index.cards]
        self._tiers = [TIERS.index(card["values"].get("tier", "open")) for card in self.index.cards]
        self._of_women, self._of_men = titles_by_sex([str(card["title"] or "") for card in self.index.cards])
        self._rows_of = _rows_by_card(self.index.rows, len(self._ids))
        self._need_ids = self.reader.needs.classes if self.reader.needs else tuple(self.vocabulary.needs)
        self._arrows = arrow_values(self.vocabulary, self._need_ids, self.index.manifest["approaches"], rank.GAINS)
        self._answers = _columns(self.index.answers, self.index.manifest["needs"], self._need_ids)

    def _open(self, rebuild: bool) -> Published:
        folder = index_folder(self.settings.workspace)
        try:
            return open_published(folder, fingerprint=self.encoder.fingerprint)
        except IndexUnusableError:
            from data.store import Store  # a good index is read without the database

            with Store.open(self.settings) as store:  # names `checkup seed` where there is nothing to build from
                if not rebuild:
                    raise CheckupError(
                        "Der Index fehlt oder ist beschädigt. Bitte `checkup reindex` aufrufen."
                    ) from None
                from pipeline.nlp.extract import version_of
                from pipeline.publish import publish_index

                with store.writing("reindex"):
                    publish_index(
                        store,
                        self.encoder,
                        encoder_name=self.settings.encoder,
                        extractor_version=version_of(self.settings.reading),
                    )
            return open_published(folder, fingerprint=self.encoder.fingerprint)

    def match(self, query: Query, *, top: int = 10) -> dict[str, Any]:
        """The answer in the shape of CONTRACT (`match`), without `text`.

        Args:
            query: its offsets count in the text exactly as given.
            top: how many projects at most.

        Raises:
            CheckupError: if the text is empty or too long.
        """
        from pipeline.nlp.passages import sentences

        text = checked_text(query.text)
        own = self.own.read(text) if query.needs is None else NOT_ASKED
        scored = self._score(text, own.needs if query.needs is None else query.needs, own)
        matches: list[dict[str, Any]] = []
        if scored.refused is None:
            scores = rank.mix(scored.parts, self.weights, self._tiers)
            kept = allowed(self.index.cards, query.filters)
            ranked = rank.order(scores, self._ids, kept, max(top, _TO_COVER_FROM))
            for within, sure, answers in _COVERED:
                ranked = rank.covering(ranked, self._serves(scored.needs, sure, answers)[:within], within)
            shown = rank.falling([round(float(scores[number]), 5) for number in ranked])
            facts = read_context(text, sentences(text))
            matches = [
                self._match(number, query, scored, score, facts)
                for number, score in zip(ranked[:top], shown, strict=False)
            ]
        highlights = highlights_of(matches, self.weights.relevant)
        return {
            "schema_version": SCHEMA_VERSION,
            "id": query.id,
            "abstained": not matches,
            "abstained_because": None if matches else scored.refused or "nothing_fits",
            "ask": own.ask(scored.refused, scored.ask),
            "needs": scored.needs,
            "matches": matches,
            "highlights": highlights,
            "high_impact_missing": not highlights,
            "index": {
                "fingerprint": self.index.manifest["fingerprint"],
                "encoder": self.index.manifest["encoder"],
                "projects": len(self._ids),
            },
            "reader": own.reader,
        }

    def features(self, text: str, corrected: Sequence[Mapping[str, Any]] | None = None) -> Features:
        """Everything about a checked text that the weights then mix: similarities, lexical scores, needs asked for.

        Args:
            text: as `checked_text` returned it.
            corrected: needs to follow instead of reading them.
        """
        from pipeline.nlp.search_tokens import search_tokens

        reading = self.reader.read(text)
        scale, rows = self.index.manifest["scale"], self.index.rows
        z = rank.standardised(self.index.dense.scores(reading.vector[None]), scale)
        projects = len(self._ids)
        asked = self._asked(text, corrected, reading)
        tokens = search_tokens(text)
        sentence_z = rank.standardised(self.index.dense.scores(asked.vectors), scale)
        return Features(
            whole=rank.whole_of_project(z, rows, projects),
            lexical=self.index.lexical.scores(tokens),
            similar=rank.best_of_project(sentence_z, rows[:, 0], projects),
            asked=asked,
            row_scores=np.vstack([z, sentence_z]),
            reading=reading,
            others=self._others(tokens),
        )

    def _others(self, tokens: Sequence[str]) -> npt.NDArray[np.bool_]:
        """bool[projects]: whose title names women where a text names men only, and the other way round."""
        women, men = sexes(tokens)
        if women == men:
            return np.zeros(len(self._ids), np.bool_)
        return self._of_men if women else self._of_women

    def sentence_parts(self, features: Features) -> rank.SentenceParts:
        """What speaks for each project as an answer to each sentence."""
        asked = features.asked.needs
        return rank.SentenceParts(
            similarity=features.similar,
            supplied=rank.supply(rank.demand(asked, self._arrows), self.index.strengths),
            answered=rank.answer(asked, self._answers),
        )

    @staticmethod
    def combine(
        features: Features, sentences: rank.SentenceParts, weights: rank.Weights
    ) -> tuple[dict[str, Floats], Floats]:
        """The parts of every project's score, and float32[sentences, projects] of chances."""
        joined, chances = rank.need_chance(sentences, features.asked.urgency, weights)
        joined = np.where(features.others, _OF_THE_OTHERS * joined, joined)
        parts = {"whole": features.whole, "lexical": features.lexical, "needs": joined}
        return parts, chances

    def _score(self, text: str, corrected: Sequence[Mapping[str, Any]] | None, own: Own) -> Scored:
        """The parts of every project's score."""
        features = self.features(text, corrected)
        sentences = self.sentence_parts(features)
        parts, chances = self.combine(features, sentences, self.weights)
        if corrected is None:
            refused = own.verdict(verdict(features.reading))
            needs = [] if refused else needs_of(features.reading, self.reader, self.vocabulary)
        else:
            refused, needs = None, [dict(need) for need in corrected]
        evidence = Evidence(
            spans=features.asked.spans,
            needs=features.asked.needs,
            chances=chances,
            row_scores=features.row_scores,
            corrected=corrected is not None,
        )
        return Scored(parts, evidence, needs, refused, questions(features.reading))

    def _asked(self, text: str, corrected: Sequence[Mapping[str, Any]] | None, reading: Reading) -> Asked:
        """The sentences that ask for something: those the reader found, or exactly the corrected needs."""
        if corrected is None:
            kept = [s for s in reading.sentences if s.need >= 0.05]
            return Asked(
                spans=[(s.start, s.end) for s in kept],
                vectors=np.array([s.vector for s in kept], np.float32).reshape(len(kept), self.encoder.dimension),
                needs=np.array([s.needs for s in kept], np.float32).reshape(len(kept), len(self._need_ids)),
                urgency=np.array([s.need for s in kept], np.float32),
            )
        columns = {name: place for place, name in enumerate(self._need_ids)}
        texts = [str(need.get("statement") or text[need.get("start", 0) : need.get("end", 0)]) for need in corrected]
        return Asked(
            spans=[(int(need.get("start", 0)), int(need.get("end", 0))) for need in corrected],
            vectors=self.encoder.encode([normalise(told).text for told in texts], prompt_name="query"),
            needs=need_weights(corrected, self.vocabulary, columns),
            urgency=np.array([float(need.get("weight", 1.0)) for need in corrected], np.float32),
        )

    def _match(self, number: int, query: Query, scored: Scored, score: float, facts: ContextFacts) -> dict[str, Any]:
        card = self.index.cards[number]
        values = card["values"]
        fields, approaches = values.get("action_fields", []), values.get("approaches", [])
        found = reasons(
            card, number, self.index.rows, self._rows_of[number], scored.evidence, scored.needs, self._bridge
        )  # fmt: skip
        return {
            "project_id": card["project_id"],
            "title": card["title"],
            "url": card["url"],
            "organisation": card["organisation"],
            "contact": values.get("contact"),
            "places": values.get("places") or _place(card),
            "start_year": card["start_year"],
            "end_year": card["end_year"],
            "action_fields": fields,
            "target_groups": values.get("target_groups", []),
            "cost_eur": values.get("cost_eur", values.get("budget_eur")),
            "score": round(score, 5),
            "parts": {name: round(float(part[number]), 4) for name, part in scored.parts.items()},
            "modules": list(self.vocabulary.modules_of_project(approaches, fields)),
            "text_kind": card["text_kind"],
            "reasons": found,
            "misfits": misfits(card, query.filters, facts, int(utc_now()[:4])),
            "feedback": values.get("feedback", {}),
            "impact": {
                "level": values.get("level", 0),
                "evidence_grade": values.get("evidence_grade", "0"),
                "tier": values.get("tier", "open"),
                "verified": bool(values.get("verified", False)),
            },
        }

    def _serves(self, needs: Sequence[Mapping[str, Any]], sure: float, least: float) -> npt.NDArray[np.bool_]:
        """bool[needs, projects]: who answers, at least so far, which of the different needs that are open so surely."""
        told = dict.fromkeys(
            str(need["need_id"])
            for need in needs
            if need.get("need_id") and need.get("confidence", 1.0) * need.get("weight", 1.0) >= sure
        )
        columns = [self._need_ids.index(name) for name in told if name in self._need_ids]
        answers = self._answers[:, columns].T
        return np.asarray(answers >= least)

    def _bridge(self, number: int, needs: Floats) -> str | None:
        """The approach that carries a project to the needs of a sentence; None where no arrow leads there."""
        wanted = rank.demand(needs[None], self._arrows)[0]
        carried = wanted * self.index.strengths[number]
        best = int(carried.argmax()) if len(carried) else -1
        return str(self.index.manifest["approaches"][best]) if best >= 0 and carried[best] > 0.1 else None


def highlights_of(matches: Sequence[Mapping[str, Any]], relevant: float) -> list[str]:
    """At most three matches that are relevant and of tier high or proven, best first (shown as "Besonders wirksam").

    Args:
        matches: as the answer holds them.
        relevant: the least chance of answering a need (`Weights.relevant`).
    """
    strong = [
        match["project_id"]
        for match in matches
        if match["impact"]["tier"] in HIGH
        and match["impact"]["evidence_grade"] != "X"
        and match["parts"]["needs"] >= relevant
    ]
    return strong[:MOST_HIGHLIGHTS]


def _columns(values: Floats, names: Sequence[str], wanted: Sequence[str]) -> Floats:
    """The columns of `values` (called `names`) in the order of `wanted`; 0 where there is none."""
    place = {name: column for column, name in enumerate(names)}
    result = np.zeros((len(values), len(wanted)), np.float32)
    for column, name in enumerate(wanted):
        if name in place:
            result[:, column] = values[:, place[name]]
    return result


def _rows_by_card(rows: npt.NDArray[np.int32], cards: int) -> list[list[int]]:
    by_card: list[list[int]] = [[] for _ in range(cards)]
    for number, (card, start, _) in enumerate(rows.tolist()):
        if start != WHOLE:
            by_card[card].append(number)
    return by_card


def _place(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The imported columns as a place, where the project has no places of its own."""
    if not card["municipality"] and not card["state"]:
        return []
    name = card["municipality"] or card["state"]
    kind = "land" if not card["municipality"] else "kreis" if "kreis" in name.lower() else "gemeinde"
    return [{"name": name, "state": card["state"], "kind": kind}]


def match_all(matcher: Matcher, queries: Sequence[Query], *, top: int = 10) -> list[dict[str, Any]]:
    """One answer per query in the same order; what cannot be answered becomes `{"id", "error"}`."""
    answers = []
    for query in queries:
        try:
            answers.append(matcher.match(query, top=top))
        except CheckupError as error:
            answers.append(
                {
                    "schema_version": SCHEMA_VERSION,
                    "id": query.id,
                    "error": {"code": "unusable_input", "message": error.message},
                }
            )
    return answers
