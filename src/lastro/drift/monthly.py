"""How a monitor's false-alarm budget is spent within a month.

Rules:

1. The budget of a month (by the calendar, in UTC) is `Settings.alpha`. One half of it is for the reference's error,
   which is made once; the other half is divided among `Settings.looks`.
2. Each look that may alarm spends its part. Once the half is spent, looks go on and are recorded, and cannot alarm.
3. A look at what was looked at in the same month – the same versions, window and settings – is the same comparison: it
   spends nothing.
4. So the chance that anything false is raised in a month is at most `alpha`, for as long as the reference and the
   columns that share the budget are the same. Each further reference in a month has an error of its own, and adds at
   most half of `alpha`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from lastro.drift.settings import Settings

_ROUNDING = 1e-9


def cost(settings: Settings) -> float:
    """What one look spends."""
    return settings.alpha / 2 / settings.looks


def is_left(settings: Settings, spent: float) -> bool:
    """True if another look may alarm in a month in which so much was spent."""
    return spent + cost(settings) <= settings.alpha / 2 * (1 + _ROUNDING)


def month_of(moment: datetime) -> str:
    """The month that a look counts in: `2026-01`."""
    return moment.astimezone(UTC).strftime("%Y-%m")
