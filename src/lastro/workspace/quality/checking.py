"""Checks of rounds: the newest version of a dataset is held to its contract, at most once in the time that its `check`
in `lastro.yaml` says.

Rules:

1. A check is due if there was none, or none for so long; one that seems to be of the future was made under another
   clock, and counts as none. One that could not be made is due again in the next round.
2. What it finds becomes incidents (`ruled`). It fails no round.
3. When each dataset was checked is kept in `.lastro/checks.json`. It is no record: without it all checks are due.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.model import clock
from lastro.model.durable import write_durably
from lastro.model.finding import Verdict
from lastro.model.status import CheckStep
from lastro.workspace import configuration

if TYPE_CHECKING:
    from lastro.model.check import CheckReport
    from lastro.workspace.configuration import DatasetEntry
    from lastro.workspace.workspace import Workspace

FILE = Path(".lastro") / "checks.json"
FORMAT = 1


def after_round(
    workspace: Workspace, datasets: Collection[str], stopping: Callable[[], bool]
) -> tuple[tuple[CheckStep, ...], tuple[str, ...]]:
    """The checks that are due after a round of these datasets, and notes of what could not be recorded.

    Raises `WriteFailed`.
    """
    known = _read(workspace.root / FILE)
    steps: list[CheckStep] = []
    notes: list[str] = []
    made: dict[str, datetime] = {}
    for entry in _due(workspace, datasets, known):
        if stopping():
            break
        step, told = _checked(workspace, entry.name)
        steps.append(step)
        notes += told
        if not step.code:
            made[entry.name] = workspace.clock()
    if made:
        with configuration.writing(workspace.root / FILE):
            _write(workspace.root / FILE, {**known, **made})
    return tuple(steps), tuple(notes)


def _due(workspace: Workspace, datasets: Collection[str], known: Mapping[str, datetime]) -> Iterator[DatasetEntry]:
    now = workspace.clock()
    for entry in workspace.settings.datasets.values():
        if entry.check is None or entry.name not in datasets or workspace.dataset(entry.name).table.head() is None:
            continue
        last = known.get(entry.name)
        if last is None or not last <= now < last + entry.check:
            yield entry


def _checked(workspace: Workspace, name: str) -> tuple[CheckStep, tuple[str, ...]]:
    from lastro.report.checks import checks_verdict
    from lastro.workspace.quality.check import asked, tried
    from lastro.workspace.quality.ruled import checked

    dataset = workspace.dataset(name)
    report = tried(dataset, "latest", asked((), (), None))
    head = dataset.table.head()
    notes = checked(dataset, report, 0 if head is None else head.number)
    step = CheckStep(
        name,
        report.reference,
        passed=report.passed,
        rules=len(report.rules),
        failed=report.count(Verdict.FAILED),
        what=checks_verdict([report]),
        do=_further(report),
        code=str(report.error.get("code", "")),
    )
    return step, notes


def _further(report: CheckReport) -> str:
    if report.error:
        return str(report.error.get("do", ""))
    return "" if report.passed else f"lastro check {report.reference} --failures"


def _read(path: Path) -> dict[str, datetime]:
    try:
        record = json.loads(path.read_bytes())
        if record["lastro_checks"] != FORMAT:
            return {}
        return {str(name): clock.from_text(text) for name, text in record["checks"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _write(path: Path, made: Mapping[str, datetime]) -> None:
    plain = {name: clock.to_text(moment) for name, moment in sorted(made.items())}
    write_durably(path, json.dumps({"lastro_checks": FORMAT, "checks": plain}).encode() + b"\n", mode=0o600)
