"""Ingestion: one batch from a source through its contract into a new version.

The order, which is the guarantee:

1. The dataset's lock is taken; an attempt under a known idempotency key answers with the first result.
2. The source is opened after the head's cursor; nothing new makes no version. An `overwrite` forgets the cursors of
   what it replaced, and trusts a cursor only where the head is an earlier `overwrite` of the same source.
3. One scan casts, cleans, judges and splits the rows into staging.
4. The source is asked for its watermark: had it changed while it was read, everything is discarded.
5. The counts are judged; one failed finding refuses the batch and nothing was ever visible.
6. The quarantine is committed first. Its rows count only if the dataset's own commit names their batch. Rows of an
   earlier attempt under the same key, which got no further, are replaced.
7. The dataset's commit carries rows, cursor, key, counts, findings and digests in one step.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lastro.engine.protocol import QUARANTINE, Measures, Progress, Staged, StagedFile
from lastro.model import digest
from lastro.model.errors import DataRefused, LastroError
from lastro.model.finding import Finding, Verdict
from lastro.model.plan import Scope
from lastro.model.release import VERSION
from lastro.model.schema import Schema
from lastro.model.text import _
from lastro.model.version import Mode, Origin, RowCounts, VersionInfo
from lastro.pipeline.lineage import snapshot
from lastro.pipeline.result import IngestResult, unchanged
from lastro.pipeline.target import Target
from lastro.quality.judge import judge_rows, judge_table
from lastro.source.protocol import Cursor, Opened, Source, Unchanged
from lastro.store.table import Table
from lastro.store.writer import Change, Writer
from lastro.transform.evolve import evolve


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one batch: under which key, by which run, in which mode, made from which versions upstream."""

    mode: Mode
    key: str
    run: str = ""
    inputs: tuple[str, ...] = ()
    progress: Progress | None = None


