"""Files of quarantined rows: written to be corrected by a person, read again.

Rules:

1. A file has the source's columns and those that say which quarantined row a line is: `_batch`, `_source`, `_position`;
   and `_offset`, where the place in bytes is known.
   A source that has columns of these names itself cannot be exported: one of the two would be lost.
2. Values go out as they came in: in JSON lines each record's own text, in CSV numbers with all their digits and nested
   values as JSON. Of a row set aside once it was cleaned, they go out in the form that the contract reads.
3. The file gets its name once it is whole.
4. Where the dataset protects values, tokens stand in their places. Those that a corrected file still holds are turned
   back in memory, as it is read.
5. The columns of rule 1 are no part of a row: one that is refused once more is set aside without them, and can be
   exported again. A record that could not be taken apart, and into whose columns nothing was written, is that again.
"""

from __future__ import annotations

import csv
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lastro.engine.scan import Csv, FileFormat, JsonLines
from lastro.model.errors import SourceBroken, SourceUnreachable, UsageError, WriteFailed
from lastro.model.plan import ColumnPlan
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.privacy.records import opened

if TYPE_CHECKING:
    from lastro.privacy.vault import Vault

Row = Mapping[str, Any]  # Any: the values of one quarantined row
Address = tuple[str, str, int]
"""Which row: its batch, its source, its position."""

BATCH, SOURCE, POSITION, RULES, TEXT = "_batch", "_source", "_position", "_rules", "_text"
OFFSET = "_offset"
RESERVED = (RULES, SOURCE, POSITION, OFFSET, BATCH, TEXT)
_ROWS = 2_000
_CELL_CHARACTERS_MAX = 1 << 26
_FIELD_LIMIT = threading.Lock()


def format_of(path: Path) -> FileFormat:
    """How such a file is read. Raises `UsageError` for another kind."""
    return Csv() if _is_csv(path) else JsonLines()


