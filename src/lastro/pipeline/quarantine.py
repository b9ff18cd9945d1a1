"""The quarantine: rows set aside, shown, exported, corrected and taken in again.

Rules:

1. A quarantined row counts only if a commit of the dataset carries its batch as idempotency key: a batch that was
   refused or crashed left nothing behind.
2. After an `overwrite`, rows set aside before it are history: the snapshot they belonged to was replaced.
3. Corrected rows go through the contract like any batch. With them a mark per row is written (`form` = `mark`,
   `record` = the key of the correcting batch); it counts under rule 1, and then the row is no longer open.
4. A file of corrections taken in twice is taken in once: its digest is the idempotency key.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lastro.engine.protocol import QUARANTINE, Progress, StagedFile
from lastro.engine.scan import Csv, FileFormat, FileScan, JsonLines
from lastro.model import digest
from lastro.model.errors import SourceBroken, SourceUnreachable, UnknownName, UsageError
from lastro.model.text import _
from lastro.model.version import Mode, Origin, RowCounts, VersionInfo
from lastro.pipeline.ingest import ingest
from lastro.pipeline.result import IngestResult
from lastro.pipeline.target import Target
from lastro.source.protocol import Cursor, Opened
from lastro.store.table import Table
from lastro.store.writer import Change

MARK = "mark"
BATCH, SOURCE, POSITION, RULES, TEXT = "_batch", "_source", "_position", "_rules", "_text"
LABEL = "quarantine"

Row = Mapping[str, Any]  # Any: the values of one quarantined row
Address = tuple[str, str, int]
"""Which row: its batch, its source, its position."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The rows of one dataset that were set aside and are still open."""

    target: Target
    on_ingest: Callable[[IngestResult], None] | None = None

    def rows(self, *, rule: str | None = None, version: int | None = None, limit: int | None = None) -> list[Row]:
        """Open rows in the order they were set aside: batch, rules, source, position, form, record.

        `rule` keeps those that broke this rule, `version` those set aside when this version was made.
        """
        batch = None if version is None else self.target.table.version(version).origin.idempotency_key
        found = (
            row
            for row in self._open_rows()
            if (rule is None or rule in row["rules"]) and (batch is None or row["batch"] == batch)
        )
        return list(islice(found, limit))

    def summary(self) -> Mapping[str, int]:
        """Open rows per rule, most first; a row that broke several counts for each."""
        counts = Counter(rule for row in self._open_rows() for rule in row["rules"])
        return dict(counts.most_common())

    def export(self, path: Path, *, rule: str | None = None) -> int:
        """Writes open rows to a CSV or JSON lines file that can be corrected and replayed; returns how many.

        The columns are the source's, then `_rules`, `_source`, `_position`, `_batch` and, for records that could not be
        taken apart, `_text`. Raises `UsageError` for another kind of file.
        """
        write = _writer(path)
        rows = [_flat(row) for row in self.rows(rule=rule)]
        write(path, rows)
        return len(rows)

    def replay(self, corrected: Path, *, mode: Mode = Mode.APPEND, progress: Progress | None = None) -> IngestResult:
        """Takes a corrected export through the contract again; rows that pass join the dataset and are closed here.

        Rows still refused come back to the quarantine under their new batch. Raises as `ingest` does.
        """
        addresses = _addresses(corrected)
        key = digest.of_parts([self.target.dataset, "replay", digest.of_file(corrected)])
        if _committed(self.target.table, key) is None:
            self._check_open(addresses)
            self._mark(addresses, key)
        source = _Corrections(corrected)
        result = ingest(self.target, source, mode=mode, key=key, progress=progress)
        if self.on_ingest is not None:
            self.on_ingest(result)
        return result

    def _open_rows(self) -> Iterator[Row]:
        keys = _live_keys(self.target.table)
        quarantine = self.target.quarantine
        head = quarantine.head()
        if head is None or not keys:
            return
        marked = {_address(row) for row in self._stream(head, "form = 'mark'") if row["record"] in keys}
        for row in self._stream(head, "form <> 'mark'"):
            if row["batch"] in keys and _address(row) not in marked:
                yield row

    def _stream(self, head: VersionInfo, where: str) -> Iterator[Row]:
        import pyarrow as pa

        paths = self.target.quarantine.paths(head)
        stream = self.target.engine.read(paths, QUARANTINE, where=where)
        for batch in pa.RecordBatchReader.from_stream(stream):
            yield from batch.to_pylist()

    def _check_open(self, addresses: list[Address]) -> None:
        known = {_address(row) for row in self._open_rows()}
        missing = [address for address in addresses if address not in known]
        if missing:
            raise UnknownName(
                _("{count} of the corrected rows are not open in the quarantine of {dataset}").format(
                    count=len(missing), dataset=self.target.dataset
                ),
                where=f"{missing[0][1]}:{missing[0][2]}",
                do=_("export the quarantine again and correct that file"),
            )

    def _mark(self, addresses: list[Address], key: str) -> None:
        with self.target.quarantine.lock() as writer:
            if writer.find_key(f"mark:{key}") is not None:
                return
            with writer.staging() as folder:
                staged = _write_marks(folder / "marks.parquet", addresses, key)
                counts = RowCounts(len(addresses), len(addresses), 0)
                origin = Origin(Mode.APPEND, f"mark:{key}", source=LABEL, counts=counts)
                writer.commit(
                    Change(
                        schema=QUARANTINE,
                        added=(staged,),
                        removed=(),
                        replace_all=False,
                        origin=origin,
                        withhold_stats=frozenset(QUARANTINE.names),
                    )
                )


