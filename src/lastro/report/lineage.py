"""Lineage as a tree of lines: upstream, then downstream, each node below the one that it led to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lastro.model.lineage import ColumnOrigin, Kind, Lineage, Node, Place, Presence
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.cells import clean, cut
from lastro.report.numbers import number

NAME_CELLS = 100
DIGITS = 19
"""How much of a digest is shown: `sha256:` and 12 digits."""
INDENTS_MAX = 20
ORIGIN_CELLS = 300


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


def columns(start: str, found: Iterable[ColumnOrigin]) -> Blocks:
    """Each column of a version and what it was made from."""
    headings = (Column(_("column"), fixed=True), Column(_("made from")))
    return (Title(start), table(headings, ([cut(clean(one.column), NAME_CELLS), _origin(one)] for one in found)))


def columns_verdict(start: str, found: Collection[ColumnOrigin]) -> str:
    """`by_state@1: 3 columns`; of how many it is not known what they were made from, if any."""
    sentence = ngettext("{reference}: {n} column", "{reference}: {n} columns", len(found))
    sentence = sentence.format(reference=start, n=number(len(found)))
    unknown = sum(not one.known for one in found)
    if not unknown:
        return sentence
    return f"{sentence}; " + ngettext(
        "of {n} it is not known what it was made from", "of {n} it is not known what they were made from", unknown
    ).format(n=number(unknown))


def imported(new: int, known: int, skipped: int, own: int) -> Blocks:
    """How many events of a file were what."""
    rows = (
        (_("new"), new),
        (_("known before"), known),
        (_("skipped, since they are no run events or not well formed"), skipped),
        (_("skipped, since they are this workspace's own"), own),
    )
    return tuple(Line(f"  {number(count)} {what}") for what, count in rows if count)


def imported_verdict(new: int, datasets: Collection[str]) -> str:
    """`12 events taken in; they name by_state`."""
    sentence = ngettext("{n} event taken in", "{n} events taken in", new).format(n=number(new))
    if not datasets:
        return sentence
    return _("{sentence}; they name {names}").format(sentence=sentence, names=cut(", ".join(datasets), NAME_CELLS))


def lineage_verdict(found: Lineage) -> str:
    """`by_state@1: made from 3, used by 1`; how many are missing, if any."""
    upstream = {place.node.id for place in found.tree()}
    downstream = {place.node.id for place in found.tree(downstream=True)}
    missing = sum(node.presence is Presence.MISSING for node in found.nodes)
    start = f"{found.start.name} {found.start.column}".rstrip()
    sentence = _("{reference}: made from {upstream}, used by {downstream}").format(
        reference=cut(clean(start), NAME_CELLS), upstream=number(len(upstream)), downstream=number(len(downstream))
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
        case Kind.COLUMN:
            return _("column")
        case Kind.JOB:
            return _("job")
        case Kind.DATASET:
            return _("dataset")


def presence_text(presence: Presence) -> str:
    """That a node is not there any more; nothing if it is."""
    match presence:
        case Presence.PRESENT:
            return ""
        case Presence.EXPIRED:
            return _("collected")
        case Presence.MISSING:
            return _("missing")
        case Presence.UNKNOWN:
            return _("columns not known")


def name_text(node: Node) -> str:
    """What names a node, not yet cleaned or cut: for a column, the column."""
    return node.column or node.name


def detail_text(node: Node) -> str:
    """A run's name, a column's version, a namespace, or the beginning of a version's digest."""
    if node.kind is Kind.COLUMN:
        return cut(clean(node.name), NAME_CELLS)
    if node.kind is Kind.VERSION:
        return clean(node.detail[:DIGITS])
    return cut(clean(node.detail), NAME_CELLS)


def node_text(node: Node) -> str:
    """`version  loans@1  sha256:0123456789ab`."""
    name = cut(clean(name_text(node)), NAME_CELLS)
    parts = (kind_text(node.kind), name, detail_text(node), presence_text(node.presence))
    return "  ".join(filter(None, parts))


def _origin(one: ColumnOrigin) -> Cell:
    if not one.upstream:
        return Cell(_("no column"), Tone.FAINT)
    shown = [_short(node) for node in one.upstream]
    present = all(node.presence is Presence.PRESENT for node in one.upstream)
    return Cell(cut(", ".join(shown), ORIGIN_CELLS), Tone.PLAIN if present else Tone.DOUBTFUL)


def _short(node: Node) -> str:
    """`loans@0 amount`, `source loans.csv`, `step transforms/a.py (columns not known)`."""
    first = () if node.kind is Kind.COLUMN else (kind_text(node.kind),)
    gone = presence_text(node.presence)
    return clean(" ".join(filter(None, (*first, node.name, node.column, f"({gone})" if gone else ""))))


def _tree(places: Iterable[Place]) -> tuple[Line, ...]:
    return tuple(map(_line, places)) or (Line("  " + _("nothing recorded"), Tone.FAINT),)


def _line(place: Place) -> Line:
    again = "  " + _("(as above)") if place.again else ""
    tone = Tone.PLAIN if place.node.presence is Presence.PRESENT else Tone.DOUBTFUL
    return Line("  " * min(place.depth, INDENTS_MAX) + node_text(place.node) + again, tone)
