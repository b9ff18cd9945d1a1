"""Figures as SVG that stands within HTML.

Rules:

1. No script, no style sheet, no link; every text is escaped, and cut to what there is room for.
2. The picture says in words what is to be seen. The reference is hollow and the other side full, so that they differ
   without colours; who includes the picture may colour the classes `one` and `two`.
3. Where there is something, something is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lastro.report.blocks import Figure
from lastro.report.cells import clean, cut
from lastro.report.numbers import percent

WIDTH = 480
LABEL_CELLS = 20
SAYS_CELLS = 400
_HEIGHT, _TOP = 80, 18
_ROW, _BAR = 22, 8
_LEFT, _LONGEST = 140, 240


def to_svg(figure: Figure) -> str:
    """The figure as one `<svg>` element."""
    body, height = _rows(figure) if figure.labels else _steps(figure)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img"'
        f' aria-label="{_escaped(figure.says, SAYS_CELLS)}" fill="currentColor" font-size="11">{body}</svg>'
    )


def _steps(figure: Figure) -> tuple[str, int]:
    most, sides = _most(figure), len(figure.series)
    step = WIDTH // len(figure.series[0].shares)
    bar = (step - 2) // sides
    floor = _TOP + _HEIGHT
    paths = []
    for side, series in enumerate(figure.series):
        heights = [_length(share, most, _HEIGHT) for share in series.shares]
        bars = (f"M{place * step + side * bar + 1} {floor}v-{high}h{bar - 1}v{high}z" for place, high in _some(heights))
        paths.append(_path(side, sides, "".join(bars)))
    first, last = (_escaped(end, LABEL_CELLS) for end in figure.ends)
    used = step * len(figure.series[0].shares)
    texts = (
        f'<text x="0" y="11">{percent(most, 1)}</text>{_legend(figure)}'
        f'<text x="0" y="{floor + 14}">{first}</text>'
        f'<text x="{used}" y="{floor + 14}" text-anchor="end">{last}</text>'
    )
    line = f'<path d="M0 {floor}h{used}" stroke="currentColor"/>'
    return texts + "".join(paths) + line, floor + 18


def _rows(figure: Figure) -> tuple[str, int]:
    most, sides = _most(figure), len(figure.series)
    paths, texts = [], [_legend(figure)]
    for side, series in enumerate(figure.series):
        lengths = [_length(share, most, _LONGEST) for share in series.shares]
        bars = (
            f"M{_LEFT} {_TOP + place * _ROW + 2 + side * (_BAR + 1)}h{long}v{_BAR}h-{long}z"
            for place, long in _some(lengths)
        )
        paths.append(_path(side, sides, "".join(bars)))
    for place, label in enumerate(figure.labels):
        at = _TOP + place * _ROW + 14
        shares = " → ".join(percent(series.shares[place], 1) for series in figure.series)
        texts.append(f'<text x="0" y="{at}">{_escaped(label, LABEL_CELLS)}</text>')
        texts.append(f'<text x="{WIDTH}" y="{at}" text-anchor="end">{shares}</text>')
    return "".join(texts + paths), _TOP + _ROW * len(figure.labels) + 2


def _legend(figure: Figure) -> str:
    if len(figure.series) == 1:
        return ""
    names = "  ".join(f"{mark} {series.name}" for mark, series in zip("□■", figure.series, strict=True))
    return f'<text x="{WIDTH}" y="11" text-anchor="end">{_escaped(names, 2 * LABEL_CELLS)}</text>'


def _path(side: int, sides: int, drawn: str) -> str:
    hollow = sides == 2 and side == 0
    kind = 'class="one" fill="none" stroke="currentColor"' if hollow else 'class="two"'
    return f'<path {kind} d="{drawn}"/>' if drawn else ""


def _most(figure: Figure) -> float:
    return max(max(series.shares) for series in figure.series)


def _length(share: float, most: float, longest: int) -> int:
    return max(1, round(longest * share / most)) if share > 0 else 0


def _some(lengths: list[int]) -> Iterator[tuple[int, int]]:
    return ((place, length) for place, length in enumerate(lengths) if length)


def _escaped(text: str, cells: int) -> str:
    return escape(cut(clean(text), cells), quote=True)
