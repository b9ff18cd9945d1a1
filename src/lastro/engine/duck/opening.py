"""Opening a scan's files inside the guarded child: what they hold, and each as a relation named `RAW`.

Rules:

1. Only files are opened: no links, devices or pipes; only those the job names.
2. A delimited file's columns are its header's; a JSON file's are asked for, or found in its first lines.
3. A text file's bytes are surveyed before it is parsed; those that DuckDB would misread are fed to it made alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from lastro.engine.duck import documents, feed, header, relations, taking
from lastro.engine.duck.connection import connect, name, text
from lastro.engine.duck.failure import refuse
from lastro.engine.duck.limits import MIB, Limits
from lastro.engine.duck.lines import LineReader
from lastro.engine.duck.survey import Surveyor, survey
from lastro.engine.pattern import groups, unnamed
from lastro.engine.scan import Csv, Excel, FileFormat, JsonLines, Lines, Parquet, Span, Xml
from lastro.model.schema import Field, Primitive, Schema

RAW = "raw"
_RECORDS = "records"
LINES = f"SELECT * FROM {_RECORDS}"
FIELDS_LINES = 20_000
"""How many lines of a JSON file are looked at for the names of its fields."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One file, ready to be read once from the view `RAW` of `connection`, in batches of at most `batch_rows` rows.

    `finish` raises `Refused` if what was read was not all of the file.
    """

    connection: duckdb.DuckDBPyConnection
    path: Path
    feeder: feed.Feeder | LineReader | None
    batch_rows: int
    line_bytes_max: int = 0
    columns: int = 0
    size: int = 0
    """Bytes of the file, or of its part, as they lie on the disk."""
    row_bytes: float = 0.0
    """The mean size of a row on the disk; 0 if nobody knows."""

    def bytes_read(self, rows: int) -> int:
        """About how many of the file's bytes were read once so many rows were; 0 if nobody knows."""
        if isinstance(self.feeder, LineReader):
            plain = self.path.suffix.lower() not in feed.COMPRESSED
            return min(self.size, self.feeder.bytes_read) if plain else 0
        return min(self.size, int(rows * self.row_bytes))

    def finish(self) -> None:
        """To be called when the last row was read."""
        if self.feeder is not None:
            self.feeder.finish()


def schema(path: Path, kind: FileFormat, limits: Limits, temp: Path, wanted: Sequence[str]) -> Schema:
    """The file's columns as they arrive. Raises `Refused`."""
    match kind:
        case Csv():
            return _texts(
                header.columns(feed.blocks(path, encoding=kind.encoding), kind, limits.columns_max, str(path))
            )
        case JsonLines() | Xml():
            return _texts(tuple(wanted) or _fields(path, kind, limits, temp))
        case Excel():
            from lastro.engine.duck import workbook

            return _texts(workbook.columns(path, kind, limits))
        case Lines(has_members=True):
            return _texts(tuple(wanted) or _fields(path, kind, limits, temp))
        case Lines():
            return _texts(_line_columns(path, kind, limits, temp))
        case Parquet():
            return _parquet_schema(path, limits)


def _line_columns(path: Path, kind: Lines, limits: Limits, temp: Path) -> tuple[str, ...]:
    """The columns that the groups of a line pattern become. Raises `Refused`."""
    feed.open_plain(path).close()
    names = tuple(column.name for column in taking.columns(kind))
    numbers = len(groups(kind.pattern))
    if len(names) > limits.columns_max:
        refuse("columns", str(path), first=len(names), second=limits.columns_max)
    if not names or any(not 0 < column.group <= numbers for column in taking.columns(kind)):
        refuse("pattern", str(path))
    refuse_alike(names, path)
    with _session(path, limits, temp) as (connection, _pipe):
        try:
            for pattern in (unnamed(kind.pattern), *([kind.joining.pattern] if kind.joining else [])):
                connection.execute(f"SELECT regexp_matches('', {text(pattern)})")
        except duckdb.Error:
            refuse("pattern", str(path))
    return names


def _texts(names: Sequence[str]) -> Schema:
    return Schema(tuple(Field(column, Primitive.STRING) for column in names))


