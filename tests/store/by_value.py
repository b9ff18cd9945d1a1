"""The plainest predicate of an erasure: rows whose column has one of some values."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from lastro.store.erasure.types import is_text


@dataclass(frozen=True, slots=True)
class ByValue:
    """The rows whose column has one of these values, compared as text."""

    column: str
    values: frozenset[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True where the value is one of those."""
        values = batch.column(self.column)
        if isinstance(values, pa.DictionaryArray):
            return pc.take(self._among(values.dictionary), values.indices)
        return self._among(values)

    def _among(self, values: pa.Array) -> pa.Array:
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if not is_text(values.type):
            values = values.cast(pa.string())
        return pc.is_in(values, value_set=pa.array(sorted(self.values), values.type))
