"""Blocks as HTML: fragments for notebooks, and pages that stand alone.

Rules:

1. No script and no link to elsewhere, and every text is escaped. A page says itself that nothing may be loaded.
2. A fragment has no style sheet and no ids, since others stand beside it. Its colours are readable on white, and give
   way to those of a page around it.
3. A page names its language, has one first heading, and columns and rows that a screen reader can name. It follows the
   reader's choice of light or dark; its colours have a contrast of 4.5 to 1 at least on either ground, and words say
   the same. What leads on, and what must be scrolled, is reached by keyboard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from lastro.model.text import language
from lastro.report.blocks import Block, Blocks, Cell, Code, Column, Figure, Grid, Line, Table, Title, Tone
from lastro.report.cells import clean, cut
from lastro.report.grid import grid
from lastro.report.picture import to_svg

PAGE_CELLS = 300
"""How much of a text a page shows, so that its size is bounded."""
_COLOURS = {Tone.GOOD: "#1a7f37", Tone.DOUBTFUL: "#9a6700", Tone.BAD: "#cf222e", Tone.FAINT: "#636c76"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """\
:root{color-scheme:light dark;--back:#ffffff;--text:#1f2328;--line:#d1d9e0;--one:#57606a;--two:#0969da;
--lastro-good:#1a7f37;--lastro-doubtful:#9a6700;--lastro-bad:#cf222e;--lastro-faint:#636c76}
body{margin:2rem auto;max-width:72rem;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif}
body{background:var(--back);color:var(--text)}h1,h2,h3,p{overflow-wrap:anywhere}p{margin:.25rem 0}
.answer{font-size:1.15rem;font-weight:600}h2{margin-top:2.5rem}h3{margin:2rem 0 .25rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th,td{max-width:24rem;overflow-wrap:break-word}tbody th{font-weight:400}
.right{text-align:right}.right,.fixed{white-space:nowrap}
.good{color:var(--lastro-good)}.doubtful{color:var(--lastro-doubtful)}
.bad{color:var(--lastro-bad)}.faint{color:var(--lastro-faint)}
a{color:var(--two)}:focus-visible{outline:2px solid var(--two)}pre{overflow-x:auto}
figure{display:inline-block;vertical-align:top;margin:.75rem 1.5rem .75rem 0}
figcaption{color:var(--lastro-faint);font-size:.85rem}
svg{max-width:100%;height:auto}.one{stroke:var(--one)}.two{fill:var(--two)}
@media(prefers-color-scheme:dark){
:root{--back:#0d1117;--text:#e6edf3;--line:#3d444d;--one:#9198a1;--two:#58a6ff;
--lastro-good:#3fb950;--lastro-doubtful:#d29922;--lastro-bad:#ff7b72;--lastro-faint:#9198a1}}
"""


@dataclass(frozen=True, slots=True)
class _Look:
    """How blocks are written: headings from this level on; with a style sheet and ids if it is a page.

    `about` is what the last heading said.
    """

    heading: int
    is_page: bool = False
    about: str = ""


_FRAGMENT = _Look(heading=4)
_PAGE = _Look(heading=2, is_page=True)


def to_html(blocks: Blocks) -> str:
    """One `<div class="lastro">` that holds the blocks."""
    return '<div class="lastro">' + "".join(_block(block, _FRAGMENT) for block in blocks) + "</div>"


def to_page(title: str, blocks: Blocks, *, answer: str = "") -> str:
    """A whole page in the reader's language, to be kept or sent: its title, the answer in a sentence, the blocks."""
    heading = _escaped(title, _PAGE)
    look = replace(_PAGE, about=title)
    parts = [f'<p class="answer">{_escaped(answer, _PAGE)}</p>'] if answer else []
    for block in blocks:
        look = replace(look, about=block.text) if isinstance(block, Title) else look
        parts.append(_block(block, look))
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{language().replace("_", "-")}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>\n{_STYLE}</style>\n</head>\n"
        f'<body>\n<main class="lastro">\n<h1>{heading}</h1>\n{body}\n</main>\n</body>\n</html>\n'
    )


def _block(block: Block, look: _Look) -> str:
    match block:
        case Title():
            return _title(block, look)
        case Line(text, tone):
            return f"<p{_style(tone, None, look)}>{_escaped(text, look)}</p>"
        case Code(text):
            lines = "\n".join(_escaped(line, look) for line in text.split("\n"))
            return f"<pre>{lines}</pre>"
        case Table():
            return _table(block, look)
        case Figure():
            return _pictured(to_svg(block), block.caption, look)
        case Grid():
            return _pictured(grid(block), block.caption, look)


def _pictured(picture: str, caption: str, look: _Look) -> str:
    return f"<figure>{picture}<figcaption>{_escaped(caption, look)}</figcaption></figure>"


def _title(title: Title, look: _Look) -> str:
    tag = f"h{look.heading - 1 + title.level}"
    anchor = f' id="{escape(title.anchor)}"' if look.is_page and title.anchor else ""
    return f"<{tag}{anchor}>{_escaped(title.text, look)}</{tag}>"


def _table(table: Table, look: _Look) -> str:
    if not table.rows:
        return ""
    head = "".join(_heading(column, look) for column in table.columns)
    body = "".join(
        "<tr>" + "".join(_cell(cell, column, look) for cell, column in zip(row, table.columns, strict=True)) + "</tr>"
        for row in table.rows
    )
    written = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    if not look.is_page:
        return written
    # What is wider than the window is scrolled by keyboard, too.
    return f'<div class="wide" role="region" tabindex="0" aria-label="{_escaped(look.about, look)}">{written}</div>'


def _heading(column: Column, look: _Look) -> str:
    if not look.is_page:
        return f'<th scope="col">{_escaped(column.heading, look)}</th>'
    if not column.heading:
        return "<td></td>"
    return f'<th scope="col"{_style(Tone.PLAIN, column, look)}>{_escaped(column.heading, look)}</th>'


def _cell(cell: Cell, column: Column, look: _Look) -> str:
    if cell.share is not None:
        share = min(max(cell.share, 0.0), 1.0)
        hidden = ' aria-hidden="true"' if look.is_page else ""
        return f'<td{hidden}><meter min="0" max="1" value="{share:.4f}">{share:.0%}</meter></td>'
    text = _escaped(cell.text, look)
    if look.is_page and cell.anchor:
        text = f'<a href="#{escape(cell.anchor)}">{text}</a>'
    style = _style(cell.tone, column, look)
    return f'<th scope="row"{style}>{text}</th>' if look.is_page and column.names else f"<td{style}>{text}</td>"


def _style(tone: Tone, column: Column | None, look: _Look) -> str:
    right, fixed = column is not None and column.right, column is not None and column.fixed
    if look.is_page:
        names = [tone.value] * (tone in _COLOURS) + ["right"] * right + ["fixed"] * fixed
        return f' class="{" ".join(names)}"' if names else ""
    rules = [f"color:var(--lastro-{tone.value},{_COLOURS[tone]})"] if tone in _COLOURS else []
    rules += ["text-align:right"] * right
    return f' style="{";".join(rules)}"' if rules else ""


def _escaped(text: str, look: _Look) -> str:
    shown = clean(text)
    return escape(cut(shown, PAGE_CELLS) if look.is_page else shown, quote=True)
