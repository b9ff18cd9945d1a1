"""Retention: how long a contract lets its dataset's rows be kept (GDPR 5(1)(e); LGPD 15, 16).

Rules:

1. `slaProperties: [{property: retention, value: 5, unit: y, element: asked_at}]`: a whole number of days, weeks,
   months or years, by the calendar: five years before 29 February is 28 February. `m` alone is refused: it may be
   minutes.
2. `element` is the column of dates or moments from which the time counts. Without one it counts from a version's
   commit.
3. What cannot be read is an error: nothing is kept longer, or thrown away, by mistake.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lastro.contract.contract import Contract
from lastro.model.errors import ConfigurationError
from lastro.model.schema import Primitive
from lastro.model.text import _

_PROPERTY = frozenset({"retention", "rn"})
_UNITS = {
    "day": "d day days",
    "week": "w week weeks",
    "month": "mo month months",
    "year": "y yr yrs year years",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_MOMENTS = frozenset({Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ})
_MOST = 100_000
_WHOLE = re.compile(r"([0-9]{1,6})(?:\.0+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Retention:
    """So many units, from what `column` holds, or from the commit where it is empty."""

    value: int
    unit: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.value} {self.unit}" + ("s" if self.value != 1 else "")

    def before(self, now: datetime) -> datetime:
        """The moment before which everything is past its time, in the zone of `now`."""
        if self.unit in {"day", "week"}:
            days = self.value * (7 if self.unit == "week" else 1)
            past = (now - datetime.min.replace(tzinfo=now.tzinfo)).days
            return now - timedelta(days=min(days, past))
        months = now.year * 12 + now.month - 1 - self.value * (12 if self.unit == "year" else 1)
        year, month = divmod(months, 12)
        if year < 1:
            return datetime.min.replace(tzinfo=now.tzinfo)
        return now.replace(year=year, month=month + 1, day=min(now.day, calendar.monthrange(year, month + 1)[1]))


def retention(contract: Contract) -> Retention | None:
    """What a contract says of retention, None if it says nothing. Raises `ConfigurationError`."""
    levels = [
        each
        for each in contract.document.get("slaProperties") or ()
        if str(each.get("property", "")).lower() in _PROPERTY
    ]
    if not levels:
        return None
    if len(levels) > 1:
        raise _wrong(contract, _("the contract says twice how long rows are kept"))
    return _read(levels[0], contract)


def _read(level: dict[str, Any], contract: Contract) -> Retention:  # Any: JSON values
    unit = _UNIT_OF.get(str(level.get("unit") or "d").strip().lower())
    found = _WHOLE.fullmatch(str(level.get("value")).strip())
    number = int(found[1]) if found is not None else 0
    if unit is None or not 0 < number <= _MOST:
        raise _wrong(contract, _("how long rows are kept cannot be read"))
    return Retention(number, unit, _column(str(level.get("element") or "").strip(), contract))


def _column(element: str, contract: Contract) -> str:
    if not element:
        return ""
    types = {column.name: column.type for column in contract.plan().columns}
    name = element if element in types else element.removeprefix(f"{contract.dataset}.")
    if types.get(name) not in _MOMENTS:
        raise _wrong(
            contract, _("retention counts from {column}, which is no column of dates").format(column=name[:80])
        )
    return name


def _wrong(contract: Contract, what: str) -> ConfigurationError:
    return ConfigurationError(
        what,
        where=f"contracts: {contract.dataset}: slaProperties.retention",
        do=_("write {example}").format(example="{property: retention, value: 5, unit: y, element: COLUMN}"),
    )
