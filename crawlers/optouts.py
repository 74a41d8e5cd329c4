"""What a site forbids: robots.txt (RFC 9309) and reservations against text and data mining (§ 44b UrhG).

Below: `web`, Protego. Above: `polite` asks here before and after every request.
Sources: RFC 9309; W3C TDM Reservation Protocol (header, meta element, /.well-known/tdmrep.json); the `noai` directive
of robots meta elements and X-Robots-Tag; Content Signals in robots.txt. All forms count here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from protego import Protego

from crawlers.web import Answer

ROBOTS_BYTES = 500 * 1024
"""RFC 9309, 2.5: at least 500 KiB must be parsed; what lies beyond is not read."""
HEAD_CHARS = 200_000
META_TAG = re.compile(r"<meta\b[^>]{0,2000}>", re.I)
ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
CONTENT_SIGNAL = re.compile(r"^[ \t]*content-signal[ \t]*:([^#\r\n]*)", re.I | re.M)
NO_AI = frozenset({"noai", "notdm"})


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one origin; without a parser everything or nothing is allowed."""

    parser: Protego | None
    allow_all: bool
    reason: str
    reserved: bool = False
    unreachable: bool = False
    """Whether the file could not be had, so that its rules are not known for the moment."""

    def allows(self, url: str, product: str) -> bool:
        """Whether the crawler with this product token may ask for `url`."""
        if self.parser is None:
            return self.allow_all
        return not self.reserved and bool(self.parser.can_fetch(url, product))

    def crawl_delay_s(self, product: str) -> float:
        """The pause in seconds that robots.txt asks for, 0 where it asks for none."""
        delay = self.parser.crawl_delay(product) if self.parser else None
        return float(delay or 0.0)

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """Sitemaps that robots.txt names, in its order."""
        return tuple(self.parser.sitemaps) if self.parser else ()


def robots_from(answer: Answer | None) -> Robots:
    """Read an origin's robots.txt.

    Args:
        answer: What the server said after at most five redirects; None where it could not be reached.

    Returns:
        4xx: everything is allowed (RFC 9309, 2.3.1.3), except 429, which asks to be left alone. Unreachable, 5xx and
        anything else: nothing is allowed (2.3.1.4).
    """
    if answer is None:
        reason = "robots.txt ist nicht erreichbar; dann gilt alles als verboten."
        return Robots(None, allow_all=False, reason=reason, unreachable=True)
    if _is_absent(answer):
        return Robots(None, allow_all=True, reason="ohne robots.txt")
    if answer.status != 200:
        reason = f"robots.txt antwortet mit {answer.status}; dann gilt alles als verboten."
        return Robots(None, allow_all=False, reason=reason, unreachable=True)
    text = answer.body[:ROBOTS_BYTES].decode("utf-8-sig", errors="replace")
    reserved = _signals_no(text)
    reason = "robots.txt behält Text und Data Mining vor (Content-Signal)." if reserved else "robots.txt verbietet es."
    return Robots(Protego.parse(text), allow_all=False, reason=reason, reserved=reserved)


def _is_absent(answer: Answer) -> bool:
    return 400 <= answer.status < 500 and answer.status != 429


def _signals_no(robots_text: str) -> bool:
    for line in CONTENT_SIGNAL.findall(robots_text):
        wishes = {part.strip().lower().replace(" ", "") for part in line.split(",")}
        if wishes & {"ai-train=no", "ai-input=no"}:
            return True
    return False


def header_optout(headers: Mapping[str, str]) -> str | None:
    """The reservation that an answer's headers state, in a German sentence, or None."""
    if headers.get("tdm-reservation", "").strip() == "1":
        return "Der Server behält Text und Data Mining vor (Kopfzeile tdm-reservation: 1)."
    directives = {part.strip().lower() for part in re.split(r"[,:]", headers.get("x-robots-tag", ""))}
    if directives & NO_AI:
        return "Der Server untersagt die Auswertung (X-Robots-Tag: noai)."
    return None


def html_optout(html: str) -> str | None:
    """The reservation that a page's meta elements state, in a German sentence, or None."""
    for tag in META_TAG.findall(html[:HEAD_CHARS]):
        attributes = {name.lower(): (a or b or c).strip() for name, a, b, c in ATTRIBUTE.findall(tag)}
        name = (attributes.get("name") or attributes.get("property") or "").lower()
        content = attributes.get("content", "").lower()
        if name == "tdm-reservation" and content == "1":
            return "Die Seite behält Text und Data Mining vor (meta tdm-reservation)."
        if name in ("robots", "checkupintegration") and {part.strip() for part in content.split(",")} & NO_AI:
            return "Die Seite untersagt die Auswertung (meta robots: noai)."
    return None


@dataclass(frozen=True, slots=True)
class TdmRules:
    """The rules of an origin's /.well-known/tdmrep.json."""

    rules: tuple[tuple[str, bool], ...]
    unreachable: bool = False
    """Whether the file could not be had, so that everything counts as reserved for the moment."""

    def reserved(self, url: str) -> bool:
        """Whether mining of `url` is reserved: the longest matching pattern decides, at a tie the reservation."""
        if self.unreachable:
            return True
        parts = urlsplit(url)
        path = unquote(parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        matching = [(len(pattern), reserved) for pattern, reserved in self.rules if _matches(pattern, path)]
        return max(matching)[1] if matching else False


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern matches the beginning of a path, with a `$` at its end all of it; `*` is anything.

    Part by part, each where it stands first: a regular expression would try all ways to share the path out.
    """
    whole = pattern.endswith("$")
    first, *parts = unquote(pattern.removesuffix("$")).split("*")
    last = parts.pop() if whole and parts else None
    if not path.startswith(first):
        return False
    at = len(first)
    for part in parts:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    if last is not None:
        return path.endswith(last, at)
    return not whole or at == len(path)


def tdm_rules_from(answer: Answer | None) -> TdmRules:
    """Read an origin's tdmrep.json, a list of rules or a single one.

    Args:
        answer: What the server said after at most five redirects; None where it could not be had.

    Returns:
        As with robots.txt an absent file (4xx, except 429) reserves nothing, and one that is unreachable (5xx and
        anything else) everything. One that is no JSON reserves nothing.
    """
    if answer is None or not (answer.status == 200 or _is_absent(answer)):
        return TdmRules((), unreachable=True)
    if answer.status != 200:
        return TdmRules(())
    try:
        entries = json.loads(answer.body.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return TdmRules(())
    entries = entries if isinstance(entries, list) else [entries]
    return TdmRules(tuple(_rule(entry) for entry in entries if _is_rule(entry)))


def _is_rule(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("location"), str) and "tdm-reservation" in entry


def _rule(entry: Mapping[str, Any]) -> tuple[str, bool]:
    return entry["location"], str(entry["tdm-reservation"]).strip() == "1"
