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

from msgspec import Meta

from lastro.engine.scan import Csv, FileFormat, FileScan, JsonLines, Parquet
from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.known import Bounds, Choice, Known, choose, known_files
from lastro.source.location import COMPRESSIONS, FORMATS, extension
from lastro.source.matching import Found, find
from lastro.source.options import SourceOptions, identity, read_options, write_cursor, wrong_option
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.reading import Hasher, hashing, marks_after

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
    batch_files: Annotated[int, Meta(ge=1)] | None = None
    batch_bytes: Annotated[int, Meta(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class FilesSource:
    """Files of one format. `formats` tells the strptime format of columns whose dates are not ISO 8601, where known."""

    path: str
    base: Path
    format: FileFormat
    kind: str = "files"
    formats: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def label(self) -> str:
        """The path or glob, as it was given."""
        return self.path

    @property
    def reading(self) -> str:
        """The identity of how the files are read."""
        return reading_of(self.format)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A scan of the files to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`."""
        known = known_files(cursor, self.label)
        found = find(self.path, self.base)
        with hashing() as hasher:
            choice = choose(found, known, mode, hasher.of, bounds=self.bounds, reading=self.reading)
            if not choice.read:
                yield Unchanged()
                return
            if isinstance(self.format, JsonLines):
                for file in choice.read:
                    _refuse_arrays(file)
            hasher.begin(choice.read)
            before = known if mode is Mode.APPEND else Known(None)
            yield Opened(
                scan=FileScan(tuple(file.path for file in choice.read), self.format),
                watermark=lambda: self._watermark((*choice.read, *choice.proven), before, hasher),
                label=self.label,
                notes=notes(choice, len(found)),
                more=lambda: choice.left > 0,
            )

    def _watermark(self, files: Sequence[Found], before: Known, hasher: Hasher) -> Cursor:
        marks = marks_after(files, self.base, self.path, hasher)
        return write_cursor(before.with_marks(marks, self.reading))


def reading_of(form: FileFormat) -> str:
    """The identity of how files are read: equal for equal formats."""
    return identity(type(form).__name__, asdict(form))


def notes(choice: Choice[Any], found: int) -> tuple[str, ...]:  # Any: files of any place
    """What to say of a choice among `found` files."""
    said = []
    if len(choice.read) < found:
        said.append(_("{new} of {all} files are new").format(new=len(choice.read) + choice.left, all=found))
    if choice.left:
        said.append(_("{count} files are left for the next batch").format(count=choice.left))
    return tuple(said)


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
    return FilesSource(given.path, base, _format(name, given), bounds=_bounds(given, Bounds()))


def _bounds(given: FilesOptions, usual: Bounds) -> Bounds:
    return Bounds(given.batch_files or usual.files, given.batch_bytes or usual.size)


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
