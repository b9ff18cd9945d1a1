"""The footer of a Parquet file, with other places in it.

A footer is one structure in Thrift's compact protocol. It is taken apart without knowing the fields, the places of
pages are moved, and it is put together again: whatever else stands in it stays as it is.

https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from typing import Any

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_WHOLE = (4, 5, 6)
_ROW_GROUPS, _COLUMNS, _FILE_OFFSET, _META = 4, 1, 5, 3
_OF_CHUNK = frozenset({2})
_OF_META = frozenset({9, 10, 11, 14})
Struct = list[tuple[int, int, Any]]  # Any: a field's value, by its type


def moved(footer: bytes, by: int) -> bytes:
    """The footer of a file whose data lie `by` bytes further on. Raises `ValueError` if it is no such footer, or if it
    refers to an index of pages, which would have to be moved, too.
    """
    found, end = _struct(footer, 0)
    if end != len(footer):
        raise ValueError("more than a footer")
    out = bytearray()
    _put_struct(out, _each(found, _ROW_GROUPS, lambda group: _group(group, by)))
    return bytes(out)


def _group(group: Struct, by: int) -> Struct:
    return _plus(_each(group, _COLUMNS, lambda chunk: _chunk(chunk, by)), frozenset({_FILE_OFFSET}), by)


def _chunk(chunk: Struct, by: int) -> Struct:
    if any(number in {4, 6} for number, _kind, _value in chunk):
        raise ValueError("a footer with an index of pages")
    moved = [(number, kind, _plus(value, _OF_META, by) if number == _META else value) for number, kind, value in chunk]
    return _plus(moved, _OF_CHUNK, by)


def _each(struct: Struct, wanted: int, change: Any) -> Struct:  # Any: a function of structures
    """The structure with every member of one list changed."""
    return [
        (number, kind, (value[0], [change(item) for item in value[1]]) if number == wanted else value)
        for number, kind, value in struct
    ]


def _plus(struct: Struct, wanted: frozenset[int], by: int) -> Struct:
    """The structure with some places moved; one that is not used stays 0."""
    return [(number, kind, value + by if number in wanted and value > 0 else value) for number, kind, value in struct]


def _struct(found: bytes, at: int) -> tuple[Struct, int]:
    fields: Struct = []
    number = 0
    while True:
        head = _byte(found, at)
        at += 1
        if head == 0:
            return fields, at
        kind, step = head & 15, head >> 4
        if step:
            number += step
        else:
            number, at = _zigzag(found, at)
        value, at = _value(found, at, kind)
        fields.append((number, kind, value))


def _value(found: bytes, at: int, kind: int) -> tuple[Any, int]:  # Any: a field's value
    if kind in {_TRUE, _FALSE}:
        return kind == _TRUE, at
    if kind == _BYTE:
        return _byte(found, at), at + 1
    if kind in _WHOLE:
        return _zigzag(found, at)
    if kind == _DOUBLE:
        return _slice(found, at, 8)
    if kind == _BINARY:
        length, at = _varint(found, at)
        return _slice(found, at, length)
    if kind in {_LIST, _SET}:
        return _list(found, at)
    if kind == _STRUCT:
        return _struct(found, at)
    raise ValueError("a field of no known type")


def _list(found: bytes, at: int) -> tuple[tuple[int, list[Any]], int]:  # Any: the list's values
    head = _byte(found, at)
    at += 1
    kind, length = head & 15, head >> 4
    if length == 15:
        length, at = _varint(found, at)
    if length > len(found):
        raise ValueError("a list longer than its footer")
    items = []
    for _item in range(length):
        # In a list, a truth value has a byte of its own.
        value, at = (_byte(found, at), at + 1) if kind in {_TRUE, _FALSE} else _value(found, at, kind)
        items.append(value)
    return (kind, items), at


def _byte(found: bytes, at: int) -> int:
    if at >= len(found):
        raise ValueError("a footer that is cut off")
    return found[at]


def _slice(found: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(found):
        raise ValueError("a footer that is cut off")
    return found[at : at + length], at + length


def _varint(found: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = _byte(found, at)
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _zigzag(found: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(found, at)
    return (value >> 1) ^ -(value & 1), at


def _put_struct(out: bytearray, struct: Struct) -> None:
    before = 0
    for number, kind, value in struct:
        if 0 < number - before < 16:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _put_varint(out, _zag(number))
        before = number
        if kind not in {_TRUE, _FALSE}:
            _put(out, kind, value)
    out.append(0)


def _put(out: bytearray, kind: int, value: Any) -> None:  # Any: a field's value
    if kind in {_TRUE, _FALSE, _BYTE}:
        out.append(value)
    elif kind in _WHOLE:
        _put_varint(out, _zag(value))
    elif kind == _DOUBLE:
        out += value
    elif kind == _BINARY:
        _put_varint(out, len(value))
        out += value
    elif kind in {_LIST, _SET}:
        of, items = value
        out.append(min(len(items), 15) << 4 | of)
        if len(items) >= 15:
            _put_varint(out, len(items))
        for item in items:
            _put(out, of, item)
    else:
        _put_struct(out, value)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _zag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1
