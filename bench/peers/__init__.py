"""Other tools at the same work, each in an environment of its own: what it costs and what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.figure import Size


def tables(size: Size) -> str:
    """The tables of the topic, as Markdown. Here, since every tool's interpreter imports this module, and no more."""
    from bench.peers.compared import tables as compared

    return compared(size)
