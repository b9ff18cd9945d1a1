"""Looking: a monitor compares what came with its reference, and what that came to is recorded.

Rules:

1. Every look is recorded before anybody hears of it: what was compared, under which settings, what it spent of the
   month's budget (`drift.monthly`), and the result – or the error, if nothing could be compared, which spends
   nothing.
2. One look at a time for each monitor; whoever waits sees the one before.
3. Without a window, a look sees the rows that came since the last look's version; the first sees the newest batch. A
   version that replaced all rows is seen whole.
4. A round looks with the monitors of its datasets that have a version which was not looked at, at most once in `every`.
   What befalls a look there is told in the look, and fails no step.
5. Other ingestions look with the monitors that say `at_ingestion`, as a round does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.catalog.look_files import LookFiles, Past
from lastro.catalog.look_record import Look, Looked, LookedAt, LookSettings, WorstColumn
from lastro.model.errors import Corrupted, Expired, LastroError, UnknownName, UsageError
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
from lastro.workspace.monitoring.monitors import Monitor, WhenSpent

if TYPE_CHECKING:
    from lastro.drift.result import ColumnDrift
    from lastro.drift.settings import Settings
    from lastro.pipeline.drift import Comparison, Window
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace

FOLDER = Path(".lastro") / "monitors"
WORST = 10
"""So many columns are recorded by name."""


def files(workspace: Workspace) -> LookFiles:
    """Where the looks of all monitors are."""
    return LookFiles(workspace.root / FOLDER)


def named(workspace: Workspace, name: str) -> Monitor:
    """The monitor of that name. Raises `UnknownName`."""
    found = workspace.settings.monitors.get(name)
    if found is None:
        raise UnknownName(
            _("there is no monitor {name!r}").format(name=name[:80]),
            where=str(workspace.root / "lastro.yaml"),
            do=_("known monitors: {names}").format(
                names=", ".join(workspace.settings.monitors) or _("none; write one under monitors:")
            ),
        )
    return found


def pins(workspace: Workspace) -> Mapping[str, frozenset[int]]:
    """The versions that monitors still need, by dataset: their references, and what their last looks compared.

    Raises `Corrupted` if looks cannot be read: nothing may be collected while it is unknown what is needed.
    """
    found: dict[str, set[int]] = {}
    for monitor in workspace.settings.monitors.values():
        needed = found.setdefault(monitor.dataset, set())
        with suppress(UsageError, Expired):  # what is gone, or was never there, needs no pin
            needed.add(_reference(workspace, monitor)[1].number)
        for one in reversed(files(workspace).all(monitor.name).looks):
            if one.looked is not None and one.dataset == monitor.dataset:
                sides = (one.looked.current, one.looked.after)
                needed.update(side.number for side in sides if side is not None)
                break
    return {dataset: frozenset(numbers) for dataset, numbers in found.items()}


def look(workspace: Workspace, name: str) -> Look:
    """Looks now, and records it. An error of the comparison is in the look.

    Raises `UnknownName`, `Locked`, `WriteFailed`, `Corrupted`.
    """
    monitor = named(workspace, name)
    with files(workspace).alone(name):
        return _look(workspace, monitor, files(workspace).last(name))


def again(workspace: Workspace, name: str, number: int) -> Look:
    """What a recorded look comes to if its comparison is made again, under the settings of then; nothing is recorded.

    It equals the recorded look unless something is no longer what it was. Raises `UnknownName` if there is no such
    look, or it compared nothing; `Expired` if a version's files were collected; `Corrupted` if one is another now.
    """
    from lastro.pipeline.drift import Window, drift

    past = files(workspace).read(named(workspace, name).name)
    recorded = next((one for one in past if one.number == number), None)
    if recorded is None or recorded.looked is None or recorded.settings is None:
        raise UnknownName(
            _("{monitor} has no look {number} that compared anything").format(monitor=name, number=number),
            do=_("lastro monitor {monitor} --past lists its looks").format(monitor=name),
        )
    looked, dataset = recorded.looked, workspace.dataset(recorded.dataset)
    after = None if looked.after is None else _same(dataset, looked.after)
    window = Window(_same(dataset, looked.current), after, looked.time, looked.start)
    settings = _settings_of(recorded.settings)
    found = drift(dataset.target(), _same(dataset, looked.reference), window, settings=settings, columns=looked.columns)
    compared = _recorded(Monitor(name, recorded.dataset, columns=looked.columns), found, settings, recorded.moment)
    kept = {key: getattr(recorded, key) for key in ("number", "alarm", "spent", "spent_before", "quiet", "repeats")}
    return replace(compared, **kept)


def _same(dataset: Dataset, at: LookedAt) -> VersionInfo:
    info = dataset.find(str(at.number), collected=True)
    if info.digest != at.digest:
        raise Corrupted(
            _("{reference} is not the version that was looked at").format(reference=info.reference),
            do=_("lastro verify {name} tells what differs").format(name=dataset.name),
        )
    return info


def _settings_of(recorded: LookSettings) -> Settings:
    from lastro.drift.settings import Settings

    return Settings(
        alpha=recorded.budget,
        columns=recorded.columns,
        looks=recorded.looks,
        margin=recorded.margin,
        margins=dict(recorded.margins),
        margin_rates=recorded.margin_rates,
    )


def after_round(workspace: Workspace, datasets: Collection[str], stopping: Callable[[], bool]) -> tuple[Look, ...]:
    """The looks that are due after a round of these datasets (rule 4); one that cannot be recorded is told, too."""
    due = [monitor for monitor in workspace.settings.monitors.values() if monitor.dataset in datasets]
    found = (_due_look(workspace, monitor) for monitor in due if not stopping())
    return tuple(one for one in found if one is not None)


def after_ingestion(dataset: Dataset) -> tuple[Look, ...]:
    """The looks that are due after an ingestion outside of a round (rule 5)."""
    every = dataset.workspace.settings.monitors.values()
    due = [monitor for monitor in every if monitor.dataset == dataset.name and monitor.at_ingestion]
    found = (_due_look(dataset.workspace, monitor) for monitor in due)
    return tuple(one for one in found if one is not None)


def _due_look(workspace: Workspace, monitor: Monitor) -> Look | None:
    try:
        with files(workspace).alone(monitor.name):
            past = files(workspace).last(monitor.name)
            return _look(workspace, monitor, past) if _is_due(workspace, monitor, past) else None
    except LastroError as error:  # the round goes on; the look says why it is none
        return _failed(monitor, workspace.clock(), error)


def _is_due(workspace: Workspace, monitor: Monitor, past: Past) -> bool:
    head = workspace.dataset(monitor.dataset).table.head()
    if head is None:
        return False
    newest = next(reversed(past.looks), None)
    if newest is None:
        return True
    if monitor.every is not None and newest.moment <= workspace.clock() < newest.moment + monitor.every:
        return False
    return head.number > past.whole.seen.get(monitor.dataset, -1) or bool(newest.code)


def _look(workspace: Workspace, monitor: Monitor, past: Past) -> Look:
    now = workspace.clock()
    try:
        found = _compared(workspace, monitor, past, now)
    except LastroError as error:
        found = _failed(monitor, now, error)
        newest = next(reversed(past.looks), None)
        if newest is not None and replace(newest, moment=now, number=0) == found:
            return replace(newest, moment=now)  # the same failure as last time is not recorded again
    return files(workspace).append(found, past=past)


def _failed(monitor: Monitor, now: datetime, error: LastroError) -> Look:
    return Look(
        monitor.name,
        monitor.dataset,
        now,
        code=error.code,
        what=error.what,
        do=error.do,
        exit_code=error.exit_code,
    )


def _compared(workspace: Workspace, monitor: Monitor, past: Past, now: datetime) -> Look:
    from lastro.pipeline.drift import drift

    dataset, reference = _reference(workspace, monitor)
    settings = _settings(monitor, reference)
    window = _window(dataset, monitor, past)
    found = drift(dataset.target(), reference, window, settings=settings, columns=monitor.columns)
    return _budgeted(_recorded(monitor, found, settings, now), settings, past, monitor.when_spent)


def _reference(workspace: Workspace, monitor: Monitor) -> tuple[Dataset, VersionInfo]:
    from lastro.workspace.monitoring.drifted import trained_on

    dataset, selector = workspace.dataset(monitor.dataset), monitor.reference
    if monitor.run is not None:
        _name, selector = trained_on(workspace, monitor.run, monitor.dataset)
    try:
        return dataset, dataset.find(selector or "latest", collected=True)
    except UnknownName as error:
        raise UnknownName(
            _("there is no version {reference} to compare with").format(reference=f"{dataset.name}@{selector}"),
            do=_("lastro tag {name} TAG names one, lastro log {name} lists them").format(name=dataset.name),
        ) from error


def _settings(monitor: Monitor, reference: VersionInfo) -> Settings:
    """The settings of a look. All columns of the reference share the budget, or those that are named, whichever of
    them can be compared.

    Raises `UnknownName` for a margin of a column that there is not.
    """
    from lastro.drift.settings import Settings

    for name in monitor.margins:
        if name not in reference.schema.names:
            raise UnknownName(
                _("{reference} has no column {name!r}").format(reference=reference.reference, name=name),
                where=f"lastro.yaml: monitors.{monitor.name}.margins",
                do=_("use one of: {names}").format(names=", ".join(reference.schema.names[:20])),
            )
    return Settings(
        alpha=monitor.budget,
        columns=len(monitor.columns or reference.schema.names),
        looks=monitor.looks,
        margin=monitor.margin,
        margins=dict(monitor.margins),
    )


def _window(dataset: Dataset, monitor: Monitor, past: Past) -> Window:
    from lastro.pipeline.drift import Window
    from lastro.workspace.monitoring.drifted import Asked, window_of

    if monitor.window is not None or monitor.since is not None:
        asked = Asked("latest", since=monitor.since, window=monitor.window, time=monitor.time)
        return window_of(dataset, asked)
    current = dataset.find("latest")
    after = _before(dataset, current, past.looks)
    if after is not None and set(after.files) - set(current.files) and current.origin.mode in _WHOLE:
        after = None
    return Window(current, after=after)


_WHOLE = frozenset({Mode.OVERWRITE, Mode.SNAPSHOT, Mode.RESTORE})


def _before(dataset: Dataset, current: VersionInfo, past: tuple[Look, ...]) -> VersionInfo | None:
    """The version after which the rows of this look came (rule 3)."""
    for one in reversed(past):
        seen = one.looked
        if seen is None or one.dataset != dataset.name or seen.time is not None or seen.current.number > current.number:
            continue
        if seen.current.number == current.number and seen.after is None:
            return None
        number = seen.after.number if seen.after and seen.current.number == current.number else seen.current.number
        return dataset.find(str(number), collected=True)
    return dataset.find(str(current.number - 1), collected=True) if current.number else None


def _recorded(monitor: Monitor, found: Comparison, settings: Settings, now: datetime) -> Look:
    from lastro.drift.result import Verdict

    window = found.window
    return Look(
        monitor.name,
        monitor.dataset,
        now,
        looked=Looked(
            _at(found.reference),
            _at(window.version),
            None if window.after is None else _at(window.after),
            window.time,
            window.start,
            monitor.columns,
        ),
        settings=LookSettings(
            settings.alpha,
            settings.looks,
            found.drift.budget.columns,
            settings.margin,
            settings.margin_rates,
            dict(settings.margins),
        ),
        verdict=found.drift.verdict.value,
        columns=len(found.drift.columns),
        drifted=sum(column.verdict is Verdict.DRIFTED for column in found.drift.columns),
        rows_reference=found.drift.reference,
        rows_current=found.drift.current,
        worst=tuple(map(_column, found.drift.worst(WORST))),
    )


def _at(info: VersionInfo) -> LookedAt:
    return LookedAt(info.number, info.digest)


def _column(column: ColumnDrift) -> WorstColumn:
    from lastro.report.drift import deciding

    shift = deciding(column)
    if shift is None or shift.size is None:
        return WorstColumn(column.name, column.type, column.verdict.value)
    size = shift.size
    return WorstColumn(
        column.name,
        column.type,
        column.verdict.value,
        shift.fact.value,
        size.value,
        size.low,
        size.high,
        shift.margin,
        shift.before,
        shift.after,
    )


def _budgeted(found: Look, settings: Settings, past: Past, when_spent: WhenSpent) -> Look:
    """The look with what it spends of its month's budget, and whether it may and does alarm. Whether it repeats another
    is asked of the last looks.
    """
    from lastro.drift.monthly import cost, is_left, month_of
    from lastro.drift.result import Verdict

    month = month_of(found.moment)
    earlier = [one for one in past.looks if one.looked is not None and month_of(one.moment) == month]
    spent = past.whole.spent.get(month, 0.0)
    same = next((one for one in earlier if one.comparison == found.comparison), None)
    if same is not None:
        found = replace(found, repeats=same.number if same.repeats is None else same.repeats, quiet=same.quiet)
    else:
        is_quiet = not is_left(settings, spent)
        found = replace(found, spent=0.0 if is_quiet else cost(settings), quiet=is_quiet)
    may = not found.quiet or when_spent is WhenSpent.ALARM
    return replace(found, spent_before=spent, alarm=may and found.verdict == Verdict.DRIFTED.value)
