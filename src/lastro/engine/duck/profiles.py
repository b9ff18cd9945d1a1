"""Profiles of stored files: our own Parquet, read in this process, a few columns' worth of a row group at a time.

Text whose values are counted comes as the dictionary that it is stored as, where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lastro.engine.duck.arrow import arrow_type
from lastro.engine.duck.limits import Limits
from lastro.engine.encrypted import opened
from lastro.engine.profiling.count import counted
from lastro.engine.profiling.frame import framed, settled
from lastro.engine.profiling.slices import counted_by
from lastro.model.profile import Frame, Profile
from lastro.model.schema import Primitive, Schema

BATCH_ROWS = 122_880
SAMPLE_ROWS = 200_000
SAMPLE_GROUPS = 24
"""A sample is taken from at most so many row groups, spread over the files."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted: rows of these files, all or those of which a condition is true."""

    files: tuple[Path, ...]
    schema: Schema
    withheld: frozenset[str]
    where: str | None
    limits: Limits
    temp: Path | None

    def batches(self, frame: Frame) -> Iterator[pa.RecordBatch]:
        """The rows."""
        if self.where is not None:
            from lastro.engine.duck.stored import read

            yield from read(self.files, self.schema, None, self.where, self.limits, self.temp)
            return
        texts = [each.name for each in self.schema.fields if each.type == Primitive.STRING and frame[each.name].values]
        for path in self.files:
            with opened(path, read_dictionary=texts) as reader:
                names = [name for name in self.schema.names if name in reader.schema_arrow.names]
                for batch in reader.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
                    yield _conformed(batch, self.schema)


@contextmanager
def _told(files: Sequence[Path]) -> Iterator[None]:
    """As `stored.told`, which is loaded, and all of the engine with it, only once something went wrong."""
    try:
        yield
    except (pa.ArrowException, OSError):
        from lastro.engine.duck.stored import told

        with told(files):
            raise


def profile(counting: Counting, frame: Frame) -> Profile:
    """The profile of the rows; columns without a frame get one from a sample. Raises `Corrupted`, `SqlRefused`."""
    schema, withheld = counting.schema, counting.withheld
    with _told(counting.files):
        lacking = missing(schema, frame)
        made = framed(sample(counting.files, lacking, withheld), lacking, withheld)
        whole = {**frame, **made}
        return settled(counted(counting.batches(whole), schema, whole, withheld), made)


def slices(counting: Counting, frame: Frame, by: str) -> Mapping[str, Profile]:
    """The profile of each slice by a column. Raises `Corrupted`, `SqlRefused`."""
    with _told(counting.files):
        return counted_by(counting.batches(frame), counting.schema, frame, counting.withheld, by)


def missing(schema: Schema, frame: Frame) -> Schema:
    """The columns that have no frame yet."""
    return Schema(tuple(each for each in schema.fields if each.name not in frame))


def _conformed(batch: pa.RecordBatch, schema: Schema) -> pa.RecordBatch:
    """The batch with its columns' types as the kernel knows them; dictionaries stay."""
    for index, field in enumerate(batch.schema):
        wanted = arrow_type(schema.field(field.name).type)
        if field.type != wanted and not pa.types.is_dictionary(field.type):
            batch = batch.set_column(index, field.name, batch.column(index).cast(wanted))
    return batch


def sample(files: Sequence[Path], schema: Schema, withheld: frozenset[str]) -> pa.Table:
    """About `SAMPLE_ROWS` rows of the files, spread over them, without the columns that are withheld."""
    wanted = [name for name in schema.names if name not in withheld]
    target = pa.schema([(name, arrow_type(schema.field(name).type)) for name in wanted])
    if not wanted:
        return target.empty_table()
    groups: list[tuple[Path, int]] = []
    rows = 0
    for path in files:
        found = pq.read_metadata(path)
        rows += found.num_rows
        groups += [(path, index) for index in range(found.num_row_groups)]
    count = min(SAMPLE_GROUPS, len(groups))
    chosen = [groups[(2 * place + 1) * len(groups) // (2 * count)] for place in range(count)]
    tables = [_every(path, group, wanted, rows, len(groups) / max(1, len(chosen))) for path, group in chosen]
    fitted = [_fitted(table, target) for table in tables]
    return pa.concat_tables(fitted) if fitted else target.empty_table()


def _every(path: Path, group: int, names: Sequence[str], rows: int, share: float) -> pa.Table:
    """Every so-manieth row of a row group, so that about `SAMPLE_ROWS` come together."""
    with opened(path, columns=names) as reader:
        present = [name for name in names if name in reader.schema_arrow.names]
        table = reader.read_row_group(group, columns=present, use_threads=False)
    every = max(1, int(rows / share / SAMPLE_ROWS))
    return table if every == 1 else table.take(pa.array(range(every // 2, table.num_rows, every), pa.int64()))


def _fitted(table: pa.Table, target: pa.Schema) -> pa.Table:
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(len(table), field.type)
        for field in target
    ]
    return pa.Table.from_arrays(columns, schema=target)
