"""Outliers of a version, as a person asks for them: numbers far from their column's others, and rows unlike others.

Rules:

1. Numbers, dates and moments are looked at; of rows, numbers only, for a date that goes on is no reason. Keys are
   left out, and columns that are withheld. Columns that are named are looked at whatever they are, unless withheld.
2. Limits, tails and trees are made of a sample of at most `SAMPLE_ROWS`, always the same for the same version. Then all
   rows are read under them, part by part: memory does not grow with their number.
3. Against an earlier version, the rows of the files that it does not have are tested, and its own are taken for good.
4. A row is told by its place in the order in which the version is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lastro.model.errors import UnknownName, UsageError
from lastro.model.schema import Decimal, Primitive, Schema, Type, type_text
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.workspace.access.opening import measured
from lastro.workspace.training.batches import floats, is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lastro.quality.outliers.column import ColumnOutliers
    from lastro.quality.outliers.rows import RowOutliers, RowTest
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.version import Version

    Arrays = Mapping[str, NDArray[Any]]  # Any: whichever numbers

SAMPLE_ROWS = 100_000
SEED = 0
_TIMES = frozenset({Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ})
_FLOATING = frozenset({Primitive.DOUBLE, Primitive.FLOAT})


@dataclass(frozen=True, slots=True, repr=False)
class ColumnReport:
    """The outliers of a version's columns, the column with the largest share first; `left_out` says why others are not.

    `types` are the columns' types: dates are days, moments microseconds since 1970-01-01.
    """

    info: VersionInfo
    columns: tuple[ColumnOutliers, ...]
    types: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        columns = [{"name": each.name, "type": self.types[each.name], **each.to_dict()} for each in self.columns]
        return {**_head(self.info), "columns": columns, "left_out": dict(self.left_out)}

    def __repr__(self) -> str:
        return f"<outliers in {len(self.columns)} columns of {self.info.reference}>"


@dataclass(frozen=True, slots=True, repr=False)
class RowReport:
    """The rows of a version that are least like others; with `against`, like the rows of that version."""

    info: VersionInfo
    found: RowOutliers
    columns: tuple[str, ...]
    against: VersionInfo | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        rows = [
            {
                "row": row.place,
                "score": row.score,
                "p_value": row.p_value,
                "called": row.is_called,
                "because": [
                    {"column": part.column, "share": part.share, "side": "high" if part.is_high else "low"}
                    for part in row.parts
                ],
                "words": row.words,
            }
            for row in self.found.rows
        ]
        found = {name: getattr(self.found, name) for name in ("tested", "called", "budget", "calibration", "least")}
        against = self.against.reference if self.against else None
        told = {"against": against, "columns": list(self.columns), **found, "rows": rows}
        return {**_head(self.info), **told, "left_out": dict(self.left_out)}

    def __repr__(self) -> str:
        return f"<{self.found.called} of {self.found.tested} rows of {self.info.reference} are unlike others>"


@dataclass(frozen=True, slots=True)
class RowsAsked:
    """How rows are tested; see `Dataset.outlying_rows`."""

    against: str | None = None
    budget: float | None = None
    forest: bool = False
    limit: int = 20


def outlying_columns(dataset: Dataset, selector: str, columns: Sequence[str]) -> ColumnReport:
    """What `Dataset.outliers` gives."""
    from lastro.quality.outliers.column import ColumnOutliers, Counts, count, limits_of, ranked

    version = measured(dataset, selector)
    names, left_out = _chosen(dataset, version.schema, columns, times=True)
    limits = {name: limits_of(values) for name, values in _sample(version, names).items()}
    counts = dict.fromkeys(names, Counts())
    for batch in _batches(version, names):
        counts = {name: counts[name].plus(count(batch[name], limits[name])) for name in names}
    found = ranked(ColumnOutliers(name, limits[name], counts[name]) for name in names)
    types = {name: type_text(version.schema.field(name).type) for name in names}
    return ColumnReport(version.info, found, types, left_out)


def outlying_rows(dataset: Dataset, selector: str, columns: Sequence[str], asked: RowsAsked) -> RowReport:
    """What `Dataset.outlying_rows` gives."""
    from lastro.quality.outliers.rows import BUDGET

    budget = BUDGET if asked.budget is None else asked.budget
    if not 0 < budget < 1:
        raise UsageError(_("the budget is a share of the called rows, less than all"), do=_("use one such as 10%"))
    version = measured(dataset, selector)
    names, left_out = _chosen(dataset, version.schema, columns, times=False)
    good = None if asked.against is None else measured(dataset, asked.against)
    under = version
    if good is not None:
        names = tuple(name for name in names if _alike(version.schema, good.schema, name))
        under = _only_new(version, good)
    test = _test(version if good is None else good, names, asked, ranked=good is None)
    for batch in _batches(under, names):
        test.take(batch)
    found = test.result(budget=budget)
    rows = tuple(replace(row, place=_place(version.info, under.info, row.place)) for row in found.rows)
    return RowReport(version.info, replace(found, rows=rows), names, None if good is None else good.info, left_out)


def _test(version: Version, names: tuple[str, ...], asked: RowsAsked, *, ranked: bool) -> RowTest:
    from lastro.quality.outliers import rows

    sample = _sample(version, names)
    if ranked:
        return rows.ranking(sample, forest=asked.forest and bool(names), seed=SEED, told=asked.limit)
    try:
        return rows.against(sample, forest=asked.forest, seed=SEED, told=asked.limit)
    except ValueError as error:
        raise UsageError(
            _("{reference} has too few rows or columns to compare with").format(reference=version.reference),
            do=_("choose another version, or leave out --against"),
        ) from error


def _chosen(
    dataset: Dataset, schema: Schema, columns: Sequence[str], *, times: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The columns to look at, and why others with numbers are not (rule 1)."""
    target = dataset.shown()
    withheld = target.withheld_of(schema)
    if columns:
        for name in columns:
            _check(schema, name, withheld)
        return tuple(dict.fromkeys(columns)), {}
    left_out = {}
    for each in schema.fields:
        if not _has_distances(each.type) or (each.type in _TIMES and not times):
            continue
        if each.name in withheld:
            left_out[each.name] = _("withheld")
        elif each.name in target.plan.primary_key:
            left_out[each.name] = _("a key")
    numbers = (each for each in schema.fields if _has_distances(each.type) and (times or each.type not in _TIMES))
    return tuple(each.name for each in numbers if each.name not in left_out), left_out


