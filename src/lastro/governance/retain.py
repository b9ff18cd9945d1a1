"""Retention: what is past the time for which it may be kept is told, and removed if asked.

GDPR 5(1)(e), 17(1)(a); LGPD 15, 16.

Rules:

1. A dataset that a law holds (`hold` in its contract) keeps everything until that day; the article is told.
2. Where the contract names a column, its rows go whose date or moment there is before the day. Moments without a zone
   are UTC. A row without a date stays, and is counted.
3. Where it names none, versions go as a whole that have not been the newest for so long. Tags, runs, locks and monitors
   keep theirs; the newest always stays, with all its rows.
4. Rows set aside go whose own date is before the day or, where it cannot be read, that were set aside before it.
5. The newest version loses its rows by a new version, which anybody can see; older versions lose them by erasure, under
   the same names.
6. Nothing is done without being asked twice: the first answer is a count.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from lastro.governance.finding import Telling, count
from lastro.model.personal import Hold
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.version import LAW, Mode, Origin, RowChanges, RowCounts, VersionInfo
from lastro.store.writer import Change

if TYPE_CHECKING:
    import pyarrow as pa

    from lastro.engine.protocol import Engine
    from lastro.store.erasure.erasing import Erased
    from lastro.store.table import Table

SOURCE = f"{LAW}retention"


def is_held(hold: Hold | None, today: date) -> bool:
    """Whether a duty to keep rows is in force."""
    return hold is not None and (hold.until is None or hold.until >= today)


@dataclass(frozen=True, slots=True)
class Past:
    """The rows whose column is before a moment (rule 2). Implements `finding.Telling`."""

    column: str
    before: datetime

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True where the date is before the day."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values = _column(batch, self.column)
        if values is None:
            return pa.array([False] * batch.num_rows, pa.bool_())
        if pa.types.is_date(values.type):
            bound = pa.scalar(self.before.date(), pa.date32()).cast(values.type)
        else:
            plain = self.before.astimezone(UTC).replace(tzinfo=None)
            bound = pa.scalar(plain, pa.timestamp("us")).cast(pa.timestamp(values.type.unit, values.type.tz))
        return pc.fill_null(pc.less(values, bound), fill_value=False)


@dataclass(frozen=True, slots=True)
class Undated:
    """The rows without a value in a column. Implements `finding.Telling`."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.column,)

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True where nothing stands."""
        import pyarrow as pa

        values = _column(batch, self.column)
        return pa.array([True] * batch.num_rows, pa.bool_()) if values is None else values.is_null()


@dataclass(frozen=True, slots=True)
class PastAside:
    """The rows of a quarantine that are past (rule 4). `old` are the batches that were set aside before the moment;
    `dates` says of records of each form which column holds the date. Implements `finding.Telling`.
    """

    old: frozenset[str]
    dates: Mapping[str, ColumnPlan]
    before: datetime

    @classmethod
    def of(cls, quarantine: Table, plan: Plan, column: str, before: datetime) -> PastAside:
        """What is past in a dataset's quarantine."""
        last: dict[str, datetime] = {}
        for info in quarantine.history():
            for key in {info.origin.content, info.origin.idempotency_key}:
                last[key] = max(last.get(key, info.committed), info.committed)
        old = frozenset(key for key, committed in last.items() if committed < before)
        dated = next((each for each in plan.columns if each.name == column), None)
        return cls(old, {} if dated is None else {"raw": dated, "clean": dated}, before)

    @property
    def columns(self) -> tuple[str, ...]:
        """What tells."""
        return ("batch", "form", "record")

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True for each row that is past."""
        import pyarrow as pa

        rows = zip(*(_texts(batch, name) for name in self.columns), strict=True)
        return pa.array([key in self.old or self._is_past(form, record) for key, form, record in rows], pa.bool_())

    def _is_past(self, form: str, record: str) -> bool:
        dated = self.dates.get(form)
        if dated is None:
            return False
        text = _member(record, dated.source if form == "raw" else dated.name)
        day = _day(text, dated.format if form == "raw" else None)
        return day is not None and day < self.before.date()


def _texts(batch: pa.RecordBatch, name: str) -> list[str]:
    import pyarrow as pa

    return [each or "" for each in batch.column(name).cast(pa.string()).to_pylist()]


def _member(record: str, name: str) -> str:
    import msgspec

    try:
        found = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    value: Any = found.get(name) if isinstance(found, dict) else None  # Any: a JSON value
    return value if isinstance(value, str) else ""


def _day(text: str, form: str | None) -> date | None:
    """The day of a date or moment as a record has it, None if it cannot be read."""
    if form is not None:
        with suppress(ValueError):
            return datetime.strptime(text, form).date()  # noqa: DTZ007 – a day has no zone
    with suppress(ValueError):
        return date.fromisoformat(text[:10])
    return None


def _column(batch: pa.RecordBatch, name: str) -> pa.Array | None:
    found = next((each for each in batch.schema.names if each.casefold() == name.casefold()), None)
    return None if found is None else batch.column(found)


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that are past: in each version that has any, in the newest one, and how many of that have no date."""

    versions: Mapping[int, int]
    rows: int
    undated: int = 0


