"""Protecting: what an engine asks of whoever protects rows, before a byte of them is written."""

from __future__ import annotations

from typing import Any, Protocol


class Protect(Protocol):
    """Protects batches before a byte of them is written; `Any` are pyarrow's, which this module must not import."""

    def erased(self, batch: Any) -> Any | None:  # Any: a RecordBatch; a BooleanArray
        """Which kept rows must not come in, since the person whom they are about was erased; None if none is."""
        ...

    def kept(self, batch: Any) -> Any:  # Any: a RecordBatch
        """Kept rows, with the same columns, protected."""
        ...

    @property
    def sealing(self) -> Any | None:  # Any: an `engine.encrypted.Sealing`
        """Which columns of kept rows are encrypted where they stand; None if none is."""
        ...

    def refused(self, batch: Any) -> Any:  # Any: a RecordBatch
        """Rows of the quarantine, protected. Those of somebody who was erased are empty, under the rule `ERASED`."""
        ...
