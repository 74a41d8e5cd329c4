"""What the components found in one text, in the words of the contract, with offsets into the text as it was given.

Below: the pipeline's components, `data.normalise`, `pipeline.nlp.privacy`. Above: `pipeline.nlp.extract`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from data.impact import TIERS, tier
from data.normalise import Normalised, normalise, sanitise
from pipeline.nlp.deadline import check_time
from pipeline.nlp.impact import best_claim
from pipeline.nlp.label_weights import Embedded
from pipeline.nlp.labels import groups_of_situation
from pipeline.nlp.lemmas import Words
from pipeline.nlp.places import Found
from pipeline.nlp.privacy import MASK, mask
from pipeline.nlp.quantities import Quantity
from pipeline.nlp.scalars import Fact
from pipeline.nlp.topic import is_on_topic

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_BETWEEN = "\n\n"
"""Stands between title and text where both are read as one document."""
_TOLD_OF_ANY = frozenset({"budget_eur", "budget_kind", "price_year"})
"""Facts that are told of a text off the topic too."""
_LOOSE_ENDS = frozenset(",;:–—")
_LONGEST_HEADING = 16
"""Words."""
_NO_HEADING = frozenset(".!?:;,")
_LOOSE_STARTS = _LOOSE_ENDS | frozenset("•·▪‣*-")


@dataclass(slots=True)
class Reading:
    """The values of one text; each list and dict has the shape that CONTRACT gives it."""

    labels: dict[str, list[dict[str, Any]]]
    on_topic: bool
    impact: dict[str, Any]
    scalars: dict[str, Any]
    facts: list[dict[str, Any]]
    awards: list[dict[str, Any]]
    lessons: list[dict[str, Any]]
    continuation: dict[str, Any] | None
    places: list[dict[str, Any]]
    scope: str | None


class Quoter:
    """Turns token spans of the analysed document into quotes of the given title or text."""

    def __init__(self, title: str | None, text: str) -> None:
        self._title = normalise(title) if title else Normalised("", 0)
        self._text = normalise(text)
        self._given = {"title": title or "", "text": text}
        self._masked: dict[str, str] = {}
        self.title_end = len(self._title.text)
        """End of the title in `self.analysed`."""
        self.heading_end = self.title_end or _heading_end(self._text.text)
        """End of the title, or of a heading that a text without one begins with."""
        self._text_start = self.title_end + len(_BETWEEN) if self.title_end else 0
        self.analysed = f"{self._title.text}{_BETWEEN}{self._text.text}" if self.title_end else self._text.text

    def quote(self, start: int, end: int) -> dict[str, Any]:
        """The quote of a span of `self.analysed`: start, end, quote, and `where` if it stands in the title.

        Args:
            start: First code point.
            end: One past the last; a span that begins in the title ends with it, and what stands between title and
                text is the empty span before the text.
        """
        if start < self.title_end:
            first, last = self._title.span(start, min(end, self.title_end))
            return {"start": first, "end": last, "quote": self._shown("title")[first:last], "where": "title"}
        first, last = self._text.span(max(start - self._text_start, 0), max(end - self._text_start, 0))
        return {"start": first, "end": last, "quote": self._shown("text")[first:last]}

    def _shown(self, where: str) -> str:
        """Title or text with personal data masked, which takes its time, so only what is quoted from."""
        if where not in self._masked:
            self._masked[where] = mask(sanitise(self._given[where]))
        return self._masked[where]


def _heading_end(text: str) -> int:
    """The end of a first line that is a heading: short, without a mark at its end, and a blank line after it."""
    line, blank, rest = text.partition("\n\n")
    heading = line.strip()
    short = 0 < len(heading.split()) <= _LONGEST_HEADING and "\n" not in heading
    return len(line) if blank and rest.strip() and short and heading[-1] not in _NO_HEADING else 0


def analyse(
    nlp: "Language", quoter: Quoter, *, deep: bool = False, embed: Callable[[], Embedded] | None = None
) -> "Doc":
    """Runs the pipeline over title and text as one document.

    Args:
        nlp: The pipeline, inside its zone.
        quoter: Title and text.
        deep: With the reader of spans.
        embed: Says what the encoder says of the text, where fields and groups are to be read from that too.
    """
    check_time()
    doc = nlp.make_doc(quoter.analysed)
    doc._.text, doc._.deep, doc._.embed = quoter.analysed, deep, embed
    doc._.title_tokens = sum(1 for _ in takewhile(lambda token: token.idx < quoter.heading_end, doc))
    return nlp(doc)


def read_text(
    nlp: "Language", title: str | None, text: str, *, deep: bool, embed: Callable[[], Embedded] | None = None
) -> Reading:
    """Runs the pipeline over title and text and collects what its components found.

    Args:
        nlp: The pipeline, inside its zone.
        title: The title or None.
        text: The text as given.
        deep: Whether the reader of spans is asked too, or the rules decide alone.
        embed: As in `analyse`.
    """
    quoter = Quoter(title, text)
    doc = analyse(nlp, quoter, deep=deep, embed=embed)
    labels = {name: [_label(doc, quoter, label) for label in found] for name, found in doc._.labels.items()}
    on_topic = is_on_topic(doc)
    if not on_topic:
        labels = {name: [] for name in labels}
    return Reading(
        labels=labels,
        on_topic=on_topic,
        **_impact(doc, quoter, on_topic),
        **_practice(doc, quoter, on_topic),
        places=[_place(quoter, found) for found in doc._.places],
        scope=doc._.scope,
    )


def read_groups(nlp: "Language", text: str) -> list[dict[str, Any]]:
    """The target groups of a town's situation, whatever else it is about."""
    quoter = Quoter(None, text)
    doc = analyse(nlp, quoter)
    return [_label(doc, quoter, label) for label in groups_of_situation(doc)]


