"""Time comes from outside: deciding code takes a `Clock`, so that a test can hold it still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, in UTC, with microseconds."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`: `2026-11-22T10:00:00.000000Z`. Naive moments are refused."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone has no meaning here")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime:
    """The moment that `to_text` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
