"""Text of one byte a character, made UTF-8 block by block, and back from places in that to places in the file.

Rules:

1. It is for encodings whose first 128 characters are ASCII's, and whose every character is one byte: a line feed is
   then a line feed, and a block may end anywhere.
2. A byte that the encoding does not have becomes NUL, so that its record is set aside.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from lastro.engine.duck.positions import Integers


class Transcoder:
    """Gives the blocks of a file, the first of which begins at `begin`, in UTF-8; `raw` tells where they were."""

    def __init__(self, blocks: Iterator[bytes], encoding: str, begin: int) -> None:
        self._blocks, self._encoding = blocks, encoding
        self._place = self._raw = begin
        characters = [bytes([byte]).decode(encoding, "replace") for byte in range(256)]
        self._table = {byte: "\0" if char == "\ufffd" else char for byte, char in enumerate(characters)}
        self._sizes = np.array([len(self._table[byte].encode()) for byte in range(256)], dtype=np.int64)
        self._past: deque[tuple[int, int, Integers | None]] = deque()

    def blocks(self) -> Iterator[bytes]:
        """The text in UTF-8."""
        for block in self._blocks:
            if block.isascii():
                text, ends = block, None
            else:
                text = self._text(block)
                ends = np.concatenate(([0], np.cumsum(self._sizes[np.frombuffer(block, np.uint8)])))
            self._past.append((self._place, self._raw, ends))
            self._place += len(text)
            self._raw += len(block)
            yield text

    def _text(self, block: bytes) -> bytes:
        try:
            return block.decode(self._encoding).encode()
        except UnicodeDecodeError:
            return block.decode("latin-1").translate(self._table).encode()

    def raw(self, places: Integers) -> Integers:
        """Where in the file characters stand that begin at these ascending places of the text, none before those asked
        for earlier.
        """
        found, at = np.empty_like(places), 0
        while at < len(places):
            while len(self._past) > 1 and self._past[1][0] <= places[at]:
                self._past.popleft()
            start, raw, ends = self._past[0]
            until = int(np.searchsorted(places, self._past[1][0])) if len(self._past) > 1 else len(places)
            inside = places[at:until] - start
            found[at:until] = raw + (inside if ends is None else np.searchsorted(ends, inside))
            at = until
        return found
