"""Lineage of a version: found in what versions say of themselves, and in the recorded runs.

Rules:

1. A version came of the sources, steps, upstream versions and runs of all batches that make it up.
2. Upstream versions are those that were read, by number and digest. One that is not there any more is told as missing:
   nothing else takes its place.
3. Downstream are the recorded runs that read the version, what those wrote, and the datasets whose newest version was
   made from it – then what was made from these. Jobs of others are told as far as their events
   were taken in (`foreign`).
4. No data is read. At most `NODES_MAX` nodes are collected, the nearest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from lastro.model import clock
from lastro.model.errors import Expired, NameRefused, UnknownName, UsageError
from lastro.model.foreign import ForeignDataset
from lastro.model.lineage import Kind, Lineage, Link, Node, Presence
from lastro.model.reference import Number, Reference
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
from lastro.pipeline.lineage import lineage as batches_of
from lastro.workspace.lineage.foreign import Beyond, foreign_node

if TYPE_CHECKING:
    from lastro.catalog import RunRecord
    from lastro.workspace.workspace import Workspace

NODES_MAX = 500


def lineage(workspace: Workspace, reference: str, *, nodes_max: int = NODES_MAX) -> Lineage:
    """The graph around the version that a reference means. Raises `UnknownName`, `Expired`, `NameRefused`."""
    wanted = meant(workspace, reference)
    start = _version(workspace.dataset(wanted.name).table.find(wanted.selector))
    return Search(workspace, nodes_max).around(start)


def meant(workspace: Workspace, reference: str) -> Reference:
    """The version that is asked for. Raises `UnknownName`, `NameRefused`; a run's id is told as what it is."""
    try:
        wanted = Reference.parse(reference)
        workspace.dataset(wanted.name)
    except (NameRefused, UnknownName):
        with suppress(UnknownName), workspace.catalog() as catalog:
            raise _of_run(catalog.run(reference)) from None
        raise
    return wanted


def _of_run(run: RunRecord) -> UsageError:
    versions = (*run.outputs, *run.inputs)
    return UsageError(
        _("{id} is a run, and lineage is shown around a version").format(id=run.id),
        where=_("run {name}").format(name=run.name),
        do=f"lastro lineage {versions[0].reference}" if versions else _("it read and wrote no version"),
    )


