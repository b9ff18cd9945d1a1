"""Plans compiled to one SELECT: from the source's columns to the dataset's, with one bit for each broken rule.

Rules:

1. The layers, from the inside: the source's columns under names that meet no other (`_raw_0` …), people's expressions
   (`_made_0` …), trials of casts (`_trial_0` …), the dataset's columns, parts of conditions (`_part_0` …), the
   bits, and last the record of a refused row.
2. Bits are numbered in the plan's order, `BITS_PER_WORD` to a column: `_bits_0`, `_bits_1` … A row is refused if it
   breaks a rule whose policy is `quarantine`; rules that warn or fail only count.
3. A rule that no row can break (the cast of a text to a text) has its bit, but costs nothing.
4. `record` is the JSON object of all the source's columns, each as the text its cast would read; NULL unless refused.
5. Columns of `Plan.absent` that the source does not have are NULL. A source's column `REST` is the whole record where
   it has members that the plan does not read; it is then the record of a refused row, too.
6. Both dialects are written from the same trees.
7. What cleaning does to a row is told by bits of their own, `_marks_0` … (`cleaning`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

from lastro.engine.protocol import REST
from lastro.engine.sql import bits, cast, cleaning, condition, counting, door, infer
from lastro.engine.sql.dialect import Dialect, build, column, quoted, render, text, try_cast
from lastro.model.errors import SourceBroken
from lastro.model.finding import Policy
from lastro.model.plan import CastHolds, ColumnPlan, Foreseen, Plan
from lastro.model.schema import Field, ListOf, MapOf, Primitive, Schema, StructOf, Type
from lastro.model.text import _

BITS_PER_WORD = 62
MADE = "made_{}"
NEVER = "FALSE"
"""How a rule that no row can break is written, in both dialects."""


@dataclass(frozen=True, slots=True)
class CompiledBatch:
    """A plan over a source, as SQL texts of one dialect.

    `cleaned` gives each column of the dataset as one expression over the source's columns. `broken` gives for each row
    rule, in the plan's order, when a row breaks it: over the dataset's columns and the layers' own (`layers`). `bits`
    and `record` are names of columns of `select`; they begin with `prefix`, with which no column of source or dataset
    begins. `marks` are the names of those that tell what cleaning did, and `marked` the columns of which they tell it,
    with whether their values are compared. Over the columns of `select`, `refused` is true for rows that go to
    quarantine, and `clean_record_sql` is the JSON object of the dataset's columns as texts (a quarantined row's
    `record` in the form `clean`).
    """

    dialect: Dialect
    prefix: str
    names: tuple[str, ...]
    rules: tuple[str, ...]
    cleaned: tuple[tuple[str, str], ...]
    broken: tuple[tuple[str, str], ...]
    layers: tuple[tuple[tuple[str, str], ...], ...]
    bits: tuple[str, ...]
    marks: tuple[str, ...]
    marked: tuple[tuple[str, bool], ...]
    record: str
    record_sql: str
    clean_record_sql: str
    refused: str

    def select(self, relation: str, *, carry: Sequence[str] = ()) -> str:
        """One SELECT over `relation` (SQL text: a quoted name, a function call, a sub-select between parentheses).

        Its columns: the dataset's in order, then `bits` and `marks` (BIGINT), then `record` (text), then those of
        `carry`, which are columns of `relation` handed through, such as a position, named by neither source nor
        dataset.
        """
        carried = [quoted(name, dialect=self.dialect) for name in carry]
        body = self._body(relation, self.layers, carried)
        kept = [quoted(name, dialect=self.dialect) for name in (*self.names, *self.bits, *self.marks)]
        record = f"CASE WHEN {self.refused} THEN {self.record_sql} END AS {quoted(self.record, dialect=self.dialect)}"
        return f"SELECT {', '.join([*kept, record, *carried])} FROM ({body}) AS layer"

    def tally(self, relation: str) -> str:
        """One SELECT over `relation` that gives one row: how many rows there are, then how many break each rule.

        Nothing is grouped and no record is made: the counts share one pass over the columns that rules read.
        """
        counts = ["COUNT(*)"]
        for _name, broken in self.broken:
            counts.append("0" if broken == NEVER else f"COUNT(*) FILTER (WHERE {broken})")
        return f"SELECT {', '.join(counts)} FROM ({self._body(relation, self.layers[:-1], [])}) AS layer"

    def tidied(self, relation: str, *, carry: Sequence[str] = ()) -> str:
        """One SELECT over `relation`: the dataset's columns, then those of `carry`, without looking at any rule."""
        made = [f"{sql} AS {quoted(name, dialect=self.dialect)}" for name, sql in self.cleaned]
        carried = [quoted(name, dialect=self.dialect) for name in carry]
        return f"SELECT {', '.join([*made, *carried])} FROM {relation}"

    def rules_of(self, words: Sequence[int]) -> tuple[str, ...]:
        """The names of the rules whose bits are set in one row's `bits`."""
        return tuple(
            rule for index, rule in enumerate(self.rules) if words[index // BITS_PER_WORD] >> index % BITS_PER_WORD & 1
        )

    def _body(self, relation: str, layers: Sequence[Sequence[tuple[str, str]]], carried: Sequence[str]) -> str:
        body = f"SELECT {self._items(layers[0], carried)} FROM {relation}"
        for layer in layers[1:]:
            if layer:
                body = f"SELECT *, {self._items(layer, [])} FROM ({body}) AS layer"
        return body

    def _items(self, layer: Sequence[tuple[str, str]], more: Sequence[str]) -> str:
        return ", ".join([f"{sql} AS {quoted(name, dialect=self.dialect)}" for name, sql in layer] + list(more))


def compile_batch(plan: Plan, source: Schema, *, dialect: Dialect, carry: Sequence[str] = ()) -> CompiledBatch:
    """Compiles a plan for a source with these columns. `carry` names what `select` will hand through.

    Raises `SourceBroken` for columns that are not there or cannot be cast, `SqlRefused`, `ContractError`.
    """
    return _compiled(plan, source, dialect, tuple(carry))


@lru_cache(maxsize=64)
def _compiled(plan: Plan, source: Schema, dialect: Dialect, carry: tuple[str, ...]) -> CompiledBatch:
    """Plans and compiled batches are values: small batches, one after another, are compiled once."""
    return _Compiler(plan, source, dialect, carry).compile()


def explain(plan: Plan, *, source: Schema | None = None, dialect: Dialect = "duckdb") -> str:
    """The SELECT a plan compiles to, over columns of text unless `source` is given, formatted for reading."""
    import sqlglot

    batch = compile_batch(plan, source or _assumed(plan), dialect=dialect)
    tree = sqlglot.parse_one(batch.select("source"), read=dialect)
    rules = [f"-- bit {index}: {name}" for index, name in enumerate(batch.rules)]
    return "\n".join([*rules, tree.sql(dialect=dialect, pretty=True)])


@lru_cache(maxsize=64)
def check(plan: Plan) -> None:
    """Checks every SQL text, pattern, format and literal of a plan. Raises `SqlRefused`, `ContractError`."""
    compile_batch(plan, _assumed(plan), dialect="duckdb")
    for rule in plan.table_rules:
        counting.table_rule(rule, plan.schema, "source", table=plan.dataset, dialect="duckdb")


def _assumed(plan: Plan) -> Schema:
    return Schema(tuple(Field(name, Primitive.STRING) for name in source_columns(plan)))


def source_columns(plan: Plan) -> tuple[str, ...]:
    """The source's columns that the plan reads, in its order, those it ignores, and `REST` if a rule asks for it.

    Raises `SqlRefused`.
    """
    read = read_columns(plan)
    alike = {name.casefold() for name in read}
    names = (*read, *(name for name in sorted(plan.ignored) if name.casefold() not in alike))
    asks = any(isinstance(rule.condition, Foreseen) for rule in plan.row_rules)
    return (*names, REST) if asks else names


def unread(plan: Plan, sources: Sequence[Schema]) -> tuple[str, ...]:
    """The columns of these sources that the plan neither reads nor ignores."""
    known = {*read_columns(plan), *plan.ignored, REST}
    return tuple(dict.fromkeys(name for schema in sources for name in schema.names if name not in known))


def read_columns(plan: Plan) -> tuple[str, ...]:
    """The source's columns that the plan reads, in the plan's order. Raises `SqlRefused`."""
    names: dict[str, None] = {}
    for each in plan.columns:
        if each.expression is None:
            names[each.source] = None
            continue
        names |= dict.fromkeys(_read_by(plan, each, each.expression))
    return tuple(names)


def _read_by(plan: Plan, each: ColumnPlan, expression: str) -> tuple[str, ...]:
    """The source's columns that an expression reads, each once."""
    tree = door.expression(expression, columns=None, where=_where(plan, each))
    return tuple(dict.fromkeys(found.name for found in tree.find_all(exp.Column)))


def _where(plan: Plan, each: ColumnPlan) -> str:
    return f"{plan.dataset}.{each.name} transformLogic"


def _unreadable(plan: Plan) -> frozenset[str]:
    """The columns of which a value that cannot be cast never stays in a kept row."""
    rules = [rule for rule in plan.row_rules if rule.policy is not Policy.WARN]
    return frozenset(rule.condition.column for rule in rules if isinstance(rule.condition, CastHolds))


class _Compiler:
    """One compilation's state: the names in use and the layers as they grow."""

    def __init__(self, plan: Plan, source: Schema, dialect: Dialect, carry: Sequence[str]) -> None:
        self.plan = plan
        self.given = source
        self.source = _with_absent(plan, source)
        self.dialect = dialect
        self.prefix = _free_prefix([*plan.schema.names, *self.source.names, *carry])
        self.raw = {field.name: f"{self.prefix}raw_{index}" for index, field in enumerate(self.source.fields)}
        self.made: dict[str, exp.Expr] = {}
        self.trials: dict[str, exp.Expr] = {}
        self.cleaned: dict[str, exp.Expr] = {}
        self.inlined: dict[str, exp.Expr] = {}
        self.failed: dict[str, exp.Expr | None] = {}
        self.marked: dict[str, bool] = {}
        self.sides: list[tuple[cleaning.Side, cleaning.Side]] = []
        self.parts: list[dict[str, exp.Expr]] = []
        self.part_of: dict[exp.Expr, str] = {}

    def compile(self) -> CompiledBatch:
        self._check_source()
        for index, each in enumerate(self.plan.columns):
            self._clean(index, each)
        row = condition.Row(
            {each.name: each for each in self.plan.columns},
            self.failed.__getitem__,
            _unreadable(self.plan),
            self._unforeseen(),
            self._part,
        )
        broken = [(rule.name, condition.broken(rule.condition, row, rule=rule.name)) for rule in self.plan.row_rules]
        words = self._words([tree for _name, tree in broken])
        marks = {f"{self.prefix}marks_{index}": tree for index, tree in enumerate(cleaning.words(self.sides))}
        layers: tuple[Mapping[str, exp.Expr], ...] = (
            {alias: column(name) if name in self.given.names else exp.null() for name, alias in self.raw.items()},
            self.made,
            self.trials,
            self.cleaned,
            *self.parts,
            words | marks,
        )
        return CompiledBatch(
            self.dialect,
            self.prefix,
            names=self.plan.schema.names,
            rules=tuple(name for name, _tree in broken),
            cleaned=self._texts(self.inlined),
            broken=tuple((name, self._text(tree if tree is not None else exp.false())) for name, tree in broken),
            layers=tuple(self._texts(layer) for layer in layers),
            bits=tuple(words),
            marks=tuple(marks),
            marked=tuple(self.marked.items()),
            record=f"{self.prefix}record",
            record_sql=self._text(self._record()),
            clean_record_sql=self._text(self._clean_record()),
            refused=self._text(self._refused(tuple(words))),
        )

    def _text(self, tree: exp.Expr) -> str:
        return render(tree, self.dialect)

    def _texts(self, layer: Mapping[str, exp.Expr]) -> tuple[tuple[str, str], ...]:
        return tuple((name, self._text(tree)) for name, tree in layer.items())

    def _check_source(self) -> None:
        alike: dict[str, str] = {}
        for name in self.source.names:
            other = alike.setdefault(name.casefold(), name)
            if other != name:  # SQL takes the one for the other, and reads the first of them twice
                raise SourceBroken(
                    _("the source has columns that differ by letter case only: {first!r} and {second!r}").format(
                        first=other, second=name
                    ),
                    where=self.plan.dataset,
                    do=_("rename one of them at the source"),
                )
        missing = [each.source for each in self.plan.columns if each.expression is None and each.source not in self.raw]
        if not missing:
            return
        near = difflib.get_close_matches(missing[0], self.source.names, 1)
        raise SourceBroken(
            _("the source has no column {names}").format(names=", ".join(repr(name) for name in missing[:10])),
            where=self.plan.dataset,
            do=_("did you mean {near!r}? Set physicalName in the contract to the source's name").format(near=near[0])
            if near
            else _("the source has: {names}").format(names=", ".join(self.source.names[:20])),
        )

    def _clean(self, index: int, each: ColumnPlan) -> None:
        origin, plain = self._origin(each)
        named = self._named(index, each, plain)
        trial_name = f"{self.prefix}trial_{index}"
        trial = column(trial_name)
        made = cast.strict(named, origin, each, trial=trial, dialect=self.dialect)
        if made.trial is not None:
            self.trials[trial_name] = made.trial
        self.cleaned[each.name] = made.value
        failed = build(":c IS NULL AND :x IS NOT NULL", c=column(each.name), x=named)
        self.failed[each.name] = None if made.total else failed
        whole = cast.strict(plain, origin, each, trial=trial, dialect=self.dialect)
        self.inlined[each.name] = cast.inline(whole, trial=trial)
        self._mark(each, named, origin)

    def _mark(self, each: ColumnPlan, made: exp.Expr, kind: Type | None) -> None:
        """What cleaning does to this column, if it is one that is cleaned."""
        if each.expression is None:
            return
        cleaned = cleaning.before(each, _read_by(self.plan, each, each.expression), self.plan)
        source = next((name for name in self.raw if name.casefold() == cleaned), None)
        if source is None:
            return
        raw = self.given.field(source).type if source in self.given.names else None
        self.marked[each.name] = cleaning.comparable(raw, kind)
        self.sides.append(((column(self.raw[source]), raw), (made, kind)))

    def _origin(self, each: ColumnPlan) -> tuple[Type | None, exp.Expr]:
        """The type and tree of what is cast, over the source's own columns."""
        if each.expression is None:
            is_there = each.source in self.given.names
            return self.given.field(each.source).type if is_there else None, column(each.source)
        tree = door.expression(each.expression, columns=self.source.names, where=_where(self.plan, each))
        if type(tree) is exp.Cast and infer.cast_type(tree) == each.type:
            tree = tree.this  # the column's own strict cast takes this one's place, so that a failure is seen
        types = {field.name: field.type for field in self.given.fields}
        return infer.type_of(tree, types), infer.days_between(tree, types)

    def _named(self, index: int, each: ColumnPlan, plain: exp.Expr) -> exp.Expr:
        """What is cast, as a column of the layers."""
        if each.expression is None:
            return column(self.raw[each.source])

        def renamed(node: exp.Expr) -> exp.Expr:
            return column(self.raw[node.name]) if isinstance(node, exp.Column) else node

        name = f"{self.prefix}{MADE.format(index)}"
        self.made[name] = plain.transform(renamed)
        return column(name)

    def _part(self, tree: exp.Expr, layer: int) -> exp.Expr:
        """A tree that conditions use more than once, as a column of a layer of its own; equal trees are one."""
        if tree not in self.part_of:
            self.parts += [{} for _missing in range(layer + 1 - len(self.parts))]
            self.part_of[tree] = f"{self.prefix}part_{len(self.part_of)}"
            self.parts[layer][self.part_of[tree]] = tree
        return column(self.part_of[tree])

    def _words(self, broken: Sequence[exp.Expr | None]) -> dict[str, exp.Expr]:
        words: dict[str, exp.Expr] = {}
        for start in range(0, max(len(broken), 1), BITS_PER_WORD):
            words[f"{self.prefix}bits_{start // BITS_PER_WORD}"] = bits.word(
                bits.summed(broken[start : start + BITS_PER_WORD])
            )
        return words

    def _refused(self, words: Sequence[str]) -> exp.Expr:
        """Whether any bit is set that belongs to a rule with policy `quarantine`."""
        masks = [0] * len(words)
        for index, rule in enumerate(self.plan.row_rules):
            if rule.policy is Policy.QUARANTINE:
                masks[index // BITS_PER_WORD] |= 1 << index % BITS_PER_WORD
        parts = [
            build(f"(:w & CAST({mask} AS BIGINT)) <> 0", w=column(name))
            for name, mask in zip(words, masks, strict=True)
            if mask
        ]
        return exp.or_(*parts) if parts else exp.false()

    def _record(self) -> exp.Expr:
        own = [each for each in self.given.fields if each.name != REST]
        record = _json([(each.name, column(self.raw[each.name]), each.type) for each in own], self.dialect)
        return build("COALESCE(:w, :r)", w=column(self.raw[REST]), r=record) if REST in self.raw else record

    def _unforeseen(self) -> tuple[exp.Expr, ...]:
        """The source's columns that the plan does not read, in the layers."""
        if REST in self.raw:
            return (column(self.raw[REST]),)
        return tuple(column(self.raw[name]) for name in unread(self.plan, [self.given]))

    def _clean_record(self) -> exp.Expr:
        return _json([(each.name, column(each.name), each.type) for each in self.plan.schema.fields], self.dialect)


def _with_absent(plan: Plan, source: Schema) -> Schema:
    """The source's columns, and those that it does not have but may lack."""
    missing = [name for name in read_columns(plan) if name in plan.absent and name not in source.names]
    return Schema((*source.fields, *(Field(name, Primitive.STRING) for name in missing))) if missing else source


def _json(members: Sequence[tuple[str, exp.Expr, Type]], dialect: Dialect) -> exp.Expr:
    """A JSON object's text; every member is a text or null."""
    parts = [part for name, value, kind in members for part in (text(name), recorded(value, kind, dialect))]
    if dialect == "duckdb":
        return try_cast(exp.Anonymous(this="json_object", expressions=parts), Primitive.STRING)
    options = exp.Anonymous(this="map", expressions=[text("ignoreNullFields"), text("false")])
    struct = exp.Anonymous(this="named_struct", expressions=parts)
    return exp.Anonymous(this="to_json", expressions=[struct, options])


def recorded(value: exp.Expr, kind: Type, dialect: Dialect) -> exp.Expr:
    """A value as a record holds it: the text that its cast would read, of a nested value JSON."""
    if isinstance(kind, (ListOf, MapOf, StructOf)):
        made: exp.Expr = exp.Anonymous(this="to_json", expressions=[value])
        return try_cast(made, Primitive.STRING) if dialect == "duckdb" else made
    return cast.as_text(value, kind)


def _free_prefix(names: Sequence[str]) -> str:
    """The shortest run of underscores, one at least, with which none of the names begins."""
    prefix = "_"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix
