"""The one door for SQL that people write: contracts, cleaning expressions, conditions of `read`.

Rules:

1. A text is parsed, compared node by node with an allow-list, and only the tree is handed on: what runs is generated
   from the tree, never the text itself. Comments are dropped, every name is quoted.
2. What is not listed is refused: `SqlRefused` says where, what, and what may be used instead.
3. No clock, no randomness, no settings, no files, no other table: a version is a function of its inputs.
4. At most 10,000 characters, 2,000 nodes, nested 64 deep; checked on tokens before the parser may recurse.
5. An expression sees columns only. A query is one SELECT over one table; it may hold sub-selects over the same table.
6. Columns must exist. A name is matched exactly, else without regard to case if that is unambiguous.
7. Regular expressions, formats and units are literals, checked here and written for each engine (see `dialect`).
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from lastro.engine.sql import clockform, regex
from lastro.model.errors import SqlRefused
from lastro.model.text import _

# The parser logs texts it does not know; what a person wrote belongs in an error for that person, not in a log.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

LENGTH_MAX = 10_000
NODES_MAX = 2_000
DEPTH_MAX = 64
TABLE = "data"
"""The name by which a query's tree knows its table, whatever the person called it."""

_VALUES: frozenset[type[exp.Expr]] = frozenset(
    {exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Var}
)
_OPERATORS: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.NullSafeEQ,
        exp.NullSafeNEQ, exp.Between, exp.In, exp.Like, exp.ILike, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv,
        exp.Mod, exp.Pow, exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Interval, exp.Bracket, exp.Dot,
    }
)  # fmt: skip
_TYPES: frozenset[type[exp.Expr]] = frozenset({exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam})
_FUNCTIONS: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.Trim, exp.Upper, exp.Lower, exp.Replace, exp.RegexpReplace, exp.RegexpExtract, exp.RegexpLike,
        exp.RegexpFullMatch, exp.Substring, exp.Left, exp.Right, exp.Length, exp.Concat, exp.SplitPart, exp.Pad,
        exp.StartsWith, exp.EndsWith, exp.Contains, exp.StrPosition, exp.Translate, exp.Reverse, exp.Coalesce,
        exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sqrt, exp.Ln, exp.Log,
        exp.Exp, exp.Sign, exp.TimestampTrunc, exp.DateTrunc, exp.Extract, exp.DateDiff, exp.StrToTime, exp.TimeToStr,
        exp.DateFromParts, exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute, exp.Second, exp.ArraySize,
    }
)  # fmt: skip
_NAMED_FUNCTIONS = frozenset({"try_strptime", "date_part"})
_AGGREGATES: frozenset[type[exp.Expr]] = frozenset(
    {exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median, exp.Stddev, exp.Variance, exp.Filter}
)
_CLAUSES: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Where, exp.Group, exp.Having, exp.Subquery, exp.Alias,
        exp.Star, exp.Distinct,
    }
)  # fmt: skip
_IN_EXPRESSIONS = _VALUES | _OPERATORS | _TYPES | _FUNCTIONS | {exp.Anonymous}
_IN_QUERIES = _IN_EXPRESSIONS | _AGGREGATES | _CLAUSES
_CAST_TYPES = frozenset(
    {
        exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.CHAR, exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT,
        exp.DType.TINYINT, exp.DType.DOUBLE, exp.DType.FLOAT, exp.DType.DECIMAL, exp.DType.BOOLEAN, exp.DType.DATE,
        exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPTZ,
    }
)  # fmt: skip
_UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})
_PARTS = _UNITS | frozenset({"DOY"})
_CHAINS = (exp.And, exp.Or, exp.Add, exp.DPipe)
_PREFIXES = frozenset({TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE})
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_REFUSED_TOKENS = frozenset(
    {
        TokenType.PARAMETER, TokenType.PLACEHOLDER, TokenType.DOLLAR, TokenType.HINT, TokenType.ARROW,
        TokenType.COLON_EQ, TokenType.HASH, TokenType.BYTE_STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING,
        TokenType.L_BRACE, TokenType.R_BRACE, TokenType.BIT_STRING, TokenType.HEX_STRING, TokenType.SEMICOLON,
    }
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\$?\{(object|table|property|column)\}")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def expression(text: str, *, columns: Sequence[str] | None, where: str) -> exp.Expr:
    """A person's SQL expression over `columns` (None: any) as a tree, its columns spelled as given and quoted.

    Raises `SqlRefused` naming `where`.
    """
    door = _Door(where, columns, table=None)
    holder = exp.Paren(this=door.parse(text))  # a root of its own, so that the tree itself can be replaced
    door.check(holder, _IN_EXPRESSIONS)
    tree: exp.Expr = holder.this
    return tree.pop()


def condition(text: str, *, columns: Sequence[str] | None, where: str) -> exp.Expr:
    """As `expression`, for one that is true, false or NULL."""
    tree = expression(text, columns=columns, where=where)
    inner = tree.unnest()
    if isinstance(inner, (exp.Literal, exp.Neg, exp.Interval, exp.Concat, exp.DPipe, exp.Length, exp.Trim)):
        _Door(where, columns, table=None).refuse(_("a value where a condition is needed"))
    return tree


def columns(tree: exp.Expr) -> tuple[str, ...]:
    """The columns that a tree speaks of, in the order in which they first stand in it."""
    return tuple(dict.fromkeys(each.name for each in tree.find_all(exp.Column)))


def query(text: str, *, table: str, columns: Sequence[str], column: str | None, where: str) -> exp.Expr:
    """A person's SELECT over one table as a tree that reads from `TABLE`. `{object}` and `{table}` mean the table,
    `{property}` and `{column}` mean `column`. It must select exactly one value. Raises `SqlRefused` naming `where`.
    """
    door = _Door(where, columns, table=table)
    tree = door.parse(_fill(text, table, column, where))
    if not isinstance(tree, exp.Select):
        door.refuse(_("something other than one SELECT"))
    door.check(tree, _IN_QUERIES)
    if len(tree.selects) != 1:
        door.refuse(_("{n} results where one number is needed").format(n=len(tree.selects)))
    if tree.args.get("group") or not any(_is_aggregate(node) for node in _own_nodes(tree.selects[0])):
        door.refuse(_("a SELECT that may give more than one row"))
    return tree


def _is_aggregate(node: exp.Expr) -> bool:
    return type(node) in _AGGREGATES


def _own_nodes(tree: exp.Expr) -> Iterator[exp.Expr]:
    yield from tree.walk(prune=lambda node: isinstance(node, exp.Select))


def _fill(text: str, table: str, column: str | None, where: str) -> str:
    """The text with its placeholders replaced by quoted names, outside quotes and comments."""
    names = {"object": table, "table": table, "property": column, "column": column}

    def name(found: re.Match[str]) -> str:
        value = names[found[1]]
        if value is None:
            raise SqlRefused(
                _("the query uses {placeholder}, but its rule belongs to no column").format(placeholder=found[0]),
                where=where,
                do=_("write the column's name, or move the rule below the property"),
            )
        return '"' + value.replace('"', '""') + '"'

    pieces, at = [], 0
    for quoted in _QUOTED.finditer(text[: LENGTH_MAX + 1]):
        pieces += [_PLACEHOLDER.sub(name, text[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    pieces.append(_PLACEHOLDER.sub(name, text[at:]))
    return "".join(pieces).rstrip().removesuffix(";")


class _Door:
    """One text's way through: parse, check, spell."""

    def __init__(self, where: str, columns: Sequence[str] | None, *, table: str | None) -> None:
        self.where = where
        self.table = table
        self.columns = columns
        self.aliases: set[str] = set()
        """Names a query gives to its own results and tables."""

    def refuse(self, what: str, *, do: str = "") -> NoReturn:
        raise SqlRefused(
            _("the SQL uses {what}, which is not allowed").format(what=what),
            where=self.where,
            do=do
            or _(
                "use columns, literals, comparisons, arithmetic, CASE, CAST and functions such as trim, upper, "
                "replace, regexp_replace, substr, coalesce, nullif, round, date_trunc, strptime "
                "(docs/reference/sql.md has all)"
            ),
        )

    def parse(self, text: str) -> exp.Expr:
        if len(text) > LENGTH_MAX:
            self.refuse(_("{n} characters").format(n=len(text)), do=_("keep it below {n}").format(n=LENGTH_MAX))
        if "\0" in text or not text.strip():
            self.refuse(_("no text, or a NUL character"))
        try:
            self._check_tokens(sqlglot.tokenize(text, read="duckdb"))
            trees = sqlglot.parse(text, read="duckdb")
        except SqlRefused:
            raise
        except RecursionError:
            self.refuse(_("nesting beyond {n} levels").format(n=DEPTH_MAX))
        except (SqlglotError, ValueError, TypeError, AttributeError, IndexError, KeyError):
            # The parser stumbles over texts that are no SQL in several ways; all of them mean one thing here, and
            # its own message is not passed on because it quotes the text.
            self.refuse(_("something that cannot be read as SQL"))
        if len(trees) != 1 or not isinstance(trees[0], exp.Expr):
            self.refuse(_("{n} statements instead of one").format(n=len(trees)))
        return trees[0]

    def _check_tokens(self, tokens: Sequence[Token]) -> None:
        if len(tokens) > NODES_MAX:
            self.refuse(_("{n} words and signs").format(n=len(tokens)), do=_("keep it below {n}").format(n=NODES_MAX))
        depth = prefixes = 0
        for token in tokens:
            if token.token_type in _REFUSED_TOKENS:
                self.refuse(repr(token.text[:20]))
            depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
            prefixes = prefixes + 1 if token.token_type in _PREFIXES else 0
            if max(depth, prefixes) > DEPTH_MAX:
                self.refuse(_("nesting beyond {n} levels").format(n=DEPTH_MAX))
        if depth != 0:
            self.refuse(_("an opening or closing sign without its partner"))

    def check(self, tree: exp.Expr, allowed: frozenset[type[exp.Expr]]) -> None:
        """Compares every node with the allow-list, then spells and quotes the names."""
        stack: list[tuple[exp.Expr, int]] = [(tree, 1)]
        nodes: list[exp.Expr] = []
        while stack:
            node, depth = stack.pop()
            nodes.append(node)
            if depth > DEPTH_MAX or len(nodes) > NODES_MAX:
                self.refuse(_("nesting beyond {n} levels").format(n=DEPTH_MAX))
            if type(node) not in allowed:
                self.refuse(_described(node))
            node.pop_comments()
            stack += [(child, depth + _step(node, child)) for child in node.iter_expressions()]
        self.aliases = {node.alias.casefold() for node in nodes if isinstance(node, exp.Alias)}
        self.aliases |= {node.name.casefold() for node in nodes if isinstance(node, exp.TableAlias)}
        for node in nodes:
            self._check_node(node)

    def _check_node(self, node: exp.Expr) -> None:  # one arm per kind of node
        match node:
            case exp.Column():
                self._spell_column(node)
            case exp.Table():
                self._spell_table(node)
            case exp.Identifier():
                node.set("quoted", True)
            case exp.Select():
                self._check_select(node)
            case exp.DataType():
                self._check_type(node)
            case exp.Anonymous():
                self._check_named(node)
            case exp.Var():
                self._check_var(node)
            case exp.Star():
                self._check_star(node)
            case exp.RegexpLike() | exp.RegexpFullMatch() | exp.RegexpExtract() | exp.RegexpReplace():
                self._check_regex(node)
            case exp.StrToTime():
                self._check_format(node.args.get("format"))
            case exp.TimeToStr():
                self._check_format(node.args.get("format"), written=True)
            case exp.Like() | exp.ILike():
                self._check_like(node)
            case exp.Bracket() | exp.Dot() | exp.Interval() | exp.Between() | exp.In() | exp.Trim() | exp.DateDiff():
                self._check_shape(node)
            case _ if type(node) in _AGGREGATES or type(node) in _FUNCTIONS:
                self._check_call(node)
            case _:
                pass

    def _check_call(self, node: exp.Expr) -> None:
        if any(needed and node.args.get(name) in (None, []) for name, needed in node.arg_types.items()) or not _present(
            node
        ):
            self.refuse(_("a function without its arguments"))
        inside = node.find_ancestor(exp.Select, exp.AggFunc)
        if isinstance(node, exp.AggFunc) and isinstance(inside, exp.AggFunc):
            self.refuse(_("an aggregate within an aggregate"))

    def _spell_column(self, node: exp.Column) -> None:
        parts = [part.name for part in node.parts]
        if self.table is not None and len(parts) > 1 and parts[0].casefold() in self.aliases | {self.table.casefold()}:
            self._spell_qualified(node, parts)
            return
        head = self._spelled(parts[0])
        path: exp.Expr = exp.column(exp.to_identifier(head, quoted=True))
        if len(parts) > 1:
            path = exp.Dot.build([path, *(exp.to_identifier(part, quoted=True) for part in parts[1:])])
        if len(parts) > 1:
            node.replace(path)
        else:
            node.set("this", exp.to_identifier(head, quoted=True))

    def _spell_qualified(self, node: exp.Column, parts: list[str]) -> None:
        if len(parts) != 2:
            self.refuse(_("the name {name!r}").format(name=".".join(parts)[:80]))
        table = TABLE if parts[0].casefold() == (self.table or "").casefold() else parts[0]
        node.set("this", exp.to_identifier(self._spelled(parts[1]), quoted=True))
        node.set("table", exp.to_identifier(table, quoted=True))

    def _spelled(self, name: str) -> str:
        if self.columns is None or name in self.columns:
            return name
        same = [column for column in self.columns if column.casefold() == name.casefold()]
        if len(same) == 1:
            return same[0]
        if name.casefold() in self.aliases:
            return name
        near = difflib.get_close_matches(name, self.columns, 1)
        raise SqlRefused(
            _("the SQL uses the column {name!r}, which does not exist").format(name=name[:80]),
            where=self.where,
            do=_("did you mean {near!r}?").format(near=near[0])
            if near
            else _("use one of: {names}").format(names=", ".join(self.columns[:20])),
        )

    def _spell_table(self, node: exp.Table) -> None:
        if set(_present(node)) - {"this", "alias"} or not isinstance(node.this, exp.Identifier):
            self.refuse(_("a table with options, or a function in place of one"))
        if node.name.casefold() != (self.table or "").casefold():
            self.refuse(_("another table than its own"), do=_("write {object} for the table"))
        node.set("this", exp.to_identifier(TABLE, quoted=True))

    def _check_select(self, node: exp.Select) -> None:
        extra = set(_present(node)) - {"expressions", "from_", "where", "group", "having", "distinct"}
        if extra:
            self.refuse(", ".join(sorted(part.upper().rstrip("_") for part in extra)))
        source = node.args.get("from_")
        if source is None or not isinstance(source.this, (exp.Table, exp.Subquery)):
            self.refuse(_("a SELECT without the table"))
        distinct = node.args.get("distinct")
        if distinct is not None and _present(distinct):
            self.refuse("DISTINCT ON")

    def _check_type(self, node: exp.DataType) -> None:
        if node.this not in _CAST_TYPES or not isinstance(node.parent, (exp.Cast, exp.TryCast)):
            self.refuse(_("the type {name}").format(name=str(getattr(node.this, "value", node.this))[:40]))
        parent = node.parent
        if set(_present(parent)) - {"this", "to", "safe"}:
            self.refuse(_("a cast with options"))

    def _check_named(self, node: exp.Anonymous) -> None:
        name = str(node.this).lower()
        if name not in _NAMED_FUNCTIONS or len(node.expressions) != 2:
            self.refuse(_("the function {name}").format(name=name[:60]))
        first, second = node.expressions
        if name == "try_strptime":
            self._check_format(second)
        elif not (isinstance(first, exp.Literal) and first.is_string and first.name.upper() in _PARTS):
            self.refuse(_("a part of a date that is not one of {names}").format(names=", ".join(sorted(_PARTS))))

    def _check_var(self, node: exp.Var) -> None:
        if node.name.upper() == "DAYOFYEAR":
            node.set("this", "DOY")
        if node.name.upper() not in _PARTS or isinstance(node.parent, (exp.Column, exp.Select, exp.Alias)):
            self.refuse(repr(node.name[:40]))

    def _check_star(self, node: exp.Star) -> None:
        if _present(node) or not isinstance(node.parent, exp.Count):
            self.refuse(_("'*' outside of count(*)"))

    def _check_regex(self, node: exp.Expr) -> None:
        options_known: dict[type[exp.Expr], set[str]] = {
            exp.RegexpLike: {"this", "expression"},
            exp.RegexpFullMatch: {"this", "expression"},
            exp.RegexpExtract: {"this", "expression", "group", "null_if_pos_overflow"},
            exp.RegexpReplace: {"this", "expression", "replacement", "modifiers", "single_replace"},
        }
        options = node.args.get("modifiers")
        literal = node.args.get("expression")
        if set(_present(node)) - options_known[type(node)] or (options is not None and options.name not in ("g", "")):
            self.refuse(_("options of a regular expression"), do=_("write (?i) in the pattern to ignore case"))
        if not isinstance(literal, exp.Literal) or not literal.is_string:
            self.refuse(_("a regular expression that is not a literal"))
        pattern = regex.read(literal.name, where=self.where)
        group = node.args.get("group")
        if group is not None and not (group.is_int and 0 <= int(group.name) <= pattern.captures):
            self.refuse(_("a group the regular expression does not have"))
        replacement = node.args.get("replacement")
        if isinstance(node, exp.RegexpReplace) and not (isinstance(replacement, exp.Literal) and replacement.is_string):
            self.refuse(_("a replacement that is not a literal"))
        if replacement is not None:
            regex.replacement(replacement.name, pattern, where=self.where)

    def _check_format(self, node: exp.Expr | None, *, written: bool = False) -> None:
        if not isinstance(node, exp.Literal) or not node.is_string:
            self.refuse(_("a format that is not a literal"))
        form = clockform.read(node.name, where=self.where)
        if written and (form.has_zone or "%-" in node.name):
            self.refuse(_("a format with %z or %-"))

    def _check_like(self, node: exp.Like | exp.ILike) -> None:
        if not isinstance(node.expression, exp.Literal) or "\\" in node.expression.name:
            self.refuse(_("LIKE without a literal, or with a backslash"))

    def _check_shape(self, node: exp.Expr) -> None:
        match node:
            case exp.Bracket():
                keys = node.expressions
                if len(keys) != 1 or not isinstance(keys[0], exp.Literal) or not (keys[0].is_string or keys[0].is_int):
                    self.refuse(_("an index that is not a literal"))
            case exp.Dot():
                if not isinstance(node.expression, exp.Identifier):
                    self.refuse(_("a function behind a dot"))
            case exp.Interval():
                amount = node.this
                unit = node.args.get("unit")
                whole = isinstance(amount, exp.Literal) and re.fullmatch(r"\d{1,6}", amount.name, re.ASCII)
                if not whole or not isinstance(unit, exp.Var):
                    self.refuse(_("an interval other than a whole number of one unit"))
            case exp.DateDiff():
                if node.args.get("unit") is None or node.args["unit"].name.upper() == "WEEK":
                    self.refuse(_("date_diff in weeks, or without a unit"), do=_("divide the days by 7"))
            case exp.Between():
                if node.args.get("symmetric"):
                    self.refuse("BETWEEN SYMMETRIC")
            case exp.In():
                if set(_present(node)) != {"this", "expressions"}:
                    self.refuse(_("IN without a list of values"), do=_("list the values"))
            case _:
                if node.args.get("collation") is not None:
                    self.refuse("COLLATE")


def _present(node: exp.Expr) -> list[str]:
    """The names of a node's arguments that are set to something."""
    return [name for name, value in node.args.items() if value not in (None, False, [], "")]


def _step(node: exp.Expr, child: exp.Expr) -> int:
    """How much deeper a child counts: a chain such as `a OR b OR c` is flat to a reader."""
    return 0 if isinstance(node, _CHAINS) and type(child) is type(node) else 1


def _described(node: exp.Expr) -> str:
    if isinstance(node, exp.Func) and not isinstance(node, (exp.And, exp.Or)):
        name = str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name()
        return _("the function {name}").format(name=name[:60].lower())
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()
