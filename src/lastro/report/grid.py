"""How every two columns go together, as an SVG grid that stands within HTML.

Rules:

1. As in `report.picture`: no script, no style sheet, no link; texts are escaped and cut; it says what it shows.
2. Every cell has its number. What rises together is full, the more the fuller; what falls as the other rises has a
   frame. So nothing depends on a colour.
"""

from __future__ import annotations

from html import escape

from lastro.report.blocks import Grid
from lastro.report.cells import clean, cut
from lastro.report.numbers import number

LABEL_CELLS = 18
SAYS_CELLS = 400
_CELL, _LEFT, _TOP = 30, 150, 18
_FULLEST = 0.4
"""A number is read on the fullest cell, too."""


def grid(found: Grid) -> str:
    """The grid as one `<svg>` element, of which the columns have the numbers of the rows."""
    width, height = _LEFT + _CELL * len(found.names), _TOP + _CELL * len(found.names) + 2
    parts = []
    for row, name in enumerate(found.names):
        middle = _TOP + row * _CELL + 20
        parts.append(f'<text x="{_LEFT + row * _CELL + 15}" y="12" text-anchor="middle">{row + 1}</text>')
        parts.append(f'<text x="0" y="{middle}">{row + 1} {_escaped(name, LABEL_CELLS)}</text>')
        parts += (_cell(row, column, found.values[row][column]) for column in range(len(found.names)) if column != row)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{_escaped(found.says, SAYS_CELLS)}" fill="currentColor" font-size="11">{"".join(parts)}</svg>'
    )


def _cell(row: int, column: int, value: float | None) -> str:
    x, y = _LEFT + column * _CELL, _TOP + row * _CELL
    if value is None:
        return f'<text x="{x + 15}" y="{y + 20}" text-anchor="middle">–</text>'
    side = _CELL - 4
    box = f'd="M{x + 2} {y + 2}h{side}v{side}h-{side}z"'
    if value < 0:
        shape = f'<path class="one" {box} fill="none" stroke="currentColor" stroke-width="{-3 * value:.1f}"/>'
    else:
        shape = f'<path class="two" {box} fill-opacity="{_FULLEST * value:.2f}"/>'
    return f'{shape}<text x="{x + 15}" y="{y + 20}" text-anchor="middle">{_short(value)}</text>'


def _short(value: float) -> str:
    """Two decimals at most, as there is room for."""
    return number(round(value, 2) + 0.0, decimals=2)


def _escaped(text: str, cells: int) -> str:
    return escape(cut(clean(text), cells), quote=True)
