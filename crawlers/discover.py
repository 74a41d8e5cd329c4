"""Finds a site's pages: links, canonical addresses, sitemaps, feeds; keeps traps bounded. Fetches nothing itself.

Below: `source`, `web`, courlan, lxml. Above: `crawl` feeds pages in and takes addresses out.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from courlan import normalize_url

from crawlers.addresses import check_url, joined, wire_url
from crawlers.charset import decode
from crawlers.inflate import Inflater
from crawlers.source import SiteConfig
from crawlers.web import MIB, Refusal

Role = Literal["record", "follow"]

SESSION_KEYS = re.compile(
    r"^(?:(?:php|asp\.?net_?)?sess(?:ion)?_?(?:id)?|phpsessid|jsessionid|sid|cfid|cftoken|fe_typo_user)$", re.I
)
PATH_SESSION = re.compile(r";(?:jsessionid|sid|phpsessid)=[^/?;]*", re.I)
REFRESH = re.compile(r"(\d*)(?:\.\d*)?\s*[;,]?\s*(?:url\s*=)?(.*)", re.I | re.S)
"""Seconds and target of a meta refresh; matches any text at the first try."""
QUOTED = re.compile(r"""['"]?([^'"]+)['"]?""")
SITEMAP_FILES = 200
SITEMAP_BYTES = 50 * MIB
"""sitemaps.org: at most 50 MiB uncompressed and 50,000 addresses a file."""
SITEMAP_URLS = 50_000
REFRESH_SECONDS = 30
REFRESH_CHARS = 2000
"""No longer address is asked for (`addresses.MAX_URL_LENGTH`)."""
FORMS_KEPT = 50_000
EARLY_END = re.compile(r"</(?:body|html)\s*>", re.I)
"""libxml2 drops what follows these; sloppy templates write them before the page is over."""
SIMPLE_URL = re.compile(r"(https?://[a-z0-9.-]+(?::[0-9]+)?)((?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+/?)")
"""Full addresses without parameters, and with no sign in their path that could be written in another way."""
SIMPLE_CHARS = 1000
NOT_PAGES = re.compile(
    r"\.(?:jpe?g|png|gif|svg|webp|ico|css|js|mp[34]|avi|mov|zip|gz|exe|ics|xlsx?|pptx?|docx?|csv)$", re.I
)
WORD_FILE = re.compile(r"\.docx$", re.I)
"""May be a record, but leads nowhere."""


def canonical_url(
    url: str, *, base: str = "", aliases: Mapping[str, str] | None = None, schemes: Mapping[str, str] | None = None
) -> str | None:
    """The one form of an address by which a page is known.

    Relative addresses are resolved, fragments, session ids and tracking parameters dropped, parameters sorted, host
    aliases replaced, the scheme of hosts in `schemes` set to theirs.

    Returns:
        The address as it goes over the wire, or None where it is nothing that can be fetched.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            return None
        netloc = parts.netloc.lower()
        netloc = (aliases or {}).get(netloc) or (aliases or {}).get(parts.hostname) or netloc
        query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not SESSION_KEYS.match(pair[0])]
        scheme = (schemes or {}).get(netloc) or parts.scheme.lower()
        plain = urlunsplit((scheme, netloc, _path(parts.path), urlencode(query), ""))
        wire = wire_url(urljoin(plain, normalize_url(plain)))
        check_url(wire)
    except (ValueError, Refusal):
        return None
    return wire


def host_and_path(canonical: str) -> tuple[str, str]:
    """Host with port, and path, of a canonical address."""
    _, _, host, path = canonical.split("/", 3)
    return host, "/" + path.partition("?")[0]


