"""Blocks as text, for a page of a given width: a terminal's, or an endless one for pipes and files."""

from __future__ import annotations

from dataclasses import dataclass

from lastro.report.blocks import Block, Blocks, Cell, Code, Column, Figure, Grid, Line, Table, Title, Tone, bar
from lastro.report.cells import clean, cut, pad, sparkline, width
from lastro.report.numbers import percent

WIDTH_MIN = 60
BAR_CELLS = 12
_GAP = "  "
_INDENT = "  "
_COLUMN_MIN = 8
_PARTS = 10_000
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_COLOURS = {Tone.GOOD: "32", Tone.DOUBTFUL: "33", Tone.BAD: "31", Tone.FAINT: "2"}


@dataclass(frozen=True, slots=True)
class Page:
    """Where text goes: `width` in cells (None: endless; less than 60 is taken as 60), and whether colour is welcome."""

    width: int | None = None
    colour: bool = False


_ENDLESS = Page()


def to_text(blocks: Blocks, page: Page) -> str:
    """The blocks as text without a final line break; every text in them is escaped for a terminal."""
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Title) and parts:
            parts.append("")
        parts.extend(_lines(block, page))
    return "\n".join(parts)


def painted(text: str, tone: Tone, page: Page) -> str:
    """An escaped text in the tone's colour, if the page has colour."""
    if not page.colour or tone not in _COLOURS:
        return text
    return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m"


def bar_text(share: float) -> str:
    """A bar of 12 cells, to an eighth of a cell; something is never shown as nothing."""
    eighths = round(min(max(share, 0.0), 1.0) * BAR_CELLS * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return pad(_EIGHTHS[-1] * full + (_EIGHTHS[rest] if rest else ""), BAR_CELLS)


def _lines(block: Block, page: Page) -> list[str]:
    match block:
        case Title(text):
            return [f"\x1b[1m{clean(text)}\x1b[0m" if page.colour else clean(text)]
        case Line(text, tone):
            return [painted(clean(text), tone, page)]
        case Code(text):
            return [_INDENT + clean(line) for line in text.split("\n")]
        case Table():
            return _table(block, page)
        case Figure():
            return [clean(block.caption), *(_bars(block, page) if block.labels else _steps(block))]
        case Grid(caption, says):
            return [clean(caption), _INDENT + clean(says)]


def _bars(figure: Figure, page: Page) -> list[str]:
    """A row for each label, with each side's share in words and the last one's as a bar."""
    columns = (Column(""), *(Column(series.name, right=True) for series in figure.series), Column("", fixed=True))
    most = max(max(series.shares) for series in figure.series)
    rows = []
    for place, label in enumerate(figure.labels):
        shares = [series.shares[place] for series in figure.series]
        rows.append((Cell(label), *(Cell(percent(share, 1)) for share in shares), bar(shares[-1], most)))
    return _table(Table(columns, tuple(rows)), page)


def _steps(figure: Figure) -> list[str]:
    """A line of blocks for each side, between where they begin and end."""
    first, last = (clean(end) for end in figure.ends)
    names = [clean(series.name) for series in figure.series]
    wide, most = max(map(width, names)), max(max(series.shares) for series in figure.series) or 1.0
    lines = []
    for name, series in zip(names, figure.series, strict=True):
        drawn = sparkline(tuple(round(_PARTS * share / most) for share in series.shares))
        lines.append(f"{_INDENT}{pad(name, wide)}{_GAP}{first} {pad(drawn, len(series.shares))} {last}")
    return lines


def _table(table: Table, page: Page) -> list[str]:
    if not table.rows:
        return []
    table = _affordable(table, page)
    rows = [[_text(cell) for cell in row] for row in table.rows]
    headings = [clean(column.heading) for column in table.columns]
    widths = _fitted(_widths(table), table.columns, page)
    lines = [painted(_row(headings, table.columns, widths), Tone.FAINT, page)]
    for texts, cells in zip(rows, table.rows, strict=True):
        lines.append(_row(texts, table.columns, widths, cells=cells, page=page))
    return lines


def _widths(table: Table) -> list[int]:
    """The cells that each column would like to have."""
    texts = [
        [clean(column.heading) for column in table.columns],
        *([_text(cell) for cell in row] for row in table.rows),
    ]
    return [max(width(row[index]) for row in texts) for index in range(len(table.columns))]


def _room(columns: int, page: Page) -> int | None:
    """The cells that a table's texts may take in all, without indent and gaps; None on an endless page."""
    if page.width is None:
        return None
    return max(page.width, WIDTH_MIN) - len(_INDENT) - len(_GAP) * (columns - 1)


def _affordable(table: Table, page: Page) -> Table:
    """Leaves out spare columns, the highest first, until the table fits or none is left."""
    spare = max((column.spare for column in table.columns), default=0)
    room = _room(len(table.columns), page)
    if not spare or room is None or sum(_widths(table)) <= room:
        return table
    kept = [index for index, column in enumerate(table.columns) if column.spare < spare]
    columns = tuple(table.columns[index] for index in kept)
    return _affordable(Table(columns, tuple(tuple(row[index] for index in kept) for row in table.rows)), page)


def _text(cell: Cell) -> str:
    return clean(cell.text) if cell.share is None else bar_text(cell.share)


def _row(
    texts: list[str],
    columns: tuple[Column, ...],
    widths: list[int],
    *,
    cells: tuple[Cell, ...] = (),
    page: Page = _ENDLESS,
) -> str:
    placed = [
        (pad(cut(text, wide), wide, right=column.right), cells[index].tone if cells else Tone.PLAIN)
        for index, (text, column, wide) in enumerate(zip(texts, columns, widths, strict=True))
    ]
    while placed and not placed[-1][0].strip():
        placed.pop()
    last = len(placed) - 1
    painted_cells = (
        painted(text.rstrip() if index == last else text, tone, page) for index, (text, tone) in enumerate(placed)
    )
    return (_INDENT + _GAP.join(painted_cells)).rstrip(" ")


def _fitted(widths: list[int], columns: tuple[Column, ...], page: Page) -> list[int]:
    """Takes cells from the widest columns that may be cut until the table fits, but none goes under 8."""
    room = _room(len(widths), page)
    if room is None:
        return widths
    fitted = list(widths)
    cuttable = [index for index, column in enumerate(columns) if not (column.fixed or column.right)]
    while sum(fitted) > room:
        widest = max(cuttable, key=lambda index: fitted[index], default=None)
        if widest is None or fitted[widest] <= _COLUMN_MIN:
            break
        fitted[widest] -= 1
    return fitted
