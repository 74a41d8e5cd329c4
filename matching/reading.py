"""What was read in a situation, and whether that can be answered.

Below: `pipeline.nlp.readable`. Above: `matching.situation` reads, `matching.retrieve` asks whether to answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from embeddings.e5_file import Floats
from pipeline.nlp.readable import Unreadable

NEED_ROLES = ("need", "unfit")
ANSWERABLE = 0.25
"""A text that looks off topic or vague is refused unless a sentence leaves a need open with more than this chance."""
SHORT_WORDS = 12
"""The reader of topics has learned from texts of 16 words and more: of shorter ones it is less sure than it says."""
ASK = (
    "Welche Gruppe ist betroffen (Alter, Familie, Status, Herkunft)?",
    "Was genau gelingt nicht, und woran merken Sie es?",
    "Was gibt es schon vor Ort, und was daran reicht nicht?",
)


ASK_UNREADABLE = {
    "unknown_words": "Können Sie die Lage in ganzen Sätzen beschreiben? Die meisten Wörter sind nicht zu erkennen.",
    "other_language": "Können Sie die Lage deutsch oder englisch beschreiben? Andere Sprachen werden nicht gelesen.",
    "repeated": "Können Sie die Lage in ganzen Sätzen beschreiben? Der Text wiederholt nur ein oder zwei Wörter.",
    "fragments": "Können Sie in Sätzen sagen, worum es geht? Der Text besteht fast nur aus Zahlen und Zeichen.",
}
"""What is asked first where a text cannot be read (`pipeline.nlp.readable`)."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it was read."""

    start: int
    end: int
    roles: Mapping[str, float]
    needs: Floats
    """float32[needs]: how likely each need is, given that the sentence states one."""
    vector: Floats

    @property
    def need(self) -> float:
        """How likely the sentence leaves a need open."""
        return sum(self.roles.get(role, 0.0) for role in NEED_ROLES)


@dataclass(frozen=True, slots=True)
class Reading:
    """A situation as it was read; without readers for this encoder there are no sentences."""

    text: str
    sentences: tuple[Sentence, ...]
    off_topic: float
    vague: float
    vector: Floats
    """float32[d] of the whole text: the mean of its sentences' vectors, weighted by their lengths."""
    unreadable: Unreadable | None = None


def verdict(reading: Reading) -> str | None:
    """Why a situation cannot be answered: `off_topic`, `vague` (also where it cannot be read), or None where it can."""
    if reading.unreadable:
        return "vague"
    if not reading.sentences:
        return None
    strongest = max(sentence.need for sentence in reading.sentences)
    refusing = max(reading.off_topic, reading.vague)
    if refusing < 0.5 or strongest * (1 - refusing) > ANSWERABLE:
        return None
    return "off_topic" if reading.off_topic >= reading.vague else "vague"


def questions(reading: Reading) -> tuple[str, ...]:
    """What to ask back where a situation is vague: first how to make it readable, where it is not."""
    return (ASK_UNREADABLE[reading.unreadable], *ASK) if reading.unreadable else ASK