def _parquet_schema(path: Path, limits: Limits) -> Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lastro.engine.duck.arrow import from_arrow

    with feed.open_plain(path) as stream:
        try:
            found = pq.read_schema(stream)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            refuse("parquet", str(path))
    if len(found) > limits.columns_max:
        refuse("columns", str(path), first=len(found), second=limits.columns_max)
    refuse_alike(found.names, path)
    return from_arrow(found)


def refuse_alike(names: Sequence[str], path: Path) -> None:
    """Refuses columns that the engine would take for one another, and so drop one in silence. Raises `Refused`."""
    known: dict[str, int] = {}
    for place, column in enumerate(names, start=1):
        earlier = known.setdefault(column.casefold(), place)
        if earlier != place:
            refuse("names_alike", str(path), first=earlier, second=place)


def _fields(path: Path, kind: FileFormat, limits: Limits, temp: Path) -> tuple[str, ...]:
    """The keys of the objects in a file's first lines."""
    with _session(path, limits, temp) as (connection, pipe):
        if isinstance(kind, Lines):
            file, lines = _records(connection, path, kind, limits, None), taking.members(LINES, kind)
        else:
            file = _text(connection, path, pipe, kind, limits)
            lines = relations.lines(_place(file), limits)
        try:
            return field_names(connection, lines, limits, str(path))
        except Exception:
            connection.close()  # lets the feeder go, whose failure may be the cause
            file.finish()
            raise


def field_names(connection: duckdb.DuckDBPyConnection, lines: str, limits: Limits, where: str) -> tuple[str, ...]:
    """The keys of the JSON objects in the first of these lines, in the order in which they turn up.

    Raises `Refused` (`no_objects`, `columns`).
    """
    line = name(relations.LINE)
    first = f"SELECT {line} FROM ({lines}) WHERE starts_with(ltrim({line}), '{{') LIMIT {FIELDS_LINES}"
    query = (
        "SELECT keys[nth] AS key FROM (SELECT keys, row, unnest(range(1, len(keys) + 1)) AS nth FROM "
        f"(SELECT TRY(json_keys({line})) AS keys, row_number() OVER () AS row FROM ({first}))) "
        "GROUP BY key ORDER BY min(row * 1000000 + nth)"
    )
    found = tuple(row[0] for row in connection.execute(query).fetchall())
    if not found:
        refuse("no_objects", where)
    if len(found) > limits.columns_max:
        refuse("columns", where, first=len(found), second=limits.columns_max)
    return found


@contextmanager
def opened(
    path: Path, kind: FileFormat, columns: Sequence[str], limits: Limits, temp: Path, *, span: Span | None = None
) -> Iterator[Opened]:
    """The file, or its part, as the view `RAW`, with these columns (and `relations.LINE` for lines taken apart)."""
    with _session(path, limits, temp) as (connection, pipe):
        match kind:
            case Csv():
                file = _text(connection, path, pipe, kind, limits)
                relation = relations.csv(_place(file), kind, columns, limits)
            case JsonLines() | Xml() | Excel():
                file = _text(connection, path, pipe, kind, limits)
                relation = relations.objects(relations.lines(_place(file), limits), columns)
            case Lines():
                file = _records(connection, path, kind, limits, span)
                relation = taking.relation(LINES, kind, columns, _changed(path))
            case Parquet():
                file = Opened(connection, path, None, limits.batch_rows, row_bytes=_parquet_row_bytes(path))
                relation = relations.parquet(path, as_text=_texts_of_parquet(path))
        connection.execute(f"CREATE TEMP VIEW {RAW} AS {relation}")
        size = path.stat().st_size if span is None else span.end - span.begin
        yield replace(file, columns=len(columns), line_bytes_max=limits.cell_bytes_max + MIB, size=size)


