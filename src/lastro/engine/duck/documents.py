"""JSON that is not one object a line: arrays, and objects over several lines, as lines of one object each.

Rules:

1. A document's elements are found by their brackets and quotes alone; what is between them is left to the parser.
2. One element is held at a time. It may be as long as a line may be, and nest `DEPTH_MAX` deep.
3. A line break becomes a blank; one inside a text, which JSON forbids, becomes its escape.
4. What is no object is a line too, and is set aside like any line that is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lastro.engine.duck import feed
from lastro.engine.duck.failure import refuse
from lastro.engine.duck.limits import MIB, Limits

DEPTH_MAX = 64
PEEK_BYTES = 1 << 16
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_OPENING, _CLOSING = b"[{", b"]}"


def spread(path: Path) -> bool:
    """True if the file's beginning is that of an array, or of an object that its first line does not close."""
    start = b""
    for block in feed.blocks(path):
        start += block
        if len(start) >= PEEK_BYTES:
            break
    start = start[:PEEK_BYTES].lstrip()
    if start.startswith(b"["):
        return True
    line, found, _rest = start.partition(b"\n")
    if not start.startswith(b"{") or not found:
        return False
    tokens = [token[0] for token in _TOKEN.finditer(line)]
    return sum((token in (b"{", b"[")) - (token in (b"}", b"]")) for token in tokens) > 0


def lines(path: Path, limits: Limits) -> Iterator[bytes]:
    """The document's elements, one a line. Raises `Refused` (`json_open`, `json_broken`, `deep`, `line_long`)."""
    splitter = Splitter(str(path), limits.cell_bytes_max + MIB)
    for block in feed.blocks(path):
        if made := splitter.take(block):
            yield made
    if made := splitter.end():
        yield made


class Splitter:
    """Takes a document block by block and gives its elements as lines."""

    def __init__(self, file: str, size_max: int) -> None:
        self._file, self._size_max = file, size_max
        self._held = b""
        self._at = 0  # up to where `_held` was looked at
        self._from = 0  # where the element, or what is between two, begins
        self._depth = 0
        self._base = 0  # the depth of elements: 1 in an array
        self._newlines = 0

    def take(self, block: bytes) -> bytes:
        """The lines that end in this block."""
        self._held += block
        made: list[bytes] = []
        for token in _TOKEN.finditer(self._held, self._at):
            if token[0] == b'"':
                self._at = token.start()
                break
            self._at = token.end()
            self._meet(token, made)
        else:
            self._at = len(self._held)
        self._held, self._at, self._from = self._held[self._from :], self._at - self._from, 0
        if len(self._held) > self._size_max:
            refuse("line_long", self._file, first=self._size_max)
        return b"".join(made)

    def end(self) -> bytes:
        """The rest, once everything was taken."""
        if self._depth or self._held.find(b'"', self._at) >= 0:
            refuse("json_open", self._file)
        made: list[bytes] = []
        self._between(len(self._held), made)
        return b"".join(made)

    def _meet(self, token: re.Match[bytes], made: list[bytes]) -> None:
        text = token[0]
        if text in (b"{", b"["):
            self._open(token, made)
        elif text in (b"}", b"]"):
            self._close(token, made)
        elif self._depth == self._base:
            self._between(token.start(), made)
            self._element(token.end(), made)

    def _open(self, token: re.Match[bytes], made: list[bytes]) -> None:
        if self._depth == self._base:
            self._between(token.start(), made)
        if self._depth == 0 and token[0] == b"[":
            self._base, self._from = 1, token.end()
        self._depth += 1
        if self._depth > DEPTH_MAX + self._base:
            refuse("deep", self._file, first=DEPTH_MAX)

    def _close(self, token: re.Match[bytes], made: list[bytes]) -> None:
        if self._depth == self._base:
            if self._base == 0 or token[0] != b"]":
                refuse("json_broken", self._file)
            self._between(token.start(), made)
            self._base, self._from = 0, token.end()
        self._depth -= 1
        if (
            self._depth == self._base
            and self._from < token.start()
            and self._held[self._from : self._from + 1] in (b"{", b"[")
        ):
            self._element(token.end(), made)

    def _between(self, end: int, made: list[bytes]) -> None:
        """What stands between two elements: blanks and commas, else values that are no objects."""
        text = self._held[self._from : end]
        if text.strip(b" \t\r\n,"):
            made += [_line(piece) for piece in text.split(b",") if piece.strip()]
        self._from = end

    def _element(self, end: int, made: list[bytes]) -> None:
        made.append(_line(self._held[self._from : end]))
        self._from = end


def _line(element: bytes) -> bytes:
    if b"\n" in element or b"\r" in element:
        element = _TEXT.sub(lambda text: text[0].replace(b"\r", rb"\r").replace(b"\n", rb"\n"), element)
        element = element.replace(b"\r", b" ").replace(b"\n", b" ")
    return element.strip() + b"\n"
