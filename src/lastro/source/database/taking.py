"""A reading of a relation under way: what every database source hands to the pipeline once rows are on their way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from lastro.engine.scan import ArrowStream, StreamScan
from lastro.model.reconciliation import Reconciliation, Totals
from lastro.source.database.absent import no_such_column
from lastro.source.incremental import ColumnCursor
from lastro.source.options import write_cursor
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.stream import Batches


class Reading(Protocol):
    """What is read, as far as its end is concerned: the cursor after it, and whether more rows are there."""

    @property
    def after(self) -> ColumnCursor:
        """The cursor after it."""
        ...

    @property
    def more(self) -> bool:
        """Whether it stops before the end of what is there."""
        ...


@dataclass(frozen=True, slots=True)
class Taking:
    """The reading, its stream, and what can be asked afterwards. `keys` gives these columns of every row there is."""

    label: str
    names: Sequence[str]
    reading: Reading
    stream: Batches
    keys: Callable[[Sequence[str]], ArrowStream]
    counted: Totals | None = None
    """What the database counted before; `arrived` tells the same of what came, once it was read to its end."""
    arrived: Callable[[], Totals] | None = None

    def opened(self, *, mark: str = "", notes: tuple[str, ...] = ()) -> Opened:
        """The reading, for the pipeline. `mark` goes into the cursor."""
        return Opened(
            StreamScan(self.stream, self.label, rows=self._rows()),
            lambda: self._watermark(mark),
            self.label,
            notes,
            more=lambda: self.reading.more,
            reconciliation=self._reconciliation(),
            keys=self._keys,
        )

    def _rows(self) -> int:
        return 0 if self.counted is None or self.reading.more else self.counted.rows

    def _reconciliation(self) -> Callable[[], Reconciliation] | None:
        counted, arrived = self.counted, self.arrived
        if counted is None or arrived is None:
            return None

        def both() -> Reconciliation:
            self.stream.check_finished(self.label)
            return Reconciliation(counted, arrived())

        return both

    def _watermark(self, mark: str) -> Cursor:
        self.stream.check_finished(self.label)
        return write_cursor(msgspec.structs.replace(self.reading.after, mark=mark))

    def _keys(self, names: Sequence[str]) -> ArrowStream:
        self.stream.check_finished(self.label)
        return _listed(self.label, self.names, self.keys, names)


def nothing_new(label: str, names: Sequence[str], keys: Callable[[Sequence[str]], ArrowStream]) -> Unchanged:
    """Nothing new by the cursor, which does not see deletes: the keys that are there can be compared all the same."""
    return Unchanged(keys=lambda wanted: _listed(label, names, keys, wanted))


def _listed(
    label: str, names: Sequence[str], keys: Callable[[Sequence[str]], ArrowStream], wanted: Sequence[str]
) -> ArrowStream:
    absent = next((name for name in wanted if name not in names), None)
    if absent is not None:
        raise no_such_column(absent, names, label)
    return keys(wanted)
