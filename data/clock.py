"""Times as the database keeps them: ISO 8601 text in UTC with milliseconds, so that text order is time order.

Below: nothing. Above: `data.store`, `crawlers`, `pipeline.refresh`.
"""

from datetime import UTC, datetime


def utc_now() -> str:
    """The present moment, e.g. `2026-11-25T18:57:00.123Z`."""
    return _text(datetime.now(UTC))


def as_utc(value: str) -> str:
    """An ISO 8601 date or time in the one form of the database; without a zone it counts as UTC.

    Raises:
        ValueError: Not ISO 8601.
    """
    moment = datetime.fromisoformat(value)
    return _text(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
