"""Files: CSV, JSON lines and Parquet, by path or glob, plain or compressed.

Rules:

1. The engine reads the files; here they are only found, told apart and watched.
2. `append` reads files that were never seen. A seen file that is another now is refused: which of its rows are new
   cannot be known, so one growing file needs `upsert` or `overwrite`.
3. `overwrite` and `upsert` read all files if any of them changed, is new or is gone.
4. Nothing is unchanged by guess: equal size and modification time, or an equal digest, prove it. If the options that
   say how to read a file changed, `overwrite` and `upsert` read again.
5. A `.json` file that holds one array is not JSON lines; it is refused with the repair.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lastro.engine.scan import Csv, FileFormat, FileScan, JsonLines, Parquet
from lastro.model.errors import SourceBroken, SourceChanged
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.location import COMPRESSIONS, FORMATS, extension
from lastro.source.matching import FileMark, Found, find
from lastro.source.options import SourceOptions, identity, read_cursor, read_options, write_cursor, wrong_option
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.reading import Hasher, equals, hashing, marks_after

_PEEK_BYTES = 1 << 16


class FilesOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `files`. Those from `delimiter` on are for CSV only.

    `path` is a path or glob, relative to the workspace; `format` is told by the extension if it is not given.
    """

    path: Annotated[str, Meta(min_length=1)]
    format: Literal["csv", "jsonl", "parquet"] | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: bool | None = None
    encoding: str | None = None
    null_texts: tuple[str, ...] | None = None
    skip: Annotated[int, Meta(ge=0)] | None = None
    columns: tuple[str, ...] | None = None


class FilesCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was read: each file's mark, and `reading`, the identity of how it was read."""

    reading: str
    files: tuple[FileMark, ...]


@dataclass(frozen=True, slots=True)
class FilesSource:
    """Files of one format. `formats` tells the strptime format of columns whose dates are not ISO 8601, where known."""

    path: str
    base: Path
    format: FileFormat
    kind: str = "files"
    formats: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The path or glob, as it was given."""
        return self.path

    @property
    def reading(self) -> str:
        """The identity of how the files are read."""
        return identity(type(self.format).__name__, asdict(self.format))

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A scan of the files to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`."""
        last = None if cursor is None else read_cursor(cursor, FilesCursor, self.label)
        found = find(self.path, self.base)
        with hashing() as hasher:
            chosen = self._chosen(found, last, mode, hasher)
            if not chosen:
                yield Unchanged()
                return
            if isinstance(self.format, JsonLines):
                for file in chosen:
                    _refuse_arrays(file)
            hasher.begin(chosen)
            kept = _outside(last, found) if mode is Mode.APPEND else ()
            yield Opened(
                scan=FileScan(tuple(file.path for file in chosen), self.format),
                watermark=lambda: self._watermark(found, kept, hasher),
                label=self.label,
                notes=_notes(chosen, found),
            )

    def _chosen(
        self, found: Sequence[Found], last: FilesCursor | None, mode: Mode, hasher: Hasher
    ) -> tuple[Found, ...]:
        """The files to read now, none if nothing changed."""
        if last is None:
            return tuple(found)
        marks = {mark.path: mark for mark in last.files}
        if mode is Mode.APPEND:
            _refuse_rewritten(found, marks, hasher)
            return tuple(file for file in found if file.name not in marks)
        same = (
            self.reading == last.reading
            and {file.name for file in found} == marks.keys()
            and all(equals(file, marks[file.name], hasher) for file in found)
        )
        return () if same else tuple(found)

    def _watermark(self, found: Sequence[Found], kept: tuple[FileMark, ...], hasher: Hasher) -> Cursor:
        marks = marks_after(found, self.base, self.path, hasher)
        return write_cursor(FilesCursor(self.reading, tuple(sorted((*kept, *marks), key=lambda mark: mark.path))))


def files_source(options: Mapping[str, Any], base: Path) -> FilesSource:  # Any: a person's YAML values
    """The source of kind `files`. Raises `ConfigurationError`."""
    given = read_options(options, FilesOptions)
    name = given.format or FORMATS.get(extension(given.path))
    if name is None:
        raise wrong_option(
            given.kind,
            _("the extension of {path} does not tell its format").format(path=given.path),
            do=_("add format: csv, jsonl or parquet"),
        )
    if name == "parquet" and given.path.lower().endswith(COMPRESSIONS):
        raise wrong_option(given.kind, _("Parquet is compressed inside; a compressed Parquet file is not read"))
    return FilesSource(given.path, base, _format(name, given))


