"""Building: every derived dataset that is stale is made anew, each after those that it is made from.

Rules:

1. A step whose code, parameters, upstream versions and contract are those of its newest version reads nothing and
   writes nothing (`transform.derived.made_of`).
2. Steps run one after another, in an order that depends on the steps alone; within a step, the engine uses its threads.
3. A step that fails, or reads itself in a circle, leaves the others whole; those that are made from it are skipped, and
   say from which.
4. A step without a contract gets one at its first build, inferred from its rows as `lastro add` does. For that its
   code runs twice. A column that may hold what an upstream withholds from statistics withholds it, too (`protection`).
5. A step that is made by intervals is made interval by interval (`filling`).
6. Before a build, the lists of datasets with `flatten: true` get the child datasets that they lack (`flatten`).
7. The rows go through the contract like any others, and replace all that there were, in one commit: killed at any
   moment, a build leaves the version before it or the one that it makes.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from lastro.model.errors import LastroError, UsageError
from lastro.model.progress import Told
from lastro.model.status import Outcome, Round
from lastro.model.status import Step as Tried
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.transform.derived import discover
from lastro.transform.derived.intervals import MISSING, Asked
from lastro.transform.derived.made_of import MadeOf, stale
from lastro.transform.derived.order import needed, ordered
from lastro.transform.derived.step import Step
from lastro.transform.derived.why import Why
from lastro.workspace import configuration
from lastro.workspace.attempt import Working, attempt, silently
from lastro.workspace.derived import flatten, making
from lastro.workspace.derived.filling import fill, outlook
from lastro.workspace.derived.steps import found
from lastro.workspace.quality.ruled import judged

if TYPE_CHECKING:
    from lastro.pipeline.result import IngestResult
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace


def build(
    workspace: Workspace,
    names: tuple[str, ...],
    *,
    asked: Asked = MISSING,
    retries: int = 0,
    working: Working | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Round:
    """Builds what is stale among these derived datasets and all that they are made from (all, without names).

    `asked` are the intervals of those that are named. Raises `UnknownName`, `UsageError`, `ConfigurationError`; what
    befalls a step is in the step.
    """
    started = workspace.clock()
    building = Building(workspace, retries, working or silently, sleep, lambda: False, dict.fromkeys(names, asked))
    flattened, faults = flatten.complete(workspace, ())
    _check(workspace, names)
    steps = ordered(found(workspace).values())
    _check_asked(steps, names, asked)
    chosen = _chosen(steps, names)
    concerned = {*names, *(name for step in chosen for name in step.upstream)}
    faults = tuple(fault for fault in faults if not names or fault.dataset in concerned)
    return Round(started, workspace.clock(), (*faults, *building.played(chosen)), flattened)


def why(workspace: Workspace, name: str) -> Why:
    """Why the derived dataset is stale, or not. Raises `UnknownName`, `UsageError`, `ConfigurationError`."""
    return next(one for one in plan(workspace, (name,)) if one.dataset == name)


def plan(workspace: Workspace, names: tuple[str, ...], *, asked: Asked = MISSING) -> tuple[Why, ...]:
    """Why each step would be built, in the order of a build; nothing is executed. Raises as `build` does."""
    _check(workspace, names)
    steps = ordered(found(workspace).values())
    _check_asked(steps, names, asked)
    reasons: dict[str, Why] = {}
    for step in _chosen(steps, names):
        after = tuple(one for one in step.upstream if one in reasons and reasons[one].is_stale)
        reasons[step.name] = _why(workspace, step, after, asked if step.name in names else MISSING)
    return tuple(reasons.values())


def standing(workspace: Workspace) -> dict[str, Why]:
    """For each derived dataset why it is stale, or not; what is wrong with all of them is each one's fault."""
    steps = found(workspace)
    try:
        return {one.dataset: one for one in plan(workspace, ())} if steps else {}
    except LastroError as error:
        return {step.name: Why(step.name, step.file, fault=error) for step in steps.values()}


