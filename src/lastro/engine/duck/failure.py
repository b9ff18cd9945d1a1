"""What can go wrong with an input, as values that cross the pipe from the child, and as errors for people.

Rules:

1. A failure names a reason, a file, a line and numbers. It never holds a value from the data, nor DuckDB's own message:
   DuckDB puts values into messages.
2. The child knows reasons only; the words are found here, in the reader's language.
"""

from __future__ import annotations

import errno
from typing import NoReturn

import msgspec

from lastro.model.errors import (
    EngineError,
    LastroError,
    LimitExceeded,
    SourceBroken,
    SourceChanged,
    SourceUnreachable,
    SqlRefused,
    WriteFailed,
)
from lastro.model.text import _


class Failure(msgspec.Struct, frozen=True, tag="failed"):
    """Why an input could not be read: a reason from the table below, and where. `detail` is a name of ours or of an
    exception's class – never data.
    """

    reason: str
    file: str = ""
    line: int | None = None
    first: int = 0
    second: int = 0
    detail: str = ""


class Refused(Exception):
    """Carries a failure up to where it is sent to the parent or raised as an error."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def refuse(
    reason: str, file: str, *, line: int | None = None, first: int = 0, second: int = 0, detail: str = ""
) -> NoReturn:
    """Raises `Refused`."""
    raise Refused(Failure(reason, file, line, first, second, detail))


def to_error(failure: Failure) -> LastroError:
    """The failure as an error for people."""
    kind, what, do = _WORDS.get(failure.reason, _WORDS["engine"])
    fill = {
        "file": failure.file,
        "line": failure.line,
        "first": failure.first,
        "second": failure.second,
        "detail": failure.detail,
    }
    where = failure.file
    if where and failure.line is not None:
        where = _("{file}, line {line}").format(file=failure.file, line=failure.line)
    return kind(_(what).format(**fill), where=where, do=_(do).format(**fill), state=_("nothing was committed"))


def N_(message: str) -> str:  # noqa: N802 – gettext's own name for "translate this later"
    """Marks a message for translation where it is defined, not where it is shown."""
    return message


_WORDS: dict[str, tuple[type[LastroError], str, str]] = {
    "missing": (SourceUnreachable, N_("the file does not exist"), N_("check the path in the source's configuration")),
    "unreadable": (SourceUnreachable, N_("the file cannot be opened"), N_("check its permissions, then try again")),
    "link": (
        SourceBroken,
        N_("the path is a link or no regular file, and links are not followed"),
        N_("name the file it points to"),
    ),
    "empty": (SourceBroken, N_("the file is empty"), N_("deliver it again, at least with a header line")),
    "nul": (
        SourceBroken,
        N_("the text holds a NUL byte"),
        N_("if the file is UTF-16, set `encoding: utf-16`; else remove the byte (`tr -d '\\000'`)"),
    ),
    "encoding": (
        SourceBroken,
        N_("the text is not {detail}"),
        N_("set the source's `encoding` (often latin-1 or cp1252), or convert the file"),
    ),
    "encoding_unknown": (
        SourceBroken,
        N_("the encoding is not known"),
        N_("use a name Python knows, such as utf-8, latin-1, cp1252 or utf-16"),
    ),
    "truncated": (
        SourceBroken,
        N_("the compressed file ends too early or is damaged"),
        N_("copy it again; compare its size and checksum with the original's"),
    ),
    "ended": (
        SourceChanged,
        N_("the file ended before byte {first}, up to which it was to be read"),
        N_("it was cut or replaced while it was read: ingest again"),
    ),
    "no_columns": (
        SourceBroken,
        N_("column {first} of the header has no name"),
        N_("name it in the header, or set `header: false` and list `columns`"),
    ),
    "same_name": (
        SourceBroken,
        N_("columns {first} and {second} have the same name (letter case does not tell names apart)"),
        N_("rename one in the header, or set `header: false` with `skip: 1` and list `columns`"),
    ),
    "names_alike": (
        SourceBroken,
        N_("columns {first} and {second} have the same name (letter case does not tell names apart)"),
        N_("rename one of them at the source"),
    ),
    "columns": (
        LimitExceeded,
        N_("there are {first} columns, at most {second} are read"),
        N_("check the delimiter; split a table this wide"),
    ),
    "header_long": (
        LimitExceeded,
        N_("the header line is longer than {first} bytes"),
        N_("check the delimiter, the quote character and the line ends"),
    ),
    "line_long": (
        LimitExceeded,
        N_("a line is longer than {first} bytes"),
        N_("check the quote character and the line ends; cells may have 16 MiB"),
    ),
    "malformed_many": (
        SourceBroken,
        N_("more than {first} values cannot be taken apart"),
        N_("check the delimiter, the quote character and the encoding: most likely the settings do not fit the file"),
    ),
    "quote_open": (
        SourceBroken,
        N_("a quoted value is opened in this line and not closed"),
        N_("close the quote, or set the source's `quote` to the character really used"),
    ),
    "column_missing": (
        SourceBroken,
        N_("the file has no column {detail}"),
        N_("add the column to the file, or change `physicalName` in the contract"),
    ),
    "parquet": (
        SourceBroken,
        N_("this is not a readable Parquet file"),
        N_("it may be cut short or of another format: copy it again"),
    ),
    "overflow": (
        SourceBroken,
        N_("a value is beyond what an expression of the contract can compute"),
        N_("look at the arithmetic in the contract's expressions; cast to a wider type first, or add a rule before"),
    ),
    "no_objects": (
        SourceBroken,
        N_("none of the lines read is a JSON object"),
        N_("write one object a line; an array of objects can be converted with `jq -c '.[]'`"),
    ),
    "json_open": (
        SourceBroken,
        N_("the JSON ends in the middle"),
        N_("copy it again: it was cut short, or a quote or bracket is not closed"),
    ),
    "json_broken": (
        SourceBroken,
        N_("the JSON has a bracket that closes nothing"),
        N_("have it written again by a JSON library"),
    ),
    "deep": (
        LimitExceeded,
        N_("values are nested more than {first} deep"),
        N_("flatten them at the source"),
    ),
    "xml": (SourceBroken, N_("this is not well-formed XML"), N_("copy it again, or have it written by an XML library")),
    "entity": (
        SourceBroken,
        N_("the document declares or uses entities of its own, which are not read"),
        N_("have the document written without a DTD"),
    ),
    "no_records": (
        SourceBroken,
        N_("the document has no element that `record` names"),
        N_("set the source's `record` to the path of the repeated element: catalog/book"),
    ),
    "workbook": (
        SourceBroken,
        N_("this is not a readable workbook"),
        N_("it may be cut short or of another format: open it, save it as .xlsx, and deliver it again"),
    ),
    "password": (SourceBroken, N_("the workbook is protected by a password"), N_("save it without a password")),
    "sheet": (
        SourceBroken,
        N_("the workbook has no such sheet; it has {first}"),
        N_("set the source's `sheet` to the name of one, or to its number from 1"),
    ),
    "unpacked": (
        LimitExceeded,
        N_("the workbook unpacks to more than {first} bytes"),
        N_("split it, or export the sheet as CSV"),
    ),
    "pattern": (
        SourceBroken,
        N_("the line pattern is not a regular expression of RE2 with named groups"),
        N_("correct the source's `pattern`"),
    ),
    "dialect": (
        SourceBroken,
        N_("the delimited text cannot be read with these settings"),
        N_("check `delimiter`, `quote`, `escape` and `encoding` of the source"),
    ),
    "memory": (
        LimitExceeded,
        N_("reading needs more memory than the limit allows"),
        N_("look for very long values; or raise the engine's memory limit"),
    ),
    "spill": (LimitExceeded, N_("reading needs more temporary space than allowed"), N_("free disk space, then retry")),
    "died": (
        LimitExceeded,
        N_("the process that read the file died ({detail})"),
        N_("the file is malformed or beyond a limit: look at it with care, and deliver it anew"),
    ),
    "stalled": (
        LimitExceeded,
        N_("reading made no progress for {first} seconds and was stopped"),
        N_("try again; if it recurs, the file is beyond what can be read"),
    ),
    "stream": (
        SourceBroken,
        N_("the source failed while it was read ({detail})"),
        N_("check the source, then try again"),
    ),
    "record_column": (
        SourceBroken,
        N_("a stream of records must have one text column named `record`"),
        N_("this is an error of the source's connector: report it there"),
    ),
    "schema_unknown": (
        SourceBroken,
        N_("the stream does not tell its columns before it is read"),
        N_("pass a pyarrow table or record batch reader"),
    ),
    "types": (
        SqlRefused,
        N_("SQL of the contract does not fit the types of the source's columns"),
        N_("columns of CSV and JSON are text: cast them first, as in `abs(CAST(amount AS double))`"),
    ),
    "interrupted": (EngineError, N_("the engine was interrupted"), N_("try again")),
    "engine": (EngineError, N_("the engine failed ({detail})"), N_("report this with the contract, without the data")),
}


WRITE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT})


def write_failed(error: OSError, where: str) -> WriteFailed:
    """An operating system's refusal to write, in words."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            what, do = _("the disk is full"), _("free some space, then run the command again")
        case errno.EROFS | errno.EACCES | errno.EPERM:
            what, do = _("the folder cannot be written"), _("check its owner and permissions")
        case errno.ENOENT:
            what, do = _("the folder does not exist"), _("create it, or run `lastro repair`")
        case _other:
            what, do = _("writing failed ({name})").format(name=errno.errorcode.get(_other or 0, "?")), _("try again")
    return WriteFailed(what, where=where, do=do, state=_("nothing was committed"))


