"""Walks through a site page by page: fetches what the frontier holds, feeds its links back, reads its records.

Below: `polite`, `discover`, `page`, `documents`, `memory`. Above: `crawl`.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from crawlers.ahead import Ahead, Ask, Job
from crawlers.boilerplate import Boilerplate
from crawlers.charset import decode
from crawlers.discover import SITEMAP_BYTES, SITEMAP_FILES, Frontier, SitemapPart, Target, page_links, parse_sitemap
from crawlers.fields import parse_html
from crawlers.memory import Past, validators
from crawlers.outcome import Counts, Outcome, Refused, Unchanged
from crawlers.page import Reading, read_items, read_page
from crawlers.polite import PAGE_TYPES, Fetcher
from crawlers.source import SiteConfig, SourceConfig
from crawlers.values import tidy
from crawlers.web import DOCUMENT_TYPES, SITEMAP_TYPES, Page, Refusal, Seen
from data.records import Fetched

PASSING = frozenset(
    {"unreachable", "timeout", "truncated", "tls", "server", "budget", "retry_after", "robots", "address"}
)
"""Refusals that may be over at the next attempt, so they are not remembered."""
BOILERPLATE = "boilerplate:"
"""Where memory keeps the hashes of a site's repeated lines (no page has this address)."""
Progress = Callable[[int, int], None]
"""Called after every page or row with how many are done and how many are known so far."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A page that was read but not yet handed over."""

    target: Target
    page: Page
    digest: str
    url: str
    links: tuple[str, ...]
    readings: tuple[Reading, ...]


