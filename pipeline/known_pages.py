"""What a crawl into the database may believe of its memory: only pages whose records are stored or staged.

Below: `crawlers.memory` (pages), `data.store_staging` (records), `pipeline.ingest`. Above: `pipeline.staging`.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from crawlers.memory import FileMemory
from crawlers.web import Seen
from data.records import Fetched
from data.store import Store
from data.store_erase import Door
from data.store_staging import WAITING, page_address, pages_of, stage, waiting_record
from pipeline.ingest import as_fetched, from_fetched

if TYPE_CHECKING:
    from crawlers.source import SourceConfig


class KnownPages:
    """A memory (`crawlers.web.Memory`) that admits to a record's page only where the record is stored or staged.

    So a record that was erased, or lost with its database, is read anew instead of being called unchanged. A list is
    one page: it is never taken from an interrupted attempt. A record that waits for what its site repeats is staged,
    masked like every other; in the memory's file are the hashes of its lines only, until the crawl has passed.

    Args:
        store: Held for writing.
        source: Whose pages these are.
        began: When the attempt began; ISO 8601 in UTC.
        inner: The memory's file.
        door: Knows what was erased.
    """

    def __init__(self, store: Store, source: "SourceConfig", began: str, inner: FileMemory, door: Door) -> None:
        self.inner = inner
        self.used = False
        self._store = store
        self._source = source.name
        self._door = door
        self._whole = source.kind == "list"
        self._began = began
        self._pages = pages_of(store, source.name)

    def get(self, url: str) -> Seen | None:
        """What is known of a page, where its record is still there."""
        self.used = True
        seen = self.inner.get(url)
        if seen is None or not seen.record:
            return seen
        again = self._whole and seen.fetched_at >= self._began
        return None if again or not self.ids(seen.final_url) else seen

    def put(self, seen: Seen) -> None:
        """Remember a page, unless it must leave no trace."""
        self.used = True
        if not self._door:
            self.inner.put(seen)
        elif not self._leaves_no_trace(seen):
            self.inner.put(replace(seen, links=self._let_in(seen.links), sitemaps=self._let_in(seen.sitemaps)))

    def hold(self, seen: Seen, record: Fetched) -> Fetched | None:
        """Stage a record that waits, masked and marked, then remember its page; nothing of what must leave no trace."""
        project = self._door.apply(from_fetched(record), self._source)
        if project is None or self._leaves_no_trace(seen):
            return None
        stage(self._store, self._source, WAITING, project, record.fetched_at)
        self._pages[page_address(seen.final_url)] = [project.id]
        self.put(seen)
        return self.held(seen)

    def held(self, seen: Seen) -> Fetched | None:
        """The record of a page that waits; None once it has been handed over."""
        for project_id in self.ids(seen.final_url):
            project = waiting_record(self._store, self._source, project_id)
            if project is not None:
                return as_fetched(project, source=self._source, sha256=seen.sha256, fetched_at=seen.fetched_at)
        return None

    def ids(self, url: str) -> list[str]:
        """The records of a page; a list that did not change stands for all of its rows."""
        if self._whole:
            return [project_id for ids in self._pages.values() for project_id in ids]
        return self._pages.get(page_address(url), [])

    def _let_in(self, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(url for url in urls if not self._door.leaves_no_trace(url))

    def _leaves_no_trace(self, seen: Seen) -> bool:
        return any(map(self._door.leaves_no_trace, (seen.url, seen.final_url, seen.answered)))
