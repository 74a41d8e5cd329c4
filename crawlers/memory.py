"""What is remembered of pages between runs: conditional requests, and going on after an interruption.

Below: `addresses`, `web`. Above: `walk`, `crawl`. A memory holds addresses, hashes and validators, never a page's
content.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crawlers.addresses import wire_url
from crawlers.web import Memory, Now, Page, Seen
from data.clock import utc_now
from data.errors import CheckupError
from data.records import Fetched
from data.system_errors import in_german

BOILERPLATE = "boilerplate:"
"""Where memory keeps the hashes of a site's repeated lines (no page has this address)."""
LISTING = "listing:"
"""Before the address under which memory keeps a sitemap or feed: it may be visited as a page, too."""
FULL_DAYS = 45
"""A page whose last full answer is older is asked for as if it were new.

Servers leave most headers out of a 304 (RFC 9110, 15.4.5), also the ones by which an owner opts out. More than a month,
so that a monthly run asks in full every second time only.
"""


@dataclass(frozen=True, slots=True)
class Past:
    """A memory, or none, with the moment since which pages count as fresh."""

    memory: Memory | None
    fresh_after: str | None = None
    now: Now = utc_now

    def get(self, url: str) -> Seen | None:
        """What is known of a page."""
        return self.memory.get(url) if self.memory else None

    def listing(self, url: str) -> Seen | None:
        """What is known of a sitemap or feed."""
        return self.get(LISTING + url)

    def remember_listing(self, url: str, page: Page, **known: Any) -> None:
        """Note what a sitemap or feed lists; `final_url` is its address, by which it is forgotten."""
        self.remember(LISTING + url, page, final_url=url, **known)

    def fresh(self, seen: Seen) -> bool:
        """Whether a page need not be asked for again."""
        return self.fresh_after is not None and seen.fetched_at >= self.fresh_after

    def remember(self, url: str, page: Page | None, digest: str = "", **known: Any) -> None:
        """Note a page that has been read, or the reason why it could not be.

        Args:
            url: Its canonical address.
            page: The answer, None where there was none worth keeping.
            digest: Hash of its bytes.
            known: Further values of `Seen`.
        """
        if self.memory is not None:
            self.memory.put(self.seen(url, page, digest, **known))

    def seen(self, url: str, page: Page | None, digest: str, **known: Any) -> Seen:
        """What is remembered of a page (see `remember`)."""
        return Seen(
            url=url,
            final_url=known.pop("final_url", url),
            fetched_at=page.fetched_at if page else self.now(),
            full_at=page.fetched_at if page else "",
            sha256=digest,
            etag=page.headers.get("etag") if page else None,
            last_modified=page.headers.get("last-modified") if page else None,
            answered=page.url if page and page.url != wire_url(page.requested_url) else "",
            **known,
        )

    def confirm(self, seen: Seen, page: Page) -> None:
        """Note that a page was asked for and is as it was."""
        if self.memory is not None:
            self.memory.put(replace(seen, fetched_at=page.fetched_at))

    def conditions(self, seen: Seen | None) -> dict[str, Any]:
        """How `Fetcher.fetch` asks conditionally for what was seen before.

        Not for a page whose record was not handed over yet, for one that gave nothing but may at another look, and for
        one whose last full answer is too old (`FULL_DAYS`). What was a copy, or another address, of a page is that as
        long as this page is there, which the caller must know.
        """
        if seen is None or seen.lines or (seen.reason is not None and seen.code not in ("alias", "duplicate")):
            return {}
        found = {"If-None-Match": seen.etag, "If-Modified-Since": seen.last_modified}
        validators = {name: value for name, value in found.items() if value}
        return {"validators": validators, "answered": seen.answered} if validators and self._recent(seen) else {}

    def _recent(self, seen: Seen) -> bool:
        """Whether a page's last full answer is recent; one from as far in the future (a clock was set) is not."""
        try:
            age = datetime.fromisoformat(self.now()) - datetime.fromisoformat(seen.full_at)
        except (TypeError, ValueError):  # noted by a version that did not tell, or damaged
            return False
        return abs(age) <= timedelta(days=FULL_DAYS)

    def hold(self, seen: Seen, record: Fetched) -> Fetched | None:
        """Keep a record that cannot be handed over yet (see `Memory.hold`)."""
        return self.memory.hold(seen, record) if self.memory else None

    def held(self, seen: Seen) -> Fetched | None:
        """The record that is kept of a page and not handed over yet."""
        return self.memory.held(seen) if self.memory and seen.lines else None