def _path(path: str) -> str:
    """A path without session ids, with `.` and `..` resolved (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = PATH_SESSION.sub("", path).split("/")
    for segment in segments[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLinks:
    """What a page says about other pages; addresses are absolute but not yet canonical."""

    links: tuple[str, ...]
    canonical: str | None
    refresh: str | None


def page_links(html: str, url: str) -> PageLinks:
    """Read the links of a page in their order, each once; `rel=nofollow` is left out.

    By lxml alone: BeautifulSoup's tree is ten times as slow and only needed for a record's fields.
    """
    found: dict[str, None] = {}
    canonical: str | None = None
    refresh: str | None = None
    base = url
    hrefs: set[str | None] = set()
    for tag in _link_elements(html):
        if tag.tag == "base":
            base = _join(url, tag.get("href")) or base if base == url else base
            continue
        if tag.tag == "meta":
            refresh = refresh or _refresh(tag, base)
            continue
        rel = (tag.get("rel") or "").lower().split()
        href = tag.get("href")
        if tag.tag == "a" and not rel and href in hrefs:
            continue
        hrefs.add(href)
        target = _join(base, href)
        if target is None or "nofollow" in rel:
            continue
        if tag.tag != "link" or "next" in rel or "prev" in rel:
            found[target] = None
        elif "canonical" in rel:
            canonical = canonical or target
    return PageLinks(links=tuple(found), canonical=canonical, refresh=refresh)


def _link_elements(html: str) -> Iterator[Any]:
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(EARLY_END.sub("", html).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    return iter(()) if root is None else root.iter("base", "meta", "link", "a", "area")


def _refresh(tag: Any, base: str) -> str | None:
    if (tag.get("http-equiv") or "").strip().lower() != "refresh":
        return None
    content = (tag.get("content") or "").strip()
    match = REFRESH.fullmatch(content) if len(content) <= REFRESH_CHARS else None
    if match is None or int((match.group(1) or "0")[:6]) > REFRESH_SECONDS:
        return None
    target = QUOTED.fullmatch(match.group(2).strip())
    if target is None or not target.group(1).strip() or target.group(1).strip().isdigit():
        return None
    return _join(base, target.group(1))


def _join(base: str, href: str | None) -> str | None:
    if href is None:
        return None
    try:
        target = joined(base, href.strip())
    except ValueError:
        return None
    return target if target[:8].lower().startswith(("http://", "https://")) else None


@dataclass(frozen=True, slots=True)
class SitemapPart:
    """What one sitemap file names."""

    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]


def parse_sitemap(body: bytes) -> SitemapPart:
    """Read a sitemap or sitemap index (XML, gz, or one address a line). Dates are not believed, so they are not read.

    Raises:
        Refusal: Not a sitemap, or one that swells beyond 50 MiB.
    """
    if body.startswith(b"\x1f\x8b"):
        inflate = Inflater("gzip", max_bytes=SITEMAP_BYTES, ratio=500)
        inflate.feed(body)
        body = inflate.finish()
    if body.lstrip()[:1] != b"<" and not body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        lines = [line.strip() for line in decode(body)[0].splitlines()]
        return SitemapPart(tuple(line for line in lines if line.startswith("http"))[:SITEMAP_URLS], ())
    pages: list[str] = []
    sitemaps: list[str] = []
    for element in _xml_elements(body, {"loc"}):
        parent = element.getparent()
        target = sitemaps if parent is not None and _local(parent) == "sitemap" else pages
        if element.text and (parent is None or _local(parent) in ("url", "sitemap")):
            target.append(element.text.strip())
    if not pages and not sitemaps and not re.search(rb"<(?:\w+:)?(?:urlset|sitemapindex)\b", body[:2000]):
        raise Refusal("sitemap", "Die Datei ist keine Sitemap.")
    return SitemapPart(tuple(pages[:SITEMAP_URLS]), tuple(sitemaps[:SITEMAP_URLS]))


def parse_feed(body: bytes, url: str) -> tuple[str, ...]:
    """The addresses of a feed's entries (RSS 0.9-2.0, Atom) in its order, each once.

    Raises:
        Refusal: Where the file is no feed.
    """
    found: dict[str, None] = {}
    entries = 0
    for entry in _xml_elements(body, {"item", "entry"}):
        entries += 1
        target = _entry_link(entry)
        if target and (address := _join(url, target)):
            found[address] = None
    if not entries and not re.search(rb"<(?:\w+:)?(?:rss|feed|RDF)\b", body[:2000]):
        raise Refusal("feed", "Die Datei ist kein RSS- oder Atom-Feed.")
    return tuple(found)


def _entry_link(entry: Any) -> str | None:
    guid = None
    for child in entry:
        name = _local(child)
        if name == "link" and child.get("href") and child.get("rel", "alternate") == "alternate":
            return str(child.get("href"))
        if name == "link" and child.text and child.text.strip():
            return str(child.text)
        if name == "guid" and child.get("isPermaLink", "true") != "false" and child.text:
            guid = str(child.text)
    return guid


def _local(element: Any) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def _xml_elements(body: bytes, names: set[str]) -> Iterator[Any]:
    """Elements of these local names; entities are not expanded, broken XML is read as far as it goes."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise Refusal("xml", "Die Datei ist kein lesbares XML.")
    return (element for element in root.iter() if _local(element) in names)


