"""Compressed bodies, unpacked a piece at a time: a bomb is broken off before it fills the memory.

gzip and deflate are understood, and nothing else is asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

PIECE_BYTES = 1 << 20
ENCODINGS = "gzip, deflate"
_HEADER_BYTES = 2


class Damaged(Exception):
    """The bytes are not of that encoding, end too early, or go on after their end."""


def pieces(parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body in pieces of at most `PIECE_BYTES` (as they come, where nothing is packed). Raises `Damaged`."""
    match encoding.strip().lower():
        case "" | "identity":
            yield from parts
        case "gzip" | "x-gzip":
            yield from _unpacked(parts, lambda _first: zlib.decompressobj(wbits=31))
        case "deflate":
            yield from _unpacked(parts, _deflate)
        case _:
            raise Damaged


def _deflate(first: bytes) -> zlib._Decompress:
    """With zlib's header, as the standard says, or without it, as some servers do."""
    has_header = len(first) > 1 and first[0] & 15 == 8 and (first[0] << 8 | first[1]) % 31 == 0
    return zlib.decompressobj(wbits=15 if has_header else -15)


def _unpacked(parts: Iterable[bytes], opened: Callable[[bytes], zlib._Decompress]) -> Iterator[bytes]:
    unpacker: zlib._Decompress | None = None
    packed = b""
    for part in parts:
        packed += part
        if unpacker is None and len(packed) < _HEADER_BYTES:
            continue
        unpacker = unpacker or opened(packed)
        while packed:
            try:
                piece = unpacker.decompress(packed, PIECE_BYTES)
            except zlib.error:
                raise Damaged from None
            yield piece
            if unpacker.eof and unpacker.unused_data:
                raise Damaged
            packed = unpacker.unconsumed_tail
    if packed or (unpacker is not None and not unpacker.eof):
        raise Damaged
