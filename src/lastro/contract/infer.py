"""A first contract from what an engine saw of a source: one that a person would keep, and reads in a minute.

Rules:

1. Every guess carries a comment `# guessed: …` with column and reason, in the reader's language; what is only read off
   (names, types) has none.
2. A column is required if no value was missing; that is a guess only where part of the source was read.
3. A key that the source declares is the primary key, and no guess. Without one, the leftmost of the columns that look
   like keys becomes it. A declared key with missing values in it, which SQLite allows, is none here; that is told.
4. Names that are no plain words become snake case, distinct without regard to capitals; `physicalName` keeps the
   source's.
5. Integers become long, whatever width the sample would fit: the next batch may hold a larger one.
6. No value is written but those of a list of allowed values (see `guess`).
7. Where values can be read in two ways, the guess tells both, and how to say the other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from lastro.contract.document import shown
from lastro.contract.formats import jdk_format
from lastro.contract.guess import allowed_values, bounds, is_key, is_personal, names_key
from lastro.contract.naming import distinct, snake
from lastro.contract.scalar import scalar
from lastro.contract.types import COLUMNS_MAX, NAME_MAX
from lastro.contract.upgrade import CURRENT
from lastro.model.errors import ContractError
from lastro.model.naming import plain
from lastro.model.reference import check_name
from lastro.model.sample import Also, Sample
from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type
from lastro.model.text import _, ngettext

_WORD = re.compile(r"\w+")
_SIMPLE = {
    Primitive.STRING: ("string", None),
    Primitive.LONG: ("integer", None),
    Primitive.INTEGER: ("integer", None),
    Primitive.SHORT: ("integer", None),
    Primitive.BYTE: ("integer", None),
    Primitive.DOUBLE: ("number", None),
    Primitive.FLOAT: ("number", None),
    Primitive.BOOLEAN: ("boolean", None),
    Primitive.BINARY: ("string", "binary"),
    Primitive.DATE: ("date", None),
    Primitive.TIMESTAMP: ("timestamp", None),
    Primitive.TIMESTAMP_NTZ: ("timestamp", None),
}


def infer(name: str, samples: Sequence[Sample], *, source: str, today: date, key: Sequence[str] = ()) -> str:
    """The text of a contract for the dataset `name`, with one column for each sample; it reads and compiles.

    `key` are the source's names of the columns that it declares to be its primary key; `source` names the place for
    people. Raises `NameRefused`, and `ContractError` for no or too many columns.
    """
    check_name(name)
    if not 0 < len(samples) <= COLUMNS_MAX:
        what = _("a dataset has 1 to {max} columns, the source has {n}").format(max=COLUMNS_MAX, n=len(samples))
        raise ContractError(what, where=shown(source), do=_("check that the source is a table with a header"))
    declared = _declared_key(samples, key)
    guess = next((sample.column.name for sample in samples if is_key(sample) and not key), None)
    why = None if declared or guess is not None else _why_no_key(samples, key)
    lines = list(_head(name, samples, why, source=source, today=today))
    for sample, column in zip(samples, _names(samples), strict=True):
        lines.extend(_column(sample, column, _primary(sample, column, declared, guess)))
    return "\n".join(lines) + "\n"


def _declared_key(samples: Sequence[Sample], key: Sequence[str]) -> tuple[str, ...]:
    """The declared key, if it can be one here (rule 3)."""
    fit = {sample.column.name for sample in samples if not sample.nulls and _is_plain(sample.column.type)}
    return tuple(key) if fit.issuperset(key) else ()


def _is_plain(kind: Type) -> bool:
    return isinstance(kind, Primitive | Decimal)


def _primary(sample: Sample, column: str, declared: Sequence[str], guess: str | None) -> tuple[str, ...]:
    """The lines that make a column a part of the primary key; none for the others."""
    name = sample.column.name
    if name in declared:
        position = (f"primaryKeyPosition: {declared.index(name) + 1}",) if len(declared) > 1 else ()
        return "primaryKey: true", *position
    if name == guess:
        return ("primaryKey: true" + _guessed(sample, column, _("{column} is unique and never missing")),)
    return ()


def _head(name: str, samples: Sequence[Sample], why: str | None, *, source: str, today: date) -> Iterator[str]:
    rows = max(sample.rows for sample in samples)
    sentence = ngettext(
        "Inferred on {day} from {n} row. Lines marked `guessed` want a person's eye.",
        "Inferred on {day} from {n} rows. Lines marked `guessed` want a person's eye.",
        rows,
    )
    if not all(sample.all_read for sample in samples):
        sentence = ngettext(
            "Inferred on {day} from {n} row (not all of it was read). Lines marked `guessed` want a person's eye.",
            "Inferred on {day} from {n} rows (not all of it was read). Lines marked `guessed` want a person's eye.",
            rows,
        )
    yield f"# {sentence.format(day=today.isoformat(), n=rows)}"
    yield "version: 0.1.0"
    yield f"apiVersion: {CURRENT}"
    yield "kind: DataContract"
    yield f"id: {scalar(name)}"
    yield "status: draft"
    yield "description:"
    yield f"  purpose: {scalar(f'Inferred from {source}')}"
    yield "schema:"
    yield f"  - name: {scalar(name)}"
    yield "    logicalType: object"
    if why is not None:
        yield f"    {guessed(why)}"
    yield "    properties:"


def guesses(text: str) -> tuple[str, ...]:
    """The guesses that an inferred contract's comments tell, as sentences, each once; `text` is in the reader's
    language.
    """
    mark = guessed("")
    return tuple(dict.fromkeys(line[line.index(mark) + 2 :].strip() for line in text.splitlines() if mark in line))


def guessed(what: str) -> str:
    """The comment that says what was guessed."""
    return "# " + _("guessed: {what}").format(what=what)


def _why_no_key(samples: Sequence[Sample], key: Sequence[str]) -> str:
    """What kept the declared key, or the leftmost column that is named like one, from being it: the rows in its way."""
    for sample, column in zip(samples, _names(samples), strict=True):
        if sample.column.name in key and sample.nulls:
            said = _("no primary key, since {column} of the declared one is missing in {nulls} of {rows} rows")
            return said.format(column=column, nulls=sample.nulls, rows=sample.rows)
    for sample, column in zip(samples, _names(samples), strict=True):
        if names_key(sample) and sample.rows:
            repeated = sample.rows - sample.nulls - sample.distinct
            said = _("no primary key, since {column} is named like one, but of no type for it")
            if sample.nulls and repeated:
                said = _(
                    "no primary key, since {column} is named like one, but missing in {nulls} and repeated in "
                    "{repeated} of {rows} rows"
                )
            elif sample.nulls:
                said = ngettext(
                    "no primary key, since {column} is named like one, but missing in {nulls} of {rows} row",
                    "no primary key, since {column} is named like one, but missing in {nulls} of {rows} rows",
                    sample.rows,
                )
            elif repeated:
                said = _("no primary key, since {column} is named like one, but repeated in {repeated} of {rows} rows")
            return said.format(column=column, nulls=sample.nulls, repeated=repeated, rows=sample.rows)
    return _("no primary key, since no column that is named like one is unique and always there")


def _names(samples: Sequence[Sample]) -> list[str]:
    return column_names([sample.column.name for sample in samples])


def column_names(own: Sequence[str], *, beside: Sequence[str] = ()) -> list[str]:
    """The columns' names: the source's own where it is a plain word, and free. `beside` are names in use already."""
    kept = [name for name in own if _is_word(name)]
    taken = {name.casefold() for name in beside}
    free = {name.casefold() for name in kept}
    names = []
    for index, name in enumerate(own):
        wanted = name if _is_word(name) else snake(name)[: NAME_MAX - 5] or f"column_{index + 1}"
        is_free = _is_word(name) and wanted.casefold() not in taken
        chosen = wanted if is_free else distinct(wanted.casefold(), taken | free)
        taken.add(chosen.casefold())
        names.append(chosen)
    return names


def _is_word(name: str) -> bool:
    """True for a plain word; one with accents is none, unless ASCII has no letters for it."""
    is_plain = name.isascii() or len(plain(name)) < len(name)
    return is_plain and bool(_WORD.fullmatch(name)) and len(name) <= NAME_MAX


def _column(sample: Sample, name: str, primary: Sequence[str]) -> Iterator[str]:
    pad = " " * 8
    yield f"{' ' * 6}- name: {scalar(name)}"
    if name != sample.column.name:
        yield f"{pad}physicalName: {scalar(sample.column.name)}"
    kind, *inner = _type(sample.column.type, pad)
    yield f"{pad}logicalType: {kind}" + _doubt_of_type(sample, name)
    if inner and "physicalType:" in inner[0]:
        yield inner.pop(0)
    if sample.expression is not None:
        is_plain = sample.expression.isprintable() and not sample.expression.startswith(" ")
        reason = _guessed(sample, name, _("{column} is written with a decimal comma"))
        yield f"{pad}transformLogic: " + (">-" if is_plain else scalar(sample.expression)) + reason
        yield from [f"{pad}  {sample.expression}"] if is_plain else []
    yield from (f"{pad}{line}" for line in primary)
    if primary or (sample.rows and not sample.nulls):
        reason = "" if sample.all_read or primary else _guessed(sample, name, _("{column} is never missing"))
        yield f"{pad}required: true{reason}"
    if is_personal(sample):
        reason = _guessed(sample, name, _("{column} looks personal, so its values stand in no statistics"))
        yield f"{pad}classification: restricted{reason}"
    if sample.encrypted and isinstance(sample.column.type, Primitive | Decimal):
        yield f"{pad}customProperties:"
        yield f"{pad}  - {{property: protection, vendor: lastro, value: encrypt}}"
    yield from _options(sample, name, inner, pad)
    if values := allowed_values(sample):
        reason = ngettext(
            "{column} has {n} value in {rows} rows", "{column} has {n} values in {rows} rows", len(values)
        )
        yield f"{pad}enum:" + _guessed(sample, name, reason, n=len(values), rows=sample.rows)
        yield from (f"{pad}  - value: {scalar(value)}" for value in values)


def _guessed(sample: Sample, name: str, reason: str, **more: object) -> str:
    """The comment that says why something was guessed; a column's name is a plain word and cannot end the comment."""
    what = reason.format(column=name, **more)
    return "  " + guessed(what if sample.all_read else _("{what}, in the part that was read").format(what=what))