@dataclass(slots=True)
class Traps:
    """Bounds on what a site can make us ask for without end (calendars, sessions, endless parameters).

    Records that differ in their query only (`show.php?id=7`) are no trap: `max_pages` bounds them.
    """

    per_shape: int = 500
    queries_per_path: int = 300
    repeats: int = 3
    segments: int = 20
    parameters: int = 10
    shapes: Counter[str] = field(default_factory=Counter)
    queries: Counter[str] = field(default_factory=Counter)

    def refuse(self, url: str, role: Role) -> str | None:
        """Why an address looks like a trap, or None; counts it."""
        parts = urlsplit(url)
        segments = [segment for segment in parts.path.split("/") if segment]
        if len(segments) > self.segments or (segments and max(Counter(segments).values()) > self.repeats):
            return "Der Pfad wiederholt sich oder ist zu lang (Falle)."
        if len(parse_qsl(parts.query, keep_blank_values=True)) > self.parameters:
            return "Die Adresse hat zu viele Parameter (Falle)."
        if parts.query and role == "follow":
            self.queries[parts.netloc + parts.path] += 1
            if self.queries[parts.netloc + parts.path] > self.queries_per_path:
                return f"Mehr als {self.queries_per_path} Varianten von {parts.path} (Falle)."
        if role == "follow":
            shape = re.sub(r"\d+", "#", parts.netloc + parts.path)
            self.shapes[shape] += 1
            if self.shapes[shape] > self.per_shape:
                return f"Mehr als {self.per_shape} Übersichtsseiten der Form {shape} (Falle)."
        return None


@dataclass(frozen=True, slots=True)
class Target:
    """An address to fetch, how many links away from a start page it is, and what it is expected to be."""

    url: str
    depth: int
    role: Role


def _is_no_page(url: str, role: Role) -> bool:
    path = urlsplit(url).path
    return bool(NOT_PAGES.search(path)) and not (role == "record" and WORD_FILE.search(path))


class Frontier:
    """The addresses of a site still to fetch, first found first served, each once.

    Args:
        site: The source's section `site`.
        everything_is_record: For feeds: the entries are records whatever their address.
    """

    def __init__(self, site: SiteConfig, *, everything_is_record: bool = False) -> None:
        self.site = site
        self.everything_is_record = everything_is_record
        self.traps = Traps()
        self.known: set[str] = set()
        self.elsewhere: Counter[str] = Counter()
        """Hosts that links lead to and that are not part of the source, with the number of links."""
        self.trapped: dict[str, str] = {}
        """Reason of each trap and the first address that fell under it."""
        self._queue: deque[Target] = deque()
        self._forms: dict[tuple[str, str], str | None] = {}
        starts = [urlsplit(url) for url in site.start]
        self.schemes = {parts.netloc.lower(): parts.scheme.lower() for parts in starts}
        self.hosts = frozenset(urlsplit(self.canonical(url) or "").netloc for url in site.start)

    def __len__(self) -> int:
        return len(self._queue)

    def canonical(self, url: str, base: str = "") -> str | None:
        """The canonical form of an address on this site (see `canonical_url`)."""
        simple = None if base or len(url) > SIMPLE_CHARS else SIMPLE_URL.fullmatch(url)
        if simple is not None:  # nothing but its host can have another form
            origin = self._canonical(simple[1], "")
            return None if origin is None else origin[:-1] + simple[2]
        return self._canonical(url, base)

    def _canonical(self, url: str, base: str) -> str | None:
        if (url, base) in (forms := self._forms):
            return forms[url, base]
        if len(forms) >= FORMS_KEPT:
            self._forms = {}  # a new one: other threads may be reading the old
        form = canonical_url(url, base=base, aliases=self.site.host_aliases, schemes=self.schemes)
        self._forms[url, base] = form
        return form

    def moved(self, start_url: str) -> None:
        """Take over the scheme that a start page redirected to (http sites that became https)."""
        parts = urlsplit(start_url)
        if parts.netloc.lower() in self.schemes:
            self.schemes[parts.netloc.lower()] = parts.scheme.lower()
            self._forms = {}

    def start(self) -> None:
        """Put the start pages in; they are followed whatever the patterns say."""
        for url in self.site.start:
            target = self.canonical(url)
            if target is not None and target not in self.known:
                self.known.add(target)
                self._queue.append(Target(target, 0, self.role(target) or "follow"))

    def role(self, url: str) -> Role | None:
        """What an address is by the source's patterns; None: neither read nor followed."""
        if any(pattern.search(url) for pattern in self.site.never):
            return None
        if self.everything_is_record or any(pattern.search(url) for pattern in self.site.records):
            return "record"
        return "follow" if any(pattern.search(url) for pattern in self.site.follow) else None

    def add(self, url: str, depth: int) -> bool:
        """Put an address in, if it belongs to the site, is wanted, new and no trap.

        Returns:
            Whether it was put in.
        """
        target = self.canonical(url)
        if target is None or target in self.known:
            return False
        host = host_and_path(target)[0]
        if host not in self.hosts and not self.everything_is_record:
            self.elsewhere[host] += 1
            return False
        role = self.role(target)
        if role is None or depth > self.site.max_depth or _is_no_page(target, role):
            return False
        self.known.add(target)
        trap = self.traps.refuse(target, role)
        if trap is not None:
            self.trapped.setdefault(trap, target)
            return False
        self._queue.append(Target(target, depth, role))
        return True

    def pop(self) -> Target | None:
        """The next address, None where none is left."""
        return self._queue.popleft() if self._queue else None
