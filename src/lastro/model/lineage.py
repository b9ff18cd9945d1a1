"""Lineage: what one version was made from, and what was made from it, as a graph.

Rules:

1. A link leads from what was read to what came of it. Two nodes have one link at most.
2. The start has both directions; above it only what it was made from, below it only what was made from it.
3. Told as a tree, a node that was told already is told again without what is beyond it: no graph is endless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a node is: a place that rows came from, a file of `transforms/`, a version, a recorded run, a version's
    column; of others, a job and a dataset.
    """

    SOURCE = "source"
    STEP = "step"
    VERSION = "version"
    RUN = "run"
    COLUMN = "column"
    JOB = "job"
    DATASET = "dataset"


class Presence(StrEnum):
    """Whether a node is still there: `expired` versions were collected; `missing` ones, and runs, are not to be found,
    or are not what was read any more. Of an `unknown` one it is known that it is there, but not with which columns.
    """

    PRESENT = "present"
    EXPIRED = "expired"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Node:
    """One node. `name` is a version's `name@number`, a run's id, a source's label or a step's file; `detail` a
    version's digest or a run's name. A column's node has both as its version's has, and `column`, its own name. Of
    others' jobs and datasets `detail` is the namespace.
    """

    kind: Kind
    name: str
    detail: str = ""
    presence: Presence = Presence.PRESENT
    column: str = ""

    @property
    def id(self) -> str:
        """What links call the node; a version that is missing is not the one that has its number now."""
        if self.kind in {Kind.JOB, Kind.DATASET}:
            return f"{self.kind}:{self.detail} {self.name}"
        gone = self.kind in {Kind.VERSION, Kind.COLUMN} and self.presence is Presence.MISSING
        return " ".join(filter(None, (f"{self.kind}:{self.name}", self.detail if gone else "", self.column)))


@dataclass(frozen=True, slots=True)
class Link:
    """`downstream` came of `upstream`; both are the ids of nodes."""

    upstream: str
    downstream: str


@dataclass(frozen=True, slots=True)
class Place:
    """A node in the tree: how many links from the start, and whether it was told before."""

    depth: int
    node: Node
    again: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """The graph around `start`. `cut` says that there is more than was collected."""

    start: Node
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    cut: bool = False

    def tree(self, *, downstream: bool = False) -> Iterator[Place]:
        """What the start was made from, or what was made from it, each node before what is beyond it."""
        known = {node.id: node for node in self.nodes}
        beyond = self._beyond(downstream=downstream)
        told = {self.start.id}
        waiting = [(1, name) for name in reversed(beyond.get(self.start.id, []))]
        while waiting:
            depth, name = waiting.pop()
            following = beyond.get(name, [])
            yield Place(depth, known[name], again=name in told and bool(following))
            if name not in told:
                told.add(name)
                waiting.extend((depth + 1, following_name) for following_name in reversed(following))

    def columns(self) -> dict[str, int]:
        """Each node's column: 0 is the start's, what it was made from is left of it, what was made from it right.

        A link leads to the right, save where runs read from each other in a circle.
        """
        right = self._distances(downstream=True)
        left = self._distances(downstream=False)
        return {**right, **{name: -distance for name, distance in left.items()}}

    def to_dict(self) -> dict[str, Any]:  # Any: values for `report.json_values`
        """The graph as plain values."""
        nodes = [
            {
                "id": one.id,
                "kind": one.kind.value,
                "name": one.name,
                "detail": one.detail,
                "presence": one.presence.value,
                "column": one.column,
            }
            for one in self.nodes
        ]
        links = [{"upstream": link.upstream, "downstream": link.downstream} for link in self.links]
        return {
            "reference": self.start.name,
            "digest": self.start.detail,
            "column": self.start.column,
            "nodes": nodes,
            "links": links,
            "cut": self.cut,
        }

    def _beyond(self, *, downstream: bool) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for link in self.links:
            near, far = (link.upstream, link.downstream) if downstream else (link.downstream, link.upstream)
            found.setdefault(near, []).append(far)
        return found

    def _distances(self, *, downstream: bool) -> dict[str, int]:
        """The longest way to each node; the way by which it is first told, where there is a circle."""
        beyond = self._beyond(downstream=downstream)
        first = {self.start.id: 0}
        for place in self.tree(downstream=downstream):
            first.setdefault(place.node.id, place.depth)
        longest = dict(first)
        for _round in self.nodes:
            before = dict(longest)
            for name in first:
                for far in beyond.get(name, []):
                    longest[far] = max(longest[far], longest[name] + 1)
            if longest == before:
                return longest
        return first


@dataclass(frozen=True, slots=True)
class ColumnOrigin:
    """What one column of a version was made from: columns of other versions, and what is no dataset – sources, or steps
    of which nobody knows which columns they read. Neither, if it was made from no column.
    """

    column: str
    upstream: tuple[Node, ...] = ()

    @property
    def known(self) -> bool:
        """False if a step made it of which nobody knows which columns it reads."""
        return all(node.presence is not Presence.UNKNOWN for node in self.upstream)

    def to_dict(self) -> dict[str, Any]:  # Any: values for `report.json_values`
        """The origin as plain values."""
        upstream = [
            {"kind": node.kind.value, "name": node.name, "column": node.column, "presence": node.presence.value}
            for node in self.upstream
        ]
        return {"column": self.column, "known": self.known, "upstream": upstream}
