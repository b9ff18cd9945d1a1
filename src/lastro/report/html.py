"""Blocks as HTML fragments for notebooks: no script, no style sheet, no link, and every text escaped."""

from __future__ import annotations

from html import escape

from lastro.report.blocks import Block, Blocks, Cell, Code, Line, Table, Title, Tone
from lastro.report.cells import clean

_COLOURS = {Tone.GOOD: "#1a7f37", Tone.DOUBTFUL: "#9a6700", Tone.BAD: "#cf222e", Tone.FAINT: "#6e7781"}


def to_html(blocks: Blocks) -> str:
    """One `<div class="lastro">` that holds the blocks."""
    return '<div class="lastro">' + "".join(_block(block) for block in blocks) + "</div>"


def _block(block: Block) -> str:
    match block:
        case Title(text):
            return f"<h4>{_escaped(text)}</h4>"
        case Line(text, tone):
            return f"<p{_style(tone)}>{_escaped(text)}</p>"
        case Code(text):
            lines = "\n".join(_escaped(line) for line in text.split("\n"))
            return f"<pre>{lines}</pre>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    head = "".join(f"<th>{_escaped(column.heading)}</th>" for column in table.columns)
    body = "".join(
        "<tr>"
        + "".join(_cell(cell, right=column.right) for cell, column in zip(row, table.columns, strict=True))
        + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: Cell, *, right: bool) -> str:
    if cell.share is not None:
        share = min(max(cell.share, 0.0), 1.0)
        return f'<td><meter min="0" max="1" value="{share:.4f}">{share:.0%}</meter></td>'
    return f"<td{_style(cell.tone, right=right)}>{_escaped(cell.text)}</td>"


def _style(tone: Tone, *, right: bool = False) -> str:
    rules = [f"color:{_COLOURS[tone]}"] if tone in _COLOURS else []
    if right:
        rules.append("text-align:right")
    return f' style="{";".join(rules)}"' if rules else ""


def _escaped(text: str) -> str:
    return escape(clean(text), quote=True)
