"""Walks through a site page by page: fetches what the frontier holds, feeds its links back, reads its records.

Below: `polite`, `discover`, `page`, `documents`, `handover`, `memory`. Above: `crawl`.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from crawlers.ahead import Ahead, Ask, Job
from crawlers.charset import decode
from crawlers.discover import SITEMAP_BYTES, SITEMAP_FILES, Frontier, SitemapPart, Target, page_links, parse_sitemap
from crawlers.fields import collector_paused, parse_html
from crawlers.handover import Handover, Held, content_key
from crawlers.memory import Past
from crawlers.outcome import Counts, Outcome, Refused, Unchanged
from crawlers.overview import Overviews, leads_from, overview_of
from crawlers.page import Reading, read_items, read_page
from crawlers.polite import PAGE_TYPES, Fetcher
from crawlers.source import SiteConfig, SourceConfig
from crawlers.values import tidy
from crawlers.web import DOCUMENT_TYPES, SITEMAP_TYPES, Page, Refusal, Seen, Waiting

PASSING = frozenset(
    {"unreachable", "timeout", "truncated", "tls", "server", "budget", "retry_after", "robots", "address"}
)
"""Refusals that may be over at the next attempt, so they are not remembered."""
OF_ANOTHER = frozenset({"alias", "duplicate"})
"""Refusals whose reason names another page: it is told anew in each run, for that page may have to be forgotten."""
Progress = Callable[[int, int], None]
"""Called after every page or row with how many are done and how many are known so far."""


class Walk:
    """The walk through one site.

    Args:
        source: Its `fields` read the records.
        fetcher: Asks the servers.
        frontier: Knows which addresses are wanted; may already hold some.
        past: What earlier runs saw.
        counts: Filled while walking.
        progress: See `Progress`.
        waiting: See `web.Waiting`.
    """

    def __init__(
        self,
        source: SourceConfig,
        fetcher: Fetcher,
        frontier: Frontier,
        past: Past,
        counts: Counts,
        progress: Progress,
        waiting: Waiting,
    ) -> None:
        self.source = source
        self.fetcher = fetcher
        self.frontier = frontier
        self.ahead = Ahead(frontier, self._prepare, source.concurrency)
        self.past = past
        self.counts = counts
        self.progress = progress
        self.waiting = waiting
        self.bodies: dict[str, str] = {}
        self.done: set[str] = set()
        self.left_alone: set[tuple[str, str]] = set()
        """Hosts of which was said that nothing can be had of them for the moment, with the code."""
        self.handover = Handover(source, frontier, past, counts)
        self.overviews = Overviews()

    def sitemaps(self, site: SiteConfig) -> Iterator[Outcome]:
        """Put the addresses of all sitemaps in; only sitemaps that somebody named are reported when they fail."""
        if site.sitemap == "none":
            return
        named = site.sitemap if isinstance(site.sitemap, tuple) else self._announced(site.start[0])
        guess = () if named else (urljoin(site.start[0], "/sitemap.xml"),)
        queue = [*(named or guess)]
        known = set(queue)
        while queue:
            url = queue.pop(0)
            try:
                part = self._sitemap(self.frontier.canonical(url) or url)
            except Refusal as refusal:
                if url not in guess and not self._was_said(refusal):
                    yield Refused(url=url, reason=f"Sitemap: {refusal.reason}", code=refusal.code)
                continue
            for found in part.pages:
                self.frontier.add(found, 1)
            new = [found for found in part.sitemaps if found not in known and len(known) < SITEMAP_FILES]
            known.update(new)
            queue += new

    def _sitemap(self, url: str) -> SitemapPart:
        seen = self.past.listing(url)
        if seen is not None and self.past.fresh(seen):
            return SitemapPart(seen.links, seen.sitemaps)
        with self.waiting():
            page = self.fetcher.fetch(url, accepts=SITEMAP_TYPES, max_bytes=SITEMAP_BYTES, **self.past.conditions(seen))
        if page.unchanged and seen is not None:
            self.past.confirm(seen, page)
            return SitemapPart(seen.links, seen.sitemaps)
        part = parse_sitemap(page.body)
        self.past.remember_listing(url, page, links=part.pages, sitemaps=part.sitemaps)
        return part

    def _announced(self, start: str) -> tuple[str, ...]:
        try:
            with self.waiting():
                return self.fetcher.sitemaps(start)
        except Refusal:
            return ()

    def pages(self, max_pages: int) -> Iterator[Outcome]:
        """Fetch and read page after page until the frontier is empty, `max_pages` reached or the budget spent."""
        while (job := self.ahead.next(max_pages - self.counts.pages)) is not None:
            target = job.target
            if self.counts.pages >= max_pages:
                left = len(self.ahead) + 1
                yield Refused(
                    url=target.url, reason=f"max_pages ist erreicht; {left} Adressen bleiben.", code="max_pages"
                )
                break
            if target.url in self.done:
                continue
            self.done.add(target.url)
            self.counts.pages += 1
            stop = False
            for outcome in self._visit(job):
                yield outcome
                stop = isinstance(outcome, Refused) and outcome.code == "budget"
            self.progress(self.counts.pages, self.counts.pages + len(self.ahead))
            if stop:
                break
        yield from self.handover.release()
        for reason, url in self.frontier.trapped.items():
            yield Refused(url=url, reason=reason, code="trap")
        self.counts.elsewhere = self.frontier.elsewhere
        self._hint_aliases()

    def _hint_aliases(self) -> None:
        for host, count in self.frontier.elsewhere.most_common(1):
            if count > max(20, self.counts.pages):
                self.counts.hints.append(
                    f"{count} Verweise führen zu {host}. Ist das derselbe Auftritt, fehlt er unter site.host_aliases."
                )

    def _prepare(self, target: Target) -> Ask | None:
        """How a target is asked for, by any thread; None where it need not be."""
        seen = self.past.get(target.url)
        if target.url in self.done or (seen is not None and self.past.fresh(seen)):
            return None
        return partial(
            self.fetcher.fetch,
            target.url,
            accepts=PAGE_TYPES,
            known=partial(self._is_done, target),
            **(self.past.conditions(seen) if seen is not None and self._may_be_unchanged(target, seen) else {}),
        )

    def _may_be_unchanged(self, target: Target, seen: Seen) -> bool:
        """Whether a page gives what it gave, if its server says so: a copy, only behind what it is a copy of."""
        if seen.code == "alias":
            return target.url != seen.final_url in self.done
        return seen.code != "duplicate" or self._copy_of(seen) is not None

    def _copy_of(self, seen: Seen) -> str | None:
        """Of which page of this run another that memory knows is a copy, in a German sentence; None if of none."""
        first = self.bodies.get(seen.sha256, seen.url)
        if first != seen.url:
            return f"Die Seite ist Byte für Byte gleich {first}."
        return self.handover.copies.told(seen.content, seen.sketch, seen.final_url)

    def _visit(self, job: Job) -> Iterator[Outcome]:
        target = job.target
        if target.role == "follow":
            self.overviews.follow(target.url)
        seen = self.past.get(target.url)
        if seen is not None and self.past.fresh(seen):
            yield from self._resume(target, seen)
            return
        behind = seen is not None and seen.final_url != target.url and seen.final_url in self.done
        try:
            with self.waiting():
                page = job.page()
            self._check_redirect(target, page)
        except Refusal as refusal:
            if not self._was_said(refusal):
                yield from self._refused(target, refusal.code, refusal.reason)
            return
        if page.unchanged and seen is not None:
            copy = self._copy_of(seen) if seen.record or seen.code == "duplicate" else None
            if seen.record and behind:  # its own address was found, too, in this run
                seen = replace(seen, record=False, content="", sketch="", code="alias")
            elif copy is not None:  # of another page than before, or since this run
                seen = replace(seen, record=False, reason=None, code="duplicate")
            yield from self._again(target, seen)
            self.past.confirm(seen, page)
            return
        digest = hashlib.sha256(page.body).hexdigest()
        first = self.bodies.setdefault(digest, target.url)
        if first != target.url:
            self.counts.identical += 1
            same = f"Die Seite ist Byte für Byte gleich {first}."
            yield from self._refused(target, "duplicate", same, page, digest=digest)
            return
        yield from self._read(target, page, digest)

    def _refused(
        self, target: Target, code: str, reason: str, page: Page | None = None, **known: Any
    ) -> Iterator[Outcome]:
        """Report a page that gave nothing; an alias or a copy of an overview page is nothing to report."""
        if code == "alias":
            self.counts.aliases += 1
        elif code != "duplicate" or target.role == "record":
            yield Refused(url=target.url, reason=reason, code=code)
        if code not in PASSING:
            told = None if code in OF_ANOTHER else reason
            self.past.remember(target.url, page, reason=told, code=code, **known)

    def _was_said(self, refusal: Refusal) -> bool:
        """Whether a refusal holds for a whole host and was reported with another of its addresses; notes it if not."""
        if refusal.host is None:
            return False
        said = (refusal.host, refusal.code) in self.left_alone
        self.left_alone.add((refusal.host, refusal.code))
        return said

    def _resume(self, target: Target, seen: Seen) -> Iterator[Outcome]:
        """Take a page up that this run or the interrupted one before it has read."""
        record = self.past.held(seen)
        if record is None:
            yield from self._again(target, seen)
            if seen.lines and self.past.memory is not None:  # handed over; the kill came before that was noted
                self.past.memory.put(replace(seen, lines=()))
            return
        self._met(target, seen)
        headers = {"etag": seen.etag, "last-modified": seen.last_modified}
        page = Page(
            requested_url=target.url,
            url=seen.answered or target.url,
            status=200,
            headers={name: value for name, value in headers.items() if value is not None},
            body=b"",
            fetched_at=seen.fetched_at,
        )
        reading = Reading(title=record.title, text=record.text, facts=record.facts)
        held = Held(target, page, seen.sha256, seen.final_url, seen.links, (reading,), seen.lines, kept=True)
        yield from self.handover.hand_over(held)

    def _again(self, target: Target, seen: Seen) -> Iterator[Outcome]:
        """What a page gave that memory knows."""
        self._met(target, seen)
        if seen.code == "overview":
            self.overviews.add(seen.final_url, seen.content)
        elif seen.code != "duplicate":
            self.handover.copies.add(seen.content, seen.sketch, seen.final_url)
        if seen.record:
            yield Unchanged(url=seen.final_url, sha256=seen.sha256, seen_at=seen.fetched_at)
            return
        self.counts.aliases += seen.code in ("alias", "refresh")
        self.counts.identical += seen.code == "duplicate"
        reason = seen.reason
        if seen.code == "duplicate":
            reason = self._copy_of(seen) or "Die Seite ist eine Kopie einer anderen."
        if reason is not None and seen.code != "alias" and (seen.code != "duplicate" or target.role == "record"):
            yield Refused(url=target.url, reason=reason, code=seen.code)

    def _met(self, target: Target, seen: Seen) -> None:
        """Go on from a page that memory knows as from one that was read."""
        if target.depth == 0:
            self.frontier.moved(seen.final_url)
        if seen.code != "alias":
            self.done.add(seen.final_url)
        if seen.sha256:
            self.bodies.setdefault(seen.sha256, target.url)
        for link in seen.links:
            self.frontier.add(link, target.depth + (seen.code != "refresh"))

    def _is_done(self, target: Target, url: str) -> bool:
        """Whether another page than this target is read under the address (https, a session id are the target)."""
        form = self.frontier.canonical(url)
        return form != target.url and (form in self.done or form in self.ahead.asked)

    def _check_redirect(self, target: Target, page: Page) -> None:
        if target.depth == 0:
            self.frontier.moved(page.url)
        final = self.frontier.canonical(page.url)
        if final is None or final == target.url:
            return
        if not self.frontier.everything_is_record and urlsplit(final).netloc not in self.frontier.hosts:
            raise Refusal(
                "elsewhere",
                f"Die Adresse leitet zu {urlsplit(final).netloc} weiter, das nicht zur Quelle gehört; ist es derselbe "
                "Auftritt, bitte site.start oder site.host_aliases anpassen.",
            )
        self.counts.aliases += 1
        self.done.add(final)

    def _read(self, target: Target, page: Page, digest: str) -> Iterator[Outcome]:
        url = self.frontier.canonical(page.url) or page.url
        if page.content_type in DOCUMENT_TYPES or page.body.startswith(b"%PDF-"):
            yield from self._finish(target, page, digest, url, (), lambda: [self._read_file(page, url)])
            return
        html, _ = decode(page.body, page.headers.get("content-type", ""))
        links = page_links(html, page.url)
        if links.refresh is not None and self.frontier.canonical(links.refresh) != url:
            self.counts.aliases += 1
            self.frontier.add(links.refresh, target.depth)
            self.past.remember(target.url, page, digest, final_url=url, links=(links.refresh,), code="refresh")
            return
        for link in links.links:
            self.frontier.add(link, target.depth + 1)
        own = self._own_address(links.canonical, url) if target.role == "record" else url
        if own != url and own in self.done:
            known = {"digest": digest, "final_url": own, "links": self.handover.wanted(links.links)}
            yield from self._refused(target, "alias", f"Die Seite ist auch {own}.", page, **known)
            return
        self.done.add(own)
        yield from self._finish(target, page, digest, own, links.links, lambda: self._readings(html, url))

    def _read_file(self, page: Page, url: str) -> Reading:
        with self.waiting():  # a PDF is read by a process of its own
            return _read_file(page, url)

    @collector_paused()
    def _readings(self, html: str, url: str) -> list[Reading]:
        item = self.source.site.item if self.source.site else None
        try:
            soup = parse_html(html)
        except Refusal as refusal:
            return [Reading(title=None, text="", facts={}, reason=refusal.reason)]
        if item is None:
            return [self._no_overview(soup, read_page(html, soup, self.source, url), url)]
        found = read_items(soup, self.source, item, url)
        nothing = Reading(title=None, text="", facts={}, reason="Auf der Seite steht kein Eintrag (site.item).")
        return found or [nothing]

    def _no_overview(self, soup: Any, reading: Reading, url: str) -> Reading:
        """A page's record, unless the page turns out to be an overview (a feed says itself what its entries are)."""
        if reading.reason is not None or self.frontier.everything_is_record:
            return reading
        least = self.overviews.least(url, content_key(reading.title) if reading.title else None)
        listed = overview_of(soup, reading, self.source, url, leads_from(self.frontier, url), least=least)
        if not listed:
            return reading
        others = f"{listed} anderen Seiten" if listed > 1 else "einer anderen Seite"
        reason = (
            f"Übersichtsseite, kein Projekt: Der Text besteht fast nur aus einer Liste von {others}. "
            "Bitte site.records enger fassen und solche Adressen unter site.follow nennen."
        )
        return Reading(title=reading.title or "", text="", facts={}, reason=reason, code="overview")

    def _finish(
        self,
        target: Target,
        page: Page,
        digest: str,
        url: str,
        links: tuple[str, ...],
        read: Callable[[], list[Reading]],
    ) -> Iterator[Outcome]:
        """Read a page's records and hand them over."""
        readings = tuple(read()) if target.role == "record" else ()
        if readings and readings[0].code == "overview":
            self.overviews.add(url, content_key(readings[0].title or ""))
        yield from self.handover.hand_over(Held(target, replace(page, body=b""), digest, url, links, readings))

    def _own_address(self, canonical: str | None, url: str) -> str:
        """The address by rel=canonical, where it names a record of this site (some sites name their start page)."""
        own = self.frontier.canonical(canonical) if canonical else None
        if own is None or urlsplit(own).netloc not in self.frontier.hosts or self.frontier.role(own) != "record":
            return url
        return own


def _read_file(page: Page, url: str) -> Reading:
    """A PDF or Word file as a record: its own title or else its file name."""
    from crawlers.documents import read_docx, read_pdf

    try:
        found = read_pdf(page.body) if page.body.startswith(b"%PDF-") else read_docx(page.body)
    except Refusal as refusal:
        return Reading(title=None, text="", facts={}, reason=refusal.reason)
    name = PurePosixPath(unquote(urlsplit(url).path)).stem.replace("_", " ").replace("-", " ")
    return Reading(title=found.title or tidy(name) or None, text=found.text, facts={})
