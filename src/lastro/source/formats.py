"""Formats of files: from a person's options to how the engine is to read.

Rules:

1. The extension tells the format where `format` does not; a compression's is looked through.
2. An option that the format does not have is refused, never ignored.
"""

from __future__ import annotations

import codecs
from dataclasses import asdict
from typing import Annotated, Literal

from msgspec import Meta

from lastro.engine.scan import Csv, FileFormat, JsonLines, Parquet
from lastro.model.text import _
from lastro.source.known import Bounds
from lastro.source.location import COMPRESSIONS, FORMATS, extension
from lastro.source.options import SourceOptions, identity, wrong_option


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


def format_of(given: FilesOptions, path: str = "") -> FileFormat:
    """How the engine is to read the files, told by `path` where the option of that name does not end in a file's name.

    Raises `ConfigurationError`.
    """
    path = path or given.path
    name = given.format or FORMATS.get(extension(path))
    if name is None:
        raise wrong_option(
            given.kind,
            _("the extension of {path} does not tell its format").format(path=path),
            do=_("add format: csv, jsonl or parquet"),
        )
    if name == "parquet" and path.lower().endswith(COMPRESSIONS):
        raise wrong_option(given.kind, _("Parquet is compressed inside; a compressed Parquet file is not read"))
    return _format(name, given, path)


def bounds_of(given: FilesOptions, usual: Bounds) -> Bounds:
    """How much one batch of `append` takes, where the options do not say what is usual."""
    return Bounds(given.batch_files or usual.files, given.batch_bytes or usual.size)


def reading_of(form: FileFormat) -> str:
    """The identity of how files are read: equal for equal formats."""
    return identity(type(form).__name__, asdict(form))


def _format(name: str, given: FilesOptions, path: str) -> FileFormat:
    if name == "csv":
        return _csv(given, path)
    for option in ("delimiter", "quote", "escape", "header", "encoding", "null_texts", "skip", "columns"):
        if getattr(given, option) is not None:
            raise wrong_option(
                given.kind,
                _("{option} is for CSV, and this is {format}").format(option=option, format=name),
                do=_("leave {option} out").format(option=option),
            )
    return JsonLines() if name == "jsonl" else Parquet()


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
    if csv.columns is not None and (csv.header or len(set(csv.columns)) != len(csv.columns) or not csv.columns):
        raise wrong_option(kind, _("columns: different names, for files without a header line (header: false)"))
