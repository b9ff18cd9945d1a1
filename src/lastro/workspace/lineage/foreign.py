"""Lineage beyond the workspace: what other programs told of themselves, taken in and found again.

Rules:

1. A dataset of the workspace is recognised in others' events by the workspace's namespace and its name. Which version
   they read or wrote is what they say; where they do not say it, the newest one at the moment of their event.
2. A source is recognised by the name that the workspace's own events give it; a local file also by the namespace `file`
   and its full path.
3. A job is one node, over all its runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.model import clock
from lastro.model.foreign import ForeignDataset, ForeignJob
from lastro.model.lineage import Kind, Node
from lastro.model.version import VersionInfo
from lastro.openlineage.event import identity
from lastro.openlineage.read import Counts, events
from lastro.openlineage.target import namespace

if TYPE_CHECKING:
    from lastro.catalog import Catalog
    from lastro.workspace.workspace import Workspace

BATCH = 10_000
"""So many events are recorded in one step; other writers wait meanwhile."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of events: run events that were `new` or `known`, what was `skipped`, and which were this
    workspace's `own`; the `datasets` of the workspace that others read or wrote.
    """

    file: str
    new: int
    known: int
    skipped: int
    own: int
    datasets: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:  # Any: values for `report.json_values`
        """The result as plain values."""
        return asdict(self)


def take(workspace: Workspace, path: Path) -> Imported:
    """Takes in the events of a file. Raises `UsageError` for one that cannot be read or holds no run event."""
    space = namespace(workspace.settings.openlineage, workspace.root)
    counts, new, met = Counts(), 0, set[str]()
    found = events(path, namespace=space, counts=counts)
    with workspace.catalog() as catalog:
        while batch := tuple(islice(found, BATCH)):
            new += catalog.foreign.take(batch)
            used = (one for event in batch for one in (*event.inputs, *event.outputs))
            met |= {one.name for one in used if one.namespace == space}
    datasets = tuple(name for name in workspace.datasets() if name in met)
    return Imported(path.name, new, counts.taken - new, counts.skipped, counts.own, datasets)


@dataclass(frozen=True, slots=True)
class Beyond:
    """What others told, as nodes around the workspace's own."""

    workspace: Workspace
    catalog: Catalog

    @property
    def space(self) -> str:
        """The workspace's own namespace."""
        return namespace(self.workspace.settings.openlineage, self.workspace.root)

    def makers(self, node: Node) -> Iterator[Node]:
        """The jobs that wrote a source or a dataset of others."""
        foreign = self.catalog.foreign
        for dataset in self._names(node):
            yield from (_job(one) for one in foreign.writers(dataset))

    def users(self, node: Node) -> Iterator[Node]:
        """The jobs that read a dataset of others."""
        yield from (_job(one) for one in self.catalog.foreign.readers(ForeignDataset(node.detail, node.name)))

    def used(self) -> frozenset[str]:
        """The names of the workspace's own datasets that others read or wrote."""
        return self.catalog.foreign.used_in(self.space)

    def around_version(self, info: VersionInfo, following: VersionInfo | None, *, downstream: bool) -> Iterator[Node]:
        """The jobs that read a version, or wrote it; `following` is the one after it, if there is one."""
        foreign = self.catalog.foreign
        dataset = ForeignDataset(self.space, info.dataset, str(info.number))
        until = {} if following is None else {"until": clock.to_text(following.committed)}
        asked = foreign.readers if downstream else foreign.writers
        yield from map(_job, asked(dataset, since=clock.to_text(info.committed), **until))

    def around_job(self, node: Node, *, downstream: bool) -> Iterator[tuple[ForeignDataset, str]]:
        """What a job wrote, or read, with the last moment at which it did."""
        job = ForeignJob(node.detail, node.name)
        yield from self.catalog.foreign.outputs(job) if downstream else self.catalog.foreign.inputs(job)

    def _names(self, node: Node) -> Iterator[ForeignDataset]:
        if node.kind is Kind.DATASET:
            yield ForeignDataset(node.detail, node.name)
            return
        yield ForeignDataset(*identity(node.name, self.space))
        yield ForeignDataset("file", str(self.workspace.root / node.name))


def foreign_node(dataset: ForeignDataset) -> Node:
    """The node of a dataset of others, whichever version."""
    return Node(Kind.DATASET, dataset.name, dataset.namespace)


def _job(job: ForeignJob) -> Node:
    return Node(Kind.JOB, job.name, job.namespace)