def _format(name: str, given: FilesOptions) -> FileFormat:
    if name == "csv":
        return _csv(given)
    for option in ("delimiter", "quote", "escape", "header", "encoding", "null_texts", "skip", "columns"):
        if getattr(given, option) is not None:
            raise wrong_option(
                given.kind,
                _("{option} is for CSV, and this is {format}").format(option=option, format=name),
                do=_("leave {option} out").format(option=option),
            )
    return JsonLines() if name == "jsonl" else Parquet()


def _csv(given: FilesOptions) -> Csv:
    default = Csv(delimiter="\t") if extension(given.path) == ".tsv" else Csv()
    quote = default.quote if given.quote is None else given.quote
    made = Csv(
        delimiter=default.delimiter if given.delimiter is None else given.delimiter.replace("\\t", "\t"),
        quote=quote,
        escape=quote if given.escape is None else given.escape,
        header=default.header if given.header is None else given.header,
        encoding=default.encoding if given.encoding is None else given.encoding,
        null_texts=default.null_texts if given.null_texts is None else given.null_texts,
        skip=default.skip if given.skip is None else given.skip,
        columns=given.columns,
    )
    _check_csv(made, given.kind)
    return made


def _check_csv(csv: Csv, kind: str) -> None:
    if len(csv.delimiter) != 1 or csv.delimiter in "\r\n":
        raise wrong_option(kind, _("delimiter: one character, not a line break"))
    for name, value in (("quote", csv.quote), ("escape", csv.escape)):
        if len(value) > 1 or value == csv.delimiter or value in ("\r", "\n"):
            raise wrong_option(kind, _("{name}: one character other than the delimiter, or empty").format(name=name))
    try:
        codecs.lookup(csv.encoding)
    except (LookupError, ValueError):
        raise wrong_option(
            kind, _("encoding: no such encoding"), do=_("write utf-8, latin-1, cp1252 or utf-16")
        ) from None
    if csv.columns is not None and (csv.header or len(set(csv.columns)) != len(csv.columns) or not csv.columns):
        raise wrong_option(kind, _("columns: different names, for files without a header line (header: false)"))


def _refuse_rewritten(found: Sequence[Found], marks: Mapping[str, FileMark], hasher: Hasher) -> None:
    for file in found:
        if file.name in marks and not equals(file, marks[file.name], hasher):
            raise SourceChanged(
                _("{name} was ingested before and is another file now").format(name=file.name),
                do=_("add new rows in new files, restore the old file, or ingest with --mode upsert or overwrite"),
            )


def _outside(last: FilesCursor | None, found: Sequence[Found]) -> tuple[FileMark, ...]:
    """Marks of files that were read once and are gone; should one come back, it is known."""
    names = {file.name for file in found}
    return tuple(mark for mark in (last.files if last else ()) if mark.path not in names)


def _notes(chosen: Sequence[Found], found: Sequence[Found]) -> tuple[str, ...]:
    if len(chosen) == len(found):
        return ()
    return (_("{new} of {all} files are new").format(new=len(chosen), all=len(found)),)


def _refuse_arrays(file: Found) -> None:
    begin = _peek(file).removeprefix(codecs.BOM_UTF8).lstrip()
    if begin.startswith(b"["):
        raise SourceBroken(
            _("{name} holds one JSON array, not one object a line").format(name=file.name),
            do=_("rewrite it as JSON lines: jq -c '.[]' {name} > new.jsonl").format(name=file.name),
        )
    if begin.split(b"\n", 1)[0].strip() == b"{":
        raise SourceBroken(
            _("{name} holds JSON objects spread over several lines, not one a line").format(name=file.name),
            do=_("rewrite it as JSON lines: jq -c . {name} > new.jsonl").format(name=file.name),
        )


def _peek(file: Found) -> bytes:
    """The first bytes of the file's content; empty where they cannot be had (the engine will say why)."""
    try:
        if file.name.lower().endswith(".gz"):
            with gzip.open(file.path) as stream:
                return stream.read(_PEEK_BYTES)
        if file.name.lower().endswith(".zst"):
            return _peek_zstd(file.path)
        with file.path.open("rb") as stream:
            return stream.read(_PEEK_BYTES)
    except (OSError, EOFError, ValueError, zlib.error):  # a damaged archive
        return b""


def _peek_zstd(path: Path) -> bytes:
    import pyarrow as pa

    with pa.input_stream(str(path), compression="zstd") as stream:
        content: bytes = stream.read(_PEEK_BYTES)
        return content
