"""Reading a situation: sentences → roles → needs with confidence and weight, groups, place, limits, abstention.

Below: `embeddings` (encoder, linear readers), `pipeline.nlp` (sentences, labels), `matching.context_facts`,
`matching.place_lookup`, `matching.own_reader`, `matching.reading`.
Above: `matching.retrieve` ranks by the needs, `checkup analyse` shows them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import CheckupError
from data.normalise import normalise, sanitise
from data.settings import Settings
from data.vocabulary import Vocabulary, load_vocabulary
from embeddings.e5_file import Floats
from embeddings.encoders import Encoder, load_encoder, pooled
from embeddings.linear import Context, LinearReader
from matching.context_facts import read_context
from matching.own_reader import NOT_ASKED, Own, OwnReader
from matching.reading import SHORT_WORDS, Reading, Sentence, questions, verdict
from pipeline.nlp.readable import unreadable, without_pictures

SCHEMA_VERSION = 1
MAX_CHARACTERS = 200_000
"""A longer situation is refused: it is a report, not a situation, and would take minutes."""
WEIGHTS = Path(__file__).parent / "weights"
ALTERNATIVES = 10
NEED = 0.4
"""From this chance a sentence is told as leaving a need open."""
EXISTING = 0.5
"""From this chance a sentence is told as describing what works."""
CONTEXT = Context(neighbours=0.35, words=0.2)
"""What surrounds a sentence helps to tell the need that it states (judged set, dev: between .2 and .4 all alike)."""
Flags = npt.NDArray[np.bool_]
WOMEN = frozenset({"frau", "mutter", "mädchen", "tochter", "schwangere", "women", "woman", "mother", "mothers"})
MEN = frozenset({"mann", "vater", "sohn", "men", "father", "fathers", "boys"})
"""Search tokens that tell of whom a sentence or the title of a need speaks."""
_MAY_NAME = re.compile(
    r"frau|m[uü]tter|mädchen|t[oö]chter|schwanger|wom[ae]n|mother|m[aä]nn|v[aä]ter|s[oö]hn|\bmen\b|father|boys",
    re.IGNORECASE,
)
"""Titles without any of it are not cut into words, which takes time."""
OF_THE_OTHERS = 0.1
"""So much is left of the chance of a need of women in a sentence that speaks of men only, and the other way round."""
REFUGEES = frozenset({"gefluechtete", "umf"})
SHOUTED = 0.8
"""A text with this share of capitals among its letters is read as if it had none."""
FIELD_SHARE = 0.3
"""A sentence belongs to a field if the needs of that field have at least this share of its probability."""
FIELD_NEEDED = 0.5
"""A field is needed if a sentence leaves a need of it open with at least this chance (judged set, dev)."""
FIELD_COVERED = 0.1
"""A field is covered if a sentence tells with at least this chance what works in it, and it is not needed (same)."""


def checked_text(text: str) -> str:
    """The text as it is worked on: as many code points as given, unreadable ones replaced.

    Raises:
        CheckupError: if nothing is left to read, or far too much.
    """
    clean = sanitise(text)
    if not any(character.isalpha() for character in clean):
        raise CheckupError(
            "Der Text ist leer oder enthält keine Wörter. Bitte die Situation in ein paar Sätzen beschreiben."
        )
    if len(clean) > MAX_CHARACTERS:
        given, most = (f"{number:,}".replace(",", ".") for number in (len(clean), MAX_CHARACTERS))
        raise CheckupError(
            f"Der Text hat {given} Zeichen, höchstens {most} sind möglich. "
            "Bitte den Abschnitt mit der Lagebeschreibung wählen."
        )
    return clean


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The sentences that hold a letter, in text order; the whole text where there is none."""
    from pipeline.nlp.passages import sentences

    spans = [(start, end) for start, end in sentences(text) if any(c.isalpha() for c in text[start:end])]
    return spans or [(0, len(text))]


