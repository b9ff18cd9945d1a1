"""Lineage as an SVG picture.

Rules:

1. The picture stands alone: no script, no link, no font, no image. Equal graphs give equal bytes.
2. Every text is escaped, and cut to what its box holds; the box's own title tells up to 400 cells of it.
3. It has a title and a description for who cannot see it, and colours for light and dark; no colour stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from lastro.model.lineage import Lineage, Node, Presence
from lastro.model.text import _, language
from lastro.report.cells import clean, cut
from lastro.report.lineage import detail_text, kind_text, lineage_verdict, name_text, node_text, presence_text

NAME_CELLS = 32
TITLE_CELLS = 400
_BOX = (260, 56)
_GAP = (70, 20)
_MARGIN = 20
_STYLE = """\
svg { background: #ffffff; color: #1f2328; font: 13px ui-monospace, monospace; }
rect { fill: #f6f8fa; stroke: #57606a; }
.version rect { fill: #ddf4ff; } .run rect { fill: #fff8c5; } .start rect { stroke-width: 3; }
.expired rect, .missing rect { stroke-dasharray: 5 4; }
text { fill: currentColor; } .faint { font-size: 11px; opacity: 0.8; }
path { fill: none; stroke: #57606a; } marker path { fill: #57606a; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; color: #e6edf3; }
rect { fill: #161b22; stroke: #8d96a0; }
.version rect { fill: #0c2d6b; } .run rect { fill: #4b2900; }
path { stroke: #8d96a0; } marker path { fill: #8d96a0; }
}"""
_ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z"/></marker>'
)


@dataclass(frozen=True, slots=True)
class _Spot:
    """The upper left corner of a box, in pixels."""

    x: int
    y: int


def to_svg(found: Lineage) -> str:
    """The graph from left (made from) to right (used by), with a final line break."""
    title = _("Lineage of {reference}").format(reference=f"{found.start.name} {found.start.column}".rstrip())
    spots = _spots(found)
    width = max(spot.x for spot in spots.values()) + _BOX[0] + _MARGIN
    height = max(spot.y for spot in spots.values()) + _BOX[1] + _MARGIN
    lines = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" aria-labelledby="title desc" lang="{language().replace("_", "-")}">',
        f'<title id="title">{_escaped(title, TITLE_CELLS)}</title>',
        f'<desc id="desc">{_escaped(lineage_verdict(found), TITLE_CELLS)}</desc>',
        f"<style>\n{_STYLE}\n</style>",
        f"<defs>{_ARROW}</defs>",
        *(_curve(spots[link.upstream], spots[link.downstream]) for link in found.links),
        *(_box(node, spots[node.id], start=node == found.start) for node in found.nodes),
        "</svg>",
    )
    return "\n".join(lines) + "\n"


def _spots(found: Lineage) -> dict[str, _Spot]:
    columns = found.columns()
    first = min(columns.values())
    used: dict[int, int] = {}
    spots = {}
    for node in found.nodes:
        column = columns[node.id]
        row = used.get(column, 0)
        used[column] = row + 1
        x = _MARGIN + (column - first) * (_BOX[0] + _GAP[0])
        spots[node.id] = _Spot(x, _MARGIN + row * (_BOX[1] + _GAP[1]))
    return spots


def _curve(start: _Spot, end: _Spot) -> str:
    x, y = start.x + _BOX[0], start.y + _BOX[1] // 2
    to_x, to_y = end.x, end.y + _BOX[1] // 2
    bend = _GAP[0] // 2
    return f'<path d="M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}" marker-end="url(#arrow)"/>'


def _box(node: Node, spot: _Spot, *, start: bool) -> str:
    kinds = " ".join(
        filter(None, (node.kind.value, "start" if start else "", node.presence.value if _gone(node) else ""))
    )
    below = "  ".join(filter(None, (kind_text(node.kind), presence_text(node.presence), detail_text(node))))
    return (
        f'<g class="{kinds}"><title>{_escaped(node_text(node), TITLE_CELLS)}</title>'
        f'<rect x="{spot.x}" y="{spot.y}" width="{_BOX[0]}" height="{_BOX[1]}" rx="6"/>'
        f'<text x="{spot.x + 10}" y="{spot.y + 23}">{_escaped(name_text(node), NAME_CELLS - 3)}</text>'
        f'<text class="faint" x="{spot.x + 10}" y="{spot.y + 43}">{_escaped(below, NAME_CELLS)}</text></g>'
    )


def _gone(node: Node) -> bool:
    return node.presence is not Presence.PRESENT


def _escaped(text: str, cells: int) -> str:
    return escape(cut(clean(text), cells))
