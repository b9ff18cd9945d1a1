"""Reading events that other programs told: Airflow, Spark, dbt, and whoever else speaks OpenLineage.

Rules:

1. A file holds one event a line, or one JSON value: an event, or a list of events. It is a regular file of at most
   `FILE_BYTES_MAX`; a line has at most `LINE_BYTES_MAX`, a file that is one value `WHOLE_BYTES_MAX`.
2. Only run events are taken, and of them only what names run, job, datasets and versions. Everything else is left out
   unread: no facet's text enters the workspace.
3. What is not one, or has names that are too long or hold control characters, is skipped and counted. So are events of
   this workspace's own. A file without any run event is refused. A moment without a zone is taken for one in UTC.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, NoReturn

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lastro.model.errors import UsageError
from lastro.model.foreign import ForeignDataset, ForeignEvent, ForeignJob
from lastro.model.system import reason_of
from lastro.model.text import _

FILE_BYTES_MAX = 1 << 30
LINE_BYTES_MAX = 8 << 20
WHOLE_BYTES_MAX = 16 << 20
COMMAS_MAX = 2_000_000
"""In a file that is one value: each may stand for a member, which takes memory."""
DATASETS_MAX = 5_000
VERSION_LENGTH_MAX = 200
OWN = "urn:lastro:"
Id = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=2_000)]


class _Facets(msgspec.Struct):
    version: object = None


class _Dataset(msgspec.Struct):
    namespace: Name
    name: Name
    facets: _Facets | None = None


class _Run(msgspec.Struct, rename="camel"):
    run_id: Id


class _Job(msgspec.Struct):
    namespace: Name
    name: Name


class _Event(msgspec.Struct, rename="camel"):
    event_time: datetime
    run: _Run
    job: _Job
    producer: str = ""
    event_type: Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"] | UnsetType = UNSET
    inputs: Annotated[list[_Dataset], Meta(max_length=DATASETS_MAX)] | None = None
    outputs: Annotated[list[_Dataset], Meta(max_length=DATASETS_MAX)] | None = None


@dataclass(slots=True)
class Counts:
    """How many events were taken, and how many were skipped: `own` are of this workspace itself."""

    taken: int = 0
    skipped: int = 0
    own: int = 0


def events(path: Path, *, namespace: str, counts: Counts) -> Iterator[ForeignEvent]:
    """The run events of a file, as they come; `counts` is kept up to date. `namespace` is this workspace's own.

    Raises `UsageError` for a file that cannot be read, is too large, or holds no run event.
    """
    for content in _contents(path):
        event = _read(content)
        if event is None:
            counts.skipped += 1
        elif event.producer.startswith(OWN) and event.job.namespace == namespace:
            counts.own += 1
        else:
            counts.taken += 1
            yield _event(event)
    if not counts.taken and not counts.own:
        _refuse(_("the file holds no run event of OpenLineage"), path, _("name a file with one event a line"))


def _contents(path: Path) -> Iterator[bytes | msgspec.Raw]:
    """Each event's text: the lines, or the members of the one value."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > FILE_BYTES_MAX:
            _refuse(_("the file is too large"), path, _("split it into smaller ones, at line breaks"))
        first = file.readline(LINE_BYTES_MAX + 1)
        if len(first) < size <= WHOLE_BYTES_MAX and _read(first) is None:
            whole = _members(first + file.read())
            if whole is not None:
                yield from whole
                return
            file.seek(len(first))
        elif first.lstrip()[:1] == b"[":
            members = _members(first)
            yield from [first] if members is None else members
            return
        yield from _lines(first, file)


def _opened(path: Path) -> BinaryIO:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        _refuse(_("the file cannot be read: {reason}").format(reason=reason_of(error)), path, _("name another file"))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        _refuse(_("that is no file"), path, _("name a file with one event a line"))
    return os.fdopen(descriptor, "rb")


def _lines(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    """The lines that are not empty; of one that is too long, its beginning, which is no event."""
    line, inside = first, False
    while line:
        if not inside and line.strip():
            yield line
        inside = not line.endswith(b"\n")
        line = file.readline(LINE_BYTES_MAX + 1)


def _members(content: bytes) -> list[msgspec.Raw] | None:
    """The members of a JSON list, or the one JSON object; None if it is neither."""
    if content.count(b",") > COMMAS_MAX:
        return None
    try:
        value = msgspec.json.decode(content, type=list[msgspec.Raw] | dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return value if isinstance(value, list) else [msgspec.Raw(content)]


def _read(content: bytes | msgspec.Raw) -> _Event | None:
    """The run event that a text is, if it is one."""
    if len(content) > LINE_BYTES_MAX:
        return None
    try:
        event = _DECODER.decode(content)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, OverflowError, ValueError):
        return None
    named = (event.run, event.job, *(event.inputs or ()), *(event.outputs or ()))
    return event if all(_printable(one) for one in named) else None


def _printable(one: _Run | _Job | _Dataset) -> bool:
    """True if no name holds a control character, or anything else that a terminal does not show."""
    match one:
        case _Run():
            return one.run_id.isprintable()
        case _:
            return one.namespace.isprintable() and one.name.isprintable()


def _event(event: _Event) -> ForeignEvent:
    return ForeignEvent(
        run=event.run.run_id,
        type="OTHER" if event.event_type is UNSET else event.event_type,
        moment=event.event_time if event.event_time.tzinfo else event.event_time.replace(tzinfo=UTC),
        job=ForeignJob(event.job.namespace, event.job.name),
        inputs=tuple(dict.fromkeys(map(_dataset, event.inputs or ()))),
        outputs=tuple(dict.fromkeys(map(_dataset, event.outputs or ()))),
    )


def _dataset(one: _Dataset) -> ForeignDataset:
    facet = one.facets.version if one.facets else None
    version = facet.get("datasetVersion") if isinstance(facet, dict) else None
    if type(version) is int and version.bit_length() < 64:
        version = str(version)
    named = isinstance(version, str) and version.isprintable() and len(version) <= VERSION_LENGTH_MAX
    return ForeignDataset(one.namespace, one.name, str(version) if named else "")


def _refuse(what: str, path: Path, do: str) -> NoReturn:
    raise UsageError(what, where=str(path), do=do)


_DECODER = msgspec.json.Decoder(_Event)
