"""What cleaning did to the values of a column: counts before and after it, never values.

Rules:

1. A column is counted if its `transformLogic` reads the column it comes from, or one other that no column comes from.
   What is made of several columns is derived, not cleaned: there is no value before it.
2. Counted are the records that could be taken apart, kept or set aside: `rows`.
3. Missing is NULL, and a text of nothing but blanks and tabs, both as it arrived and as cleaning left it. The column's
   cast comes after that; what it cannot read is `unreadable`.
4. Changed is a value that is another after cleaning, from or to NULL too. Where cleaning makes another type, values
   cannot be compared, and nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One column's counts in rows. `changed` is None where values before and after are not of one type."""

    column: str
    rows: int
    missing_before: int
    missing_after: int
    changed: int | None
    unreadable: int = 0

    @property
    def any(self) -> bool:
        """True if cleaning made any difference that was counted."""
        return bool(self.changed) or self.missing_before != self.missing_after

    def plus(self, other: Cleaned) -> Cleaned:
        """The counts of both, which are of one column and of different rows."""
        return Cleaned(
            self.column,
            self.rows + other.rows,
            self.missing_before + other.missing_before,
            self.missing_after + other.missing_after,
            None if self.changed is None or other.changed is None else self.changed + other.changed,
            self.unreadable + other.unreadable,
        )


def together(batches: Iterable[Sequence[Cleaned]]) -> tuple[Cleaned, ...]:
    """The counts of several batches, by column, in the order in which columns are first there."""
    found: dict[str, Cleaned] = {}
    for each in (each for batch in batches for each in batch):
        found[each.column] = found[each.column].plus(each) if each.column in found else each
    return tuple(found.values())


def to_values(cleaned: Iterable[Cleaned]) -> dict[str, Any]:  # Any: JSON values
    """The counts as JSON values, by column."""
    return {each.column: {name: value for name, value in asdict(each).items() if name != "column"} for each in cleaned}


def from_values(values: Mapping[str, Any], columns: Sequence[str]) -> tuple[Cleaned, ...]:  # Any: JSON values
    """The counts that were written as `to_values` gives them, in the order of these columns."""
    known = Cleaned.__dataclass_fields__.keys() - {"column"}
    told = [(column, values[column]) for column in columns if column in values]
    return tuple(Cleaned(column, **{name: counts[name] for name in known if name in counts}) for column, counts in told)
