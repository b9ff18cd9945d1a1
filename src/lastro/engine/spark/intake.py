"""Scans as Spark data frames: the source's columns, then a source number, a position and a malformed record's text.

Rules:

1. Text files are taken apart by `records` in Spark's Python workers, one task a file, so that positions are exact.
2. Parquet is read by Spark itself; positions are the rows' numbers in their file.
3. A stream is read once, into this process's memory: at most `STREAM_BYTES_MAX`. Beyond it, stage files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from lastro.engine.duck import documents
from lastro.engine.duck.arrow import arrow_type, conform, from_arrow, to_arrow
from lastro.engine.duck.failure import Refused, to_error
from lastro.engine.duck.limits import MIB, Limits
from lastro.engine.protocol import OFFSET, UNREAD
from lastro.engine.scan import Csv, Excel, FileScan, JsonLines, Lines, Parquet, Scan, StreamScan, Xml, labels
from lastro.engine.spark import records
from lastro.engine.spark.session import failures
from lastro.model.errors import ConfigurationError, LimitExceeded, SourceBroken, SourceUnreachable
from lastro.model.schema import Field, Primitive, Schema
from lastro.model.text import _

STREAM_BYTES_MAX = 256 * MIB
RECORD = "record"
DataFrame = Any  # Any: a pyspark DataFrame, whose package is optional
Session = Any  # Any: a pyspark SparkSession
LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Frame:
    """One source's records. `frame` has the columns of `schema`, then `position` and `malformed` under these names.

    It has `UNREAD`, too, if `tells_unread`, and `OFFSET` if `tells_offset`.
    """

    label: str
    schema: Schema
    frame: DataFrame
    position: str
    malformed: str
    tells_unread: bool = False
    tells_offset: bool = False


def describe(session: Session, scan: Scan) -> Schema:
    """The columns of a scan as they arrive, of several files those of all; a stream is not consumed."""
    if isinstance(scan, StreamScan):
        return _stream_schema(scan)
    _check_files(scan)
    fields: dict[str, Field] = {}
    for path in scan.paths:
        for field in _schema(session, path, scan, ()).fields:
            fields.setdefault(field.name, field)
    return Schema(tuple(fields.values()))


def frames(session: Session, scan: Scan, wanted: Sequence[str], avoid: Sequence[str]) -> list[Frame]:
    """Each source of the scan. `wanted` are the fields to take from JSON; no name added is one of `avoid`."""
    if isinstance(scan, StreamScan):
        return [_stream(session, scan, wanted, avoid)]
    _check_files(scan)
    schemas = [_schema(session, path, scan, wanted) for path in scan.paths]
    return [
        _file(session, path, label, scan, schema, avoid)
        for path, label, schema in zip(scan.paths, labels(scan.paths), schemas, strict=True)
    ]


def _check_files(scan: FileScan) -> None:
    if scan.spans:
        raise ConfigurationError(
            _("Spark reads no parts of files, which following a log needs"), do=_("use engine: duckdb for this dataset")
        )
    for path in scan.paths:
        if not path.is_file():
            raise SourceUnreachable(
                _("the file does not exist"), where=str(path), do=_("check the path in the source's configuration")
            )


def _schema(session: Session, path: Path, scan: FileScan, wanted: Sequence[str]) -> Schema:
    try:
        match scan.format:
            case Csv() as kind:
                return _texts(records.columns(path, kind, LIMITS))
            case JsonLines():
                if documents.spread(path):
                    raise _not_read(path)
                return _texts(tuple(wanted) or records.fields(path))
            case Lines():
                return records.line_schema(path, scan.format, LIMITS, wanted)
            case Excel() | Xml():
                raise _not_read(path)
            case Parquet():
                with failures(_("the file cannot be read"), where=str(path)):
                    return _parquet_schema(session.read.parquet(str(path)).schema)
    except Refused as refused:
        raise to_error(refused.failure) from None


def _not_read(path: Path) -> ConfigurationError:
    return ConfigurationError(
        _("Spark reads no workbooks, no XML, and JSON only with one object a line"),
        where=str(path),
        do=_("use engine: duckdb for this dataset"),
    )


def _texts(names: Sequence[str]) -> Schema:
    return Schema(tuple(Field(name, Primitive.STRING) for name in names))


def _parquet_schema(found: Any) -> Schema:  # Any: a pyspark StructType
    """Spark's schema; a type the model does not have arrives as text."""
    fields: list[Field] = []
    for field in found.fields:
        try:
            fields += Schema.from_delta(type(found)([field]).json()).fields
        except ValueError:
            fields.append(Field(field.name, Primitive.STRING))
    return Schema(tuple(fields))


def _free(avoid: Sequence[str], schema: Schema, name: str) -> str:
    while name in avoid or name in schema.names:
        name = "_" + name
    return name


def _file(session: Session, path: Path, label: str, scan: FileScan, schema: Schema, avoid: Sequence[str]) -> Frame:
    position, malformed = _free(avoid, schema, "_position"), _free(avoid, schema, "_malformed")
    if isinstance(scan.format, Parquet):
        frame = session.read.parquet(str(path)).selectExpr(
            *[_selected(field) for field in schema.fields],
            f"_metadata.row_index + 1 AS {_name(position)}",
            f"CAST(NULL AS STRING) AS {_name(malformed)}",
        )
        return Frame(label, schema, frame, position, malformed)
    if isinstance(scan.format, Excel | Xml):
        raise _not_read(path)
    try:
        records.check(path, scan.format, LIMITS)
    except Refused as refused:
        raise to_error(refused.failure) from None
    is_lines = isinstance(scan.format, Lines)
    has_members = isinstance(scan.format, JsonLines) or (isinstance(scan.format, Lines) and scan.format.has_members)
    names = (*schema.names, UNREAD) if has_members else schema.names
    frame = _text_frame(session, path.absolute(), scan.format, names)
    beside = (OFFSET,) if is_lines else ()
    named = frame.toDF(*names, position, malformed, *beside)
    return Frame(label, schema, named, position, malformed, has_members, is_lines)


