"""Splitting: batches with their broken rules into kept and refused rows, with the refused rows' positions.

Rules:

1. A row is set aside if it breaks a rule whose policy says so; otherwise it is kept, and the broken rules are counted.
2. A batch that breaks nothing passes through untouched.
3. A malformed record is set aside under the rule `malformed`, as text; a blank line is no record.
4. The names of JSON members that the plan does not read are gathered, up to a number of them.
5. What cleaning did is counted of the records that could be taken apart.
6. Positions count the source's records from 1. Records that the reader set aside itself are counted in later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.duck.arrow import integers, to_arrow
from lastro.engine.duck.relations import LINE
from lastro.engine.protocol import MALFORMED, OFFSET, QUARANTINE, UNREAD, UNREAD_MAX

REFUSED_SCHEMA = to_arrow(QUARANTINE)
Bits = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


class Shape(msgspec.Struct, frozen=True):
    """What the columns of a compiled SELECT mean: the table's `columns` come first, then words of rule bits and `marks`
    of what cleaning did, then the record of a refused row. `set_aside` says for each rule whether breaking it refuses
    the row; a word holds `bits_per_word` rules, one of marks `bits_per_mark` bits.
    """

    columns: tuple[str, ...]
    bits: tuple[str, ...]
    record: str
    rules: tuple[str, ...]
    set_aside: tuple[bool, ...]
    bits_per_word: int
    marks: tuple[str, ...] = ()
    bits_per_mark: int = 0


@dataclass(slots=True)
class Splitter:
    """Splits batches of one `Shape`, source after source; counts as it goes. `batch` is the commit's key."""

    shape: Shape
    batch: str
    read: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    blanks: list[int] = field(default_factory=list)
    """The numbers of the source's blank lines among those that arrived, from 1."""
    unread: dict[str, None] = field(default_factory=dict)
    marked: Counter[int] = field(default_factory=Counter)
    """How many records have each bit of what cleaning did, the words' bits numbered one after another."""
    _source: str = ""
    _lines: int = 0

    def begin(self, source: str) -> None:
        """The next batches are this source's."""
        self._source, self._lines, self.blanks = source, 0, []

    def split(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
        """Kept rows, and refused rows with the quarantine's schema."""
        words = [integers(batch.column(name)) for name in self.shape.bits]
        lines = batch.column(LINE) if LINE in batch.schema.names else None
        table = batch.select(list(range(len(self.shape.columns))))
        if UNREAD in batch.schema.names:
            self._gather(batch.column(UNREAD))
        before = self._lines
        self._lines += batch.num_rows
        if any(word.any() for word in words) or (lines is not None and lines.null_count < len(lines)):
            return self._divide(batch, table, words, lines, before)
        self._mark(batch, None)
        self.read += batch.num_rows
        self.kept += batch.num_rows
        return table, None

    def _mark(self, batch: pa.RecordBatch, sound: Flags | None) -> None:
        for index, name in enumerate(self.shape.marks):
            word = batch.column(name)
            for each in pc.value_counts(word if sound is None else word.filter(pa.array(sound))).to_pylist():
                for bit in range(self.shape.bits_per_mark):
                    if each["values"] >> bit & 1:
                        self.marked[index * self.shape.bits_per_mark + bit] += each["counts"]

    def _gather(self, names: pa.Array) -> None:
        if names.null_count == len(names):
            return
        for listed in names.dictionary_encode().dictionary.to_pylist():
            if len(self.unread) >= UNREAD_MAX:
                return
            self.unread |= dict.fromkeys(msgspec.json.decode(listed, type=list[str]))

    def _divide(
        self, batch: pa.RecordBatch, table: pa.RecordBatch, words: list[Bits], lines: pa.Array | None, before: int
    ) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
        positions = np.arange(before + 1, before + batch.num_rows + 1) - len(self.blanks)
        blank, malformed = without_fields(lines, batch.num_rows)
        positions -= np.cumsum(blank)
        self.blanks += (np.flatnonzero(blank) + before + 1).tolist()
        sound = ~blank & ~malformed
        self._mark(batch, sound)
        aside = malformed | (sound & self._set_aside(words, sound))
        kept = table.filter(pa.array(sound & ~aside))
        self.read += int((~blank).sum())
        self.kept += kept.num_rows
        self.refused[MALFORMED] += int(malformed.sum())
        out = np.flatnonzero(aside)
        if len(out) == 0:
            return kept, None
        names = [[MALFORMED] if malformed[row] else self._names([int(word[row]) for word in words]) for row in out]
        records = batch.column(self.shape.record).take(pa.array(out))
        if lines is not None:
            records = pc.if_else(pa.array(malformed[out]), lines.take(pa.array(out)), records)
        forms = ["text" if malformed[row] else "raw" for row in out]
        offsets = batch.column(OFFSET).take(pa.array(out)) if OFFSET in batch.schema.names else None
        return kept, refused_batch(self.batch, names, self._source, positions[out], forms, records, offsets=offsets)

    def _set_aside(self, words: list[Bits], sound: Flags) -> Flags:
        """Which rows break a rule that refuses them; the broken rules of sound ones are counted."""
        found = np.zeros(len(sound), dtype=bool)
        for index, word in enumerate(words):
            first = index * self.shape.bits_per_word
            self._count(word[sound], first)
            found |= (word & self._mask(first)) != 0
        return found

    def _count(self, word: Bits, first: int) -> None:
        hit = word[word != 0]
        for bit, name in enumerate(self.shape.rules[first : first + self.shape.bits_per_word]):
            self.refused[name] += int(((hit >> bit) & 1).sum())

    def _mask(self, first: int) -> int:
        part = self.shape.set_aside[first : first + self.shape.bits_per_word]
        return sum(1 << bit for bit, aside in enumerate(part) if aside)

    def _names(self, words: list[int]) -> list[str]:
        return [
            name
            for index, name in enumerate(self.shape.rules)
            if words[index // self.shape.bits_per_word] >> (index % self.shape.bits_per_word) & 1
        ]


def without_fields(lines: pa.Array | None, rows: int) -> tuple[Flags, Flags]:
    """Which rows are blank lines, and which are lines that could not be taken apart."""
    if lines is None:
        return np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    blank: Flags = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(lines), ""), False).to_numpy(zero_copy_only=False)
    present: Flags = pc.is_valid(lines).to_numpy(zero_copy_only=False)
    return blank, present & ~blank


def refused_batch(
    batch: str,
    rules: Sequence[Sequence[str]],
    source: str,
    positions: Sequence[int] | Bits,
    forms: Sequence[str],
    records: pa.Array,
    *,
    offsets: pa.Array | None = None,
) -> pa.RecordBatch:
    """Rows of the quarantine."""
    rows = len(rules)
    columns = [
        pa.repeat(pa.scalar(batch), rows),
        pa.array(rules, REFUSED_SCHEMA.field("rules").type),
        pa.repeat(pa.scalar(source), rows),
        pa.array(positions, pa.int64()),
        pa.nulls(rows, pa.int64()) if offsets is None else offsets,
        pa.array(forms, pa.string()),
        records.cast(pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=REFUSED_SCHEMA)
