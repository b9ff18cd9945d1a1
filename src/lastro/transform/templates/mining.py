"""Mining a text column: which template each row's message has, and with which parameters.

Rules:

1. What comes out depends on the rows, their order and the arguments alone; how the rows are cut into batches is no
   matter. Nothing is kept between two calls.
2. The rows are read twice for `rows`: once to learn the templates, and once to tell them. The second reading assigns
   anew; if it comes to other templates, the rows have changed, and that is an error.
3. A missing message has no template: `template_id` and `parameters` are missing, too, and `counts` leaves it out. An
   empty message has the empty template.
4. Templates of fewer than `minimum` rows are not told: their rows count as `UNFITTING`, whose template is `<*>` and
   whose parameter is the message.
5. Memory does not grow with the rows: it holds one batch, the templates, and what is remembered of texts.
6. Each column that holds parts of messages or of times says in its metadata of which column they are: who may not see
   the one may not see the other. The `template_id` of rows says that it is no key of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged, UnknownName, UsageError
from lastro.model.text import _
from lastro.transform.templates.drain import UNFITTING, Tree, Words, words_of
from lastro.transform.templates.filling import Recipe, parameters, recipe, whole
from lastro.transform.templates.masking import Masked, mask
from lastro.transform.templates.remembering import Remembered

MADE_FROM = b"lastro.made_from"
"""The metadata of a field that holds values of another column: the name of that column."""
REFERS = b"lastro.refers"
"""The metadata of a field that names rows of another table, and may repeat whatever the first rows look like."""
NUMBER, PARAMETERS = "template_id", "parameters"
BATCH_ROWS = 10_000
_MERGING = [("count", "sum"), ("first", "min"), ("last", "max")]


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of one text column. Made by `mined`; every call reads the rows anew."""

    upstream: Any  # Any: whatever exports an Arrow stream as often as it is asked
    column: str
    schema: pa.Schema
    time: str | None
    similarity: float
    minimum: int
    templates_max: int

    def rows(self) -> pa.RecordBatchReader:
        """The upstream's rows with `template_id` and `parameters`, a list of texts, as a stream in bounded memory.

        Raises `ConfigurationError` if there are columns of these names already; `SourceBroken`, `SourceChanged`.
        """
        taken = {name.casefold() for name in self.schema.names}
        for name in (NUMBER, PARAMETERS):
            if name in taken:
                raise ConfigurationError(
                    _("the rows have a column {name} already").format(name=name),
                    do=_("give it another name before its templates are mined"),
                )
        learnt = self._learnt()
        number = pa.field(NUMBER, pa.int64(), metadata={REFERS: b"template"})
        added = [number, _made_from(pa.field(PARAMETERS, pa.list_(pa.string())), self.column)]
        schema = pa.schema([*self.schema, *added])
        return pa.RecordBatchReader.from_batches(schema, self._told(learnt, schema))

    def counts(self) -> pa.Table:
        """One row for each template: `template_id`, `template`, `count`, `first` and `last` – the numbers of its first
        and last row, or the earliest and latest `time`. Raises `SourceBroken`.
        """
        learnt = self._learnt()
        texts = [learnt.texts[number].text for number in learnt.table[NUMBER].to_pylist()]
        columns = {NUMBER: learnt.table[NUMBER], "template": pa.array(texts, pa.string())}
        columns |= {name: learnt.table[name] for name in ("count", "first", "last")}
        fields = [pa.field(name, values.type) for name, values in columns.items()]
        fields[1] = _made_from(fields[1], self.column)
        if self.time is not None:
            fields[3:] = [_made_from(field, self.time) for field in fields[3:]]
        return pa.table(list(columns.values()), schema=pa.schema(fields))

    def _learnt(self) -> _Learnt:
        tree = self._tree()
        when = pa.int64() if self.time is None else self.schema.field(self.time).type
        schema = pa.schema({NUMBER: pa.int64(), "count": pa.int64(), "first": when, "last": when})
        table = schema.empty_table()
        start = 0
        for batch in self._reader(self.column, *(() if self.time is None else (self.time,))):
            masked = _masked(batch, self.column)
            numbers = [None if one is None else tree.assign(one.text) for one in masked]
            rows = pa.array(range(start, start + len(numbers)), pa.int64())
            times = rows if self.time is None else batch.column(self.time)
            table = _summed(pa.concat_tables([table, _each(schema, numbers, times)]))
            start += len(numbers)
        rare = table.filter(pc.less(table["count"], self.minimum))[NUMBER].to_pylist()
        told = dict.fromkeys(rare, UNFITTING)
        numbers = [told.get(number, number) for number in table[NUMBER].to_pylist()]
        table = table.set_column(0, schema.field(0), pa.array(numbers, pa.int64()))
        return _Learnt(tree.templates, frozenset(rare), _summed(table))

    def _told(self, learnt: _Learnt, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        tree = self._tree()
        telling = _Telling(learnt)
        for batch in self._reader(*self.schema.names):
            masked = _masked(batch, self.column)
            found = [None if one is None else telling.row(one, tree.assign(one.text)) for one in masked]
            numbers = pa.array([None if one is None else one[0] for one in found], pa.int64())
            lists = pa.array([None if one is None else one[1] for one in found], pa.list_(pa.string()))
            yield pa.record_batch([*batch.columns, numbers, lists], schema=schema)
        if tree.templates != learnt.texts:
            raise _changed()

    def _tree(self) -> Tree:
        return Tree(self.similarity, self.templates_max)

    def _reader(self, *columns: str) -> Iterator[pa.RecordBatch]:
        for batch in _opened(self.upstream, columns):
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.select(list(columns)).slice(start, BATCH_ROWS)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """The templates by number, the numbers that are not told, and what is counted of the others."""

    texts: tuple[Words, ...]
    rare: frozenset[int]
    table: pa.Table


class _Telling:
    """Rows against the templates as they are in the end."""

    def __init__(self, learnt: _Learnt) -> None:
        self._learnt = learnt
        self._recipes: Remembered[tuple[int, Recipe]] = Remembered()

    def row(self, masked: Masked, number: int) -> tuple[int, list[str]]:
        """The row's number and parameters. Raises `SourceChanged`."""
        if number in self._learnt.rare:
            number = UNFITTING
        known = self._recipes.get(masked.text)
        if known is None or known[0] != number:
            known = self._remembered(masked.text, number)
        return number, parameters(known[1], masked.values)

    def _remembered(self, text: str, number: int) -> tuple[int, Recipe]:
        try:
            made = whole(text) if number == UNFITTING else recipe(words_of(text), self._learnt.texts[number])
        except (IndexError, ValueError):
            raise _changed() from None
        self._recipes.put(text, (number, made))
        return number, made


def mined(
    upstream: Any,  # Any: as in `Templates`
    column: str,
    *,
    time: str | None = None,
    similarity: float = 0.6,
    minimum: int = 1,
    templates_max: int = 10_000,
) -> Templates:
    """The templates of a text column. Raises `UnknownName`, `UsageError`, `ConfigurationError`."""
    if not hasattr(upstream, "__arrow_c_stream__") or isinstance(upstream, pa.RecordBatchReader):
        raise UsageError(
            _("templates are mined from rows that can be read twice, not from a {kind}").format(
                kind=type(upstream).__name__
            ),
            do=_("give an upstream dataset, a version, Arrow data, or a frame of Polars"),
        )
    schema = _schema(upstream)
    _check_columns(schema, column, time)
    _check_numbers(similarity, minimum, templates_max)
    return Templates(upstream, column, schema, time, similarity, minimum, templates_max)


def _check_columns(schema: pa.Schema, column: str, time: str | None) -> None:
    for name in (column, time):
        if name is not None and name not in schema.names:
            raise UnknownName(
                _("the rows have no column {name}").format(name=name[:80]),
                do=_("choose among: {names}").format(names=", ".join(schema.names[:20])),
            )
    if len(set(schema.names)) < len(schema.names):
        raise ConfigurationError(_("the rows have two columns of one name"), do=_("give each column its own name"))
    kind = schema.field(column).type
    if not _is_text(kind):
        raise UsageError(
            _("{name} is {type}, and templates are mined from text").format(name=column, type=kind),
            do=_("name a column of text"),
        )
    if time is not None and not (
        pa.types.is_timestamp(schema.field(time).type) or pa.types.is_date(schema.field(time).type)
    ):
        raise UsageError(
            _("{name} is {type}, which tells no time").format(name=time, type=schema.field(time).type),
            do=_("name a date or timestamp, or leave time out: then rows are numbered"),
        )


def _check_numbers(similarity: float, minimum: int, templates_max: int) -> None:
    if not 0 < similarity <= 1:
        raise UsageError(_("similarity is a share of words"), do=_("give a number above 0 and at most 1"))
    if minimum < 1 or templates_max < 1:
        raise UsageError(_("minimum and templates_max count from 1"), do=_("give whole numbers from 1 on"))


def made_from(schema: pa.Schema) -> dict[str, str]:
    """The columns that hold values of another one, with that column's name (rule 6)."""
    said = {field.name: (field.metadata or {}).get(MADE_FROM) for field in schema}
    return {name: column.decode() for name, column in said.items() if column is not None}


def refer(schema: pa.Schema) -> set[str]:
    """The columns that name rows of another table."""
    return {field.name for field in schema if REFERS in (field.metadata or {})}


def _schema(upstream: Any) -> pa.Schema:  # Any: as in `Templates`
    return _opened(upstream, ()).schema


def _opened(upstream: Any, columns: Sequence[str]) -> pa.RecordBatchReader:  # Any: as in `Templates`
    """A stream of at least these columns: of these only, where whoever has the rows can leave out others."""
    if hasattr(type(upstream), "reader"):
        return upstream.reader(*columns)
    return pa.RecordBatchReader.from_stream(upstream)


def _masked(batch: pa.RecordBatch, column: str) -> list[Masked | None]:
    try:
        return [None if text is None else mask(text) for text in batch.column(column).to_pylist()]
    except UnicodeDecodeError:
        raise SourceBroken(
            _("a value of {name} is no UTF-8").format(name=column), do=_("decode or leave out such values first")
        ) from None


def _each(schema: pa.Schema, numbers: list[int | None], times: pa.Array) -> pa.Table:
    """The rows that have a template, as counts of one."""
    ones = pa.array([1] * len(numbers), pa.int64())
    table = pa.table([pa.array(numbers, pa.int64()), ones, times, times], schema=schema)
    return table.filter(pc.is_valid(table[NUMBER]))


def _summed(table: pa.Table) -> pa.Table:
    """The counts of each template, in the order of their numbers."""
    summed = table.group_by(NUMBER, use_threads=False).aggregate(_MERGING)
    columns = [NUMBER, *("_".join(one) for one in _MERGING)]
    return summed.select(columns).rename_columns(table.schema.names).cast(table.schema).sort_by(NUMBER)


def _made_from(field: pa.Field, column: str) -> pa.Field:
    return field.with_metadata({MADE_FROM: column.encode()})


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _changed() -> SourceChanged:
    return SourceChanged(_("the rows changed between two readings"), do=_("mine the templates of a version"))
