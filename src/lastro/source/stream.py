"""Record batches made in Python, handed over as an Arrow stream.

Rules:

1. The stream can be asked for its schema as often as one likes; its batches exist once.
2. An Arrow stream carries an error as a mere text. The error itself is kept here, and `telling` raises it in place of
   whatever the reader made of it: a database that dies in the middle is a `SourceError`, whoever was reading.
3. A stream that was not read to its end has no watermark.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lastro.model.errors import LastroError, SourceBroken
from lastro.model.text import _


class Batches:
    """An Arrow stream over an iterator of record batches. `finished` once it was read to its end."""

    def __init__(self, schema: Any, batches: Iterator[Any]) -> None:  # Any: pyarrow.Schema, pyarrow.RecordBatch
        self.schema = schema
        self.finished = False
        self.failure: LastroError | None = None
        self._batches = self._watched(batches)
        self._lock = threading.Lock()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The batches that were not yet read, as a PyCapsule."""
        import pyarrow as pa

        reader = pa.RecordBatchReader.from_batches(self.schema, self._shared())
        capsule: object = reader.__arrow_c_stream__(requested_schema)
        return capsule

    def __arrow_c_schema__(self) -> object:
        """The schema as a PyCapsule; nothing is read."""
        capsule: object = self.schema.__arrow_c_schema__()
        return capsule

    def check_finished(self, label: str) -> None:
        """Raises what broke the stream, or `SourceBroken` if it was not read to its end."""
        if self.failure is not None:
            raise self.failure
        if not self.finished:
            raise SourceBroken(_("{label} was not read to its end").format(label=label), do=_("ingest again"))

    def _shared(self) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        while True:
            with self._lock:
                batch = next(self._batches, None)
            if batch is None:
                return
            yield batch

    def _watched(self, batches: Iterator[Any]) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        try:
            yield from batches
        except LastroError as error:
            self.failure = error
            raise
        self.finished = True


@contextmanager
def telling(stream: Batches) -> Iterator[None]:
    """Raises the stream's own failure in place of the error that its reader made of it."""
    try:
        yield
    except (
        Exception
    ) as error:  # whatever an engine raises when its input breaks; it is raised again unless ours is known
        if stream.failure is not None and error is not stream.failure:
            raise stream.failure from None
        raise
