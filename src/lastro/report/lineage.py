"""Lineage as a tree of lines: upstream, then downstream, each node below the one that it led to."""

from __future__ import annotations

from collections.abc import Iterable

from lastro.model.lineage import Kind, Lineage, Node, Place, Presence
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Line, Title, Tone
from lastro.report.cells import clean, cut
from lastro.report.numbers import number

NAME_CELLS = 100
DIGITS = 19
"""How much of a digest is shown: `sha256:` and 12 digits."""
INDENTS_MAX = 20


def lineage(found: Lineage) -> Blocks:
    """The version, what it was made from, and what was made from it."""
    more = (Line(_("there is more; only the nearest are shown"), Tone.DOUBTFUL),) if found.cut else ()
    return (
        Line(node_text(found.start)),
        Title(_("made from")),
        *_tree(found.tree()),
        Title(_("used by")),
        *_tree(found.tree(downstream=True)),
        *more,
    )


def lineage_verdict(found: Lineage) -> str:
    """`by_state@1: made from 3, used by 1`; how many are missing, if any."""
    upstream = {place.node.id for place in found.tree()}
    downstream = {place.node.id for place in found.tree(downstream=True)}
    missing = sum(node.presence is Presence.MISSING for node in found.nodes)
    sentence = _("{reference}: made from {upstream}, used by {downstream}").format(
        reference=found.start.name, upstream=number(len(upstream)), downstream=number(len(downstream))
    )
    if not missing:
        return sentence
    return f"{sentence}; " + ngettext("{n} is missing", "{n} are missing", missing).format(n=number(missing))


def kind_text(kind: Kind) -> str:
    """What a node is, in a word."""
    match kind:
        case Kind.SOURCE:
            return _("source")
        case Kind.STEP:
            return _("step")
        case Kind.VERSION:
            return _("version")
        case Kind.RUN:
            return _("run")


def presence_text(presence: Presence) -> str:
    """That a node is not there any more; nothing if it is."""
    match presence:
        case Presence.PRESENT:
            return ""
        case Presence.EXPIRED:
            return _("collected")
        case Presence.MISSING:
            return _("missing")


def detail_text(node: Node) -> str:
    """A run's name, or the beginning of a version's digest."""
    if node.kind is Kind.VERSION:
        return clean(node.detail[:DIGITS])
    return cut(clean(node.detail), NAME_CELLS)


def node_text(node: Node) -> str:
    """`version  loans@1  sha256:0123456789ab`."""
    parts = (kind_text(node.kind), cut(clean(node.name), NAME_CELLS), detail_text(node), presence_text(node.presence))
    return "  ".join(filter(None, parts))


def _tree(places: Iterable[Place]) -> tuple[Line, ...]:
    return tuple(map(_line, places)) or (Line("  " + _("nothing recorded"), Tone.FAINT),)


def _line(place: Place) -> Line:
    again = "  " + _("(as above)") if place.again else ""
    tone = Tone.PLAIN if place.node.presence is Presence.PRESENT else Tone.DOUBTFUL
    return Line("  " * min(place.depth, INDENTS_MAX) + node_text(place.node) + again, tone)
