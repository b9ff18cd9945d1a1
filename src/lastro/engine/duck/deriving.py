"""A session that sees some versions as tables, and runs one SELECT over them.

Rules:

1. The session may read the versions' files, and open nothing else (`connection`). Its tables have the datasets' names.
2. The text passes `sql.select`; then DuckDB itself must find exactly one SELECT in it. Parameters are bound as values.
3. DuckDB's words may hold data, and are dropped: an error is told by its kind, one about names by the name.
4. Memory and spilling are bounded as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import NoReturn

import duckdb
import pyarrow as pa

from lastro.engine.duck import connection as place
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.stored import BATCH_ROWS, relation
from lastro.engine.sql import select
from lastro.model.errors import EngineError, SqlRefused
from lastro.model.schema import Schema
from lastro.model.text import _

_UNSAFE = re.compile(r"\b(?:UHUGEINT|BIT|TIME WITH TIME ZONE)\b")
_NAMED = re.compile(r'"([^"\n]{1,80})"')


class Session:
    """Tables to derive from. `label` is how errors name the text."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[str], label: str) -> None:
        self._connection, self._tables, self._label = connection, frozenset(tables), label
        self._given: list[Generator[pa.RecordBatch, None, None]] = []

    def end(self) -> None:
        """Lets go of results that were not read to their end: a reader in C would keep them beyond the session."""
        for batches in self._given:
            with suppress(ValueError):  # being read at this moment, by a thread that will find the session closed
                batches.close()

    def relation(self, name: str) -> duckdb.DuckDBPyRelation:
        """One table as a DuckDB relation of this session."""
        return self._connection.table(place.name(name))

    def check(self, result: object) -> None:
        """Raises `SqlRefused` for a relation with a column whose type Arrow lacks: its values would become others."""
        if not isinstance(result, duckdb.DuckDBPyRelation):
            return
        for name, kind in zip(result.columns, result.types, strict=True):
            if found := _UNSAFE.search(str(kind)):
                raise SqlRefused(
                    _("the column {name} is {type}, which would arrive as another value").format(
                        name=name[:80], type=found[0]
                    ),
                    where=self._label,
                    do=_("give it as text: CAST(… AS VARCHAR)"),
                )

    def select(self, text: str, *, parameters: Mapping[str, date] | None = None) -> pa.RecordBatchReader:
        """The rows of one SELECT, as they come; those of `parameters` that it has are bound as values.

        Raises `SqlRefused`, `EngineError`.
        """
        given = parameters or {}
        found = select.upstream(text, where=self._label, parameters=given)
        others = [name for name in found if name not in self._tables]
        if others:
            raise SqlRefused(
                _("the SELECT reads {name}, which is not among its tables").format(name=others[0][:80]),
                where=self._label,
                do=_("use one of: {names}").format(names=", ".join(sorted(self._tables)) or "-"),
            )
        try:
            statements = self._connection.extract_statements(text)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise SqlRefused(_("the text is no SELECT"), where=self._label)
            bound = {name: given[name] for name in statements[0].named_parameters}
            result = self._connection.sql(text, params=bound) if bound else self._connection.sql(text)
            self.check(result)
            reader = result.to_arrow_reader(BATCH_ROWS)
        except duckdb.Error as error:
            _tell(error, self._label)
        batches = _told(reader, self._label)
        self._given.append(batches)
        return pa.RecordBatchReader.from_batches(reader.schema, batches)


def _told(reader: pa.RecordBatchReader, label: str) -> Generator[pa.RecordBatch, None, None]:
    try:
        yield from reader
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        _tell(error, label)


@contextmanager
def session(
    tables: Mapping[str, tuple[Sequence[Path], Schema]], *, label: str, limits: Limits, temp: Path | None
) -> Iterator[Session]:
    """A session with these tables: each with its files, which were verified, and their columns."""
    files = [path for paths, _schema in tables.values() for path in paths]
    with place.session(limits, readable=files, temp=temp) as connection:
        for table, (paths, schema) in tables.items():
            rows = relation(connection, paths, schema)
            connection.execute(f"CREATE TEMP VIEW {place.name(table)} AS SELECT * FROM {rows}")
        made = Session(connection, tuple(tables), label)
        try:
            yield made
        finally:
            made.end()


def _tell(error: Exception, label: str) -> NoReturn:
    kind = type(error).__name__
    text = str(error)
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        named = _NAMED.search(text.splitlines()[0]) if "column" in text else None
        if named and "not found" in text:
            what = _("the SELECT uses the column {name!r}, which does not exist").format(name=named[1])
        else:
            what = _("the SELECT cannot be executed ({kind})").format(kind=kind)
        raise SqlRefused(what, where=label, do=_("correct the SQL, then build again")) from None
    raise EngineError(
        _("the SELECT failed while it ran ({kind})").format(kind=kind),
        where=label,
        do=_("look for a cast or a division that some rows do not allow; TRY_CAST gives NULL for them"),
    ) from None