def _check(schema: Schema, name: str, withheld: frozenset[str]) -> None:
    if name not in schema.names:
        raise UnknownName(
            _("there is no column {name!r}").format(name=name),
            do=_("use one of: {names}").format(names=", ".join(schema.names[:20])),
        )
    if name in withheld:
        raise UsageError(
            _("{name} is withheld: of its values nothing is told").format(name=name),
            do=_("choose columns that the contract does not classify"),
        )
    kind = schema.field(name).type
    if not _has_distances(kind):
        raise UsageError(
            _("{name} is {type}, not a number").format(name=name, type=type_text(kind)),
            do=_("name columns of numbers, dates or moments"),
        )


def _has_distances(kind: Type) -> bool:
    return kind in _TIMES or (is_number(kind) and kind != Primitive.BOOLEAN)


def _alike(one: Schema, two: Schema, name: str) -> bool:
    return name in two.names and one.field(name).type == two.field(name).type


def _only_new(version: Version, good: Version) -> Version:
    """The version's rows that lie in files which the other does not have."""
    from lastro.workspace.version import Version

    old = {entry.path for entry in good.info.files}
    files = tuple(entry for entry in version.info.files if entry.path not in old)
    info = replace(version.info, files=files, rows=sum(entry.rows for entry in files))
    return Version(info, version.table, version.engine)


def _place(whole: VersionInfo, part: VersionInfo, place: int) -> int:
    """Where a row of some of the files stands among all of them."""
    read = {entry.path for entry in part.files}
    before = 0
    for entry in whole.files:
        if entry.path not in read:
            before += entry.rows
        elif place < entry.rows:
            break
        else:
            place -= entry.rows
            before += entry.rows
    return before + place


def _sample(version: Version, names: tuple[str, ...]) -> Arrays:
    """Some rows' numbers (rule 2)."""
    import numpy as np

    draws, rows = np.random.default_rng(SEED), version.info.rows
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}  # Any: whichever numbers
    for batch in _batches(version, names):
        kept = draws.random(len(next(iter(batch.values())))) * rows < SAMPLE_ROWS
        for name, values in batch.items():
            parts[name].append(values[kept])
    # numpy says nothing of the types of masked arrays.
    return {name: np.ma.concatenate(found) if found else np.zeros(0) for name, found in parts.items()}  # type: ignore[no-untyped-call]


def _batches(version: Version, names: tuple[str, ...]) -> Iterator[Arrays]:
    if not names or not version.info.files:
        return
    kinds = {name: version.schema.field(name).type for name in names}
    for batch in version.reader(*names):
        yield {name: _numbers(batch.column(name), kind) for name, kind in kinds.items()}


def _numbers(column: Any, kind: Type) -> NDArray[Any]:  # Any: a pyarrow array; whichever numbers
    """A column's numbers, NaN or masked where missing; none of a whole number's digits is lost."""
    import numpy as np
    import pyarrow as pa

    if isinstance(kind, Decimal) or kind in _FLOATING:
        return floats(column)
    if kind == Primitive.DATE:
        column = column.cast(pa.int32())
    elif kind in _TIMES:
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return np.ma.MaskedArray(column.fill_null(0).to_numpy(zero_copy_only=False), missing)


def _head(info: VersionInfo) -> dict[str, Any]:  # Any: JSON values
    return {"version": info.reference, "digest": info.digest}