def _doubt_of_type(sample: Sample, name: str) -> str:
    """What to know of a type that may be the wrong one (rule 7); empty where there is no doubt."""
    if sample.column.type is Primitive.STRING and sample.rows == sample.nulls and not sample.declared:
        return _guessed(sample, name, _("{column} has no value, so it may be anything"))
    match sample.also:
        case Also.POINTS:
            reason = _(
                "ambiguous: {column} is read with a decimal point, but each of its numbers could be a whole one with "
                "points between thousands; if so, say `logicalType: integer` and `transformLogic: {logic}`, and no "
                "physicalType"
            )
            return _guessed(sample, name, reason, logic=_replaced(sample, name, ".", ""))
        case Also.COMMAS:
            reason = _(
                "ambiguous: {column} stays text, since its commas may be decimal or stand between thousands; say "
                "`logicalType: number` and `transformLogic: {decimal}`, or `logicalType: integer` and "
                "`transformLogic: {whole}`"
            )
            decimal, whole = _replaced(sample, name, ",", "."), _replaced(sample, name, ",", "")
            return _guessed(sample, name, reason, decimal=decimal, whole=whole)
        case _:
            return ""


def _replaced(sample: Sample, name: str, old: str, new: str) -> str:
    """SQL over the source's column that replaces a sign; with an ellipsis for a name that a comment cannot hold."""
    column = sample.column.name
    quoted = '"' + column.replace('"', '""') + '"' if column.isprintable() else "…"
    return f"replace({column if name == column and column.isascii() else quoted}, '{old}', '{new}')"