def counted(table: Table, engine: Engine, past: Telling, *, column: str = "") -> Counted:
    """Counts what is past in every retained version. Raises `Corrupted`."""
    head = table.head()
    if head is None:
        return Counted({}, 0)
    versions, _files, _lost = count(table, engine, past)
    undated = 0
    if column:
        names = tuple(name for name in head.schema.names if name.casefold() == column.casefold())
        undated = _undated(table, engine, head, column, names) if names else head.rows
    return Counted(versions, versions.get(head.number, 0), undated)


def _undated(table: Table, engine: Engine, head: VersionInfo, column: str, names: tuple[str, ...]) -> int:
    import pyarrow as pa

    stream = pa.RecordBatchReader.from_stream(engine.read(table.paths(head), head.schema, columns=names))
    return sum(Undated(column).gone(batch).true_count for batch in stream)


def removed(table: Table, past: Telling, *, withheld: frozenset[str], run: str = "") -> tuple[VersionInfo | None, int]:
    """Makes a version without the rows that are past, and says how many went; None if there are none.

    Raises `Corrupted`, `Locked`, `WriteFailed`.
    """
    import pyarrow.compute as pc

    from lastro.engine.altered import altered, touched

    with table.lock() as writer:
        head = table.head()
        if head is None:
            return None, 0
        paths = dict(zip(table.paths(head), (entry.path for entry in head.files), strict=True))
        files = touched(tuple(paths), past.gone)
        if not files:
            return None, 0
        with writer.staging() as folder:
            made = altered(
                files,
                head.schema,
                lambda batch: batch.filter(pc.invert(past.gone(batch))),
                folder,
                "retained",
            )
            gone = made.before - made.rows
            origin = follow_up(head.origin, SOURCE, run=run, changes=RowChanges(deleted=gone, removed=gone))
            change = Change(
                head.schema,
                made.files,
                origin,
                removed=[paths[path] for path in files],
                planned_at=head.number,
                withhold_stats=withheld,
            )
            return writer.commit(change), gone


def erased(table: Table, past: Telling) -> Erased:
    """Takes what is past out of every version, those that are pinned too, under the same names (rule 5).

    Raises `Locked`, `Conflict`, `Corrupted`, `StoreError`, `WriteFailed`.
    """
    from lastro.store.erasure.erasing import erase

    return erase(table, past, request=SOURCE)


def follow_up(origin: Origin, source: str, *, run: str, changes: RowChanges, counts: RowCounts | None = None) -> Origin:
    """The origin of a version that a law asked for: what the head says of its sources, contract and inputs stays."""
    return replace(
        origin,
        mode=Mode.UPSERT,
        idempotency_key=uuid.uuid4().hex,
        source=source,
        run=run,
        counts=counts or RowCounts(0, 0, 0),
        changes=changes,
        profile={},
        findings=(),
        more=False,
        whole=False,
        reconciliation={},
        amendment={},
        cleaning={},
    )
