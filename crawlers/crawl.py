"""Reads a whole source: pages, feed or list in, records and refusals out. The main road of this package.

Below: `walk` (pages), `lists` (rows), `polite` (asks). Above: `pipeline.refresh`, `checkup
sources check`. Raw pages live only while they are read; nothing is stored here.
"""

import hashlib
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from crawlers.discover import Frontier, parse_feed
from crawlers.lists import ListReading, read_list
from crawlers.memory import Past
from crawlers.outcome import Counts, Outcome, Refused, Unchanged
from crawlers.polite import Fetcher, open_fetcher
from crawlers.source import SiteConfig, SourceConfig
from crawlers.walk import Progress, Walk
from crawlers.web import LIST_TYPES, XML_TYPES, Limits, Memory, Now, Page, Refusal, Seen, Waiting
from data.clock import utc_now
from data.errors import CheckupError
from data.records import Fetched
from data.system_errors import in_german

__all__ = ["Counts", "Crawl", "Fetched", "Outcome", "Refused", "Unchanged", "crawl", "fetcher_for"]


class Crawl(Iterator[Outcome]):
    """A running crawl: iterate over it for its outcomes; `counts` and `failures` tell about the whole."""

    def __init__(self, source: SourceConfig, outcomes: Iterator[Outcome], counts: Counts) -> None:
        self.source = source
        self.counts = counts
        self._outcomes = outcomes

    def __next__(self) -> Outcome:
        outcome = next(self._outcomes)
        self.counts.count(outcome)
        return outcome

    def failures(self) -> list[str]:
        """What the finished crawl owes to the source's `expect`, one German sentence each; empty if all is well."""
        expect, counts = self.source.expect, self.counts
        total = counts.records + counts.unchanged
        found = []
        if expect.min_records is not None and total < expect.min_records:
            found.append(f"{self.source.name}: {total} Datensätze, erwartet werden mindestens {expect.min_records}.")
        if expect.max_records is not None and total > expect.max_records:
            found.append(f"{self.source.name}: {total} Datensätze, erwartet werden höchstens {expect.max_records}.")
        rates = counts.fill_rates()
        for name, wanted in expect.fill.items():
            share = rates.get(name, 0.0)
            if counts.records and share < wanted:
                rate = f"{share * 100:.0f} % gefüllt, erwartet werden {wanted * 100:.0f} %"
                found.append(f"{self.source.name}: „{name}“ ist bei {rate}.")
        return found


def fetcher_for(
    source: SourceConfig, *, contact: str | None = None, limits: Limits | None = None, **parts: Any
) -> Fetcher:
    """A fetcher for the real network that keeps to a source's delay, concurrency, opt-outs and permissions.

    Args:
        source: The source.
        contact: The operator's contact from the settings; the source's own comes first.
        limits: Sizes and times.
        parts: `resolver`, `clock`, `sleep`, `now`, `hosts` of `polite.open_fetcher`.

    Raises:
        CheckupError: No contact, although the source lies in the open internet.
    """
    reachable = source.contact or contact
    if reachable is None and not source.allow_private_hosts:
        raise CheckupError(
            f"Für die Quelle „{source.name}“ ist kein Kontakt bekannt. Wer Seiten abruft, muss erreichbar sein: Bitte "
            "contact: in der Quelle, contact in settings.toml oder die Umgebungsvariable CHECKUP_CONTACT setzen "
            "(E-Mail-Adresse oder Internetseite)."
        )
    return open_fetcher(
        delay_s=source.delay_s,
        concurrency=source.concurrency,
        contact=reachable,
        private_hosts=source.hosts if source.allow_private_hosts else frozenset(),
        opt_out=source.opted_out,
        limits=limits,
        name=source.name,
        **parts,
    )


def crawl(
    source: SourceConfig,
    *,
    fetcher: Fetcher,
    now: Now = utc_now,
    progress: Progress | None = None,
    memory: Memory | None = None,
    fresh_after: str | None = None,
    limit: int | None = None,
    waiting: Waiting = nullcontext,
) -> Crawl:
    """Read a source.

    Args:
        source: What to read.
        fetcher: Asks the servers (`fetcher_for`), or an archive in their place.
        now: Time stamp of local files.
        progress: See `Progress`.
        memory: Knows pages of earlier runs; with it, pages are asked for conditionally.
        fresh_after: ISO 8601 in UTC; pages that memory saw at or after this moment are not asked for again (an
            interrupted run goes on with the start of its first attempt).
        limit: Stop after so many records (to try a source out).
        waiting: See `web.Waiting`; lets sources take turns.

    Returns:
        An iterator over `Fetched`, `Refused` and, only with a memory, `Unchanged`, in the order of the source. A record
        is remembered once the caller asks for what follows it, that is, when it has been stored.
    """
    past = Past(memory, fresh_after, now)
    run = _Run(source, fetcher, now, past, progress or (lambda done, known: None), waiting)
    outcomes = {"site": run.read_site, "feed": run.read_feed, "list": run.read_rows}[source.kind]()
    return Crawl(source, _until(outcomes, limit), run.counts)


