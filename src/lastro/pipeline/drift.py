"""Drift between a version and rows that came later, from what was counted of both, and from rows only where need be.

Rules:

1. The reference's frame says what is counted. A version that was counted under the same frame is compared without
   reading a row, also once its files were collected; another's rows are counted under the reference's.
2. A window of commits holds the rows that came after a version: what was counted now less what was counted then, or the
   new files. Where rows were also changed or taken away since, there is no such window, and a time column is asked for.
3. A window of time holds the rows of the current version whose column lies in it; they are read.
4. Keys, the column that says when a row happened, and columns that only go on (every number of the window lies beyond
   the reference's: a date, a running number) always differ and mean nothing: they are left out, and that is
   told. A whole number only goes on if it is about as large as before (a month as 202601), or if hardly one comes twice
   and one row adds about as much to it as before (a running number): one that is counted in cents instead of euros has
   drifted. Columns that are asked for by name are compared whatever they are.
5. Rows as wholes, texts and vectors are compared if that is asked for, by samples (`pipeline.together`). What is asked
   about them counts as further columns of the budget.
6. Slices are told apart by a column of few values, on both sides; all rows are read for them. They explain the columns
   that are compared, and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from lastro.drift.compare import compare
from lastro.drift.result import Drift, Verdict, worst_of
from lastro.drift.settings import Settings
from lastro.drift.slices import SliceShare, contributions
from lastro.drift.together.answer import Together
from lastro.drift.together.compare import Asked
from lastro.engine.profiling.slices import MISSING, OTHERS, labels
from lastro.model.errors import Expired, UnknownName, UsageError
from lastro.model.profile import ColumnProfile, Frame, Profile, without
from lastro.model.schema import Primitive, Schema, type_text
from lastro.model.text import _
from lastro.model.version import FileEntry, VersionInfo
from lastro.pipeline import profiling
from lastro.pipeline.target import Target
from lastro.pipeline.together import Side, questions, together

_TIMES = {
    Primitive.DATE: "DATE",
    Primitive.TIMESTAMP: "TIMESTAMP",
    Primitive.TIMESTAMP_NTZ: "TIMESTAMP",
}
_MOMENTS = frozenset({"date", "timestamp", "timestamp_ntz"})
_ORDERED = _MOMENTS | {"long", "integer", "short"}
"""Types of columns that may count what happened."""
_LARGER, _FASTER, _ONCE = 2.0, 8.0, 0.9
"""A number that goes on is so many times as large at most; one that runs does so so many times as fast at most, and so
many of its values are different ones."""
BEYOND_SHARE = 0.01
"""The outer bin of a column that goes on holds at most this share of the reference."""
EXPLAINED = 3
"""So many drifted columns are explained by slices, each by itself."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows are compared with a reference: all of a version, those that came `after` another one, or those whose
    `time` column lies at or after `start` (UTC).
    """

    version: VersionInfo
    after: VersionInfo | None = None
    time: str | None = None
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A reference and a window, compared. `rows_read` is true if rows had to be read.

    `slices` are the slices by what they explain of all columns' change, `by_column` of the columns that drifted most.
    """

    reference: VersionInfo
    window: Window
    drift: Drift
    rows_read: bool
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Columns that were not compared, and why."""
    by: str | None = None
    slices: tuple[SliceShare, ...] = ()
    by_column: Mapping[str, tuple[SliceShare, ...]] = field(default_factory=dict)
    together: Together | None = None
    """What samples of rows as wholes, texts and vectors came to, if that was asked for and there were rows."""

    @property
    def verdict(self) -> Verdict:
        """The verdict of all columns, and of what was compared beside them."""
        return self.drift.verdict if self.together is None else worst_of([self.drift.verdict, self.together.verdict])


def drift(
    target: Target,
    reference: VersionInfo,
    window: Window,
    *,
    settings: Settings,
    columns: Sequence[str] = (),
    by: str | None = None,
) -> Comparison:
    """Compares a window with a reference: all columns that mean something, or those that are named.

    Raises `UsageError`, `UnknownName`, `Corrupted`, `Expired`, `EngineError`, `MissingExtra`.
    """
    for name in (*columns, *settings.margins):
        _check_column(reference, name)
    withheld = target.withheld_of(reference.schema)
    before = profiling.kept(target.table, target.engine, reference, withheld=withheld)
    found = _Found(target, reference, window, before)
    where = condition(window)
    current = found.counted(where, columns)
    left_out = {} if columns else _left_out(target, window, before, current.profile)
    chosen = [name for name in columns or (*before.columns, *current.profile.columns) if name not in left_out]
    sides = (_only(before, chosen), _only(current.profile, chosen))
    more = found.questions(chosen) if settings.together else None
    if more is not None:
        columns_all = max(settings.columns or 1, len(sides[0].columns.keys() | sides[1].columns.keys()))
        settings = replace(settings, columns=columns_all + more.questions)
    told = compare(*sides, settings=settings)
    compared = Comparison(reference, window, told, current.rows_read, left_out=left_out, by=by)
    if more is not None and told.reference and told.current:
        compared = replace(compared, rows_read=True, together=found.together(more, told, settings, where))
    return compared if by is None else _sliced(found, compared, by, where)


@dataclass(frozen=True, slots=True)
class _Counted:
    profile: Profile
    rows_read: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What a comparison is made of."""

    target: Target
    reference: VersionInfo
    window: Window
    before: Profile

    def counted(self, where: str | None, columns: Sequence[str]) -> _Counted:
        """The window's rows under the reference's frame; if rows are read, only these columns of them, if any."""
        version, after = self.window.version, self.window.after
        if where is None:
            whole = self._stored(version)
            if whole is not None and after is None:
                return _Counted(whole, rows_read=False)
            earlier = None if after is None else self._stored(after)
            self.files()  # refuses a window that is none
            if whole is not None and earlier is not None:
                return _Counted(without(whole, earlier), rows_read=False)
        self._refuse_collected(where)
        schema = _narrowed(version.schema, (*columns, self.window.time) if columns else ())
        paths = self.target.table.paths(replace(version, files=tuple(self.files())))
        frame, withheld = self.frame(schema), self.target.withheld_of(version.schema)
        found = self.target.engine.profile(paths, schema, frame=frame, withheld=withheld, where=where)
        return _Counted(found, rows_read=True)

    def _refuse_collected(self, where: str | None) -> None:
        """Raises `Expired` if rows are needed that were collected, and says why a profile does not do."""
        version, table = self.window.version, self.target.table
        if version.number not in table.expired():
            return
        why = _("rows within a time are asked for")
        if where is None:
            why = _("what was counted of it cannot be held against {reference}").format(
                reference=self.reference.reference
            )
        raise Expired(
            _("the files of {reference} were collected, and {why}").format(reference=version.reference, why=why),
            do=_("tag a version to keep it; lastro log {name} shows which are left").format(name=version.dataset),
        )

    def questions(self, names: Sequence[str]) -> Asked:
        """What is asked about rows as wholes, texts and vectors of these columns. Raises `MissingExtra`."""
        schemas = (self.reference.schema, self.window.version.schema)
        withheld = frozenset().union(*map(self.target.withheld_of, schemas))
        return questions(names, schemas, self.before.frame, withheld)

    def together(self, of: Asked, told: Drift, settings: Settings, where: str | None) -> Together:
        """What samples of both sides answer."""
        sides = [
            Side([self.target.table.file(entry.path) for entry in files], info.schema, rows, condition)
            for info, files, rows, condition in (
                (self.reference, list(self.reference.files), told.reference, None),
                (self.window.version, self.files(), told.current, where),
            )
        ]
        for info in (self.reference, self.window.version):
            self.target.table.paths(info)  # proves the files
        return together(of, (sides[0], sides[1]), self.target.engine, settings, told.budget)

    def frame(self, schema: Schema) -> Frame:
        """The reference's frame, of the columns whose type is still the same."""
        types = {each.name: type_text(each.type) for each in schema.fields}
        return {name: each for name, each in self.before.frame.items() if types.get(name) == each.type}

    def _stored(self, info: VersionInfo) -> Profile | None:
        """The version's own profile, if it was counted under the reference's frame."""
        if info == self.reference:
            return self.before
        found = profiling.stored(self.target.table, info, withheld=self.target.withheld_of(info.schema))
        return found if found is not None and found.frame == self.before.frame else None

    def files(self) -> list[FileEntry]:
        """The files of the window. Raises `UsageError`."""
        return files_of(self.window)


