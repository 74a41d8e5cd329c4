"""Whether an origin lets an address be read: its robots.txt and tdmrep.json, asked for once a day, redirects included.

Below: `optouts` (reads the files), `addresses`, `pace`. Above: `polite` asks here before every request for a page.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

from crawlers.addresses import check_url, wire_url
from crawlers.optouts import Robots, TdmRules, robots_from, tdm_rules_from
from crawlers.pace import Pace
from crawlers.web import Answer, Refusal, redirect_target

PRODUCT = "CheckupIntegration"
"""The crawler's name in robots.txt."""
RULES_REDIRECTS = 5
"""RFC 9309, 2.3.1.2."""
RULES_S = 24 * 3600.0
"""RFC 9309, 2.4: a robots.txt should not be used longer, unless it is unreachable; tdmrep.json likewise."""
RULES_AGAIN_S = 3600.0
"""When a file that was unreachable at that time is asked for again."""
OptOut = Callable[[str], bool]
R = TypeVar("R", Robots, TdmRules)


@dataclass(frozen=True, slots=True)
class _Known(Generic[R]):
    """The rules of an origin, and until which moment of the clock they may be used."""

    rules: R
    until: float


class Permits:
    """Knows the rules of every origin that was asked for something, for any number of threads.

    Args:
        ask: Asks for a file's address as every other request is made; raises Refusal.
        pace: Told of the pauses that robots.txt wants; its clock tells the age of rules.
        opt_out: Says whether an address is on the source's own list of opt-outs.
        slowest_s: A robots.txt that wants a longer pause between two requests, in seconds, rules its origin out.
    """

    def __init__(self, ask: Callable[[str], Answer], pace: Pace, opt_out: OptOut, slowest_s: float) -> None:
        self.ask = ask
        self.pace = pace
        self.opt_out = opt_out
        self.slowest_s = slowest_s
        self._robots: dict[str, _Known[Robots]] = {}
        self._tdm: dict[str, _Known[TdmRules]] = {}
        self._reading: dict[str, threading.Lock] = {}

    def permit(self, url: str) -> None:
        """Pass an address that may be asked for.

        Raises:
            Refusal: Its form (`address`), the source's list or tdmrep.json (`opt_out`), or robots.txt (`robots`)
                forbids it; or nobody can say for the moment (`unreachable`, `retry_after`; for the whole host).
        """
        parts = check_url(url)
        if self.opt_out(url):
            raise Refusal("opt_out", "Die Adresse steht auf der Widerspruchsliste der Quelle (opt_out).")
        robots = self.robots(parts)
        if not robots.allows(url, PRODUCT):
            raise Refusal("robots", robots.reason)
        tdm = self._tdm_rules(parts)
        if tdm.unreachable:
            reason = f"tdmrep.json von {parts.netloc} ist nicht erreichbar; dann gilt alles als vorbehalten."
            raise Refusal("unreachable", reason, host=parts.netloc)
        if tdm.reserved(url):
            raise Refusal("opt_out", "Die Website behält Text und Data Mining vor (tdmrep.json).")

    def robots(self, parts: SplitResult) -> Robots:
        """The robots.txt of an address's origin."""
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        return self._current(self._robots, address, lambda: self._read_robots(address, parts.netloc))

    def _read_robots(self, address: str, host: str) -> Robots:
        rules = robots_from(self._well_known(address))
        delay_s = rules.crawl_delay_s(PRODUCT)
        self.pace.slow_down(host, min(delay_s, self.slowest_s))
        if delay_s <= self.slowest_s:
            return rules
        return Robots(None, allow_all=False, reason=f"robots.txt verlangt {delay_s:g} Sekunden Pause je Abruf.")

    def _tdm_rules(self, parts: SplitResult) -> TdmRules:
        """The tdmrep.json of an address's origin; without rules where the origin's robots.txt forbids to ask for it."""
        address = f"{parts.scheme}://{parts.netloc}/.well-known/tdmrep.json"
        if not self._robots_allow(address):
            return TdmRules(())
        return self._current(self._tdm, address, lambda: tdm_rules_from(self._well_known(address, self._robots_allow)))

    def _robots_allow(self, url: str) -> bool:
        return self.robots(urlsplit(url)).allows(url, PRODUCT)

    def _current(self, known: dict[str, _Known[R]], address: str, read: Callable[[], R]) -> R:
        """The rules in the file at an address; those of yesterday where it has become unreachable.

        While one thread asks for a file, others wait for it. Reading a tdmrep.json may wait for any robots.txt, but no
        robots.txt for another file, so that no two threads wait for each other.
        """
        with self._reading.setdefault(address, threading.Lock()):
            old = known.get(address)
            if old is not None and self.pace.clock() < old.until:
                return old.rules
            rules, lasting_s = read(), RULES_S
            if old is not None and rules.unreachable:
                rules, lasting_s = old.rules, RULES_AGAIN_S
            known[address] = _Known(rules, self.pace.clock() + lasting_s)
            return rules

    def _well_known(self, url: str, allowed: Callable[[str], bool] = lambda url: True) -> Answer | None:
        """What comes of asking for a robots.txt or tdmrep.json.

        Args:
            url: The file's address.
            allowed: Says of each address on the way whether it may be asked; on the list of opt-outs none may.

        Returns:
            The last answer after at most five redirects; None where the file is not to be had.

        Raises:
            Refusal: The file's own address is none that may be asked (`address`), the budget is spent (`budget`), or a
                host on the way wants to be left alone for this run (`retry_after`); the file's own host is then left
                alone as well, for its rules stay unknown.
        """
        answer: Answer | None = None
        target = url
        for _ in range(RULES_REDIRECTS + 1):
            try:
                check_url(target)
                if self.opt_out(target) or not allowed(target):
                    return None
                answer = self.ask(target)
                onward = redirect_target(answer)
                if onward is None:
                    return answer
                target = wire_url(onward)
            except Refusal as refusal:
                if refusal.code == "retry_after":
                    host = urlsplit(url).netloc
                    self.pace.close(host, refusal.reason)
                    self.pace.check(host)
                if refusal.code == "budget" or (refusal.code == "address" and answer is None):
                    raise
                return None
        return None
