"""What passes between the parts of the crawler: one request's answer, a page, a refusal, and the limits on them.

Below: `data.records`. Above: `fetch` makes answers, `polite` turns them into pages or refusals,
`archive` keeps and replays answers, `crawl` reads pages.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urljoin

from data.records import Fetched

Clock = Callable[[], float]
"""Monotonic seconds."""
Sleep = Callable[[float], None]
Now = Callable[[], str]
"""The time of day as ISO 8601 in UTC, e.g. `2026-01-31T08:15:00Z`."""
Resolver = Callable[[str, int], list[str]]
"""Host name and port to textual IP addresses; raises OSError where there are none."""

MIB = 1024 * 1024

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
XML_TYPES = frozenset(
    {"application/xml", "text/xml", "application/rss+xml", "application/atom+xml", "application/rdf+xml"}
)
DOCUMENT_TYPES = frozenset(
    {"application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
)
SITEMAP_TYPES = XML_TYPES | {"text/plain", "application/gzip", "application/x-gzip", "application/octet-stream"}
LIST_TYPES = frozenset(
    {
        "text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/json", "text/json",
        "application/geo+json", "application/ld+json", "application/octet-stream", "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/zip",
        "application/force-download", "application/x-download", "binary/octet-stream",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request and one run may cost at most."""

    page_bytes: int = 10 * MIB
    list_bytes: int = 200 * MIB
    inflation: int = 200
    """Decompressed bytes per compressed byte that are believed (a gzip bomb reaches 1,000)."""
    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 60.0
    redirects: int = 5
    retries: int = 2
    """How often a request is sent again to a server that is busy (429, 503) or cannot be reached."""
    retry_after_s: float = 120.0
    """A server that asks for a longer pause is left alone for this run."""
    crawl_delay_s: float = 300.0
    """A robots.txt that asks for a longer pause between requests rules the host out for this run."""
    run_requests: int = 20_000
    run_bytes: int = 4096 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said to one request: no redirect followed, body decoded from its transfer and content coding."""

    url: str
    status: int
    headers: Mapping[str, str]
    """Names in lower case; of a repeated header the values are joined by a comma."""
    body: bytes
    fetched_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What came of asking for an address: the last answer after all redirects."""

    requested_url: str
    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    fetched_at: str

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters, empty where none was sent."""
        return media_type(self.headers)

    @property
    def unchanged(self) -> bool:
        """Whether the server said that nothing changed since the validators that were sent."""
        return self.status == 304


class Refusal(Exception):  # noqa: N818 (not a fault: the outcome of an address)
    """An address that was not read, or gave nothing.

    Args:
        code: Stable short name, e.g. `robots`, `opt_out`, `address`, `too_big`, `timeout`, `status`.
        reason: One German sentence for people.
        host: Host and port, where this holds for all addresses of a host for the moment: it is reported once.
    """

    def __init__(self, code: str, reason: str, *, host: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.host = host


Waiting = Callable[[], AbstractContextManager[object]]
"""Entered while a crawl waits for a server (or for another process) and needs nothing that others may be using."""


class Transport(Protocol):
    """Puts one question to one server: the network (`fetch.HttpTransport`) or an archive (`archive.WarcTransport`)."""

    def get(
        self, url: str, headers: Mapping[str, str], *, max_bytes: int, accepts: frozenset[str] | None = None
    ) -> Answer:
        """Fetch `url` without following redirects.

        Args:
            url: Absolute http or https address in ASCII.
            headers: Sent as they are.
            max_bytes: Largest body, decompressed.
            accepts: Media types whose body is read (None: any); a body of another type is a refusal.

        Raises:
            Refusal: Where the address is forbidden, unreachable, too slow, too big or of another type.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is remembered of a page that was read, without its content."""

    url: str
    final_url: str
    fetched_at: str
    sha256: str
    full_at: str = ""
    """When the server last sent the page, headers and all; `fetched_at` also moves where it says 304."""
    etag: str | None = None
    last_modified: str | None = None
    answered: str = ""
    """The address that these two belong to, where redirects led to another; else empty."""
    links: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    record: bool = False
    content: str = ""
    """Hash of a record's title and text; of an overview that is none, of its title."""
    reason: str | None = None
    """Why the page gave no record, in a German sentence; None where it would name another page."""
    code: str = ""
    """The refusal's; `refresh` where the page only sends its readers on, to its one link."""
    sketch: str = ""
    """What copies of its record are known by that differ in numbers and a few lines (`copies.sketch_of`)."""
    lines: tuple[str, ...] = ()
    """Hashes of the title and of each line of a record that is not handed over yet (`Memory.hold`), else empty."""


class Memory(Protocol):
    """Remembers pages between runs (conditional requests) and after an interruption (nothing fetched twice)."""

    def get(self, url: str) -> Seen | None:
        """What is known of the page at this canonical address."""
        ...

    def put(self, seen: Seen) -> None:
        """Remember a page; called after its record was handed over."""
        ...

    def hold(self, seen: Seen, record: Fetched) -> Fetched | None:
        """Remember a page and keep its record, personal data masked, until what its site repeats is known.

        Returns:
            The record as it is kept, which is the one to go on with; None where records are not kept.
        """
        ...

    def held(self, seen: Seen) -> Fetched | None:
        """The record that is kept of a page; None once it has been handed over."""
        ...


def media_type(headers: Mapping[str, str]) -> str:
    """The media type of an answer in lower case, without parameters; empty where none was sent."""
    return headers.get("content-type", "").split(";", 1)[0].strip().lower()


def redirect_target(answer: Answer) -> str | None:
    """Where an answer sends us, None where it is the last one.

    Raises:
        Refusal: To what is no address.
    """
    location = answer.headers.get("location", "")
    if answer.status not in (301, 302, 303, 307, 308) or not location:
        return None
    try:
        return urljoin(answer.url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    except ValueError:
        raise Refusal("address", "Die Weiterleitung führt zu einer unlesbaren Adresse.") from None