def files_of(window: Window) -> list[FileEntry]:
    """The files that hold a window's rows. Raises `UsageError` if its rows were not only added."""
    version, after = window.version, window.after
    if after is None:
        return list(version.files)
    known, now = set(after.files), set(version.files)
    if known - now:
        raise UsageError(
            _("rows were changed or taken away after {reference}, not only added").format(reference=after.reference),
            where=version.reference,
            do=_("name the column that says when a row happened: --time COLUMN"),
        )
    return [entry for entry in version.files if entry not in known]


def _narrowed(schema: Schema, names: Collection[str | None]) -> Schema:
    """The schema with these columns alone; as it is if none are named."""
    return Schema(tuple(each for each in schema.fields if each.name in names)) if names else schema


def _only(profile: Profile, names: Sequence[str]) -> Profile:
    return replace(profile, columns={name: profile.columns[name] for name in names if name in profile.columns})


def _left_out(target: Target, window: Window, before: Profile, after: Profile) -> dict[str, str]:
    """The columns that mean nothing, each with the reason (rule 4)."""
    found = {name: _("a key") for name in target.plan.primary_key}
    if window.time is not None:
        found[window.time] = _("it says when a row happened")
    for name, column in before.columns.items():
        if name not in found and name in after.columns and _goes_on(column, after.columns[name]):
            found[name] = _("it only goes on: all of it lies beyond the reference's")
    return found