def _impact(doc: "Doc", quoter: "Quoter", on_topic: bool) -> dict[str, Any]:
    """Impact, scalars and the facts that carry them.

    An off-topic text achieves something else: what it costs and how well that is shown is all that is told of it.
    """
    best, grade = best_claim(doc._.claims) if on_topic else None, doc._.grade
    level = best.level if best else 0
    told = (fact for fact in doc._.facts if on_topic or fact.property in _TOLD_OF_ANY)
    facts = [fact for fact in (_fact(doc, quoter, fact) for fact in told) if fact is not None]
    scalars = {fact["property"]: fact["value"] for fact in facts}
    if best:
        facts.append({"property": "level", "value": level, **span_quote(doc, quoter, best.start, best.end)})
    if grade.span:
        facts.append({"property": "evidence_grade", "value": grade.value, **span_quote(doc, quoter, *grade.span)})
    if doc._.transfers and on_topic:
        first = doc._.transfers[0]
        scalars["transferred"] = True
        facts.append({"property": "transferred", "value": True, **span_quote(doc, quoter, first.start, first.end)})
    claims = [
        {
            "level": claim.level,
            "status": claim.status if on_topic or claim.status != "result" else "other",
            **span_quote(doc, quoter, claim.start, claim.end),
            "quantity": _quantity(claim.quantity),
        }
        for claim in doc._.claims
    ]
    worth = tier(level, grade.value) if on_topic else TIERS[0]
    impact = {"level": level, "evidence_grade": grade.value, "tier": worth, "claims": claims}
    return {"impact": impact, "scalars": scalars, "facts": facts}


def _fact(doc: "Doc", quoter: Quoter, fact: Fact) -> dict[str, Any] | None:
    """A fact with its quote; a name is its quote on one line, and none where personal data stand in it."""
    quote = span_quote(doc, quoter, fact.start, fact.end)
    if not isinstance(fact.value, str) or fact.property == "budget_kind":
        return {"property": fact.property, "value": fact.value, **quote}
    if MASK in quote["quote"]:
        return None
    return {"property": fact.property, "value": " ".join(quote["quote"].split()), **quote}


def _practice(doc: "Doc", quoter: "Quoter", on_topic: bool) -> dict[str, Any]:
    """Awards, lessons and continuation; none of an off-topic text."""
    if not on_topic:
        return {"awards": [], "lessons": [], "continuation": None}
    return {
        "awards": [span_quote(doc, quoter, award.start, award.end) for award in doc._.awards],
        "lessons": [{"kind": item.kind, **span_quote(doc, quoter, item.start, item.end)} for item in doc._.lessons],
        "continuation": _continuation(doc, quoter),
    }


def _place(quoter: "Quoter", found: Found) -> dict[str, Any]:
    """A place in the shape of CONTRACT, with its official key and its size class where they are known."""
    place: dict[str, Any] = {"name": found.name, "state": found.state, "kind": found.kind}
    if found.place is not None and found.place.key:
        place["key"] = found.place.key
    if found.place is not None and found.place.size:
        place["size"] = found.place.size
    return place | quoter.quote(*found.span)


def _quantity(quantity: Quantity | None) -> dict[str, Any] | None:
    if quantity is None:
        return None
    return {"value": quantity.value, "upper": quantity.upper, "unit": quantity.unit, "of": quantity.of}


def _continuation(doc: "Doc", quoter: "Quoter") -> dict[str, Any] | None:
    found = doc._.continuation
    if found is None:
        return None
    return {"status": found.kind, "as_of": found.as_of, **span_quote(doc, quoter, found.start, found.end)}


def span_quote(doc: "Doc", quoter: Quoter, start: int, end: int) -> dict[str, Any]:
    """The quote of a span of tokens, whitespace, commas and dashes at its ends left out."""
    words: Words = doc._.words
    while end - 1 > start and (words.texts[end - 1].isspace() or words.texts[end - 1] in _LOOSE_ENDS):
        end -= 1
    while start < end - 1 and (words.texts[start].isspace() or words.texts[start] in _LOOSE_STARTS):
        start += 1
    return quoter.quote(words.offsets[start], words.end_of(end - 1))


def overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two spans (`start`, `end`) share at least half of the shorter one."""
    shared = min(one["end"], other["end"]) - max(one["start"], other["start"])
    return bool(2 * shared >= min(one["end"] - one["start"], other["end"] - other["start"]) > 0)


def _label(doc: "Doc", quoter: Quoter, label: Any) -> dict[str, Any]:
    quotes: list[Mapping[str, Any]] = [span_quote(doc, quoter, start, end) for start, end in label.sentences]
    return {"id": label.id, "score": label.score, "quotes": quotes}
