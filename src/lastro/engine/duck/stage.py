"""The parent's half of `stage`: what the child (or a trusted stream) delivers is protected and written.

Rules:

1. `protect` sees every batch, kept or refused, before a byte of it is written. Kept rows of persons who were erased are
   left out, and set aside without a value once their places are known.
2. A file is parsed in the guarded child; a stream has been parsed by its source and is read in this process.
3. The plan is compiled for each file's own columns; a column the plan needs and the file lacks refuses the file.
4. Positions in the quarantine are corrected once all records that a reader skipped are known.
5. Last, primary keys: of rows with an equal key one is kept (`keys.py`).
6. Whatever fails, nothing of ours stays in the folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.duck import frames, guard, keys
from lastro.engine.duck.arrow import conform, to_arrow
from lastro.engine.duck.connection import in_order, session
from lastro.engine.duck.failure import WRITE_ERRORS, of_exception, to_error, write_failed
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.opening import RAW
from lastro.engine.duck.parquet import Writer, batches, without
from lastro.engine.duck.positions import Integers, corrected
from lastro.engine.duck.relations import LINE
from lastro.engine.duck.split import REFUSED_SCHEMA, Shape, refused_batch
from lastro.engine.duck.staging import Reading
from lastro.engine.duck.stream import Inflow
from lastro.engine.encrypted import Sealing
from lastro.engine.protecting import Protect
from lastro.engine.protocol import (
    ERASED,
    MALFORMED,
    NOTHING,
    OFFSET,
    PRIMARY_KEY,
    UNREAD,
    UNREAD_MAX,
    Arrange,
    Staged,
    StagedFile,
)
from lastro.engine.scan import Excel, FileFormat, FileScan, JsonLines, Lines, Scan, StreamScan, Xml, labels
from lastro.engine.sql import cleaning
from lastro.engine.sql.compile import BITS_PER_WORD, CompiledBatch, compile_batch, source_columns, unread
from lastro.model.cleaning import Cleaned
from lastro.model.errors import LastroError, SourceBroken
from lastro.model.finding import Policy
from lastro.model.plan import Plan
from lastro.model.progress import Progress, Told
from lastro.model.schema import Schema
from lastro.model.version import RowCounts

ASIDE = frozenset({"record"})
"""The columns of the quarantine of which no statistics are written."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `stage` was asked for."""

    plan: Plan
    folder: Path
    batch: str
    keep_last: bool
    protect: Protect | None
    progress: Told | None
    limits: Limits
    temp: Path | None
    arrange: Arrange | None = None

    @property
    def sealing(self) -> Sealing | None:
        """Which columns of kept rows are encrypted."""
        return None if self.protect is None else self.protect.sealing

    def arranged(self, sources: Sequence[Schema]) -> Order:
        """The same order with the plan for sources that have these columns."""
        return self if self.arrange is None else replace(self, plan=self.arrange(sources), arrange=None)