class SituationReader:
    """The trained readers of roles, needs and topic for one encoder.

    Args:
        encoder: whose vectors they read.
        vocabulary: the titles of its needs tell which are those of women or of men; None: nobody asks.
        folder: of the weights.
    """

    def __init__(self, encoder: Encoder, vocabulary: Vocabulary | None = None, folder: Path = WEIGHTS) -> None:
        self.encoder = encoder
        self.roles = _optional(folder / "roles.npz", encoder.fingerprint)
        self.needs = _optional(folder / "needs.npz", encoder.fingerprint)
        self.topic = _optional(folder / "topic.npz", encoder.fingerprint)
        self._of_women, self._of_men = _by_sex(self.needs.classes if self.needs else (), vocabulary)

    @property
    def ready(self) -> bool:
        """Whether readers for this encoder exist."""
        return self.roles is not None and self.needs is not None

    def read(self, text: str) -> Reading:
        """Read a text as `checked_text` returned it; what is told of it has its offsets."""
        from pipeline.nlp.search_tokens import search_tokens

        plain = normalise(text)
        read = _unshouted(without_pictures(plain.text))
        why = unreadable(plain.text)
        spans = sentence_spans(read)
        pieces = [read[start:end] for start, end in spans]
        vectors = self.encoder.encode(pieces, prompt_name="query")
        whole = pooled(vectors, [len(piece) for piece in pieces])
        if self.roles is None or self.needs is None:
            return Reading(text, (), 0.0, 0.0, whole, why)
        tokens = [search_tokens(piece) for piece in pieces]
        roles = self.roles.probabilities(vectors, pieces, tokens)
        needs = self.needs.probabilities(vectors, pieces, tokens, context=CONTEXT)
        needs = np.stack([self._for_its_people(row, words) for row, words in zip(needs, tokens, strict=True)])
        found = tuple(
            Sentence(*plain.span(*span), dict(zip(self.roles.classes, map(float, role), strict=True)), need, vector)
            for span, role, need, vector in zip(spans, roles, needs, vectors, strict=True)
        )
        off_topic, vague = self._topic(read, whole, [word for words in tokens for word in words])
        off_topic = 0.0 if off_topic >= 0.5 and _names_refugees(read) else off_topic
        return Reading(text, found, off_topic, vague, whole, why)

    def _for_its_people(self, needs: Floats, tokens: Iterable[str]) -> Floats:
        """The needs of a sentence, those of the other sex taken back where it names one only."""
        of_women, of_men = sexes(tokens)
        if of_women == of_men:
            return needs
        kept = np.where(self._of_men if of_women else self._of_women, np.float32(OF_THE_OTHERS), np.float32(1))
        changed = needs * kept
        return np.asarray(changed / changed.sum(), np.float32)

    def _topic(self, text: str, whole: Floats, tokens: Sequence[str]) -> tuple[float, float]:
        if self.topic is None:
            return 0.0, 0.0
        found = self.topic.probabilities(whole[None], [text], [tokens])[0]
        by_name = dict(zip(self.topic.classes, map(float, found), strict=True))
        return by_name.get("off_topic", 0.0), by_name.get("vague", 0.0)


def _names_refugees(text: str) -> bool:
    """Whether a text of a few words names refugees: its topic then; what is longer may name them in passing."""
    from pipeline.nlp.extract import groups_of_situation

    if len(text.split()) > SHORT_WORDS:
        return False
    return any(group["id"] in REFUGEES for group in groups_of_situation(text))


def _unshouted(text: str) -> str:
    """The text, in small letters where it is all in capitals (as long as before)."""
    letters = [character for character in text if character.isalpha()]
    if sum(character.isupper() for character in letters) < SHOUTED * len(letters):
        return text
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def sexes(tokens: Iterable[str]) -> tuple[bool, bool]:
    """Whether women are named, and whether men are; `Landsleute` and `Fachleute` hold a man that is none."""
    named = set(tokens)
    if any(word.endswith("mann") and word != "mann" for word in named):
        named.discard("mann")
    return bool(named & WOMEN), bool(named & MEN)


