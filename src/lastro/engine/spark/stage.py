"""One batch on Spark: cast, clean, one bit for each rule, split, protect, write.

Rules:

1. Every file becomes one frame with the columns kept, the bits, the record and what became of the row (`STATE`).
2. Of rows with an equal key the first (or last) kept one stays; a key with a NULL in it equals nothing.
3. `protect` runs in Spark's Python workers on every batch before it is written: it must be picklable. Rows of persons
   who were erased are set aside without a value, as on any engine.
4. Counts come from one aggregation, and must agree with the rows of the files written.
5. Files are written into a folder of our own inside the staging folder and moved out; nothing else is left there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.duck.parquet import leaves
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
from lastro.engine.scan import Scan
from lastro.engine.spark.intake import DataFrame, Frame, Session, frames
from lastro.engine.spark.session import failures
from lastro.engine.sql import cleaning
from lastro.engine.sql.compile import BITS_PER_WORD, CompiledBatch, compile_batch, source_columns, unread
from lastro.engine.sql.dialect import quoted
from lastro.engine.sql.dialect import text as literal
from lastro.model.errors import EngineError, WriteFailed
from lastro.model.plan import Plan
from lastro.model.progress import Progress, Told
from lastro.model.text import _
from lastro.model.version import RowCounts

STATE, SOURCE, NUMBER, POSITION, TEXT = "_state", "_source", "_number", "_position", "_text"
RAW = "_record"
ASIDE = ("record",)
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
    arrange: Arrange | None = None


def stage(session: Session, order: Order, scan: Scan) -> Staged:
    """Stages one scan. Raises `SourceBroken`, `LimitExceeded`, `EngineError`, `WriteFailed`."""
    found = frames(session, scan, source_columns(order.plan), order.plan.schema.names)
    schemas = [each.schema for each in found]
    if order.arrange is not None:
        order = replace(order, plan=order.arrange(schemas))
    compiled = [compile_batch(order.plan, each.schema, dialect="spark") for each in found]
    names = _Names(order.plan, compiled[0].marked)
    parts = [
        _part(session, each, batch, number, names)
        for number, (each, batch) in enumerate(zip(found, compiled, strict=True))
    ]
    whole = reduce(lambda one, other: one.unionByName(other), parts)
    if order.plan.primary_key:
        whole = _without_repeats(session, whole, order, names)
    with failures(_("Spark could not stage the batch"), where=order.plan.dataset), _in_memory(whole):
        counts, refused, bits = _counted(whole, names)
        if order.progress is not None:
            order.progress(Progress(counts.read))
        kept = write(_protected(_kept(whole, names), order), order.folder, "kept", silent=_silent(order.plan))
        gone = counts.kept - sum(file.rows for file in kept) if order.protect is not None else 0
        aside = write(_shut(_quarantine(whole, order, names), order), order.folder, "quarantine", silent=ASIDE)
        if gone:
            aside += write(_erased(whole, order, names), order.folder, "erased")
            counts = RowCounts(counts.read, counts.kept - gone, counts.quarantined + gone)
        members = tuple(_unread(whole, names)) if any(each.tells_unread for each in found) else ()
        sources = _sources(whole, names, found, counts)
    _check_conserved(counts, kept, aside, order)
    others = tuple(dict.fromkeys((*unread(order.plan, schemas), *members)))[:UNREAD_MAX]
    if order.protect is not None and (emptied := _emptied(aside)):
        refused = {**refused, ERASED: emptied}
    sound = counts.read - refused[MALFORMED]
    cleaned = cleaning.totals([each.marked for each in compiled], bits, order.plan, sound, refused)
    return Staged(kept, aside, counts, refused, others, sources, cleaned)


def _sources(whole: DataFrame, names: _Names, found: Sequence[Frame], counts: RowCounts) -> tuple[tuple[str, int], ...]:
    if len(found) == 1:
        return ((found[0].label, counts.read),)
    number = names.own(NUMBER)
    rows = {int(row[0]): int(row[1]) for row in whole.groupBy(number).count().collect()}
    return tuple((each.label, rows.get(index, 0)) for index, each in enumerate(found))


def _unread(whole: DataFrame, names: _Names) -> Iterator[str]:
    """The names of JSON members that occurred and are not asked for."""
    listed = whole.selectExpr(f"{names.own(UNREAD)} AS listed").filter("listed IS NOT NULL").distinct()
    for row in sorted(row[0] for row in listed.limit(UNREAD_MAX).collect()):
        yield from json.loads(row)


@contextmanager
def _in_memory(frame: DataFrame) -> Iterator[None]:
    """Keeps what fits of a frame in memory while it is used more than once; nothing of it goes to disk."""
    from pyspark import StorageLevel

    frame.persist(StorageLevel.MEMORY_ONLY)
    try:
        yield
    finally:
        frame.unpersist()


class _Names:
    """The columns of the staged frame: the dataset's, and ours beside them, under names that do not meet."""

    def __init__(self, plan: Plan, marked: Sequence[tuple[str, bool]]) -> None:
        self.columns = plan.schema.names
        self.rules = tuple(rule.name for rule in plan.row_rules)
        self.words = tuple(f"bits_{word}" for word in range(max(1, -(-len(self.rules) // BITS_PER_WORD))))
        self.marked = cleaning.KINDS * len(marked)
        self.marks = tuple(f"marks_{word}" for word in range(-(-len(marked) // cleaning.COLUMNS_PER_WORD)))
        self._prefix = "_"
        while any(name.startswith(self._prefix) for name in self.columns):
            self._prefix += "_"

    def own(self, name: str) -> str:
        """One of our columns, quoted."""
        return quoted(self._prefix + name.lstrip("_"), dialect="spark")

    def kept(self) -> list[str]:
        return [quoted(name, dialect="spark") for name in self.columns]

    def bit(self, index: int) -> str:
        """Whether a row broke the rule with this number."""
        word = self.own(self.words[index // BITS_PER_WORD])
        return f"({word} & {1 << index % BITS_PER_WORD}L) <> 0"

    def mark(self, index: int) -> str:
        """Whether a row has the bit with this number of what cleaning did."""
        size = cleaning.KINDS * cleaning.COLUMNS_PER_WORD
        return f"({self.own(self.marks[index // size])} & {1 << index % size}L) <> 0"


def _part(session: Session, source: Frame, batch: CompiledBatch, number: int, names: _Names) -> DataFrame:
    """One source's rows: the dataset's columns, then our own."""
    view = f"lastro_{uuid4().hex}"
    source.frame.createOrReplaceTempView(view)
    try:
        position, text = quoted(source.position, dialect="spark"), quoted(source.malformed, dialect="spark")
        unread_members = quoted(UNREAD, dialect="spark") if source.tells_unread else "CAST(NULL AS STRING)"
        offset = quoted(OFFSET, dialect="spark") if source.tells_offset else "CAST(NULL AS BIGINT)"
        record = quoted(batch.record, dialect="spark")
        state = f"CASE WHEN {text} IS NOT NULL THEN 'malformed' WHEN {batch.refused} THEN 'refused' ELSE 'kept' END"
        words = [
            f"{quoted(old, dialect='spark')} AS {names.own(new)}"
            for old, new in zip((*batch.bits, *batch.marks), (*names.words, *names.marks), strict=True)
        ]
        items = [
            *names.kept(),
            *words,
            f"CASE WHEN {text} IS NOT NULL THEN {text} ELSE {record} END AS {names.own(RAW)}",
            f"{state} AS {names.own(STATE)}",
            f"{_literal(source.label)} AS {names.own(SOURCE)}",
            f"{number} AS {names.own(NUMBER)}",
            f"{position} AS {names.own(POSITION)}",
            f"{offset} AS {names.own(OFFSET)}",
            f"{batch.clean_record_sql} AS {names.own('clean')}",
            f"{unread_members} AS {names.own(UNREAD)}",
        ]
        told = ((UNREAD, source.tells_unread), (OFFSET, source.tells_offset))
        carry = (source.position, source.malformed, *(column for column, is_told in told if is_told))
        select = batch.select(quoted(view, dialect="spark"), carry=carry)
        with failures(_("Spark could not plan the batch"), where=source.label):
            return session.sql(f"SELECT {', '.join(items)} FROM ({select}) AS batch")
    finally:
        session.catalog.dropTempView(view)


def _literal(value: str) -> str:
    return literal(value).sql("spark")


def _without_repeats(session: Session, whole: DataFrame, order: Order, names: _Names) -> DataFrame:
    view = f"lastro_{uuid4().hex}"
    whole.createOrReplaceTempView(view)
    key = [quoted(name, dialect="spark") for name in order.plan.primary_key]
    way = "DESC" if order.keep_last else "ASC"
    state = names.own(STATE)
    ranked = (
        f"ROW_NUMBER() OVER (PARTITION BY {', '.join([state, *key])} "
        f"ORDER BY {names.own(NUMBER)} {way}, {names.own(POSITION)} {way})"
    )
    present = " AND ".join(f"{name} IS NOT NULL" for name in key)
    others = ", ".join(
        quoted(name, dialect="spark") for name in whole.columns if quoted(name, dialect="spark") != state
    )
    try:
        with failures(_("Spark could not plan the batch"), where=order.plan.dataset):
            found = session.sql(
                f"SELECT {others}, CASE WHEN {state} = 'kept' AND {present} AND {ranked} > 1 THEN 'repeated' "
                f"ELSE {state} END AS {state} FROM {quoted(view, dialect='spark')}"
            )
        return found.orderBy(names.own(NUMBER), names.own(POSITION))
    finally:
        session.catalog.dropTempView(view)


def _counted(whole: DataFrame, names: _Names) -> tuple[RowCounts, Mapping[str, int], Sequence[int]]:
    state = names.own(STATE)
    sound = f"{state} <> 'malformed'"
    items = [
        "COUNT(*)",
        f"COUNT_IF({state} = 'kept')",
        f"COUNT_IF({state} = 'malformed')",
        f"COUNT_IF({state} = 'repeated')",
        *(f"COUNT_IF({sound} AND {names.bit(index)})" for index in range(len(names.rules))),
        *(f"COUNT_IF({sound} AND {names.mark(index)})" for index in range(names.marked)),
    ]
    row = whole.selectExpr(*[f"{item} AS n{index}" for index, item in enumerate(items)]).collect()[0]
    read, kept, malformed, repeated, *rest = (int(value) for value in row)
    broken, marked = rest[: len(names.rules)], rest[len(names.rules) :]
    refused = dict(zip(names.rules, broken, strict=True)) | {MALFORMED: malformed, PRIMARY_KEY: repeated}
    return RowCounts(read, kept, read - kept), refused, marked


def _kept(whole: DataFrame, names: _Names) -> DataFrame:
    return whole.filter(f"{names.own(STATE)} = 'kept'").selectExpr(*names.kept())


def _quarantine(
    whole: DataFrame, order: Order, names: _Names, *, which: str = "", beside: Sequence[str] = ()
) -> DataFrame:
    """Rows of the quarantine: those refused, or `which` are asked for, with some columns of theirs before."""
    state = names.own(STATE)
    broken = ", ".join(
        f"CASE WHEN {names.bit(index)} THEN {_literal(name)} END" for index, name in enumerate(names.rules)
    )
    rules = f"array_compact(array({broken}))" if broken else "array()"
    return whole.filter(which or f"{state} <> 'kept'").selectExpr(
        *beside,
        f"{_literal(order.batch)} AS batch",
        f"CASE {state} WHEN 'malformed' THEN array('{MALFORMED}') WHEN 'repeated' THEN array('{PRIMARY_KEY}') "
        f"ELSE {rules} END AS rules",
        f"{names.own(SOURCE)} AS source",
        f"{names.own(POSITION)} AS position",
        f"{names.own(OFFSET)} AS offset",
        f"CASE {state} WHEN 'malformed' THEN 'text' WHEN 'repeated' THEN 'clean' ELSE 'raw' END AS form",
        f"CASE {state} WHEN 'repeated' THEN {names.own('clean')} ELSE {names.own(RAW)} END AS record",
    )


def _silent(plan: Plan) -> list[str]:
    """The paths in Parquet of the columns of which nothing may be told."""
    withheld = (field for field in to_arrow(plan.schema) if field.name in plan.withheld)
    return [path for field in withheld for path in leaves(field.name, field.type)]


def _protected(frame: DataFrame, order: Order) -> DataFrame:
    """Kept rows, protected; those of persons who were erased are left out."""
    protect = order.protect
    if protect is None:
        return frame

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            erased = protect.erased(batch)
            yield protect.kept(batch if erased is None else batch.filter(pc.invert(erased)))

    return frame.mapInArrow(work, frame.schema)


def _shut(frame: DataFrame, order: Order) -> DataFrame:
    """Rows of the quarantine, protected."""
    protect = order.protect
    if protect is None:
        return frame

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield protect.refused(batch)

    return frame.mapInArrow(work, frame.schema)


def _erased(whole: DataFrame, order: Order, names: _Names) -> DataFrame:
    """Rows of the quarantine, without a value, for the kept rows of persons who were erased."""
    protect, width = order.protect, len(names.columns)
    frame = _quarantine(whole, order, names, which=f"{names.own(STATE)} = 'kept'", beside=names.kept())

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            erased = None if protect is None else protect.erased(batch.select(list(range(width))))
            if erased is None:
                continue
            rows = batch.select(list(range(width, batch.num_columns))).filter(erased)
            emptied = {
                "rules": pa.array([[ERASED]] * rows.num_rows, rows.schema.field("rules").type),
                "form": pa.array(["raw"] * rows.num_rows, rows.schema.field("form").type),
                "record": pa.array([NOTHING] * rows.num_rows, rows.schema.field("record").type),
            }
            columns = [emptied.get(name, rows.column(name)) for name in rows.schema.names]
            yield pa.RecordBatch.from_arrays(columns, schema=rows.schema)

    return frame.mapInArrow(work, _quarantine(whole, order, names).schema)


def _emptied(files: Sequence[StagedFile]) -> int:
    """How many rows of the quarantine are of persons who were erased."""
    rules = (pq.read_table(file.path, columns=["rules"]).column("rules").to_pylist() for file in files)
    return sum(names == [ERASED] for each in rules for names in each)


def write(frame: DataFrame, folder: Path, stem: str, *, silent: Sequence[str] = ()) -> tuple[StagedFile, ...]:
    """Writes a frame to Parquet files `<stem>-<n>.parquet` in a folder; files without rows are left out. Of the
    `silent` columns, by their paths in Parquet, there are no statistics.
    """
    own = folder / f".spark-{uuid4().hex}"
    untold = {f"parquet.column.statistics.enabled#{path}": "false" for path in silent}
    try:
        frame.write.options(compression="snappy", **untold).parquet(str(own))
        found = [(path, pq.read_metadata(path).num_rows) for path in sorted(own.glob("part-*.parquet"))]
        staged = []
        for number, (path, rows) in enumerate((path, rows) for path, rows in found if rows):
            staged.append(StagedFile(path.rename(folder / f"{stem}-{number:05d}.parquet"), rows))
        return tuple(staged)
    except OSError as error:
        raise WriteFailed(
            _("the staged files could not be written"),
            where=str(folder),
            do=_("check free space and permissions"),
            state=_("nothing was committed"),
        ) from error
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _check_conserved(counts: RowCounts, kept: Sequence[StagedFile], aside: Sequence[StagedFile], order: Order) -> None:
    written = (sum(file.rows for file in kept), sum(file.rows for file in aside))
    if written != (counts.kept, counts.quarantined):
        for file in (*kept, *aside):
            file.path.unlink(missing_ok=True)
        raise EngineError(
            _("Spark counted {kept} and {aside} rows, and wrote {kept_written} and {aside_written}").format(
                kept=counts.kept, aside=counts.quarantined, kept_written=written[0], aside_written=written[1]
            ),
            where=order.plan.dataset,
            do=_("did the source change while it was read? Try again"),
            state=_("nothing was committed"),
        )
