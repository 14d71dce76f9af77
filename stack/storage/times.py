"""Moments as clients read them."""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime


def iso(moment: datetime | None) -> str | None:
    """`2026-01-31T12:00:00.123Z`, as JavaScript writes a date."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{moment.microsecond // 1000:03d}Z"
    )


def http_date(moment: datetime) -> str:
    """`Sat, 31 Jan 2026 12:00:00 GMT`."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_http_date(text: str | None) -> datetime | None:
    """None for what is no date."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