def _by_sex(needs: Sequence[str], vocabulary: Vocabulary | None) -> tuple[Flags, Flags]:
    """bool[needs] twice: whose title names women and no men, and the other way round."""
    return titles_by_sex(
        [vocabulary.needs[name].title if vocabulary and name in vocabulary.needs else "" for name in needs]
    )


def titles_by_sex(titles: Sequence[str]) -> tuple[Flags, Flags]:
    """bool[titles] twice: which name women and no men, and the other way round."""
    from pipeline.nlp.search_tokens import search_tokens

    nobody = (False, False)
    named = np.array([sexes(search_tokens(title)) if _MAY_NAME.search(title) else nobody for title in titles], np.bool_)
    named = named.reshape(-1, 2)
    return named[:, 0] & ~named[:, 1], named[:, 1] & ~named[:, 0]


def _optional(path: Path, fingerprint: str) -> LinearReader | None:
    """A reader, or None where none was trained for this encoder."""
    try:
        return LinearReader.read(path, fingerprint)
    except CheckupError:
        return None


def needs_of(reading: Reading, reader: SituationReader, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """The needs of a reading in the shape of CONTRACT (`analyse`), in text order.

    Neighbouring sentences that state the same need are one need.
    """
    if reader.needs is None:
        return []
    found: list[dict[str, Any]] = []
    for sentence in reading.sentences:
        if sentence.need < NEED:
            continue
        order = np.argsort(-sentence.needs, kind="stable")
        ids = [reader.needs.classes[i] for i in order if reader.needs.classes[i] in vocabulary.needs]
        chances = {reader.needs.classes[i]: float(sentence.needs[i]) for i in order[: ALTERNATIVES + 1]}
        if not ids:
            continue
        if found and found[-1]["need_id"] == ids[0]:
            found[-1].update(end=sentence.end, statement=reading.text[found[-1]["start"] : sentence.end])
            found[-1]["weight"] = round(min(1.0, max(found[-1]["weight"], sentence.need)), 3)
            continue
        need = vocabulary.needs[ids[0]]
        found.append(
            {
                "field": need.field, "module": vocabulary.module_of_need(need.id),
                "statement": reading.text[sentence.start : sentence.end], "start": sentence.start,
                "end": sentence.end, "need_id": need.id, "confidence": round(chances[need.id], 3),
                "weight": round(min(1.0, sentence.need), 3),
                "alternatives": [
                    {"need_id": i, "title": vocabulary.needs[i].title, "confidence": round(chances[i], 3)}
                    for i in ids[1 : ALTERNATIVES + 1] if i in chances
                ],
            }
        )  # fmt: skip
    return found


class Analyser:
    """`analyse`: everything that is read in a situation, without a database."""

    def __init__(self, settings: Settings, encoder: Encoder | None = None) -> None:
        self.encoder = encoder or load_encoder(settings.encoder, threads=settings.threads)
        self.vocabulary = load_vocabulary(settings.workspace, module_set=settings.module_set)
        self.reader = SituationReader(self.encoder, self.vocabulary)
        self.own = OwnReader(settings, self.vocabulary)

    def analyse(self, text: str) -> dict[str, Any]:
        """The answer in the shape of CONTRACT (`analyse`), with `id` null.

        Raises:
            CheckupError: if the text is empty or too long.
        """
        clean = checked_text(text)
        return describe(self.reader.read(clean), self.reader, self.vocabulary, self.own.read(clean))


def describe(reading: Reading, reader: SituationReader, vocabulary: Vocabulary, own: Own = NOT_ASKED) -> dict[str, Any]:
    """A reading as `analyse` answers it, with what the user's own reader says in its place."""
    from matching.place_lookup import looked_up
    from pipeline.nlp.extract import groups_of_situation
    from pipeline.nlp.passages import sentences

    facts = read_context(reading.text, sentences(reading.text))
    needs = needs_of(reading, reader, vocabulary)
    why = own.verdict(verdict(reading))
    needs = [] if why else needs
    existing = _existing(reading, reader, vocabulary)
    needed = [] if why else _fields_needed(reading, reader, vocabulary)
    covered = _fields_covered(reading, reader, vocabulary)
    answer = {
        "schema_version": SCHEMA_VERSION,
        "id": None,
        "answerable": why is None,
        "unanswerable_because": why,
        "ask": own.ask(why, questions(reading)),
        "action_fields": {
            "needed": needed,
            "covered": sorted(covered - set(needed)),
        },
        "target_groups": []
        if why
        else [{"id": group["id"], "quotes": group["quotes"]} for group in groups_of_situation(reading.text)],
        "population": facts.population,
        "state": facts.state,
        "municipality": facts.municipality,
        "place": looked_up(reading.text, facts),
        "budget_limit": facts.budget_limit,
        "budget_limit_eur": facts.budget_limit_eur,
        "needs": needs,
        "existing": existing,
        "limits": [
            {"kind": kind, "statement": reading.text[start:end], "start": start, "end": end}
            for kind, start, end in facts.limits
        ],
    }
    return own.complete(answer)


def _existing(reading: Reading, reader: SituationReader, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Sentences that describe what works, with the field in which a need in these words would lie."""
    return [
        {
            "field": _field_of(sentence, reader, vocabulary),
            "statement": reading.text[sentence.start : sentence.end],
            "start": sentence.start,
            "end": sentence.end,
        }
        for sentence in reading.sentences
        if sentence.roles.get("existing", 0.0) >= EXISTING
    ]


def _field_chances(sentence: Sentence, reader: SituationReader, vocabulary: Vocabulary) -> dict[str, float]:
    """How likely a need in the sentence's words lies in each action field."""
    chances: dict[str, float] = {}
    for name, chance in zip(reader.needs.classes if reader.needs else (), sentence.needs, strict=True):
        if name in vocabulary.needs:
            field = vocabulary.needs[name].field
            chances[field] = chances.get(field, 0.0) + float(chance)
    return chances


def _field_of(sentence: Sentence, reader: SituationReader, vocabulary: Vocabulary) -> str | None:
    """The action field that the sentence's needs lie in, where one of them has enough of the probability."""
    chances = _field_chances(sentence, reader, vocabulary)
    best = max(chances, key=lambda field: chances[field], default=None)
    return best if best is not None and chances[best] >= FIELD_SHARE else None


def _fields_needed(reading: Reading, reader: SituationReader, vocabulary: Vocabulary) -> list[str]:
    """The fields in which a sentence leaves a need open, the clearest first."""
    found: dict[str, float] = {}
    for sentence in reading.sentences:
        for field, chance in _field_chances(sentence, reader, vocabulary).items():
            found[field] = max(found.get(field, 0.0), sentence.need * chance)
    return sorted((field for field, chance in found.items() if chance >= FIELD_NEEDED), key=lambda f: (-found[f], f))


def _fields_covered(reading: Reading, reader: SituationReader, vocabulary: Vocabulary) -> set[str]:
    """The fields of sentences that may describe what works."""
    return {
        field
        for sentence in reading.sentences
        for field, chance in _field_chances(sentence, reader, vocabulary).items()
        if sentence.roles.get("existing", 0.0) * chance >= FIELD_COVERED
    }


def need_weights(needs: Sequence[Mapping[str, Any]], vocabulary: Vocabulary, columns: Mapping[str, int]) -> Floats:
    """Corrected needs as float32[needs given, needs]: their own id 1, their alternatives by confidence."""
    weights: npt.NDArray[np.float32] = np.zeros((len(needs), len(columns)), np.float32)
    for row, need in zip(weights, needs, strict=True):
        for alternative in need.get("alternatives", []):
            given = str(alternative.get("need_id"))
            for name in (given,) if given in columns else vocabulary.resolve_need(given):
                if name in columns:
                    row[columns[name]] = float(alternative.get("confidence", 0.0))
        if need.get("need_id") in columns:
            row[columns[str(need["need_id"])]] = 1.0
    return weights
