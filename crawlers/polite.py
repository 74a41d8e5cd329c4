"""Asks for pages as a polite and lawful guest: robots.txt, opt-outs, pauses, redirects, budgets, a line in the log.

Below: `fetch` (or an archive in its place), `optouts`, `addresses`, `pace`. Above: `crawl` sees pages or refusals.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import structlog

from crawlers.addresses import check_url, system_resolver, wire_url
from crawlers.charset import decode
from crawlers.optouts import Robots, TdmRules, header_optout, html_optout, robots_from, tdm_rules_from
from crawlers.pace import Hosts, Pace
from crawlers.web import (
    DOCUMENT_TYPES,
    HTML_TYPES,
    Answer,
    Clock,
    Limits,
    Now,
    Page,
    Refusal,
    Resolver,
    Sleep,
    Transport,
    media_type,
)
from data.clock import utc_now

PRODUCT = "CheckupIntegration"
"""The crawler's name in robots.txt."""
ROBOTS_REDIRECTS = 5
PAGE_TYPES = HTML_TYPES | DOCUMENT_TYPES
OptOut = Callable[[str], bool]


def user_agent(contact: str | None) -> str:
    """The honest name of the crawler with the way to reach whoever runs it."""
    try:
        number = version("checkup-integration")
    except PackageNotFoundError:
        number = "0"
    return f"{PRODUCT}/{number} (+{contact})" if contact else f"{PRODUCT}/{number}"


