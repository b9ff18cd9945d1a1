r"""Blocks as Markdown (CommonMark, with the tables of GitHub), to be kept beside code or sent on.

Rules:

1. Texts are texts: whatever Markdown or HTML would obey in them is written with a backslash or as an entity.
2. A picture is told in words: what is to be seen, and its numbers as a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lastro.report.blocks import Block, Blocks, Cell, Code, Column, Figure, Grid, Line, Table, Title
from lastro.report.cells import clean
from lastro.report.numbers import NOTHING, number, percent

_OBEYED = re.compile(r"([\\`*_\[\]|~$#])")
_STARTS = re.compile(r"^(\s*)([-+>]|\d+[.)])(?=\s|$)")


def to_markdown(title: str, blocks: Blocks, *, answer: str = "") -> str:
    """A whole document: its title, the answer in a sentence, the blocks."""
    parts = [f"# {_escaped(title)}", *([f"**{_escaped(answer)}**"] if answer else [])]
    parts += [part for block in blocks if (part := "\n".join(_block(block)))]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Title(text, level):
            yield f"{'#' * (level + 1)} {_escaped(text)}"
        case Line(text):
            yield _escaped(text)
        case Code(text):
            yield from ("    " + clean(line) for line in text.split("\n"))
        case Table():
            yield from _table(block)
        case Figure():
            yield f"{_escaped(block.caption)}: {_escaped(block.says)}"
            yield ""
            yield from _table(_numbers(block))
        case Grid():
            yield f"{_escaped(block.caption)}: {_escaped(block.says)}"


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    yield _row([_escaped(column.heading) for column in table.columns])
    yield _row(["---:" if column.right else "---" for column in table.columns])
    for row in table.rows:
        yield _row([_cell(cell) for cell in row])


def _numbers(figure: Figure) -> Table:
    """A figure's shares as a table: a row for each bar."""
    first, last = figure.ends
    bars = len(figure.series[0].shares)
    labels = figure.labels or tuple(first if bar == 0 else last if bar == bars - 1 else "" for bar in range(bars))
    columns = (Column(""), *(Column(series.name, right=True) for series in figure.series))
    rows = (
        (Cell(label), *(Cell(percent(series.shares[bar], 1)) for series in figure.series))
        for bar, label in enumerate(labels)
    )
    return Table(columns, tuple(rows))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    if cell.share is not None:
        return f"{number(100 * cell.share, decimals=1)} %"
    return _escaped(cell.text) or NOTHING


def _escaped(text: str) -> str:
    safe = _OBEYED.sub(r"\\\1", clean(text)).replace("&", "&amp;").replace("<", "&lt;")
    return _STARTS.sub(lambda found: f"{found[1]}{_no_list(found[2])}", safe)


def _no_list(start: str) -> str:
    """What would begin a list or a quotation, so that it does not."""
    return f"{start[:-1]}\\{start[-1]}"
