"""The quarantine: rows set aside, shown, exported, corrected and taken in again.

Rules:

1. A quarantined row counts only if a commit of the dataset carries its batch as idempotency key: a batch that was
   refused or crashed left nothing behind.
2. After an `overwrite`, a `snapshot` or a whole reading of a history, rows set aside before it are past: what they
   belonged to was read again. A `restore` brings back what was open at the version that it restores.
3. Corrected rows go through the contract like any batch. With them a mark per row is written (`form` = `mark`,
   `record` = the key of the correcting batch); it counts under rule 1, and then the row is no longer open.
4. A file of corrections taken in twice is taken in once: its digest is the idempotency key.
5. A row is corrected once: that it is open is proven, and its mark written, under the dataset's lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lastro.engine.protocol import QUARANTINE, StagedFile
from lastro.engine.scan import FileScan
from lastro.model import digest
from lastro.model.errors import SourceBroken, SourceChanged, UnknownName
from lastro.model.progress import Told
from lastro.model.text import _
from lastro.model.version import Mode, Origin, RowCounts, VersionInfo
from lastro.pipeline import corrections
from lastro.pipeline.corrections import Address, Row
from lastro.pipeline.ingest import ingest
from lastro.pipeline.lineage import CORRECTIONS, lineage
from lastro.pipeline.result import IngestResult
from lastro.pipeline.target import Target, part
from lastro.source.protocol import Cursor, Opened
from lastro.store.table import Table
from lastro.store.writer import Change

MARK = "mark"
LABEL = "quarantine"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The rows of one dataset that were set aside and are still open."""

    target: Target
    on_ingest: Callable[[IngestResult], None] | None = None

    def rows(self, *, rule: str | None = None, version: int | None = None, limit: int | None = None) -> list[Row]:
        """Open rows in the order they were set aside: batch, rules, source, position, offset, form, record.

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

    def count(self) -> int:
        """How many rows are open."""
        return sum(1 for _row in self._open_rows())

    def export(self, path: Path, *, rule: str | None = None) -> int:
        """Writes open rows to a CSV or JSON lines file that can be corrected and replayed; returns how many.

        The columns are the source's, then `_rules`, `_source`, `_position`, `_offset` where it is known, `_batch` and,
        for records that could not be taken apart, `_text`. Raises `UsageError` for another kind of file, `WriteFailed`.
        """
        corrections.format_of(path)
        names = {column.name: column.source for column in self.target.plan.columns}
        rows = [corrections.as_source(row, names) for row in self.rows(rule=rule)]
        corrections.write(path, rows)
        return len(rows)

    def replay(self, corrected: Path, *, mode: Mode = Mode.APPEND, progress: Told | None = None) -> IngestResult:
        """Takes a corrected export through the contract again; rows that pass join the dataset and are closed here.

        Rows still refused come back to the quarantine under their new batch. Raises as `ingest` does.
        """
        corrections.format_of(corrected)
        content = _digest(corrected)
        key = self._key(content)
        source = _Corrections(corrected, content, lambda addresses: self._close(addresses, key))
        if self._keeps_history():
            mode = Mode.SCD2
        result = ingest(part(self.target), source, mode=mode, key=key, progress=progress)
        if self.on_ingest is not None:
            self.on_ingest(result)
        return result

    def _keeps_history(self) -> bool:
        head, columns = self.target.table.head(), self.target.history.columns
        stored = set(columns) <= set(head.schema.names) if head is not None else False
        return stored and not set(columns) & set(self.target.plan.schema.names)

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

    def _key(self, content: str) -> str:
        """The attempt's name; another one where the rows that came in under the first were restored away."""
        key = digest.of_parts([self.target.dataset, "replay", content])
        table = self.target.table
        if key in _live_keys(table) or not any(info.origin.idempotency_key == key for info in table.history()):
            return key
        head = table.head()
        return digest.of_parts([key, head.digest if head else ""])

    def _close(self, addresses: list[Address], key: str) -> None:
        self._check_open(addresses)
        self._mark(addresses, key)

    def _check_open(self, addresses: list[Address]) -> None:
        repeated = [address for address, count in Counter(addresses).items() if count > 1]
        if repeated:
            raise SourceBroken(
                _("{count} quarantined rows stand more than once in the corrected file").format(count=len(repeated)),
                where=f"{repeated[0][1]}:{repeated[0][2]}",
                do=_("leave one line for each row"),
            )
        known = {_address(row) for row in self._open_rows()}
        missing = [address for address in addresses if address not in known]
        if missing:
            raise UnknownName(
                _(
                    "{count} of the corrected rows are not open in the quarantine of {dataset}: "
                    "since the file was exported, they were taken in, set aside anew or left behind"
                ).format(count=len(missing), dataset=self.target.dataset),
                where=f"{missing[0][1]}:{missing[0][2]}",
                do=_("lastro quarantine {dataset} --export FILE writes those that are open; correct them there").format(
                    dataset=self.target.dataset
                ),
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
    content: str
    close: Callable[[list[Address]], None]
    kind: str = LABEL

    @property
    def label(self) -> str:
        return f"{CORRECTIONS}{self.path.name}"

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened]:
        del cursor, mode
        form = corrections.format_of(self.path)
        addresses = corrections.addresses(self.path)
        self._unchanged()
        self.close(addresses)
        yield Opened(FileScan((self.path,), form), self._unchanged, self.label)

    def _unchanged(self) -> Cursor:
        if _digest(self.path) != self.content:
            raise SourceChanged(
                _("the corrected file changed while it was read"), where=str(self.path), do=_("replay it again")
            )
        return {"sha256": self.content}


def _live_keys(table: Table) -> frozenset[str]:
    """The idempotency keys of the commits that the newest version is made of."""
    return frozenset(info.origin.idempotency_key for info in lineage(table))


def _address(row: Row) -> Address:
    return row["batch"], row["source"], row["position"]


def _digest(path: Path) -> str:
    try:
        return digest.of_file(path)
    except OSError as error:
        raise corrections.unreadable(path, error) from error


def _write_marks(path: Path, addresses: list[Address], key: str) -> StagedFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            pa.field("batch", pa.string()),
            pa.field("rules", pa.list_(pa.string())),
            pa.field("source", pa.string()),
            pa.field("position", pa.int64()),
            pa.field("offset", pa.int64()),
            pa.field("form", pa.string()),
            pa.field("record", pa.string()),
        ]
    )
    rows: list[Row] = [
        {
            "batch": batch,
            "rules": [],
            "source": source,
            "position": position,
            "offset": None,
            "form": MARK,
            "record": key,
        }
        for batch, source, position in addresses
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return StagedFile(path, len(rows))
