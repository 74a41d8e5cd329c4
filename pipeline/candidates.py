"""Which pairs of records are worth comparing: those that share something rare, never all of them.

Below: `pipeline.duplicates`. Above: `pipeline.curate`. Blocking keys: the page's address, words of the name, town with
a number, with a word of the organisation or with a rare word of the text, and MinHash bands of the text (Broder 1997).
The cost grows with the number of records times a constant.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.duplicates import Prepared

Pair = tuple[int, int]

BUCKET = 24
"""Records under one key that are all compared with each other; of larger groups each with its next ones."""
WINDOW = 6
"""In a larger group, sorted by town and name: how many next ones."""
RARE = 12
"""A word of a text is rare if it stands in no more records than this."""
RAREST = 3
"""Rare words of a text that count as keys by themselves; twice as many do together with the town."""
BANDS, ROWS = 8, 3
"""MinHash: texts that share half of their runs of three words meet in one band with a chance of two in three; those
that share four fifths with 99 in a hundred. What shares less is found by the other keys."""


def candidates(prepared: Sequence[Prepared]) -> list[Pair]:
    """Pairs of places in `prepared` to compare, smaller first, sorted.

    Args:
        prepared: the records in the order of their ids.
    """
    buckets: dict[object, list[int]] = defaultdict(list)
    rare = _rare_words(prepared)
    for number, item in enumerate(prepared):
        for key in set(_keys(item, rare[number])):
            buckets[key].append(number)
    for band, number in _bands(prepared):
        buckets[band].append(number)
    pairs: set[Pair] = set()
    for members in buckets.values():
        pairs.update(_within(members, prepared))
    return sorted(pairs)


def _keys(item: Prepared, rare: Sequence[str]) -> Iterator[object]:
    """The keys under which a record meets others; those with a town are the ones that meet often."""
    url = (item.record.url or "").split("#")[0].removeprefix("http://").removeprefix("https://").rstrip("/")
    if url:
        yield "url", url
    generic = item.rules.generic
    words = {word for name in item.names for word in name.split() if len(word) > 3 and word not in generic}
    yield from (("name", name) for name in item.names)
    yield from (("word", word) for word in words)
    yield from (("text", word) for word in rare[:RAREST])
    carrier = {word for word in item.organisation.split() if word not in generic | item.place}
    for place in item.place:
        yield from (("place", place, kind) for kind in (*(word[:5] for word in words), *item.numbers, *rare))
        yield from (("carrier", place, word) for word in carrier)


def _rare_words(prepared: Sequence[Prepared]) -> list[list[str]]:
    """Of each record the words that stand in the fewest other records (and in at least one), rarest first."""
    count: dict[str, int] = defaultdict(int)
    for item in prepared:
        for word in item.words:
            count[word] += 1
    return [
        sorted(
            (word for word in item.words if 2 <= count[word] <= RARE), key=lambda word: (count[word], -len(word), word)
        )[: 2 * RAREST]
        for item in prepared
    ]


def _within(members: list[int], prepared: Sequence[Prepared]) -> Iterator[Pair]:
    """Pairs of a bucket; a large one is sorted and each member meets its next ones (Hernández and Stolfo 1995)."""
    if len(members) <= BUCKET:
        for at, one in enumerate(members):
            for other in members[at + 1 :]:
                yield one, other
        return
    ordered = sorted(members, key=lambda number: (sorted(prepared[number].place), prepared[number].title, number))
    for at, one in enumerate(ordered):
        for other in ordered[at + 1 : at + 1 + WINDOW]:
            yield min(one, other), max(one, other)


def _bands(prepared: Sequence[Prepared]) -> Iterator[tuple[object, int]]:
    """The MinHash bands of every text that has phrases."""
    factors = np.random.default_rng(1).integers(1, 2**31, BANDS * ROWS, np.uint64) * np.uint64(2) + np.uint64(1)
    for number, item in enumerate(prepared):
        if not item.phrases:
            continue
        hashes = np.fromiter(item.phrases, np.uint64, len(item.phrases))
        least = ((hashes[:, None] * factors) & np.uint64(0xFFFFFFFF)).min(axis=0).reshape(BANDS, ROWS)
        for band, row in enumerate(least):
            yield ("band", band, row.tobytes()), number
