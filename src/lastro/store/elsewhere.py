"""Delta tables of others, read as they are, where they are: a folder, its newest version.

Rules:

1. Data files are read one by one by the engine, which parses them in its guarded child; of a table with partitions,
   whose files do not hold all of its columns, by pyarrow in this process.
2. A file that the log names must lie in the table's folder, and be no link.
3. What needs more of a reader than `timestampNtz` is refused: deletion vectors and mapped columns would be misread.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.engine.scan import FileScan, Parquet, Scan, StreamScan
from lastro.model.errors import LastroError, SourceBroken, SourceUnreachable
from lastro.model.schema import Schema
from lastro.model.text import _
from lastro.store.paths import from_delta

_READABLE = frozenset({"timestampNtz"})


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The newest version of a table: its rows, and the columns they have by the table's own word."""

    scan: Scan
    schema: Schema
    label: str


def elsewhere(path: str, base: Path) -> Elsewhere:
    """The table in this folder, relative to `base`. Raises `SourceUnreachable`, `SourceBroken`, `Corrupted`."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    folder = base / path
    if folder.is_symlink() or not (folder / "_delta_log").is_dir():
        raise SourceUnreachable(
            _("there is no Delta table in {path}").format(path=path[:200]),
            where=str(base),
            do=_("name the folder that holds _delta_log; links are not followed"),
        )
    try:
        table = DeltaTable(str(folder.resolve()))
        _check(table, path)
        schema = Schema.from_delta(table.schema().to_json())
        return Elsewhere(_scan(table, folder.resolve(), path), schema, path)
    except (DeltaError, OSError, ValueError, KeyError, NotImplementedError) as error:
        if isinstance(error, LastroError):
            raise
        raise SourceBroken(
            _("the Delta table cannot be read ({kind})").format(kind=type(error).__name__),
            where=path,
            do=_("read it with the program that writes it, which says what is wrong with it"),
        ) from None


def _check(table: Any, path: str) -> None:  # Any: deltalake.DeltaTable
    protocol = table.protocol()
    features = set(protocol.reader_features or ())
    if protocol.min_reader_version == 2 or features - _READABLE:
        raise SourceBroken(
            _("the Delta table needs of its readers what Lastro does not do: {features}").format(
                features=", ".join(sorted(features - _READABLE)) or "columnMapping"
            ),
            where=path,
            do=_("write it anew without them"),
        )


def _scan(table: Any, folder: Path, path: str) -> Scan:  # Any: deltalake.DeltaTable
    import pyarrow as pa

    named = pa.table(table.get_add_actions())["path"].to_pylist()
    files = tuple(folder / from_delta(name) for name in sorted(named))
    if table.metadata().partition_columns:
        scanner = table.to_pyarrow_dataset().scanner(batch_size=65_536, batch_readahead=4, fragment_readahead=1)
        return StreamScan(scanner.to_reader(), path)
    return FileScan(files, Parquet())
