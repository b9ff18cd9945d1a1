"""Batches: rows as dicts of arrays, a few at a time, in bounded memory.

Rules:

1. Every batch but the last of a reading has exactly `size` rows.
2. A column's array type depends on the schema alone, never on the values of one batch: numbers and booleans that may be
   missing are float64 with NaN, exact decimals always float64, dates and moments datetime64 with NaT, all else objects.
3. Shuffling is decided by the seed and the row's place, through a function that no library's version can change.
4. Batches are dealt out to shards in turn; together the shards give every row once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lastro.model.errors import MissingExtra, UsageError
from lastro.model.schema import Decimal, Field, Primitive, Type, type_text
from lastro.model.text import _
from lastro.workspace.training.xxh64 import xxh64

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW_ROWS = 1 << 16
_NUMBERS = frozenset(
    {
        *(Primitive.LONG, Primitive.INTEGER, Primitive.SHORT, Primitive.BYTE),
        *(Primitive.DOUBLE, Primitive.FLOAT, Primitive.BOOLEAN),
    }
)
_FLOATING = frozenset({Primitive.DOUBLE, Primitive.FLOAT})
_TIMES = {
    Primitive.DATE: "datetime64[D]",
    Primitive.TIMESTAMP: "datetime64[us]",
    Primitive.TIMESTAMP_NTZ: "datetime64[us]",
}


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches of some rows; can be gone through more than once. Each reading is verified like any other.

    With `torch` they are what `for_torch` makes of them: a dataset for a `torch.utils.data.DataLoader`.

    Raises `UsageError` on a size below 1, an unknown `to`, a shard outside its count or, with `torch`, a column that is
    no number; `MissingExtra` where PyTorch is not installed.
    """

    opening: Callable[[], Any]  # Any: a pyarrow.RecordBatchReader
    fields: tuple[Field, ...]
    size: int
    to: str = "numpy"
    shuffle_seed: int | None = None
    shard: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(_("a batch has at least one row"), do=_("choose a size such as 1024"))
        if self.to not in {"numpy", "torch"}:
            raise UsageError(_("{to!r} is no kind of array").format(to=self.to), do=_("use numpy or torch"))
        if self.shuffle_seed is not None and not 0 <= self.shuffle_seed < 1 << 64:
            raise UsageError(_("a seed is a whole number from 0 to 2**64 - 1"), do=_("choose a small one, such as 0"))
        if self.shard is not None and not 0 <= self.shard[0] < self.shard[1]:
            raise UsageError(_("there is no such shard"), do=_("use (index, count) with index from 0 to count - 1"))
        if self.to == "torch":
            _torch()
            for field in self.fields:
                _check_tensor(field)

    def __iter__(self) -> Iterator[dict[str, Any]]:  # Any: numpy arrays or torch tensors
        index, count = self.shard or _worker_share()
        finish = _torch().from_numpy if self.to == "torch" else _same
        for number, batch in enumerate(self._batches()):
            if number % count == index:
                yield {name: finish(array) for name, array in batch.items()}

    def _batches(self) -> Iterator[dict[str, NDArray[Any]]]:  # Any: each column's own type
        before = 0
        window_rows = self.size * max(1, WINDOW_ROWS // self.size)
        for window in _windows(self.opening(), window_rows):
            arrays = {field.name: array_of(window.column(field.name), field) for field in self.fields}
            if self.shuffle_seed is not None:
                order = _order(before, window.num_rows, self.shuffle_seed)
                arrays = {name: array[order] for name, array in arrays.items()}
            for start in range(0, window.num_rows, self.size):
                yield {name: array[start : start + self.size] for name, array in arrays.items()}
            before += window.num_rows


def for_torch(batches: Batches) -> Any:  # Any: a torch.utils.data.IterableDataset
    """The batches as PyTorch's own kind of dataset: `DataLoader(…, batch_size=None, num_workers=2)` shares them out."""

    class Tensors(import_module("torch.utils.data").IterableDataset):  # type: ignore[misc]  # PyTorch is optional
        def __iter__(self) -> Iterator[dict[str, Any]]:  # Any: torch tensors
            return iter(batches)

        def __reduce__(self) -> tuple[Any, ...]:  # Any: how a worker that is a fresh process makes its own
            return for_torch, (batches,)

    return Tensors()


def is_number(kind: Type) -> bool:
    """True if the type's values can be numbers of a matrix."""
    return isinstance(kind, Decimal) or kind in _NUMBERS


def floats(column: Any) -> NDArray[np.float64]:  # Any: a pyarrow array of numbers or booleans
    """The values as float64, NaN where missing."""
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    values = column.cast(pa.float64(), safe=False).fill_null(float("nan"))
    return values.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def array_of(column: Any, field: Field) -> NDArray[Any]:  # Any: a pyarrow chunked array; the column's own type
    """The values as a writable array of the type that rule 2 names."""
    import numpy as np

    whole = column.combine_chunks()
    if is_number(field.type) and (isinstance(field.type, Decimal) or field.nullable) and field.type not in _FLOATING:
        return np.array(floats(whole))
    if field.type in _FLOATING:
        return np.array(whole.fill_null(float("nan")).to_numpy(zero_copy_only=False))
    array = whole.to_numpy(zero_copy_only=False)
    return np.array(array, dtype=_TIMES.get(field.type)) if isinstance(field.type, Primitive) else np.array(array)


def _windows(reader: Any, rows: int) -> Iterator[Any]:  # Any: a pyarrow reader and tables
    """Tables of exactly so many rows, save the last."""
    import pyarrow as pa

    held: list[Any] = []  # Any: pyarrow record batches
    count = 0
    for batch in reader:
        held.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(held)
            yield table.slice(0, rows)
            held, count = table.slice(rows).to_batches(), count - rows
    if count:
        yield pa.Table.from_batches(held)


def _order(before: int, count: int, seed: int) -> NDArray[np.int64]:
    """The order of `count` rows that stand after `before` others: by the hash of each one's place."""
    import numpy as np

    places = np.arange(before, before + count, dtype="<u8")
    ends = np.arange(0, 8 * count + 1, 8, dtype=np.int64)
    return np.argsort(xxh64(places.view(np.uint8), ends, np.full(count, seed, dtype=np.uint64)), kind="stable")


def _worker_share() -> tuple[int, int]:
    """This process's share if it is a worker of a PyTorch data loader, else everything."""
    if "torch" not in sys.modules:
        return 0, 1
    worker = import_module("torch.utils.data").get_worker_info()
    return (0, 1) if worker is None else (worker.id, worker.num_workers)


def _check_tensor(field: Field) -> None:
    if not is_number(field.type):
        raise UsageError(
            _("{name} is {type}: no tensor can hold it").format(name=field.name, type=type_text(field.type)),
            do=_("name numeric columns only: columns=[…]"),
        )


def _torch() -> Any:  # Any: the module torch
    try:
        return import_module("torch")
    except ImportError as error:
        raise MissingExtra(_("{library} is not installed").format(library="PyTorch"), do="pip install torch") from error


def _same(array: NDArray[Any]) -> NDArray[Any]:  # Any: the column's own type
    return array
