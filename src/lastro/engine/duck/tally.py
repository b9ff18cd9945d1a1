"""Rules over stored files: how many rows break each, and which.

Rules:

1. All row rules share one scan, without groups: memory does not grow with the rows, nor with the ways they are broken.
   Rows never leave DuckDB to be counted.
2. A table rule has a plan of its own. What several measure is measured once, and rows are counted already.
3. Rows that fail are numbered within the files, from 1, in the order in which `stored.read` gives them. A row that
   breaks several rules comes once, with all of their names.
4. Values are shown as Python has them; dates, moments and nested values as texts, so that none is out of range, and no
   zone database is asked.
5. Of rows with equal values in columns whose duplicates are counted, all but the first fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lastro.engine.duck.connection import name, session
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.stored import relation, relations, told
from lastro.engine.protocol import Failing, FailingRow, OtherRows, Tally
from lastro.engine.sql import counting, measure, stored
from lastro.engine.sql.compile import BITS_PER_WORD, CompiledBatch, compile_batch, recorded
from lastro.engine.sql.dialect import column as tree_of
from lastro.engine.sql.dialect import render
from lastro.model.plan import Duplicates, Measure, Plan, RowCount
from lastro.model.schema import Decimal, Primitive, Schema, Type

_AS_TEXT = (Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ)


def tally(
    files: Sequence[Path],
    schema: Schema,
    plan: Plan,
    limits: Limits,
    temp: Path | None,
    *,
    only: str | None,
    others: Mapping[str, OtherRows],
) -> Tally:
    """Counts for every rule of the plan. Raises `SqlRefused`, `Corrupted`, `EngineError`."""
    readable = [*files, *(path for other in others.values() for path in other.files)]
    with told(readable), session(limits, readable=readable, temp=temp) as connection:
        every = relation(connection, files, schema)
        batch = compile_batch(plan, schema, dialect="duckdb")
        ((rows, *counts),) = connection.execute(batch.tally(every)).fetchall()
        chosen, counted = every, rows
        if only is not None:
            chosen = f"(SELECT * FROM {every} WHERE {name(only)})"
            ((counted,),) = connection.execute(f"SELECT count(*) FROM {chosen}").fetchall()
        table, source = stored.table(plan, schema, batch, chosen)
        there = relations(connection, others)
        known: dict[Measure, float] = {RowCount(): float(counted)}
        for rule in plan.table_rules:
            if rule.measure not in known:
                query = counting.table_rule(rule, table, source, table=plan.dataset, dialect="duckdb", others=there)
                found = connection.execute(query).fetchall()
                known[rule.measure] = measure.measured(found[0][0] if found else None)
        numbers = {rule.name: known[rule.measure] for rule in plan.table_rules}
    refused = {rule: int(count) for rule, count in zip(batch.rules, counts, strict=True)}
    return Tally(int(rows), refused, int(counted), numbers)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about failing rows: by which rules, which stored columns are shown, and of how many rows."""

    rules: Sequence[str]
    show: Sequence[str]
    limit: int
    only: str | None = None


def failing(
    files: Sequence[Path], schema: Schema, plan: Plan, asked: Asked, limits: Limits, temp: Path | None
) -> Failing:
    """Rows that break some of the rules asked for. Raises `SqlRefused`, `Corrupted`, `EngineError`."""
    with told(files), session(limits, readable=files, temp=temp) as connection:
        return _Search(connection, relation(connection, files, schema), schema, plan, asked).run()


