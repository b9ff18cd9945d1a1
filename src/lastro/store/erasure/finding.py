"""Which rows go, and which files hold some.

Rules:

1. Whether a row goes depends on that row alone, on the columns that are named. A row of which it is not known stays.
2. A file that lacks the columns holds no such row. Files are read by row groups, and of those only the columns needed.
3. A column that is stored with a dictionary is read as one: its values are looked at once each, not once a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lastro.engine.encrypted import opened
from lastro.store.erasure.types import flat, is_text

_PATTERNS_AT_ONCE = 100


class Doomed(Protocol):
    """Says which rows go: true for each row of a batch, which has those of `columns` that its file has."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True for each row that goes; missing where that is not known."""


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
        return _looked_up(batch.column(self.column), self._among)

    def _among(self, values: pa.Array) -> pa.Array:
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if not is_text(values.type):
            values = values.cast(pa.string())
        return pc.is_in(values, value_set=pa.array(sorted(self.values), values.type))


@dataclass(frozen=True, slots=True)
class ByText:
    """The rows whose column, a text, holds one of these texts as a word of its own."""

    column: str
    texts: frozenset[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True where one of the texts stands, with no letter or digit right before or after it."""
        values = batch.column(self.column)
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        is_coded = isinstance(
            values, pa.DictionaryArray
        )  # else, too, equal texts are looked at once: patterns are slow
        return _looked_up(values if is_coded else values.dictionary_encode(), self._holds)

    def _holds(self, values: pa.Array) -> pa.Array:
        found: pa.Array = pa.scalar(False)
        texts = sorted(self.texts)
        for start in range(0, len(texts), _PATTERNS_AT_ONCE):
            any_of = "|".join(re.escape(text) for text in texts[start : start + _PATTERNS_AT_ONCE])
            pattern = rf"(?:^|[^\pL\pN])(?:{any_of})(?:[^\pL\pN]|$)"
            found = pc.or_kleene(found, pc.match_substring_regex(values, pattern))
        return found if texts else pa.repeat(found, len(values))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The rows that go for one reason or another."""

    reasons: Sequence[Doomed]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all reasons."""
        return tuple(dict.fromkeys(name for reason in self.reasons for name in reason.columns))

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True where one of the reasons says so."""
        found = pa.repeat(pa.scalar(False), batch.num_rows)
        for reason in self.reasons:
            if set(reason.columns) <= set(batch.schema.names):
                found = pc.or_(found, pc.fill_null(reason.gone(batch), fill_value=False))
        return found


def stays(doomed: Doomed, batch: pa.RecordBatch) -> pa.Array:
    """True for each row that stays."""
    needed = [name for name in doomed.columns if name in batch.schema.names]
    return pc.invert(pc.fill_null(doomed.gone(batch.select(needed)), fill_value=False))


def count(path: Path, doomed: Doomed) -> int:
    """How many rows of a file go. Raises `ValueError` if it is no Parquet file."""
    return sum(_counts(path, doomed))


def _counts(path: Path, doomed: Doomed) -> Iterator[int]:
    try:
        with opened(path, columns=doomed.columns) as file:
            names = [name for name in doomed.columns if name in file.schema_arrow.names]
            if not names or (len(names) < len(doomed.columns) and not isinstance(doomed, AnyOf)):
                return
            coded = [name for name in names if is_text(file.schema_arrow.field(name).type) and _is_coded(file, name)]
        with opened(path, columns=names, read_dictionary=coded) as file:
            for group in range(file.num_row_groups):
                rows = flat(file.read_row_group(group, columns=names, use_threads=False))
                for batch in rows.to_batches():
                    yield batch.num_rows - (pc.sum(stays(doomed, batch)).as_py() or 0)
    except pa.ArrowException as error:
        raise ValueError("not a Parquet file") from error


def _is_coded(file: pq.ParquetFile, name: str) -> bool:
    """True if a column's values are stored by a dictionary in every row group."""
    groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
    places = [at for at in range(file.metadata.num_columns) if file.metadata.schema.column(at).path == name]
    mine = [group.column(at) for group in groups for at in places]
    return bool(mine) and all(column.has_dictionary_page for column in mine)


def _looked_up(values: pa.Array, test: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What `test` says of each value; of a dictionary's values once each."""
    if isinstance(values, pa.DictionaryArray):
        return pc.take(test(values.dictionary), values.indices)
    return test(values)
