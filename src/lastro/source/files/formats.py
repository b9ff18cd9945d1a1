"""Formats of files: from a person's options to how the engine is to read.

Rules:

1. The extension tells the format where `format` does not; a compression's is looked through.
2. An option that the format does not have is refused, never ignored.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated, Literal

from msgspec import Meta

from lastro.engine.scan import Csv, Excel, FileFormat, JsonLines, Parquet, Xml
from lastro.model.errors import MissingExtra
from lastro.model.text import _
from lastro.source.files.known import Bounds
from lastro.source.location import COMPRESSIONS, FORMATS, extension
from lastro.source.options import SourceOptions, identity, wrong_option

_ONLY: Mapping[str, tuple[str, ...]] = {
    "delimiter": ("csv",),
    "quote": ("csv",),
    "escape": ("csv",),
    "header": ("csv", "excel"),
    "encoding": ("csv",),
    "null_texts": ("csv", "excel", "xml"),
    "skip": ("csv", "excel"),
    "columns": ("csv", "excel"),
    "sheet": ("excel",),
    "fill_merged": ("excel",),
    "record": ("xml",),
}
"""Options that only some formats have."""


class FilesOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `files`. Those from `delimiter` to `record` are for some formats only.

    `path` is a path or glob, relative to the workspace; `format` is told by the extension if it is not given.
    """

    path: Annotated[str, Meta(min_length=1)]
    format: Literal["csv", "jsonl", "parquet", "excel", "xml"] | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: bool | None = None
    encoding: str | None = None
    null_texts: tuple[str, ...] | None = None
    skip: Annotated[int, Meta(ge=0)] | None = None
    columns: tuple[str, ...] | None = None
    sheet: str | int | None = None
    fill_merged: bool | None = None
    record: str | None = None
    batch_files: Annotated[int, Meta(ge=1)] | None = None
    batch_bytes: Annotated[int, Meta(ge=1)] | None = None


def format_of(given: FilesOptions, *, path: str = "") -> FileFormat:
    """How the engine is to read the files, told by `path` where the option of that name does not end in a file's name.

    Raises `ConfigurationError`.
    """
    path = path or given.path
    name = given.format or FORMATS.get(extension(path))
    if name is None:
        raise wrong_option(
            given.kind,
            _("the extension of {path} does not tell its format").format(path=path),
            do=_("add format: csv, jsonl, parquet, excel or xml"),
        )
    if name in ("parquet", "excel") and path.lower().endswith(COMPRESSIONS):
        raise wrong_option(
            given.kind, _("{format} is compressed inside; a compressed file of it is not read").format(format=name)
        )
    return _format(name, given, path)


def bounds_of(given: FilesOptions, usual: Bounds) -> Bounds:
    """How much one batch of `append` takes, where the options do not say what is usual."""
    return Bounds(given.batch_files or usual.files, given.batch_bytes or usual.size)


def reading_of(form: FileFormat) -> str:
    """The identity of how files are read: equal for equal formats."""
    return identity(type(form).__name__, asdict(form))


def _format(name: str, given: FilesOptions, path: str) -> FileFormat:
    for option, formats in _ONLY.items():
        if getattr(given, option) is not None and name not in formats:
            raise wrong_option(
                given.kind,
                _("{option} is for {formats}, and this is {format}").format(
                    option=option, formats=", ".join(formats), format=name
                ),
                do=_("leave {option} out").format(option=option),
            )
    match name:
        case "csv":
            return _csv(given, path)
        case "excel":
            return _excel(given)
        case "xml":
            return Xml(given.record or "", Xml().null_texts if given.null_texts is None else given.null_texts)
        case "parquet":
            return Parquet()
        case _:
            return JsonLines()


def _excel(given: FilesOptions) -> Excel:
    if find_spec("python_calamine") is None:
        raise MissingExtra(
            _("reading workbooks needs {library}").format(library="python-calamine"),
            do="pip install 'lastro[excel]'",
        )
    header = True if given.header is None else given.header
    if given.columns is not None:
        _check_columns(given.columns, header=header, kind=given.kind)
    if isinstance(given.sheet, int) and given.sheet < 1:
        raise wrong_option(given.kind, _("sheet: a name, or a number from 1"))
    return Excel(
        sheet=given.sheet,
        header=header,
        skip=given.skip or 0,
        columns=given.columns,
        null_texts=Excel().null_texts if given.null_texts is None else given.null_texts,
        fill_merged=bool(given.fill_merged),
    )


def _csv(given: FilesOptions, path: str) -> Csv:
    default = Csv(delimiter="\t") if extension(path) == ".tsv" else Csv()
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
    if csv.columns is not None:
        _check_columns(csv.columns, header=csv.header, kind=kind)


def _check_columns(columns: tuple[str, ...], *, header: bool, kind: str) -> None:
    if header or len(set(columns)) != len(columns) or not columns:
        raise wrong_option(kind, _("columns: different names, for files without a header line (header: false)"))
