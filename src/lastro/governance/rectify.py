"""Rectification: a person's wrong value is put right, and whoever received it can be told.

GDPR 5(1)(d), 16, 19; LGPD 6 V, 18 III, 18 §6.

Rules:

1. The newest version's rows about the person get the value, by a new version: cast, judged by the contract's rules that
   read it, and protected, as if it came anew. A value that breaks a rule is refused, and nothing is changed.
2. A value that stands as a token is put right in the vault, under the same token, if the entry is this person's alone
   and the vault has the new value nowhere else: then every version tells the new value. Else the rows get another
   token.
3. The subject's own column is only put right in the vault, or where it is stored as it is. If the vault knows somebody
   by the new value, these would be two persons: that is no correction.
4. Earlier versions keep the old value of what is no token: they are what the data was then, and what models were
   trained on. Rows set aside keep theirs: they are corrected by `lastro quarantine`.
5. A primary key, nested values and derived datasets are not put right here: they are made of something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.governance.finding import Rows
from lastro.governance.retain import follow_up
from lastro.model.errors import DataRefused, UnknownName, UsageError
from lastro.model.finding import Policy
from lastro.model.personal import Method, Personal
from lastro.model.plan import CastHolds, ColumnPlan, Plan
from lastro.model.schema import Decimal, Primitive, Schema
from lastro.model.text import _
from lastro.model.version import LAW, RowChanges, RowCounts, VersionInfo
from lastro.privacy.token import TOKEN
from lastro.privacy.vault import Vault
from lastro.store.writer import Change

if TYPE_CHECKING:
    import pyarrow as pa

    from lastro.engine.encrypted import Sealing
    from lastro.engine.protecting import Protect
    from lastro.engine.protocol import Engine, Staged
    from lastro.store.table import Table

SOURCE = f"{LAW}rectification"
_LABEL = "rectification"


@dataclass(frozen=True, slots=True)
class Corrections:
    """The values that columns of the person's rows are to have, as text; None for a missing one."""

    values: Mapping[str, str | None] = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.values)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where something is put right: the table, the contract's plan and what it says of persons, what computes."""

    table: Table
    plan: Plan
    personal: Personal
    engine: Engine
    rows: Rows
    withheld: frozenset[str] = frozenset()


def check(ground: Ground, head: VersionInfo, corrections: Corrections) -> None:
    """Refuses what cannot be put right (rule 5). Raises `UsageError`, `UnknownName`; no error holds a value."""
    for name in corrections.columns:
        if name not in head.schema.names:
            raise UnknownName(
                _("{label} has no column {name}").format(label=head.reference, name=name[:80]),
                do=_("choose among: {names}").format(names=", ".join(head.schema.names)),
            )
        method = ground.personal.protection(name)
        if name in ground.plan.primary_key and (method is None or method.method is not Method.TOKEN):
            raise UsageError(
                _("{column} is a key, and another key is another row").format(column=name),
                do=_("correct it at the source, and erase the wrong row"),
            )
        if not isinstance(head.schema.field(name).type, Primitive | Decimal):
            raise UsageError(
                _("{column} holds nested values").format(column=name),
                do=_("correct it at the source, and ingest again"),
            )
        text = corrections.values[name]
        if text is not None and not _is_text(text):
            raise UsageError(_("the value for {column} is no text").format(column=name), do=_("write it in Unicode"))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def tokens_of(ground: Ground, head: VersionInfo, column: str) -> frozenset[str]:
    """The tokens that stand in a column of the person's rows."""
    import pyarrow as pa

    found: set[str] = set()
    names = tuple(dict.fromkeys((*_named(head, ground.rows), column)))
    stream = ground.engine.read(ground.table.paths(head), head.schema, columns=names)
    for batch in pa.RecordBatchReader.from_stream(stream):
        mine = batch.filter(ground.rows.gone(batch)).column(column)
        found.update(text for text in mine.cast(pa.string()).unique().to_pylist() if text and TOKEN.fullmatch(text))
    return frozenset(found)


def _named(head: VersionInfo, rows: Rows) -> tuple[str, ...]:
    wanted = {each.casefold() for each in rows.columns}
    return tuple(name for name in head.schema.names if name.casefold() in wanted)


def in_vault(ground: Ground, head: VersionInfo, vault: Vault, corrections: Corrections) -> dict[str, str]:
    """The columns whose value is put right in the vault, and the token whose value that is (rules 2 and 3).

    Raises `UsageError` if that would make two persons one.
    """
    found: dict[str, str] = {}
    for column, value in corrections.values.items():
        protection = ground.personal.protection(column)
        if protection is None or protection.method is not Method.TOKEN:
            continue
        is_subject = ground.personal.subject is not None and ground.personal.subject.column == column
        tokens = tokens_of(ground, head, column)
        known = None if value is None else vault.find(protection.kind, value)
        own = tokens & ground.rows.tokens
        alone = len(tokens) == 1 and (tokens == own or all(set(vault.owners(t)) <= ground.rows.tokens for t in tokens))
        free = value is not None and (known is None or known in tokens)
        if alone and free:
            found[column] = next(iter(tokens))
        elif is_subject:
            raise UsageError(
                _("the vault knows somebody else by the new value of {column}, or the column would be empty").format(
                    column=column
                ),
                do=_("two persons are not made one by a correction; erase the wrong rows, and ingest the right ones"),
                state=_("nothing was changed"),
            )
    return found