def ingest(
    target: Target,
    source: Source,
    *,
    mode: Mode,
    key: str | None = None,
    run: str = "",
    inputs: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> IngestResult:
    """Takes what is new at the source into a new version, or says that nothing is.

    `key` names the attempt: asked again under the same key, the first result is the answer. `inputs` are the references
    (with digests) of the versions that the rows were made from. Raises `DataRefused` if a
    rule fails, `SourceError`, `StoreError`, `EngineError`; the dataset is then as it was, and `state` says so.
    """
    started = time.monotonic()
    target.engine.check(target.plan)
    with target.table.lock() as writer:
        done = writer.find_key(key) if key else None
        if done is not None:
            return unchanged(target.dataset, done, mode, source.label)
        head = target.table.head()
        attempt = Attempt(mode, key or uuid.uuid4().hex, run, inputs, progress)
        try:
            result = _open(target, source, attempt, writer, head)
        except LastroError as error:
            error.state = error.state or target.table.state()
            raise
    return dataclasses.replace(result, seconds=time.monotonic() - started)


def _open(target: Target, source: Source, attempt: Attempt, writer: Writer, head: VersionInfo | None) -> IngestResult:
    cursor = _cursor(target, head, source.label, attempt.mode)
    with source.open(cursor, attempt.mode) as opened:
        if isinstance(opened, Unchanged):
            return unchanged(target.dataset, head, attempt.mode, source.label)
        with writer.staging() as folder:
            return _take(target, opened, attempt, writer, head, folder)


def _take(
    target: Target, opened: Opened, attempt: Attempt, writer: Writer, head: VersionInfo | None, folder: Path
) -> IngestResult:
    staged = target.engine.stage(
        target.plan,
        opened.scan,
        folder,
        batch=attempt.key,
        keep_last=attempt.mode is Mode.UPSERT,
        progress=attempt.progress,
    )
    watermark = opened.watermark()
    staged = _hashed(staged)
    content = _content(target, staged)
    if head is not None and head.origin.content == content and _is_repeat(target, head, attempt.mode):
        return unchanged(target.dataset, head, attempt.mode, opened.label)
    rows = judge_rows(target.plan, staged)
    _refuse_failed(target.dataset, rows, opened.label, staged.counts)
    merge = _merge(target, attempt.mode, head, staged, folder)
    measures, tables = _measure(target, staged, merge)
    findings = rows + tables
    _refuse_failed(target.dataset, findings, opened.label, staged.counts)
    origin = Origin(
        mode=attempt.mode,
        idempotency_key=attempt.key,
        source=opened.label,
        cursor={**_others(head, attempt.mode), opened.label: dict(watermark)},
        contract_digest=target.plan.contract_digest,
        code_digest=digest.of_parts(["lastro", VERSION]),
        engine=target.engine.name,
        run=attempt.run,
        counts=staged.counts,
        inputs=attempt.inputs,
        content=content,
        profile=_profile(measures, target.withheld),
        findings=tuple(finding.to_dict() for finding in findings),
    )
    _set_aside(target, staged, origin)
    change = Change(
        schema=merge.schema,
        added=(*merge.rewritten, *staged.kept),
        removed=merge.removed,
        replace_all=merge.replace_all,
        origin=origin,
        withhold_stats=target.withheld,
    )
    info = writer.commit(change)
    return IngestResult(
        dataset=target.dataset,
        version=info.number,
        digest=info.digest,
        unchanged=False,
        mode=attempt.mode,
        source=opened.label,
        counts=staged.counts,
        refused=staged.refused,
        findings=findings,
        rows_total=info.rows,
        inserted=staged.counts.kept - merge.updated,
        updated=merge.updated,
        notes=opened.notes,
    )


def _cursor(target: Target, head: VersionInfo | None, label: str, mode: Mode) -> Cursor | None:
    """The source's last watermark; None reads everything, as a changed contract asks where rows can be replaced."""
    if head is None:
        return None
    if mode is not Mode.APPEND and head.origin.contract_digest != target.plan.contract_digest:
        return None
    if mode is Mode.OVERWRITE and snapshot(target.table) is None:
        return None
    found: Cursor | None = head.origin.cursor.get(label)
    return found


def _others(head: VersionInfo | None, mode: Mode) -> Cursor:
    """The watermarks of the sources whose rows stay in the table."""
    return {} if head is None or mode is Mode.OVERWRITE else head.origin.cursor


def _is_repeat(target: Target, head: VersionInfo, mode: Mode) -> bool:
    """True if the head is what this batch, which brings the same as the head's, would make of the table again."""
    match mode:
        case Mode.OVERWRITE:
            made = snapshot(target.table)
            return made is not None and made.origin.content == head.origin.content
        case Mode.UPSERT:
            return True
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Merge:
    """How a staged batch meets the table: what is rewritten, what goes, how many stored rows it updates."""

    schema: Schema
    remaining: tuple[Path, ...]
    rewritten: tuple[StagedFile, ...] = ()
    removed: tuple[str, ...] = ()
    replace_all: bool = False
    updated: int = 0


def _merge(target: Target, mode: Mode, head: VersionInfo | None, staged: Staged, folder: Path) -> Merge:
    if head is None or mode is Mode.OVERWRITE:
        return Merge(target.plan.schema, (), replace_all=head is not None)
    schema = evolve(head.schema, target.plan.schema, dataset=target.dataset)
    existing = target.table.paths(head, verify=False)
    key, incoming = target.plan.primary_key, [file.path for file in staged.kept]
    touched = tuple(target.engine.holding(existing, incoming, key)) if key and existing and incoming else ()
    if not touched:
        return Merge(schema, existing)
    if mode is Mode.APPEND:
        raise _key_stored_already(target)
    return _rewrite(target, head, schema, existing, touched, incoming, folder)


def _rewrite(
    target: Target,
    head: VersionInfo,
    schema: Schema,
    existing: tuple[Path, ...],
    touched: tuple[Path, ...],
    incoming: Sequence[Path],
    folder: Path,
) -> Merge:
    """Rewrites the files that hold updated keys without those rows; the batch brings the new ones."""
    entries = {path: entry for entry, path in zip(head.files, existing, strict=True)}
    removed = tuple(entries[path] for path in touched)
    proven = target.table.paths(dataclasses.replace(head, files=removed))
    area = folder / "rewritten"
    area.mkdir()
    rewritten = tuple(target.engine.replace(proven, incoming, schema, target.plan.primary_key, area))
    return Merge(
        schema=schema,
        remaining=tuple(path for path in existing if path not in set(touched)),
        rewritten=rewritten,
        removed=tuple(entry.path for entry in removed),
        updated=sum(entry.rows for entry in removed) - sum(file.rows for file in rewritten),
    )


def _key_stored_already(target: Target) -> DataRefused:
    key = ", ".join(target.plan.primary_key)
    return DataRefused(
        _("{dataset} already holds rows with these primary keys").format(dataset=target.dataset),
        where=f"{target.dataset} ({key})",
        do=_("lastro ingest {dataset} --mode upsert replaces them").format(dataset=target.dataset),
    )


def _measure(target: Target, staged: Staged, merge: Merge) -> tuple[Measures, tuple[Finding, ...]]:
    """Counts of the batch's kept rows, and what the table rules say."""
    plan, kept = target.plan, [file.path for file in staged.kept]
    others = [*merge.remaining, *(file.path for file in merge.rewritten)]
    whole_rules = [rule for rule in plan.table_rules if rule.scope is Scope.TABLE and others]
    batch_rules = [rule for rule in plan.table_rules if rule not in whole_rules]
    measures = target.engine.measure(kept, plan.schema, batch_rules, table=target.dataset)
    findings = judge_table(batch_rules, measures)
    if whole_rules:
        whole = target.engine.measure([*others, *kept], merge.schema, whole_rules, table=target.dataset)
        findings += judge_table(whole_rules, whole)
    return measures, findings


def _set_aside(target: Target, staged: Staged, origin: Origin) -> None:
    """Commits the batch's quarantined rows; they count once the dataset's commit carries the same key."""
    if not staged.quarantined and not target.quarantine.exists:
        return
    with target.quarantine.lock() as writer:
        tried = writer.find_key(origin.idempotency_key) is not None
        if not staged.quarantined and not tried:
            return
        rows = sum(file.rows for file in staged.quarantined)
        aside = dataclasses.replace(
            origin,
            mode=Mode.APPEND,
            idempotency_key=f"{uuid.uuid4().hex}:{origin.idempotency_key}" if tried else origin.idempotency_key,
            counts=RowCounts(rows, rows, 0),
            cursor={},
            content=origin.idempotency_key,
            profile={},
            findings=(),
        )
        writer.commit(
            Change(
                schema=QUARANTINE,
                added=staged.quarantined,
                removed=_of_earlier_attempts(target.quarantine, origin.idempotency_key) if tried else (),
                replace_all=False,
                origin=aside,
                withhold_stats=frozenset(QUARANTINE.names),
            )
        )


def _of_earlier_attempts(quarantine: Table, key: str) -> tuple[str, ...]:
    """The files that attempts under this key left in the quarantine: none of them ever counted."""
    history = quarantine.history()[::-1]
    before: frozenset[str] = frozenset()
    theirs: set[str] = set()
    for info in history:
        paths = frozenset(entry.path for entry in info.files)
        if key in (info.origin.content, info.origin.idempotency_key):
            theirs |= paths - before
        before = paths
    return tuple(sorted(theirs & before))


def _hashed(staged: Staged) -> Staged:
    """The same batch with every file's digest, taken while the file is still in memory."""
    return dataclasses.replace(
        staged,
        kept=tuple(dataclasses.replace(file, sha256=digest.of_file(file.path)) for file in staged.kept),
    )


def _content(target: Target, staged: Staged) -> str:
    """Digest of what the batch brings: the kept rows, the refused ones, and the contract they went through."""
    return digest.of_value(
        {
            "contract": target.plan.contract_digest,
            "kept": [file.sha256 for file in staged.kept],
            "quarantined": _refused_rows(staged),
            "refused": dict(sorted(staged.refused.items())),
        }
    )


def _refused_rows(staged: Staged) -> str:
    """Digest of the quarantined rows, apart from the batch's name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    state = hashlib.sha256()
    columns = [name for name in QUARANTINE.names if name != "batch"]
    for file in staged.quarantined:
        table = pq.read_table(file.path, columns=columns).combine_chunks()
        with pa.BufferOutputStream() as sink:
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            state.update(sink.getvalue())
    return state.hexdigest()


def _profile(measures: Measures, withheld: frozenset[str]) -> dict[str, object]:
    """The counts that go into the commit; a withheld column shows only how many values are missing."""
    columns: dict[str, object] = {}
    for name, column in measures.columns.items():
        values = dataclasses.asdict(column)
        columns[name] = {"nulls": column.nulls} if name in withheld else values
    return {"rows": measures.rows, "columns": columns}


def _refuse_failed(dataset: str, findings: Sequence[Finding], source: str, counts: RowCounts) -> None:
    failed = [finding for finding in findings if finding.verdict is Verdict.FAILED]
    if not failed:
        return
    first = failed[0]
    measured = "–" if first.measured is None else f"{first.measured:g}"
    unit = "%" if first.unit == "percent" else _("rows")
    what = _("{dataset} breaks the rule {rule}: {measured} {unit}, expected {expected}").format(
        dataset=dataset, rule=first.rule, measured=measured, unit=unit, expected=first.expected
    )
    if len(failed) > 1:
        what += _("; and {count} more").format(count=len(failed) - 1)
    error = DataRefused(
        what,
        where=_("source {source}, {rows:,} rows read").format(source=source, rows=counts.read),
        do=_("correct the source, or change the rule or its policy in the contract of {dataset}").format(
            dataset=dataset
        ),
    )
    error.findings = tuple(findings)
    raise error