def _options(sample: Sample, name: str, inner: list[str], pad: str) -> Iterator[str]:
    """The type's own lines, with format and bounds put under the one `logicalTypeOptions`."""
    options = [line for line in inner if line.startswith(f"{pad}  ") and inner[0] == f"{pad}logicalTypeOptions:"]
    rest = [] if options else inner
    if sample.format and sample.column.type in _SIMPLE and _SIMPLE[sample.column.type][0] in ("date", "timestamp"):
        fine = sample.format == "iso8601_ns"
        reason = (
            _("{column} is finer than a microsecond, and cut to it") if fine else _("{column} is written so throughout")
        )
        other = jdk_format(sample.also_format) if sample.also_format else ""
        if other:
            reason = _("ambiguous: {column} could be {other}, too; {format} was chosen, so change it if that is wrong")
        reason = _guessed(sample, name, reason, other=other, format=jdk_format(sample.format))
        options.append(f"{pad}  format: {scalar(jdk_format(sample.format))}{reason}")
    if sample.zone and sample.column.type is Primitive.TIMESTAMP:
        reason = _guessed(sample, name, _("{column} may tell no time zone, and the source says this one"))
        options.append(f"{pad}  defaultTimezone: {scalar(sample.zone)}{reason}")
    if found := bounds(sample):
        low, high, why = found
        reason = _guessed(sample, name, why)
        options += [f"{pad}  minimum: {low}{reason}"] if low is not None else []
        options += [f"{pad}  maximum: {high}{reason}"] if high is not None else []
    if options:
        yield f"{pad}logicalTypeOptions:"
        yield from options
    yield from rest


def _type(kind: Type, pad: str) -> list[str]:
    """The logical type, followed by the lines that say the rest of it at an indentation."""
    match kind:
        case Decimal(precision, scale):
            return ["number", f"{pad}physicalType: decimal({precision},{scale})"]
        case ListOf(item):
            return ["array", f"{pad}items:", *_nested(item, pad + "  ")]
        case MapOf(key, value):
            parts = [*_nested(key, pad + "    ")], [*_nested(value, pad + "    ")]
            return ["map", f"{pad}map:", f"{pad}  key:", *parts[0], f"{pad}  value:", *parts[1]]
        case StructOf(fields):
            lines = ["object", f"{pad}properties:"]
            for field in fields:
                lines += [f"{pad}  - name: {scalar(field.name)}", *_nested(field.type, pad + "    ")]
            return lines
        case Primitive.FLOAT:
            return ["number", f"{pad}logicalTypeOptions:", f"{pad}  format: f32"]
        case Primitive.TIMESTAMP | Primitive.TIMESTAMP_NTZ:
            zone = "true" if kind is Primitive.TIMESTAMP else "false"
            return ["timestamp", f"{pad}logicalTypeOptions:", f"{pad}  timezone: {zone}"]
        case _:
            logical, physical = _SIMPLE[kind]
            return [logical, *([f"{pad}physicalType: {physical}"] if physical else [])]


def _nested(kind: Type, pad: str) -> list[str]:
    logical, *rest = _type(kind, pad)
    return [f"{pad}logicalType: {logical}", *rest]
