"""Lineage of columns: found in what derived versions keep of their SELECT (`Origin.columns`).

Rules:

1. A column leads to the columns of the upstream versions that its value was made from, by number and digest, and on
   from there. In a version that is not derived it ends at the sources of its batches.
2. Where a step did not tell which columns it reads – Python that returns anything but SQL, SQL whose columns cannot be
   told, a version of a Lastro that did not keep them – the walk ends at the step, which is told as `unknown`.
3. Downstream are the newest versions of derived datasets. One whose columns are not known is told as `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lastro.model.errors import UnknownName
from lastro.model.lineage import ColumnOrigin, Kind, Lineage, Node, Presence
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
from lastro.pipeline.lineage import CORRECTIONS
from lastro.pipeline.lineage import lineage as batches_of
from lastro.workspace.lineage.versions import NODES_MAX, Search, meant

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace

NAMES_MAX = 20


def columns(workspace: Workspace, reference: str) -> tuple[ColumnOrigin, ...]:
    """What each column of a version was made from. Raises `UnknownName`, `Expired`, `NameRefused`."""
    info, search = _found(workspace, reference), _Search(workspace, NODES_MAX)
    return tuple(ColumnOrigin(name, tuple(search.upstream(_column(info, name)))) for name in info.schema.names)


def column(workspace: Workspace, reference: str, name: str, *, nodes_max: int = NODES_MAX) -> Lineage:
    """The graph around one column of a version. Raises `UnknownName`, `Expired`, `NameRefused`."""
    info = _found(workspace, reference)
    return _Search(workspace, nodes_max).around(_column(info, _spelled(info, name)))


class _Search(Search):
    """One walk from column to column."""

    def upstream(self, node: Node) -> Iterator[Node]:
        """What a column was made from."""
        info = self.info(node.name) if node.kind is Kind.COLUMN else None
        if info is None or node.presence is Presence.MISSING:
            return
        told: dict[Node, None] = {}
        for part in batches_of(self.workspace.table(info.dataset), of=info):
            if part.origin.mode is not Mode.RESTORE and not part.origin.source.startswith(CORRECTIONS):
                told |= dict.fromkeys(self._of_batch(part, node.column))
        yield from told

    def downstream(self, node: Node) -> Iterator[Node]:
        """What was made from a column."""
        if node.kind is not Kind.COLUMN or node.presence is Presence.MISSING:
            return
        told: dict[Node, None] = {}
        for head, part in self.made_of_it.get((node.name, node.detail), ()):
            if not part.origin.columns:
                told[Node(Kind.VERSION, head.reference, head.digest, Presence.UNKNOWN)] = None
            read = [node.name.rpartition("@")[0], node.column]
            told |= {_column(head, name): None for name, upstream in part.origin.columns.items() if read in upstream}
        yield from told

    def _of_batch(self, part: VersionInfo, name: str) -> Iterator[Node]:
        origin = part.origin
        if not origin.made_of:
            yield Node(Kind.SOURCE, origin.source)
        elif not origin.columns:
            yield Node(Kind.STEP, origin.source, presence=Presence.UNKNOWN)
        pinned = _by_dataset(origin.inputs)
        for dataset, upstream in origin.columns.get(name, ()):
            version = self.pinned(*pinned[dataset])
            yield Node(Kind.COLUMN, version.name, version.detail, version.presence, upstream)


def _found(workspace: Workspace, reference: str) -> VersionInfo:
    wanted = meant(workspace, reference)
    return workspace.dataset(wanted.name).table.find(wanted.selector)


def _column(info: VersionInfo, name: str) -> Node:
    return Node(Kind.COLUMN, info.reference, info.digest, column=name)


def _by_dataset(inputs: tuple[str, ...]) -> Mapping[str, tuple[str, str]]:
    """The upstream versions, reference and digest, by the names of their datasets."""
    split = [text.partition(" ") for text in inputs]
    return {reference.rpartition("@")[0]: (reference, digest) for reference, _space, digest in split}


def _spelled(info: VersionInfo, name: str) -> str:
    """The column's name as the version has it, in whichever case it was asked for. Raises `UnknownName`."""
    names = info.schema.names
    alike = [one for one in names if one.casefold() == name.casefold()]
    if name in names:
        return name
    if len(alike) == 1:
        return alike[0]
    raise UnknownName(
        _("{reference} has no column {name!r}").format(reference=info.reference, name=name[:80]),
        do=_("its columns: {names}").format(names=", ".join(names[:NAMES_MAX])),
    )
