"""Learns which lines a site repeats on all its pages, and takes them out of the texts.

Below: nothing. Above: `handover`, for sources without a rule for the text. What is learnt are hashes, never the lines:
a text whose personal data were masked meanwhile is still cleaned by the hashes of its lines as they were.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

LEARN_PAGES = 8
"""Pages that are looked at before the first record is handed over."""
MIN_PAGES = 4
SHARE = 0.75
"""Share of the pages on which a line must stand; headings of a common outline stay below it on most sites."""
KEEP_CHARS = 40
"""A text is never cut below this."""
LINE_CHARS = 24
"""Length of a line's hash; what stands behind it in a key is of no concern here (`copies.blind_keys`)."""


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

    def learn(self, keys: Iterable[str]) -> None:
        """Look at the lines of one more page (`line_keys`); after `LEARN_PAGES` of them what is repeated is settled."""
        self._pages += 1
        self._seen.update({key[:LINE_CHARS] for key in keys if key})
        if self._pages >= LEARN_PAGES:
            self.settle()

    def settle(self) -> None:
        """Decide with the pages seen so far; too few of them teach nothing."""
        least = max(MIN_PAGES, SHARE * self._pages)
        self.lines = frozenset(line for line, pages in self._seen.items() if pages >= least)
        self.ready = True

    def cleaned(self, text: str, keys: Sequence[str] | None = None) -> tuple[str, list[str]]:
        """The text without the repeated lines, in its order; unchanged where next to nothing would be left.

        Args:
            text: The text.
            keys: Its lines' hashes before its personal data were masked; None: it is as it was. Where a mask runs over
                the end of a line they no longer fit, and the lines are judged as they stand.

        Returns:
            The text and the hashes of the lines that stayed, without those of empty lines.
        """
        lines = text.split("\n")
        judged = keys if keys is not None and len(keys) == len(lines) else line_keys(text)
        stay = [(line, key) for line, key in zip(lines, judged, strict=True) if key[:LINE_CHARS] not in self.lines]
        kept = "\n".join(line for line, _ in stay).strip()
        if len(kept) < KEEP_CHARS:
            return text, list(filter(None, judged))
        return kept, [key for _, key in stay if key]


def line_keys(text: str) -> tuple[str, ...]:
    """The hash of each line, blind to case and to how many blanks part its words; empty for an empty line."""
    return tuple(_key(line) if line.strip() else "" for line in text.split("\n"))


def _key(line: str) -> str:
    return hashlib.sha256(" ".join(line.split()).casefold().encode("utf-8", "replace")).hexdigest()[:LINE_CHARS]