class Search:
    """One walk through a workspace; what was looked up stays known."""

    def __init__(self, workspace: Workspace, nodes_max: int) -> None:
        self.workspace = workspace
        self._nodes_max = nodes_max
        self._nodes: dict[str, Node] = {}
        self._links: dict[Link, None] = {}
        self._cut = False

    def around(self, start: Node) -> Lineage:
        """The graph around a node."""
        self._nodes[start.id] = start
        self._walk(start, self.upstream, lambda near, far: Link(far.id, near.id))
        self._walk(start, self.downstream, lambda near, far: Link(near.id, far.id))
        return Lineage(start, tuple(self._nodes.values()), tuple(self._links), self._cut)

    def _walk(self, start: Node, beyond: Callable[[Node], Iterator[Node]], link: Callable[[Node, Node], Link]) -> None:
        seen = {start.id}
        waiting = deque([start])
        while waiting:
            near = waiting.popleft()
            for far in beyond(near):
                if far.id not in self._nodes and len(self._nodes) >= self._nodes_max:
                    self._cut = True
                    continue
                self._nodes.setdefault(far.id, far)
                self._links[link(near, far)] = None
                if far.id not in seen:
                    seen.add(far.id)
                    waiting.append(far)

    def upstream(self, node: Node) -> Iterator[Node]:
        """What a node was made from."""
        if node.presence is Presence.MISSING:
            return
        if node.kind in {Kind.SOURCE, Kind.DATASET}:
            yield from self._beyond.makers(node)
        elif node.kind is Kind.JOB:
            yield from self._around_job(node, downstream=False)
        elif node.kind is Kind.VERSION:
            yield from self._made_from(node)
            yield from self._others(node, downstream=False)
        elif node.kind is Kind.RUN:
            record = self._record(node.name)
            wrote = {used.reference for used in record.outputs} if record else set()
            for used in record.inputs if record else ():
                if used.reference not in wrote:
                    yield self.pinned(used.reference, used.digest)

    def _made_from(self, node: Node) -> Iterator[Node]:
        info = self.info(node.name)
        if info is None:
            return
        for part in batches_of(self.workspace.table(info.dataset), of=info):
            if part.origin.mode is Mode.RESTORE:
                continue
            if part.origin.source:
                yield Node(Kind.STEP if part.origin.made_of else Kind.SOURCE, part.origin.source)
            for text in part.origin.inputs:
                name, _space, digest = text.partition(" ")
                yield self.pinned(name, digest)
            if part.origin.run:
                yield self._run(part.origin.run)

    def downstream(self, node: Node) -> Iterator[Node]:
        """What was made from a node."""
        if node.kind is Kind.RUN:
            record = self._record(node.name)
            for used in record.outputs if record else ():
                yield self.pinned(used.reference, used.digest)
        elif node.kind is Kind.JOB:
            yield from self._around_job(node, downstream=True)
        elif node.kind is Kind.DATASET:
            yield from self._beyond.users(node)
        elif node.presence is not Presence.MISSING:
            yield from (_version(head) for head, _part in self.made_of_it.get((node.name, node.detail), ()))
            yield from self._readers(node)
            yield from self._others(node, downstream=True)

    def _readers(self, node: Node) -> Iterator[Node]:
        name, _at, number = node.name.rpartition("@")
        with self.workspace.catalog() as catalog:
            runs = catalog.used_by(name, int(number))
        for run in reversed(runs):
            record = self._record(run)
            wrote = {used.reference for used in record.outputs} if record else set()
            read = {(used.reference, used.digest) for used in record.inputs} if record else set()
            if (node.name, node.detail) in read and node.name not in wrote:
                yield self._run(run)

    @cached_property
    def made_of_it(self) -> dict[tuple[str, str], list[tuple[VersionInfo, VersionInfo]]]:
        """The newest versions by the upstream versions (reference and digest) that they were made from, each with the
        version that brought the batch.
        """
        found: dict[tuple[str, str], list[tuple[VersionInfo, VersionInfo]]] = {}
        for name in self.workspace.datasets():
            table = self.workspace.table(name)
            head = table.head()
            for part in batches_of(table) if head is not None else ():
                for text in part.origin.inputs if part.origin.mode is not Mode.RESTORE else ():
                    upstream, _space, digest = text.partition(" ")
                    if head is not None:
                        found.setdefault((upstream, digest), []).append((head, part))
        return found

    def pinned(self, reference: str, digest: str) -> Node:
        """The node of a version that was read; missing, unless it is there with the digest that it had."""
        info = self.info(reference)
        if info is None or info.digest != digest:
            return Node(Kind.VERSION, reference, digest, Presence.MISSING)
        expired = info.number in self.workspace.table(info.dataset).expired()
        return _version(info, presence=Presence.EXPIRED if expired else Presence.PRESENT)

    def info(self, reference: str) -> VersionInfo | None:
        """A version by `name@number`, collected or not; None if there is none."""
        with suppress(NameRefused, UnknownName):
            wanted = Reference.parse(reference)
            if not isinstance(wanted.selector, Number):
                return None
            table = self.workspace.table(wanted.name)
            try:
                return table.version(wanted.selector.number)
            except Expired:
                return next((one for one in table.history() if one.number == wanted.selector.number), None)
        return None

    def _others(self, node: Node, *, downstream: bool) -> Iterator[Node]:
        """The jobs of others that read a version, or wrote it."""
        name, _at, number = node.name.rpartition("@")
        info = self.info(node.name) if name in self._used_by_others else None
        if info is not None:
            following = self.info(f"{name}@{int(number) + 1}")
            yield from self._beyond.around_version(info, following, downstream=downstream)

    def _around_job(self, node: Node, *, downstream: bool) -> Iterator[Node]:
        for dataset, moment in self._beyond.around_job(node, downstream=downstream):
            yield self._meant(dataset, moment)

    def _meant(self, dataset: ForeignDataset, moment: str) -> Node:
        """What others read or wrote: a version of this workspace, if it is one, else a dataset of theirs."""
        if dataset.namespace != self._beyond.space or dataset.name not in self.workspace.datasets():
            return foreign_node(dataset)
        history = self.workspace.table(dataset.name).history()
        for info in history:
            named = dataset.version == str(info.number)
            if named or (not dataset.version and clock.to_text(info.committed) <= moment):
                return self.pinned(info.reference, info.digest)
        return Node(Kind.VERSION, f"{dataset.name}@{dataset.version or '?'}", presence=Presence.MISSING)

    @cached_property
    def _used_by_others(self) -> frozenset[str]:
        return self._beyond.used()

    @cached_property
    def _beyond(self) -> Beyond:
        with self.workspace.catalog() as catalog:
            return Beyond(self.workspace, catalog)

    def _run(self, run_id: str) -> Node:
        record = self._record(run_id)
        if record is None:
            return Node(Kind.RUN, run_id, presence=Presence.MISSING)
        return Node(Kind.RUN, run_id, record.name)

    def _record(self, run_id: str) -> RunRecord | None:
        with suppress(UnknownName), self.workspace.catalog() as catalog:
            return catalog.run(run_id)
        return None


def _version(info: VersionInfo, *, presence: Presence = Presence.PRESENT) -> Node:
    return Node(Kind.VERSION, info.reference, info.digest, presence)