class _Search:
    """One question: the stored rows numbered, their bits, and the numbers of rows that repeat others."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, every: str, schema: Schema, plan: Plan, asked: Asked
    ) -> None:
        self.connection, self.every, self.plan, self.asked = connection, every, plan, asked
        prefix = "_"
        while any(each.startswith(prefix) for each in (*schema.names, *plan.schema.names)):
            prefix += "_"
        self.row = f"{prefix}row"
        self.kinds = {field.name: field.type for field in schema.fields}
        self.shown = {f"{prefix}shown_{index}": column for index, column in enumerate(asked.show)}
        self.batch = compile_batch(plan, schema, dialect="duckdb", carry=(self.row, *self.shown))
        self.repeats = {
            rule.name: self._repeats(rule.measure.columns)
            for rule in plan.table_rules
            if rule.name in asked.rules and isinstance(rule.measure, Duplicates) and not rule.measure.approximate
        }

    def run(self) -> Failing:
        marks = [f"{name(self.row)} IN ({query})" for query in self.repeats.values()]
        shown = ", ".join([f"{name(self.row)} AS row", *map(name, self.batch.bits), *map(name, self.shown)])
        marked = "".join(f", {mark} AS {name(f'{self.row}_{index}')}" for index, mark in enumerate(marks))
        select = self.batch.select(self._numbered(self.shown), carry=(self.row, *self.shown))
        broken = " OR ".join([*self._masked(self.batch), *marks]) or "false"
        ((total,),) = self.connection.execute(f"SELECT count(*) FROM ({select}) WHERE {broken}").fetchall()
        rows: list[FailingRow] = []
        if total and self.asked.limit > 0:
            query = f"SELECT {shown}{marked} FROM ({select}) WHERE {broken} ORDER BY row LIMIT {int(self.asked.limit)}"
            rows = [self._row(found) for found in self.connection.execute(query).fetchall()]
        return Failing(int(total), tuple(rows))

    def _numbered(self, columns: Mapping[str, str]) -> str:
        """The stored rows with their numbers, and these columns once more under other names."""
        copies = "".join(
            f", {_shown(column, self.kinds[column])} AS {name(alias)}" for alias, column in columns.items()
        )
        return f"(SELECT *{copies}, row_number() OVER () AS {name(self.row)} FROM {self.every})"

    def _repeats(self, columns: Sequence[str]) -> str:
        """The numbers of rows whose values in these columns stand in an earlier row."""
        names = [name(column) for column in columns]
        there = " AND ".join(f"{column} IS NOT NULL" for column in names)
        numbered = self._numbered({})
        if self.asked.only is not None:
            numbered = f"(SELECT * FROM {numbered} WHERE {name(self.asked.only)})"
        nth = f"row_number() OVER (PARTITION BY {', '.join(names)} ORDER BY {name(self.row)})"
        tidied = self.batch.tidied(numbered, carry=(self.row,))
        return f"SELECT {name(self.row)} FROM ({tidied}) WHERE {there} QUALIFY {nth} > 1"

    def _masked(self, batch: CompiledBatch) -> Iterator[str]:
        """For each word of bits that holds a rule asked for: whether one of these rules is broken."""
        for index, word in enumerate(batch.bits):
            part = batch.rules[index * BITS_PER_WORD : (index + 1) * BITS_PER_WORD]
            mask = sum(1 << bit for bit, rule in enumerate(part) if rule in self.asked.rules)
            if mask:
                yield f"({name(word)} & {mask}::BIGINT) <> 0"

    def _row(self, found: Sequence[object]) -> FailingRow:
        row, *rest = found
        words, rest = rest[: len(self.batch.bits)], rest[len(self.batch.bits) :]
        values, marks = rest[: len(self.shown)], rest[len(self.shown) :]
        broken = [rule for rule in self.batch.rules_of([int(str(word)) for word in words]) if rule in self.asked.rules]
        broken += [rule for rule, mark in zip(self.repeats, marks, strict=True) if mark]
        return FailingRow(int(str(row)), tuple(broken), dict(zip(self.shown.values(), values, strict=True)))


def _shown(column: str, kind: Type) -> str:
    """A stored column as it is shown (rule 4)."""
    is_plain = isinstance(kind, Decimal) or (isinstance(kind, Primitive) and kind not in _AS_TEXT)
    return name(column) if is_plain else render(recorded(tree_of(column), kind, "duckdb"), "duckdb")
