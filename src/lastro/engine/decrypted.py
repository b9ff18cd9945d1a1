"""Copies of files in the clear, for readers that decrypt nothing: DuckDB.

Rules:

1. A copy stands in memory and nowhere else. It has no name on a disk, and goes with the path that it was made of.
2. A file is copied only where one of its encrypted columns is asked for, and where there is room for it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lastro.engine.encrypted import encrypted_in, opened
from lastro.model.errors import EngineError
from lastro.model.keyed_path import KeyedPath, keyed
from lastro.model.system import reason_of
from lastro.model.text import _

_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC})


def has_encrypted(paths: Iterable[Path]) -> bool:
    """True if one of these files has encrypted columns, and its path carries their keys."""
    return any(map(_encrypted, paths))


def needing(paths: Sequence[Path], columns: Iterable[str]) -> list[Path]:
    """The same files; those of which no encrypted column is among `columns` are read without their keys."""
    wanted = {name.casefold() for name in columns}
    return [path if wanted & set(map(str.casefold, _encrypted(path))) else Path(str(path)) for path in paths]


def _encrypted(path: Path) -> tuple[str, ...]:
    if not isinstance(path, KeyedPath):
        return ()
    if path.encrypted is None:
        path.encrypted = encrypted_in(path).columns
    return path.encrypted


def again(path: Path) -> Path:
    """The same path, with a copy in the clear of its own, if there must be one."""
    return keyed(path, path.keys) if isinstance(path, KeyedPath) else path


def clear(path: Path) -> str:
    """The name under which a reader that decrypts nothing finds all of a file's columns: its own if none is encrypted.

    Raises what `opened` raises, and `EngineError` where the system has no files in memory.
    """
    if not isinstance(path, KeyedPath) or not (hidden := _encrypted(path)):
        return str(path)
    if path.clear is None:
        path.clear = _Copy(path, hidden)
    name: str = path.clear.name
    return name


class _Copy:
    """A file's rows in the clear, in memory that no folder names; it ends with this object."""

    def __init__(self, path: Path, hidden: Sequence[str]) -> None:
        if not hasattr(os, "memfd_create"):
            raise EngineError(
                _("the column {column} is encrypted, and this system has no files in memory").format(column=hidden[0]),
                where=path.name,
                do=_("work with this dataset on Linux"),
            )
        try:
            self._file = os.memfd_create("lastro", os.MFD_CLOEXEC)
            self.name = f"/proc/{os.getpid()}/fd/{self._file}"
            _write_plain(path, self.name, hidden)
        except OSError as error:
            if error.errno not in _ROOM:
                raise
            raise EngineError(
                _("there is no room in memory for the rows with the encrypted column {column}: {reason}").format(
                    column=hidden[0], reason=reason_of(error)
                ),
                where=path.name,
                do=_("give the process more memory and open files (ulimit -n), or leave the column out"),
            ) from error

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)


def _write_plain(path: Path, name: str, hidden: Sequence[str]) -> None:
    """Writes the rows of a file in the clear under the name of a file in memory, with the same row groups."""
    with opened(path) as source, pa.OSFile(name, "wb") as stream:
        shape = source.schema_arrow.remove_metadata()
        told = [field.name for field in shape if field.name not in hidden and not pa.types.is_nested(field.type)]
        how = {"compression": "lz4", "write_statistics": told or False, "store_schema": False}
        with pq.ParquetWriter(stream, shape, **how) as out:
            for group in range(source.num_row_groups):
                table = source.read_row_group(group, use_threads=False)
                out.write_table(table, row_group_size=max(1, table.num_rows))
