"""Filling: a step that is made by intervals is made interval by interval.

Rules:

1. Which intervals are made is decided once, before the first (`transform.derived.intervals`), and so are the versions
   that the step reads: all intervals of one build are made of the same.
2. Each interval is one commit, which replaces the rows of that interval and no others. Killed between two, a build
   finds the first ones made and goes on with the next.
3. Where another build makes intervals at the same time, each looks again under the dataset's lock before it begins one.
4. Where the dataset is to begin anew, the first interval replaces all rows.
5. A contract is inferred from all intervals that are to be made, in one execution: one interval is too few to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from lastro.model import digest
from lastro.model.errors import BreakingChange, LastroError
from lastro.model.interval import Cut, Interval
from lastro.model.progress import Progress, Told, following
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
from lastro.transform.derived.intervals import Asked, Todo, made, todo
from lastro.transform.derived.made_of import Change, MadeOf, Part
from lastro.transform.derived.step import END, START, Step
from lastro.transform.derived.why import Why
from lastro.workspace.derived import making

if TYPE_CHECKING:
    from lastro.pipeline.result import IngestResult
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.derived.deriving import Derived
    from lastro.workspace.version import Version
    from lastro.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Reading:
    """Which intervals are made, after which version, and of which upstream; the dataset perhaps begins `anew`."""

    wanted: tuple[Interval, ...]
    head: VersionInfo | None
    versions: Mapping[str, Version]
    inputs: tuple[str, ...]
    anew: bool


def fill(workspace: Workspace, step: Step, cut: Cut, asked: Asked, told: Told | None) -> IngestResult:
    """Makes the intervals that are to be made. Raises what `Dataset.ingest` does, and the step's fault."""
    from lastro.openlineage.event import Work
    from lastro.pipeline.result import unchanged
    from lastro.workspace.lineage import emitting

    dataset = workspace.dataset(step.name)
    versions = making.pinned(workspace, step)
    head = dataset.table.head()
    wanted = _todo(workspace, step, cut, asked, making.made_of(workspace, step)).make
    if not wanted:
        return unchanged(step.name, head, Mode.INTERVAL, step.file)
    inputs = making.inputs_of(versions)
    reading = Reading(wanted, head, versions, inputs, asked.anew)
    doing = partial(_filled, workspace, step, cut, reading, told)
    return emitting.told(workspace, Work.BUILD, step.name, doing, inputs=inputs)


def _filled(workspace: Workspace, step: Step, cut: Cut, reading: Reading, told: Told | None) -> IngestResult:
    from lastro.pipeline.result import summed
    from lastro.workspace.derived.deriving import Derived

    dataset, wanted = workspace.dataset(step.name), reading.wanted
    source = Derived(step, workspace.root, reading.versions, making.session_bounds(workspace), {})
    if not dataset.has_contract():
        making.infer_contract(workspace, step, _of(source, cut, Interval(cut.column, wanted[0].start, wanted[-1].end)))
    now = MadeOf(step.code, step.parameters, reading.inputs, dataset.contract().digest)
    filling = Filling(dataset, cut, now, source, reading.head, anew=reading.anew)
    rows = 0
    results: list[IngestResult] = []
    for interval in wanted:
        results.append(filling.made(interval, following(told, Progress(rows))))
        rows += 0 if (counts := results[-1].counts) is None else counts.read
    return summed(results)


def outlook(workspace: Workspace, step: Step, cut: Cut, asked: Asked, after: tuple[str, ...]) -> Why:
    """Which intervals a build would make, and which are outdated; nothing is executed."""
    head = workspace.dataset(step.name).table.head()
    number = None if head is None else head.number
    try:
        found = _todo(workspace, step, cut, asked, making.made_of(workspace, step))
    except LastroError as error:
        return Why(step.name, step.file, number, fault=error)
    changes = (Change(Part.NEVER),) if head is None else found.changes
    return Why(step.name, step.file, number, changes, after if found.make else (), intervals=found)


@dataclass(slots=True)
class Filling:
    """A dataset whose intervals are made, of what they are made `now`. Up to the version `known` it is known which
    intervals there are. The first one begins the dataset `anew`.
    """

    dataset: Dataset
    cut: Cut
    now: MadeOf
    source: Derived
    known: VersionInfo | None
    anew: bool = False

    def made(self, interval: Interval, told: Told | None) -> IngestResult:
        """Makes one interval. An error says which it was."""
        from lastro.pipeline.ingest import ingest
        from lastro.workspace.dataset import run_id

        source = replace(
            _of(self.source, self.cut, interval),
            made_of=self.now.kept(interval=interval),
            is_made=lambda: self._is_made(interval),
        )
        key = self.now.key(self.known, interval=interval)
        try:
            return ingest(
                replace(self.dataset.target(), interval=interval),
                source,
                mode=Mode.OVERWRITE if self.anew else Mode.INTERVAL,
                key=digest.of_parts([key, "anew"]) if self.anew else key,
                run=run_id(),
                inputs=self.now.upstream,
                progress=told,
                on_commit=self._enter,
            )
        except LastroError as error:
            if isinstance(error, BreakingChange):
                error.do = _("undo the change, or begin anew: lastro build {name} --all --anew").format(
                    name=self.dataset.name
                )
            place = _("interval {interval}").format(interval=self.cut.shown(interval))
            error.where = f"{error.where}, {place}" if error.where else place
            raise

    def _is_made(self, interval: Interval) -> bool:
        """True if another build made the interval of the same meanwhile."""
        if self.anew or _digest(self.dataset.table.head()) == _digest(self.known):
            return False
        return made(_parts(self.dataset), self.cut).get(interval) == self.now

    def _enter(self, info: VersionInfo) -> None:
        self.anew = False
        if info.parent == _digest(self.known):
            self.known = info
        self.dataset.enter(info)


def _digest(info: VersionInfo | None) -> str | None:
    return None if info is None else info.digest


def _todo(workspace: Workspace, step: Step, cut: Cut, asked: Asked, now: MadeOf) -> Todo:
    return todo(cut, made(_parts(workspace.dataset(step.name)), cut), now, asked, workspace.clock())


def _parts(dataset: Dataset) -> Iterable[tuple[Interval, VersionInfo]]:
    """The versions that the newest one's intervals come of, newest first."""
    from lastro.pipeline.lineage import interval_of, lineage

    return [(found, info) for info in lineage(dataset.table) if (found := interval_of(info)) is not None]


def _of(source: Derived, cut: Cut, interval: Interval) -> Derived:
    return replace(source, bounds={START: cut.every.bound(interval.start), END: cut.every.bound(interval.end)})
