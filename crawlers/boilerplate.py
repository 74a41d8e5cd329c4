"""Learns which lines a site repeats on all its pages, and takes them out of the texts.

Below: nothing. Above: `walk`, for sources without a rule for the text. What is learnt are hashes, never the lines.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable

LEARN_PAGES = 8
"""Pages that are looked at before the first record is handed over."""
MIN_PAGES = 4
SHARE = 0.75
"""Share of the pages on which a line must stand; headings of a common outline stay below it on most sites."""
KEEP_CHARS = 40
"""A text is never cut below this."""


class Boilerplate:
    """The repeated lines of one site.

    Args:
        known: Hashes of lines learnt in an earlier run; None to learn anew.
    """

    def __init__(self, known: Iterable[str] | None = None) -> None:
        self.lines = frozenset(known) if known is not None else frozenset[str]()
        self.ready = known is not None
        self._seen: Counter[str] = Counter()
        self._pages = 0

    def learn(self, text: str) -> None:
        """Look at one more page's text; after `LEARN_PAGES` of them the lines are settled."""
        self._pages += 1
        self._seen.update({_key(line) for line in text.split("\n") if line.strip()})
        if self._pages >= LEARN_PAGES:
            self.settle()

    def settle(self) -> None:
        """Decide with the pages seen so far; too few of them teach nothing."""
        least = max(MIN_PAGES, SHARE * self._pages)
        self.lines = frozenset(line for line, pages in self._seen.items() if pages >= least)
        self.ready = True

    def cleaned(self, text: str) -> str:
        """The text without the repeated lines, in its order; unchanged where next to nothing would be left."""
        kept = "\n".join(line for line in text.split("\n") if _key(line) not in self.lines).strip()
        return kept if len(kept) >= KEEP_CHARS else text


def _key(line: str) -> str:
    return hashlib.sha256(" ".join(line.split()).casefold().encode()).hexdigest()[:24]
