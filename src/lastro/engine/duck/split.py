"""Splitting: batches with their broken rules into kept and refused rows, with the refused rows' positions.

Rules:

1. A row is set aside if it breaks a rule whose policy says so; otherwise it is kept, and the broken rules are counted.
2. A batch that breaks nothing passes through untouched.
3. A malformed record is set aside under the rule `malformed`, as text; a blank line is no record.
4. Positions count the source's records from 1. Records that the reader set aside itself are counted in later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.duck.relations import LINE
from lastro.engine.protocol import MALFORMED, QUARANTINE
from lastro.engine.sql.compile import BITS_PER_WORD

REFUSED_SCHEMA = to_arrow(QUARANTINE)
Bits = np.ndarray[tuple[int], np.dtype[np.int64]]


class Shape(msgspec.Struct, frozen=True):
    """What the columns of a compiled SELECT mean: the table's `columns` come first, then words of rule bits, then the
    record of a refused row. `set_aside` says for each rule whether breaking it refuses the row.
    """

    columns: tuple[str, ...]
    bits: tuple[str, ...]
    record: str
    rules: tuple[str, ...]
    set_aside: tuple[bool, ...]


@dataclass(slots=True)
class Splitter:
    """Splits batches of one `Shape`; counts as it goes. `batch` is the commit's key."""

    shape: Shape
    batch: str
    read: int = 0
    kept: int = 0
    absent: list[int] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def split(self, batch: pa.RecordBatch, source: str, before: int) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
        """Kept rows, and refused rows with the quarantine's schema; `before` records of the source came earlier."""
        words = [batch.column(name).to_numpy() for name in self.shape.bits]
        lines = batch.column(LINE) if LINE in batch.schema.names else None
        table = batch.select(list(range(len(self.shape.columns))))
        if not any(word.any() for word in words) and (lines is None or lines.null_count == len(lines)):
            self.read += batch.num_rows
            self.kept += batch.num_rows
            return table, None
        return self._divide(batch, table, words, lines, source, before)

    def _divide(
        self,
        batch: pa.RecordBatch,
        table: pa.RecordBatch,
        words: list[Bits],
        lines: pa.Array | None,
        source: str,
        before: int,
    ) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
        broken = np.zeros(batch.num_rows, dtype=bool)
        present = np.ones(batch.num_rows, dtype=bool)
        malformed = np.zeros(batch.num_rows, dtype=bool)
        if lines is not None:
            blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(lines), ""), False).to_numpy(zero_copy_only=False)
            present = ~blank
            malformed = pc.is_valid(lines).to_numpy(zero_copy_only=False) & present
            self.absent += (np.flatnonzero(blank) + before + 1).tolist()
        sound = present & ~malformed
        for index, word in enumerate(words):
            first = index * BITS_PER_WORD
            self._count(word[sound], first)
            broken |= (word & self._mask(first)) != 0
        aside = broken & sound
        self.read += int(present.sum())
        kept = table.filter(pa.array(sound & ~aside))
        self.kept += kept.num_rows
        self.refused[MALFORMED] += int(malformed.sum())
        out = np.flatnonzero(aside | malformed)
        if len(out) == 0:
            return kept, None
        names = [self._names([int(word[row]) for word in words]) if sound[row] else [MALFORMED] for row in out]
        taken = pa.array(out)
        records = batch.column(self.shape.record).take(taken)
        forms = ["raw"] * len(out)
        if lines is not None:
            texts = lines.take(taken)
            records = pc.if_else(pa.array(sound[out]), records, texts)
            forms = ["raw" if good else "text" for good in sound[out]]
        return kept, refused_batch(self.batch, names, source, out + before + 1, forms, records)

    def _count(self, word: Bits, first: int) -> None:
        hit = word[word != 0]
        for bit, name in enumerate(self.shape.rules[first : first + BITS_PER_WORD]):
            self.refused[name] += int(((hit >> bit) & 1).sum())

    def _mask(self, first: int) -> int:
        return sum(1 << bit for bit, aside in enumerate(self.shape.set_aside[first : first + BITS_PER_WORD]) if aside)

    def _names(self, words: list[int]) -> list[str]:
        return [
            name
            for index, name in enumerate(self.shape.rules)
            if words[index // BITS_PER_WORD] >> (index % BITS_PER_WORD) & 1
        ]


def refused_batch(
    batch: str,
    rules: Sequence[Sequence[str]],
    source: str,
    positions: Sequence[int] | Bits,
    forms: Sequence[str],
    records: pa.Array,
) -> pa.RecordBatch:
    """Rows of the quarantine."""
    rows = len(rules)
    columns = [
        pa.repeat(pa.scalar(batch), rows),
        pa.array(rules, REFUSED_SCHEMA.field("rules").type),
        pa.repeat(pa.scalar(source), rows),
        pa.array(positions, pa.int64()),
        pa.array(forms, pa.string()),
        records.cast(pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=REFUSED_SCHEMA)
