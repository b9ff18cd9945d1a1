"""One tree, two texts: what the engines write differently is decided here and nowhere else.

Rules (for the trees of people's SQL, after the door):

1. A division by zero is NULL, in whole numbers too; a cast that fails is NULL. Overflow is an error of the batch.
2. `date_diff` counts boundaries, as DuckDB does. `strptime` reads exactly its format, else NULL.
3. `log(x)` is to base 10; `regexp_replace` replaces the first match unless `g` is given.
4. `date_trunc` gives a moment without a zone, whatever it was given; what it was given counts as UTC.
5. Regular expressions are written anew in the engine's own syntax.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp

from lastro.engine.sql import clockform, regex
from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type

Dialect = Literal["duckdb", "spark"]
_PRIMITIVES = {
    Primitive.STRING: "TEXT",
    Primitive.LONG: "BIGINT",
    Primitive.INTEGER: "INT",
    Primitive.SHORT: "SMALLINT",
    Primitive.BYTE: "TINYINT",
    Primitive.DOUBLE: "DOUBLE",
    Primitive.FLOAT: "REAL",
    Primitive.BOOLEAN: "BOOLEAN",
    Primitive.BINARY: "BLOB",
    Primitive.DATE: "DATE",
    Primitive.TIMESTAMP: "TIMESTAMPTZ",
    Primitive.TIMESTAMP_NTZ: "TIMESTAMP",
}

_PART = re.compile(r":([a-z]\w*)")


@lru_cache(maxsize=512)
def _parsed(template: str) -> exp.Expr:
    # The prefix keeps a part's name from being read as a keyword (`:inner END`).
    return sqlglot.parse_one(_PART.sub(r":part_\1", template), read="duckdb")


def build(template: str, **parts: exp.Expr) -> exp.Expr:
    """A tree from a template in DuckDB's SQL, in which `:name` stands for a part."""
    tree = _parsed(template).copy()
    for node in list(tree.find_all(exp.Placeholder)):
        part = parts[node.name.removeprefix("part_")].copy()
        if node is tree:
            return part
        needs_parentheses = isinstance(part, (exp.Binary, exp.Not, exp.Between, exp.In)) and not isinstance(
            part, exp.Dot
        )
        node.replace(exp.Paren(this=part) if needs_parentheses else part)
    return tree


def column(name: str) -> exp.Column:
    """A quoted column."""
    return exp.column(exp.to_identifier(name, quoted=True))


def text(value: str) -> exp.Literal:
    """A text literal."""
    return exp.Literal.string(value)


def full_match(value: exp.Expr, pattern: str) -> exp.Expr:
    """True if the whole text matches a pattern of ours, which needs no check."""
    return exp.RegexpFullMatch(this=value.copy(), expression=text(pattern))


def try_cast(value: exp.Expr, kind: Type) -> exp.Expr:
    """The value as `kind` by the engine's own rules, NULL where it cannot be."""
    return exp.TryCast(this=value.copy(), to=data_type(kind), safe=True)


def data_type(kind: Type) -> exp.DataType:
    """The type as sqlglot knows it."""
    return exp.DataType.build(_type_text(kind), dialect="duckdb")


def _type_text(kind: Type) -> str:
    match kind:
        case Primitive():
            return _PRIMITIVES[kind]
        case Decimal(precision, scale):
            return f"DECIMAL({precision}, {scale})"
        case ListOf(item):
            return f"{_type_text(item)}[]"
        case MapOf(key, value):
            return f"MAP({_type_text(key)}, {_type_text(value)})"
        case StructOf(fields):
            members = ", ".join(f"{quoted(field.name)} {_type_text(field.type)}" for field in fields)
            return f"STRUCT({members})"


def quoted(name: str, *, dialect: Dialect = "duckdb") -> str:
    """A name between the dialect's quotes."""
    return exp.to_identifier(name, quoted=True).sql(dialect=dialect)


