"""Building: every derived dataset that is stale is made anew, each after those that it is made from.

Rules:

1. A step whose code, parameters, upstream versions and contract are those of its newest version reads nothing and
   writes nothing (`transform.derived.made_of`).
2. Steps run one after another, in an order that depends on the steps alone; within a step, the engine uses its threads.
3. A step that fails leaves the others whole; those that are made from it are skipped, and say from which.
4. A step without a contract gets one at its first build, inferred from its rows as `lastro add` does. For that its
   code runs twice. A column named as one whose values its upstream withholds from statistics withholds them, too.
5. The rows go through the contract like any others, and replace all that there were, in one commit: killed at any
   moment, a build leaves the version before it or the one that it makes.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model.durable import write_durably
from lastro.model.errors import LastroError, SourceBroken, UnknownName, UsageError
from lastro.model.status import Outcome, Round
from lastro.model.status import Step as Tried
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.transform.derived import discover
from lastro.transform.derived.made_of import MadeOf, stale
from lastro.transform.derived.order import needed, ordered
from lastro.transform.derived.step import Step
from lastro.transform.derived.why import Why
from lastro.workspace import configuration
from lastro.workspace.attempt import Working, attempt, failed, silently

if TYPE_CHECKING:
    from lastro.pipeline.result import IngestResult
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace


def build(
    workspace: Workspace,
    names: tuple[str, ...],
    *,
    retries: int = 0,
    working: Working | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Round:
    """Builds what is stale among these derived datasets and all that they are made from (all, without names).

    Raises `UnknownName`, `UsageError`, `ConfigurationError`; what befalls a step is in the step.
    """
    started = workspace.clock()
    building = Building(workspace, retries, working or silently, sleep, lambda: False)
    _check(workspace, names)
    steps = ordered(found(workspace).values())
    return Round(started, workspace.clock(), building.played(_chosen(steps, names)))


def why(workspace: Workspace, name: str) -> Why:
    """Why the derived dataset is stale, or not. Raises `UnknownName`, `UsageError`, `ConfigurationError`."""
    return next(one for one in plan(workspace, (name,)) if one.dataset == name)


def plan(workspace: Workspace, names: tuple[str, ...]) -> tuple[Why, ...]:
    """Why each step would be built, in the order of a build; nothing is executed. Raises as `build` does."""
    _check(workspace, names)
    reasons: dict[str, Why] = {}
    for step in _chosen(ordered(found(workspace).values()), names):
        after = tuple(one for one in step.upstream if one in reasons and reasons[one].is_stale)
        reasons[step.name] = _why(workspace, step, after)
    return tuple(reasons.values())


def stale_reasons(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """For each derived dataset why it is stale, in a word or a name each: nothing, where it is up to date."""
    steps = found(workspace)
    try:
        return {one.dataset: one.words() for one in plan(workspace, ())} if steps else {}
    except LastroError as error:
        return dict.fromkeys(steps, (error.what,))


def found(workspace: Workspace) -> dict[str, Step]:
    """The steps as the files say now, by name."""
    workspace.settings = configuration.read(workspace.root)
    entries = workspace.settings.datasets
    return discover.steps(
        workspace.root,
        sourced=[name for name, entry in entries.items() if entry.source],
        known=tuple(entries),
        parameters={name: entry.parameters for name, entry in entries.items()},
    )


@dataclass(frozen=True, slots=True)
class Building:
    """How steps are tried: how often, and whom to tell of progress. `stopping` is asked before each."""

    workspace: Workspace
    retries: int
    working: Working
    sleep: Callable[[float], None]
    stopping: Callable[[], bool]

    def steps(self, names: tuple[str, ...], *, only: bool) -> tuple[Tried, ...]:
        """The steps of a round: all, or `only` those named. What is wrong with all of them is each one's failure."""
        steps = found(self.workspace)
        chosen = [step for step in steps.values() if step.name in names or not only]
        try:
            order = ordered(steps.values())
        except LastroError as error:
            return tuple(failed(step.name, error, self.workspace.clock()) for step in chosen)
        return self.played(tuple(step for step in order if step in chosen))

    def played(self, steps: tuple[Step, ...]) -> tuple[Tried, ...]:
        """What became of the steps, in their order."""
        tried: dict[str, Tried] = {}
        for step in steps:
            if self.stopping():
                break
            broken = [name for name in step.upstream if name in tried and not _holds(tried[name])]
            tried[step.name] = self._skipped(step, broken[0]) if broken else self._tried(step)
        return tuple(tried.values())

    def _tried(self, step: Step) -> Tried:
        with self.working(step.name) as told:
            doing = partial(make, self.workspace, step, told)
            tried = attempt(step.name, doing, clock=self.workspace.clock, retries=self.retries, sleep=self.sleep)
        if tried.outcome is Outcome.FAILED:
            gc.collect()  # an error and the frames it passed hold each other, and the step's session with them
        return tried

    def _skipped(self, step: Step, broken: str) -> Tried:
        return Tried(
            dataset=step.name,
            outcome=Outcome.SKIPPED,
            ended=self.workspace.clock(),
            seconds=0.0,
            attempts=0,
            what=_("skipped, since {name} was not built").format(name=broken),
        )