def request_log() -> Any:
    """A structlog logger that writes each request to the standard logger `crawlers` at level INFO."""
    return structlog.wrap_logger(
        logging.getLogger("crawlers"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.KeyValueRenderer(key_order=["event", "url"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


@dataclass(slots=True)
class Spent:
    """What a run has cost so far."""

    requests: int = 0
    bytes: int = 0


class _Asking(threading.local):
    """What belongs to the request that this thread is making."""

    host = ""


class Fetcher:
    """Fetches pages within every rule; the one door of the crawler to the outside, for any number of threads.

    Args:
        transport: Puts single questions to servers.
        delay_s: Pause between two requests to one host, in seconds (see `Pace`).
        concurrency: Requests to one host that may be under way at once.
        contact: Address or page of whoever runs the crawler.
        opt_out: Says whether an address is on the source's own list of opt-outs.
        limits: Sizes, times and budgets.
        clock, sleep: Monotonic seconds and the matching sleep.
        log: A structlog logger.
        hosts: Shared with other fetchers that may ask the same hosts.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        delay_s: float = 1.0,
        concurrency: int = 1,
        contact: str | None = None,
        opt_out: OptOut = lambda url: False,
        limits: Limits | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
        log: Any = None,
        hosts: Hosts | None = None,
    ) -> None:
        self.transport = transport
        self.limits = limits or Limits()
        self.agent = user_agent(contact)
        self.opt_out = opt_out
        self.clock = clock
        self.log = log if log is not None else request_log()
        self.spent = Spent()
        shared = {} if hosts is None else hosts
        self.pace = Pace(delay_s=delay_s, clock=clock, sleep=sleep, concurrency=concurrency, hosts=shared)
        self._robots: dict[str, Robots] = {}
        self._tdm: dict[str, TdmRules] = {}
        self._asking = _Asking()
        self._counting = threading.Lock()
        self._origins: dict[str, threading.RLock] = {}

    def pause_before_retry(self, seconds: float) -> None:
        """Called by the transport before it asks again: waits, counts, and gives up where the wish is too long."""
        if seconds > self.limits.retry_after_s:
            raise Refusal("retry_after", f"Der Server bittet um eine Pause von {seconds:g} Sekunden.")
        self._count()
        self.pace.done(self._asking.host)
        self.pace.wait(self._asking.host, at_least_s=seconds)

    def fetch(
        self,
        url: str,
        *,
        accepts: frozenset[str] | None = PAGE_TYPES,
        max_bytes: int | None = None,
        validators: Mapping[str, str] | None = None,
        known: Callable[[str], bool] = lambda url: False,
    ) -> Page:
        """Fetch one address with all its redirects.

        Args:
            url: Absolute address.
            accepts: Media types that are read; None reads any.
            max_bytes: Largest body (default: the limit for pages).
            validators: Headers of a conditional request (`If-None-Match`, `If-Modified-Since`).
            known: Says whether an address that a redirect leads to was read already; it is not asked for again.

        Returns:
            The page; `unchanged` where the server answered 304.

        Raises:
            Refusal: The address, or one it redirects to, is forbidden, unusable or gone; the reason is for people.
        """
        target = wire_url(url)
        hops: list[str] = []
        while True:
            self._permit(target)
            answer = self._ask(target, accepts, max_bytes or self.limits.page_bytes, validators if not hops else None)
            onward = redirect_target(answer)
            if onward is None:
                return self._page(url, answer)
            hops.append(target)
            target = wire_url(onward)
            if target in hops or len(hops) > self.limits.redirects:
                raise Refusal(
                    "redirects", f"Die Adresse leitet im Kreis oder öfter als {self.limits.redirects}-mal weiter."
                )
            if known(target):
                raise Refusal("alias", f"Die Adresse leitet zu {target}, einer schon gelesenen Seite.")

    def sitemaps(self, url: str) -> tuple[str, ...]:
        """The sitemaps that the robots.txt of this address's host names."""
        return self.robots(urlsplit(wire_url(url))).sitemaps

    def robots(self, parts: SplitResult) -> Robots:
        """The robots.txt of an origin, asked for once per run."""
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._of(origin):
            if origin not in self._robots:
                self._robots[origin] = self._read_robots(origin, parts.netloc)
            return self._robots[origin]

    def _of(self, origin: str) -> threading.RLock:
        """Held while an origin's rules are asked for, so that no other thread asks again."""
        return self._origins.setdefault(origin, threading.RLock())

    def _read_robots(self, origin: str, host: str) -> Robots:
        rules = robots_from(self._well_known(f"{origin}/robots.txt"))
        delay_s = rules.crawl_delay_s(PRODUCT)
        self.pace.slow_down(host, min(delay_s, self.limits.crawl_delay_s))
        if delay_s <= self.limits.crawl_delay_s:
            return rules
        return Robots(None, allow_all=False, reason=f"robots.txt verlangt {delay_s:g} Sekunden Pause je Abruf.")

    def _permit(self, url: str) -> None:
        parts = check_url(url)
        if self.opt_out(url):
            raise Refusal("opt_out", "Die Adresse steht auf der Widerspruchsliste der Quelle (opt_out).")
        robots = self.robots(parts)
        if not robots.allows(url, PRODUCT):
            raise Refusal("robots", robots.reason)
        if self._tdm_rules(parts).reserved(url):
            raise Refusal("opt_out", "Die Website behält Text und Data Mining vor (tdmrep.json).")

    def _tdm_rules(self, parts: SplitResult) -> TdmRules:
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._of(origin):
            if origin not in self._tdm:
                address = f"{origin}/.well-known/tdmrep.json"
                allowed = self.robots(parts).allows(address, PRODUCT)
                self._tdm[origin] = tdm_rules_from(self._well_known(address) if allowed else None)
            return self._tdm[origin]

    def _well_known(self, url: str) -> Answer | None:
        target = url
        for _ in range(ROBOTS_REDIRECTS + 1):
            try:
                check_url(target)
                answer = self._ask(target, None, self.limits.page_bytes, None)
            except Refusal as refusal:
                if refusal.code in ("address", "budget"):
                    raise
                return None
            onward = redirect_target(answer)
            if onward is None:
                return answer
            target = wire_url(onward)
        return None

    def _ask(
        self, url: str, accepts: frozenset[str] | None, max_bytes: int, validators: Mapping[str, str] | None
    ) -> Answer:
        self._count()
        host = self._asking.host = urlsplit(url).netloc
        self.pace.wait(host)
        started = self.clock()
        headers = {"User-Agent": self.agent, "Accept-Language": "de,en;q=0.5", **(validators or {})}
        try:
            answer = self.transport.get(url, headers, max_bytes=max_bytes, accepts=accepts)
        except Refusal as refusal:
            self.log.info("request", url=url, refused=refusal.code, seconds=round(self.clock() - started, 3))
            raise
        finally:
            self.pace.done(host)
        with self._counting:
            self.spent.bytes += len(answer.body)
        self.log.info(
            "request", url=url, status=answer.status, bytes=len(answer.body), seconds=round(self.clock() - started, 3)
        )
        return answer

    def _count(self) -> None:
        with self._counting:
            if self.spent.requests >= self.limits.run_requests or self.spent.bytes >= self.limits.run_bytes:
                raise Refusal("budget", "Das Budget dieses Laufs ist aufgebraucht.")
            self.spent.requests += 1

    def _page(self, requested_url: str, answer: Answer) -> Page:
        reserved = header_optout(answer.headers)
        if reserved is None and answer.status == 200 and media_type(answer.headers) in HTML_TYPES | {""}:
            reserved = html_optout(decode(answer.body[:200_000], answer.headers.get("content-type", ""))[0])
        if reserved is not None:
            raise Refusal("opt_out", reserved)
        if answer.status not in (200, 304):
            raise Refusal("status" if answer.status < 500 else "server", status_reason(answer.status))
        return Page(
            requested_url=requested_url,
            url=answer.url,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            fetched_at=answer.fetched_at,
        )


def redirect_target(answer: Answer) -> str | None:
    """Where an answer sends us, None where it is the last one."""
    location = answer.headers.get("location", "")
    if answer.status not in (301, 302, 303, 307, 308) or not location:
        return None
    try:
        return urljoin(answer.url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    except ValueError:
        raise Refusal("address", "Die Weiterleitung führt zu einer unlesbaren Adresse.") from None


def status_reason(status: int) -> str:
    """A German sentence for an answer that is no page."""
    known = {401: "verlangt eine Anmeldung", 403: "verweigert den Zugriff", 404: "kennt die Seite nicht (404)",
             410: "hat die Seite gelöscht (410)", 429: "bittet um weniger Abrufe (429)",
             503: "ist vorübergehend nicht verfügbar (503)"}  # fmt: skip
    return f"Der Server {known.get(status, f'antwortet mit Status {status}')}."


def open_fetcher(
    *,
    delay_s: float,
    contact: str | None,
    concurrency: int = 1,
    private_hosts: frozenset[str] = frozenset(),
    opt_out: OptOut = lambda url: False,
    limits: Limits | None = None,
    resolver: Resolver = system_resolver,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
    now: Now = utc_now,
    hosts: Hosts | None = None,
    name: str | None = None,
) -> Fetcher:
    """A fetcher that speaks to the real network; in the log its requests carry the source's name."""
    from crawlers.fetch import HttpTransport

    transport = HttpTransport(resolver=resolver, private_hosts=private_hosts, limits=limits, now=now)
    fetcher = Fetcher(
        transport,
        delay_s=delay_s,
        concurrency=concurrency,
        contact=contact,
        opt_out=opt_out,
        limits=limits,
        clock=clock,
        sleep=sleep,
        log=request_log() if name is None else request_log().bind(source=name),
        hosts=hosts,
    )
    transport.pause = fetcher.pause_before_retry
    return fetcher
