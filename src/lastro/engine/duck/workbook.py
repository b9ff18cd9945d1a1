"""Sheets of workbooks as lines of JSON, one row a line, by calamine.

Rules:

1. What a workbook may unpack to is limited before it is opened; the memory that a sheet may take is the process's.
2. The header is the first row with a value after `skip`. A column without a name that has values is called
   `column_N`, N from 1 for A; one that has none is left out. Rows without values are left out.
3. Numbers are what the workbook holds, doubles: written in the fewest digits that mean the same, whole ones without a
   point. Dates count from the workbook's own beginning. Formulas give the value that was stored with them.
4. An error (`#N/A`) is its text. calamine gives none, so it is looked up in the sheet itself (xlsx and xlsm).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

import msgspec

from lastro.engine.duck import feed
from lastro.engine.duck.failure import Refused, refuse
from lastro.engine.duck.header import checked
from lastro.engine.duck.limits import MIB, Limits
from lastro.engine.scan import Excel

UNPACKED_BYTES_MAX = 512 * MIB
_PART_BYTES_MAX = 4 * MIB
_LINES = 1_000
_WHOLE_BYTES_MAX = 128 * MIB
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BLOCK_BYTES = 1 << 20
_ERROR = re.compile(rb"<(?:\w+:)?c\b([^>]*\bt=[\"']e[\"'][^>]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_CELL = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_VALUE = re.compile(rb"<(?:\w+:)?v>(#[^<]{1,20})</")
_ID = re.compile(r":id$")
Cell = Any  # Any: what calamine gives: a text, a number, a truth value, a date, a time, a duration
Place = tuple[int, int]


def columns(path: Path, kind: Excel, limits: Limits) -> tuple[str, ...]:
    """The columns' names. Raises `Refused`."""
    return tuple(Sheet(path, kind, limits).names.values())


def lines(path: Path, kind: Excel, limits: Limits) -> Iterator[bytes]:
    """The sheet's rows as JSON objects, one a line. Raises `Refused`."""
    yield from Sheet(path, kind, limits).lines()


class Sheet:
    """One sheet of a workbook. `names` maps places in a row, from 0, to columns' names."""

    def __init__(self, path: Path, kind: Excel, limits: Limits) -> None:
        self._path, self._kind, self._columns_max = path, kind, limits.columns_max
        _check_unpacked(path)
        self._sheet, title = _opened(path, kind)
        self._errors = _errors(path, title)
        self._left = self._sheet.start[1] if self._sheet.start else 0
        self._merged = _merged(self._sheet) if kind.fill_merged else {}
        self._first, self.names = self._header()

    def lines(self) -> Iterator[bytes]:
        """The rows after the header, some at a time."""
        nulls = frozenset(self._kind.null_texts)
        made: list[bytes] = []
        for _number, row in self._rows(self._first):
            texts = {name: _text(row.get(place)) for place, name in self.names.items()}
            record = {name: text for name, text in texts.items() if text is not None and text not in nulls}
            if record:
                made.append(msgspec.json.encode(record) + b"\n")
            if len(made) >= _LINES:
                yield b"".join(made)
                made.clear()
        yield b"".join(made)

    def _rows(self, start: int) -> Iterator[tuple[int, dict[int, Cell]]]:
        """Rows from a number on (from 0) that have values, by the places of these."""
        for number, cells in enumerate(self._sheet.iter_rows()):
            if number < start:
                continue
            row = {self._left + place: cell for place, cell in enumerate(cells) if cell != ""}
            row |= self._errors.get(number, {})
            row |= self._filled(number, row)
            if row:
                yield number, row

    def _filled(self, number: int, row: dict[int, Cell]) -> dict[int, Cell]:
        """Cells of merged ranges, with the range's value."""
        filled: dict[int, Cell] = {}
        for span in self._merged.get(number, ()):
            if number == span[0][0]:
                span[2] = row.get(span[0][1])
            if span[2] is not None:
                filled |= dict.fromkeys(range(span[0][1], span[1][1] + 1), span[2])
        return filled

    def _header(self) -> tuple[int, dict[int, str]]:
        """Where the rows begin, and the columns' names."""
        number, row = next(self._rows(self._kind.skip), (0, {}))
        if not row:
            refuse("empty", str(self._path))
        if self._kind.columns is not None:
            given = dict(enumerate(self._kind.columns, self._left))
            return (number + 1 if self._kind.header else number), given
        first = number + 1 if self._kind.header else number
        used = sorted({place for _number, found in self._rows(first) for place in found} | row.keys())
        if len(used) > self._columns_max:
            refuse("columns", str(self._path), first=len(used), second=self._columns_max)
        titles = {place: _text(row.get(place)) if self._kind.header else None for place in used}
        names = {place: (title or "").strip() or f"column_{place + 1}" for place, title in titles.items()}
        checked(tuple(names.values()), number + 1, str(self._path))
        return first, names


def _opened(path: Path, kind: Excel) -> tuple[Any, str]:  # Any: a CalamineSheet
    import python_calamine as calamine

    try:
        book = _book(path)
        shown = calamine.SheetVisibleEnum.Visible
        visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible == shown]
        title: str | None
        match kind.sheet:
            case None:
                title = (visible or book.sheet_names)[0]
            case int(number):
                title = book.sheet_names[number - 1] if 0 < number <= len(book.sheet_names) else None
            case name:
                title = name if name in book.sheet_names else None
        if title is None:
            refuse("sheet", str(path), first=len(book.sheet_names))
        return book.get_sheet_by_name(title), title
    except calamine.PasswordError:
        refuse("password", str(path))
    except Refused:
        raise
    except (calamine.CalamineError, OSError, IndexError, ValueError):
        refuse("password" if _is_encrypted(path) else "workbook", str(path))


