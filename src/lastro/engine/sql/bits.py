"""Words of bits: several answers about one row in one whole number."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from lastro.engine.sql.dialect import build


def summed(flags: Sequence[exp.Expr | None], *, first: int = 0) -> exp.Expr:
    """A number with one bit for each flag that is true, the lowest of them `first`; None is never true."""
    parts = [
        build(f"CASE WHEN :b THEN CAST({1 << bit} AS BIGINT) ELSE 0 END", b=tree)
        for bit, tree in enumerate(flags, start=first)
        if tree is not None
    ]
    return total(parts)


def total(parts: Sequence[exp.Expr]) -> exp.Expr:
    """The sum of these numbers."""
    if not parts:
        return exp.Literal.number(0)
    made = parts[0]
    for part in parts[1:]:
        made = exp.Add(this=made, expression=part)
    return made


def word(number: exp.Expr) -> exp.Expr:
    """The number as a column holds it."""
    return exp.Cast(this=exp.Paren(this=number), to=exp.DataType.build("BIGINT"))