@dataclass(frozen=True, slots=True)
class Building:
    """How steps are tried: how often, and whom to tell of progress. `stopping` is asked before each."""

    workspace: Workspace
    retries: int
    working: Working
    sleep: Callable[[float], None]
    stopping: Callable[[], bool]
    asked: Mapping[str, Asked] = field(default_factory=dict)

    def steps(self, names: tuple[str, ...], *, only: bool) -> tuple[Tried, ...]:
        """The steps of a round: all, or `only` those named."""
        order = ordered(found(self.workspace).values())
        return self.played(tuple(step for step in order if step.name in names or not only))

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
            making_it = partial(make, self.workspace, step, told, asked=self.asked.get(step.name, MISSING))
            doing = partial(judged, self.workspace.dataset(step.name), making_it)
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


def make(workspace: Workspace, step: Step, told: Told | None, *, asked: Asked = MISSING) -> IngestResult:
    """Builds one dataset, or finds it up to date. Raises what `Dataset.ingest` does, and the step's fault."""
    from lastro.openlineage.event import Work
    from lastro.pipeline.lineage import snapshot
    from lastro.pipeline.result import unchanged
    from lastro.workspace.lineage import emitting
    from lastro.workspace.rights.erasing import finish_first

    if step.fault is not None:
        raise step.fault
    finish_first(workspace)
    if step.cut is not None:
        return fill(workspace, step, step.cut, asked, told)
    dataset = workspace.dataset(step.name)
    versions = making.pinned(workspace, step)
    if not stale(snapshot(dataset.table) or dataset.table.head(), making.made_of(workspace, step)):
        return unchanged(step.name, dataset.table.head(), Mode.OVERWRITE, step.file)
    inputs = making.inputs_of(versions)
    doing = partial(_made, workspace, step, versions, inputs, told)
    return emitting.told(workspace, Work.BUILD, step.name, doing, inputs=inputs)


def _made(
    workspace: Workspace, step: Step, versions: Mapping[str, Version], inputs: tuple[str, ...], told: Told | None
) -> IngestResult:
    from lastro.pipeline.ingest import ingest
    from lastro.workspace.dataset import run_id
    from lastro.workspace.derived.deriving import Derived

    dataset = workspace.dataset(step.name)
    kept = MadeOf(step.code, step.parameters).kept()
    source = Derived(step, workspace.root, versions, making.session_bounds(workspace), kept)
    if not dataset.has_contract():
        making.infer_contract(workspace, step, source)
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


def _why(workspace: Workspace, step: Step, after: tuple[str, ...], asked: Asked) -> Why:
    from lastro.pipeline.lineage import snapshot

    if step.fault is not None:
        return Why(step.name, step.file, fault=step.fault)
    if step.cut is not None:
        return outlook(workspace, step, step.cut, asked, after)
    table = workspace.dataset(step.name).table
    head = table.head()
    changes = stale(snapshot(table) or head, making.made_of(workspace, step))
    return Why(step.name, step.file, None if head is None else head.number, changes, after)


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


def _check_asked(steps: tuple[Step, ...], names: tuple[str, ...], asked: Asked) -> None:
    """Raises `UsageError` where intervals are asked for of what is not made by intervals."""
    if asked == MISSING:
        return
    if not names:
        raise UsageError(_("intervals are asked for, but of no dataset"), do="lastro build NAME --from … --to …")
    for step in (one for one in steps if one.name in names and one.cut is None and one.fault is None):
        raise UsageError(
            _("{name} is not made by intervals").format(name=step.name),
            where=step.file,
            do=_("write `interval: {column: NAME, every: 1d}` for it into lastro.yaml, or build it without a span"),
        )


def _holds(tried: Tried) -> bool:
    return tried.outcome in {Outcome.MADE, Outcome.UNCHANGED}
