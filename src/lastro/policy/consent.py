"""Consent and objection: subject x purpose x time (GDPR 6(1)(a), 7, 21; LGPD 7 I, 8, 18 IX and §2).

Rules:

1. A consent is a row: whose it is, for which purpose, when it was granted, and when withdrawn, if it was. An objection
   is a row that was withdrawn, and perhaps never granted.
2. Of a person's rows for one purpose the last thing that happened until the moment of reading counts; at the same
   moment, the withdrawal. What lies in the future has not happened.
3. For a purpose that rests on consent, rows of those who consented are read, and no others: not those without a
   subject either. For any other purpose, the rows of those who objected are left out.
4. Subjects are compared as texts, tokens with tokens, and otherwise in the canonical form of their kind; purposes as
   contracts' are. Whoever objected did, in whatever spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.policy.basis import folded

if TYPE_CHECKING:
    import pyarrow as pa

WINDOW_ROWS = 1 << 19
"""So many rows are compared at once: looking up begins anew each time."""


@dataclass(frozen=True, slots=True)
class Consents:
    """Where consents stand: the dataset, and which of its columns hold what."""

    dataset: str
    subject: str
    purpose: str
    granted: str
    withdrawn: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(dict.fromkeys((self.subject, self.purpose, self.granted, self.withdrawn)))


@dataclass(frozen=True, slots=True)
class Consented:
    """Whose rows are read: those of `subjects`, or – `without` – of all others; by the column `subject`, in its `form`.

    `state` is the version of the consents, as `name@number digest`.
    """

    subject: str
    subjects: Any  # Any: a pyarrow array of texts
    without: bool
    state: str
    form: Callable[[str], str]

    def over(self, reader: pa.RecordBatchReader, columns: tuple[str, ...]) -> pa.RecordBatchReader:
        """These columns of the rows that may be read; the subject's column is among those of the reader."""
        import pyarrow as pa

        schema = pa.schema([reader.schema.field(name) for name in columns])
        kept = (batch for window in _windows(reader) for batch in self._kept(window).select(columns).to_batches())
        return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in kept if batch.num_rows))

    def _kept(self, window: pa.Table) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.is_in(_each(window.column(self.subject).cast(pa.string()), self.form), value_set=self.subjects)
        return window.filter(pc.invert(found) if self.without else found)


def consented(
    rows: pa.Table, where: Consents, *, purpose: str, at: datetime, allows: bool, form: Callable[[str], str]
) -> pa.Array:
    """The subjects, in their `form`, who consent to a purpose at a moment or, unless it `allows`, who object to it.

    Raises `ConfigurationError` where the columns hold no times.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    same = pc.equal(_each(_text(rows, where.purpose), folded), folded(purpose))
    of_purpose = rows.filter(same)
    known = pa.table(
        {
            "subject": _each(_text(of_purpose, where.subject), form),
            "granted": _until(of_purpose, where, where.granted, at),
            "withdrawn": _until(of_purpose, where, where.withdrawn, at),
        }
    )
    last = known.group_by("subject").aggregate([("granted", "max"), ("withdrawn", "max")])
    granted, withdrawn = last.column("granted_max"), last.column("withdrawn_max")
    is_newer = pc.fill_null(pc.less(withdrawn, granted), pc.is_null(withdrawn))
    agrees = pc.and_(pc.is_valid(granted), is_newer)
    objects = pc.and_(pc.is_valid(withdrawn), pc.invert(agrees))
    subjects = last.column("subject").filter(agrees if allows else objects)
    return subjects.drop_null().combine_chunks()


def _each(column: Any, form: Callable[[str], str]) -> Any:  # Any: pyarrow arrays
    """The texts of a column in their form; each different one is formed once."""
    import pyarrow as pa

    coded = column.combine_chunks().dictionary_encode()
    formed = [None if text is None else form(text) for text in coded.dictionary.to_pylist()]
    return pa.array(formed, pa.string()).take(coded.indices)


def _text(rows: pa.Table, name: str) -> Any:  # Any: a pyarrow array
    import pyarrow as pa

    return rows.column(name).cast(pa.string())


def _until(rows: pa.Table, where: Consents, name: str, at: datetime) -> Any:  # Any: a pyarrow array
    """The moments of a column, without those that are still to come."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = rows.column(name)
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise ConfigurationError(
            _("{column} of {dataset} holds no dates or moments").format(column=name, dataset=where.dataset),
            where="lastro.yaml: consent",
            do=_("name columns that say when consent was granted and when withdrawn"),
        )
    moments = column.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    come = pc.less_equal(moments, pa.scalar(at, pa.timestamp("us", "UTC")))
    return pc.if_else(come, moments, pa.scalar(None, moments.type))


def _windows(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        held.append(batch)
        count += batch.num_rows
        if count >= WINDOW_ROWS:
            yield pa.Table.from_batches(held)
            held, count = [], 0
    if held:
        yield pa.Table.from_batches(held)