def make(workspace: Workspace, step: Step, told: Callable[[int], None] | None) -> IngestResult:
    """Builds one dataset, or finds it up to date. Raises what `Dataset.ingest` does, and the step's fault."""
    from lastro.openlineage.event import Work
    from lastro.pipeline.lineage import snapshot
    from lastro.pipeline.result import unchanged
    from lastro.workspace import emitting
    from lastro.workspace.run import seen

    if step.fault is not None:
        raise step.fault
    dataset = workspace.dataset(step.name)
    versions = {name: _version(workspace, name, step) for name in step.upstream}
    if not stale(snapshot(dataset.table) or dataset.table.head(), _made_of(workspace, step)):
        return unchanged(step.name, dataset.table.head(), Mode.OVERWRITE, step.file)
    for version in versions.values():
        seen(version.info)
    inputs = tuple(f"{version.reference} {version.digest}" for version in versions.values())
    doing = partial(_made, workspace, step, versions, inputs, told)
    return emitting.told(workspace, Work.BUILD, step.name, doing, inputs=inputs)


def _made(
    workspace: Workspace,
    step: Step,
    versions: Mapping[str, Version],
    inputs: tuple[str, ...],
    told: Callable[[int], None] | None,
) -> IngestResult:
    from lastro.pipeline.ingest import ingest
    from lastro.workspace.dataset import run_id
    from lastro.workspace.deriving import Derived

    dataset = workspace.dataset(step.name)
    kept = MadeOf(step.code, step.parameters).kept()
    source = Derived(step, workspace.root, versions, _bounds(workspace), kept)
    if not dataset.has_contract():
        _infer(workspace, step, source)
    made_of = MadeOf(step.code, step.parameters, inputs, dataset.contract().digest)
    return ingest(
        dataset.target(),
        source,
        mode=Mode.OVERWRITE,
        key=made_of.key(dataset.table.head()),
        run=run_id(),
        inputs=inputs,
        progress=told,
        on_commit=dataset.enter,
    )


def _why(workspace: Workspace, step: Step, after: tuple[str, ...]) -> Why:
    from lastro.pipeline.lineage import snapshot

    if step.fault is not None:
        return Why(step.name, step.file, fault=step.fault)
    table = workspace.dataset(step.name).table
    head = table.head()
    changes = stale(snapshot(table) or head, _made_of(workspace, step))
    return Why(step.name, step.file, None if head is None else head.number, changes, after)


def _made_of(workspace: Workspace, step: Step) -> MadeOf:
    """What a build would make the step of now; what has no version or contract yet is left out."""
    heads = [workspace.dataset(name).table.head() for name in step.upstream]
    upstream = tuple(f"{head.reference} {head.digest}" for head in heads if head is not None)
    contract = ""
    if workspace.dataset(step.name).has_contract():
        contract = workspace.dataset(step.name).contract().digest
    return MadeOf(step.code, step.parameters, upstream, contract)


def _version(workspace: Workspace, name: str, step: Step) -> Version:
    if workspace.dataset(name).table.head() is None:
        derived = workspace.settings.datasets[name].derived
        raise UnknownName(
            _("{name} has no version yet to derive from").format(name=name),
            where=step.file,
            do=f"lastro build {name}" if derived else f"lastro ingest {name}",
        )
    return workspace.version(name)


def _infer(workspace: Workspace, step: Step, source: Any) -> None:  # Any: a `Derived`, which loads the engine
    from lastro.contract import infer, parse

    engine, path = workspace.engine(), _contract_file(workspace, step)
    with source.scanning() as (scan, stream, _text):
        try:
            samples = engine.sample(scan)
        except SourceBroken:
            if not scan.records or not stream.finished:
                raise
            samples = ()  # rows without a column, or none at all
        if stream.failure is not None:
            raise stream.failure
    if not samples:
        raise SourceBroken(
            _("the step gave no row with a column, so no contract can be inferred"),
            where=step.file,
            do=_("write {path}, or build again once there are rows").format(path=path.relative_to(workspace.root)),
        )
    restricted = {name.casefold() for one in step.upstream for name in workspace.dataset(one).target().withheld}
    samples = [replace(sample, personal=sample.column.name.casefold() in restricted) for sample in samples]
    text = infer(step.name, samples, source=step.file, today=workspace.clock().date())
    engine.check(parse(text, name=path.name).plan())
    with configuration.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, text.encode())


def _bounds(workspace: Workspace) -> Mapping[str, Any]:  # Any: see `engine.deriving`
    from lastro.model import scratch

    settings = workspace.settings
    temp = scratch.Later(workspace.root / ".lastro" / "staging")
    return {"memory_mb": settings.memory_mb, "threads": settings.threads, "temp": temp}


def _contract_file(workspace: Workspace, step: Step) -> Path:
    return workspace.root / workspace.dataset(step.name).entry.contract


def _chosen(steps: tuple[Step, ...], names: tuple[str, ...]) -> tuple[Step, ...]:
    if not names:
        return steps
    wanted = needed(names, {step.name: step for step in steps})
    return tuple(step for step in steps if step.name in wanted)


def _check(workspace: Workspace, names: tuple[str, ...]) -> None:
    """Raises `UnknownName`, or `UsageError` for a dataset that is not derived."""
    workspace.settings = configuration.read(workspace.root)
    for name in names:
        if not workspace.dataset(name).entry.derived and name not in discover.names(workspace.root):
            raise UsageError(
                _("{name} is not derived").format(name=name),
                where="lastro.yaml",
                do=f"lastro ingest {name}",
            )


def _holds(tried: Tried) -> bool:
    return tried.outcome in {Outcome.MADE, Outcome.UNCHANGED}
