"""Rounds: bring every dataset up to date once, and remember how it went.

Rules:

1. One round at a time in a workspace: a second one is refused at once (`Locked`); the lock ends with its process.
2. Each dataset with a source is a step. A step that fails stops no other, and may be tried again (`attempt`). Then
   follow the derived datasets that are stale (`build`), from whatever is the newest of what they read; lists that are
   new in a dataset with `flatten: true` are among them.
3. How the round went is kept for `lastro status` (`last_round`).
4. Then monitors of these datasets look at versions that they did not see (`looking`), and datasets that ask for it are
   checked (`checking`). Neither fails a round. Rules that a batch breaks are incidents before (`ruled`).
5. Exactly once is not the round's care: each step's commit carries its own cursor, so a round may be killed anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.model.status import CheckStep, MonitorStep, Round
from lastro.store.lock import held
from lastro.workspace.attempt import Working, attempt, silently
from lastro.workspace.derived import flatten
from lastro.workspace.derived.build import Building
from lastro.workspace.last_round import remember
from lastro.workspace.quality.ruled import judged

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace

LOCK = Path(".lastro") / "locks" / "round.lock"


def play(
    workspace: Workspace,
    names: tuple[str, ...],
    *,
    retries: int = 2,
    working: Working | None = None,
    sleep: Callable[[float], None] = time.sleep,
    stopping: Callable[[], bool] = lambda: False,
) -> Round:
    """One round over these datasets (all that have a source or are derived, without names).

    Raises `Locked`, `UnknownName`.

    `working` is entered for each step and gives whom to tell of progress; `stopping` is asked before each step.
    """
    entries = [workspace.dataset(name).entry for name in names]
    chosen = tuple(entry.name for entry in entries if not entry.derived) if names else sourced(workspace)
    derived = tuple(entry.name for entry in entries if entry.derived)
    with held(workspace.root / LOCK, dataset="lastro run", timeout_s=0):
        started = workspace.clock()
        steps = []
        for name in chosen:
            if stopping():
                break
            with (working or silently)(name) as told:
                dataset = workspace.dataset(name)
                doing = partial(judged, dataset, partial(dataset.take_in, progress=told))
                steps.append(attempt(name, doing, clock=workspace.clock, retries=retries, sleep=sleep))
        flattened, faults = flatten.complete(workspace, names)
        steps += faults
        if derived or not names:
            building = Building(workspace, retries, working or silently, sleep, stopping)
            steps += building.steps(derived, only=bool(names))
        datasets = {step.dataset for step in steps}
        looks = _looks(workspace, datasets, stopping)
        checks, notes = _checks(workspace, datasets, stopping)
        played = Round(started, workspace.clock(), tuple(steps), flattened, looks, checks, notes)
        remember(workspace.root, played)
    return played


def _looks(workspace: Workspace, datasets: set[str], stopping: Callable[[], bool]) -> tuple[MonitorStep, ...]:
    if not workspace.settings.monitors:
        return ()
    from lastro.report.looks import monitor_step
    from lastro.workspace.monitoring.looking import after_round

    return tuple(monitor_step(look) for look in after_round(workspace, datasets, stopping))


def _checks(
    workspace: Workspace, datasets: set[str], stopping: Callable[[], bool]
) -> tuple[tuple[CheckStep, ...], tuple[str, ...]]:
    if all(entry.check is None for entry in workspace.settings.datasets.values()):
        return (), ()
    from lastro.workspace.quality.checking import after_round

    return after_round(workspace, datasets, stopping)


def sourced(workspace: Workspace) -> tuple[str, ...]:
    """The datasets that have a source."""
    return tuple(name for name, entry in workspace.settings.datasets.items() if entry.source)