def _book(path: Path) -> Any:  # Any: a CalamineWorkbook
    """The workbook, by its name's ending, else by what it is: many an `.xls` is something else."""
    import python_calamine as calamine

    feed.open_plain(path).close()
    try:
        return calamine.CalamineWorkbook.from_path(path)
    except calamine.PasswordError:
        raise
    except calamine.CalamineError:
        with feed.open_plain(path) as stream:
            return calamine.CalamineWorkbook.from_filelike(io.BytesIO(stream.read(_WHOLE_BYTES_MAX)))


def _is_encrypted(path: Path) -> bool:
    """True if the file is the envelope of an encrypted xlsx, which calamine takes for a broken xls."""
    with feed.open_plain(path) as stream:
        return stream.read(8) == _COMPOUND and any(
            _ENCRYPTED in block for block in iter(lambda: stream.read(_BLOCK_BYTES), b"")
        )


def _check_unpacked(path: Path) -> None:
    """Refuses what says itself that it unpacks to too much; what lies about it is cut off by the process's memory."""
    with feed.open_plain(path) as stream:
        if stream.read(2) != b"PK":
            return
        try:
            with zipfile.ZipFile(stream) as archive:
                size = sum(part.file_size for part in archive.infolist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            refuse("workbook", str(path))
    if size > UNPACKED_BYTES_MAX:
        refuse("unpacked", str(path), first=UNPACKED_BYTES_MAX)


def _merged(sheet: Any) -> dict[int, list[list[Any]]]:  # Any: a CalamineSheet; begin, end and value of a range
    """The merged ranges of each row."""
    found: dict[int, list[list[Any]]] = {}  # Any: as above
    for begin, end in sheet.merged_cell_ranges or ():
        span = [begin, end, None]
        for number in range(begin[0], min(end[0], begin[0] + 1_048_576) + 1):
            found.setdefault(number, []).append(span)
    return found


def _errors(path: Path, title: str) -> dict[int, dict[int, str]]:
    """The errors in a sheet, by row and place in it; none where the format is another."""
    with feed.open_plain(path) as stream:
        if stream.read(2) != b"PK":
            return {}
        with zipfile.ZipFile(stream) as archive:
            part = _part_of(archive, title)
            if part is None:
                return {}
            found: dict[int, dict[int, str]] = {}
            with archive.open(part) as sheet:
                for (row, place), text in _errors_in(iter(lambda: sheet.read(_BLOCK_BYTES), b"")):
                    found.setdefault(row, {})[place] = text
            return found


def _errors_in(blocks: Iterator[bytes]) -> Iterator[tuple[Place, str]]:
    held = b""
    for block in blocks:
        held += block
        end = 0
        for cell in _ERROR.finditer(held):
            end = cell.end()
            where, value = _CELL.search(cell[1]), _VALUE.search(cell[2])
            if where and value:
                yield (int(where[2]) - 1, _column(where[1])), value[1].decode("utf-8", "replace")
        held = held[max(end, held.rfind(b"<c ", end), len(held) - 4_096) :]


def _part_of(archive: zipfile.ZipFile, title: str) -> str | None:
    """The name of the part that holds a sheet of an xlsx file."""
    try:
        sheets = _attributes(archive, "xl/workbook.xml", "sheet")
        links = _attributes(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    except (KeyError, expat.ExpatError, zipfile.BadZipFile, OSError, ValueError):
        return None
    wanted = [value for node in sheets if node.get("name") == title for key, value in node.items() if _ID.search(key)]
    targets = [node.get("Target", "") for node in links if wanted and node.get("Id") == wanted[0]]
    part = targets[0].removeprefix("/") if targets else ""
    part = part if part.startswith("xl/") else f"xl/{part}"
    return part if part in archive.namelist() else None


def _attributes(archive: zipfile.ZipFile, part: str, name: str) -> list[dict[str, str]]:
    """The attributes of a part's elements of that name."""
    found: list[dict[str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == name:
            found.append(attributes)

    def refuse_entity(*_what: object) -> None:
        raise ValueError

    with archive.open(part) as stream:
        text = stream.read(_PART_BYTES_MAX)
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse_entity
    parser.Parse(text, True)
    return found


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def _text(cell: Cell) -> str | None:
    """A cell's value as text."""
    match cell:
        case None | "":
            return None
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case dt.datetime():
            return cell.isoformat(" ")
        case dt.timedelta():
            return _duration(cell)
        case dt.date() | dt.time():
            return cell.isoformat()
        case _:
            return repr(cell)


def _duration(length: dt.timedelta) -> str:
    """Hours, minutes and seconds, as sheets show them: `30:00:00`."""
    seconds, sign = abs(length.total_seconds()), "-" if length.total_seconds() < 0 else ""
    whole = int(seconds)
    part = f"{seconds - whole:.6f}".rstrip("0").removeprefix("0").rstrip(".")
    return f"{sign}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{part}"
