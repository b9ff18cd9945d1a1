"""A survey of a text file's bytes, before any parser sees them.

DuckDB's CSV reader, told to set bad records aside, drops a line longer than its buffer without a word, stops at mixed
line ends, keeps NUL bytes, and reads a truncated zstd stream as a complete one. So the bytes are looked at first:

1. A NUL byte, a line longer than the limit, or a quote opened and not closed within it refuses the file, by line.
2. Line ends that are not all alike are made alike on the way in (`feed.py`).
3. Nothing is decoded here: searching bytes runs at the speed of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lastro.engine.duck.failure import Refused, refuse

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Survey:
    """Bytes, the mean length of a line, and whether all lines end in the same way."""

    size: int
    line_bytes: float
    uniform: bool


class Surveyor:
    """Looks at a file block by block: `look` at each, then `report`. Raises `Refused` for what must not be read.

    Blocks are shorter than `line_bytes_max`: a line that lies within one is not measured.

    Counting lines costs five times what finding NUL bytes costs, so only one block in `every` is counted unless line
    ends need it; `line` in a failure is right if `every` is 1.
    """

    def __init__(
        self, file: str, line_bytes_max: int, *, quote: str = "", delimiter: str = ",", every: int = 1
    ) -> None:
        self._file = file
        self._quote = quote.encode()
        self._borders = (b"\n", b"\r", b"", delimiter.encode()[-1:])
        self._gap = self._quote_line = 0
        self._opening = False
        self._line_bytes_max = line_bytes_max
        self._every = every
        self._blocks = self._size = self._open = 0
        self._counted = self._lines = self._returns = self._pairs = self._newlines = 0
        self._last = b""
        self._late = False

    def look(self, block: bytes) -> None:
        """Counts the block in. Blocks are the file's, in order."""
        if (found := block.find(b"\0")) >= 0:
            refuse("nul", self._file, line=self._lines + block.count(b"\n", 0, found) + 1, first=self._size + found)
        first = block.find(b"\n")
        if (first if first >= 0 else len(block)) + self._open > self._line_bytes_max:
            refuse("line_long", self._file, line=self._lines + 1, first=self._line_bytes_max, second=self._size)
        self._open = len(block) - block.rfind(b"\n") - 1 if first >= 0 else self._open + len(block)
        if self._quote:
            self._look_for_quotes(block)
        if self._returns or b"\r" in block:
            self._late = self._late or (self._returns == 0 and self._size > 0)
            self._newlines += block.count(b"\n")
            self._returns += block.count(b"\r")
            self._pairs += block.count(b"\r\n") + (self._last == b"\r" and block[:1] == b"\n")
        if self._blocks % self._every == 0:
            self._lines += block.count(b"\n")
            self._counted += len(block)
        self._blocks += 1
        self._size += len(block)
        self._last = block[-1:]

    def _look_for_quotes(self, block: bytes) -> None:
        """An opening quote (it follows a delimiter or a line end, and none follows it) must not be the last for long:
        the reader would drop everything up to the next one.
        """
        if self._gap == len(self._quote) and block[:1] in self._borders:
            self._opening = False  # what follows the last block's last quote shows that it closed
        first = block.find(self._quote)
        if self._opening and self._gap + (first if first >= 0 else len(block)) > self._line_bytes_max:
            refuse("quote_open", self._file, line=self._quote_line, first=self._line_bytes_max)
        if first < 0:
            self._gap += len(block)
            return
        last = block.rfind(self._quote)
        before = block[last - 1 : last] if last else self._last
        self._opening = before in self._borders and (block[last + 1 : last + 2] or b"?") not in self._borders
        self._gap = len(block) - last
        if self._every == 1:
            self._quote_line = self._lines + block.count(b"\n", 0, last) + 1

    def report(self) -> Survey:
        """What was seen so far. Line ends are alike if there is no carriage return, or one before each newline from
        the first block on.
        """
        alike = self._returns == 0 or (not self._late and self._returns == self._pairs == self._newlines)
        return Survey(self._size, self._counted / max(1, self._lines), alike)


def survey(path: Path, line_bytes_max: int, *, quote: str = "", delimiter: str = ",") -> Survey:
    """Reads a plain file once. Raises `Refused` (`nul`, `line_long`, `quote_open`) and `OSError`."""
    try:
        return _survey(path, Surveyor(str(path), line_bytes_max, quote=quote, delimiter=delimiter, every=64))
    except Refused:  # again, to name the line
        return _survey(path, Surveyor(str(path), line_bytes_max, quote=quote, delimiter=delimiter))


def _survey(path: Path, surveyor: Surveyor) -> Survey:
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(BLOCK_BYTES):
            surveyor.look(block)
    return surveyor.report()
