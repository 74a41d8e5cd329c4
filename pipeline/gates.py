"""Whether what a crawl has brought may be kept: expectations of the source, sudden drops, suspicious changes.

Below: `crawlers.source` (what a source expects). Above: `pipeline.staging`. Pure: counts in, findings out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.store_staging import Staged

if TYPE_CHECKING:
    from crawlers.source import Expectation, SourceConfig

MOST_DROP = 0.30
"""A source that brings so much less than in its last good run has broken rather than shrunk."""
MOST_CHANGED, LEAST_KNOWN = 0.60, 20
"""More changed texts than this share of at least so many known pages: the site was rebuilt, or gives error pages."""
MOST_DRIFT, LEAST_TEXTS = 0.10, 50
"""The extractor's shares are compared over at least so many texts; a difference of ten points is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a gate found; one that does not hold the source is a remark."""

    gate: str
    """`min_records`, `max_records`, `fill`, `drop`, `changed` or `share_cap`."""
    reason: str
    """A German sentence that begins with the source's name."""
    holds: bool = True


def gates(source: "SourceConfig", found: Staged, last_good: int | None) -> list[Finding]:
    """What the gates say about a finished crawl, over everything it saw.

    Args:
        source: Its name, `expect`, `database` and `share_cap_percent` count.
        found: What is staged.
        last_good: Records of the source's last crawl that passed; None before the first one.
    """
    told = [*_numbers(source.expect, found.records), *_fill(source.expect, found)]
    told += [*_drop(found.records, last_good), *_changed(found)]
    findings = [Finding(gate=gate, reason=f"{source.name}: {reason}") for gate, reason in told]
    if source.database and found.records:
        most = int(found.records * source.share_cap_percent / 100)
        reason = (
            f"{source.name}: fremde Sammlung mit {found.records} Datensätzen; von höchstens {most} "
            f"({source.share_cap_percent:g} %) bleibt der ganze Text, von den übrigen Angaben und kurze Zitate."
        )
        findings.append(Finding(gate="share_cap", reason=reason, holds=False))
    return findings


def _numbers(expect: "Expectation", records: int) -> list[tuple[str, str]]:
    if expect.min_records is not None and records < expect.min_records:
        return [("min_records", f"{records} Datensätze, erwartet werden mindestens {expect.min_records}.")]
    if expect.max_records is not None and records > expect.max_records:
        return [("max_records", f"{records} Datensätze, erwartet werden höchstens {expect.max_records}.")]
    return []


def _fill(expect: "Expectation", found: Staged) -> list[tuple[str, str]]:
    told = []
    for name, wanted in expect.fill.items():
        share = found.filled.get(name, 0) / found.records if found.records else 1.0
        if share < wanted:
            rate = f"{share * 100:.0f} % gefüllt, erwartet werden {wanted * 100:.0f} %"
            told.append(("fill", f"„{name}“ ist bei {rate}."))
    return told


def _drop(records: int, last_good: int | None) -> list[tuple[str, str]]:
    if not last_good or records >= last_good * (1 - MOST_DROP):
        return []
    return [("drop", f"nur noch {records} Datensätze, im letzten guten Lauf waren es {last_good}.")]


def _changed(found: Staged) -> list[tuple[str, str]]:
    if found.known < LEAST_KNOWN or found.changed <= found.known * MOST_CHANGED:
        return []
    return [("changed", f"{found.changed} von {found.known} bekannten Seiten haben einen anderen Text.")]


def drift(
    fresh_texts: int, fresh: Mapping[str, float], stored_texts: int, stored: Mapping[str, float]
) -> list[tuple[str, float, float]]:
    """Labels whose share in newly read texts differs from the stored ones' by more than ten points.

    Args:
        fresh_texts: How many texts were read now.
        fresh: Shares 0..1 by label.
        stored_texts: How many had been read before.
        stored: Their shares.

    Returns:
        Label, share before, share now; the greatest move first, then by name; none over fewer than 50 texts.
    """
    if min(fresh_texts, stored_texts) < LEAST_TEXTS:
        return []
    moved = [(name, stored.get(name, 0.0), fresh.get(name, 0.0)) for name in {*fresh, *stored}]
    far = [item for item in moved if abs(item[2] - item[1]) > MOST_DRIFT]
    return sorted(far, key=lambda item: (-abs(item[2] - item[1]), item[0]))
