"""Files with encrypted columns, as those who compute read and write them.

Rules:

1. A file's own note, a key-value pair of its footer, names its encrypted columns and the number of their key. Pyarrow
   ends the process if it is asked about such a column without the keys: footers are read through `metadata`.
2. Whoever reads by pyarrow reads through `opened`, which takes the keys that the path carries (`KeyedPath`).
3. DuckDB does not read such columns. It is given a copy in the clear, in memory and nowhere else (`clear`): it has no
   name on a disk, and goes with the path that it was made of.
4. A file that is written anew encrypts what one of the files did that its rows come from (`sealing_of`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lastro.model.errors import EngineError, NotPermitted
from lastro.model.keyed_path import ColumnKeys, KeyedPath, keyed
from lastro.model.system import reason_of
from lastro.model.text import _

NOTE = b"lastro.encrypted"
_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC})


@dataclass(frozen=True, slots=True)
class Note:
    """What a file says of its encrypted columns; none if `columns` is empty."""

    columns: tuple[str, ...] = ()
    key: int = 0

    def encode(self) -> bytes:
        """As it stands in a footer."""
        return json.dumps({"columns": list(self.columns), "key": self.key}).encode()


@dataclass(frozen=True, slots=True)
class Sealing:
    """Which columns of new files are encrypted, and who knows the keys."""

    columns: frozenset[str]
    keys: ColumnKeys

    def note(self, names: Iterable[str]) -> Note:
        """What a file of columns with these names will say."""
        columns = tuple(name for name in names if name in self.columns)
        return Note(columns, self.keys.current()) if columns else Note()


def note_of(metadata: pq.FileMetaData) -> Note:
    """What a footer says of encrypted columns. Raises `OSError` if it says nothing sensible."""
    text = (metadata.metadata or {}).get(NOTE)
    if text is None:
        return Note()
    try:
        found = json.loads(text)
        return Note(tuple(map(str, found["columns"])), int(found["key"]))
    except (ValueError, TypeError, KeyError) as error:
        raise OSError("the note of encrypted columns is broken") from error


def encrypted_in(path: Path) -> Note:
    """What a file says of its encrypted columns."""
    return note_of(pq.read_metadata(path))


def opened(path: Path, *, columns: Sequence[str] | None = None, **options: Any) -> pq.ParquetFile:  # Any: its options
    """A file, with what its encrypted columns need; without the keys where none of `columns` is encrypted.

    Raises what `ColumnKeys` raises, and `NotPermitted` if the path carries no keys.
    """
    footer = pq.read_metadata(path)
    note = note_of(footer)
    if not note.columns or (columns is not None and not set(columns) & set(note.columns)):
        return pq.ParquetFile(path, metadata=footer, pre_buffer=False, **options)
    return pq.ParquetFile(path, pre_buffer=False, decryption_properties=_keys(path, note).decryption(), **options)


def metadata(path: Path, *, columns: Sequence[str] | None = None) -> pq.FileMetaData:
    """A file's footer, of which every column can be asked, or these. Raises what `opened` raises."""
    with opened(path, columns=columns) as file:
        return file.metadata


def sealing_of(paths: Iterable[Path]) -> Sealing | None:
    """How the rows of these files are encrypted when they are written anew; None if none of them has such columns."""
    notes = [(path, encrypted_in(path)) for path in paths]
    sealed = [(path, note) for path, note in notes if note.columns]
    if not sealed:
        return None
    return Sealing(frozenset(name for _path, note in sealed for name in note.columns), _keys(*sealed[0]))


def has_encrypted(paths: Iterable[Path]) -> bool:
    """True if one of these files has encrypted columns, and its path carries their keys."""
    return any(map(_encrypted, paths))


def content_of(path: Path) -> bytes:
    """SHA-256 of what a file with encrypted columns says in clear: the same for the same rows, whatever the keys are.

    Only to be told as a `ColumnKeys.fingerprint`: who knows the other columns could guess the values.
    """
    state = hashlib.sha256()
    with opened(path) as file, path.open("rb") as stream:
        hidden = set(note_of(file.metadata).columns)
        state.update(str(file.schema_arrow.remove_metadata()).encode())
        for group in range(file.num_row_groups):
            for index in range(file.metadata.num_columns):
                chunk = file.metadata.row_group(group).column(index)
                if chunk.path_in_schema in hidden:
                    state.update(_plain(file.read_row_group(group, [chunk.path_in_schema], use_threads=False)))
                else:
                    stream.seek(min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset))))
                    state.update(stream.read(chunk.total_compressed_size))
    return state.digest()


def _plain(table: pa.Table) -> pa.Buffer:
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        return sink.getvalue()


def needing(paths: Sequence[Path], columns: Iterable[str]) -> list[Path]:
    """The same files; those of which no encrypted column is among `columns` are read without their keys."""
    wanted = {name.casefold() for name in columns}
    return [path if wanted & set(map(str.casefold, _encrypted(path))) else Path(str(path)) for path in paths]


def _encrypted(path: Path) -> tuple[str, ...]:
    return encrypted_in(path).columns if isinstance(path, KeyedPath) else ()


def again(path: Path) -> Path:
    """The same path, with a copy in the clear of its own, if there must be one."""
    return keyed(path, path.keys) if isinstance(path, KeyedPath) else path


def carrying(path: Path, sealing: Sealing | None) -> Path:
    """The path of a file that is written so."""
    return path if sealing is None else keyed(path, sealing.keys)


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


def _keys(path: Path, note: Note) -> ColumnKeys:
    if isinstance(path, KeyedPath):
        return path.keys
    raise NotPermitted(
        _("the column {column} is encrypted, and its keys are not at hand").format(column=note.columns[0]),
        where=path.name,
        do=_("read it through its workspace"),
    )
