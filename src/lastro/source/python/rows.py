"""What Python code gives – dicts, lists of them, Arrow data, frames – as a scan.

Rules:

1. The first item decides. Dicts become records: their fields arrive as text, so that columns that come late, and
   values of mixed types, are the contract's to judge. Nothing is lost: whole numbers of any size, decimals, moments and
   what is nested keep what they are.
2. Frames – all that exports an Arrow stream, and pandas – keep their types. Those of the first `FRAMES_LOOKED_AT` are
   united where that loses nothing (see `frames`); a later one must fit: a column that it lacks is missing, one that it
   adds, or that does not fit, is refused.
3. An error in a person's code is told by its kind, file and line. Its message may hold data, and is dropped.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import chain, islice
from pathlib import Path
from traceback import extract_tb
from typing import Any

import msgspec

from lastro.engine.scan import StreamScan
from lastro.model.errors import LastroError, SourceBroken
from lastro.model.text import _
from lastro.source.python.frames import batches_of, fitted, is_frame, records_of, united
from lastro.source.stream import Batches

FRAMES_LOOKED_AT = 8
BATCH_ROWS = 5_000
BATCH_BYTES = 8 << 20
DEPTH_MAX = 64
_SIMPLE = (str, int, bool, type(None))
Item = Any  # Any: whatever a person's code yields
Values = Mapping[str, Any]  # Any: as a row, or a mapping of JSON, has them


def scan_of(items: Iterable[Item], label: str) -> tuple[StreamScan, Batches]:
    """The items as a scan, and its stream, which knows whether it was read to its end. The first item is taken now."""
    rest = iter(items)
    first = next((item for item in rest if not _is_empty(item)), None)
    if first is None:
        stream = _records(iter(()), label)
    elif is_frame(first):
        looked_at = [first, *islice(rest, FRAMES_LOOKED_AT - 1)]
        stream = _frames(looked_at, rest, label)
    else:
        return _of_records(chain([first], rest), label)
    return StreamScan(stream, label, records=first is None), stream


def rows_of(given: Item) -> Iterator[Item]:
    """What a function returned, or a person passed, as an iterator of items."""
    if isinstance(given, Mapping) or is_frame(given):
        return iter([given])
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        return iter(given)
    try:
        return iter(given)
    except TypeError:
        raise _no_rows(given, "") from None


def checked(items: Iterator[Item], label: str) -> Iterator[Item]:
    """The items; an error of the code that gives them is told by its kind and place."""
    try:
        yield from items
    except Exception as error:  # noqa: BLE001 - a person's code may raise anything; only its message is dropped
        raise told(error, Path.cwd(), label) from None


def size_of(item: Item) -> int:
    """How many rows an item has; 1 where that cannot be told before it is read."""
    if isinstance(item, Mapping) or hasattr(item, "_asdict"):
        return 1
    try:
        return len(item)
    except TypeError:
        return 1


def told(error: BaseException, root: Path | None, label: str, *, derived: str = "") -> LastroError:
    """An error of a person's code, by its kind and place: the last line of theirs that it passed. `derived` is the name
    of the dataset that it makes, if it is built.
    """
    if isinstance(error, LastroError):
        return error
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    for each in reversed(causes):
        if isinstance(each, LastroError):
            return each
        theirs = [
            frame
            for frame in extract_tb(each.__traceback__)
            if root is not None and Path(frame.filename).is_relative_to(root) and "site-packages" not in frame.filename
        ]
        if theirs:
            file = Path(theirs[-1].filename).relative_to(root or Path())
            where = _("{file}, line {line}").format(file=file, line=theirs[-1].lineno)
            return _failed(type(each).__name__, where, derived)
    frames = extract_tb(causes[-1].__traceback__)
    where = _("{file}, line {line}").format(file=Path(frames[-1].filename).name, line=frames[-1].lineno)
    return _failed(type(causes[-1]).__name__, f"{label} ({where})", derived)


def _failed(kind: str, where: str, derived: str) -> SourceBroken:
    building = _("correct the code, then build again: lastro build {name}").format(name=derived)
    return SourceBroken(
        _("the code that gives the rows failed ({kind})").format(kind=kind),
        where=where,
        do=building if derived else _("correct the code, then ingest again"),
    )


def _of_records(items: Iterator[Item], label: str) -> tuple[StreamScan, Batches]:
    stream = _records(_dicts(items, label), label)
    return StreamScan(stream, label, records=True), stream


def _dicts(items: Iterator[Item], label: str) -> Iterator[Mapping[Item, Item]]:
    for item in items:
        if isinstance(item, Mapping):
            yield item
        elif is_frame(item):
            yield from records_of(item, label)
        elif hasattr(item, "_asdict") or isinstance(item, str | bytes) or not isinstance(item, Iterable):
            yield _as_mapping(item, label)
        else:
            for row in item:
                yield row if isinstance(row, Mapping) else _as_mapping(row, label)


def _as_mapping(row: Item, label: str) -> Values:
    """Dataclasses, named tuples and the structs of msgspec are rows, too."""
    if hasattr(row, "_asdict"):
        found: Values = row._asdict()
        return found
    if hasattr(row, "__dataclass_fields__"):
        return {name: getattr(row, name) for name in row.__dataclass_fields__}
    if isinstance(row, msgspec.Struct):
        return {name: getattr(row, name) for name in row.__struct_fields__}
    raise _no_rows(row, label)


def _records(rows: Iterator[Mapping[Item, Item]], label: str) -> Batches:
    import pyarrow as pa

    schema = pa.schema([pa.field("record", pa.string())])

    def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        held: list[bytes] = []
        size = 0
        for row in rows:
            held.append(_encoded(row, label))
            size += len(held[-1])
            if len(held) >= BATCH_ROWS or size >= BATCH_BYTES:
                yield pa.record_batch([pa.array(held, pa.binary()).cast(pa.string())], schema=schema)
                held, size = [], 0
        if held:
            yield pa.record_batch([pa.array(held, pa.binary()).cast(pa.string())], schema=schema)

    return Batches(schema, batches())


def _encoded(row: Mapping[Item, Item], label: str) -> bytes:
    """A row as JSON. Raises `SourceBroken`, which names the field whose value cannot be read, and its kind."""
    try:
        return _json(row, label)
    except LastroError:
        raise
    except Exception as error:  # noqa: BLE001 - a value's own code may raise anything; only its message is dropped
        raise _unreadable(row, type(error).__name__, label) from None


def _unreadable(row: Mapping[Item, Item], error: str, label: str) -> SourceBroken:
    name, kind = "", ""
    for key, value in row.items():
        try:
            _json({key: value}, label)
        except Exception as found:  # noqa: BLE001 - as in `_encoded`
            name, kind, error = str(key)[:80], type(value).__name__, type(found).__name__
            break
    return SourceBroken(
        _("a value of {name}, a {type}, cannot be read ({kind})").format(name=name, type=kind, kind=error),
        where=label,
        do=_("give it as a number, a text, a list or a dict"),
    )


def _json(row: Mapping[Item, Item], label: str) -> bytes:
    plain = {
        key if type(key) is str else str(key): value if type(value) in _SIMPLE else _plain(value, label, 1)
        for key, value in row.items()
    }
    if len(plain) != len(row):
        raise _same_key(label)
    try:
        return msgspec.json.encode(plain)
    except (OverflowError, UnicodeEncodeError, TypeError):  # whole numbers of more than 64 bits, lone surrogates
        return json.dumps(plain, ensure_ascii=True).encode()


def _plain(value: Any, label: str, depth: int) -> Any:  # Any: JSON values, from whatever Python value
    """A value as JSON has it, without loss: what JSON has no type for is a text."""
    if depth > DEPTH_MAX:
        raise SourceBroken(_("values are nested more than {count} deep").format(count=DEPTH_MAX), where=label)
    match value:
        case Enum():
            return _plain(value.value, label, depth)
        case None | bool() | str() | int():
            return value
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case Decimal():
            return format(value, "f") if value.is_finite() else str(value)
        case datetime() | date() | time():
            return None if value != value else value.isoformat()  # pandas' NaT does not equal itself
        case timedelta():
            return _seconds(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case Mapping():
            members = {str(key): _plain(item, label, depth + 1) for key, item in value.items()}
            if len(members) != len(value):
                raise _same_key(label)
            return members
        case list() | tuple() | set() | frozenset():
            return [_plain(item, label, depth + 1) for item in value]
        case _:
            return _foreign(value, label, depth)


def _seconds(span: timedelta) -> float | str:
    """A span in seconds: a number while that is exact, else text, as a decimal is."""
    exact = Decimal(span // timedelta(microseconds=1)).scaleb(-6)
    seconds = span.total_seconds()
    return seconds if Decimal(repr(seconds)) == exact else format(exact, "f")


def _same_key(label: str) -> SourceBroken:
    return SourceBroken(
        _("a row has two keys that are the same as text, such as 1 and '1'"),
        where=label,
        do=_("give one of them another name"),
    )


def _foreign(value: Any, label: str, depth: int) -> Any:  # Any: JSON values
    """Values of libraries: numbers and arrays of numpy, identifiers, dataclasses."""
    for way in ("tolist", "to_pylist", "as_py", "item"):
        if hasattr(value, way):
            return _plain(getattr(value, way)(), label, depth + 1)
    if type(value).__name__ in ("UUID", "IPv4Address", "IPv6Address", "PosixPath"):
        return str(value)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return _plain(_as_mapping(value, label), label, depth + 1)


def _frames(looked_at: Sequence[Item], rest: Iterator[Item], label: str) -> Batches:
    held = [batch for item in looked_at for batch in _batches(item, label)]
    schema = united([batch.schema for batch in held], label)

    def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        while held:
            yield fitted(held.pop(0), schema, label)
        for item in rest:
            if not _is_empty(item):
                for batch in _batches(item, label):
                    yield fitted(batch, schema, label)

    return Batches(schema, batches())


def _batches(item: Item, label: str) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
    if not is_frame(item):
        raise SourceBroken(
            _("rows came after frames"),
            where=label,
            do=_("yield frames only, or dicts only: pyarrow.Table.from_pylist"),
        )
    yield from batches_of(item, label)


def _no_rows(item: Item, label: str) -> SourceBroken:
    return SourceBroken(
        _("a {kind} is neither a row nor rows").format(kind=type(item).__name__),
        where=label,
        do=_("yield dicts, lists of dicts, Arrow data, or frames of Polars or pandas"),
    )


def _is_empty(item: Item) -> bool:
    return isinstance(item, list | tuple) and not item
