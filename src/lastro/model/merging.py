"""How a batch meets the rows of a table: what a dataset promises of its history and its deletes, as values.

Rules:

1. Rows are matched by the primary key; a key with a NULL in it equals nothing.
2. In a history every state of a row is a row of its own, valid from `start` (inclusive) to `end` (exclusive, NULL while
   it is the current one). States of one key never overlap.
3. A row of the batch says that its key is deleted if its `deletes` column is true, a number other than 0, or a date or
   moment that is present. Text is no truth value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lastro.model.schema import Decimal, Field, Primitive, Schema, Type

_MOMENTS = frozenset({Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ})
_FLAGS = frozenset({Primitive.BOOLEAN, Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG}) | _MOMENTS


@dataclass(frozen=True, slots=True)
class History:
    """The columns in which a table keeps every state of its rows, and where the moment of a change comes from.

    `effective` is the column that says when a state began; None takes the clock of the commit. Differences in the
    columns of `ignore` alone make no new state. `whole` says that a reading brings every row that there is, so that a
    key it lacks has ended.
    """

    start: str = "valid_from"
    end: str = "valid_to"
    current: str = "is_current"
    effective: str | None = None
    ignore: tuple[str, ...] = ()
    whole: bool = True

    @property
    def columns(self) -> tuple[str, str, str]:
        """The names of the three columns, in their order."""
        return self.start, self.end, self.current

    def fields(self, schema: Schema) -> tuple[Field, ...]:
        """The three columns; moments have the type of the `effective` column of the schema."""
        kind: Type = Primitive.TIMESTAMP if self.effective is None else schema.field(self.effective).type
        return (
            Field(self.start, kind, nullable=False),
            Field(self.end, kind),
            Field(self.current, Primitive.BOOLEAN, nullable=False),
        )


@dataclass(frozen=True, slots=True)
class Deletes:
    """How rows that are deleted at the source are known: by a `column` that says so, or because the source no longer
    lists their `keys`. At most `percent_max` of a table's rows may vanish at once; None is the usual guard.
    """

    column: str | None = None
    keys: bool = False
    percent_max: float | None = None


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What an engine must do with one batch.

    Rows differ if a column of `compared` does. `gone` is the batch's column that says that a row is deleted. With
    `whole`, stored rows whose key the batch lacks end. With a `history`, rows end at `moment` unless the batch says
    when, and stored rows without a history began at `began`.
    """

    key: tuple[str, ...]
    compared: tuple[str, ...]
    gone: str | None = None
    whole: bool = False
    history: History | None = None
    moment: datetime | None = None
    began: datetime | None = None


def is_moment(kind: Type) -> bool:
    """True for types that say when."""
    return kind in _MOMENTS


def is_flag(kind: Type) -> bool:
    """True for types whose values can say that a row is deleted (rule 3)."""
    return kind in _FLAGS or isinstance(kind, Decimal)
