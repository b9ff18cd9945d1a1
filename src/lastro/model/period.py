"""Periods: how long something may take or how often it is to happen, as people write it.

Rules:

1. A period is a whole or decimal number and a unit: `15m`, `1.5 h`, `2 days`. `m` and `min` are minutes.
2. Months and years have no fixed length: a year is 365 days, and months are refused.
3. It is longer than nothing and at most ten years.
"""

from __future__ import annotations

import re
from datetime import timedelta

from lastro.model.errors import ConfigurationError
from lastro.model.text import _

LONGEST = timedelta(days=3650)
_PERIOD = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([A-Za-z]{1,10})\s*", re.ASCII)
_UNITS = {
    "s sec secs second seconds": 1,
    "m min mins minute minutes": 60,
    "h hr hrs hour hours": 3600,
    "d day days": 86_400,
    "w week weeks": 7 * 86_400,
    "y yr yrs year years": 365 * 86_400,
}
SECONDS = {word: seconds for words, seconds in _UNITS.items() for word in words.split()}
"""Every unit that is understood, and its seconds."""


def parse_period(text: str) -> timedelta:
    """The period that a person wrote. Raises `ConfigurationError`.

    >>> parse_period("15m")
    datetime.timedelta(seconds=900)
    """
    found = _PERIOD.fullmatch(text)
    seconds = SECONDS.get(found[2].lower()) if found else None
    if found is None or seconds is None:
        raise ConfigurationError(
            _("{text!r} is not a period").format(text=text[:40]), do=_("write a number and a unit: 30s, 15m, 1h, 1d")
        )
    period = timedelta(seconds=float(found[1]) * seconds) if float(found[1]) * seconds < 1e9 else None
    if period is None or not timedelta(0) < period <= LONGEST:
        raise ConfigurationError(
            _("the period {text!r} is out of range").format(text=text[:40]),
            do=_("choose one between a second and ten years"),
        )
    return period
