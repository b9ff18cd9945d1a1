"""The cursor column of a PostgreSQL table, asked by SQL.

Values are texts as PostgreSQL writes them; it reads them back as its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _
from lastro.source.database.missing import fingerprint
from lastro.source.database.select import quoted
from lastro.source.postgres.columns import Column, Conversion
from lastro.source.postgres.session import Session, literal
from lastro.source.stream import Batches

_NUMBERS = {"int2", "int4", "int8", "numeric", "float4", "float8"}
_TIMES = {"date", "timestamp", "timestamptz"}
_ENDLESS = {"infinity", "Infinity", "NaN"}


@dataclass(frozen=True, slots=True)
class Growing:
    """The cursor column of a relation."""

    session: Session
    relation: str
    name: str
    type: str
    lag: float
    label: str
    columns: tuple[Column, ...]

    @property
    def column(self) -> str:
        """The column's name, quoted."""
        return quoted(self.name)

    def newest(self, *, less_lag: bool) -> str | None:
        """The greatest visible value, less the lag if asked for. Raises `SourceBroken` if it is infinite."""
        greatest = f"max({self.column})"
        shown = self._earlier(greatest) if less_lag else greatest
        value, raw = self.session.row(f"SELECT ({shown})::text, {greatest}::text FROM {self.relation}")
        if raw in _ENDLESS:
            raise SourceBroken(
                _("the cursor column holds an infinite value, and nothing can come after it"),
                where=self.label,
                do=_("read a query that leaves such rows out, or choose another cursor column"),
            )
        newest: str | None = value
        return newest

    def less_lag(self, value: str) -> str:
        """The value that lies the lag before another."""
        if not self.lag:
            return value
        earlier: str = self.session.row(f"SELECT ({self._earlier(self._value(value))})::text")[0]
        return earlier

    def since(self, last: str) -> str:
        """The condition of `upsert`: from the last value less the lag on."""
        return f"{self.column} >= {self._earlier(self._value(last))}"

    def above(self, value: str) -> str:
        """The condition for what comes after a value."""
        return f"{self.column} > {self._value(value)}"

    def up_to(self, value: str) -> str:
        """The condition for what comes up to a value."""
        return f"{self.column} <= {self._value(value)}"

    def tail(self, reached: str | None) -> int:
        """The number of rows from a value less the lag on."""
        if reached is None:
            return 0
        (count,) = self.session.row(f"SELECT count(*) FROM {self.relation} WHERE {self.since(reached)}")
        return int(count)

    def any(self, where: str) -> bool:
        """True if a row meets the condition."""
        return bool(self.session.row(f"SELECT EXISTS (SELECT 1 FROM {self.relation} WHERE {where})")[0])

    def stop(self, where: str, rows: int) -> str | None:
        """The value after which about `rows` rows that meet the condition are read, or None if all can be read at once.

        All rows of one value are read together. Where they are so many that twice the rows would come, the reading
        stops before them, unless they come first.
        """
        ((waiting,),) = self.session.rows(
            f"SELECT count(*) FROM (SELECT 1 FROM {self.relation} WHERE {where} LIMIT {rows + 1}) AS _some"
        )
        if waiting <= rows:
            return None
        value = self._max(f"SELECT {self.column} FROM {self.relation} WHERE {where} ORDER BY 1 LIMIT {rows}")
        if value is None:
            return None
        ((taken,),) = self.session.rows(
            f"SELECT count(*) FROM (SELECT 1 FROM {self.relation} WHERE ({where}) AND {self.up_to(value)}"
            f" LIMIT {2 * rows + 1}) AS _some"
        )
        if taken > 2 * rows:
            before = f"{self.column} < {self._value(value)}"
            value = self._max(f"SELECT {self.column} FROM {self.relation} WHERE ({where}) AND {before}") or value
        return value if self.any(f"({where}) AND {self.above(value)}") else None

    def has_missing(self) -> bool:
        """True if a row has no value. Not looked for where the column cannot be missing."""
        if not self.relation.startswith("("):
            certain = self.session.rows(
                f"SELECT attnotnull FROM pg_attribute WHERE attrelid = to_regclass({literal(self.relation)})"
                f" AND attname = {literal(self.name)}"
            )
            if certain and certain[0][0]:
                return False
        return self.any(f"{self.column} IS NULL")

    def missing(self) -> str:
        """What the rows without a value hold, all of it as text: no value of PostgreSQL's lacks one."""
        if not self.has_missing():
            return ""
        conversion = Conversion(tuple(column.as_text() for column in self.columns), self.label)
        selected = ", ".join(column.expression for column in conversion.columns)
        rows = self.session.batches(f"SELECT {selected} FROM {self.relation} WHERE {self.column} IS NULL")
        return fingerprint(Batches(conversion.schema, map(conversion, rows)))

    def _max(self, select: str) -> str | None:
        found: str | None = self.session.row(f"SELECT max({self.column})::text FROM ({select}) AS _first")[0]
        return found

    def _value(self, text: str) -> str:
        return f"{literal(text)}::{self.type}" if self.type in _NUMBERS | _TIMES else literal(text)

    def _earlier(self, expression: str) -> str:
        if not self.lag:
            return expression
        if self.type in _TIMES:
            return f"({expression} - interval '{self.lag:f} seconds')::{self.type}"
        if self.type in _NUMBERS:
            less = f"{self.lag:f}" if self.type not in {"int2", "int4", "int8"} else str(math.ceil(self.lag))
            return f"({expression} - {less})"
        raise ConfigurationError(
            _("a lag needs a cursor column of numbers, dates or times"), where=self.label, do=_("leave lag out")
        )
