"""Markdown: blocks are told, and no text is obeyed."""

from __future__ import annotations

import pytest

from lastro.report.blocks import Cell, Code, Column, Figure, Grid, Line, Series, Title, Tone, bar, table
from lastro.report.markdown import to_markdown


def test_every_block_is_told() -> None:
    blocks = (
        Title("Columns"),
        Title("income", level=2),
        Line("3 columns", Tone.GOOD),
        Code("SELECT *\nFROM loans"),
        table((Column("column"), Column("rows", right=True)), (("uf", "1,200"), ("", bar(1, 4)))),
        Figure("income", "most lie low", (Series("now", (0.75, 0.25)),), ends=("0", "100")),
        Grid("together", "a and b go together", ("a", "b"), ((1.0, 0.5), (0.5, 1.0))),
    )

    told = to_markdown("Loans", blocks, answer="all is well")

    assert told.startswith(
        "# Loans\n\n**all is well**\n\n## Columns\n\n### income\n\n3 columns\n\n    SELECT *\n    FROM loans\n"
    )
    assert "| column | rows |\n| --- | ---: |\n| uf | 1,200 |\n| – | 25 % |" in told
    assert "income: most lie low\n\n|  | now |\n| --- | ---: |\n| 0 | 75 % |\n| 100 | 25 % |" in told
    assert told.endswith("together: a and b go together\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", "a\\|b"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("[here](http://x)", "\\[here\\](http://x)"),
        ("*bold* _it_ `c` ~~s~~ $m$", "\\*bold\\* \\_it\\_ \\`c\\` \\~\\~s\\~\\~ \\$m\\$"),
        ("# no title", "\\# no title"),
        ("- no list", "\\- no list"),
        ("12. no list", "12\\. no list"),
        ("> no quotation", "\\> no quotation"),
        ("one\ntwo\x1b[31m", "one\\\\ntwo\\\\x1b\\[31m"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_no_text_is_obeyed(text: str, written: str) -> None:
    assert to_markdown("t", (Line(text),)) == f"# t\n\n{written}\n"
    assert written in to_markdown("t", (table((Column("c"),), ((Cell(text),),)),))
