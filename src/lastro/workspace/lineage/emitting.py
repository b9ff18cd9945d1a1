"""Telling others what is read and written, while it happens (`openlineage:` of `lastro.yaml`).

Rules:

1. A wrong section is an error before anything is read. After that, telling never fails the work: what did not get
   through is counted, and told as a note at the end.
2. After `FAILURES_MAX` failures in a row nothing more is tried for `PAUSE_S`: a receiver that is down costs a command
   some seconds, not more.
3. What was interrupted is told as `ABORT`; what was killed has `START` only.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from lastro.model.errors import LastroError
from lastro.openlineage.emit import emit
from lastro.openlineage.event import Job, State, Told, Work, event
from lastro.openlineage.target import Target, namespace, target

if TYPE_CHECKING:
    from lastro.pipeline.result import IngestResult
    from lastro.workspace.workspace import Workspace

FAILURES_MAX = 3
PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, of which others are told."""

    workspace: Workspace
    target: Target
    job: Job
    run: str = field(default_factory=lambda: str(uuid.uuid4()))

    def tell(self, state: State, *, result: IngestResult | None = None, code: str = "") -> None:
        """Tells one event, or counts it as untold."""
        untold = self.workspace.untold
        if untold.failures >= FAILURES_MAX and time.monotonic() < untold.paused_until:
            untold.count += 1
            return
        try:
            emit(self.target, event(self.job, self.run, self._told(state, result, code)))
        except LastroError as error:
            untold.first = untold.first or error.what
            untold.count, untold.failures = untold.count + 1, untold.failures + 1
            untold.paused_until = time.monotonic() + PAUSE_S
        else:
            untold.failures = 0

    def _told(self, state: State, result: IngestResult | None, code: str) -> Told:
        moment = self.workspace.clock()
        if result is None or result.version is None:
            return Told(state, moment, code=code)
        written = self.workspace.table(self.job.dataset).version(result.version)
        rows = None if result.unchanged or result.counts is None else result.counts.kept
        return Told(state, moment, written, rows, code)


def told(
    workspace: Workspace,
    work: Work,
    dataset: str,
    doing: Callable[[], IngestResult],
    *,
    source: str = "",
    inputs: tuple[str, ...] = (),
) -> IngestResult:
    """Does the work, and tells of it where `lastro.yaml` says so. Raises what the work does, `ConfigurationError`."""
    where = target(workspace.settings.openlineage, workspace.root)
    if where is None:
        return doing()
    name = workspace.engine().name
    space = namespace(workspace.settings.openlineage, workspace.root)
    attempt = Attempt(workspace, where, Job(space, work, dataset, source, inputs, (name, _version(name))))
    attempt.tell(State.START)
    try:
        result = doing()
    except LastroError as error:
        attempt.tell(State.FAIL, code=error.code)
        raise
    except Exception:
        attempt.tell(State.FAIL)
        raise
    except BaseException:
        attempt.tell(State.ABORT)
        raise
    attempt.tell(State.COMPLETE, result=result)
    return result


def _version(engine: str) -> str:
    """The version of the engine's library, if it has the engine's name or Spark's."""
    try:
        return version({"spark": "pyspark"}.get(engine, engine))
    except (PackageNotFoundError, ValueError):
        return ""
