"""Streams: what a source has parsed already, read in this process.

Rules:

1. A stream is read once. Describing it looks at its schema alone.
2. Text and binary views, large texts and dictionaries arrive as plain text and binary.
3. A driver's error may hold data in its message: its kind is told, no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from lastro.engine.duck import relations
from lastro.engine.duck.arrow import arrow_type, conform, from_arrow
from lastro.engine.duck.connection import name
from lastro.engine.duck.failure import Failure, to_error
from lastro.engine.duck.opening import RAW
from lastro.engine.scan import StreamScan
from lastro.model import declared
from lastro.model.errors import LastroError
from lastro.model.schema import Field, Primitive, Schema

RECORD = "record"
_STREAM = "stream_in"


@contextmanager
def _told(scan: StreamScan) -> Iterator[None]:
    """Tells what a library raises when its stream is opened by its kind (rule 3)."""
    try:
        yield
    except LastroError:
        raise
    except Exception as error:  # noqa: BLE001 – a library may raise anything; only its message is dropped
        raise to_error(Failure("stream", scan.label, detail=type(error).__name__)) from None


def _opened(scan: StreamScan) -> pa.RecordBatchReader:
    with _told(scan):
        return pa.RecordBatchReader.from_stream(scan.stream)


class Inflow:
    """One stream, opened. `failure` is what went wrong in it, if anything did; `texts` are columns
    declared as text; `bytes` counts what arrived.
    """

    def __init__(self, scan: StreamScan) -> None:
        self._source = _opened(scan)
        self._scan = scan
        self.failure: LastroError | None = None
        self.bytes = 0
        fields = from_arrow(self._source.schema).fields
        self._schema = pa.schema([pa.field(field.name, arrow_type(field.type)) for field in fields])
        self.texts = frozenset(field.name for field in self._source.schema if declared.is_text(field.metadata))
        if scan.records and (RECORD not in self._schema.names or self._schema.field(RECORD).type != pa.string()):
            raise to_error(Failure("record_column", scan.label))

    def columns(self, wanted: Sequence[str]) -> Schema:
        """The columns that `view` will have: the stream's own, or for a stream of records those that are wanted."""
        if self._scan.records:
            return Schema(tuple(Field(column, Primitive.STRING) for column in wanted))
        return from_arrow(self._schema)

    def view(self, connection: duckdb.DuckDBPyConnection, wanted: Sequence[str]) -> None:
        """Makes the stream the view `RAW`, to be read once."""
        connection.register(_STREAM, self.reader())
        relation = f"SELECT * FROM {_STREAM}"
        if self._scan.records:
            lines = f"SELECT {name(RECORD)} AS {name(relations.LINE)} FROM {_STREAM}"
            relation = relations.objects(lines, wanted)
        connection.execute(f"CREATE TEMP VIEW {RAW} AS {relation}")

    def reader(self) -> pa.RecordBatchReader:
        """The stream's rows with the model's types."""
        return pa.RecordBatchReader.from_batches(self._schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._source:
                self.bytes += batch.nbytes
                yield conform(batch, self._schema)
        except LastroError as error:
            self.failure = error
            raise
        except Exception as error:
            self.failure = to_error(Failure("stream", self._scan.label, detail=type(error).__name__))
            raise


def schema(scan: StreamScan) -> Schema:
    """The stream's columns, without reading it. Raises `SourceBroken` if it does not tell them."""
    stream: Any = scan.stream  # Any: whatever exports an Arrow stream; some tell their schema first
    if isinstance(getattr(stream, "schema", None), pa.Schema):
        return from_arrow(stream.schema)
    if hasattr(stream, "__arrow_c_schema__"):
        with _told(scan):
            return from_arrow(pa.schema(stream))
    raise to_error(Failure("schema_unknown", scan.label))
