"""Numbers, sizes, durations and moments as people write them, in the reader's language."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from lastro.model.text import _, figures

NOTHING = "–"
_EXACT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,40})(?P<rest>(?:\.[0-9]+)?)", re.ASCII)
_WHOLE_SECOND = re.compile(r"(T[0-9]{2}:[0-9]{2}:[0-9]{2})\.0+", re.ASCII)
_SIZES = ("KiB", "MiB", "GiB", "TiB", "PiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def number(value: float | None, *, decimals: int = 4) -> str:
    """`1,234.5` in English, `1.234,5` in Portuguese; at most `decimals` decimals, `–` for None."""
    if value is None:
        return NOTHING
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return figures(_digits(value, decimals))


def _digits(value: float, decimals: int) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 1e15 or abs(value) < 0.5 * 10**-decimals:
        return f"{value:.3g}"
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")


def percent(part: float, whole: float) -> str:
    """How much of `whole` a part is, with one decimal: `3.1 %`; `–` of nothing."""
    return f"{number(100 * part / whole, decimals=1)} %" if whole else NOTHING


def signed(value: int) -> str:
    """A change: `+1,200`, `-3`, `0`."""
    return f"+{number(value)}" if value > 0 else number(value)


def size(count: int) -> str:
    """Bytes in the largest fitting unit: `812 B`, `1.4 MiB`."""
    value = float(count)
    if value < 1024:
        return f"{number(count)} B"
    for unit in _SIZES:
        value /= 1024
        if value < 1024 or unit == _SIZES[-1]:
            break
    return f"{number(value, decimals=1)} {unit}"


def duration(seconds: float) -> str:
    """`34 ms`, `5.2 s`, `1 min 15 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0.9995:
        return f"{number(round(seconds * 1000))} ms"
    if seconds < 59.95:
        return f"{number(seconds, decimals=1)} s"
    whole = round(seconds)
    if whole < _HOUR:
        return _pair(whole // _MINUTE, "min", whole % _MINUTE, "s")
    if whole < _DAY:
        return _pair(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return _pair(whole // _DAY, _("d"), whole % _DAY // _HOUR, "h")


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    text = f"{number(large)} {large_unit}"
    return f"{text} {small} {small_unit}" if small else text


def bound(text: str | None) -> str | None:
    """A measured minimum or maximum: no digit of a number is lost, a moment loses only a fraction of zeros."""
    if text is None:
        return None
    if found := _EXACT.fullmatch(text):
        return found["sign"] + figures(f"{int(found['whole']):,}{found['rest']}")
    return _WHOLE_SECOND.sub(r"\1", text)


def moment(value: datetime) -> str:
    """A moment in UTC, to the minute: `2026-11-22 10:00`."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def short_digest(digest: str | None) -> str:
    """The first 12 hex digits with the prefix: enough to tell versions apart, and a valid reference."""
    return digest[: len("sha256:") + 12] if digest else NOTHING