def render(tree: exp.Expr, dialect: Dialect, *, pretty: bool = False) -> str:
    """The tree as text of a dialect. The tree itself is left as it was."""
    adapted = exp.Paren(this=tree.copy())
    adapt = _duckdb if dialect == "duckdb" else _spark
    for node in reversed(list(adapted.walk())):  # leaves first: what is put in place is not visited again
        if node is not adapted and (other := adapt(node)) is not node:
            node.replace(other)
    result: str = adapted.this.sql(dialect=dialect, pretty=pretty, comments=False, normalize_functions="upper")
    return result


def _shared(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Cast() if type(node) is exp.Cast and not isinstance(node.this, exp.Literal):
            return exp.TryCast(this=node.this, to=node.args["to"], safe=True)
        case exp.Div() | exp.IntDiv() | exp.Mod() if not _is_number(node.expression):
            node.set("expression", exp.Nullif(this=node.expression.copy(), expression=exp.Literal.number(0)))
            return node
        case exp.TimestampTrunc() | exp.DateTrunc():
            return try_cast(node, Primitive.TIMESTAMP_NTZ)
        case exp.StrToTime():
            return _read_clock(node.this, node.args["format"].name)
        case exp.Anonymous() if str(node.this).lower() == "try_strptime":
            return _read_clock(node.expressions[0], node.expressions[1].name)
        case _:
            return node


def _is_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) != 0


def _read_clock(value: exp.Expr, form: str) -> exp.Expr:
    return exp.Anonymous(this=READ_CLOCK, expressions=[value.copy(), text(form)])


def _duckdb_clock(value: exp.Expr, form: clockform.ClockForm) -> exp.Expr:
    """A text to be trimmed of blanks is mostly well formed without that, which costs as much as reading it."""
    of_blanks = isinstance(value, exp.Trim) and value.expression == text(" \t")
    tries = [value.this, value] if of_blanks else [value]
    branches = "".join(f" WHEN regexp_full_match(:x{n}, :p) THEN try_strptime(:y{n}, :f)" for n in range(len(tries)))
    texts = {f"x{n}": each for n, each in enumerate(tries)}
    read = {f"y{n}": _without_weekday(each, form) for n, each in enumerate(tries)}
    return build(f"CASE{branches} END", p=text(form.pattern), f=text(form.bare), **texts, **read)


def _without_weekday(value: exp.Expr, form: clockform.ClockForm) -> exp.Expr:
    if not form.dropped:
        return value.copy()
    return build("regexp_replace(:x, :p, '')", x=value, p=text(form.dropped))


WITHOUT_ACCENTS = "lastro_without_accents"
"""Stands in trees for 'the text without marks over, under or in its letters': decomposed, marks dropped, composed."""
READ_CLOCK = "lastro_read_clock"
"""Stands in trees for 'the text read by this strptime format'; each dialect writes its own formula."""


def _duckdb(node: exp.Expr) -> exp.Expr:
    node = _shared(node)
    match node:
        case exp.Anonymous(this="lastro_read_clock"):
            return _duckdb_clock(node.expressions[0], clockform.read(node.expressions[1].name, where=""))
        case exp.RegexpLike() | exp.RegexpFullMatch() | exp.RegexpExtract() | exp.RegexpReplace():
            node.set("expression", text(regex.read(node.expression.name, where="").re2))
            return node
        case exp.DateFromParts():
            return exp.Try(this=node.copy())
        case exp.Anonymous(this="lastro_without_accents"):
            return exp.Anonymous(this="strip_accents", expressions=[node.expressions[0].copy()])
        case _:
            return node


