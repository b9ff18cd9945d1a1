"""One step of a round or a build: tried, tried again where that may help, and told as a value.

Rules:

1. Errors that may pass (exit code 3) are tried again after a pause that doubles; others are not.
2. A step that fails raises nothing: its error is in the step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

from lastro.model.errors import LastroError
from lastro.model.progress import Told
from lastro.model.status import Outcome, Step

if TYPE_CHECKING:
    from lastro.model.clock import Clock
    from lastro.pipeline.result import IngestResult

PAUSE_S = 2.0
PAUSE_MAX_S = 60.0
MAY_PASS = 3
"""The exit code of errors that another attempt may not meet."""

Working = Callable[[str], AbstractContextManager[Told | None]]
"""Entered for each dataset, it gives whom to tell of progress."""


def silently(_name: str) -> AbstractContextManager[None]:
    """Work of which nobody is told."""
    return nullcontext()


def attempt(
    name: str, doing: Callable[[], IngestResult], *, clock: Clock, retries: int, sleep: Callable[[float], None]
) -> Step:
    """The dataset's step, once it is done or has failed `1 + retries` times."""
    began = time.monotonic()
    for number in range(1, retries + 2):
        try:
            result = doing()
        except LastroError as error:
            if error.exit_code != MAY_PASS or number > retries:
                return failed(name, error, clock(), seconds=time.monotonic() - began, attempts=number)
            sleep(min(PAUSE_S * 2 ** (number - 1), PAUSE_MAX_S))
        else:
            return _ended(result, clock(), time.monotonic() - began, number)
    raise AssertionError("a step ends within its attempts")


def failed(name: str, error: LastroError, now: datetime, *, seconds: float = 0.0, attempts: int = 1) -> Step:
    """A step that failed."""
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
        where=error.where,
    )


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