@dataclass(frozen=True, slots=True)
class _Corrections:
    """A file of corrected rows, as a source."""

    path: Path
    kind: str = LABEL

    @property
    def label(self) -> str:
        return f"{LABEL}:{self.path.name}"

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened]:
        del cursor, mode
        before = digest.of_file(self.path)
        yield Opened(FileScan((self.path,), _format(self.path)), lambda: {"sha256": before}, self.label)


def _live_keys(table: Table) -> frozenset[str]:
    """The idempotency keys of the commits since the last one that replaced everything (it included)."""
    keys = []
    for info in table.history():
        keys.append(info.origin.idempotency_key)
        if info.origin.mode is Mode.OVERWRITE:
            break
    return frozenset(keys)


def _committed(table: Table, key: str) -> VersionInfo | None:
    return next((info for info in table.history() if info.origin.idempotency_key == key), None)


def _address(row: Row) -> Address:
    return row["batch"], row["source"], row["position"]


def _flat(row: Row) -> dict[str, Any]:  # Any: the record's values
    """One row as its source's columns and where it came from."""
    record = {TEXT: row["record"]} if row["form"] == "text" else json.loads(row["record"])
    return {
        **record,
        RULES: ", ".join(row["rules"]),
        SOURCE: row["source"],
        POSITION: row["position"],
        BATCH: row["batch"],
    }


def _writer(path: Path) -> Any:  # Any: one of the two writers below
    match path.suffix.lower():
        case ".csv":
            return _write_csv
        case ".jsonl" | ".ndjson":
            return _write_lines
        case other:
            raise UsageError(
                _("cannot export to {suffix!r} files").format(suffix=other), do=_("name a .csv or a .jsonl file")
            )


def _format(path: Path) -> FileFormat:
    _writer(path)
    return Csv() if path.suffix.lower() == ".csv" else JsonLines()


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:  # Any: the records' values
    names = list(dict.fromkeys(name for row in rows for name in row if not name.startswith("_")))
    names += [TEXT] if any(TEXT in row for row in rows) else []
    names += [RULES, SOURCE, POSITION, BATCH]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:  # Any: the records' values
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _addresses(path: Path) -> list[Address]:
    """Which quarantined rows a corrected file is about. Raises `SourceBroken` if it does not say."""
    _writer(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows: Iterator[Row] = (
                csv.DictReader(stream) if path.suffix.lower() == ".csv" else map(json.loads, filter(str.strip, stream))
            )
            return [(row[BATCH], row[SOURCE], int(row[POSITION])) for row in rows]
    except FileNotFoundError as error:
        raise SourceUnreachable(
            _("there is no such file"), where=str(path), do=_("write one with lastro quarantine NAME --export FILE")
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise SourceBroken(
            _("the corrected rows do not say which quarantined rows they are"),
            where=str(path),
            do=_("keep the columns {columns} of the export as they are").format(
                columns=f"{BATCH}, {SOURCE}, {POSITION}"
            ),
        ) from error


def _write_marks(path: Path, addresses: list[Address], key: str) -> StagedFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            pa.field("batch", pa.string()),
            pa.field("rules", pa.list_(pa.string())),
            pa.field("source", pa.string()),
            pa.field("position", pa.int64()),
            pa.field("form", pa.string()),
            pa.field("record", pa.string()),
        ]
    )
    rows = [
        {"batch": batch, "rules": [], "source": source, "position": position, "form": MARK, "record": key}
        for batch, source, position in addresses
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return StagedFile(path, len(rows))
