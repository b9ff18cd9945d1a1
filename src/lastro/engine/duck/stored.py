"""Stored files: our own Parquet, read in this process.

Rules:

1. A column that a file does not have yet is NULL for its rows; columns come in the schema's order, rows in the files'.
2. A condition passes the SQL door; what runs is generated from its tree.
3. A file that cannot be read is damage, and told as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp

from lastro.engine.duck.arrow import conform, to_arrow
from lastro.engine.duck.connection import in_order, name, session, texts
from lastro.engine.duck.failure import of_exception, to_error
from lastro.engine.duck.limits import Limits
from lastro.engine.encrypted import again, has_encrypted, metadata, needing
from lastro.engine.protocol import ColumnMeasures, Measures, OtherRows
from lastro.engine.sql import counting, door, measure
from lastro.engine.sql.dialect import data_type, render
from lastro.model.errors import Corrupted, LastroError
from lastro.model.plan import TableRule
from lastro.model.schema import Schema
from lastro.model.text import _

BATCH_ROWS = 122_880


def relation(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], schema: Schema) -> str:
    """A sub-select over the files' rows with the schema's columns."""
    types = {field.name: data_type(field.type).sql("duckdb") for field in schema.fields}
    if not files:
        items = [f"CAST(NULL AS {types[column]}) AS {name(column)}" for column in schema.names]
        return f"(SELECT {', '.join(items)} LIMIT 0)"
    union = ", union_by_name = true" if len(files) > 1 else ""
    source = f"read_parquet({texts(files)}{union})"
    present = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    items = [
        f"CAST({name(column) if column in present else 'NULL'} AS {types[column]}) AS {name(column)}"
        for column in schema.names
    ]
    return f"(SELECT {', '.join(items)} FROM {source})"


def relations(connection: duckdb.DuckDBPyConnection, others: Mapping[str, OtherRows]) -> dict[str, counting.Relation]:
    """Sub-selects over the rows of other datasets, by what each is called."""
    return {
        key: counting.Relation(relation(connection, other.files, other.schema), other.schema)
        for key, other in others.items()
    }


@contextmanager
def told(files: Sequence[Path]) -> Iterator[None]:
    """Turns what DuckDB says about our own files into errors of the tree, without its words."""
    try:
        yield
    except LastroError:
        raise
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        failure = of_exception(error)
        if failure.reason not in {"parquet", "truncated"} and not isinstance(error, (duckdb.IOException, OSError)):
            raise to_error(failure) from error
        broken = [path for path in files if not path.exists()] or list(files)
        raise Corrupted(
            _("a data file is missing or cannot be read"),
            where=str(broken[0]) if len(broken) == 1 else str(files[0].parent),
            do=_("lastro verify names the file; restore it from a backup"),
        ) from error


def read(
    files: Sequence[Path],
    schema: Schema,
    columns: Sequence[str] | None,
    where: str | None,
    limits: Limits,
    temp: Path | None,
) -> pa.RecordBatchReader:
    """The files' rows as a stream. Raises `SqlRefused`, `Corrupted`, `EngineError`.

    Of files with encrypted columns that are asked for, one at a time stands decrypted in memory.
    """
    chosen = schema if columns is None else Schema(tuple(schema.field(column) for column in columns))
    condition = None if where is None else door.condition(where, columns=schema.names, where="where")
    with told(files):
        files = needing(files, {*chosen.names, *(() if condition is None else door.columns(condition))})
        shut = has_encrypted(files)
    if not shut or len(files) < 2:
        return _read(files, schema, chosen, condition, limits, temp)
    first = _read([again(files[0])], schema, chosen, condition, limits, temp)  # tells at once if the keys are not there
    others = (_read([again(path)], schema, chosen, condition, limits, temp) for path in files[1:])
    rows = (batch for reader in chain([first], others) for batch in reader)
    return pa.RecordBatchReader.from_batches(to_arrow(chosen), rows)


def _read(
    files: Sequence[Path],
    schema: Schema,
    chosen: Schema,
    condition: exp.Expr | None,
    limits: Limits,
    temp: Path | None,
) -> pa.RecordBatchReader:
    with ExitStack() as opening, told(files):
        connection = opening.enter_context(session(limits, readable=files, temp=temp))
        items = ", ".join(name(column) for column in chosen.names)
        query = f"SELECT {items} FROM {relation(connection, files, schema)}"
        if condition is not None:
            query += f" WHERE {render(condition, 'duckdb')}"
        batches = in_order(connection, query).to_arrow_reader(BATCH_ROWS)
        target = to_arrow(chosen)
        rows = _Rows(opening.pop_all(), batches, target, files)
    return pa.RecordBatchReader.from_batches(target, rows)


class _Rows:
    """The batches of a query; its connection is closed at their end, or when nobody wants them any more."""

    def __init__(
        self, stack: ExitStack, batches: pa.RecordBatchReader, target: pa.Schema, files: Sequence[Path]
    ) -> None:
        self._stack, self._batches, self._target, self._files = stack, batches, target, files

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            with told(self._files):
                return conform(next(self._batches), self._target)
        except BaseException:
            self._stack.close()
            raise

    def __del__(self) -> None:
        self._stack.close()


def measured(
    files: Sequence[Path],
    schema: Schema,
    rules: Sequence[TableRule],
    table: str,
    limits: Limits,
    temp: Path | None,
    *,
    only: str | None = None,
    others: Mapping[str, OtherRows] | None = None,
) -> Measures:
    """Counts of every column, and every rule's number. Raises `SqlRefused`, `Corrupted`, `EngineError`."""
    others = others or {}
    readable = [*files, *(path for other in others.values() for path in other.files)]
    with told(readable), session(limits, readable=readable, temp=temp) as connection:
        source = relation(connection, files, schema)
        simple = [field.name for field in schema.fields if not measure.is_measured(field.type)]
        counted = _nulls(files, simple) if only is None else {}
        if only is not None:
            source = f"(SELECT * FROM {source} WHERE {name(only)})"
        asked = Schema(tuple(field for field in schema.fields if field.name not in counted))
        ((*row,),) = connection.execute(measure.columns(asked, source, dialect="duckdb")).fetchall()
        rows, found_columns = measure.read_columns(row, asked)
        found_columns = {**found_columns, **{column: ColumnMeasures(nulls) for column, nulls in counted.items()}}
        columns = {column: found_columns[column] for column in schema.names}
        there = relations(connection, others)
        numbers = {}
        for rule in rules:
            text = counting.table_rule(rule, schema, source, table=table, dialect="duckdb", others=there)
            found = connection.execute(text).fetchall()
            numbers[rule.name] = measure.measured(found[0][0] if found else None)
    return Measures(rows, columns, numbers)


def _nulls(files: Sequence[Path], names: Sequence[str]) -> Mapping[str, int]:
    """How many values of these columns are missing, as the files' own footers say; without columns they do not tell.

    Texts need not be read again only to be counted.
    """
    counts = dict.fromkeys(names, 0)
    for path in files:
        footer = metadata(path, columns=names)
        places = {footer.schema.column(index).path: index for index in range(footer.num_columns)}
        present = set(footer.schema.to_arrow_schema().names)
        for column in tuple(counts):
            if column not in present:
                counts[column] += footer.num_rows
                continue
            groups = [
                footer.row_group(group).column(places[column]).statistics if column in places else None
                for group in range(footer.num_row_groups)
            ]
            told_counts = [group.null_count for group in groups if group is not None and group.has_null_count]
            if len(told_counts) == len(groups):
                counts[column] += sum(told_counts)
            else:
                del counts[column]
    return counts
