"""Rows: some columns and rows of a version, as whatever a model is trained from.

They are an Arrow stream (`__arrow_c_stream__`), which pyarrow, Polars, pandas, DuckDB and deltalake take as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.errors import MissingExtra, UnknownName, UsageError
from lastro.model.schema import Field, Schema, type_text
from lastro.model.text import _
from lastro.workspace.training.batches import Batches, floats, for_torch, is_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lastro.engine.protocol import Engine
    from lastro.engine.scan import ArrowStream

Opening = Callable[[Sequence[str], str | None], "ArrowStream"]
"""Opens a stream of these columns of the rows for which an SQL condition (None: every row) is true."""
FORMS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}


class Rows:
    """Rows that are read when they are asked for, each time anew, and verified while they are read.

    Every method that reads raises `Corrupted` if a byte differs from what was committed, and `Expired` if the files
    were collected. Where columns are named, only those are read, in that order; `UnknownName` if there is none such,
    `NotPermitted` if policy denies one.
    `where` is an SQL condition; `SqlRefused` if it is not on the allow-list.
    """

    def __init__(
        self, label: str, schema: Schema, engine: Engine, opening: Opening, counting: Callable[[], int]
    ) -> None:
        self.label = label
        self.schema = schema
        self.engine = engine
        self._opening = opening
        self._counting = counting

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return self.schema.names

    @property
    def readable(self) -> tuple[str, ...]:
        """The columns that are read where none is named."""
        return self.columns

    def __len__(self) -> int:
        return self._counting()

    def __repr__(self) -> str:
        return f"<{self.label}: {len(self.columns)} columns>"

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as a PyCapsule."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def reader(self, *columns: str, where: str | None = None) -> Any:  # Any: a pyarrow.RecordBatchReader
        """The rows as a `pyarrow.RecordBatchReader`: bounded memory, read once."""
        import pyarrow as pa

        stream = self._opening(self._chosen(columns), where)
        return without_views(pa.RecordBatchReader.from_stream(stream))

    def to_arrow(self, *columns: str, where: str | None = None) -> Any:  # Any: a pyarrow.Table
        """The rows as a `pyarrow.Table`."""
        return self.reader(*columns, where=where).read_all()

    def to_polars(self, *columns: str, where: str | None = None) -> Any:  # Any: a polars.DataFrame
        """The rows as a `polars.DataFrame`. Raises `MissingExtra`."""
        polars = _library("polars", "lastro[polars]")
        return polars.from_arrow(self.to_arrow(*columns, where=where))

    def to_pandas(self, *columns: str, where: str | None = None) -> Any:  # Any: a pandas.DataFrame
        """The rows as a `pandas.DataFrame`. Raises `MissingExtra`."""
        _library("pandas", "lastro[pandas]")
        return self.to_arrow(*columns, where=where).to_pandas()

    def to_numpy(self, *columns: str, where: str | None = None) -> NDArray[np.float64]:
        """A matrix of shape (rows, columns), float64; missing values are NaN, booleans 0 and 1.

        Raises `UsageError` if a column is neither a number nor a boolean.
        """
        import numpy as np

        chosen = self._chosen(columns)
        for name in chosen:
            _check_number(self.schema.field(name))
        table = self.to_arrow(*chosen, where=where)
        matrix = np.empty((table.num_rows, len(chosen)), dtype=np.float64)
        for place, column in enumerate(table.columns):
            start = 0
            for chunk in column.chunks:
                matrix[start : start + len(chunk), place] = floats(chunk)
                start += len(chunk)
        return matrix

    def batches(
        self,
        size: int,
        *,
        columns: Sequence[str] | None = None,
        to: str = "numpy",
        shuffle_seed: int | None = None,
        shard: tuple[int, int] | None = None,
    ) -> Iterable[dict[str, Any]]:  # Any: numpy arrays or torch tensors
        """Dicts from column to an array of at most `size` values, in bounded memory; see `Batches` for the types.

        `to` is `numpy`, or `torch` for a `torch.utils.data.IterableDataset` of tensors. With `shuffle_seed`, rows move
        within windows of some 65,536 rows, always the same way for the same seed and size. `shard=(index, count)` gives
        every count-th batch from the index-th on; where it is None, a worker of a `torch.utils.data.DataLoader` gets
        its own share and everybody else all. Raises `UsageError`, `MissingExtra`.
        """
        chosen = self._chosen(tuple(columns or ()))
        fields = tuple(self.schema.field(name) for name in chosen)
        opening = partial(self.reader, *chosen)
        made = Batches(opening, fields, size=size, to=to, shuffle_seed=shuffle_seed, shard=shard)
        return for_torch(made) if to == "torch" else made

    def write(
        self,
        path: str | Path,
        *,
        form: str | None = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
    ) -> int:
        """Writes the rows to one file and returns their number; a file of that name is replaced.

        `form` is `parquet`, `csv`, `jsonl` or `arrow`; where it is None, the name's ending tells. Raises `UsageError`,
        `WriteFailed`.
        """
        target = Path(path)
        chosen = _form(target, form)
        return self.engine.write(self.reader(*(columns or ()), where=where), target, form=chosen)

    def _chosen(self, columns: Sequence[Any]) -> tuple[str, ...]:  # Any: a caller may write anything
        for name in columns:
            if isinstance(name, list | tuple):
                raise UsageError(
                    _("columns are named one by one, and this is a list"),
                    where=self.label,
                    do=_("put an asterisk before the list: to_pandas(*names)"),
                )
            if name not in self.columns:
                raise UnknownName(
                    _("{label} has no column {name}").format(label=self.label, name=name),
                    do=_("choose among: {names}").format(names=", ".join(self.columns)),
                )
        return tuple(dict.fromkeys(columns)) or self.readable


def _form(path: Path, form: str | None) -> str:
    chosen = form or FORMS.get(path.suffix.lower())
    if chosen not in FORMS.values():
        raise UsageError(
            _("the form of {path} is not known").format(path=path.name),
            do=_("end its name with one of {endings}").format(endings=", ".join(FORMS)),
        )
    return str(chosen)


def without_views(reader: Any) -> Any:  # Any: a pyarrow.RecordBatchReader
    """The same rows without view types, which few libraries and not even pyarrow's own filter can take."""
    import pyarrow as pa

    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    if not any(kind in plain for kind in reader.schema.types):
        return reader
    fields = [field.with_type(plain.get(field.type, field.type)) for field in reader.schema]
    return reader.cast(pa.schema(fields))


def _check_number(field: Field) -> None:
    if not is_number(field.type):
        raise UsageError(
            _("{name} is {type}, not a number").format(name=field.name, type=type_text(field.type)),
            do=_("name numeric columns only, or use to_polars() and encode it"),
        )


def _library(name: str, extra: str) -> Any:  # Any: a module
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra(_("{library} is not installed").format(library=name), do=f"pip install '{extra}'") from error