def _selected(field: Field) -> str:
    plain = field.type != Primitive.STRING
    return _name(field.name) if plain else f"CAST({_name(field.name)} AS STRING) AS {_name(field.name)}"


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text_frame(session: Session, path: Path, kind: Csv | JsonLines | Lines, columns: Sequence[str]) -> DataFrame:
    aliases = [f"c{index}" for index in range(len(columns))]  # the workers' own names: a source's may hold anything
    numbers = [records.PLACE] if isinstance(kind, Lines) else []

    def work(_batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        if isinstance(kind, Lines):
            found = records.read_lines(path, kind, columns, LIMITS)
        else:
            found = records.read(path, kind, columns)
        for batch in found:
            yield batch.rename_columns([*aliases, records.POSITION, records.MALFORMED, *numbers])

    with failures(_("the file could not be handed to Spark"), where=str(path)):
        return session.range(0, 1, 1, 1).mapInArrow(work, _spark_schema(aliases, numbers))


def _spark_schema(names: Sequence[str], numbers: Sequence[str]) -> Any:  # Any: a pyspark StructType
    from pyspark.sql.types import LongType, StringType, StructField, StructType

    fields = [StructField(name, StringType()) for name in names]
    own = [StructField(records.POSITION, LongType()), StructField(records.MALFORMED, StringType())]
    return StructType([*fields, *own, *(StructField(name, LongType()) for name in numbers)])


def _stream_schema(scan: StreamScan) -> Schema:
    stream: Any = scan.stream  # Any: whatever exports an Arrow stream; some tell their schema first
    if isinstance(getattr(stream, "schema", None), pa.Schema):
        return from_arrow(stream.schema)
    if hasattr(stream, "__arrow_c_schema__"):
        return from_arrow(pa.schema(stream))
    raise SourceBroken(
        _("the stream does not tell its columns before it is read"),
        where=scan.label,
        do=_("pass a pyarrow table or record batch reader"),
    )


def _stream(session: Session, scan: StreamScan, wanted: Sequence[str], avoid: Sequence[str]) -> Frame:
    source = pa.RecordBatchReader.from_stream(scan.stream)
    schema = _texts(wanted) if scan.records else from_arrow(source.schema)
    position, malformed = _free(avoid, schema, "_position"), _free(avoid, schema, "_malformed")
    own = (*schema.names, UNREAD) if scan.records else schema.names
    gathered = _records_of(source, scan, own) if scan.records else _numbered(source, schema)
    names = [*own, position, malformed]
    table = _bounded(gathered, scan.label).rename_columns(names)
    with failures(_("the stream could not be handed to Spark"), where=scan.label):
        return Frame(scan.label, schema, _ordered(session, table), position, malformed, scan.records)


def _ordered(session: Session, table: pa.Table) -> DataFrame:
    """The table as a data frame in one partition, so that its rows keep their order."""
    return session.createDataFrame(table).coalesce(1)


def _numbered(source: pa.RecordBatchReader, schema: Schema) -> Iterator[pa.RecordBatch]:
    target = to_arrow(schema)
    first = 1
    empty = pa.RecordBatch.from_arrays([pa.array([], field.type) for field in target], schema=target)
    for batch in chain([empty], source):
        plain = conform(batch, target)
        rows = plain.num_rows
        plain = plain.append_column("p", pa.array(range(first, first + rows), pa.int64()))
        yield plain.append_column("m", pa.nulls(rows, pa.string()))
        first += rows


def _records_of(source: pa.RecordBatchReader, scan: StreamScan, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    if RECORD not in source.schema.names or from_arrow(source.schema).field(RECORD).type != Primitive.STRING:
        raise SourceBroken(
            _("a stream of records must have one text column named `record`"),
            where=scan.label,
            do=_("this is an error of the source's connector: report it there"),
        )
    lines = (value for batch in source for value in batch.column(RECORD).cast(arrow_type(Primitive.STRING)).to_pylist())
    present = (line for line in lines if line is None or line.strip())
    schema = pa.schema([*((name, pa.string()) for name in wanted), ("p", pa.int64()), ("m", pa.string())])
    yield pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
    for batch in records.batches((records.take_object(line, wanted) for line in present), wanted):
        yield batch.rename_columns(schema.names)


def _bounded(found: Iterator[pa.RecordBatch], label: str) -> pa.Table:
    gathered: list[pa.RecordBatch] = []
    size = 0
    for batch in found:
        size += batch.nbytes
        gathered.append(batch)
        if size > STREAM_BYTES_MAX:
            raise LimitExceeded(
                _("the stream is larger than {n} MiB, which is all that Spark is handed from memory").format(
                    n=STREAM_BYTES_MAX // MIB
                ),
                where=label,
                do=_("use engine: duckdb for this source, or export it to Parquet first"),
            )
    return pa.Table.from_batches(gathered)