class Walk:
    """The walk through one site.

    Args:
        source: Its `fields` read the records.
        fetcher: Asks the servers.
        frontier: Knows which addresses are wanted; may already hold some.
        past: What earlier runs saw.
        counts: Filled while walking.
        progress: See `Progress`.
    """

    def __init__(
        self,
        source: SourceConfig,
        fetcher: Fetcher,
        frontier: Frontier,
        past: Past,
        counts: Counts,
        progress: Progress,
    ) -> None:
        self.source = source
        self.fetcher = fetcher
        self.frontier = frontier
        self.ahead = Ahead(frontier, self._prepare, source.concurrency)
        self.past = past
        self.counts = counts
        self.progress = progress
        self.bodies: dict[str, str] = {}
        self.contents: dict[str, str] = {}
        self.done: set[str] = set()
        self.held: list[_Held] = []
        self.boilerplate: Boilerplate | None = None
        if "text" not in source.fields and not (source.site and source.site.item):
            learnt = past.get(BOILERPLATE)
            self.boilerplate = Boilerplate(learnt.links if learnt else None)

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
                if url not in guess:
                    yield Refused(url=url, reason=f"Sitemap: {refusal.reason}", code=refusal.code)
                continue
            for found in part.pages:
                self.frontier.add(found, 1)
            new = [found for found in part.sitemaps if found not in known and len(known) < SITEMAP_FILES]
            known.update(new)
            queue += new

    def _sitemap(self, url: str) -> SitemapPart:
        seen = self.past.get(url)
        if seen is not None and self.past.fresh(seen):
            return SitemapPart(seen.links, seen.sitemaps)
        page = self.fetcher.fetch(url, accepts=SITEMAP_TYPES, max_bytes=SITEMAP_BYTES)
        part = parse_sitemap(page.body)
        self.past.remember(url, page, links=part.pages, sitemaps=part.sitemaps)
        return part

    def _announced(self, start: str) -> tuple[str, ...]:
        try:
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
        yield from self._release()
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
            validators=validators(seen),
            known=partial(self._is_done, target),
        )

    def _visit(self, job: Job) -> Iterator[Outcome]:
        target = job.target
        seen = self.past.get(target.url)
        if seen is not None and self.past.fresh(seen):
            yield from self._again(target, seen)
            return
        try:
            page = job.page()
            self._check_redirect(target, page)
        except Refusal as refusal:
            yield from self._refused(target, refusal.code, refusal.reason)
            return
        if page.unchanged and seen is not None:
            yield from self._again(target, seen)
            if self.past.memory is not None:
                self.past.memory.put(replace(seen, fetched_at=page.fetched_at))
            return
        digest = hashlib.sha256(page.body).hexdigest()
        first = self.bodies.setdefault(digest, target.url)
        if first != target.url:
            self.counts.identical += 1
            yield from self._refused(target, "duplicate", f"Die Seite ist Byte für Byte gleich {first}.")
            return
        yield from self._read(target, page, digest)

    def _refused(self, target: Target, code: str, reason: str) -> Iterator[Outcome]:
        """Report a page that gave nothing; an alias or a copy of an overview page is nothing to report."""
        if code == "alias":
            self.counts.aliases += 1
        elif code != "duplicate" or target.role == "record":
            yield Refused(url=target.url, reason=reason, code=code)
        if code not in PASSING:
            self.past.remember(target.url, None, reason=reason, code=code)

    def _again(self, target: Target, seen: Seen) -> Iterator[Outcome]:
        """What a page gave that memory knows."""
        if target.depth == 0:
            self.frontier.moved(seen.final_url)
        self.done.add(seen.final_url)
        if seen.sha256:
            self.bodies.setdefault(seen.sha256, target.url)
        if seen.content:
            self.contents.setdefault(seen.content, seen.final_url)
        for link in seen.links:
            self.frontier.add(link, target.depth + 1)
        if seen.record:
            yield Unchanged(url=seen.final_url, sha256=seen.sha256, seen_at=seen.fetched_at)
        elif seen.reason is not None and seen.code != "alias" and (seen.code != "duplicate" or target.role == "record"):
            yield Refused(url=target.url, reason=seen.reason, code=seen.code)

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
            yield from self._finish(target, page, digest, url, (), lambda: [_read_file(page, url)])
            return
        html, _ = decode(page.body, page.headers.get("content-type", ""))
        links = page_links(html, page.url)
        if links.refresh is not None and self.frontier.canonical(links.refresh) != url:
            self.counts.aliases += 1
            self.frontier.add(links.refresh, target.depth)
            self.past.remember(target.url, page, digest, links=(links.refresh,))
            return
        for link in links.links:
            self.frontier.add(link, target.depth + 1)
        own = self._own_address(links.canonical, url) if target.role == "record" else url
        if own != url and own in self.done:
            yield from self._refused(target, "alias", f"Die Seite ist auch {own}.")
            return
        self.done.add(own)
        yield from self._finish(target, page, digest, own, links.links, lambda: self._readings(html, url))

    def _readings(self, html: str, url: str) -> list[Reading]:
        item = self.source.site.item if self.source.site else None
        try:
            soup = parse_html(html)
        except Refusal as refusal:
            return [Reading(title=None, text="", facts={}, reason=refusal.reason)]
        if item is None:
            return [read_page(html, soup, self.source, url)]
        found = read_items(soup, self.source, item, url)
        nothing = Reading(title=None, text="", facts={}, reason="Auf der Seite steht kein Eintrag (site.item).")
        return found or [nothing]

    def _finish(
        self,
        target: Target,
        page: Page,
        digest: str,
        url: str,
        links: tuple[str, ...],
        read: Callable[[], list[Reading]],
    ) -> Iterator[Outcome]:
        """Read a page's records; hold the first ones back until the site's boilerplate is known."""
        readings = tuple(read()) if target.role == "record" else ()
        held = _Held(target, replace(page, body=b""), digest, url, links, readings)
        if self.boilerplate is None or not readings:
            yield from self._emit(held)
            return
        if not self.boilerplate.ready:
            self.held.append(held)
            self.boilerplate.learn(readings[0].text)
            if self.boilerplate.ready:
                yield from self._release()
            return
        yield from self._emit(held)

    def _release(self) -> Iterator[Outcome]:
        """Hand over the records that were held back."""
        if self.boilerplate is not None and self.held:
            if not self.boilerplate.ready:
                self.boilerplate.settle()
            self.past.remember(BOILERPLATE, None, links=tuple(sorted(self.boilerplate.lines)))
        held, self.held = self.held, []
        for page in held:
            yield from self._emit(page)

    def _emit(self, held: "_Held") -> Iterator[Outcome]:
        """Hand over a page's outcomes, then remember the page."""
        outcomes: list[Outcome] = []
        contents: list[str] = []
        for raw, address in zip(held.readings, addresses(held.url, held.readings), strict=True):
            reading = replace(raw, text=self.boilerplate.cleaned(raw.text)) if self.boilerplate is not None else raw
            outcomes.append(self._outcome(reading, held.page, address, held.digest))
            contents.append(_content(reading))
            yield outcomes[-1]
        if self.past.memory is None:
            return
        refused = outcomes[0] if len(outcomes) == 1 and isinstance(outcomes[0], Refused) else None
        self.past.remember(
            held.target.url,
            held.page,
            held.digest,
            final_url=held.url,
            links=tuple(link for link in held.links if self.frontier.canonical(link) in self.frontier.known),
            record=any(isinstance(outcome, Fetched) for outcome in outcomes),
            content=contents[0] if len(contents) == 1 and refused is None else "",
            reason=refused.reason if refused else None,
            code=refused.code if refused else "",
        )

    def _own_address(self, canonical: str | None, url: str) -> str:
        """The address by rel=canonical, where it names a record of this site (some sites name their start page)."""
        own = self.frontier.canonical(canonical) if canonical else None
        if own is None or urlsplit(own).netloc not in self.frontier.hosts or self.frontier.role(own) != "record":
            return url
        return own

    def _outcome(self, reading: Reading, page: Page, url: str, digest: str) -> Fetched | Refused:
        if reading.reason is not None:
            return Refused(url=url, reason=reading.reason, code="no_record")
        first = self.contents.setdefault(_content(reading), url)
        if first != url:
            self.counts.identical += 1
            return Refused(url=url, reason=f"Titel und Text sind gleich {first}.", code="duplicate")
        self.counts.note([Refused(url=url, reason=note, code="value") for note in reading.notes])
        return Fetched(
            source=self.source.name,
            url=url,
            title=reading.title,
            text=reading.text,
            facts=reading.facts,
            sha256=digest,
            fetched_at=page.fetched_at,
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


def _content(reading: Reading) -> str:
    """Hash of a record's title and text, blind to case and blanks."""
    return hashlib.sha256(tidy(f"{reading.title} {reading.text}").casefold().encode()).hexdigest()


def _read_file(page: Page, url: str) -> Reading:
    """A PDF or Word file as a record: its own title or else its file name."""
    from crawlers.documents import read_docx, read_pdf

    try:
        found = read_pdf(page.body) if page.body.startswith(b"%PDF-") else read_docx(page.body)
    except Refusal as refusal:
        return Reading(title=None, text="", facts={}, reason=refusal.reason)
    name = PurePosixPath(unquote(urlsplit(url).path)).stem.replace("_", " ").replace("-", " ")
    return Reading(title=found.title or tidy(name) or None, text=found.text, facts={})
