"""What computes: reads inputs, executes plans, answers queries. The only home of duckdb, pyspark and sqlglot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager

    from lastro.engine.duck.deriving import Session
    from lastro.engine.duck.limits import Limits
    from lastro.engine.protocol import Engine
    from lastro.engine.scan import Csv, StreamScan
    from lastro.engine.sql.lineage import Columns
    from lastro.model.leakage import Sides
    from lastro.model.plan import Plan
    from lastro.model.schema import Schema

__all__ = [
    "columns_in",
    "columns_of",
    "columns_through",
    "create",
    "database",
    "deriving",
    "elements",
    "first_lines",
    "parameters_of",
    "sides",
    "sniff",
    "tables_of",
]


def create(
    name: str,
    *,
    memory_mb: int = 600,
    threads: int | None = None,
    temp: Path | Callable[[], Path] | None = None,
    **limits: Any,  # Any: fields of `engine.duck.limits.Limits`, or the engine's own
) -> Engine:
    """The engine of that name: `duckdb`, `spark`, or one that a third party registered.

    `temp` is where it spills, or makes that place when it is first needed; what is written there is removed. Nothing
    heavy is imported before it is used. Raises `ConfigurationError` for an unknown name, `MissingExtra`.
    """
    from lastro.engine import registry

    return registry.create(name, memory_mb=memory_mb, threads=threads, temp=temp, **limits)


def sniff(path: Path) -> Csv:
    """How a delimited file is written: delimiter, quote, header, encoding, null texts. Read in a guarded child.

    Raises `SourceUnreachable`, `SourceBroken`, `LimitExceeded`.
    """
    from lastro.engine.duck.sniffing import sniff as look

    return look(path)


def first_lines(path: Path) -> tuple[str, tuple[str, ...]]:
    """The encoding and the first lines of a text file, at most some hundreds; read in a guarded child.

    Raises what `sniff` does.
    """
    from lastro.engine.duck import sniffing

    return sniffing.first_lines(path)


def tables_of(text: str, *, where: str, parameters: Collection[str] = ()) -> tuple[str, ...]:
    """The datasets that one SELECT of a person reads, in order.

    Raises `SqlRefused` if it is anything else, or has other parameters than these.
    """
    from lastro.engine.sql import select

    return select.upstream(text, where=where, parameters=parameters)


def parameters_of(text: str, *, where: str) -> frozenset[str]:
    """The names of the parameters that one SELECT has. Raises `SqlRefused`."""
    from lastro.engine.sql import select

    return select.parameters(text, where=where)


def elements(
    table: str,
    path: Sequence[str],
    *,
    keys: Sequence[tuple[str, str]],
    position: str,
    members: Sequence[tuple[Sequence[str], str]],
) -> str:
    """The SELECT that makes a row of each element of the list at a path in a table, see `engine.sql.elements`."""
    from lastro.engine.sql import elements as unnest

    return unnest.elements(table, path, keys=keys, position=position, members=members)


def columns_in(text: str, names: Sequence[str] | None, *, where: str) -> tuple[str, ...]:
    """The columns that a person's condition speaks of, of those that there are (None: any).

    Raises `SqlRefused`, as reading under that condition does.
    """
    from lastro.engine.sql import door

    return door.columns(door.condition(text, columns=names, where=where))


def columns_of(text: str, tables: Mapping[str, Sequence[str]], outputs: Sequence[str]) -> Columns | None:
    """Which columns of these datasets each column that a SELECT gave comes from; None if that cannot be told."""
    from lastro.engine.sql import lineage

    return lineage.of_select(text, tables, outputs)


def columns_through(plan: Plan, columns: Columns) -> Columns:
    """Which upstream columns each column of a plan comes from, whose rows have these columns."""
    from lastro.engine.sql import lineage

    return lineage.through(plan, columns)


def database(
    path: Path, place: str, table: str, *, memory_mb: int | None = None, threads: int | None = None, temp: Path
) -> AbstractContextManager[StreamScan]:
    """The rows of a table, in a schema or the first that has it, of somebody's DuckDB file, read only.

    Raises `SourceUnreachable`, `SourceBroken`.
    """
    from lastro.engine.duck import foreign

    return foreign.opened(path, place, table, limits=_limits(memory_mb, threads), temp=temp)


def sides(
    first: Sequence[Path],
    second: Sequence[Path],
    schema: Schema,
    *,
    key: Sequence[str] = (),
    target: str | None = None,
    memory_mb: int | None = None,
    threads: int | None = None,
    temp: Path | Callable[[], Path] | None = None,
) -> Sides:
    """What two sets of verified files have in common, and how well columns of the first tell a target.

    It is DuckDB, whichever engine stages. Raises `Corrupted`, `EngineError`.
    """
    from lastro.engine.duck import sides as duck

    place = temp() if callable(temp) else temp
    return duck.sides(first, second, schema, key=key, target=target, limits=_limits(memory_mb, threads), temp=place)


def _limits(memory_mb: int | None, threads: int | None) -> Limits:
    from lastro.engine.duck.limits import Limits

    return Limits(threads=threads) if memory_mb is None else Limits(memory_mb=memory_mb, threads=threads)


def deriving(
    tables: Mapping[str, tuple[Sequence[Path], Schema]],
    *,
    label: str,
    memory_mb: int | None = None,
    threads: int | None = None,
    temp: Path | Callable[[], Path] | None = None,
) -> AbstractContextManager[Session]:
    """A session in which these tables – verified files and their columns – can be read by SQL, and nothing else.

    It is DuckDB, whichever engine stages. Raises `EngineError`, `Corrupted`.
    """
    from lastro.engine.duck import deriving as duck

    place = temp() if callable(temp) else temp
    return duck.session(tables, label=label, limits=_limits(memory_mb, threads), temp=place)
