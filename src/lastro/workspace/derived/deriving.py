"""A derived dataset's rows, as a source: the upstream versions go in, a person's SQL or Python runs, rows come out.

Rules:

1. The code is the workspace owner's and is trusted: Python runs in this process, with all its rights. What it gives is
   not: it goes through the dataset's contract like any rows.
2. Each upstream is one version, whose files are verified before a byte is read.
3. A function returns SQL text over the datasets it takes, Arrow data, a frame of Polars or pandas, a DuckDB relation,
   or rows: dicts, at once or one by one.
4. An error in a person's code is told by its kind, file and line; its message may hold data, and is dropped.
5. A step that is made by intervals is given the bounds of one: as arguments, and as parameters of its SQL.
6. Modules of `transforms/` are loaded afresh for each step: code that changed runs as it is now.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.engine import columns_of, deriving
from lastro.engine.scan import StreamScan
from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.protocol import Columns, Cursor, Opened, Unchanged
from lastro.source.python.frames import is_of_library
from lastro.source.python.generator import loaded
from lastro.source.python.rows import rows_of, scan_of, told
from lastro.source.stream import Batches, telling
from lastro.transform.derived.discover import code_of, text_of
from lastro.transform.derived.step import FOLDER, Kind, Step

if TYPE_CHECKING:
    from lastro.engine.duck.deriving import Session
    from lastro.workspace.version import Version


@dataclass(frozen=True, slots=True)
class Upstream:
    """One version that a step reads. Each method reads it anew; it is an Arrow stream itself."""

    version: Version
    _session: Session = field(repr=False)

    @property
    def name(self) -> str:
        """The dataset's name, to be put into SQL."""
        return self.version.info.dataset

    @property
    def reference(self) -> str:
        """`name@number`."""
        return self.version.reference

    def arrow(self) -> Any:  # Any: a pyarrow.Table
        """The rows as a `pyarrow.Table`."""
        return self.version.to_arrow()

    def polars(self) -> Any:  # Any: a polars.DataFrame
        """The rows as a `polars.DataFrame`. Raises `MissingExtra`."""
        return self.version.to_polars()

    def pandas(self) -> Any:  # Any: a pandas.DataFrame
        """The rows as a `pandas.DataFrame`. Raises `MissingExtra`."""
        return self.version.to_pandas()

    def reader(self, *columns: str) -> Any:  # Any: a pyarrow.RecordBatchReader
        """The rows, or these columns of them, as a `pyarrow.RecordBatchReader` in bounded memory."""
        return self.version.reader(*columns)

    def relation(self) -> Any:  # Any: a duckdb.DuckDBPyRelation
        """The rows as a DuckDB relation, in a session that sees the step's datasets only."""
        return self._session.relation(self.name)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.version.__arrow_c_stream__(requested_schema)

    def __str__(self) -> str:
        return '"' + self.name + '"'


