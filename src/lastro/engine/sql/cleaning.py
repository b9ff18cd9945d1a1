"""What cleaning does to each row, as bits beside those of the rules, so that one scan counts it.

Rules:

1. Of each column that `model.cleaning` counts there are `KINDS` bits: missing before, missing after, changed.
   `COLUMNS_PER_WORD` columns share a word.
2. Which columns are counted is told by the plan alone: all sources of a batch have the same words.
3. A text that begins with a character after the blank is not blank: comparing is cheap, and trims few texts. A value
   that is there and stays as it is has no bit; only of others is more asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlglot import exp

from lastro.engine.sql import bits
from lastro.engine.sql.dialect import build, text
from lastro.model.cleaning import Cleaned
from lastro.model.plan import CastHolds, ColumnPlan, Plan
from lastro.model.schema import Decimal, Primitive, Type

KINDS = 3
COLUMNS_PER_WORD = 20
Side = tuple[exp.Expr, Type | None]
"""A value in the layers and its type; None: it is always NULL."""


def before(each: ColumnPlan, read: Collection[str], plan: Plan) -> str | None:
    """The source's column that this one cleans, of those that its expression reads, in small letters; None if it cleans
    none.
    """
    names = {name.casefold() for name in read}
    if each.source.casefold() in names:
        return each.source.casefold()
    others = {other.source.casefold() for other in plan.columns if other.name != each.name}
    return names.pop() if len(names) == 1 and others.isdisjoint(names) else None


def comparable(one: Type | None, other: Type | None) -> bool:
    """Whether values of these types can be told from each other, the same in both engines."""
    return one is None or other is None or (one == other and isinstance(one, Primitive | Decimal))


def words(columns: Sequence[tuple[Side, Side]]) -> list[exp.Expr]:
    """The bits of these columns, each a value as it arrived and as cleaning left it, word by word."""
    starts = range(0, len(columns), COLUMNS_PER_WORD)
    return [
        bits.word(bits.total([_bits(*each, KINDS * at) for at, each in enumerate(columns[start:][:COLUMNS_PER_WORD])]))
        for start in starts
    ]


def _bits(raw: Side, made: Side, first: int) -> exp.Expr:
    found = bits.summed((_missing(*raw), _missing(*made), _changed(raw, made)), first=first)
    if raw[1] is None or made[1] is None or not comparable(raw[1], made[1]):
        return found
    same = ":x >= '!' AND :x = :y" if raw[1] == Primitive.STRING else ":x = :y"
    return build(f"CASE WHEN {same} THEN CAST(0 AS BIGINT) ELSE :found END", x=raw[0], y=made[0], found=found)


def _missing(value: exp.Expr, kind: Type | None) -> exp.Expr:
    if kind is None:
        return exp.true()
    if kind != Primitive.STRING:
        return build(":x IS NULL", x=value)
    bare = exp.Trim(this=value.copy(), expression=text(" \t"))
    return build("CASE WHEN :x < '!' THEN :bare = '' ELSE :x IS NULL END", x=value, bare=bare)


def _changed(raw: Side, made: Side) -> exp.Expr:
    if not comparable(raw[1], made[1]):
        return exp.false()
    if raw[1] is None or made[1] is None:
        there = [build(":x IS NOT NULL", x=value) for value, kind in (raw, made) if kind is not None]
        return there[0] if there else exp.false()
    return build(":x IS DISTINCT FROM :y", x=raw[0], y=made[0])


def totals(
    columns: Sequence[Sequence[tuple[str, bool]]],
    counts: Sequence[int],
    plan: Plan,
    rows: int,
    refused: Mapping[str, int],
) -> tuple[Cleaned, ...]:
    """What cleaning did: `counts` are how many of these `rows` have each bit. `columns` are, for each source, the names
    in the order of the bits, with whether their values were compared.
    """
    unreadable = {
        rule.condition.column: refused.get(rule.name, 0)
        for rule in plan.row_rules
        if isinstance(rule.condition, CastHolds)
    }
    found = []
    for index, name in enumerate(name for name, _compared in (columns[0] if columns else ())):
        missing, left, changed = counts[index * KINDS : (index + 1) * KINDS]
        compared = all(each[index][1] for each in columns)
        found.append(Cleaned(name, rows, missing, left, changed if compared else None, unreadable.get(name, 0)))
    return tuple(found)
