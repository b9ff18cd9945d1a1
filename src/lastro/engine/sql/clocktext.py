"""Clean dates and times written again as a column reads them: what `clockform` reads, the other way round.

Rules:

1. A text that the column would not read back to the same value stays as it is: then the contract refuses it, and no
   value changes without a word. So it is with a moment of which the format has no room for a part, and with one that
   the clock of the column's zone shows twice.
2. Names are English, numbers have their leading zeros.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from lastro.engine.sql import clockform
from lastro.model.plan import ColumnPlan
from lastro.model.schema import Primitive

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DIRECTIVE = re.compile(r"%-?([A-Za-z%])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKED = (Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ)


def as_read(text: str, column: ColumnPlan) -> str:
    """The text of a clean value (ISO 8601) in the column's own format; other columns' texts as they are."""
    form = column.format
    if form is None or form == clockform.ISO_NS or not (column.is_time or column.type in _CLOCKED):
        return text
    moment = _moment(text, column)
    if form in clockform.EPOCHS:
        number = _since_epoch(moment, form)
        return number if len(number.lstrip("-").partition(".")[0]) <= clockform.EPOCHS[form][0] else text
    local = _local(moment, column, has_zone="%z" in form)
    if local is None or not _has_room(form, local):
        return text
    return _DIRECTIVE.sub(lambda found: _part(found[1], local), form)


def _moment(text: str, column: ColumnPlan) -> datetime:
    if column.is_time:
        return datetime.combine(date(1970, 1, 1), time.fromisoformat(text))
    if column.type is Primitive.DATE:
        return datetime.combine(date.fromisoformat(text), time())
    return datetime.fromisoformat(text)


def _since_epoch(moment: datetime, form: str) -> str:
    micros = Decimal((moment - _EPOCH) // timedelta(microseconds=1))
    return f"{(micros / Decimal(clockform.EPOCHS[form][1])).normalize():f}"


def _local(moment: datetime, column: ColumnPlan, *, has_zone: bool) -> datetime | None:
    """What the clock shows that the format is read by; None where it shows two moments alike."""
    if moment.tzinfo is None or has_zone or column.zone is None:
        return moment
    local = moment.astimezone(ZoneInfo(column.zone))
    return local if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset() else None


def _has_room(form: str, moment: datetime) -> bool:
    parts = {"H": moment.hour, "M": moment.minute, "S": moment.second, "f": moment.microsecond}
    named = set(_DIRECTIVE.findall(form))
    return all(directive in named for directive, value in parts.items() if value)


def _part(directive: str, moment: datetime) -> str:
    match directive:
        case "Y":
            return f"{moment.year:04d}"
        case "b" | "B":
            month = _MONTHS[moment.month - 1]
            return month[:3] if directive == "b" else month
        case "a" | "A":
            day = _DAYS[moment.weekday()]
            return day[:3] if directive == "a" else day
        case "z":
            return "+0000"
        case "f":
            return f"{moment.microsecond:06d}"
        case "%":
            return "%"
        case _:
            numbers = {"m": moment.month, "d": moment.day, "H": moment.hour, "M": moment.minute, "S": moment.second}
            return f"{numbers[directive]:02d}"
