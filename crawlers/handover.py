"""Hands the records of read pages over: what a site repeats is taken out, copies are refused, memory is told.

Below: `boilerplate`, `copies`, `memory`, `page`. Above: `walk`. The first records of a site without a rule for the text
wait here until its boilerplate is known; meanwhile memory keeps them, so that a kill costs none of them a second
request.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crawlers.boilerplate import LINE_CHARS, Boilerplate, line_keys
from crawlers.copies import Copies, blind_keys, sketch_of
from crawlers.discover import Frontier, Target
from crawlers.memory import BOILERPLATE, Past
from crawlers.outcome import Counts, Outcome, Refused
from crawlers.page import Reading
from crawlers.source import SourceConfig
from crawlers.values import tidy
from crawlers.web import Page, Seen
from data.records import Fetched


@dataclass(frozen=True, slots=True)
class Held:
    """A page that was read but not yet handed over."""

    target: Target
    page: Page
    digest: str
    url: str
    links: tuple[str, ...]
    readings: tuple[Reading, ...]
    keys: tuple[str, ...] = ()
    """Hashes of title and lines of its one record as they were read, where the site's boilerplate is learnt.

    Behind the hash of each line stands the one without its numbers (`copies.blind_keys`).
    """
    kept: bool = False
    """Whether memory keeps the record until it is handed over."""


class Handover:
    """Where the pages of one walk wait, and leave.

    Args:
        source: Whose records they are.
        frontier: Knows which links are wanted.
        past: What earlier runs saw.
        counts: Filled with copies and values that could not be read.
    """

    def __init__(self, source: SourceConfig, frontier: Frontier, past: Past, counts: Counts) -> None:
        self.source = source
        self.frontier = frontier
        self.past = past
        self.counts = counts
        self.copies = Copies()
        self.waiting: list[Held] = []
        self.boilerplate: Boilerplate | None = None
        if "text" not in source.fields and not (source.site and source.site.item):
            learnt = past.get(BOILERPLATE)
            self.boilerplate = Boilerplate(learnt.links if learnt else None)

    def hand_over(self, held: Held) -> Iterator[Outcome]:
        """Hand a page over; hold the first ones with a record back until the site's boilerplate is known."""
        learner = self.boilerplate
        if learner is not None and not held.keys and held.readings and held.readings[0].reason is None:
            (reading,) = held.readings
            blind = blind_keys(reading.title, reading.facts, reading.text)
            lines = map("".join, zip(line_keys(reading.text), blind, strict=True))
            held = replace(held, keys=(content_key(reading.title or ""), *lines))
        if learner is None or learner.ready or not held.keys:
            yield from self._emit(held)
            return
        self.waiting.append(held if held.kept else self._keep(held))
        learner.learn(held.keys[1:])
        if learner.ready:
            yield from self.release()

    def _keep(self, held: Held) -> Held:
        """Have memory keep a page with its record while it waits; it goes on with the record as it is kept."""
        (reading,) = held.readings
        record = self.past.hold(self._seen(held, lines=held.keys), self._fetched(reading, held))
        if record is None:
            return held
        masked = replace(reading, title=record.title, text=record.text, facts=record.facts)
        return replace(held, readings=(masked,), kept=True)

    def release(self) -> Iterator[Outcome]:
        """Hand over the pages that wait."""
        if self.boilerplate is not None and self.waiting:
            if not self.boilerplate.ready:
                self.boilerplate.settle()
            self.past.remember(BOILERPLATE, None, links=tuple(sorted(self.boilerplate.lines)))
        waiting, self.waiting = self.waiting, []
        for held in waiting:
            yield from self._emit(held)

    def _emit(self, held: Held) -> Iterator[Outcome]:
        """Hand over a page's outcomes, then remember the page."""
        outcomes: list[Outcome] = []
        content = sketch = ""
        for raw, address in zip(held.readings, addresses(held.url, held.readings), strict=True):
            reading, content, sketch = self._cleaned(raw, held.keys)
            if len(held.readings) > 1:
                sketch = ""
            if held.kept and self.past.memory is not None:  # known, should a kill come between handing over and noting
                self.past.memory.put(self._seen(held, lines=held.keys, content=content, sketch=sketch))
            outcomes.append(self._outcome(reading, replace(held, url=address), content, sketch))
            yield outcomes[-1]
        if self.past.memory is None:
            return
        refused = outcomes[0] if len(outcomes) == 1 and isinstance(outcomes[0], Refused) else None
        known = len(outcomes) == 1 and (refused is None or refused.code in ("overview", "duplicate"))
        seen = self._seen(
            held,
            record=any(isinstance(outcome, Fetched) for outcome in outcomes),
            content=content if known else "",
            sketch=sketch if known else "",
            reason=refused.reason if refused and refused.code != "duplicate" else None,
            code=refused.code if refused else "",
        )
        if len(outcomes) > 1:  # what each of them says is not remembered, so it takes another look to see copies
            seen = replace(seen, etag=None, last_modified=None)
        self.past.memory.put(seen)

    def _seen(self, held: Held, *, record: bool = True, **known: Any) -> Seen:
        """What memory is told of a page."""
        known |= {"final_url": held.url, "links": self.wanted(held.links), "record": record}
        return self.past.seen(held.target.url, held.page, held.digest, **known)

    def wanted(self, links: Sequence[str]) -> tuple[str, ...]:
        """The links of a page that memory is told of: those that lead to a page of the source."""
        return tuple(link for link in links if self.frontier.canonical(link) in self.frontier.known)

    def _cleaned(self, reading: Reading, keys: tuple[str, ...]) -> tuple[Reading, str, str]:
        """A record without what the site repeats, the hash of what it says, and its sketch (`Seen.sketch`)."""
        if self.boilerplate is None or not keys:
            blind = blind_keys(reading.title, reading.facts, reading.text)
            sketch = sketch_of([key for key, line in zip(blind, reading.text.split("\n"), strict=True) if line.strip()])
            return reading, content_key(f"{reading.title} {reading.text}"), sketch
        text, stay = self.boilerplate.cleaned(reading.text, keys[1:])
        content = content_key(" ".join([keys[0], *(key[:LINE_CHARS] for key in stay)]))
        return replace(reading, text=text), content, sketch_of([key[LINE_CHARS:] for key in stay])

    def _outcome(self, reading: Reading, held: Held, content: str, sketch: str) -> Fetched | Refused:
        url = held.url
        if reading.reason is not None:
            return Refused(url=url, reason=reading.reason, code=reading.code)
        copy = self.copies.told(content, sketch, url)
        if copy is not None:
            self.counts.identical += 1
            return Refused(url=url, reason=copy, code="duplicate")
        self.copies.add(content, sketch, url)
        self.counts.note([Refused(url=url, reason=note, code="value") for note in reading.notes])
        return self._fetched(reading, held)

    def _fetched(self, reading: Reading, held: Held) -> Fetched:
        return Fetched(
            source=self.source.name,
            url=held.url,
            title=reading.title,
            text=reading.text,
            facts=reading.facts,
            sha256=held.digest,
            fetched_at=held.page.fetched_at,
            language=self.source.language,
        )


def addresses(url: str, readings: Sequence[Reading]) -> list[str]:
    """An address for each record of a page: the page's own, and where there are several, with its title behind a #."""
    if len(readings) <= 1:
        return [url] * len(readings)
    found: list[str] = []
    for number, reading in enumerate(readings, start=1):
        folded = unicodedata.normalize("NFKD", reading.title or "").encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:60] or f"eintrag-{number}"
        address = f"{url}#{slug}"
        found.append(f"{address}-{number}" if address in found else address)
    return found


def content_key(text: str) -> str:
    """Hash of a text, blind to case and blanks."""
    return hashlib.sha256(tidy(text).casefold().encode("utf-8", "replace")).hexdigest()