@dataclass(frozen=True, slots=True)
class Hiding:
    """Lets nothing of some columns be written, where only rules are to be held to values. Implements `Protect`."""

    names: frozenset[str]
    sealing: Sealing | None = None

    def erased(self, batch: pa.RecordBatch) -> None:
        """Nobody is erased here."""

    def kept(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with nothing in these columns."""
        import pyarrow as pa

        for place, name in enumerate(batch.schema.names):
            if name in self.names:
                each = batch.schema.field(place)
                batch = batch.set_column(place, each, pa.nulls(batch.num_rows, each.type))
        return batch

    def refused(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch without its records."""
        import pyarrow as pa

        place = batch.schema.get_field_index("record")
        return batch.set_column(place, batch.schema.field(place), pa.array(["{}"] * batch.num_rows, pa.string()))


def judged(ground: Ground, head: VersionInfo, corrections: Corrections) -> int:
    """How many rows would be put right. Raises `DataRefused` if the contract refuses the values (rule 1)."""
    from lastro.engine.encrypted import sealing_of

    with ground.table.lock(looking=True) as writer, writer.staging() as folder:
        hidden = frozenset(corrections.columns) | frozenset(ground.rows.columns)
        hiding = Hiding(hidden, sealing_of(ground.table.paths(head)))
        return _staged(ground, head, corrections, folder, hiding).counts.read


def rectified(
    ground: Ground, corrections: Corrections, *, protect: Protect | None, run: str = ""
) -> tuple[VersionInfo, int]:
    """Makes a version with the values, and says how many rows have them. Raises `DataRefused`, `Locked`, `Conflict`,
    `WriteFailed`.
    """
    import pyarrow.compute as pc

    from lastro.engine.altered import altered, touched

    with ground.table.lock() as writer, writer.staging() as folder:
        head = ground.table.head()
        if head is None:
            raise nobody(ground.table.dataset)
        staged = _staged(ground, head, corrections, folder, protect)
        paths = dict(zip(ground.table.paths(head), (entry.path for entry in head.files), strict=True))
        files = touched(tuple(paths), ground.rows.gone)
        rest = altered(files, head.schema, lambda each: each.filter(pc.invert(ground.rows.gone(each))), folder, "rest")
        rows = staged.counts.kept
        origin = follow_up(
            head.origin,
            SOURCE,
            run=run,
            changes=RowChanges(updated=rows, removed=rest.before - rest.rows),
            counts=RowCounts(rows, rows, 0),
        )
        change = Change(
            head.schema,
            (*rest.files, *staged.kept),
            origin,
            removed=[paths[path] for path in files],
            planned_at=head.number,
            withhold_stats=ground.withheld,
        )
        return writer.commit(change), rows


def nobody(dataset: str) -> UnknownName:
    """The error where nothing is there to be put right."""
    return UnknownName(
        _("the newest version of {name} has no row about this person").format(name=dataset),
        do=_("see where there are any: lastro subject find"),
        state=_("nothing was changed"),
    )


def _staged(
    ground: Ground, head: VersionInfo, corrections: Corrections, folder: Path, protect: Protect | Hiding | None
) -> Staged:
    """The person's rows with the values, through the contract. Raises `DataRefused`."""
    import pyarrow as pa

    from lastro.engine.scan import StreamScan

    schema = _as_text(head.schema, corrections.columns)
    plan = _plan(ground, schema, corrections.columns)
    first, batches = _corrected(ground, head, corrections)
    reader = pa.RecordBatchReader.from_batches(first, batches)
    staged = ground.engine.stage(plan, StreamScan(reader, _LABEL), folder, batch=_LABEL, protect=protect)
    if not staged.counts.read:
        raise nobody(ground.table.dataset)
    lenient = {rule.name for rule in plan.row_rules if rule.policy is Policy.WARN}
    broken = sorted(name for name, rows in staged.refused.items() if rows and name not in lenient)
    if broken or staged.counts.quarantined:
        raise DataRefused(
            _("the new value breaks what the contract asks for: {rules}").format(rules=", ".join(broken)),
            where=ground.table.dataset,
            do=_("correct the value, or the rule"),
            state=_("nothing was changed"),
        )
    return staged


def _as_text(schema: Schema, columns: Sequence[str]) -> Schema:
    fields = (replace(each, type=Primitive.STRING) if each.name in columns else each for each in schema.fields)
    return Schema(tuple(fields))


def _plan(ground: Ground, schema: Schema, columns: Sequence[str]) -> Plan:
    """The contract's plan for rows that are stored: rules that read what is put right, and nothing that stands
    protected beside it; columns that the contract does not know stay as they are.
    """
    from lastro.engine.rules import read_by, stored_plan

    restated = stored_plan(replace(ground.plan, primary_key=()), schema).plan
    hidden = {each.column for each in ground.personal.protections if each.method is not Method.ENCRYPT}
    shut = hidden - set(columns)
    rules = tuple(
        rule
        for rule in restated.row_rules
        if isinstance(rule.condition, CastHolds)
        or (set(read := read_by(rule, restated)) & set(columns) and not set(read) & shut)
    )
    known = {each.name for each in restated.columns}
    own = tuple(ColumnPlan(each.name, each.name, each.type) for each in schema.fields if each.name not in known)
    return replace(restated, columns=(*restated.columns, *own), row_rules=rules, table_rules=(), quarantined_max=None)


def _corrected(
    ground: Ground, head: VersionInfo, corrections: Corrections
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema and batches of the person's rows with the values in place, as text."""
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_stream(ground.engine.read(ground.table.paths(head), head.schema))
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    schema = pa.schema(
        [
            pa.field(each.name, pa.string() if each.name in corrections.values else plain.get(each.type, each.type))
            for each in reader.schema
        ]
    )

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            mine = batch.filter(ground.rows.gone(batch))
            columns = [
                pa.array([corrections.values[each.name]] * mine.num_rows, pa.string())
                if each.name in corrections.values
                else mine.column(each.name).cast(each.type)
                for each in schema
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return schema, batches()