def _until(outcomes: Iterator[Outcome], limit: int | None) -> Iterator[Outcome]:
    records = 0
    for outcome in outcomes:
        yield outcome
        records += not isinstance(outcome, Refused)
        if limit is not None and records >= limit:
            return


class _Run:
    """One crawl's state."""

    def __init__(
        self, source: SourceConfig, fetcher: Fetcher, now: Now, past: Past, progress: Progress, waiting: Waiting
    ) -> None:
        self.source = source
        self.waiting = waiting
        self.fetcher = fetcher
        self.now = now
        self.past = past
        self.progress = progress
        self.counts = Counts()

    def read_site(self) -> Iterator[Outcome]:
        """Start pages, sitemaps, then whatever they lead to."""
        site = self.source.site
        assert site is not None
        walk = self._walk(Frontier(site))
        walk.frontier.start()
        yield from walk.sitemaps(site)
        yield from walk.pages(site.max_pages)

    def read_feed(self) -> Iterator[Outcome]:
        """A feed's entries, each page read as a record."""
        feed = self.source.feed
        assert feed is not None
        config = SiteConfig(start=(feed.url,), records=(), max_depth=1)
        walk = self._walk(Frontier(config, everything_is_record=True))
        try:
            entries = self._entries(feed.url)
        except Refusal as refusal:
            yield Refused(url=feed.url, reason=refusal.reason, code=refusal.code)
            return
        for url in entries:
            walk.frontier.add(url, 1)
        yield from walk.pages(config.max_pages)

    def _entries(self, url: str) -> tuple[str, ...]:
        """The addresses of a feed's entries; a feed that did not change is not read again."""
        seen = self.past.listing(url)
        if seen is not None and self.past.fresh(seen):
            return seen.links
        with self.waiting():
            page = self.fetcher.fetch(
                url, accepts=XML_TYPES | {"text/plain", "text/html"}, **self.past.conditions(seen)
            )
        if page.unchanged and seen is not None:
            self.past.confirm(seen, page)
            return seen.links
        entries = parse_feed(page.body, page.url)
        self.past.remember_listing(url, page, links=entries)
        return entries

    def _walk(self, frontier: Frontier) -> Walk:
        return Walk(self.source, self.fetcher, frontier, self.past, self.counts, self.progress, self.waiting)

    def read_rows(self) -> Iterator[Outcome]:
        """A list's rows."""
        config = self.source.list
        assert config is not None
        address = config.url or str(config.file)
        reading = ListReading()
        try:
            page = self._list_page(address)
            if isinstance(page, Seen):
                yield Unchanged(url=address, sha256=page.sha256, seen_at=page.fetched_at)
                return
            rows = read_list(
                page.body,
                self.source,
                fetched_at=page.fetched_at,
                content_type=page.headers.get("content-type", ""),
                reading=reading,
            )
            for outcome in rows:
                self.counts.pages = reading.rows
                self._take_notes(reading)
                self.progress(reading.rows, reading.rows)
                yield outcome
        except Refusal as refusal:
            yield Refused(url=address, reason=refusal.reason, code=refusal.code)
            return
        cut = reading.cut_at()
        if cut is not None:
            self.counts.hints.append(
                f"Viele Texte enden bei genau {cut} Zeichen: Der Herausgeber hat sie wohl gekürzt."
            )
        digest = hashlib.sha256(page.body).hexdigest()
        self.past.remember(address, page, digest, final_url=page.url, record=True)

    def _take_notes(self, reading: ListReading) -> None:
        """Count what was noted about a row before its outcome is given."""
        self.counts.note(reading.notes)
        reading.notes = []

    def _list_page(self, address: str) -> Page | Seen:
        config = self.source.list
        assert config is not None
        if config.url is not None:
            seen = self.past.get(address)
            if seen is not None and self.past.fresh(seen):
                return seen
            with self.waiting():
                page = self.fetcher.fetch(
                    config.url,
                    accepts=LIST_TYPES,
                    max_bytes=self.fetcher.limits.list_bytes,
                    **self.past.conditions(seen),
                )
            return seen if page.unchanged and seen is not None else page
        assert config.file is not None
        try:
            if config.file.stat().st_size > self.fetcher.limits.list_bytes:
                raise Refusal("too_big", f"{config.file} ist zu groß.")
            body = config.file.read_bytes()
        except OSError as error:
            raise Refusal("file", f"{config.file} lässt sich nicht lesen: {in_german(error)}.") from error
        return Page(requested_url=address, url=address, status=200, headers={}, body=body, fetched_at=self.now())
