"""XML as lines of JSON: one element named by the source a line.

Rules:

1. The document is read as it comes; one record is held at a time, of the size that a line may have.
2. No entity is resolved but the five of XML and characters by number; no DTD, nothing outside the file is read. A
   document that declares or uses others is refused.
3. An attribute is `@name`, text beside child elements or attributes `#text`. An element that occurs twice in its parent
   is a list. Prefixes of namespaces are left out. `xsi:nil` means a missing value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

import msgspec

from lastro.engine.duck import feed
from lastro.engine.duck.documents import DEPTH_MAX
from lastro.engine.duck.failure import refuse
from lastro.engine.duck.limits import MIB, Limits
from lastro.engine.scan import Xml

_NODE_BYTES = 64
_BLOCK_BYTES = 1 << 16
Value = Any  # Any: JSON values: a text, None, a list, or a mapping of such


class Element:
    """An element that is open: its attributes and children so far, and its text."""

    __slots__ = ("name", "nil", "text", "values")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.values: dict[str, Value] = {}
        self.text: list[str] = []
        self.nil = False
        for full, value in attributes.items():
            prefix, _colon, local = full.rpartition(":")
            if "xmlns" in (full, prefix):
                continue
            if local == "nil" and prefix:
                self.nil = value in ("true", "1")
                continue
            self.values[f"@{local if f'@{local}' not in self.values else full}"] = value

    def add(self, name: str, value: Value) -> None:
        """Takes a child; the second of a name makes a list."""
        if name not in self.values:
            self.values[name] = value
        elif isinstance(self.values[name], list):
            self.values[name].append(value)
        else:
            self.values[name] = [self.values[name], value]

    def value(self, nulls: frozenset[str]) -> Value:
        """The element as a value: a text, or a mapping."""
        text = "".join(self.text)
        if self.nil:
            return None
        if not self.values:
            return None if text in nulls else text
        if text.strip():
            self.values["#text"] = text.strip()
        return self.values


class Elements:
    """Takes a document block by block and gives its records as lines."""

    def __init__(self, file: str, kind: Xml, limits: Limits) -> None:
        self._file, self._columns_max = file, limits.columns_max
        self._size_max = limits.cell_bytes_max + MIB
        self._wanted = tuple(part for part in kind.record.split("/") if part)
        self._nulls = frozenset(kind.null_texts)
        self._path: list[str] = []
        self._open: list[Element] = []
        self._size = self._fed = 0
        self._made: list[bytes] = []
        self.records = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._entity
        parser.ExternalEntityRefHandler = self._entity

    def take(self, block: bytes, *, last: bool = False) -> bytes:
        """The lines that end in this block. Raises `Refused`."""
        self._made = []
        try:
            self._parser.Parse(block, last)
        except expat.ExpatError as error:
            undefined = error.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]
            refuse("entity" if undefined else "xml", self._file, line=error.lineno)
        except (ValueError, LookupError):  # an encoding that is not known
            refuse("xml", self._file, line=1)
        self._fed += len(block)
        if self._fed - self._parser.CurrentByteIndex > self._size_max:
            refuse("line_long", self._file, line=self._parser.CurrentLineNumber, first=self._size_max)
        return b"".join(self._made)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._path.append(local)
        if len(self._path) > DEPTH_MAX:
            refuse("deep", self._file, line=self._parser.CurrentLineNumber, first=DEPTH_MAX)
        if not self._open and not self._is_record():
            return
        if len(attributes) > self._columns_max:
            refuse("columns", self._file, first=len(attributes), second=self._columns_max)
        if not self._open:
            self._size = 0
        self._grow(_NODE_BYTES + sum(len(key) + len(value) for key, value in attributes.items()))
        self._open.append(Element(local, attributes))

    def _end(self, _name: str) -> None:
        self._path.pop()
        if not self._open:
            return
        element = self._open.pop()
        value = element.value(self._nulls)
        if self._open:
            self._open[-1].add(element.name, value)
            return
        record = value if isinstance(value, dict) else {} if value is None else {"#text": value}
        if len(record) > self._columns_max:
            refuse("columns", self._file, first=len(record), second=self._columns_max)
        self._made.append(msgspec.json.encode(record) + b"\n")
        self.records += 1

    def _characters(self, text: str) -> None:
        if self._open:
            self._grow(len(text))
            self._open[-1].text.append(text)

    def _entity(self, *_what: object) -> int:
        refuse("entity", self._file, line=self._parser.CurrentLineNumber)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._size_max:
            refuse("line_long", self._file, line=self._parser.CurrentLineNumber, first=self._size_max)

    def _is_record(self) -> bool:
        if not self._wanted:
            return len(self._path) == 2
        if len(self._path) < len(self._wanted):
            return False
        end = self._path[-len(self._wanted) :]
        return all(wanted in ("*", name) for wanted, name in zip(self._wanted, end, strict=True))


def lines(path: Path, kind: Xml, limits: Limits) -> Iterator[bytes]:
    """The document's records, one a line. Raises `Refused` (`xml`, `entity`, `deep`, `columns`, `no_records`, …)."""
    found = Elements(str(path), kind, limits)
    for block in feed.raw_blocks(path):
        for start in range(0, len(block), _BLOCK_BYTES):
            if made := found.take(block[start : start + _BLOCK_BYTES]):
                yield made
    if made := found.take(b"", last=True):
        yield made
    if not found.records:
        refuse("no_records", str(path))