@dataclass(frozen=True, slots=True)
class Derived:
    """The rows that a step makes from these versions. Implements `source.protocol.Source`."""

    step: Step
    root: Path
    upstream: Mapping[str, Version]
    engine: Mapping[str, Any]  # Any: what bounds the session, see `engine.deriving`
    made_of: Mapping[str, Any]  # Any: JSON values
    bounds: Mapping[str, date] = field(default_factory=dict)
    is_made: Callable[[], bool] = lambda: False
    """Asked under the dataset's lock: whether somebody else has made this meanwhile."""
    kind: str = "derived"

    @property
    def label(self) -> str:
        """The step's file."""
        return self.step.file

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """All rows. Raises `SqlRefused`, `ConfigurationError`, `SourceBroken`, `EngineError`."""
        del cursor, mode
        if self.is_made():
            yield Unchanged()
            return
        with self.scanning() as (scan, stream, text):

            def watermark() -> Cursor:
                stream.check_finished(self.label)
                self._check_code()
                return {}

            columns = partial(self.columns, text, stream.schema.names)
            yield Opened(scan, watermark, self.label, made_of=self.made_of, columns=columns)

    def columns(self, text: str, names: Sequence[str]) -> Columns | None:
        """Which upstream columns each of these comes from, which a SELECT gave; None where that cannot be told."""
        tables = {name: version.schema.names for name, version in self.upstream.items()}
        return columns_of(text, tables, names) if text else None

    def _check_code(self) -> None:
        try:
            same = code_of(self.root / self.step.file) == self.step.code
        except OSError:
            same = False
        if not same:
            raise SourceChanged(
                _("the step's code changed while it ran"), where=self.label, do=_("build again, with the new code")
            )

    @contextmanager
    def scanning(self) -> Iterator[tuple[StreamScan, Batches, str]]:
        """The rows as a scan, while what they come from is open, and the SQL that makes them, if it is SQL."""
        tables = {
            name: (version.table.paths(version.info, verify=True), version.schema)
            for name, version in self.upstream.items()
        }
        with deriving(tables, label=self.label, **self.engine) as session:
            if self.step.kind is Kind.SQL:
                text = text_of((self.root / self.step.file).read_bytes(), self.label)
                scan, stream = self._streamed(session.select(text, parameters=self.bounds))
                with telling(stream):
                    yield scan, stream, text
                return
            code = f"{self.step.file}:{self.step.function}"
            with _modules(self.root / FOLDER), loaded(code, self.root, derived=self.step.name) as function:
                result = self._result(function, session)
                text = result if isinstance(result, str) else ""
                scan, stream = self._scanned(result, session)
                del result
                with telling(stream):
                    yield scan, stream, text

    def _result(self, function: Callable[..., Any], session: Session) -> Any:  # Any: what a person's function returns
        given = {
            parameter: Upstream(self.upstream[name], session) for parameter, name in self.step.arguments.items()
        } | {**self.step.parameters, **self.bounds}
        try:
            return function(**given)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a person's code may raise anything; only its message is dropped
            raise told(error, self.root, self.label, derived=self.step.name) from None

    def _scanned(self, result: Any, session: Session) -> tuple[StreamScan, Batches]:  # Any: as above
        import pyarrow as pa

        if isinstance(result, str):
            return self._streamed(session.select(result, parameters=self.bounds))
        if type(result).__name__ == "LazyFrame" and hasattr(result, "collect"):
            result = result.collect()
        if isinstance(result, Upstream):
            result = result.arrow()
        if hasattr(result, "__arrow_c_stream__") and not is_of_library(result):
            session.check(result)
            try:
                return self._streamed(pa.RecordBatchReader.from_stream(result))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a relation runs now, and its error may hold data
                raise told(error, self.root, self.label, derived=self.step.name) from None
        is_frame = is_of_library(result)
        if isinstance(result, bytes | Mapping) or not (is_frame or isinstance(result, Iterable)):
            raise SourceBroken(
                _("the function returned {kind}, which is neither rows nor SQL").format(kind=type(result).__name__),
                where=self.label,
                do=_("return SQL text, Arrow data, a frame of Polars or pandas, a DuckDB relation, or dicts"),
            )
        if is_frame:
            self._check_columns([str(name) for name in getattr(result, "columns", ())])
        return scan_of(self._checked(rows_of(result)), self.label)

    def _streamed(self, reader: Any) -> tuple[StreamScan, Batches]:  # Any: a pyarrow.RecordBatchReader
        self._check_columns(reader.schema.names)
        self._check_types(reader.schema)
        stream = Batches(reader.schema, self._checked(iter(reader)))
        return StreamScan(stream, self.label), stream

    def _checked(self, items: Iterator[Any]) -> Iterator[Any]:  # Any: rows, frames, record batches
        try:
            yield from items
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            raise told(error, self.root, self.label, derived=self.step.name) from None

    def _check_types(self, schema: Any) -> None:  # Any: a pyarrow.Schema
        import pyarrow as pa

        for column in schema:
            if pa.types.is_interval(column.type):
                raise ConfigurationError(
                    _("the column {name} is an interval, which a dataset cannot hold").format(name=column.name[:80]),
                    where=self.label,
                    do=_("give it as a number, or as text: CAST(… AS VARCHAR)"),
                )

    def _check_columns(self, names: list[str]) -> None:
        seen: set[str] = set()
        for name in names:
            if name.casefold() in seen:
                raise ConfigurationError(
                    _("the result has the column {name} twice").format(name=name[:80]),
                    where=self.label,
                    do=_("give one of them another name: AS"),
                )
            seen.add(name.casefold())


@contextmanager
def _modules(folder: Path) -> Iterator[None]:
    """Forgets the modules of the folder that were imported inside (rule 6), and writes no bytecode beside them."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    known = set(sys.modules)
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and Path(file).is_relative_to(folder):
                del sys.modules[name]