def write(path: Path, rows: Sequence[Row]) -> None:
    """Writes quarantined rows. Raises `UsageError` for another kind of file, `WriteFailed`."""
    writer = _write_csv if _is_csv(path) else _write_lines
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            writer(stream, rows)
        temporary.replace(path)
    except OSError as error:
        raise WriteFailed(
            _("the rows cannot be written: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("name a file in a folder that may be written and has room"),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def as_source(row: Row, columns: Mapping[str, ColumnPlan]) -> Row:
    """The row as its source would give it: a clean row stands under the table's names, its times in ISO 8601.

    `columns` are the plan's by name. Of two columns made from one, the first says what it held.
    """
    if row["form"] != "clean":
        return row
    import msgspec

    from lastro.engine.sql.clocktext import as_read

    values = msgspec.json.decode(row["record"], type=dict[str, str | None])
    named: dict[str, str | None] = {}
    for name, value in values.items():
        column = columns.get(name)
        if column is None:
            named.setdefault(name, value)
        else:
            named.setdefault(column.source, value if value is None else as_read(value, column))
    return {**row, "record": msgspec.json.encode(named).decode()}


def without_own(form: str, record: str) -> tuple[str, str]:
    """The form and record of a corrected row that is set aside once more (rule 5)."""
    if form != "raw":
        return form, record
    import msgspec

    values = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    own = {name: bytes(values.pop(name)) for name in RESERVED if name in values}
    if not own:
        return form, record
    line = msgspec.json.decode(own.get(TEXT, b"null"))
    if isinstance(line, str) and line and all(bytes(value) in {b"null", b'""'} for value in values.values()):
        return "text", line
    return form, msgspec.json.encode(values).decode()


def stream(path: Path, vault: Vault) -> Any:  # Any: a pyarrow.RecordBatchReader
    """The rows of a corrected file as JSON objects in one column, with values in the places of their tokens.

    Raises `SourceUnreachable` and `SourceBroken` as it is read, and what the vault raises.
    """
    import pyarrow as pa

    schema = pa.schema([pa.field("record", pa.string())])

    def batches() -> Iterator[pa.RecordBatch]:
        rows = _objects(path)
        while part := list(islice(rows, _ROWS)):
            texts = opened(vault, ["raw"] * len(part), part)
            yield pa.RecordBatch.from_arrays([pa.array(texts, pa.string())], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _objects(path: Path) -> Iterator[str]:
    """The lines of a corrected file as JSON objects; an empty cell of a CSV file is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            if not _is_csv(path):
                yield from (line.strip() for line in text if line.strip())
                return
            for row in _csv_rows(text):
                yield json.dumps({name: value or None for name, value in row.items()}, ensure_ascii=False)
    except OSError as error:
        raise unreadable(path, error) from error
    except (TypeError, ValueError, csv.Error):
        # Without a cause: these errors quote what they could not read.
        raise SourceBroken(
            _("the corrected file cannot be taken apart"), where=str(path), do=_("write it as the export wrote it")
        ) from None


def addresses(path: Path) -> list[Address]:
    """Which quarantined rows a corrected file is about. Raises `SourceUnreachable`, `SourceBroken`, `UsageError`."""
    reader = _csv_rows if _is_csv(path) else _lines
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return [(str(row[BATCH]), str(row[SOURCE]), int(str(row[POSITION]))) for row in reader(stream)]
    except OSError as error:
        raise unreadable(path, error) from error
    except (KeyError, TypeError, ValueError, RecursionError, csv.Error):
        # Without a cause: these errors quote what they could not read.
        raise SourceBroken(
            _("the corrected rows do not say which quarantined rows they are"),
            where=str(path),
            do=_("keep the columns {columns} of the export as they are").format(
                columns=f"{BATCH}, {SOURCE}, {POSITION}"
            ),
        ) from None


def unreadable(path: Path, error: OSError) -> SourceUnreachable:
    """The error for a corrected file that cannot be opened or read."""
    return SourceUnreachable(
        _("the corrected file cannot be read: {reason}").format(reason=reason_of(error)),
        where=str(path),
        do=_("write one with lastro quarantine NAME --export FILE"),
    )


def _is_csv(path: Path) -> bool:
    match path.suffix.lower():
        case ".csv":
            return True
        case ".jsonl" | ".ndjson":
            return False
        case other:
            raise UsageError(
                _("cannot export to {suffix!r} files").format(suffix=other), do=_("name a .csv or a .jsonl file")
            )


def _write_csv(stream: TextIO, rows: Sequence[Row]) -> None:
    records = [_record(row, parse_float=str, parse_int=str) for row in rows]
    names = list(dict.fromkeys(name for record in records for name in record if name != TEXT))
    names += [TEXT] if any(TEXT in record for record in records) else []
    placed = [OFFSET] if any(row.get("offset") is not None for row in rows) else []
    writer = csv.DictWriter(stream, [*names, RULES, SOURCE, POSITION, *placed, BATCH], restval="")
    writer.writeheader()
    for row, record in zip(rows, records, strict=True):
        writer.writerow({name: _cell(value) for name, value in record.items()} | _address_cells(row))


def _write_lines(stream: TextIO, rows: Sequence[Row]) -> None:
    for row in rows:
        record = _record(row)
        text = json.dumps(record) if row["form"] == "text" else row["record"].replace("\n", " ").strip()
        begin = text[:-1].rstrip() + (", " if record else "")
        stream.write(begin + json.dumps(_address_cells(row), ensure_ascii=False)[1:] + "\n")


def _record(row: Row, **parsers: Callable[[str], str]) -> dict[str, Any]:  # Any: the record's values
    """The row's columns as they came from the source."""
    if row["form"] == "text":
        return {TEXT: row["record"]}
    record: dict[str, Any] = json.loads(row["record"], **parsers)  # type: ignore[arg-type] # Any: JSON
    taken = [name for name in RESERVED if name in record]
    if taken:
        raise UsageError(
            _("the source has a column {name} itself, which an export needs").format(name=taken[0]),
            do=_("rename the column at the source, and ingest it again"),
        )
    return record


def _address_cells(row: Row) -> dict[str, str | int]:
    return {
        RULES: ", ".join(row["rules"]),
        SOURCE: row["source"],
        POSITION: row["position"],
        **({OFFSET: row["offset"]} if row.get("offset") is not None else {}),
        BATCH: row["batch"],
    }


def _cell(value: Any) -> str:  # Any: one value of a JSON record
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _lines(stream: TextIO) -> Iterator[Row]:
    return map(json.loads, filter(str.strip, stream))


def _csv_rows(stream: TextIO) -> Iterator[Row]:
    """The lines of a CSV file; the standard library's limit for a cell is far below that of a source."""
    with _FIELD_LIMIT:
        before = csv.field_size_limit(_CELL_CHARACTERS_MAX)
        try:
            yield from csv.DictReader(stream, strict=True)
        finally:
            csv.field_size_limit(before)