@dataclass(slots=True)
class Intake:
    """Takes batches as they come, protects and writes them; a `staging.Sink`. `expected` is how much there is."""

    order: Order
    kept: Writer
    refused: Writer
    unreadable: Writer
    expected: Progress
    watch: keys.Watch = field(init=False)
    unread: tuple[str, ...] = ()
    ends: list[frames.Ended] = field(default_factory=list)
    marked: Sequence[Sequence[tuple[str, bool]]] = ()
    """For each source the columns of which it is told what cleaning did."""
    seen: int = 0
    """How many kept rows came."""
    going: list[Integers] = field(default_factory=list)
    """The numbers of those, from 0, who were erased."""
    emptied: int = 0
    """How many refused rows were of persons who were erased."""

    def cleaned(self, counted: frames.Counted) -> tuple[Cleaned, ...]:
        """What cleaning did."""
        bits = [
            counted.marked.get(bit, 0) for bit in range(cleaning.KINDS * len(self.marked[0] if self.marked else ()))
        ]
        rows = counted.read - counted.refused[MALFORMED]
        return cleaning.totals(self.marked, bits, self.order.plan, rows, counted.refused)

    def arrange(self, sources: Sequence[Schema]) -> Order:
        """Told the sources' columns; gives the order to follow from here on."""
        self.order = self.order.arranged(sources)
        self.unread = unread(self.order.plan, sources)
        self.watch = keys.Watch(self.order.plan.primary_key)
        return self.order

    def keep(self, batch: pa.RecordBatch) -> None:
        """Takes kept rows."""
        if batch.num_rows == 0:
            return
        batch, protect = conform(batch, to_arrow(self.order.plan.schema)), self.order.protect
        if protect is not None:
            batch = protect.kept(self._staying(batch, protect))
        self.watch.look(batch)
        self.kept.write(batch)

    def refuse(self, batch: pa.RecordBatch) -> None:
        """Takes refused rows."""
        self.refused.write(self._protected(batch))

    def _staying(self, batch: pa.RecordBatch, protect: Protect) -> pa.RecordBatch:
        """The rows whose persons were not erased; of the others their numbers are noted."""
        before, erased = self.seen, protect.erased(batch)
        self.seen += batch.num_rows
        if erased is None:
            return batch
        self.going.append(np.flatnonzero(erased.to_numpy(zero_copy_only=False)) + before)
        return batch.filter(pc.invert(erased))

    def malformed(self, batch: pa.RecordBatch) -> None:
        """Takes records that could not be taken apart."""
        self.unreadable.write(self._protected(batch))

    def end(self, ended: frames.Ended) -> None:
        """Notes a file's end."""
        self.ends.append(ended)

    def progress(self, rows: int, size: int) -> None:
        """Hands on how many rows and bytes were read."""
        if self.order.progress is not None:
            self.order.progress(replace(self.expected, rows=rows, bytes=size))

    def _protected(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.order.protect is None:
            return batch
        batch = self.order.protect.refused(batch)
        self.emptied += sum(1 for names in batch.column("rules").to_pylist() if names == [ERASED])
        return batch


def stage(order: Order, scan: Scan) -> Staged:
    """Stages one scan. Raises `SourceBroken`, `LimitExceeded`, `EngineError`, `WriteFailed`."""
    try:
        before = set(order.folder.iterdir())  # also tells whether it is there
    except OSError as error:
        raise write_failed(error, str(order.folder)) from error
    try:
        return _stage(order, scan)
    except BaseException as error:
        for path in set(order.folder.glob("*.parquet")) - before:
            path.unlink(missing_ok=True)
        if isinstance(error, LastroError) or not isinstance(error, Exception):
            raise
        if isinstance(error, OSError) and error.errno in WRITE_ERRORS:
            raise write_failed(error, str(order.folder)) from error
        raise to_error(of_exception(error)) from error


def _stage(order: Order, scan: Scan) -> Staged:
    with ExitStack() as writers:
        sealing = order.sealing
        kept, refused, unreadable = (
            writers.enter_context(Writer(order.folder, stem, silent=silent, sealing=how))
            for stem, silent, how in (
                ("kept", order.plan.withheld, sealing),
                ("refused", ASIDE, None),
                ("malformed", ASIDE, None),
            )
        )
        intake = Intake(order, kept, refused, unreadable, _expected(scan))
        match scan:
            case FileScan():
                counted = _from_child(order, scan, intake)
            case StreamScan():
                counted = _from_stream(order, scan, intake)
    order = intake.order
    aside = _corrected(order.folder, refused.files, intake.ends) + unreadable.files
    aside += _erased(order, intake, aside)
    gone = sum(map(len, intake.going))
    staged = Staged(
        tuple(kept.files),
        tuple(aside),
        RowCounts(counted.read, counted.kept - gone, counted.read - counted.kept + gone),
        counted.refused
        | ({PRIMARY_KEY: 0} if order.plan.primary_key else {})
        | ({ERASED: gone + intake.emptied} if gone + intake.emptied else {}),
        tuple(dict.fromkeys((*intake.unread, *counted.unread)))[:UNREAD_MAX],
        tuple((end.source, end.read) for end in intake.ends),
        intake.cleaned(counted),
    )
    if order.plan.primary_key and not intake.watch.grows:
        return _without_repeats(order, staged, intake)
    return staged


def _expected(scan: Scan) -> Progress:
    if isinstance(scan, StreamScan):
        return Progress(0, rows_expected=scan.rows)
    sizes = (span.end - span.begin if span else path.stat().st_size for path, span in scan.parts() if path.is_file())
    return Progress(0, bytes_expected=sum(sizes))


def _from_child(order: Order, scan: FileScan, intake: Intake) -> frames.Counted:
    by_member = isinstance(scan.format, JsonLines | Xml) or (isinstance(scan.format, Lines) and scan.format.has_members)
    wanted = source_columns(order.plan) if by_member else ()
    with guard.guarded("stage", scan, order.limits, temp=order.temp, wanted=wanted) as child:
        described = child.answer(frames.Described)
        schemas = [Schema.from_delta(text) for text in described.schemas]
        child.send(_query(intake, scan, schemas))
        return _receive(child, intake)


def _receive(child: guard.Child, intake: Intake) -> frames.Counted:
    schema = REFUSED_SCHEMA
    while True:
        kind, payload = child.receive()
        match kind:
            case frames.SCHEMA:
                schema = pa.ipc.read_schema(payload)
            case frames.KEPT:
                intake.keep(pa.ipc.read_record_batch(payload, schema))
            case frames.REFUSED:
                intake.refuse(pa.ipc.read_record_batch(payload, REFUSED_SCHEMA))
            case frames.MALFORMED:
                intake.malformed(pa.ipc.read_record_batch(payload, REFUSED_SCHEMA))
            case _:
                match child.decode(payload):
                    case frames.Ended() as ended:
                        intake.end(ended)
                    case frames.Progress(rows, size):
                        intake.progress(rows, size)
                    case frames.Counted() as counted:
                        return counted


def _from_stream(order: Order, scan: StreamScan, intake: Intake) -> frames.Counted:
    wanted = source_columns(order.plan) if scan.records else ()
    inflow = Inflow(scan)
    order = intake.arrange([inflow.columns(wanted)])
    carry = (LINE, UNREAD) if scan.records else ()
    compiled = _compiled(order.plan, inflow.columns(wanted), carry, scan.label)
    intake.marked = (compiled.marked,)
    reading = Reading(_shape(order.plan, compiled), order.batch, intake)
    kept = 0
    reading.begin(scan.label, lambda _rows: inflow.bytes)
    with session(order.limits, temp=order.temp) as connection:
        inflow.view(connection, wanted)
        select = compiled.select(RAW, carry=carry)
        try:
            for batch in in_order(connection, select).to_arrow_reader(order.limits.batch_rows):
                kept += reading.take(batch)
        except Exception:
            if inflow.failure is not None:
                raise inflow.failure from None
            raise
    reading.end(scan.label, kept, [])
    return reading.counted()


def _query(intake: Intake, scan: FileScan, schemas: Sequence[Schema]) -> frames.Query:
    order = intake.arrange(schemas)
    carry = _carried(scan.format)
    compiled: dict[Schema, CompiledBatch] = {}
    for path, schema in zip(scan.paths, schemas, strict=True):
        if schema not in compiled:
            compiled[schema] = _compiled(order.plan, schema, carry, str(path))
    intake.marked = tuple(each.marked for each in compiled.values())
    first = compiled[schemas[0]]
    return frames.Query(
        labels(scan.paths),
        tuple(schema.names for schema in schemas),
        tuple(compiled[schema].select(RAW, carry=carry) for schema in schemas),
        _shape(order.plan, first),
        order.batch,
    )


def _carried(kind: FileFormat) -> tuple[str, ...]:
    match kind:
        case JsonLines():
            return (LINE, UNREAD)
        case Lines(has_members=True):
            return (LINE, UNREAD, OFFSET)
        case Lines():
            return (LINE, OFFSET)
        case Excel() | Xml():
            return (LINE,)
        case _:
            return ()


def _compiled(plan: Plan, schema: Schema, carry: Sequence[str], where: str) -> CompiledBatch:
    try:
        return compile_batch(plan, schema, dialect="duckdb", carry=carry)
    except SourceBroken as error:
        raise SourceBroken(error.what, where=where, do=error.do, state=error.state) from None


def _shape(plan: Plan, compiled: CompiledBatch) -> Shape:
    aside = tuple(rule.policy is Policy.QUARANTINE for rule in plan.row_rules)
    return Shape(
        compiled.names,
        compiled.bits,
        compiled.record,
        compiled.rules,
        aside,
        BITS_PER_WORD,
        compiled.marks,
        cleaning.KINDS * cleaning.COLUMNS_PER_WORD,
    )


def _corrected(folder: Path, files: Sequence[StagedFile], ends: Sequence[frames.Ended]) -> list[StagedFile]:
    """The refused rows' files with positions that count what the readers skipped; written anew only if any did."""
    skipped = {end.source: np.array(end.skipped, dtype=np.int64) for end in ends if end.skipped}
    if not skipped or not files:
        return list(files)
    with Writer(folder, "quarantine", silent=ASIDE) as writer:
        for file in files:
            for batch in batches(file.path):
                writer.write(_moved(batch, skipped))
            file.path.unlink()
    return writer.files


def _moved(batch: pa.RecordBatch, skipped: dict[str, Integers]) -> pa.RecordBatch:
    positions = batch.column("position").to_numpy().copy()
    sources = batch.column("source").dictionary_encode()
    index = sources.indices.to_numpy()
    for code, source in enumerate(sources.dictionary.to_pylist()):
        if source in skipped:
            mine = index == code
            positions[mine] = corrected(positions[mine], skipped[source])
    return batch.set_column(batch.schema.get_field_index("position"), "position", pa.array(positions))


def _without_repeats(order: Order, staged: Staged, intake: Intake) -> Staged:
    going: dict[int, list[Integers]] = {}
    key, plan = order.plan.primary_key, order.plan
    modest = replace(order.limits, memory_mb=max(64, order.limits.memory_mb // 2))  # grouping spills well
    with (
        session(modest, readable=[file.path for file in staged.kept], temp=order.temp) as connection,
        Writer(order.folder, "repeats", silent=ASIDE) as writer,
    ):
        removed: list[Integers] | None = None
        starts = np.cumsum([0, *[file.rows for file in staged.kept]])
        sources = [(end.source, end.kept) for end in intake.ends]
        for found in keys.repeats(connection, staged.kept, plan.schema, key, last=order.keep_last):
            removed = _removed(staged.quarantined, intake.ends) if removed is None else removed
            going.setdefault(found.file, []).append(found.rows)
            offset = 0
            for label, positions in keys.by_source(found.rows + starts[found.file], sources, removed):
                records = found.records.slice(offset, len(positions))
                names, forms = [[PRIMARY_KEY]] * len(positions), ["clean"] * len(positions)
                writer.write(_shut(order, refused_batch(order.batch, names, label, positions, forms, records)))
                offset += len(positions)
    if not going:
        return staged
    kept = [file for index, old in enumerate(staged.kept) for file in _less(order, index, old, going.get(index))]
    rows = sum(file.rows for file in kept)
    read = staged.counts.read
    refused = Counter(staged.refused)
    refused[PRIMARY_KEY] += staged.counts.kept - rows
    counts = RowCounts(read, rows, read - rows)
    aside = (*staged.quarantined, *writer.files)
    return replace(staged, kept=tuple(kept), quarantined=aside, counts=counts, refused=refused)


def _shut(order: Order, batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch if order.protect is None else order.protect.refused(batch)


def _erased(order: Order, intake: Intake, aside: Sequence[StagedFile]) -> list[StagedFile]:
    """Rows of the quarantine, without a value, for the kept rows of persons who were erased."""
    if not intake.going:
        return []
    rows = np.concatenate(intake.going)
    sources = [(end.source, end.kept) for end in intake.ends]
    with Writer(order.folder, "erased") as writer:
        for label, positions in keys.by_source(rows, sources, _removed(aside, intake.ends)):
            names, forms = [[ERASED]] * len(positions), ["raw"] * len(positions)
            records = pa.repeat(pa.scalar(NOTHING), len(positions))
            writer.write(refused_batch(order.batch, names, label, positions, forms, records))
    ends, start = [], 0
    for end in intake.ends:
        gone = int(((rows >= start) & (rows < start + end.kept)).sum())
        start += end.kept
        ends.append(msgspec.structs.replace(end, kept=end.kept - gone))
    intake.ends = ends
    return writer.files


def _less(order: Order, index: int, file: StagedFile, going: list[Integers] | None) -> list[StagedFile]:
    if going is None:
        return [file]
    stem = f"unique-{index:05d}"
    with Writer(order.folder, stem, silent=order.plan.withheld, sealing=order.sealing) as writer:
        without(file, np.sort(np.concatenate(going)), writer)
    file.path.unlink()
    return writer.files


def _removed(files: Sequence[StagedFile], ends: Sequence[frames.Ended]) -> list[Integers]:
    """For each source the sorted positions of records that were not kept."""
    gone: dict[str, list[Integers]] = {end.source: [np.empty(0, dtype=np.int64)] for end in ends}
    for file in files:
        for batch in batches(file.path):
            sources = batch.column("source").to_numpy(zero_copy_only=False)
            positions = batch.column("position").to_numpy()
            for source in set(sources):
                gone[source].append(positions[sources == source])
    return [np.sort(np.concatenate(gone[end.source])) for end in ends]