def _texts_of_parquet(path: Path) -> list[str]:
    """The columns that are no text, but of a type that arrives as text: whole numbers of 64 bits without a sign."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lastro.engine.duck.arrow import model_type

    with feed.open_plain(path) as stream:
        found = pq.read_schema(stream)
    return [
        field.name
        for field in found
        if model_type(field.type) == Primitive.STRING
        and not (pa.types.is_dictionary(field.type) or _is_text(field.type))
    ]


def _is_text(kind: Any) -> bool:  # Any: a pyarrow type
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _parquet_row_bytes(path: Path) -> float:
    import pyarrow.parquet as pq

    with feed.open_plain(path) as stream:
        return path.stat().st_size / max(1, int(pq.read_metadata(stream).num_rows))


@contextmanager
def _session(path: Path, limits: Limits, temp: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    with TemporaryDirectory(prefix="file-", dir=temp, ignore_cleanup_errors=True) as folder:
        pipe = Path(folder) / "text"
        connection = connect(limits, readable=(path, pipe), temp=Path(folder) / "spill")
        try:
            yield connection, pipe
        finally:
            connection.close()


def _records(
    connection: duckdb.DuckDBPyConnection, path: Path, kind: Lines, limits: Limits, span: Span | None
) -> Opened:
    """The records of a file, or of its part, as the relation `LINES`, with their places."""
    feed.open_plain(path).close()
    line_bytes_max = limits.cell_bytes_max + MIB
    reader = LineReader(
        lambda: feed.raw_blocks(path, span=span),
        str(path),
        line_bytes_max=line_bytes_max,
        begin=0 if span is None else span.begin,
        joining=kind.joining,
        encoding=kind.encoding,
    )
    connection.register(_RECORDS, reader.stream())
    return Opened(connection, path, reader, limits.batch_rows)


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _text(connection: duckdb.DuckDBPyConnection, path: Path, pipe: Path, kind: FileFormat, limits: Limits) -> Opened:
    """A file as text that DuckDB may read: itself, or through a pipe where its bytes would be misread, or where what
    it holds are no lines.
    """
    line_bytes_max = limits.cell_bytes_max + MIB
    dialect = kind if isinstance(kind, Csv) else None
    if made := _made(path, kind, limits):
        surveyor = Surveyor(str(path), line_bytes_max)
        return Opened(connection, path, feed.Feeder(path, pipe, made, surveyor), limits.batch_rows // 4)
    encoding = dialect.encoding if dialect else "utf-8"
    quote, delimiter = (dialect.quote, dialect.delimiter) if dialect else ("", "")
    plain = path.suffix.lower() not in feed.COMPRESSED and feed.is_utf8(encoding, str(path))
    if plain:
        feed.open_plain(path).close()
        seen = survey(path, line_bytes_max, quote=quote, delimiter=delimiter)
        rows = _batch_rows(limits, seen.line_bytes)
        if seen.uniform:
            return Opened(connection, path, None, rows, row_bytes=seen.line_bytes)
        row_bytes = seen.line_bytes
    else:
        rows, row_bytes = limits.batch_rows // 4, 0.0
    surveyor = Surveyor(str(path), line_bytes_max, quote=quote, delimiter=delimiter)

    def content() -> Iterator[bytes]:
        normalise = feed.QuotedText(dialect.quote, dialect.escape) if dialect else feed.LineText()
        return feed.blocks(path, encoding=encoding, normalise=normalise)

    return Opened(connection, path, feed.Feeder(path, pipe, content, surveyor), rows, row_bytes=row_bytes)


def _made(path: Path, kind: FileFormat, limits: Limits) -> feed.Content | None:
    """Lines of JSON that are made of what the file holds; None if it holds lines."""
    match kind:
        case Xml():
            from lastro.engine.duck import elements

            return lambda: elements.lines(path, kind, limits)
        case Excel():
            from lastro.engine.duck import workbook

            return lambda: workbook.lines(path, kind, limits)
        case JsonLines() if documents.spread(path):
            return lambda: documents.lines(path, limits)
        case _:
            return None


def _batch_rows(limits: Limits, line_bytes: float) -> int:
    return max(2_048, min(limits.batch_rows, int(32 * MIB / max(1.0, line_bytes))))


def _place(file: Opened) -> Path:
    return file.feeder.pipe if isinstance(file.feeder, feed.Feeder) else file.path
