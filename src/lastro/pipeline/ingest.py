"""Ingestion: what is new at a source goes through its contract into new versions, batch by batch.

The order, which is the guarantee, for each batch:

1. The dataset's lock is taken; an attempt under a known idempotency key answers with the first result.
2. The source is opened after the head's cursor; nothing new makes no version and writes nothing (`reading`).
3. One scan casts, cleans, judges and splits the rows into staging; `schema_change` sees to columns that changed.
4. The source is asked for its watermark: had it changed while it was read, everything is discarded. Then for what it
   counted, which must agree with what arrived (`proof`).
5. The counts are judged; one failed finding refuses the batch and nothing was ever visible (`judging`).
6. The batch meets the stored rows (`joining`); where it changes none and moves no cursor, there is no version.
7. The quarantine is committed first (`aside`), with marks of the rows that the batch brings again (`closing`). Both
   count only if the dataset's own commit names their batch. Rows of an earlier attempt under the same key, which got no
   further, are replaced.
8. The dataset's commit carries rows, cursor, key, counts, proof, findings and digests in one step.
9. The version's profile is made of its parent's and the batch's own rows (`profiling`).

A source may stop at a bound of its own: then the next batch follows, under a key made from the attempt's, until there
is no more. Killed in between, the next ingestion goes on from the cursor of the last commit.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.engine import columns_through
from lastro.engine.protocol import Measures, Staged, StagedFile
from lastro.engine.returned import restated
from lastro.engine.scan import FileScan, JsonLines
from lastro.model import digest
from lastro.model.arrival import Arrived
from lastro.model.cleaning import to_values
from lastro.model.errors import LastroError, SourceBroken, SourceError
from lastro.model.finding import Finding
from lastro.model.progress import Progress, Told, following
from lastro.model.release import VERSION
from lastro.model.text import _, ngettext
from lastro.model.version import Mode, Origin, RowCounts, VersionInfo
from lastro.pipeline import closing, content, keys, profiling, proof, reading, schema_change
from lastro.pipeline.arrival_notes import arrival_notes
from lastro.pipeline.aside import set_aside
from lastro.pipeline.closing import Corrections
from lastro.pipeline.corrections import Address, without_own
from lastro.pipeline.joining import Joined, join
from lastro.pipeline.judging import judge_batch, judge_whole, profile, refuse_failed
from lastro.pipeline.lookups import lookups
from lastro.pipeline.result import IngestResult, first_result, summed, unchanged
from lastro.pipeline.schema_change import Intake
from lastro.pipeline.target import Target
from lastro.quality.judge import judge_rows
from lastro.source.protocol import Cursor, Opened, Source, Unchanged
from lastro.store.writer import Change, Writer
from lastro.transform import joining as plans

_NOTHING = FileScan((), JsonLines())
"""The scan of a batch without rows, of which only the keys are asked."""
Committed = Callable[[VersionInfo], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one batch: under which key, by which run, in which mode, made from which versions upstream. `batch`
    counts the attempt's batches from 0.
    """

    mode: Mode
    key: str
    run: str = ""
    inputs: tuple[str, ...] = ()
    progress: Told | None = None
    batch: int = 0

    def following(self, batch: int, earlier: Progress) -> Attempt:
        """The attempt at a later batch, after the earlier ones; its key is made from the first one's."""
        return dataclasses.replace(
            self,
            key=self.key if batch == 0 else digest.of_parts([self.key, "batch", str(batch)]),
            batch=batch,
            progress=following(self.progress, earlier),
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What one batch came to: the version it made, if any, and whether the reading goes on after it."""

    result: IngestResult
    made: VersionInfo | None = None
    more: bool = False


def ingest(
    target: Target,
    source: Source,
    *,
    mode: Mode,
    key: str | None = None,
    run: str = "",
    inputs: tuple[str, ...] = (),
    progress: Told | None = None,
    on_commit: Committed | None = None,
) -> IngestResult:
    """Takes what is new at the source into new versions, or says that nothing is.

    `key` names the attempt: asked again under the same key, the first result is the answer. `inputs` are the references
    (with digests) of the versions that the rows were made from. `on_commit` is told of every version, once the lock is
    free again. Raises `DataRefused` if a rule fails, `SourceError`, `StoreError`, `EngineError`; what was not committed
    before is then as it was, and `state` says so.
    """
    started = time.monotonic()
    target.engine.check(target.plan)
    plans.check(target.plan, mode, target.history, target.deletes)
    if target.interval is not None:
        plans.check_interval(target.plan, target.interval)
    latest = Progress(0)

    def tell(now: Progress) -> None:
        nonlocal latest
        latest = now
        if progress is not None:
            progress(now)

    attempt = Attempt(mode, key or uuid.uuid4().hex, run, inputs, tell)
    steps: list[Step] = []
    while not steps or steps[-1].more:
        rows = sum(step.result.counts.read for step in steps if step.result.counts)
        now = attempt.following(len(steps), Progress(rows, latest.bytes))
        try:
            steps.append(_step(target, source, now, known=key is not None))
        except LastroError as error:
            error.state = error.state or _state(target, steps)
            if isinstance(error, SourceError) and error.where == source.label != target.dataset:
                error.where = f"{target.dataset} ({source.label})"  # a table's name alone may be many a dataset's
            raise
        if on_commit is not None and (made := steps[-1].made) is not None:
            on_commit(made)
    return dataclasses.replace(summed([step.result for step in steps]), seconds=time.monotonic() - started)


def _step(target: Target, source: Source, attempt: Attempt, *, known: bool) -> Step:
    with target.table.lock(looking=True) as writer:
        done = writer.find_key(attempt.key) if known else None
        if done is not None:
            return Step(first_result(done, source.label), more=done.origin.more)
        head = target.table.head()
        target = schema_change.current(target, head)
        begin = reading.begin(target, head, source, attempt.mode)
        cursor = begin.cursor
        with source.open(cursor, plans.reading(attempt.mode, target.history)) as found:
            opened = found if isinstance(found, Opened) else _keys_only(found, cursor, source.label)
            opened = dataclasses.replace(opened, notes=(*begin.notes(source.label), *opened.notes))
            if opened.scan is _NOTHING and (head is None or not keys.asked(target, attempt.mode, opened)):
                return Step(unchanged(target.dataset, head, attempt.mode, source.label, notes=opened.notes))
            with writer.staging() as folder:
                closes = source.addresses() if isinstance(source, Corrections) else None
                return _take(Batch(target, opened, attempt, head, begin, folder, closes), writer)


def _keys_only(found: Unchanged, cursor: Cursor | None, label: str) -> Opened:
    """A batch without rows: its keys alone may still say that stored rows are gone."""
    return Opened(_NOTHING, lambda: cursor or {}, label, found.notes, keys=found.keys)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch on its way: where it goes, where it comes from, and which version is the newest before it."""

    target: Target
    opened: Opened
    attempt: Attempt
    head: VersionInfo | None
    begin: reading.Beginning
    folder: Path
    closes: Sequence[Address] | None = None
    """Of corrected rows: which rows of the quarantine they are instead of."""

    @property
    def cursor(self) -> Cursor | None:
        """After which watermark it was read."""
        return self.begin.cursor

    @property
    def whole(self) -> bool:
        """True if the batch of a history is everything that there is."""
        return self.attempt.mode is Mode.SCD2 and self.target.history.whole

    @property
    def is_made_anew(self) -> bool:
        """True if the batch is derived, but not from what the newest version was: equal rows are a version, then."""
        if not self.opened.made_of or self.head is None:
            return False
        origin = self.head.origin
        return (origin.made_of, origin.inputs) != (dict(self.opened.made_of), self.attempt.inputs)


def _take(batch: Batch, writer: Writer) -> Step:
    opened, mode = batch.opened, batch.attempt.mode
    intake = _stage(batch)
    batch = dataclasses.replace(batch, target=intake.target)
    target, staged = batch.target, intake.staged
    watermark = dict(opened.watermark())
    more = _more(batch, watermark)
    found = None if opened.reconciliation is None else opened.reconciliation()
    if found is not None:
        proof.arrived(found, staged, opened.label)
    staged = content.hashed(staged)
    brought = content.content(target, staged)
    is_new = more or batch.is_made_anew or batch.closes
    if not is_new and reading.is_repeat(target, batch.head, mode, brought):
        return Step(unchanged(target.dataset, batch.head, mode, opened.label))
    rows = judge_rows(target.plan, staged)
    refuse_failed(target.dataset, rows, opened.label, staged.counts)
    if batch.closes is not None and not staged.counts.kept:
        return _none_kept(batch, intake, rows)
    alone, looked = reading.is_alone(target, batch.head, mode), lookups(target)
    measures, of_batch = judge_batch(target, staged, looked, alone=alone)
    proven = {} if found is None else proof.kept(target.plan, staged, measures, found, protected=target.protected)
    present = None if more else keys.present(target, opened, mode, batch.folder)
    marks = _marks(batch, staged)  # before the join, which takes rows that change nothing out of the staged files
    joined = join(target, mode, batch.head, staged.kept, batch.folder, present=present)
    ends = not more and not marks
    if ends and reading.changes_nothing(target, batch.head, mode, joined, staged, watermark, batch.cursor):
        return Step(unchanged(target.dataset, batch.head, mode, opened.label))
    only = target.history.current if mode is Mode.SCD2 else None
    findings = rows + of_batch + (() if alone else judge_whole(target, joined, looked, only=only))
    refuse_failed(target.dataset, findings, opened.label, staged.counts)
    origin = dataclasses.replace(
        _origin(batch, staged, measures, findings),
        cursor={
            **reading.others(batch.head, mode, whole=batch.whole, replaced=batch.begin.replaced),
            opened.label: watermark,
        },
        content=brought,
        more=more,
        whole=batch.whole,
        changes=joined.changes,
        reconciliation=proven,
        amendment=dict(intake.arrived.amendment),
        made_of=dict(opened.made_of),
        columns=_columns(batch),
        cleaning=to_values(staged.cleaning),
    )
    set_aside(target, staged, origin, marks=marks)
    info = _commit(batch, writer, joined, origin)
    schema_change.settle(target, intake.arrived, info)
    with suppress(LastroError):  # the version is there; its profile is made when somebody asks for it
        profiling.kept(target.table, target.engine, info, withheld=target.withheld_of(info.schema), writer=writer)
    return Step(_result(batch, info, intake, findings), info, more)


def _stage(batch: Batch) -> Intake:
    target, mode = batch.target, batch.attempt.mode
    if batch.opened.scan is _NOTHING:
        return Intake(target, Staged((), (), RowCounts(0, 0, 0), {}), Arrived())
    differing = plans.staging_key(target.plan, mode, target.history)
    intake = schema_change.stage(
        dataclasses.replace(target, plan=dataclasses.replace(target.plan, primary_key=differing)),
        batch.opened.scan,
        batch.folder,
        label=batch.opened.label,
        batch=batch.attempt.key,
        keep_last=mode in {Mode.UPSERT, Mode.SCD2},
        progress=batch.attempt.progress,
    )
    plan = dataclasses.replace(intake.target.plan, primary_key=target.plan.primary_key)
    intake = dataclasses.replace(intake, target=dataclasses.replace(intake.target, plan=plan))
    return intake if batch.closes is None else _without_own(intake, batch.folder)


def _without_own(intake: Intake, folder: Path) -> Intake:
    """Corrected rows that are refused once more, without the columns that an export gave them."""
    aside = restated(intake.staged.quarantined, without_own, folder, "again")
    return dataclasses.replace(intake, staged=dataclasses.replace(intake.staged, quarantined=tuple(aside)))


def _more(batch: Batch, watermark: dict[str, Any]) -> bool:  # Any: JSON values
    """Whether the reading goes on after this batch. Raises `SourceBroken` where it would never end, or may not stop."""
    if not batch.opened.more():
        return False
    if plans.reading(batch.attempt.mode, batch.target.history) is Mode.OVERWRITE:
        what = _("the source stopped early, though everything was asked for")
    elif batch.cursor is not None and watermark == dict(batch.cursor):
        what = _("the source says that there is more, but does not move on")
    else:
        return True
    raise SourceBroken(what, where=batch.opened.label, do=_("report this to whoever made the source"))


def _origin(batch: Batch, staged: Staged, measures: Measures, findings: tuple[Finding, ...]) -> Origin:
    target, attempt = batch.target, batch.attempt
    return Origin(
        mode=attempt.mode,
        idempotency_key=attempt.key,
        source=batch.opened.label,
        contract_digest=target.plan.contract_digest,
        code_digest=digest.of_parts(["lastro", VERSION]),
        engine=target.engine.name,
        run=attempt.run,
        counts=staged.counts,
        inputs=attempt.inputs,
        profile=profile(measures, target.withheld),
        findings=tuple(finding.to_dict() for finding in findings),
    )


def _columns(batch: Batch) -> dict[str, Any]:  # Any: JSON values
    """Which upstream columns each of the dataset's own comes from, through the contract; nothing if not known."""
    given = batch.opened.columns()
    if given is None:
        return {}
    found = columns_through(batch.target.plan, {name: tuple(each) for name, each in given.items()})
    return {name: [list(one) for one in each] for name, each in found.items()}


def _marks(batch: Batch, staged: Staged) -> Sequence[StagedFile]:
    """Marks of the open rows of the quarantine whose place the batch takes."""
    attempt = batch.attempt
    if batch.closes is not None:
        return closing.closed(batch.closes, batch.folder, attempt.key)
    return closing.closed_again(batch.target, attempt.mode, staged, batch.folder, attempt.key)


def _none_kept(batch: Batch, intake: Intake, findings: tuple[Finding, ...]) -> Step:
    """Corrected rows that are all refused once more: there is no version, the quarantine alone changes."""
    target, head, addresses = batch.target, batch.head, batch.closes
    if head is not None and addresses:
        closing.refused_again(target, head, intake.staged, addresses, batch.folder, batch.attempt.key)
    result = dataclasses.replace(
        unchanged(target.dataset, head, batch.attempt.mode, batch.opened.label, notes=batch.opened.notes),
        counts=intake.staged.counts,
        refused=intake.staged.refused,
        findings=findings,
        arrived=intake.arrived,
        cleaning=intake.staged.cleaning,
    )
    return Step(result)


def _commit(batch: Batch, writer: Writer, joined: Joined, origin: Origin) -> VersionInfo:
    return writer.commit(
        Change(
            schema=joined.schema,
            added=joined.added,
            removed=joined.removed,
            replace_all=joined.replace_all,
            origin=origin,
            withhold_stats=batch.target.withheld,
            carried=joined.carried,
        )
    )


def _result(batch: Batch, info: VersionInfo, intake: Intake, findings: tuple[Finding, ...]) -> IngestResult:
    return dataclasses.replace(
        first_result(info, batch.opened.label),
        unchanged=False,
        refused=intake.staged.refused,
        findings=findings,
        notes=(*batch.opened.notes, *arrival_notes(batch.target, intake.arrived)),
        arrived=intake.arrived,
    )


def _state(target: Target, steps: list[Step]) -> str:
    """What holds when a batch failed: the batches before it are committed."""
    made = [step.made for step in steps if step.made is not None]
    if not made:
        return target.table.state()
    sentence = ngettext(
        "{n} batch is committed, version {number} of {name}; the next ingestion goes on after it",
        "{n} batches are committed, up to version {number} of {name}; the next ingestion goes on after them",
        len(made),
    )
    return sentence.format(n=len(made), number=made[-1].number, name=target.dataset)