def _goes_on(before: ColumnProfile, after: ColumnProfile) -> bool:
    first, second = before.numbers, after.numbers
    if first is None or second is None or before.frame != after.frame or before.frame.type not in _ORDERED:
        return False
    few = first.bins[-1] <= BEYOND_SHARE * first.counted
    is_beyond = few and bool(first.counted) and 0 < second.counted == second.bins[-1]
    return is_beyond and (before.frame.type in _MOMENTS or _is_as_large(before, after) or _runs_on(before, after))


def _is_as_large(before: ColumnProfile, after: ColumnProfile) -> bool:
    means = [_mean(each) for each in (before, after)]
    return abs(means[1]) <= _LARGER * abs(means[0])


def _runs_on(before: ColumnProfile, after: ColumnProfile) -> bool:
    """True, too, where that is not known: of one row, or of very many values."""
    if not all(map(_hardly_recurs, (before, after))):
        return False
    speeds = [_speed(each) for each in (before, after)]
    return 0.0 in speeds or speeds[0] / _FASTER <= speeds[1] <= speeds[0] * _FASTER


def _hardly_recurs(column: ColumnProfile) -> bool:
    present = column.numbers.counted if column.numbers is not None else 0
    found = None if column.distinct is None else column.distinct.estimate(present)
    return found is None or found.count >= _ONCE * present * (1 - found.error)


def _mean(column: ColumnProfile) -> float:
    numbers, frame = column.numbers, column.frame.numbers
    return (numbers.mean(frame) or 0.0) if numbers is not None and frame is not None else 0.0


def _speed(column: ColumnProfile) -> float:
    """How much a row adds, up to a factor; 0 where that is not known."""
    numbers = column.numbers
    return (numbers.deviation() or 0.0) / numbers.finite if numbers is not None and numbers.finite else 0.0


def _check_column(info: VersionInfo, name: str) -> None:
    if name not in info.schema.names:
        raise UnknownName(
            _("{reference} has no column {name!r}").format(reference=info.reference, name=name),
            do=_("use one of: {names}").format(names=", ".join(info.schema.names[:20])),
        )


def condition(window: Window) -> str | None:
    """The SQL condition of a window of time, None of one of files. Raises `UnknownName`, `UsageError`."""
    if window.time is None or window.start is None:
        return None
    schema = window.version.schema
    _check_column(window.version, window.time)
    word = _TIMES.get(kind) if isinstance(kind := schema.field(window.time).type, Primitive) else None
    if word is None:
        raise UsageError(
            _("{name} holds no dates or moments").format(name=window.time),
            do=_("name a column of dates or moments"),
        )
    name = '"' + window.time.replace('"', '""') + '"'
    start = window.start.astimezone(UTC).replace(tzinfo=None)
    text = start.date().isoformat() if word == "DATE" else start.isoformat(sep=" ", timespec="microseconds")
    return f"{name} >= {word} '{text}'"


def _sliced(found: _Found, compared: Comparison, by: str, where: str | None) -> Comparison:
    frame = found.frame(compared.window.version.schema)
    if by not in frame or not labels(frame[by]):
        raise UsageError(
            _("rows cannot be told apart by {name}").format(name=by),
            do=_("name a column of few values: {names}").format(
                names=", ".join(name for name, each in frame.items() if labels(each)) or "–"
            ),
        )
    names = [column.name for column in compared.drift.columns if column.name != by]
    sides = [
        {label: _only(profile, names) for label, profile in counted.items()}
        for counted in (
            _slices(found, compared.reference, list(compared.reference.files), frame, by, None),
            _slices(found, compared.window.version, found.files(), frame, by, where),
        )
    ]
    drifted = [column.name for column in compared.drift.columns if column.verdict is Verdict.DRIFTED]
    explained = [name for name in drifted if name in frame and name != by][:EXPLAINED]
    return replace(
        compared,
        rows_read=True,
        slices=contributions(*sides),
        by_column={name: contributions(*sides, column=name) for name in explained},
    )


def _slices(
    found: _Found, info: VersionInfo, files: list[FileEntry], frame: Frame, by: str, where: str | None
) -> Mapping[str, Profile]:
    target = found.target
    shared = _narrowed(info.schema, frame)
    paths = target.table.paths(replace(info, files=tuple(files)))
    withheld = target.withheld_of(shared)
    counted = target.engine.slices(paths, shared, by=by, frame=frame, withheld=withheld, where=where)
    names = {OTHERS: _("(all others)"), MISSING: _("(missing)")}
    return {names.get(name, name): profile for name, profile in counted.items()}