def _spark(node: exp.Expr) -> exp.Expr:  # one arm per difference
    node = _shared(node)
    match node:
        case exp.Anonymous(this="lastro_read_clock"):
            value, form = node.expressions[0], clockform.read(node.expressions[1].name, where="")
            kind = Primitive.TIMESTAMP if form.has_zone else Primitive.TIMESTAMP_NTZ
            moment = exp.Anonymous(
                this="try_to_timestamp", expressions=[_without_weekday(value, form), text(form.java)]
            )
            return build("CASE WHEN :m THEN :t END", m=_java_whole(value, form.pattern), t=try_cast(moment, kind))
        case exp.RegexpFullMatch():
            return _java_whole(node.this, node.expression.name)
        case exp.RegexpLike():
            node.set("expression", text(regex.read(node.expression.name, where="").java))
            return node
        case exp.RegexpExtract():
            group = node.args.get("group") or exp.Literal.number(0)
            pattern = text(regex.read(node.expression.name, where="").java)
            return exp.Anonymous(this="regexp_extract", expressions=[node.this.copy(), pattern, group.copy()])
        case exp.RegexpReplace():
            return _spark_replace(node)
        case exp.Log() if node.args.get("expression") is None:
            return exp.Anonymous(this="log10", expressions=[node.this.copy()])
        case exp.DateDiff():
            return _spark_date_diff(node)
        case exp.TimeToStr():
            form = clockform.read(node.args["format"].name, where="")
            return exp.Anonymous(this="date_format", expressions=[node.this.copy(), text(form.java_written)])
        case exp.DateFromParts():
            parts = [node.args[name].copy() for name in ("year", "month", "day")]
            written = exp.Anonymous(this="format_string", expressions=[text("%04d-%02d-%02d"), *parts])
            return try_cast(written, Primitive.DATE)
        case exp.Anonymous(this="lastro_without_accents"):
            return _spark_without_accents(node.expressions[0])
        case _:
            return node


def _spark_without_accents(value: exp.Expr) -> exp.Expr:
    accented, bare = _accented()
    letters = exp.Anonymous(this="translate", expressions=[value.copy(), text(accented), text(bare)])
    return exp.Anonymous(this="regexp_replace", expressions=[letters, text(r"\p{M}+"), text("")])


@lru_cache(maxsize=1)
def _accented() -> tuple[str, str]:
    """The letters that have marks in them, and the same ones without."""
    pairs = []
    for letter in map(chr, (*range(0x80, 0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x30000))):
        parts = unicodedata.normalize("NFD", letter)
        bare = unicodedata.normalize("NFC", "".join(each for each in parts if unicodedata.category(each)[0] != "M"))
        if bare != letter and len(bare) == 1:
            pairs.append((letter, bare))
    return "".join(letter for letter, _bare in pairs), "".join(bare for _letter, bare in pairs)


def _java_whole(value: exp.Expr, pattern: str) -> exp.Expr:
    return exp.RegexpLike(this=value.copy(), expression=text(regex.read(pattern, where="").java_whole))


def _spark_replace(node: exp.RegexpReplace) -> exp.Expr:
    pattern = regex.read(node.expression.name, where="")
    everywhere = "g" in (node.args["modifiers"].name if node.args.get("modifiers") else "")
    java = pattern.java if everywhere else rf"\A(?s:(.*?))(?:{pattern.java})"
    written = regex.replacement(node.args["replacement"].name, pattern, where="", shift=0 if everywhere else 1)
    parts = [node.this.copy(), text(java), text(written if everywhere else "$1" + written)]
    return exp.Anonymous(this="regexp_replace", expressions=parts)


def _spark_date_diff(node: exp.DateDiff) -> exp.Expr:
    """Spark counts whole units that have passed; between truncated moments that is the number of boundaries."""
    unit = node.args["unit"].name.upper() if node.args.get("unit") else "DAY"
    ends = [
        exp.Anonymous(this="date_trunc", expressions=[text(unit), moment.copy()])
        for moment in (node.expression, node.this)
    ]
    return exp.Anonymous(this="timestampdiff", expressions=[exp.Var(this=unit), *ends])
