"""Asks for pages as a polite and lawful guest: permits, opt-outs, pauses, retries, redirects, budgets, a log line each.

Below: `fetch` (or an archive in its place), `permits`, `optouts`, `pace`. Above: `crawl` sees pages or refusals.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import structlog

from crawlers.addresses import system_resolver, wire_url
from crawlers.charset import decode
from crawlers.optouts import header_optout, html_optout
from crawlers.pace import BUSY_STATUS, Hosts, Pace, backoff_s, retry_after_s
from crawlers.permits import PRODUCT, OptOut, Permits
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
    redirect_target,
)
from data.clock import utc_now

_RENDERED = structlog.processors.KeyValueRenderer(key_order=["event", "url"])
PAGE_TYPES = HTML_TYPES | DOCUMENT_TYPES


def user_agent(contact: str | None) -> str:
    """The honest name of the crawler with the way to reach whoever runs it."""
    try:
        number = version("checkup-integration")
    except PackageNotFoundError:
        number = "0"
    return f"{PRODUCT}/{number} (+{contact})" if contact else f"{PRODUCT}/{number}"


def request_log() -> Any:
    """A structlog logger that writes each request to the standard logger `crawlers` at level INFO.

    The records carry what the line says as `request` too, for whoever keeps them in another form (`log_file`).
    """
    return structlog.wrap_logger(
        logging.getLogger("crawlers"),
        processors=[structlog.stdlib.filter_by_level, _with_values],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _with_values(logger: Any, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """A line with its values beside it."""
    values = dict(event)
    return (str(_RENDERED(logger, method, event)),), {"extra": {"request": values}}


@dataclass(slots=True)
class Spent:
    """What a run has cost so far."""

    requests: int = 0
    bytes: int = 0


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
        self.clock = clock
        self.log = log if log is not None else request_log()
        self.spent = Spent()
        shared = {} if hosts is None else hosts
        self.pace = Pace(delay_s=delay_s, clock=clock, sleep=sleep, concurrency=concurrency, hosts=shared)
        self.permits = Permits(
            lambda url: self._ask(url, None, self.limits.page_bytes, None),
            self.pace,
            opt_out,
            self.limits.crawl_delay_s,
        )
        self._counting = threading.Lock()

    def fetch(
        self,
        url: str,
        *,
        accepts: frozenset[str] | None = PAGE_TYPES,
        max_bytes: int | None = None,
        validators: Mapping[str, str] | None = None,
        answered: str = "",
        known: Callable[[str], bool] = lambda url: False,
    ) -> Page:
        """Fetch one address with all its redirects.

        Args:
            url: Absolute address.
            accepts: Media types that are read; None reads any.
            max_bytes: Largest body (default: the limit for pages).
            validators: Headers of a conditional request (`If-None-Match`, `If-Modified-Since`).
            answered: The address that they belong to, and alone is asked so, where it is another (`Seen.answered`).
            known: Says whether an address that a redirect leads to was read already; it is not asked for again.

        Returns:
            The page; `unchanged` where the server answered 304.

        Raises:
            Refusal: The address, or one it redirects to, is forbidden, unusable or gone; the reason is for people.
        """
        target = wire_url(url)
        hops: list[str] = []
        while True:
            self.permits.permit(target)
            condition = validators if (target == answered if answered else not hops) else None
            answer = self._ask(target, accepts, max_bytes or self.limits.page_bytes, condition)
            reserved = header_optout(answer.headers)
            if reserved is not None:
                raise Refusal("opt_out", reserved)
            onward = redirect_target(answer)
            if onward is None:
                if answer.status == 304 and not condition:
                    raise Refusal("server", "Der Server nennt unverändert (304), wonach ohne Bedingung gefragt wurde.")
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
        return self.permits.robots(urlsplit(wire_url(url))).sitemaps

    def _ask(
        self, url: str, accepts: frozenset[str] | None, max_bytes: int, validators: Mapping[str, str] | None
    ) -> Answer:
        """Ask a server, and again where it is busy or cannot be reached for the moment.

        Raises:
            Refusal: As the transport's; the budget is spent; the server wants a longer pause than we wait
                (`retry_after`), and is asked nothing more in this run.
        """
        host = urlsplit(url).netloc
        headers = {"User-Agent": self.agent, "Accept-Language": "de,en;q=0.5", **(validators or {})}
        for attempt in itertools.count():
            if attempt:
                self.pace.hold(host, backoff_s(attempt))
            try:
                answer = self._send(host, url, headers, max_bytes, accepts)
            except Refusal as refusal:
                if refusal.code != "unreachable" or attempt >= self.limits.retries:
                    raise
                continue
            if answer.status in BUSY_STATUS:
                self._heed(host, answer)
            if answer.status not in BUSY_STATUS or attempt >= self.limits.retries:
                break
        return answer

    def _heed(self, host: str, answer: Answer) -> None:
        """Leave a busy server alone for as long as it wants, whatever is to be asked next."""
        seconds = retry_after_s(answer.headers.get("retry-after"))
        if seconds is None:
            return
        if seconds > self.limits.retry_after_s:
            wish = f"Der Server {host} bittet um eine Pause von {seconds:g} Sekunden"
            self.pace.close(host, f"{wish} und wird in diesem Lauf nicht mehr gefragt.")
            self.pace.check(host)
        self.pace.hold(host, seconds)

    def _send(
        self, host: str, url: str, headers: Mapping[str, str], max_bytes: int, accepts: frozenset[str] | None
    ) -> Answer:
        """Send one request when its time has come: counted, and one line in the log."""
        self.pace.check(host)
        self._count()
        self.pace.wait(host)
        started = self.clock()
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
        if answer.status == 200 and media_type(answer.headers) in HTML_TYPES | {""}:
            reserved = html_optout(decode(answer.body[:200_000], answer.headers.get("content-type", ""))[0])
            if reserved is not None:
                raise Refusal("opt_out", reserved)
        if answer.status not in (200, 304):
            passing = answer.status >= 500 or answer.status in BUSY_STATUS
            raise Refusal("server" if passing else "status", status_reason(answer.status))
        return Page(
            requested_url=requested_url,
            url=answer.url,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            fetched_at=answer.fetched_at,
        )


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

    return Fetcher(
        HttpTransport(resolver=resolver, private_hosts=private_hosts, limits=limits, now=now),
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