class FileMemory:
    """A memory in one file of JSON lines; appended to page by page, so that a kill loses at most the last one.

    What is known of a page stays in the file: of a site of any size only addresses and places are held.

    Args:
        path: The file; made when the first page is noted.
        fingerprint: Names what the pages were read with (hash of the source's YAML, version of the program). A file
            with another one is begun anew, because its pages must be read again.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self._places: dict[str, int] = {}
        """By address, where its line begins."""
        self._begun = self._load()

    def _load(self) -> bool:
        try:
            with self.path.open("rb") as file:
                if _parse(file.readline()).get("fingerprint") != self.fingerprint:
                    return False
                place = file.tell()
                for line in file:
                    if seen := _seen(line):
                        self._places[seen.url] = place
                    place += len(line)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._told(error, "lesen") from error
        return True

    def get(self, url: str) -> Seen | None:
        """What is known of the page at this canonical address.

        Raises:
            CheckupError: Where the file cannot be read.
        """
        place = self._places.get(url)
        if place is None:
            return None
        try:
            with self.path.open("rb") as file:
                file.seek(place)
                return _seen(file.readline())
        except OSError as error:
            raise self._told(error, "lesen") from error

    def put(self, seen: Seen) -> None:
        """Note a page.

        Raises:
            CheckupError: Where the file cannot be written.
        """
        # A line that a kill cut off is ended first.
        before = b"\n" if self._begun else _line({"fingerprint": self.fingerprint})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab" if self._begun else "wb") as file:
                place = file.tell() + len(before)
                file.write(before + _line(asdict(seen)))
        except OSError as error:
            raise self._told(error, "schreiben") from error
        self._places[seen.url] = place
        self._begun = True

    def hold(self, seen: Seen, record: Fetched) -> Fetched | None:
        """Nothing: a page's content has no place in this file, so that a page that waits is read anew after a kill."""
        return None

    def held(self, seen: Seen) -> Fetched | None:
        """Nothing, see `hold`."""
        return None

    def renew(self, fingerprint: str) -> None:
        """Write the file anew under another fingerprint, each page once; the old file stays until the new one is whole.

        Raises:
            CheckupError: Where the file cannot be read or written.
        """
        self.fingerprint = fingerprint
        if not self._places:
            return
        fresh = self.path.with_name(self.path.name + ".part")
        places: dict[str, int] = {}
        try:
            with self.path.open("rb") as old, fresh.open("wb") as new:
                new.write(_line({"fingerprint": fingerprint}))
                for url, place in self._places.items():
                    old.seek(place)
                    places[url] = new.tell()
                    new.write(old.readline())
            os.replace(fresh, self.path)
        except OSError as error:
            raise self._told(error, "schreiben") from error
        self._places = places

    def _told(self, error: OSError, what: str) -> CheckupError:
        return CheckupError(f"{self.path} lässt sich nicht {what}: {in_german(error)}.")


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _seen(line: bytes) -> Seen | None:
    """The page that a line tells of; None if a kill, another hand or a bad disk has damaged it: it is read anew."""
    entry = _parse(line)
    try:
        lists = {name: tuple(entry[name]) for name in ("links", "sitemaps")}
        return Seen(**{**entry, **lists, "lines": tuple(entry.get("lines", ()))})
    except (KeyError, TypeError):
        return None


def _parse(line: bytes) -> dict[str, Any]:
    """A line's object; empty for an empty line and for one that a kill cut off."""
    try:
        found = json.loads(line) if line.strip() else {}
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