def of_exception(error: BaseException, *, file: str = "") -> Failure:
    """The failure an exception of DuckDB, Arrow or the system stands for. Its message is read, and dropped."""
    if isinstance(error, Refused):
        return error.failure
    if isinstance(error, MemoryError):
        return Failure("memory", file)
    message = str(error).lower()
    for reason, signs in _SIGNS:
        if any(sign in message for sign in signs):
            return Failure(reason, file)
    return Failure("engine", file, detail=f"{type(error).__name__}, {_place(error)}")


_SIGNS = (
    ("types", ("binder error",)),
    ("spill", ("max_temp_directory_size",)),
    ("memory", ("out of memory", "bad_alloc", "failed to allocate", "could not allocate", "malloc of size")),
    ("truncated", ("gzip stream", "zstd")),
    ("dialect", ("csv parser", "csv reader", "error when sniffing")),
    ("parquet", ("parquet", "snappy", "thrift", "no magic bytes")),
    ("overflow", ("out of range error", "conversion error", "overflow")),
    ("interrupted", ("interrupt error",)),
)
"""What tells DuckDB's failures apart whichever class carries them: a stream hands them on as `OSError`."""


def _place(error: BaseException) -> str:
    """The last line of our own code that the error passed: all of it that can be told without its message."""
    place, trace = "", error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename.replace("\\", "/")
        if "/lastro/" in path:
            place = f"{path.rsplit('/lastro/', 1)[1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
