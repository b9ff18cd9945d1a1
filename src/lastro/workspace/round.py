"""Rounds: bring every dataset up to date once, and remember how it went.

Rules:

1. One round at a time in a workspace: a second one is refused at once (`Locked`); the lock ends with its process.
2. Each dataset with a source is a step. A step that fails stops no other; errors that may pass (exit code 3) are tried
   again after a pause that doubles.
3. How the round went is kept in `.lastro/round.json`, for `lastro status`: outcomes and error codes, no values.
4. Exactly once is not the round's care: each step's commit carries its own cursor, so a round may be killed anywhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.model.durable import write_durably
from lastro.model.errors import LastroError
from lastro.model.status import Outcome, Round, Step
from lastro.store.lock import held
from lastro.workspace import configuration

if TYPE_CHECKING:
    from lastro.pipeline.result import IngestResult
    from lastro.workspace.workspace import Workspace

FORMAT = 1
FILE = Path(".lastro") / "round.json"
LOCK = Path(".lastro") / "locks" / "round.lock"
PAUSE_S = 2.0
PAUSE_MAX_S = 60.0
MAY_PASS = 3
"""The exit code of errors that another attempt may not meet."""

Working = Callable[[str], AbstractContextManager[Callable[[int], None] | None]]


def play(
    workspace: Workspace,
    names: tuple[str, ...],
    *,
    retries: int = 2,
    working: Working | None = None,
    sleep: Callable[[float], None] = time.sleep,
    stopping: Callable[[], bool] = lambda: False,
) -> Round:
    """One round over these datasets (all that have a source, without names). Raises `Locked`, `UnknownName`.

    `working` is entered for each step and gives whom to tell of progress; `stopping` is asked before each step.
    """
    chosen = tuple(workspace.dataset(name).name for name in names) or sourced(workspace)
    with held(workspace.root / LOCK, dataset="lastro run", timeout_s=0):
        started = workspace.clock()
        steps = []
        for name in chosen:
            if stopping():
                break
            with (working or _silently)(name) as told:
                steps.append(_step(workspace, name, retries, told, sleep))
        played = Round(started, workspace.clock(), tuple(steps))
        remember(workspace.root, played)
    return played


def sourced(workspace: Workspace) -> tuple[str, ...]:
    """The datasets that have a source."""
    return tuple(name for name, entry in workspace.settings.datasets.items() if entry.source)


def remember(root: Path, played: Round) -> None:
    """Keeps the round's steps; those of datasets that were not in it stay. Raises `WriteFailed`."""
    steps = {step.dataset: step for step in (*last_round(root), *played.steps)}
    record = {"lastro_round": FORMAT, **played.to_dict(), "steps": [step.to_dict() for step in steps.values()]}
    with configuration.writing(root / FILE):
        write_durably(root / FILE, json.dumps(record, ensure_ascii=False).encode() + b"\n", mode=0o600)


def last_round(root: Path) -> tuple[Step, ...]:
    """The last step of each dataset; empty if there was no round, or its record cannot be read."""
    try:
        record = json.loads((root / FILE).read_bytes())
        return tuple(map(Step.from_dict, record["steps"])) if record["lastro_round"] == FORMAT else ()
    except (OSError, ValueError, LookupError, TypeError):
        return ()


def _step(
    workspace: Workspace,
    name: str,
    retries: int,
    told: Callable[[int], None] | None,
    sleep: Callable[[float], None],
) -> Step:
    began = time.monotonic()
    for attempt in range(1, retries + 2):
        try:
            result = workspace.dataset(name).ingest(progress=told)
        except LastroError as error:
            if error.exit_code != MAY_PASS or attempt > retries:
                return _failed(name, error, workspace.clock(), time.monotonic() - began, attempt)
            sleep(min(PAUSE_S * 2 ** (attempt - 1), PAUSE_MAX_S))
        else:
            return _ended(result, workspace.clock(), time.monotonic() - began, attempt)
    raise AssertionError("a step ends within its attempts")


def _ended(result: IngestResult, now: datetime, seconds: float, attempts: int) -> Step:
    counts = result.counts
    return Step(
        dataset=result.dataset,
        outcome=Outcome.UNCHANGED if result.unchanged else Outcome.MADE,
        ended=now,
        seconds=seconds,
        attempts=attempts,
        version=result.version,
        kept=counts.kept if counts else 0,
        quarantined=counts.quarantined if counts else 0,
    )


def _failed(name: str, error: LastroError, now: datetime, seconds: float, attempts: int) -> Step:
    return Step(
        dataset=name,
        outcome=Outcome.FAILED,
        ended=now,
        seconds=seconds,
        attempts=attempts,
        code=error.code,
        what=error.what,
        do=error.do,
        exit_code=error.exit_code,
    )


def _silently(_name: str) -> AbstractContextManager[None]:
    return nullcontext()
